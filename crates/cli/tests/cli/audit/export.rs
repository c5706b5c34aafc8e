//! What was done to an export is found.

use forge_testkit::both_engines;
use serde_json::{Value, json};

use super::{Installation, field, verify};

#[both_engines]
async fn whatever_is_done_to_an_export_is_found(database: TestDatabase) {
    let installation = Installation::start(database).await;
    let (export, head) = (installation.get("export").await, installation.get("head").await);
    let lines: Vec<&str> = export.lines().collect();
    let broken = |what: &str, lines: Vec<&str>, options: &[&str], expected: &str| {
        let text: String = lines.iter().flat_map(|line| [*line, "\n"]).collect();
        let file = installation.file("broken", &text);
        let (code, said) = verify(&[&[file.as_str()], options].concat());
        assert_eq!(code, 1, "{what}: {said}");
        assert!(said.contains(expected), "{what}: {said}");
    };
    let edited = lines[2].replace("Noor", "Nora");
    broken(
        "an edit",
        [&lines[..2], &[edited.as_str()], &lines[3..]].concat(),
        &[],
        "entry 3 was edited",
    );
    let forged = {
        let mut line: Value = serde_json::from_str(&edited).unwrap();
        let text = line.to_string();
        let Ok(forge_wire::audit::Line::Event(event)) = forge_wire::audit::parse_line(text.as_bytes()) else {
            panic!("{text}")
        };
        line["hash"] = json!(event.0.hash());
        line.to_string()
    };
    broken(
        "an edit with its hash",
        [&lines[..2], &[forged.as_str()], &lines[3..]].concat(),
        &[],
        "the entry before entry 4 is not the one",
    );
    broken(
        "a drop",
        [&lines[..2], &lines[3..]].concat(),
        &[],
        "entry 3 is missing before entry 4",
    );
    broken(
        "a drop of the first",
        lines[1..].to_vec(),
        &[],
        "entry 1 is missing before entry 2",
    );
    let mut swapped = lines.clone();
    swapped.swap(1, 2);
    broken("a swap", swapped, &[], "entry 2 is missing before entry 3");
    broken(
        "a repetition",
        [&lines[..3], &lines[2..]].concat(),
        &[],
        "entry 3 stands where entry 4 is due",
    );
    broken(
        "an insertion",
        [&lines[..2], &["{}"], &lines[2..]].concat(),
        &[],
        "in the place of entry 3",
    );
    let half = &lines[4][..lines[4].len() / 2];
    broken(
        "a torn end",
        [&lines[..4], &[half]].concat(),
        &[],
        "in the place of entry 5",
    );
    // The checkpoint of the export itself misses what is gone before it; without it, something else has to.
    broken(
        "a gap before the checkpoint",
        [&lines[..4], &lines[5..]].concat(),
        &[],
        "the checkpoint after entry 4",
    );
    let cut = lines[..4].to_vec();
    let file = installation.file("cut", &(cut.join("\n") + "\n"));
    let (kept, hash) = (installation.file("head", &head), field(&head, "hash"));
    let key = field(&head, "public_key");
    // An export that does not end with its checkpoint broke off, or was cut: also right at its end, and to nothing.
    for options in [vec![], vec!["--public-key", &key]] {
        broken(
            "a cut tail",
            cut.clone(),
            &options,
            "ends after entry 4 without its signed checkpoint",
        );
        broken(
            "no checkpoint",
            lines[..5].to_vec(),
            &options,
            "ends after entry 5 without its signed checkpoint",
        );
        broken("nothing", vec![], &options, "there is no entry");
    }
    let (code, said) = verify(&[&file, &installation.file("whole", &export)]);
    assert_eq!(code, 1, "{said}");
    for options in [["--expect-head", hash.as_str()], ["--checkpoint", &kept]] {
        broken("a cut tail", cut.clone(), &options, "the log ends after entry 4");
    }
    let stranger = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    broken(
        "another key",
        lines.clone(),
        &["--public-key", stranger],
        "is not signed by the public key",
    );
    let renamed = lines[5].replace("\"kid\":\"", "\"kid\":\"x");
    broken(
        "an edited checkpoint",
        [&lines[..5], &[renamed.as_str()]].concat(),
        &["--public-key", &key],
        "is not signed by the public key",
    );
}

#[both_engines]
async fn an_export_goes_on_where_another_one_ended(database: TestDatabase) {
    let installation = Installation::start(database).await;
    let first = installation.file("first", &installation.get("export").await);
    installation.create_agent("Quin").await;
    let rest = installation.file("rest", &installation.get("export?after_sequence=5").await);
    let (code, said) = verify(&[&first, &rest]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("6 entries"), "{said}");
    for wrong in [vec![&rest], vec![&rest, &first]] {
        assert_eq!(verify(&wrong).0, 1);
    }
}
