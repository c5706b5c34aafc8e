//! `forge version-set`

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};

use crate::process::forge;
use crate::world::{Loss, Proxy, Typed, World, assert_transcript};

#[tokio::test(flavor = "multi_thread")]
async fn sets_are_seen_in_a_pipe() {
    let world = World::seeded().await;
    let id = world.ok(
        "forge vs promote 'Dental care' preview test --json | sed 's/.*service_id\":\"\\([^\"]*\\).*/\\1/'",
    );
    let by_id = format!("forge version-set list {} | cut -f 1", id.trim());
    let transcript = world.pipe(&[
        "forge version-set list 'Dental care'",
        "forge vs list 'Eye care' --json",
        &by_id,
        "forge version-set list 0123456789abcdef01234567",
        "forge version-set list dental",
        "forge version-set list Old",
        "forge version-set show 'Dental care' preview",
        "forge version-set show 'Dental care' edge --json",
        "forge version-set show 'Dental care' preview@1",
        "forge version-set show 'Dental care' preview@1 --json",
        "forge version-set show 'Dental care' preview@2",
        "forge version-set show 'Dental care' nothing",
        "forge version-set show 'Dental care' ../preview",
        "forge version-set history 'Dental care' release",
        "forge version-set history 'Dental care' release --json",
        "forge version-set history 'Dental care' nothing",
        "forge version-set models | head -n 2",
        "forge vs models --json | cut -c 1-20",
        "forge version-set list",
    ]);
    assert_transcript("version_set_seen_in_a_pipe", &transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn sets_are_changed_in_a_pipe() {
    let world = World::seeded().await;
    let transcript = world.pipe(&[
        // A plan changes nothing; what was planned is carried out.
        "forge version-set promote 'Dental care' preview release",
        "forge version-set promote 'Dental care' preview release --json",
        "forge version-set promote 'Dental care' preview release --apply --message 'Tried with five patients.'",
        "forge version-set promote 'Dental care' preview release --apply",
        "forge version-set history 'Dental care' release | cut -f 1-5,9",
        // Back, held, and forward again.
        "forge version-set rollback 'Dental care'",
        "forge version-set rollback 'Dental care' --apply --message 'It books on holidays.' --json",
        "forge version-set promote 'Dental care' preview release --apply",
        "forge version-set rollback 'Dental care' --apply",
        "forge version-set release-hold 'Dental care'",
        "forge version-set release-hold 'Dental care' release --apply",
        "forge version-set release-hold 'Dental care' release --apply",
        "forge version-set rollback 'Dental care' release --to 2 --lift-hold --apply",
        // Warnings are told, and refused only if that is asked for.
        "forge version-set upsert 'Dental care' personal-alex --apply",
        "forge version-set promote 'Dental care' personal-alex release --strict --apply",
        "forge version-set promote 'Dental care' personal-alex release --no-freeze",
        // Sets come and go.
        "forge version-set delete 'Dental care' personal-alex",
        "forge version-set delete 'Dental care' personal-alex --apply --quiet",
        "forge version-set delete 'Dental care' personal-alex --apply",
        "forge version-set delete 'Dental care' release --apply",
        "forge version-set history 'Dental care' personal-alex | cut -f 1-4",
        // Several services at once.
        "forge version-set promote --all-services preview release",
        "forge version-set promote --all-services preview release --apply",
        "forge version-set promote --all-services release test --apply --json",
        "forge version-set promote --all-services nothing release",
        "forge version-set promote --all-services release@1 test",
        // What somebody else expects, and the command line.
        "forge version-set promote 'Dental care' preview release --expect-revision 1 --apply",
        "forge version-set promote release",
        "forge version-set promote a b",
        "forge version-set promote 'Dental care' preview 'not a name'",
        "forge version-set promote 'Dental care' nothing release",
        "forge version-set rollback 'Dental care' --yes",
    ]);
    assert_transcript("version_set_changed_in_a_pipe", &transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn pins_are_written_option_by_option() {
    let world = World::seeded().await;
    let pins = r#"{"agent_version_number": 1, "service_hierarchical_state_machine_version_number": null, "llm_model_preferences": {}}"#;
    std::fs::write(world.home().join("pins.json"), pins).unwrap();
    std::fs::write(
        world.home().join("body.json"),
        format!(r#"{{"version_set": {pins}}}"#),
    )
    .unwrap();
    std::fs::write(world.home().join("bad.json"), r#"{"agent_version_number": 1}"#).unwrap();
    let upsert = "forge vs upsert 'Dental care' personal-alex";
    let shown = "forge vs list 'Dental care' | grep personal-alex | cut -f 1-6,13";
    let transcript = world.pipe(&[
        // A new set floats; what is not named is kept.
        upsert,
        &format!("{upsert} --apply && {shown}"),
        &format!("{upsert} --agent-version 2 --apply -m 'a pin' && {shown}"),
        &format!("{upsert} --model engage-user=aws_claude-sonnet-4-6,temperature=0.2 --apply && {shown}"),
        &format!("{upsert} --agent-version latest --context-graph-version 3 --apply && {shown}"),
        &format!("{upsert} --agent-version keep --context-graph-version keep --apply && {shown}"),
        &format!("{upsert} --unset-model engage-user --apply && {shown}"),
        &format!("{upsert} --unset-model engage-user"),
        // Files.
        &format!("{upsert} --from pins.json --apply && {shown}"),
        &format!("{upsert} --from - --context-graph-version 2 --apply < body.json && {shown}"),
        &format!("{upsert} --from bad.json"),
        &format!("{upsert} --from missing.json"),
        // Versions are checked before anything is sent, models by the plan.
        &format!("{upsert} --agent-version 9"),
        &format!("{upsert} --context-graph-version 4"),
        &format!("{upsert} --agent-version newest"),
        &format!(
            "{upsert} --model engage-user=no-such-model --model other=aws_claude-sonnet-4-6,temperature=9"
        ),
        &format!("{upsert} --model engage-user"),
        "forge vs upsert 'Dental care' edge --agent-version 1",
        &format!("{upsert} --agent-version 1 --expect-revision 1"),
    ]);
    assert_transcript("version_set_upsert", &transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn sets_are_seen_and_changed_on_a_terminal() {
    let world = World::seeded().await;
    let asked = "[y/N]: ";
    let transcript = world.terminal(&[
        Typed::new("forge version-set list 'Dental care'"),
        Typed::new("forge version-set show 'Dental care' edge --json"),
        Typed::new("forge version-set show 'Dental care' preview"),
        Typed::new("forge version-set promote 'Dental care' preview release"),
        Typed::new("forge version-set promote 'Dental care' preview release --apply").answer(asked, "n\n"),
        Typed::new("forge version-set promote 'Dental care' preview release --apply").answer(asked, "\u{3}"),
        Typed::new("forge version-set promote 'Dental care' preview release --apply -m 'Tried.'").answer(asked, "y\n"),
        Typed::new("forge version-set rollback 'Dental care' --apply --yes"),
        Typed::new("forge version-set promote 'Dental care' preview release"),
        Typed::new("forge version-set history 'Dental care' release"),
        Typed::new("forge version-set rollback 'Dental care' --to 2 --lift-hold --json --apply").answer(asked, "n\n"),
        Typed::new("forge version-set release-hold 'Dental care' --apply").answer(asked, "yes\n"),
        Typed::new("forge version-set upsert 'Dental care' mine --model engage-user=aws_claude-sonnet-4-6,temperature=0.2"),
        Typed::new("forge version-set upsert 'Dental care' mine --agent-version 9"),
        Typed::new("forge version-set delete 'Dental care' preview"),
        Typed::new("forge version-set promote --all-services release test --apply").answer(asked, "y\n"),
        Typed::new("forge version-set list Old"),
    ]);
    assert_transcript("version_set_on_a_terminal", &transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_before_the_plan_was_seen_is_no_answer() {
    let world = World::seeded().await;
    let promote = "forge version-set promote 'Dental care' preview release --apply";
    // The shell takes the first line; the second is there before the command asks.
    let ahead = Typed::new(format!("printf 'go on: '; read -r; {promote}"))
        .answer("go on: ", "\ny\n")
        .answer("[y/N]: ", "n\n");
    let transcript = world.terminal(&[ahead]);
    assert!(
        transcript.contains("not confirmed; nothing was changed"),
        "{transcript}"
    );
    let history = world.ok("forge version-set history 'Dental care' release");
    assert_eq!(history.lines().count(), 1, "{history}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_moves_while_somebody_thinks_is_a_conflict() {
    let world = Arc::new(World::seeded().await);
    let other = world.clone();
    let meanwhile = move || {
        other.ok("forge vs upsert 'Dental care' preview --agent-version 3 --apply");
    };
    let promote = "forge version-set promote 'Dental care' preview release --apply";
    let transcript = world.terminal(&[Typed::new(promote).answer_after("[y/N]: ", meanwhile, "y\n")]);
    let other = world.clone();
    let meanwhile = move || {
        other.ok("forge vs upsert 'Dental care' preview --agent-version 1 --apply");
    };
    let upsert = "forge version-set upsert 'Dental care' preview --agent-version 2 --apply";
    let second = world.terminal(&[Typed::new(upsert).answer_after("[y/N]: ", meanwhile, "y\n")]);
    assert_transcript("version_set_conflicts", &format!("{transcript}{second}"));
    assert_eq!(
        world.ok("forge vs history 'Dental care' release").lines().count(),
        1
    );
}

/// Two services swap names while somebody thinks: what is changed is called as it was shown.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_called_otherwise_meanwhile_is_left_alone() {
    let world = Arc::new(World::seeded().await);
    let (mut from, mut to) = ("Dental care", "Old care");
    for command in [
        "promote {} preview release",
        "upsert {} preview --agent-version 1",
        "delete {} preview",
    ] {
        let other = world.clone();
        let rename = format!("forge service update '{from}' --name '{to}' --apply");
        let change = format!("forge vs {} --apply", command.replace("{}", &format!("'{from}'")));
        let meanwhile = move || drop(other.ok(&rename));
        let seen = world.terminal(&[Typed::new(change).answer_after("[y/N]: ", meanwhile, "y\n")]);
        assert!(
            seen.contains(&format!("is not called `{from}` any more")),
            "{seen}"
        );
        assert!(seen.contains("exit 5"), "{seen}");
        (from, to) = (to, from);
    }
    let history = |set| {
        world
            .ok(&format!("forge vs history '{from}' {set}"))
            .lines()
            .count()
    };
    assert_eq!((history("release"), history("preview")), (1, 1));
}

/// What is kept is that of the revision that was named, or nothing is written.
#[tokio::test(flavor = "multi_thread")]
async fn a_revision_that_comes_while_another_one_was_read_is_not_undone() {
    let mut world = World::seeded().await;
    let server = world.address.clone();
    let faster = "forge vs upsert 'Dental care' release --context-graph-version 2 --apply";
    let proxy = Proxy::before(&server, "PUT ", world.later(faster));
    world.set("FORGE_BASE_URL", &proxy.address);
    let upsert = "forge vs upsert 'Dental care' release --agent-version 3 --expect-revision 2 --apply";
    let output = world.shell(upsert);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{error}");
    world.set("FORGE_BASE_URL", &server);
    // Whether the other change came or not: nothing of this one did.
    let shown = world.ok("forge vs show 'Dental care' release --json");
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_ne!(shown["agent_version_number"], json!(3), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_at_a_terminal_but_cannot_be_asked_is_not_taken_at_their_silence() {
    let world = World::seeded().await;
    let promote = "forge version-set promote 'Dental care' preview release --apply";
    for elsewhere in [
        "2>told; cat told",
        "2>&1 | cat",
        "< /dev/null",
        "< /dev/null 2>told; cat told",
    ] {
        let seen = world.terminal(&[Typed::new(format!("{promote} {elsewhere}"))]);
        assert!(seen.contains("you cannot be asked here"), "{seen}");
    }
    let history = || world.ok("forge vs history 'Dental care' release").lines().count();
    assert_eq!(history(), 1);
    world.terminal(&[Typed::new(format!("{promote} --yes 2>&1 | cat"))]);
    assert_eq!(history(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_is_told_so() {
    let mut world = World::seeded().await;
    let user = json!({"first_name": "Ida", "last_name": "Berg", "email": "ida@example.invalid", "role_name": "DefaultUserRole"});
    let user = world.api.send(Method::POST, "user/", user).await;
    let id = user["user_id"].as_str().or(user["id"].as_str()).unwrap();
    world.set("FORGE_USER_ID", id);
    let transcript = world.pipe(&["forge version-set promote 'Dental care' preview release --apply"]);
    assert_transcript("version_set_forbidden", &transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_told() {
    let mut world = World::seeded().await;
    world.ok("forge vs list 'Dental care'");
    world.set("FORGE_BASE_URL", "http://127.0.0.1:9");
    let transcript = world.pipe(&["forge version-set list 'Dental care'"]);
    assert_transcript("version_set_no_server", &transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn sets_are_compared() {
    let world = World::seeded().await;
    world.ok("forge vs promote 'Dental care' preview test --apply");
    let models =
        "--model engage-user=aws_claude-sonnet-4-6,temperature=0.2 --model other=aws_claude-sonnet-4-6";
    world.ok(&format!("forge vs upsert 'Dental care' test {models} --apply"));
    let diff = "forge version-set diff 'Dental care'";
    let in_a_pipe = world.pipe(&[
        &format!("{diff} release preview | cut -c 1-70"),
        &format!("{diff} release preview --exit-code > /dev/null"),
        &format!("{diff} test preview"),
        &format!("{diff} test@1 test --json"),
        &format!("{diff} test@1 preview"),
        &format!("{diff} test@1 preview --exit-code --quiet"),
        &format!("{diff} release nothing"),
        &format!("{diff} release release@7"),
        &format!("{diff} release"),
    ]);
    let on_a_terminal = world.terminal(&[
        Typed::new(format!("{diff} preview edge")),
        Typed::new(format!("{diff} test preview --exit-code")),
    ]);
    assert_transcript("version_set_diff", &format!("{in_a_pipe}{on_a_terminal}"));
}

/// What is lifted is the hold that was shown, and no later one.
#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_was_not_shown_is_not_lifted() {
    let world = Arc::new(World::seeded().await);
    world.ok("forge vs promote 'Dental care' preview release --apply");
    world.ok("forge vs rollback 'Dental care' --apply -m 'A typo.'");
    let other = world.clone();
    let meanwhile = move || {
        other.ok("forge vs rollback 'Dental care' --to 1 --apply -m 'It books on holidays.'");
    };
    let release = "forge version-set release-hold 'Dental care' --apply";
    let mut transcript = world.terminal(&[Typed::new(release).answer_after("[y/N]: ", meanwhile, "y\n")]);
    transcript.push_str(&world.pipe(&[release]));
    assert_transcript("version_set_hold_conflicts", &transcript);
}

/// The answer to lifting a hold is lost, and before the call comes again, there is another hold.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_comes_again_lifts_no_later_hold() {
    let mut world = World::seeded().await;
    let release = "forge version-set release-hold 'Dental care' --apply";
    let again = "forge vs rollback 'Dental care' --to 1 --apply -m 'It books on holidays.'";
    for (command, hold, exit) in [
        ("true", Value::Null, 0),
        (again, json!("It books on holidays."), 5),
    ] {
        world.ok("forge vs promote 'Dental care' preview release --lift-hold --apply");
        world.ok("forge vs rollback 'Dental care' --apply -m 'A typo.'");
        world.lose_an_answer(release, exit, command);
        let shown = world.ok("forge vs show 'Dental care' release --json");
        let shown: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(shown["hold"]["reason"], hold);
    }
}

/// The answer to a change is lost: a promotion is sent again and was done once; of a deletion nobody can tell.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_asked_for_again_or_told() {
    let mut world = World::seeded().await;
    let server = world.address.clone();
    let mut transcript = String::new();
    for command in [
        "forge version-set promote 'Dental care' preview release --apply",
        "forge version-set rollback 'Dental care' --apply",
        "forge version-set delete 'Dental care' preview --apply",
    ] {
        let proxy = Proxy::start(&server, Loss::Once);
        world.set("FORGE_BASE_URL", &proxy.address);
        world.hide(&proxy.address, "http://proxy");
        transcript.push_str(&world.pipe(&[command]));
        proxy.wait_for_loss();
    }
    transcript.push_str(&world.pipe(&["forge version-set history 'Dental care' release | cut -f 1-4"]));
    assert_transcript("version_set_lost_answers", &transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_interrupts_a_change_is_told_how_to_see_what_became_of_it() {
    let mut world = World::seeded().await;
    let proxy = Proxy::start(&world.address, Loss::Forever);
    world.set("FORGE_BASE_URL", &proxy.address);
    world.hide(&proxy.address, "http://proxy");
    let promote = "forge version-set promote 'Dental care' preview release --apply";
    let typed = Typed::new(promote).answer("[y/N]: ", "y\n").answer_after(
        "[y/N]: y",
        move || proxy.wait_for_loss(),
        "\u{3}",
    );
    let transcript = world.terminal(&[typed]);
    assert_transcript("version_set_interrupted", &transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_is_no_error() {
    let world = World::seeded().await;
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = forge()
        .args(["version-set", "list", "Dental care"])
        .env("HOME", world.home())
        .envs(world.credentials_as_variables())
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_is_not_made_by_a_slip() {
    let world = World::seeded().await;
    let transcript = world.pipe(&[
        "forge vs promote 'Dental care' preview relaese",
        "forge vs promote 'Dental care' preview relaese --apply",
        "forge vs promote 'Dental care' preview relaese --json 2> /dev/null",
        "forge vs upsert 'Dental care' relaese --create --json 2> /dev/null",
        "forge vs promote --all-services preview relaese --json 2> /dev/null | grep -o similar_name",
        "forge vs promote --all-services release preveiw --apply",
        "forge vs upsert 'Dental care' realease --agent-version 1 --apply",
        // A set that others have may be meant where it is not.
        "forge vs upsert 'Eye care' perview --apply",
        "forge vs upsert 'Eye care' preview --apply",
        "forge vs list 'Dental care' | cut -f 1",
        "forge vs upsert 'Dental care' relaese --create",
        "forge vs upsert 'Dental care' relaese --create --strict --apply",
        "forge vs promote 'Dental care' preview relaese --create --apply",
        // Once it is there, it is known.
        "forge vs promote 'Dental care' preview relaese --apply",
        "forge vs upsert 'Dental care' pr-1 --apply && forge vs upsert 'Dental care' pr-2 --apply",
        "forge service create --name 'Dental car' --agent Mira --context-graph Appointments --description 'Answers.'",
    ]);
    assert_transcript("version_set_slips", &transcript);
}
