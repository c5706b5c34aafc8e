//! What every command that talks to a server begins with.

use std::sync::Arc;

use forge_app::SystemClock;
use forge_client::{Client, Options, TokenCache};

use crate::change;
use crate::error::{Exit, Failure, Result};
use crate::profile::{Folders, Places, Source};
use crate::ui::Ui;

/// The options of every command that talks to a server.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Common {
    /// Profile to use: `.env.NAME`, here or in the folder of your configuration.
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "FORGE_ENV",
        help_heading = "Common options"
    )]
    pub(crate) env: Option<String>,
    /// Print the document of the API as JSON.
    #[arg(long, global = true, help_heading = "Common options")]
    pub(crate) json: bool,
    /// Tell nothing but data, warnings and errors.
    #[arg(long, short, global = true, help_heading = "Common options")]
    pub(crate) quiet: bool,
}

/// A client of the server that a profile names, and the way to tell what it answers.
pub(crate) struct Session {
    pub(crate) ui: Ui,
    pub(crate) client: Client,
    pub(crate) source: Source,
    /// The profile that was named, if one was.
    env: Option<String>,
}

impl Session {
    /// Returns how to call this program again with the same profile: `forge ARGUMENTS`.
    pub(crate) fn command(&self, arguments: &str) -> String {
        match &self.env {
            Some(name) => format!("forge {arguments} --env {name}"),
            None => format!("forge {arguments}"),
        }
    }
}

impl Common {
    pub(crate) fn ui(&self) -> Ui {
        Ui::new(self.json, self.quiet)
    }

    /// Finds the profile and makes a client of it. Nothing is sent yet.
    pub(crate) fn session(&self) -> Result<Session> {
        let ui = self.ui();
        let places = Places::of_process();
        let profile = places.find(self.env.as_deref())?;
        if let Some(path) = &profile.passed_over {
            ui.warning(&format!("{} win over {}", profile.source, path.display()));
        }
        Ok(Session {
            client: Client::new(profile.credentials, options(&ui, &places.folders))?,
            source: profile.source,
            env: self.env.clone().filter(|name| !name.is_empty()),
            ui,
        })
    }
}

/// Returns how clients of this program work.
pub(crate) fn options(ui: &Ui, folders: &Folders) -> Options {
    let progress = ui.tells_progress().then(|| ui.clone());
    Options {
        clock: Arc::new(SystemClock),
        cache: token_cache(folders),
        user_agent: concat!("forge/", env!("CARGO_PKG_VERSION")).to_owned(),
        on_wait: progress.map(|ui| {
            Arc::new(move |waiting: &forge_client::Waiting| {
                let seconds = waiting.pause.as_secs_f32();
                ui.progress(&format!("{}; again in {seconds:.1} s", waiting.reason));
            }) as _
        }),
    }
}

/// Returns where tokens are kept.
pub(crate) fn token_cache(folders: &Folders) -> Option<TokenCache> {
    let folder = folders.cache.as_ref()?;
    Some(TokenCache::new(folder.join("tokens")))
}

/// Runs a command until it ends or somebody presses Ctrl-C.
pub(crate) async fn interruptible(command: impl Future<Output = Result<Exit>>) -> Result<Exit> {
    tokio::select! {
        // In this order: Ctrl-C is heard from before the command begins.
        biased;
        interrupt = tokio::signal::ctrl_c() => {
            interrupt?;
            let failure = Failure::new(Exit::Interrupted, "interrupted");
            Err(match change::under_way() {
                Some(check) => failure.hint(format!("the change may have been made or not; `{check}` tells")),
                None => failure,
            })
        }
        result = command => result,
    }
}
