//! What nobody should have to trust: servers that answer anything, and files that are none.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

use crate::world::{Shell, World, assert_transcript};

const KEY: &str = "the-key-of-the-user";

/// A server that gives every request the same answer.
fn serve(status: u16, body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // Whoever hangs up has read enough.
            let _ = answer(stream.unwrap(), status, &body);
        }
    });
    address
}

fn answer(mut stream: TcpStream, status: u16, body: &str) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = String::new();
    while reader.read_line(&mut head)? > 2 {}
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// A user of such a server.
fn user_of(address: &str) -> Shell {
    let mut shell = Shell::new();
    shell.hide(address, "http://server");
    for (name, value) in [
        ("BASE_URL", address),
        ("ORGANIZATION_ID", "acme"),
        ("USER_ID", "u"),
        ("API_KEY_ID", "k"),
        ("API_KEY", KEY),
    ] {
        shell.set(&format!("FORGE_{name}"), value);
    }
    shell
}

#[test]
fn what_a_server_says_is_told_within_reason_and_never_the_key() {
    let mut transcript = String::new();
    for (status, body) in [
        (401, format!(r#"{{"detail": "the key {KEY} is not known"}}"#)),
        (500, format!(r#"{{"detail": "{}"}}"#, "x".repeat(900_000))),
        (403, format!(r#"{{"detail": "{}"}}"#, "x".repeat(3_000_000))),
        (200, format!(r#""{KEY}""#)),
    ] {
        let shell = user_of(&serve(status, body));
        let told = shell.pipe(&["forge version-set list 'Dental care'", "forge auth status --json"]);
        assert!(!told.contains(KEY), "{told}");
        transcript.push_str(&told.replace(&"x".repeat(100), "(100 x)"));
    }
    assert_transcript("untrusted_server", &transcript);
}

/// Reading ends, whatever was named.
#[tokio::test(flavor = "multi_thread")]
async fn files_that_have_no_end_are_not_read() {
    let world = World::seeded().await;
    world.ok("mkfifo pipe; echo mine > mine; ln -s mine link; truncate -s 65M large.json");
    let transcript = world.pipe(&[
        "forge asset push agent Mira -f pipe",
        "forge asset push agent Mira -f /dev/zero",
        "forge asset push agent Mira -f large.json",
        "forge asset push agent Mira -f - < /dev/zero",
        "forge vs upsert 'Dental care' preview --from <(echo '{}')",
        "forge vs upsert 'Dental care' preview --from .",
        "forge auth login --base-url $FORGE_BASE_URL --organization acme --user u --api-key-id k < /dev/zero",
        "forge serve --config pipe",
        "forge init --organization acme --data-dir data --master-key-file pipe; ls data",
        "forge audit verify pipe; forge audit verify /dev/zero; forge audit verify large.json --checkpoint pipe",
        // Nor is anything written over that is no file, nor through a link.
        "forge audit export -o link; forge audit export -o pipe; cat mine; ls -F link pipe",
        "mkdir man; ln -s $PWD/mine man/forge.1; forge man man; cat mine",
        "forge sim run smoke --wait --junit link; cat mine",
    ]);
    assert_transcript("untrusted_files", &transcript);
}
