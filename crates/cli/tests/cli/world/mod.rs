//! A small world to run commands in: a server with something on it, a user's folders, and a shell.
//!
//! Commands are written as people type them. What they print becomes a transcript, in which everything that differs from
//! run to run is replaced; transcripts are kept in `snapshots` and compared. `INSTA_UPDATE=always` writes them anew.

mod proxy;
mod redact;
mod restarted;
mod seed;
mod shell;
mod terminal;
mod tour;

use std::ops::{Deref, DerefMut};

use forge_testkit::{Engine, TestDatabase};
use serde_json::Value;

use crate::process::{Serving, init};
use tour::Tour;

pub(crate) use proxy::{Loss, Proxy};
pub(crate) use seed::Api;
pub(crate) use shell::Shell;
pub(crate) use terminal::Typed;

/// A server, and somebody who uses it.
pub(crate) struct World {
    pub(crate) address: String,
    /// What identifies the user.
    pub(crate) credentials: Value,
    pub(crate) api: Api,
    shell: Shell,
    /// The server, and what it stands on.
    _server: Box<dyn std::any::Any + Send + Sync>,
}

impl World {
    /// A server with an empty organization, and a user who is not signed in.
    pub(crate) async fn empty() -> Self {
        Self::on(TestDatabase::start(Engine::Sqlite).await).await
    }

    /// A server with services to release whose models answer from the script of the test kit, and a user whose
    /// variables sign in.
    pub(crate) async fn scripted() -> Self {
        Self::scripted_by(SCRIPT).await
    }

    /// The same, with a script of its own.
    pub(crate) async fn scripted_by(answers: &str) -> Self {
        let database = TestDatabase::start(Engine::Sqlite).await;
        script(&database.folder.path().join("data"), answers);
        let mut world = Self::on(database).await;
        world.api.seed().await;
        world.sign_in();
        world
    }

    /// Runs a line whose first answer is lost, while something else happens before it is asked for again, and fails
    /// unless it exits so.
    #[track_caller]
    pub(crate) fn lose_an_answer(&mut self, line: &str, exit: i32, meanwhile: &str) {
        let server = self.address.clone();
        let proxy = Proxy::losing_once(&server, self.later(meanwhile));
        self.set("FORGE_BASE_URL", &proxy.address);
        let output = self.shell(line);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{error}");
        proxy.wait_for_loss();
        self.set("FORGE_BASE_URL", &server);
    }

    async fn on(database: TestDatabase) -> Self {
        let credentials = init("acme", &database.flags);
        let serving = Serving::start_without_rate_limits(&database.flags);
        let mut shell = Shell::new();
        shell.hide(&serving.address, "http://server");
        Self {
            api: Api::sign_in(&serving.address, &credentials).await,
            address: serving.address.clone(),
            credentials,
            shell,
            _server: Box::new((serving, database)),
        }
    }

    /// A server with services to release, and a user whose variables sign in.
    pub(crate) async fn seeded() -> Self {
        let mut world = Self::empty().await;
        world.api.seed().await;
        world.sign_in();
        world
    }

    /// The server of `forge quickstart`, and a user who did what its last lines say.
    pub(crate) fn quickstart() -> Self {
        let tour = Tour::start();
        let credentials = tour.credentials();
        let mut shell = Shell::new();
        shell.hide(&tour.address, "http://server");
        let mut world = Self {
            api: Api::nobody(&tour.address),
            address: tour.address.clone(),
            credentials,
            shell,
            _server: Box::new(tour),
        };
        world.sign_in();
        world
    }

    fn sign_in(&mut self) {
        for (name, value) in self.credentials_as_variables() {
            self.set(&name, &value);
        }
    }

    /// Returns the variables that sign in.
    pub(crate) fn credentials_as_variables(&self) -> Vec<(String, String)> {
        let text = |field: &str| self.credentials[field].as_str().unwrap().to_owned();
        let fields = ["organization_id", "user_id", "api_key_id", "api_key"];
        let variables = fields.map(|field| (format!("FORGE_{}", field.to_uppercase()), text(field)));
        [("FORGE_BASE_URL".to_owned(), self.address.clone())]
            .into_iter()
            .chain(variables)
            .collect()
    }
}

impl Deref for World {
    type Target = Shell;

    fn deref(&self) -> &Shell {
        &self.shell
    }
}

impl DerefMut for World {
    fn deref_mut(&mut self) -> &mut Shell {
        &mut self.shell
    }
}

/// The script of the test kit's servers.
pub(crate) const SCRIPT: &str = include_str!("../../../../testkit/src/script.json");

/// Lets the models of an installation in this folder answer from a script.
pub(crate) fn script(folder: &std::path::Path, script: &str) {
    let config = "[[providers]]\nname = \"aws\"\nkind = \"scripted\"\nscript = \"script.json\"\n\n\
        [runtime]\ndefault_model = \"aws_claude-sonnet-4-6\"\n";
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("forge.toml"), config).unwrap();
    std::fs::write(folder.join("script.json"), script).unwrap();
}

/// Compares a transcript with the one that is kept under this name.
#[track_caller]
pub(crate) fn assert_transcript(name: &str, transcript: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("../snapshots");
    settings.bind(|| insta::assert_snapshot!(name, transcript));
}
