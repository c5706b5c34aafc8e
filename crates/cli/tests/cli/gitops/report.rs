//! What is told of an apply, and of what files leave out.

use super::{MIRA_4, PREVIEW, edit};
use crate::world::{Loss, Proxy, World, assert_transcript};

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
