//! `forge watch`

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::Arc;

use serde_json::Value;

use crate::help::examples;
use crate::process::forge;
use crate::world::{Typed, World, assert_transcript};

/// A running `forge watch` that is connected.
struct Watching {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watching {
    fn start(world: &World, arguments: &[&str]) -> Self {
        let mut child = forge()
            .arg("watch")
            .args(arguments)
            .env("HOME", world.home())
            .envs(world.credentials_as_variables())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert_eq!(line, "following the changes of `acme`; Ctrl-C ends it\n");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn line(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }

    /// Presses Ctrl-C and returns the exit code.
    fn interrupt(mut self) -> i32 {
        let process = self.child.id().to_string();
        let status = std::process::Command::new("kill")
            .args(["-INT", &process])
            .status();
        assert!(status.unwrap().success());
        assert!(self.lines.next().is_none(), "nothing more is printed");
        self.child.wait().unwrap().code().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_told_as_they_happen() {
    let world = World::seeded().await;
    let mut all = Watching::start(&world, &[]);
    let mut eye = Watching::start(&world, &["Eye care", "--json"]);
    world.ok("forge vs promote 'Dental care' preview release --apply -m 'not told here'");
    world.ok("forge vs upsert 'Eye care' preview --agent-version 2 --apply");
    let (first, second) = (all.line(), all.line());
    let fields = |line: &str| line.split('\t').map(str::to_owned).collect::<Vec<_>>();
    let (first, second) = (fields(&first), fields(&second));
    assert_eq!(
        (&first[2..4], &first[5]),
        (
            &["promote".to_owned(), "version_set".to_owned()][..],
            &"2".to_owned()
        )
    );
    assert!(first[4].ends_with("/release") && second[4].ends_with("/preview"));
    assert_eq!(
        second[0].parse::<i64>().unwrap(),
        first[0].parse::<i64>().unwrap() + 1
    );
    assert_eq!(first[7], "key");
    let told: Value = serde_json::from_str(&eye.line()).unwrap();
    assert_eq!(told["sequence"].to_string(), second[0]);
    assert_eq!(told["events"][0]["version_set_name"], "preview");
    // Behind the first, there is the second.
    let mut again = Watching::start(&world, &["--after", &first[0]]);
    assert_eq!(fields(&again.line()), second);
    for watching in [all, eye, again] {
        assert_eq!(watching.interrupt(), 130);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn watching_is_seen_in_a_pipe() {
    let world = World::seeded().await;
    let transcript = world.pipe(&[
        "forge watch --after 0 | head -n 12",
        "forge watch --after 0 --json --quiet | head -n 1",
        "forge watch Nose",
        "forge watch --after 1000",
        "forge watch --after -1",
        "FORGE_API_KEY=wrong forge watch",
        "FORGE_BASE_URL=http://127.0.0.1:9 forge watch",
    ]);
    assert_transcript("watch_in_a_pipe", &transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn watching_is_seen_on_a_terminal() {
    let world = Arc::new(World::seeded().await);
    let other = world.clone();
    let meanwhile = move || {
        other.ok("forge vs promote 'Dental care' preview release --apply");
    };
    let transcript = world.terminal(&[
        Typed::new("forge watch --after 13").answer("by ", "\u{3}"),
        Typed::new("forge watch")
            .answer_after("Ctrl-C ends it", meanwhile, "")
            .answer("by ", "\u{3}"),
        Typed::new("forge watch --json --after 14").answer("sequence", "\u{3}"),
    ]);
    assert_transcript("watch_on_a_terminal", &transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_the_help_work() {
    let world = World::seeded().await;
    let examples = examples(&world.ok("forge watch --help"));
    let (limited, endless): (Vec<_>, Vec<_>) = examples.into_iter().partition(|line| line.contains("head"));
    assert_eq!((limited.len(), endless.len()), (1, 2));
    assert_eq!(world.ok(&limited[0]).lines().count(), 3);
    for line in endless {
        let seen = world.terminal(&[Typed::new(line).answer("Ctrl-C ends it", "\u{3}")]);
        assert!(seen.contains("exit 130"), "{seen}");
    }
}
