//! `forge export` and `forge apply`

use std::sync::Arc;

use crate::guide::run_page;
use crate::help::examples;
use crate::world::{Loss, Proxy, Typed, World, assert_transcript};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/gitops.md");

#[test]
fn every_command_of_the_page_prints_what_the_page_says() {
    run_page(PAGE, 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_becomes_files() {
    let world = World::seeded().await;
    let transcript = world.pipe(&[
        "forge export",
        "find acme -type f | sort",
        "cat acme/forge.json acme/agents/mira/agent.json acme/context_graphs/appointments/context_graph.json",
        "cat acme/services/dental-care/service.json acme/services/dental-care/version_sets/preview.json",
        "head -n 4 acme/agents/mira/v2.json",
        "grep -rl \"$FORGE_API_KEY\\|$FORGE_USER_ID\\|$FORGE_API_KEY_ID\" acme || echo nothing secret",
        "forge export -o acme",
        // What is not there any more goes, what is not of an export stays.
        "forge vs delete 'Dental care' preview --apply --quiet > /dev/null; echo mine > acme/services/README.md; forge export",
        "ls acme/services acme/services/dental-care acme/services/dental-care/version_sets",
        "mkdir -p other/agents && forge export -o other",
        "FORGE_API_KEY=wrong forge export -o third; ls third",
    ]);
    assert_transcript("export", &transcript);
}

/// Replaces a text in a file.
fn edit(file: &str, from: &str, to: &str) -> String {
    format!("grep -q '{from}' {file} && sed -i 's/{from}/{to}/' {file}")
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_applied() {
    let world = World::seeded().await;
    world.ok("forge export 2> /dev/null");
    world.ok("forge vs upsert 'Dental care' personal-alex --apply");
    let apply = "forge apply -f acme";
    let nothing = world.pipe(&[apply, &format!("{apply} --check"), &format!("{apply} --apply")]);
    let dental = "acme/services/dental-care";
    world.ok(&edit(
        &format!("{dental}/version_sets/preview.json"),
        r#""agent_version_number": 2"#,
        r#""agent_version_number": 4"#,
    ));
    world.ok(&edit(
        &format!("{dental}/service.json"),
        "Answers patients",
        "Answers all patients",
    ));
    world.ok("sed 's/MI/MX/' acme/agents/mira/v3.json > acme/agents/mira/v4.json");
    world.ok("mkdir acme/context_graphs/more && echo '{\"name\": \"More\"}' > acme/context_graphs/more/context_graph.json");
    let reference = r#"s/"references": {}/"references": {"booking": ["Appointments", 2]}/"#;
    world.ok(&format!(
        "sed '{reference}' acme/context_graphs/appointments/v1.json > acme/context_graphs/more/v1.json"
    ));
    world.ok("cp -r acme/services/eye-care acme/services/ears");
    world.ok(&edit("acme/services/ears/service.json", "Eye care", "Ear care"));
    world.ok(&edit(
        "acme/services/ears/service.json",
        r#""context_graph": "Appointments""#,
        r#""context_graph": "More""#,
    ));
    world.ok("cp acme/services/ears/version_sets/release.json acme/services/ears/version_sets/test.json");
    let changes = world.pipe(&[
        apply,
        &format!("{apply} --json"),
        &format!("{apply} --check"),
        &format!("{apply} --apply -m 'Reviewed.'"),
        &format!("{apply} --apply"),
        &format!("{apply} --check"),
        "forge vs history 'Dental care' preview --limit 1 | cut -f 1-5,9",
        "forge export; forge export",
        // Sets that the files do not have.
        &format!("rm {dental}/version_sets/personal-alex.json; {apply}"),
        &format!("{apply} --prune --check"),
        &format!("{apply} --prune --apply --json"),
        "forge vs list 'Dental care' | cut -f 1-4",
    ]);
    assert_transcript("apply", &format!("{nothing}{changes}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_rule_forbids_leaves_its_service_as_it_was() {
    let world = World::seeded().await;
    world.ok("forge vs promote 'Dental care' preview release --apply");
    world.ok("forge export 2> /dev/null");
    world.ok("forge vs rollback 'Dental care' --apply -m 'It books on holidays.'");
    let apply = "forge apply -f acme";
    for service in ["dental-care", "eye-care"] {
        world.ok(&edit(
            &format!("acme/services/{service}/service.json"),
            "Answers",
            "Helps",
        ));
    }
    let sets = "acme/services/eye-care/version_sets";
    let transcript = world.pipe(&[
        apply,
        &format!("{apply} --apply"),
        &format!("{apply} --apply"),
        "forge vs list 'Dental care' | cut -f 1-4",
        &format!("{apply} --lift-hold --apply"),
        &format!("{apply} --check"),
        // Warnings.
        &format!("sed -i 's/_number\": 1/_number\": null/' {sets}/release.json; {apply} --strict --apply"),
        &format!("{apply} --apply --quiet"),
        // Of a new service, the plans of sets can be made only once it is there.
        &format!("cp -r acme/services/eye-care acme/services/ears; cd acme/services/ears; sed -i 's/Eye/Ear/' service.json; \
            sed 's/null/1/' version_sets/release.json > version_sets/My.json; cd ../../..; {apply} --create --strict --apply"),
        "forge vs list 'Ear care' | cut -f 1-4",
        &format!("{apply} --apply"),
        // What a service itself cannot become.
        &format!("sed -i 's/aws_claude-sonnet-4-6/no-such-model/' {sets}/release.json; cp -r acme/services/eye-care acme/services/nose; \
            sed -i 's/Eye/Nose/' acme/services/nose/service.json; {apply} --apply"),
    ]);
    assert_transcript("apply_forbidden", &transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_do_not_fit_change_nothing() {
    let world = World::seeded().await;
    world.ok("forge export 2> /dev/null");
    let apply = "forge apply -f acme --apply";
    let transcript = world.pipe(&[
        "forge apply -f nowhere",
        "forge apply",
        "forge apply -f acme --check --apply",
        // What cannot be read.
        &format!("cp -r acme kept; cd acme; echo '{{' > agents/mira/v2.json; touch agents/mira/V4.json; \
            echo '{{\"nam\": 1}}' > services/eye-care/service.json; cp services/dental-care/version_sets/release.json \
            services/dental-care/version_sets/edge.json; echo '{{}}' > services/dental-care/version_sets/a.b.json; \
            cp -r context_graphs/appointments context_graphs/again; cd ..; {apply}"),
        &format!("rm -r acme; cp -r kept acme; echo '{{\"format\": 2}}' > acme/forge.json; {apply}"),
        // What does not fit the server.
        &format!("rm -r acme; cp -r kept acme; rm acme/agents/mira/v3.json; sed -i s/MI/XX/ acme/agents/mira/v1.json; \
            cp acme/context_graphs/appointments/v3.json acme/context_graphs/appointments/v5.json; \
            sed -i 's/\"agent_version_number\": 2/\"agent_version_number\": 9/' acme/services/dental-care/version_sets/preview.json; \
            {apply}"),
        &format!("rm -r acme; cp -r kept acme; sed -i 's/\"Mira\"/\"Nobody\"/' acme/services/eye-care/service.json; {apply}"),
        // What the server refuses on the way.
        &format!("rm -r acme; cp -r kept acme; echo '{{\"description\": 1}}' > acme/context_graphs/appointments/v4.json; {apply}"),
        "forge audit list --limit 1 | cut -f 1",
    ]);
    assert_transcript("apply_refused", &transcript);
}

/// File systems that ignore capitals, and those that take names for devices, hold every set.
#[tokio::test(flavor = "multi_thread")]
async fn files_differ_on_every_file_system() {
    let world = World::seeded().await;
    for (name, version) in [("Hotfix", 1), ("personal-alex", 3), ("con", 2)] {
        world.ok(&format!(
            "forge vs upsert 'Dental care' {name} --agent-version {version} --apply 2> /dev/null"
        ));
    }
    world.ok("forge export 2> /dev/null");
    let sets = "acme/services/dental-care/version_sets";
    let lower = world.ok(&format!("ls {sets} | tr A-Z a-z | sort -u"));
    let lower: Vec<&str> = lower.lines().collect();
    assert_eq!(
        lower,
        [
            "hotfix.json",
            "personal-alex.json",
            "preview.json",
            "release.json",
            "set-con.2.json"
        ]
    );
    let transcript = world.pipe(&[
        "forge vs upsert 'Dental care' hotfix --agent-version 2",
        "forge apply -f acme --check",
        "forge export",
        &format!("grep -h '\"name\"' {sets}/*"),
        &format!("cp {sets}/set-con.2.json {sets}/another.json; forge apply -f acme --check"),
    ]);
    assert_transcript("export_names", &transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_read_strictly_and_in_one_encoding() {
    let world = World::seeded().await;
    world.ok("forge export 2> /dev/null; cp -r acme kept");
    let sets = "acme/services/dental-care/version_sets";
    let transcript = world.pipe(&[
        // As some programs write UTF-8.
        &format!("sed -i '1s/^/\\xef\\xbb\\xbf/' {sets}/preview.json && forge apply -f acme --check"),
        &format!("iconv -f UTF-8 -t UTF-16 < kept/forge.json > {sets}/preview.json; \
            sed -i 's/\"name\"/\"name\": \"x\", \"name\"/' acme/services/eye-care/service.json; \
            sed -i 's/\"MI\"/\"M\\\\u0000\"/' acme/agents/mira/v1.json; forge apply -f acme --check"),
        "iconv -f UTF-8 -t UTF-16 < kept/services/dental-care/version_sets/preview.json | \
            forge vs upsert 'Dental care' preview --from -; \
            sed '1s/^/\\xef\\xbb\\xbf/' kept/services/dental-care/version_sets/preview.json | forge vs upsert 'Dental care' preview --from -",
        // A service that was renamed.
        "rm -r acme; cp -r kept acme; sed -i 's/Dental care/Teeth/' acme/services/dental-care/service.json; forge apply -f acme",
        "forge apply -f acme --strict --apply",
        "rm -r acme/services/dental-care; forge apply -f acme --check --quiet",
    ]);
    assert_transcript("apply_encodings", &transcript);
}

/// Whatever a folder has in it that somebody else made, such as a repository: an export writes and removes nothing
/// outside of it, and nothing in it that no export wrote.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_stays_in_its_folder() {
    let world = World::seeded().await;
    world.ok(
        "mkdir -p outside/mira && echo mine | tee outside/mira/v1.json outside/mine.json > outside/notes.txt",
    );
    world.ok("forge export -o kept 2> /dev/null");
    let fresh = "rm -rf there; cp -r kept there";
    let export = "forge export -o there";
    let transcript = world.pipe(&[
        &format!("{fresh}; rm -r there/agents; ln -s $PWD/outside there/agents; {export}"),
        &format!("{fresh}; rm -r there/agents/mira; ln -s $PWD/outside/mira there/agents/mira; {export}"),
        &format!("{fresh}; ln -sf $PWD/outside/mine.json there/agents/mira/v1.json; {export}"),
        &format!("{fresh}; ln -sf $PWD/outside/new.json there/forge.json; {export}"),
        &format!("{fresh}; rm there/agents/mira/v1.json; mkfifo there/agents/mira/v1.json; {export}"),
        "mkdir empty; ln -s $PWD/outside empty/services; forge export -o empty",
        "ln -s outside acme; forge export; ls empty",
        // Links that an export does not need are none of its business.
        &format!("{fresh}; ln -s $PWD/outside there/services/more; {export}"),
        "find outside -type f | sort; cat outside/mine.json outside/mira/v1.json",
        // Somebody's own files, though an export might have written them.
        &format!(
            "{fresh}; echo {{}} > there/agents/notes.json; mkdir there/services/mine; cp kept/services/eye-care/service.json \
             there/services/mine; echo {{}} > there/services/eye-care/version_sets/mine.json; {export}; ls there/agents there/services/*"
        ),
        // What the list of files says of others does not count.
        &format!(
            "{fresh}; echo '{{\"format\": 1, \"files\": [\"../outside/mine.json\", \"notes.json\", \"agents/../notes.json\"]}}' > \
             there/forge.json; echo {{}} > there/notes.json; {export}; ls there outside"
        ),
        &format!("{fresh}; echo '<<<<<<<' >> there/forge.json; {export}; echo '{{\"format\": 2}}' > there/forge.json; {export}"),
        // What was there keeps its folder, and who may read it.
        &format!(
            "{fresh}; mv there/services/eye-care there/services/eyes; chmod 600 there/forge.json there/services/eyes/service.json; \
             sed -i s/Answers/Helps/ there/services/eyes/service.json; {export}; ls there/services; \
             stat -c %a there/services/eyes/service.json there/agents/mira/v1.json"
        ),
    ]);
    assert_transcript("export_in_a_folder_of_others", &transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_reads_files_of_its_folder_only() {
    let world = World::seeded().await;
    world.ok("forge export -o kept 2> /dev/null");
    let fresh = "rm -rf acme; cp -r kept acme";
    let apply = "forge apply -f acme --check";
    let transcript = world.pipe(&[
        &format!(
            "{fresh}; cd acme; ln -s /dev/zero agents/mira/v4.json; ln -sf ../../../kept/agents/mira/v1.json agents/mira/v1.json; \
             ln -s nowhere agents/gone; mkfifo services/eye-care/version_sets/x.json; cd ..; {apply}"
        ),
        &format!("{fresh}; rm -r acme/services; ln -s ../kept/services acme/services; {apply}"),
        &format!("{fresh}; ln -sf /dev/zero acme/forge.json; {apply}"),
        &format!("{fresh}; ln -s acme named; forge apply -f named --check --quiet"),
        // Names that were mistyped.
        &format!(
            "{fresh}; cp acme/services/dental-care/version_sets/release.json acme/services/dental-care/version_sets/relaese.json; \
             mkdir acme/agents/mirra; echo '{{\"name\": \"Mirra\"}}' > acme/agents/mirra/agent.json; forge apply -f acme"
        ),
        "forge apply -f acme --strict --apply",
        "forge apply -f acme --create --strict --check --quiet | cut -f 1-3",
        "forge apply -f acme --json | grep -o '\"similar\".*\"renamed\"'",
    ]);
    assert_transcript("apply_a_folder_of_others", &transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_restores_an_organization() {
    let from = World::seeded().await;
    from.ok("forge vs upsert 'Dental care' personal-alex --model engage-user=aws_claude-sonnet-4-6,temperature=0.2 --apply");
    from.ok("forge vs upsert 'Eye care' preview --agent-version 3 --apply");
    let export = from.home().join("acme");
    from.ok("forge export 2> /dev/null");
    let mut to = World::empty().await;
    for (name, value) in to.credentials_as_variables() {
        to.set(&name, &value);
    }
    let apply = format!("forge apply -f {}", export.display());
    to.ok(&format!("{apply} --apply"));
    to.ok(&format!("{apply} --check"));
    to.ok("forge export -o again");
    assert_eq!(
        to.ok(&format!("diff -r {} again && echo same", export.display())),
        "same\n"
    );
    assert_eq!(
        from.ok("forge vs list 'Dental care' | cut -f 1,3-6"),
        to.ok("forge vs list 'Dental care' | cut -f 1,3-6")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_applied_on_a_terminal() {
    let world = World::seeded().await;
    world.ok("forge export 2> /dev/null");
    world.ok(&edit(
        "acme/services/dental-care/version_sets/preview.json",
        r#""agent_version_number": 2"#,
        r#""agent_version_number": null"#,
    ));
    world.ok("sed 's/MI/MX/' acme/agents/mira/v3.json > acme/agents/mira/v4.json");
    let asked = "[y/N]: ";
    let transcript = world.terminal(&[
        Typed::new("forge apply -f acme"),
        Typed::new("forge apply -f acme --apply").answer(asked, "n\n"),
        Typed::new("forge apply -f acme --apply --json").answer(asked, "n\n"),
        Typed::new("forge apply -f acme --apply").answer(asked, "y\n"),
        Typed::new("forge apply -f acme --check"),
        Typed::new("forge export"),
    ]);
    assert_transcript("apply_on_a_terminal", &transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_the_help_work() {
    let world = World::seeded().await;
    world.ok("git init -q releases");
    for command in ["export", "apply"] {
        let examples = examples(&world.ok(&format!("forge {command} --help")));
        assert!(examples.len() >= 2);
        for example in examples {
            world.ok(&example);
        }
    }
}

/// Adds an agent `Nora` with the versions of `Mira`.
fn add_nora(world: &World) {
    for version in 1..=3 {
        world.ok(&format!(
            "forge asset show agent Mira@{version} --json | forge asset push agent Nora -f - --create --apply"
        ));
    }
}

const RELEASE: &str = "acme/services/dental-care/version_sets/release.json";
const SERVICE: &str = "acme/services/dental-care/service.json";
/// What the files do to a service that becomes Nora's.
const TO_NORA: &str = "sed -i 's/\"Mira\"/\"Nora\"/' acme/services/dental-care/service.json";
/// What is there now, in a few words.
const NOW: &str = "forge vs list 'Dental care' | cut -f 1-4,7; forge vs history 'Dental care' release | cut -f 1-4,9; \
    forge service list | grep Dental | cut -f 2-4";

/// Whatever somebody else does between the plan and the answer: what was not shown is not done.
#[tokio::test(flavor = "multi_thread")]
async fn what_moves_while_its_plan_is_looked_at_is_left_as_it_is() {
    let world = Arc::new(World::seeded().await);
    add_nora(&world);
    world.ok(
        "forge vs promote 'Dental care' preview release --apply; forge export 2> /dev/null; cp -r acme kept",
    );
    let meanwhile = |command: &'static str| {
        let world = world.clone();
        move || {
            world.ok(command);
        }
    };
    let asked = "[y/N]: ";
    let apply = "forge apply -f acme --apply --lift-hold -m Reviewed.";
    let see = |transcript: &mut String, typed| {
        transcript.push_str(&world.terminal(&[typed]));
        transcript.push_str(&world.pipe(&[NOW]));
    };
    let mut transcript = String::new();
    // A new version, and a set that pins it.
    world.ok("sed 's/MI/MX/' acme/agents/mira/v3.json > acme/agents/mira/v4.json");
    world.ok(&edit(
        RELEASE,
        r#""agent_version_number": 2"#,
        r#""agent_version_number": 4"#,
    ));
    let incident = meanwhile("forge vs rollback 'Dental care' --apply -m 'It books on holidays.'");
    see(
        &mut transcript,
        Typed::new(apply).answer_after(asked, incident, "y\n"),
    );
    // Another agent.
    let to_nora = format!("rm -r acme; forge export 2> /dev/null; {TO_NORA}");
    world.ok(&to_nora);
    let pinned =
        meanwhile("forge vs upsert 'Dental care' release --agent-version 3 --lift-hold --apply 2> /dev/null");
    see(
        &mut transcript,
        Typed::new(apply).answer_after(asked, pinned, "y\n"),
    );
    world.ok(&to_nora);
    let other = "forge asset show agent Mira@1 --json | forge asset push agent Zoe -f - --create --apply && \
        forge vs upsert 'Dental care' release --agent-version 1 --apply --quiet && \
        forge vs upsert 'Dental care' preview --agent-version 1 --apply --quiet && \
        forge service update 'Dental care' --agent Zoe --apply";
    see(
        &mut transcript,
        Typed::new(apply).answer_after(asked, meanwhile(other), "y\n"),
    );
    assert_eq!(transcript.matches("exit 5").count(), 3, "{transcript}");
    assert_transcript("apply_what_moved", &transcript);
}

/// What a service's sets come to mean by another agent is planned by the server, and shown.
#[tokio::test(flavor = "multi_thread")]
async fn another_agent_is_applied_as_it_was_planned() {
    let world = World::seeded().await;
    add_nora(&world);
    world.ok("forge vs promote 'Dental care' preview release --apply; forge export 2> /dev/null");
    world.ok("forge vs rollback 'Dental care' --apply -m 'It books on holidays.'; forge export 2> /dev/null");
    world.ok(TO_NORA);
    let apply = "forge apply -f acme";
    let transcript = world.pipe(&[
        // A hold stops it, and lifting it is shown.
        apply,
        &format!("{apply} --lift-hold"),
        &format!("{apply} --lift-hold --json"),
        // So does a warning, if that is wanted.
        "forge asset yank agent Nora@3 --reason 'It shouts.' --apply --quiet",
        &format!("{apply} --lift-hold --strict --apply"),
        &format!("{apply} --lift-hold --apply -m Reviewed."),
        NOW,
        &format!("{apply} --check"),
    ]);
    assert_transcript("apply_another_agent", &transcript);
}

/// Nothing runs in between what nobody asked for.
#[tokio::test(flavor = "multi_thread")]
async fn another_agent_and_other_pins_are_two_steps() {
    let world = World::seeded().await;
    add_nora(&world);
    world.ok("forge export 2> /dev/null");
    world.ok(TO_NORA);
    world.ok(&edit(
        RELEASE,
        r#""agent_version_number": 1"#,
        r#""agent_version_number": 3"#,
    ));
    world.ok("forge asset yank agent Nora@3 --reason 'It shouts.' --apply");
    let apply = "forge apply -f acme";
    let transcript = world.pipe(&[
        apply,
        &format!("{apply} --json"),
        &format!("{apply} --apply"),
        NOW,
        // An agent that comes with the files: it comes first.
        &format!(
            "forge export; {}; mkdir acme/agents/zoe; \
             echo '{{\"name\": \"Zoe\"}}' > acme/agents/zoe/agent.json; cp acme/agents/mira/v1.json acme/agents/zoe/; \
             cp acme/agents/mira/v2.json acme/agents/zoe/; {apply} --create --apply",
            TO_NORA.replace("Nora", "Zoe")
        ),
        NOW,
        &format!("{apply} --apply -m Reviewed."),
        NOW,
    ]);
    assert_transcript("apply_in_two_steps", &transcript);
}

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

const PREVIEW: &str = "acme/services/dental-care/version_sets/preview.json";
/// Brings a version 4 of Mira.
const MIRA_4: &str = "sed 's/MI/MX/' acme/agents/mira/v3.json > acme/agents/mira/v4.json";
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

/// What begins to float, or to mean another agent, while its plan is looked at.
#[tokio::test(flavor = "multi_thread")]
async fn versions_come_only_to_what_was_shown() {
    let world = Arc::new(World::seeded().await);
    add_nora(&world);
    world
        .ok("forge asset show agent Mira@3 --json | sed s/MI/NO/ | forge asset push agent Nora -f - --apply");
    world.ok("forge export 2> /dev/null; cp -r acme kept");
    let meanwhile = |command: &'static str| {
        let world = world.clone();
        move || {
            world.ok(command);
        }
    };
    let asked = "[y/N]: ";
    let apply = "forge apply -f acme --apply";
    let eyes = "acme/services/eye-care/version_sets";
    let state = "forge vs list 'Eye care' | cut -f 1-4; forge service list | grep Eye | cut -f 2-4; \
        forge vs list 'Dental care' | cut -f 1-4; forge asset agents | cut -f 2-3";
    let mut transcript = String::new();
    let mut see = |files: &str, happens: &'static str| {
        world.ok(&format!("rm -r acme; cp -r kept acme; {files}"));
        let typed = Typed::new(apply).answer_after(asked, meanwhile(happens), "y\n");
        transcript.push_str(&world.terminal(&[typed]));
        transcript.push_str(&world.pipe(&[state]));
    };
    // A set of another service floats meanwhile.
    see(
        MIRA_4,
        "forge vs upsert 'Eye care' release --agent-version latest --apply 2> /dev/null",
    );
    world.ok("forge vs upsert 'Eye care' release --agent-version 1 --apply 2> /dev/null");
    // New sets, of which one waits for a version and one does not: of another agent now.
    let graph = "sed 's/\"description\": \"/&New. /' acme/context_graphs/appointments/v3.json > \
        acme/context_graphs/appointments/v4.json";
    let to_nora = "forge service update 'Eye care' --agent Nora --apply 2> /dev/null";
    see(
        &format!("{graph}; cp {eyes}/release.json {eyes}/preview.json"),
        to_nora,
    );
    world.ok("forge service update 'Eye care' --agent Mira --apply 2> /dev/null; rm -r kept; forge export -o kept 2> /dev/null");
    let pins_4 = format!(
        "sed 's/\"agent_version_number\": 1/\"agent_version_number\": 4/' {eyes}/release.json > {eyes}/preview.json"
    );
    see(&format!("{MIRA_4}; {pins_4}"), to_nora);
    // Another service is called so by then.
    let swap = "forge service update 'Eye care' --name Ears --apply && forge service update 'Dental care' --name 'Eye care' --apply";
    world.ok("forge service update 'Eye care' --agent Mira --apply 2> /dev/null; rm -r kept; forge export -o kept 2> /dev/null");
    let other = edit(
        &format!("{eyes}/release.json"),
        r#""agent_version_number": 1"#,
        r#""agent_version_number": 3"#,
    );
    world.ok(&format!("rm -r acme; cp -r kept acme; {other}"));
    let typed = Typed::new(apply).answer_after(asked, meanwhile(swap), "y\n");
    transcript.push_str(&world.terminal(&[typed]));
    transcript
        .push_str(&world.pipe(&["forge vs list 'Eye care' | cut -f 1-4; forge vs list Ears | cut -f 1-4"]));
    assert_eq!(transcript.matches("exit 5").count(), 4, "{transcript}");
    assert_transcript("apply_versions_to_what_was_shown", &transcript);
}

/// What programs read is what was done.
#[tokio::test(flavor = "multi_thread")]
async fn the_document_tells_what_was_done() {
    let mut world = World::seeded().await;
    world.ok("forge export 2> /dev/null");
    world.ok(MIRA_4);
    world.ok(
        "cp acme/services/eye-care/version_sets/release.json acme/services/eye-care/version_sets/test.json",
    );
    world.ok("cp acme/services/eye-care/version_sets/release.json acme/services/eye-care/version_sets/preview.json");
    world.ok("sed 's/\"description\": \"/&New. /' acme/context_graphs/appointments/v3.json > acme/context_graphs/appointments/v4.json");
    let apply = "forge apply -f acme --apply --json";
    let done = |shown: &str| {
        let document: serde_json::Value = serde_json::from_str(shown).unwrap();
        let steps = document["steps"].as_array().unwrap();
        let steps: Vec<_> = steps.iter().map(|step| step["done"].as_bool()).collect();
        let count = |field: &str| document[field].as_u64().unwrap();
        (
            document["applied"].as_bool().unwrap(),
            count("steps_done"),
            count("steps_in_all"),
            steps,
        )
    };
    let (yes, no) = (Some(true), Some(false));
    let run = |world: &World, command: &str, code: i32| {
        let output = world.shell(command);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{error}");
        String::from_utf8(output.stdout).unwrap()
    };
    // The server refuses the second of many, as somebody else was faster.
    let server = world.address.clone();
    let faster = "forge asset show context-graph Appointments@2 --json | forge asset push context-graph Appointments -f - --apply";
    let proxy = Proxy::before(
        &server,
        "POST /v1/acme/organization/service_hierarchical_state_machine/",
        world.later(faster),
    );
    world.set("FORGE_BASE_URL", &proxy.address);
    let (applied, count, all, steps) = done(&run(&world, apply, 5));
    world.set("FORGE_BASE_URL", &server);
    assert_eq!((applied, count, all), (false, 1, 4));
    assert_eq!(steps.iter().filter(|step| **step == yes).count(), 1);
    assert!(steps.iter().skip(1).all(|step| *step == no), "{steps:?}");
    // Everything.
    world.ok("rm acme/context_graphs/appointments/v4.json; forge export -o acme --quiet 2> /dev/null");
    let (applied, count, all, steps) = done(&run(&world, apply, 0));
    assert_eq!((applied, count, all), (true, 2, 2));
    assert!(steps.iter().all(|step| *step == yes), "{steps:?}");
    // A rule forbids it.
    world.ok("forge vs upsert 'Eye care' test --agent-version 2 --apply; forge vs rollback 'Eye care' test -m Loud. --apply");
    world.ok(&edit(
        "acme/services/eye-care/version_sets/test.json",
        r#""agent_version_number": 1"#,
        r#""agent_version_number": 3"#,
    ));
    assert_eq!(done(&run(&world, apply, 1)), (false, 0, 1, vec![no]));
    // Nobody knows.
    world.ok("rm acme/services/eye-care/version_sets/*; forge export -o acme --quiet; rm acme/services/eye-care/version_sets/preview.json");
    let proxy = Proxy::start(&world.address, Loss::Once);
    world.set("FORGE_BASE_URL", &proxy.address);
    let (applied, count, all, steps) = done(&run(&world, &format!("{apply} --prune"), 1));
    proxy.wait_for_loss();
    assert_eq!((applied, count, all), (false, 0, 1));
    assert!(
        !steps.is_empty() && steps.iter().all(Option::is_none),
        "{steps:?}"
    );
}

/// A file says all of a version, and all of a preferred model.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_out_or_misspelt_in_a_file_is_told() {
    let world = World::seeded().await;
    world.ok("forge export 2> /dev/null; cp -r acme kept");
    let afresh = "rm -r acme; cp -r kept acme";
    let apply = "forge apply -f acme --check";
    // Takes a field out of a file, with what it holds.
    let without = |field: &str, file: &str| {
        format!(r#"sed -i -z 's/,[[:space:]]*"{field}": [[{{][^]}}]*[]}}]//' {file}"#)
    };
    let model = |text: &str| format!("sed -i 's/\"params\": {{}}/{text}/' {PREVIEW}");
    let transcript = world.pipe(&[
        &format!(
            "{}; {}; {apply}",
            without("voice_config", "acme/agents/mira/v3.json"),
            without(
                "global_boundary_constraints",
                "acme/context_graphs/appointments/v3.json"
            )
        ),
        &format!(
            "{afresh}; {MIRA_4}; {}; {apply}",
            without("voice_config", "acme/agents/mira/v4.json")
        ),
        &format!("{afresh}; {}; {apply}", model(r#""parms": {"temperature": 0}"#)),
        &format!("forge vs upsert 'Dental care' test --from {PREVIEW}"),
        &format!(
            "{afresh}; {}; {apply}",
            model(r#""params": {}, "temperature": 0"#)
        ),
        &format!("forge vs upsert 'Dental care' test --from {PREVIEW}"),
        // Misspelt in new versions, and in one that is there.
        &format!("{afresh}; {}; {}; {}; {apply}", MIRA_4.replace("s/MI/MX/", r#"s/"behaviors"/"behaviours": ["x"], &/"#),
            "sed 's/\"boundary_constraints\"/\"boundry_constraints\": [\"No dosage.\"], &/' acme/context_graphs/appointments/v3.json > acme/context_graphs/appointments/v4.json",
            "sed -i 's/\"initials\"/\"initial\": \"x\", &/' acme/agents/mira/v2.json"),
        // One service in two spellings.
        &format!("{afresh}; cp -r acme/services/eye-care acme/services/eyes; \
            sed -i 's/Eye care/Caf\u{e9}/' acme/services/eye-care/service.json; \
            sed -i 's/Eye care/Cafe\u{301}/' acme/services/eyes/service.json; {apply}"),
    ]);
    assert_transcript("apply_left_out", &transcript);
}

/// Lists come in pages, and one after the other: what changes in between is seen in all of it.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_of_one_moment() {
    let mut world = World::seeded().await;
    let change = "forge asset show agent Mira@3 --json | sed s/MI/MX/ | forge asset push agent Mira -f - --apply && \
        forge vs upsert 'Dental care' preview --agent-version 4 --apply";
    let proxy = Proxy::before(&world.address, "GET /v1/acme/service/?", world.later(change));
    world.set("FORGE_BASE_URL", &proxy.address);
    world.ok("forge export");
    assert_eq!(world.ok("ls acme/agents/mira | grep v4"), "v4.json\n");
    assert!(
        world
            .ok(&format!("cat {PREVIEW}"))
            .contains("\"agent_version_number\": 4")
    );
    world.ok("forge apply -f acme --check");
}
