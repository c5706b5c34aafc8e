//! Files become an organization.

use super::edit;
use crate::help::examples;
use crate::world::{Typed, World, assert_transcript};

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
