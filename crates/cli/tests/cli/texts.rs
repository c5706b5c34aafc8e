//! Texts of others: what is reviewed is what is there.

use reqwest::Method;
use serde_json::json;

use crate::world::{World, assert_transcript};

/// Characters that are not seen, or reorder what is seen.
const HIDDEN: [char; 6] = [
    '\u{202e}',
    '\u{202c}',
    '\u{200b}',
    '\u{2028}',
    '\u{feff}',
    '\u{e0041}',
];

/// A world in which somebody hides something wherever they can write.
async fn world() -> World {
    let world = World::seeded().await;
    let service = world.ok("forge service list | grep 'Dental care' | cut -f 1");
    let service = format!("service/{}/", service.trim());
    let message = "reviewed \u{202e}esaeler\u{202c}\u{2028}and approved";
    let hold = json!({"source": "preview", "message": message});
    let path = format!("{service}version_sets/release/promote");
    world.api.send(Method::POST, &path, hold).await;
    let description = json!({"description": "Answers\u{200b} patients.\u{e0041}"});
    world.api.send(Method::POST, &service, description).await;
    world.ok("forge asset show agent Mira --json > same.json");
    let document = std::fs::read_to_string(world.home().join("same.json")).unwrap();
    let mut document: serde_json::Value = serde_json::from_str(&document).unwrap();
    document["background"] = json!("Never\u{202e} gives advice.\u{202c}\u{feff}");
    std::fs::write(world.home().join("next.json"), document.to_string()).unwrap();
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_hidden_in_a_text_is_shown() {
    let world = world().await;
    let commands = [
        "forge service show 'Dental care' | grep description",
        "forge service show 'Dental care' --json | grep -o 'Answers[^.]*.......'",
        "forge vs history 'Dental care' release --limit 1 | tail -1 | cut -f 9",
        "forge vs history 'Dental care' release --limit 1 --json | grep -o 'reviewed.*approved'",
        "forge asset push agent Mira -f next.json | grep -o 'Never.*'",
        "forge asset push agent Mira -f next.json --json | grep -o 'Never.*' | sed 's/\"}.*//'",
    ];
    let transcript = world.pipe(&commands);
    assert_transcript("texts_in_a_pipe", &transcript);
    for command in [
        "forge service list",
        "forge service show 'Dental care'",
        "forge service show 'Dental care' --json",
        "forge vs history 'Dental care' release",
        "forge vs history 'Dental care' release --json",
        "forge vs show 'Dental care' release",
        "forge asset push agent Mira -f next.json",
        "forge asset push agent Mira -f next.json --json",
        "forge asset push agent 'M\u{202e}ira' -f next.json",
        "forge vs list 'M\u{202e}ira'",
        "forge export && cat acme/forge.json && forge apply -f acme",
    ] {
        for seen in [world.seen(command), world.pipe(&[command])] {
            let seen = seen.replace(command, "");
            let found = HIDDEN.iter().find(|c| seen.contains(**c));
            assert_eq!(found, None, "{command}: {seen}");
        }
    }
    // The order in which a terminal shows a plan is the order of what is there.
    let seen = world.seen("forge vs show 'Dental care' release");
    assert!(seen.contains("reviewed \\u{202e}esaeler\\u{202c}"), "{seen}");
}
