//! What is applied is what was shown.

use std::sync::Arc;

use super::{MIRA_4, NOW, RELEASE, TO_NORA, add_nora, edit};
use crate::world::{Typed, World, assert_transcript};

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
