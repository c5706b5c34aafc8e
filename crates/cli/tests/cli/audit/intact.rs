//! What nobody touched is not called broken.

use forge_testkit::both_engines;
use serde_json::{Value, json};

use super::{Installation, field, verify};
use crate::process::{init, location};

#[both_engines]
async fn an_export_and_the_store_are_intact_as_long_as_nobody_touched_them(database: TestDatabase) {
    let installation = Installation::start(database).await;
    let (export, head) = (installation.get("export").await, installation.get("head").await);
    assert_eq!(export.lines().count(), 6, "five writes and the checkpoint");
    let hash = field(&head, "hash");
    let file = installation.file("export", &export);
    let (code, said) = verify(&[&file]);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains(&format!("acme: intact, 5 entries, head {hash}\n")),
        "{said}"
    );
    assert!(said.contains("note: without"), "{said}");
    assert!(said.contains("checked 1 log, 5 entries in all\n"), "{said}");
    let kept = installation.file("head", &head);
    let key = field(&head, "public_key");
    installation.create_agent("Quin").await;
    for options in [
        vec!["--expect-head", &hash],
        vec!["--checkpoint", &kept],
        vec!["--checkpoint", &file],
        vec![
            "--checkpoint",
            &kept,
            "--public-key",
            &key,
            "--organization",
            "acme",
        ],
    ] {
        let arguments = [vec![file.as_str()], options.clone()].concat();
        assert_eq!(verify(&arguments).0, 0, "{options:?}");
        // The store has grown since, and a server has it open.
        let (code, said) = verify(&installation.store(&options));
        assert_eq!(code, 0, "{options:?}: {said}");
        assert!(
            said.contains("acme: intact, 6 entries") && !said.contains("note"),
            "{said}"
        );
    }
    let store = installation.store(&["--json"]);
    installation.server.stop();
    let (code, said) = verify(&store);
    assert_eq!(code, 0, "{said}");
    let report: Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&report["is_intact"], &report["entries"], &report["first_fault"]),
        (&json!(true), &json!(6), &Value::Null)
    );
}

#[both_engines]
async fn what_cannot_be_checked_is_not_called_broken(database: TestDatabase) {
    let installation = Installation::start(database).await;
    let file = installation.file("export", &installation.get("export").await);
    let nowhere = installation
        .database
        .folder
        .path()
        .join("nowhere")
        .display()
        .to_string();
    init("other", &location(&installation.database));
    let hash = field(&installation.get("head").await, "hash");
    let stranger = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    for (arguments, expected) in [
        (vec![], "name what to look at"),
        (vec![nowhere.clone()], "cannot read"),
        (
            vec![file.clone(), "--data-dir".into(), nowhere.clone()],
            "cannot be used with",
        ),
        (
            vec!["--data-dir".into(), nowhere.clone()],
            "there is no Forge store in",
        ),
        (
            vec![file.clone(), "--expect-head".into(), "abc".into()],
            "64 hexadecimal digits",
        ),
        (
            vec![file.clone(), "--organization".into(), "other".into()],
            "this is the log of `acme`, not of `other`",
        ),
        (
            vec![file.clone(), "--checkpoint".into(), nowhere.clone()],
            "cannot read",
        ),
        (
            vec![
                file.clone(),
                "--checkpoint".into(),
                file.clone(),
                "--public-key".into(),
                stranger.into(),
            ],
            "is not signed by the public key",
        ),
        (
            installation.store(&["--expect-head", &hash]),
            "the store has several logs",
        ),
    ] {
        let (code, said) = verify(&arguments);
        assert_eq!(code, 2, "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
    assert!(!std::path::Path::new(&nowhere).exists(), "nothing was made");
    // Each log of a store has its line.
    let (code, said) = verify(&installation.store(&[]));
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("acme: intact") && said.contains("other: intact, 1 entries"),
        "{said}"
    );
}
