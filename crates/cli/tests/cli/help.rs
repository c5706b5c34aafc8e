//! Help, topics, completions and manual pages.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::sources::sources_below;
use crate::world::{Typed, World, assert_transcript};

#[tokio::test(flavor = "multi_thread")]
async fn help_is_told() {
    let world = World::empty().await;
    let transcript = world.pipe(&[
        "forge --help",
        "forge help version-set",
        "forge help vs promote",
        "forge help service",
        "forge service health --help",
        "forge help asset",
        "forge asset push --help",
        "forge version-set upsert --help",
        "forge help exit-codes",
        "forge help environment",
        "forge help nonsense",
        "forge version-sets",
        "forge completions powershell",
    ]);
    assert_transcript("help", &transcript);
}

/// Every example that a command's help shows does what it says.
///
/// Others may come before it; each verb begins anew.
#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_the_help_work() {
    let mut commands = BTreeSet::new();
    for noun in ["version-set", "service", "asset", "auth"] {
        let world = World::seeded().await;
        world.ok("forge vs upsert 'Dental care' personal-alex --apply");
        world.ok("forge auth login --env staging");
        world
            .api
            .send(Method::POST, "dynamic_behavior_set/", behavior_set())
            .await;
        for verb in verbs(&world, noun) {
            let examples = examples(&world.ok(&format!("forge {noun} {verb} --help")));
            assert!(!examples.is_empty(), "{noun} {verb} has no examples");
            for example in &examples {
                world.ok(example);
                commands.insert(format!("{noun} {verb}"));
            }
        }
    }
    assert!(commands.len() >= 25, "{commands:?}");
}

/// Returns the body that creates the behavior set which examples are about.
fn behavior_set() -> Value {
    json!({"name": "Calm down", "tags": {}, "applied_to_services": [], "initial_version": {
        "is_active": true, "conversation_triggers": ["The user is angry."], "actions": []}})
}

fn verbs(world: &World, noun: &str) -> Vec<String> {
    let help = world.ok(&format!("forge {noun} --help"));
    let (_, rest) = help.split_once("Commands:\n").unwrap();
    let (list, _) = rest.split_once("\n\n").unwrap();
    let verb = |line: &str| line.split_whitespace().next().unwrap().to_owned();
    list.lines().map(verb).collect()
}

/// Returns the lines of the examples; they end with an empty line.
pub(crate) fn examples(help: &str) -> Vec<String> {
    let Some((_, rest)) = help.split_once("Examples:\n") else {
        return Vec::new();
    };
    let lines = rest.lines().take_while(|line| line.starts_with("  "));
    lines.map(|line| line.trim().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn shells_accept_their_completions_and_every_command_has_a_page() {
    let world = World::empty().await;
    world.ok("mkdir -p .local/share/bash-completion/completions .zfunc .config/fish/completions");
    for example in examples(&world.ok("forge completions --help")) {
        world.ok(&example);
    }
    world.ok("bash -n .local/share/bash-completion/completions/forge");
    // bash completes `forge version-set pro` to `promote`.
    let completed = world.ok(
        "source .local/share/bash-completion/completions/forge; COMP_WORDS=(forge version-set pro); COMP_CWORD=2; \
         _forge forge pro version-set; echo ${COMPREPLY[@]}",
    );
    assert_eq!(completed, "promote\n");
    let zsh = std::fs::read_to_string(world.home().join(".zfunc/_forge")).unwrap();
    assert!(zsh.starts_with("#compdef forge") && zsh.contains("release-hold"));
    let fish = std::fs::read_to_string(world.home().join(".config/fish/completions/forge.fish")).unwrap();
    assert!(fish.contains("complete -c forge") && fish.contains("release-hold"));
    for example in examples(&world.ok("forge man --help")) {
        world.ok(&example);
    }
    let pages = world.ok("ls .local/share/man/man1");
    for page in [
        "forge.1",
        "forge-version-set-promote.1",
        "forge-auth-login.1",
        "forge-serve.1",
    ] {
        assert!(pages.lines().any(|found| found == page), "{pages}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn colours_are_for_terminals_that_want_them() {
    let mut world = World::seeded().await;
    let list = || [Typed::new("forge version-set list 'Dental care'")];
    assert!(world.terminal(&list()).contains('␛'));
    world.set("TERM", "dumb");
    assert!(!world.terminal(&list()).contains('␛'));
    world.set("TERM", "xterm");
    world.set("NO_COLOR", "1");
    assert!(!world.terminal(&list()).contains('␛'));
}

#[test]
fn every_transcript_that_is_kept_is_compared() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli");
    let files = sources_below(std::path::Path::new(folder));
    let (kept, sources): (Vec<_>, Vec<_>) = files.iter().partition(|(path, _)| path.starts_with("snapshots"));
    assert!(!kept.is_empty());
    for (path, _) in kept {
        let name = format!("\"{}\"", path.file_stem().unwrap().to_str().unwrap());
        assert!(
            sources.iter().any(|(_, source)| source.contains(&name)),
            "nothing compares {}",
            path.display()
        );
    }
}
