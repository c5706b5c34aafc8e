//! Whoever checks an export by the documentation finds what is there, and nothing else.

use std::path::{Path, PathBuf};
use std::process::Command;

use forge_testkit::{Engine, TestDatabase, agent_version, context_graph_version, service_body};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::process::{Serving, forge, init, location};
use crate::serve::sign_in;

/// Returns the program that the documentation prints.
fn verifier() -> &'static str {
    let docs = include_str!("../../../../docs/api.md");
    let (_, rest) = docs.split_once("This checks an export").unwrap();
    let (_, rest) = rest.split_once("```python\n").unwrap();
    rest.split_once("```").unwrap().0
}

/// A folder with the program in it.
struct Folder {
    path: PathBuf,
}

impl Folder {
    fn new(path: &Path) -> Self {
        std::fs::write(path.join("verify.py"), verifier()).unwrap();
        Self {
            path: path.to_owned(),
        }
    }

    /// Runs the program over an export, and returns whether it found it intact, with all that it said.
    fn check(&self, export: &str) -> (bool, String) {
        std::fs::write(self.path.join("export"), export).unwrap();
        let mut python = Command::new("python3");
        let output = python
            .args(["verify.py", "export"])
            .current_dir(&self.path)
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr]
            .map(|text| String::from_utf8(text).unwrap())
            .concat();
        (output.status.success(), text)
    }
}

async fn send(url: String, method: Method, token: &str, body: impl Into<String>) -> String {
    let request = Client::new()
        .request(method, &url)
        .bearer_auth(token)
        .header("content-type", "application/json")
        .body(body.into());
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{url}: {status} {text}");
    text
}

fn id(answer: &str) -> String {
    let answer: Value = serde_json::from_str(answer).unwrap();
    answer["id"].as_str().unwrap().to_owned()
}

/// Numbers and texts that implementations write in different ways.
const PARAMS: &str = r#"{"small": 1e-7, "edge": [0.0001, 0.00001, 0.000001, 1e15, 1e16, 1e17], "large": 1e21, "one": 1.0,
    "zero": [0, 0.0, -0.0], "whole": [18446744073709551615, -9223372036854775808, 9007199254740993], "most": 5e-324,
    "far": -1.7976931348623157e308, "third": 0.1234567890123456789, "\u00fc\ud83d\ude00\ue000": "\u0001\u007f\u2028\"\\\/\t\u00e9",
    "B": 1, "a": 2}"#;

/// Returns an export with such things in it, and with several changes.
async fn export(database: &TestDatabase) -> String {
    let config = database.folder.path().join("forge.toml");
    std::fs::write(
        &config,
        "[[models.model]]\nname = \"acme_any\"\nprovider = \"acme\"\n",
    )
    .unwrap();
    let mut location = location(database);
    location.extend(["--config".to_owned(), config.display().to_string()]);
    let credentials = init("acme", &location);
    let server = Serving::start(&location);
    let token = sign_in(&server.address, &credentials).await;
    let base = format!("{}/v1/acme", server.address);
    let post = async |path: &str, body: Value| {
        send(format!("{base}/{path}"), Method::POST, &token, body.to_string()).await
    };
    let graphs = "organization/service_hierarchical_state_machine";
    let agent = id(&post("organization/agent", json!({"agent_name": "Mira \u{e9}\u{2028}"})).await);
    let graph = id(&post(graphs, json!({"state_machine_name": "Care"})).await);
    post(&format!("organization/agent/{agent}/"), agent_version()).await;
    post(&format!("{graphs}/{graph}/"), context_graph_version()).await;
    let service = id(&post("service/", service_body("Dental care", &agent, &graph)).await);
    for text in [PARAMS, "{}"] {
        let body = format!(
            r#"{{"version_set": {{"agent_version_number": 1, "service_hierarchical_state_machine_version_number": 1,
                "llm_model_preferences": {{"engage-user": {{"llm_name": "acme_any", "params": {text}}}}}}}}}"#
        );
        send(
            format!("{base}/service/{service}/version_sets/test/"),
            Method::PUT,
            &token,
            body,
        )
        .await;
    }
    let export = send(format!("{base}/audit_event/export"), Method::GET, &token, "").await;
    server.stop();
    export
}

#[tokio::test]
async fn the_printed_verifier_finds_an_intact_log_intact_and_a_broken_one_broken() {
    let database = TestDatabase::start(Engine::Sqlite).await;
    let export = export(&database).await;
    let folder = Folder::new(database.folder.path());
    let lines: Vec<&str> = export.lines().collect();
    let events = lines.len() - 1;
    let (is_intact, said) = folder.check(&export);
    assert!(is_intact, "{said}");
    assert!(
        said.starts_with(&format!("intact: {events} entries, head ")),
        "{said}"
    );
    let numbers = lines.iter().find(|line| line.contains("1e-7")).unwrap();
    for number in [
        "0.00001",
        "1e-6",
        "1000000000000000.0",
        "1e+16",
        "1e+21",
        "1.0",
        "-0.0",
        "18446744073709551615",
    ] {
        assert!(numbers.contains(number), "{number} is not in {numbers}");
    }

    let broken = |what: &str, lines: &[&str], expected: &str| {
        let (is_intact, said) = folder.check(&(lines.join("\n") + "\n"));
        assert!(!is_intact && said.contains(expected), "{what}: {said}");
    };
    let place = lines.iter().position(|line| line.contains("1e-7")).unwrap();
    for (from, to) in [
        ("1e-7", "2e-7"),
        ("-0.0", "0.0"),
        ("\"B\":1", "\"B\":1.0"),
        ("\"a\":2", "\"a\":2,\"a\":2"),
    ] {
        let edited = lines[place].replacen(from, to, 1);
        assert_ne!(edited, lines[place], "{from}");
        let mut all = lines.clone();
        all[place] = &edited;
        broken(
            from,
            &all,
            if from == "\"a\":2" {
                "twice"
            } else {
                "broken: entry"
            },
        );
    }
    broken("a drop", &[&lines[..2], &lines[3..]].concat(), "broken: entry 3");
    broken("no beginning", &lines[1..], "broken: entry 1");
    broken("a cut tail", &lines[..events], "there is no checkpoint");
    broken(
        "a gap before the checkpoint",
        &[&lines[..events - 1], &lines[events..]].concat(),
        "the checkpoint after entry",
    );
    let (is_intact, said) = folder.check("");
    assert!(!is_intact && said.contains("there is no checkpoint"), "{said}");
}

#[test]
fn the_printed_verifier_knows_the_published_vectors() {
    let folder = tempfile::tempdir().unwrap();
    Folder::new(folder.path());
    let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/audit-vectors.json");
    // Texts that are canonical already stay as they are. No event has an integer of more than 64 bits.
    let script = "import json, sys; sys.argv = ['', '/dev/null']\n\
        try: exec(open('verify.py').read())\n\
        except SystemExit: pass\n\
        import hashlib\n\
        for vector in json.load(open(VECTORS, encoding='utf-8'))['values']:\n\
        \x20   for form in ['canonical'] if 'beyond 64 bits' in vector['what'] else ['canonical', 'json']:\n\
        \x20       text = canonical(json.loads(vector[form], parse_int=number, parse_float=number))\n\
        \x20       assert text == vector['canonical'], vector['what']\n\
        \x20   assert hashlib.sha256(text.encode()).hexdigest() == vector['sha256'], vector['what']\n\
        print('all')";
    let script = script.replace("VECTORS", &format!("{vectors:?}"));
    let output = Command::new("python3")
        .args(["-c", &script])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "all\n",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_printed_verifier_and_forge_judge_the_published_exports_alike() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Folder::new(folder.path());
    let vectors: Value = serde_json::from_str(include_str!("../../../../docs/audit-vectors.json")).unwrap();
    for export in vectors["exports"].as_array().unwrap() {
        let lines = export["lines"].as_array().unwrap();
        let lines: Vec<&str> = lines.iter().map(|line| line.as_str().unwrap()).collect();
        let (is_intact, said) = folder.check(&(lines.join("\n") + "\n"));
        assert_eq!(is_intact, export["is_intact"], "{}: {said}", export["what"]);
        let output = forge()
            .args(["audit", "verify"])
            .arg(folder.path.join("export"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.success(), is_intact, "{}: {said}", export["what"]);
    }
}
