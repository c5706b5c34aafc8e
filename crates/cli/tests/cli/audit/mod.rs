//! `forge audit`

mod export;
mod intact;
mod store;

use std::path::PathBuf;

use forge_testkit::{Engine, TestDatabase};
use reqwest::Client;
use serde_json::{Value, json};

use crate::process::{Serving, forge, init, location};
use crate::serve::sign_in;

/// Runs `forge audit verify`, and returns its exit code with all that it said.
#[track_caller]
fn verify<S: AsRef<str>>(arguments: &[S]) -> (i32, String) {
    let arguments = arguments.iter().map(AsRef::as_ref);
    let output = forge()
        .args(["audit", "verify"])
        .args(arguments)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr]
        .map(|text| String::from_utf8(text).unwrap())
        .concat();
    (output.status.code().unwrap(), text)
}

/// A server of `acme`, somebody signed in there, and something in its log.
struct Installation {
    database: TestDatabase,
    server: Serving,
    token: String,
}

impl Installation {
    async fn start(database: TestDatabase) -> Self {
        let location = location(&database);
        let credentials = init("acme", &location);
        let server = Serving::start(&location);
        let token = sign_in(&server.address, &credentials).await;
        let installation = Self {
            database,
            server,
            token,
        };
        for name in ["Mira", "Noor", "Otto", "Pia"] {
            installation.create_agent(name).await;
        }
        installation
    }

    async fn create_agent(&self, name: &str) {
        let url = format!("{}/v1/acme/organization/agent", self.server.address);
        let request = Client::new()
            .post(url)
            .bearer_auth(&self.token)
            .json(&json!({"agent_name": name}));
        assert_eq!(request.send().await.unwrap().status(), 201);
    }

    async fn get(&self, path: &str) -> String {
        let url = format!("{}/v1/acme/audit_event/{path}", self.server.address);
        let answer = Client::new()
            .get(url)
            .bearer_auth(&self.token)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    }

    /// Writes a file, and returns its path.
    fn file(&self, name: &str, text: &str) -> String {
        let path: PathBuf = self.database.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// Returns the options that name the store, and some more.
    fn store(&self, more: &[&str]) -> Vec<String> {
        self.database
            .flags
            .iter()
            .cloned()
            .chain(more.iter().map(|text| (*text).to_owned()))
            .collect()
    }

    /// Changes the log as somebody could who has the database.
    async fn tamper(&self, sql: &str) {
        let lock = match self.database.engine {
            Engine::Sqlite => {
                "DROP TRIGGER IF EXISTS audit_event_no_update; DROP TRIGGER IF EXISTS audit_event_no_delete"
            }
            Engine::Postgres => "ALTER TABLE audit_event DISABLE TRIGGER ALL",
        };
        for statement in lock.split("; ") {
            self.database.tamper(statement).await;
        }
        self.database.tamper(sql).await;
    }
}

fn field(text: &str, name: &str) -> String {
    let value: Value = serde_json::from_str(text).unwrap();
    value[name].as_str().unwrap().to_owned()
}
