//! `forge audit list` and `forge audit export`

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use crate::help::examples;
use crate::world::{Typed, World, assert_transcript};

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_listed_in_a_pipe() {
    let world = World::seeded().await;
    world.ok("forge vs promote 'Dental care' preview release --apply");
    world.ok("forge vs rollback 'Dental care' --apply");
    let transcript = world.pipe(&[
        "forge audit list --limit 3",
        "forge audit list --json --limit 1 | sed 's/[0-9a-f]\\{64\\}/HASH/g'",
        "forge audit list --action rollback | cut -f 1,4,5",
        "forge audit list --object-kind version_set --after 2 --before 14 | cut -f 1,4,5",
        "forge audit list --actor-kind agent",
        "forge audit list --since 2026-01-01T00:00:00Z --until 2026-01-02T00:00:00Z",
        "forge audit list --actor nobody --object-id nothing",
        "forge audit list --since yesterday",
        "forge audit list --actor-kind robot",
        "FORGE_API_KEY=wrong forge audit list",
    ]);
    assert_transcript("audit_list_in_a_pipe", &transcript);
    let seen = world.terminal(&[Typed::new("forge audit list --limit 2")]);
    assert_transcript("audit_list_on_a_terminal", &seen);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_exported_and_can_be_checked() {
    let world = World::seeded().await;
    let transcript = world.pipe(&[
        "forge audit export | wc -l",
        "forge audit export | tail -n 1 | cut -c 1-40",
        "forge audit export --after 12 | cut -c 1-40",
        "forge audit export -o audit.ndjson",
        "forge audit verify audit.ndjson --checkpoint audit.ndjson --json > report.json && echo intact",
        "forge audit export -o nowhere/audit.ndjson",
        "forge audit export --after 1000 | cut -c 1-20",
        "forge audit export | head -n 1 | cut -c 1-40",
    ]);
    assert_transcript("audit_export", &transcript);
}

/// A server between the client and the real one's answers: it answers this to every request, and hangs up.
fn broken_server(answers: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for answer in answers {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream);
            let mut line = String::new();
            while reader.read_line(&mut line).unwrap() > 2 {}
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_breaks_off_is_a_failure_and_leaves_files_as_they_were() {
    let head = "HTTP/1.1 200 X\r\nConnection: close\r\n";
    let token = r#"{"id_token": "t", "expires_at": "2099-01-01T00:00:00.000Z"}"#;
    let token = format!("{head}Content-Length: {}\r\n\r\n{token}", token.len());
    let event = "{\"sequence\": 1}\n";
    let without_checkpoint = format!("{head}\r\n{event}");
    let cut = format!("{head}Content-Length: 1000\r\n\r\n{event}");
    for broken in [without_checkpoint, cut] {
        let mut world = World::empty().await;
        for (name, value) in world.credentials_as_variables() {
            world.set(&name, &value);
        }
        let address = broken_server(vec![token.clone(), broken.clone(), broken]);
        world.set("FORGE_BASE_URL", &address);
        std::fs::write(world.home().join("audit.ndjson"), "before").unwrap();
        let printed = world.shell("forge audit export");
        assert_eq!(printed.status.code(), Some(1));
        assert_eq!(
            String::from_utf8(printed.stdout).unwrap(),
            event,
            "what came is printed"
        );
        let error = String::from_utf8(printed.stderr).unwrap();
        assert!(
            error.contains("broke off") && error.contains("`--after 1` goes on"),
            "{error}"
        );
        let file = world.shell("forge audit export -o audit.ndjson");
        assert_eq!(file.status.code(), Some(1));
        let error = String::from_utf8(file.stderr).unwrap();
        assert!(error.contains("audit.ndjson was left as it was"), "{error}");
        let kept = std::fs::read_to_string(world.home().join("audit.ndjson")).unwrap();
        assert_eq!(kept, "before");
        assert_eq!(
            std::fs::read_dir(world.home())
                .unwrap()
                .filter(|entry| {
                    entry
                        .as_ref()
                        .unwrap()
                        .file_name()
                        .to_string_lossy()
                        .starts_with(".tmp")
                })
                .count(),
            0,
            "nothing is left behind"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_the_help_work() {
    let world = World::seeded().await;
    for verb in ["list", "export"] {
        let examples = examples(&world.ok(&format!("forge audit {verb} --help")));
        assert_eq!(examples.len(), 3);
        for example in examples {
            world.ok(&format!("set -o pipefail; {example}"));
        }
    }
}
