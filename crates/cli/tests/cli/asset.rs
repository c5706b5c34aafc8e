//! `forge asset`

use std::sync::Arc;

use reqwest::Method;
use serde_json::json;

use crate::world::{Typed, World, assert_transcript};

/// A world with files to push: `same.json`, `next.json`, and faulty ones.
async fn world_with_files() -> World {
    let world = World::seeded().await;
    world.ok("forge asset show agent Mira --json > same.json");
    world.ok("sed 's/\"initials\":\"MI\"/\"initials\":\"MX\"/' same.json > next.json");
    world.ok("sed 's/\"identity\":{/\"identity\":{\"nmae\":\"Nora\",/' next.json > nested.json");
    world.ok("forge asset show context-graph Appointments --json > graph.json");
    world.ok("sed 's/\"terminal_state\":\"[a-z_]*\"/\"terminal_state\":\"nowhere\"/' graph.json > lost.json");
    world.ok("sed 's/Learn who a first/Find out who a first/' graph.json > next-graph.json");
    for (name, text) in [
        ("part.json", r#"{"initials": "MY"}"#),
        ("misspelt.json", r#"{"initials": "MZ", "behaviours": []}"#),
        ("bad.json", r#"{"initials": 3, "identity": {"name": "Mira"}}"#),
        ("list.json", "[]"),
        ("none.json", "not JSON"),
    ] {
        std::fs::write(world.home().join(name), text).unwrap();
    }
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_seen_in_a_pipe() {
    let world = World::seeded().await;
    let transcript = world.pipe(&[
        "forge asset agents",
        "forge asset agents --json",
        "forge asset context-graphs",
        "forge asset versions agent Mira",
        "forge asset versions context-graph Appointments --limit 1",
        "forge asset versions agent Mira --limit 1 --json | cut -c 1-150",
        "forge asset versions agent mira",
        "forge asset versions agent Zoe",
        "forge asset versions robot Mira",
        "forge asset show agent Mira@1 | cut -c 1-90",
        "forge asset show agent Mira@latest --json | cut -c 1-90",
        "forge asset show context-graph Appointments@1 | cut -c 1-110",
        "forge asset show agent Mira@9",
        "forge asset show agent @9",
    ]);
    assert_transcript("asset_seen_in_a_pipe", &transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_compared_in_a_pipe() {
    let world = World::seeded().await;
    let transcript = world.pipe(&[
        "forge asset diff agent Mira @1 @2 | cut -c 1-120",
        "forge asset diff context-graph Appointments 1 @latest --exit-code | cut -c 1-120; exit ${PIPESTATUS[0]}",
        "forge asset diff context-graph Appointments @1 @2 --json | cut -c 1-120",
        "forge asset diff agent Mira @3 @latest --exit-code",
        "forge asset diff agent Mira @1 @9",
        "forge asset diff agent Mira @1 @0",
        "forge asset diff agent Mira @1",
    ]);
    assert_transcript("asset_compared_in_a_pipe", &transcript);
    let own: serde_json::Value =
        serde_json::from_str(&world.ok("forge asset diff agent Mira @1 @2 --json")).unwrap();
    let sets = world.ok("forge vs diff 'Dental care' release preview --json");
    let sets: serde_json::Value = serde_json::from_str(&sets).unwrap();
    assert_eq!(own, sets["agent"], "both tell it in the same way");
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_pushed_in_a_pipe() {
    let world = world_with_files().await;
    let push = "forge asset push agent Mira -f";
    let transcript = world.pipe(&[
        // Without a change there is no version.
        &format!("{push} same.json --apply"),
        &format!("{push} next.json"),
        &format!("{push} next.json --json"),
        "forge asset versions agent Mira --limit 1 | cut -f 1",
        &format!("{push} next.json --apply"),
        &format!("{push} next.json --apply"),
        "forge asset versions agent Mira --limit 1 | cut -f 1,3-",
        // What is absent stays.
        &format!("{push} - --apply --json < part.json | sed 's/,.*//'"),
        "forge asset diff agent Mira @4 @5",
        // What is wrong is told, all of it, before anything is sent.
        &format!("{push} misspelt.json --strict --apply"),
        &format!("{push} misspelt.json --apply --yes"),
        &format!("{push} nested.json --apply"),
        &format!("{push} bad.json --apply"),
        &format!("{push} list.json --apply"),
        &format!("{push} none.json --apply"),
        &format!("{push} missing.json --apply"),
        "forge asset push context-graph Appointments -f lost.json --apply",
        // New names.
        "forge asset push agent Nora -f part.json --create --apply",
        "forge asset push agent Nora -f same.json",
        "forge asset push agent Nora -f same.json --apply",
        "forge asset push agent Nora -f same.json --create",
        "forge asset push agent Nora -f same.json --create --apply",
        "forge asset push agent 0123456789abcdef01234567 -f same.json --apply",
        "forge asset push context-graph Visits -f graph.json --create --apply",
        "forge asset push context-graph Visits -f next-graph.json",
        "forge asset push context-graph Visits -f next-graph.json --apply --quiet",
        "forge asset agents | cut -f 2-",
        "forge asset context-graphs | cut -f 2-",
    ]);
    assert_transcript("asset_pushed_in_a_pipe", &transcript);
    world.ok("forge asset show context-graph Visits --json > stored.json && cmp stored.json next-graph.json");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_created_by_a_slip_of_the_fingers() {
    let world = world_with_files().await;
    let push = "forge asset push agent";
    let transcript = world.pipe(&[
        &format!("{push} mira -f next.json --apply"),
        &format!("{push} Mirra -f next.json"),
        &format!("{push} Mirra -f next.json --create --strict --apply"),
        &format!("{push} Mira@3 -f next.json --apply"),
        &format!("{push} Zoe@3 -f next.json --create --apply"),
        // What is misspelt altogether is no change that is there already.
        &format!("echo '{{\"x\": 1}}' | {push} Mira -f -"),
        &format!("echo '{{}}' | {push} Mira -f - --apply"),
        &format!("echo '{{\"initials\": \"MI\", \"behaviours\": []}}' | {push} Mira -f -"),
        // Documents that two readers could read differently, and encodings.
        &format!("echo '{{\"initials\": \"MX\", \"initials\": \"MY\"}}' | {push} Mira -f - --apply"),
        &format!("echo '{{\"initials\": \"M\\u0000\"}}' | {push} Mira -f - --apply"),
        &format!("(printf '\\357\\273\\277'; cat next.json) | {push} Mira -f - | sed -n 1p"),
        &format!("(printf '\\377\\376'; cat next.json) | {push} Mira -f -"),
        "forge asset agents | cut -f 2-",
    ]);
    assert_transcript("asset_pushed_by_mistake", &transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_the_server_refuses_is_told() {
    let world = world_with_files().await;
    let reference = r#"s/"references":{}/"references":{"other":["0123456789abcdef01234567",1]}/"#;
    world.ok(&format!("sed '{reference}' graph.json > reference.json"));
    let transcript = world.pipe(&[
        "forge asset push context-graph Appointments -f reference.json",
        // Nothing is created for it either.
        "forge asset push context-graph Visits -f reference.json --create --apply",
        "forge asset context-graphs | cut -f 2-",
    ]);
    let body = json!({"state_machine_name": "Visits"});
    let path = "organization/service_hierarchical_state_machine";
    world.api.send(Method::POST, path, body).await;
    let empty = world.pipe(&[
        "forge asset versions context-graph Visits",
        "forge asset show context-graph Visits",
        "forge asset push context-graph Visits -f graph.json --apply",
    ]);
    assert_transcript("asset_refused", &format!("{transcript}{empty}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_yanked_in_a_pipe() {
    let world = World::seeded().await;
    let yank = "forge asset yank agent Mira@2";
    let transcript = world.pipe(&[
        &format!("{yank} --reason 'It books on holidays.'"),
        &format!("{yank} --reason 'It books on holidays.' --json"),
        &format!("{yank} --reason 'It books on holidays.' --strict --apply"),
        &format!("{yank} --reason 'It books on holidays.' --apply"),
        &format!("{yank} --reason 'It books on holidays.' --apply"),
        &format!("{yank} --reason 'It books on Sundays.' --apply --json | sed 's/,.references.*//'"),
        "forge asset versions agent Mira | cut -f 1,4-",
        "forge asset show agent Mira@2 | head -6",
        "forge version-set promote 'Dental care' preview release",
        "forge service health 'Dental care' | cut -f 2-5",
        "forge asset unyank agent Mira@2",
        "forge asset unyank agent Mira@2 --apply",
        "forge asset unyank agent Mira@2 --apply",
        "forge asset yank context-graph Appointments@3 --reason 'Not ready.' --apply",
        "forge asset yank agent Mira --reason x",
        "forge asset yank agent Mira@9 --reason x",
        "forge asset yank agent Mira@2",
    ]);
    assert_transcript("asset_yanked_in_a_pipe", &transcript);
}

/// A yank is taken back, replaced or made as it was shown, or not at all.
#[tokio::test(flavor = "multi_thread")]
async fn a_yank_that_was_not_shown_is_left_alone() {
    let world = Arc::new(World::seeded().await);
    let yank = "forge asset yank agent Mira@2 --reason";
    let unyank = "forge asset unyank agent Mira@2 --apply";
    let mut transcript = String::new();
    for (before, command) in [
        (format!("{yank} 'A typo.' --apply"), unyank.to_owned()),
        (
            format!("{yank} 'A typo.' --apply"),
            format!("{yank} 'Two typos.' --apply"),
        ),
        ("true".to_owned(), format!("{yank} 'A typo.' --apply")),
    ] {
        world.ok(unyank);
        world.ok(&before);
        let other = world.clone();
        let meanwhile = move || {
            other.ok(unyank);
            other.ok(&format!("{yank} 'It books on holidays.' --apply"));
        };
        transcript
            .push_str(&world.terminal(&[Typed::new(command).answer_after("[y/N]: ", meanwhile, "y\n")]));
        let shown = world.ok("forge asset versions agent Mira");
        assert!(shown.contains("It books on holidays."), "{transcript}{shown}");
    }
    assert_transcript("asset_yank_conflicts", &transcript);
}

/// Whoever pushes is told what runs the version at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_floats_is_told_before_a_push() {
    let world = World::seeded().await;
    world.ok("forge asset show agent Mira@1 --json > mira.json");
    let push = || {
        let output = world.shell("forge asset push agent Mira -f mira.json");
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(!push().contains("floats"));
    world.ok("forge vs upsert 'Dental care' release --agent-version latest --apply 2> /dev/null");
    world.ok("forge vs upsert 'Eye care' release --context-graph-version latest --apply 2> /dev/null");
    let told = push();
    assert!(
        told.contains("warning: `release` of `Dental care` floats: it runs version 4 as soon as it is there"),
        "{told}"
    );
    assert!(!told.contains("Eye care"), "{told}");
}

/// The answer to a yank, or to taking one back, is lost, and before the call comes again, somebody else undoes it.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_comes_again_leaves_a_later_yank_alone() {
    let mut world = World::seeded().await;
    let yank = "forge asset yank agent Mira@2 --reason 'A typo.' --apply";
    let unyank = "forge asset unyank agent Mira@2 --apply";
    let other = "forge asset yank agent Mira@2 --reason 'It books on holidays.' --apply";
    for (before, call, meanwhile, exit) in [("true", yank, unyank, 0), (yank, unyank, other, 5)] {
        world.ok(before);
        world.lose_an_answer(call, exit, meanwhile);
        let versions = world.ok("forge asset versions agent Mira");
        assert!(!versions.contains("A typo."), "{versions}");
        assert_eq!(
            versions.contains("It books on holidays."),
            exit == 5,
            "{versions}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_seen_and_changed_on_a_terminal() {
    let world = Arc::new(world_with_files().await);
    let asked = "[y/N]: ";
    let other = world.clone();
    let meanwhile = move || {
        other.ok("forge asset push agent Mira -f part.json --apply");
    };
    let push = "forge asset push agent Mira -f next.json --apply";
    let transcript = world.terminal(&[
        Typed::new("forge asset agents"),
        Typed::new("forge asset versions agent Mira --limit 2"),
        Typed::new("forge asset show context-graph Appointments@1"),
        Typed::new("forge asset diff agent Mira @1 @2"),
        Typed::new(push).answer(asked, "n\n"),
        // Somebody else pushes meanwhile.
        Typed::new(push).answer_after(asked, meanwhile, "y\n"),
        Typed::new(push).answer(asked, "y\n"),
        Typed::new("forge asset yank agent Mira@2 --reason 'It books on holidays.' --apply")
            .answer(asked, "\u{3}"),
        Typed::new("forge asset yank agent Mira@2 --reason 'It books on holidays.' --apply --yes"),
        Typed::new("forge asset unyank agent Mira@2 --json --apply").answer(asked, "n\n"),
        Typed::new("forge asset versions agent Mira --limit 3"),
    ]);
    assert_transcript("asset_on_a_terminal", &transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_is_told_so() {
    let mut world = world_with_files().await;
    let user = json!({"first_name": "Ida", "last_name": "Berg", "email": "ida@example.invalid", "role_name": "DefaultUserRole"});
    let user = world.api.send(Method::POST, "user/", user).await;
    let id = user["user_id"]
        .as_str()
        .or(user["id"].as_str())
        .unwrap()
        .to_owned();
    world.set("FORGE_USER_ID", &id);
    let transcript = world.pipe(&[
        "forge asset push agent Mira -f next.json --apply",
        "forge asset push context-graph Appointments -f next-graph.json",
        "forge asset push agent Nora -f same.json --create --apply",
        "forge asset yank agent Mira@2 --reason 'It books on holidays.' --apply",
        "forge service update 'Dental care' --inactive --apply",
    ]);
    assert_transcript("asset_forbidden", &transcript);
}

/// A world with a behavior set that applied twice, in two versions, and one that never did.
async fn world_with_invocations() -> World {
    let world = World::scripted().await;
    let services = world.api.send(Method::GET, "service/", json!({})).await;
    let named = |service: &&serde_json::Value| service["name"] == "Dental care";
    let service = services["services"]
        .as_array()
        .unwrap()
        .iter()
        .find(named)
        .unwrap();
    let version = json!({"conversation_triggers": ["I am angry."], "actions": [
        {"type": "inject-instruction", "instruction": "Stay calm.", "overrides_instructions": false}]});
    let mut sets = Vec::new();
    for name in ["Calm down", "Cheer up"] {
        let mut first = version.clone();
        first["is_active"] = (name == "Calm down").into();
        let body = json!({"name": name, "tags": {}, "applied_to_services": [service["id"]], "initial_version": first});
        let created = world.api.send(Method::POST, "dynamic_behavior_set/", body).await;
        sets.push(created["dynamic_behavior_set_id"].as_str().unwrap().to_owned());
    }
    let start = json!({"service_id": service["id"], "initial_message": "I am angry.",
        "initial_message_type": "user-message"});
    for _ in 0..2 {
        let path = "conversation/?response_format=text";
        world.api.send(Method::POST, path, start.clone()).await;
        let path = "conversation/?is_finished=false";
        let listed = world.api.send(Method::GET, path, json!({})).await;
        let conversation = listed["conversations"][0]["id"].as_str().unwrap();
        let path = format!("conversation/{conversation}/finish/");
        world.api.send(Method::POST, &path, json!({})).await;
        let path = format!("dynamic_behavior_set/{}/version/", sets[0]);
        world.api.send(Method::POST, &path, version.clone()).await;
    }
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn invocations_are_seen_in_a_pipe() {
    let world = world_with_invocations().await;
    let transcript = world.pipe(&[
        "forge asset invocations 'Calm down'",
        "forge asset invocations 'Calm down' --limit 1 --json | cut -c 1-82",
        "forge asset invocations 'Cheer up'",
        "forge asset invocations calm",
        "forge asset invocations 0123456789abcdef01234567",
        "forge asset invocations",
    ]);
    assert_transcript("asset_invocations_in_a_pipe", &transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn invocations_are_seen_on_a_terminal() {
    let world = world_with_invocations().await;
    let transcript = world.terminal(&[
        Typed::new("forge asset invocations 'Calm down' --limit 1"),
        Typed::new("forge asset invocations 'Cheer up'"),
    ]);
    assert_transcript("asset_invocations_on_a_terminal", &transcript);
}
