//! Services that become active, or end, with their sets.

use std::sync::Arc;

use super::{MIRA_4, PREVIEW, RELEASE, edit};
use crate::world::{Typed, World, assert_transcript};

const SERVICE: &str = "acme/services/dental-care/service.json";

/// Activation looks at the sets as they are to be.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_becomes_active_together_with_the_sets_that_let_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("forge.toml");
    let retired = "[[models.model]]\nname = \"aws_claude-sonnet-4-6\"\nprovider = \"aws\"\nretires_at = \"2020-01-01T00:00:00Z\"\n";
    std::fs::write(&config, retired).unwrap();
    let world = World::restarted(&["--config", config.to_str().unwrap()]).await;
    world.ok("forge service update 'Dental care' --inactive --apply; forge export 2> /dev/null");
    world.ok(&edit(SERVICE, r#""is_active": false"#, r#""is_active": true"#));
    let serve = |set: &str| {
        let file = format!("acme/services/dental-care/version_sets/{set}.json");
        edit(&file, "aws_claude-sonnet-4-6", "openai_gpt-4.1-2025-04-14")
    };
    let state = "forge service list | grep Dental | cut -f 1-2; forge vs list 'Dental care' | cut -f 1-2";
    let transcript = world.pipe(&[
        // A set that stays as it is stands in the way.
        &format!("{}; forge apply -f acme --apply", serve("release")),
        state,
        &format!("{}; forge apply -f acme", serve("preview")),
        "forge apply -f acme --apply",
        state,
    ]);
    assert_transcript("apply_activation_by_sets", &transcript);
}

/// Also what the files leave as it is was shown, and nothing else is made active.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_becomes_active_with_no_set_that_was_not_shown() {
    let world = Arc::new(World::seeded().await);
    world.ok("forge service update 'Dental care' --inactive --apply; forge export 2> /dev/null");
    world.ok(&edit(SERVICE, r#""is_active": false"#, r#""is_active": true"#));
    world.ok(&edit(
        PREVIEW,
        r#""agent_version_number": 2"#,
        r#""agent_version_number": 1"#,
    ));
    let other = world.clone();
    let meanwhile = move || {
        other.ok("forge vs upsert 'Dental care' release --agent-version 3 --apply");
    };
    let apply = Typed::new("forge apply -f acme --apply").answer_after("[y/N]: ", meanwhile, "y\n");
    let seen = world.terminal(&[apply]);
    assert!(
        seen.contains("its set `release` pins something else now") && seen.contains("exit 5"),
        "{seen}"
    );
    assert!(world.ok("forge service list --inactive").contains("Dental care"));
}

/// A service starts conversations only with what its sets are to be, and none after it was to stop.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_active_no_longer_than_its_sets_are_as_wanted() {
    let world = World::seeded().await;
    world.ok("forge service update 'Dental care' --inactive --apply; forge export 2> /dev/null");
    world.ok(&edit(SERVICE, r#""is_active": false"#, r#""is_active": true"#));
    world.ok(&edit(
        RELEASE,
        r#""agent_version_number": 1"#,
        r#""agent_version_number": 3"#,
    ));
    let order = "forge audit list --limit 2 | cut -f 4-6";
    let transcript = world.pipe(&[
        "forge apply -f acme --apply",
        order,
        &format!(
            "{}; {}",
            edit(SERVICE, r#""is_active": true"#, r#""is_active": false"#),
            edit(
                RELEASE,
                r#""agent_version_number": 3"#,
                r#""agent_version_number": 2"#
            )
        ),
        "forge apply -f acme --apply",
        order,
    ]);
    assert_transcript("apply_activation", &transcript);
}

/// What runs now, what there is of Mira, and what was done last.
const RUNS: &str = "forge vs list 'Dental care' | cut -f 1-4; forge asset agents | cut -f 2-3; \
    forge audit list --limit 3 | cut -f 4-6";

/// A set that floats runs a version as soon as it is there, so what the files want otherwise comes first.
#[tokio::test(flavor = "multi_thread")]
async fn what_floats_runs_no_version_that_the_files_keep_from_it() {
    let world = World::seeded().await;
    let quiet = "--apply --quiet > /dev/null 2>&1";
    world.ok(&format!(
        "forge vs upsert 'Dental care' release --agent-version latest {quiet}"
    ));
    world.ok("forge export 2> /dev/null; cp -r acme kept");
    let afresh = "rm -r acme; forge export 2> /dev/null";
    let pin = edit(
        RELEASE,
        r#""agent_version_number": null"#,
        r#""agent_version_number": 3"#,
    );
    world.ok(&format!("{MIRA_4}; {pin}"));
    let preview = edit(
        PREVIEW,
        r#""agent_version_number": 2"#,
        r#""agent_version_number": 1"#,
    );
    let waits = edit(
        PREVIEW,
        r#""agent_version_number": 2"#,
        r#""agent_version_number": 4"#,
    );
    let apply = "forge apply -f acme";
    let transcript = world.pipe(&[
        // A rule forbids another set of the service, which leaves all of it as it is: no version either.
        &format!("forge vs upsert 'Dental care' preview --agent-version 3 {quiet}; forge vs rollback 'Dental care' preview -m Loud. {quiet}"),
        &format!("{preview}; {apply}"),
        &format!("{apply} --apply"),
        &format!("{apply} --apply --json"),
        RUNS,
        // A set that waits for the version cannot come before it.
        &format!("cp kept/services/dental-care/version_sets/preview.json {PREVIEW}; {waits}; {apply} --apply --lift-hold"),
        RUNS,
        // Nothing in the way: the set, and then the version.
        &format!("cp kept/services/dental-care/version_sets/preview.json {PREVIEW}; {apply} --apply"),
        RUNS,
        // Where the files let it float, the plan says what it comes to run.
        &format!("forge vs upsert 'Dental care' release --agent-version latest {quiet}; {afresh}"),
        &format!("{}; {apply} --strict --apply", MIRA_4.replace("v4", "v5").replace("v3", "v4").replace("MI/MX", "MX/MY")),
        &format!("rm -r acme/services/dental-care; {apply} --json | grep -o '\"floating\".*'"),
        &format!("{apply} --apply"),
        RUNS,
    ]);
    assert_transcript("apply_what_floats", &transcript);
}
