//! Streams that cannot be written: a disk that is full, a reader that went away, nothing at all.

use crate::sources::sources;
use crate::world::{World, assert_transcript};

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_told_ends_no_command_in_its_midst() {
    let world = World::seeded().await;
    let push = "forge asset push agent Mira -f - --apply";
    let transcript = world.pipe(&[
        &format!("echo '{{\"initials\": \"MA\"}}' | {push} 2>/dev/full"),
        &format!("echo '{{\"initials\": \"MB\"}}' | {push} 2>&-"),
        "forge vs promote 'Dental care' preview release --apply --quiet 2>/dev/full",
        // It was done, and that is told first.
        &format!("echo '{{\"initials\": \"MC\"}}' | {push} --json >/dev/full"),
        &format!("echo '{{\"initials\": \"MD\"}}' | {push} --json >/dev/full 2>/dev/full"),
        "forge asset versions agent Mira --limit 5 | cut -f 1",
        // What fails does so with its own exit code.
        "forge vs show 'Dental care' nothing 2>/dev/full",
        "forge vs shwo 2>/dev/full",
        "forge help environment >/dev/full",
        "forge asset agents >/dev/full 2>/dev/full",
        "forge --help >/dev/full 2>/dev/full",
        "forge audit export >/dev/full",
        // Nobody reads on.
        "forge audit export | head -n 1 | cut -c 1-14",
        "forge help environment | head -n 1",
    ]);
    assert_transcript("streams", &transcript);
    assert!(!transcript.contains("exit 101") && !transcript.contains("panicked"));
}

/// Macros that end the process with a panic if the stream cannot be written.
const PANICKING: [&str; 5] = ["println!", "print!", "eprintln!", "eprint!", "dbg!"];

#[test]
fn nothing_is_printed_by_macros_that_panic() {
    let sources = sources();
    for (path, text) in &sources {
        let found = PANICKING.iter().find(|name| text.contains(**name));
        assert!(found.is_none(), "{} uses `{}`", path.display(), found.unwrap());
    }
    assert!(sources.len() > 50);
}
