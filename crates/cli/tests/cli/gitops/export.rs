//! An organization becomes files.

use super::PREVIEW;
use crate::guide::run_page;
use crate::world::{Proxy, World, assert_transcript};

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
