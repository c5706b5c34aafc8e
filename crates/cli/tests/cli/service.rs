//! `forge service`

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Typed, World, assert_transcript};

const AGENT: &str = include_str!("../../../../examples/agent/v1.json");

/// Adds an agent `Nora` of one version, and one without any.
async fn add_agents(world: &World) {
    for (name, has_version) in [("Nora", true), ("Empty", false)] {
        let body = json!({"agent_name": name});
        let created = world.api.send(Method::POST, "organization/agent", body).await;
        if has_version {
            let path = format!("organization/agent/{}/", created["id"].as_str().unwrap());
            let version: Value = serde_json::from_str(AGENT).unwrap();
            world.api.send(Method::POST, &path, version).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn services_are_seen_in_a_pipe() {
    let world = World::seeded().await;
    world.ok("forge service update 'Eye care' --tag team:eyes --tag beta --apply");
    let id = world.ok("forge service list | grep Dental | cut -f 1");
    let transcript = world.pipe(&[
        "forge service list",
        "forge service list --active --sort -name | cut -f 2,3",
        "forge service list --inactive | cut -f 2,3",
        "forge service list --tag team:* --json",
        "forge service list --tag beta: --tag team:eyes | cut -f 2,7",
        "forge service list --tag team:ears",
        "forge service list --tag team",
        "forge service list --sort id",
        "forge service list --active --inactive",
        "forge service show 'Dental care'",
        "forge service show 'Eye care' --json",
        &format!("forge service show {} | head -1", id.trim()),
        "forge service show dental",
        "forge service show Old",
    ]);
    assert_transcript("service_seen_in_a_pipe", &transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn services_are_changed_in_a_pipe() {
    let world = World::seeded().await;
    add_agents(&world).await;
    let create = "forge service create --description 'Answers patients.' --context-graph Appointments";
    let update = "forge service update 'Dental care'";
    let transcript = world.pipe(&[
        // A plan changes nothing.
        &format!("{create} --name 'Ear care' --agent Mira --tag team:ears"),
        &format!("{create} --name 'Ear care' --agent Mira --tag team:ears --json"),
        "forge service show 'Ear care'",
        &format!("{create} --name 'Ear care' --agent Mira --tag team:ears --apply"),
        "forge service show 'Ear care'",
        &format!("{create} --name 'Nose care' --agent Mira --inactive --apply --json"),
        // What cannot be is told by the plan.
        &format!("{create} --name 'Ear care' --agent Mira --apply"),
        &format!("{create} --name 'Ear care' --agent Mira --inactive --apply --quiet"),
        &format!("{create} --name 'Hair care' --agent Empty --apply"),
        &format!("{create} --name 'Hair care' --agent mira --apply"),
        &format!("{create} --name 'Hair care' --agent Zoe --apply"),
        &format!("{create} --name 'Hair care'"),
        &format!("{create} --name '' --agent Mira --apply"),
        // What is not named stays.
        update,
        &format!("{update} --description 'Answers patients.' --active"),
        &format!("{update} --name 'Tooth care' --description 'Answers.' --inactive --tag a:b --json"),
        &format!("{update} --description 'Answers at night.' --tag team:teeth --tag beta --apply"),
        &format!("{update} --remove-tag beta --tag team:care --apply --json"),
        &format!("{update} --remove-tag beta"),
        &format!("{update} --name 'Eye care' --apply"),
        "forge service update 'Eye care' --inactive --apply && forge service update 'Dental care' --name 'Eye care' --inactive --apply",
        "forge service list | cut -f 2,3,7,8",
    ]);
    assert_transcript("service_changed_in_a_pipe", &transcript);
}

/// Drafts of the same name break no command, and hints name what works.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_means_the_active_service() {
    let world = World::seeded().await;
    let draft = "forge service create --description Draft --agent Mira --context-graph Appointments --inactive --apply";
    world.ok(&format!(
        "{draft} --name 'Dental care' && {draft} --name 'Dental care'"
    ));
    world.ok("forge vs upsert 'Dental care' personal-lost --apply && forge vs delete 'Dental care' personal-lost --apply");
    let draft = world.ok("forge service list --inactive | grep 'Dental care' | head -1 | cut -f 1");
    let draft = draft.trim();
    let transcript = world.pipe(&[
        "forge vs list 'Dental care' | cut -f 1-3",
        "forge service show 'Dental care' | head -4",
        "forge service health 'Dental care' | cut -f 1,2",
        "forge vs promote 'Dental care' preview release",
        "forge vs promote 'Dental care' preview release --quiet > /dev/null",
        &format!("forge vs list {draft} | cut -f 1-3"),
        &format!("forge service update {draft} --name 'Dental care 2' --apply"),
        &format!("forge vs delete {draft} nope"),
        "forge vs show 'Dental care' realease",
        "forge vs show 'Dental care' personal-lost",
        "forge vs diff 'Dental care' edge nope",
        "forge vs promote 'Dental care' previw release",
        "forge vs rollback 'Dental care' release@1",
        "forge vs list Old",
    ]);
    assert_transcript("service_names", &transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_agent_means_other_versions_in_every_set() {
    let world = World::seeded().await;
    add_agents(&world).await;
    let update = "forge service update 'Dental care' --agent Nora";
    let transcript = world.pipe(&[
        // `preview` pins version 2, which Nora does not have.
        &format!("{update} --apply"),
        "forge version-set upsert 'Dental care' preview --agent-version 1 --apply --quiet",
        update,
        &format!("{update} --json"),
        &format!("{update} --apply"),
        update,
        "forge version-set history 'Dental care' preview | cut -f 1-4",
        "forge service update 'Dental care' --agent Empty",
        // A hold that goes is shown.
        "forge vs promote 'Eye care' edge release --apply > /dev/null 2>&1; forge vs rollback 'Eye care' --apply -m 'It shouts.' --quiet",
        "forge service update 'Eye care' --agent Nora",
        "forge service update 'Eye care' --agent Nora --lift-hold",
        "forge service update 'Eye care' --agent Nora --lift-hold --apply --json",
    ]);
    assert_transcript("service_rebound", &transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_told_by_words_and_by_the_exit_code() {
    let world = World::seeded().await;
    let before = world.pipe(&[
        "forge service health 'Dental care'",
        "forge service health 'Dental care' --json",
        "forge service health --all",
        "forge service health",
        "forge service health 'Dental care' --all",
        "forge service health Nothing",
    ]);
    world.ok("forge vs promote 'Dental care' preview release --apply");
    world.ok("forge vs rollback 'Dental care' --apply --message 'It books on holidays.'");
    let held = world.pipe(&[
        "forge service health 'Dental care'",
        "forge service health --all --json",
    ]);
    assert_transcript("service_health", &format!("{before}{held}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_run_any_more_is_unhealthy() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("forge.toml");
    let retired = "[[models.model]]\nname = \"aws_claude-sonnet-4-6\"\nprovider = \"aws\"\nretires_at = \"2020-01-01T00:00:00Z\"\n";
    std::fs::write(&config, retired).unwrap();
    let world = World::restarted(&["--config", config.to_str().unwrap()]).await;
    let transcript = world.pipe(&[
        "forge service health 'Eye care'",
        "forge service health --all --json",
    ]);
    assert_transcript("service_unhealthy", &transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn services_are_seen_and_changed_on_a_terminal() {
    let world = Arc::new(World::seeded().await);
    let asked = "[y/N]: ";
    let other = world.clone();
    let meanwhile = move || {
        other.ok("forge service update 'Dental care' --tag team:teeth --apply");
    };
    let update = "forge service update 'Dental care' --description 'Answers at night.' --apply";
    let transcript = world.terminal(&[
        Typed::new("forge service list"),
        Typed::new("forge service show 'Dental care'"),
        Typed::new("forge service health 'Dental care'"),
        Typed::new(update).answer(asked, "n\n"),
        Typed::new(update).answer_after(asked, meanwhile, "y\n"),
        Typed::new(update).answer(asked, "y\n"),
        Typed::new("forge service create --name Ears --agent Mira --context-graph Appointments --description Listens. --apply")
            .answer(asked, "\u{3}"),
        Typed::new("forge service create --name Ears --agent Mira --context-graph Appointments --description Listens. --apply --yes"),
        Typed::new("forge service update Ears --inactive --json"),
    ]);
    assert_transcript("service_on_a_terminal", &transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_watched_until_somebody_stops_it() {
    let world = Arc::new(World::seeded().await);
    let other = world.clone();
    let meanwhile = move || {
        other.ok("forge vs promote 'Eye care' edge release --apply");
        other.ok("forge vs rollback 'Eye care' --apply");
    };
    let transcript = world.terminal(
        &[Typed::new("forge service health 'Eye care' --watch --interval 1")
            .answer_after("healthy", meanwhile, "")
            .answer("held", "\u{3}")],
    );
    assert!(transcript.ends_with("interrupted\nexit 130\n\n"), "{transcript}");
    assert!(transcript.contains("something changed:"), "{transcript}");
    assert!(transcript.contains("degraded"), "{transcript}");
}
