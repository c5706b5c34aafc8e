//! What every command that talks to a server begins with.

use std::sync::Arc;

use forge_client::{Bounds, Client, Options, SystemClock, TokenCache};

use crate::error::{Exit, Failure, Result};
use crate::profile::{Folders, Places, Source};
use crate::ui::Ui;
use crate::under_way;

/// The options of every command that talks to a server.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Common {
    /// Profile to use, whatever variables are set: `.env.NAME`, here or in the folder of your configuration.
    #[arg(long, global = true, value_name = "NAME", help_heading = "Common options")]
    pub(crate) env: Option<String>,
    /// Print the document of the API as JSON.
    #[arg(long, global = true, help_heading = "Common options")]
    pub(crate) json: bool,
    /// Tell nothing but data, warnings and errors.
    #[arg(long, short, global = true, help_heading = "Common options")]
    pub(crate) quiet: bool,
}

/// The same options before the command.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct EarlyCommon {
    /// Profile to use, whatever variables are set: `.env.NAME`, here or in the folder of your configuration.
    #[arg(
        long = "env",
        id = "early_env",
        value_name = "NAME",
        help_heading = "Common options"
    )]
    env: Option<String>,
    /// Print the document of the API as JSON.
    #[arg(long = "json", id = "early_json", help_heading = "Common options")]
    json: bool,
    /// Tell nothing but data, warnings and errors.
    #[arg(
        long = "quiet",
        id = "early_quiet",
        short = 'q',
        help_heading = "Common options"
    )]
    quiet: bool,
}

impl EarlyCommon {
    /// Adds these options to those behind the command; nothing takes them if the command talks to no server.
    pub(crate) fn add_to(self, common: Option<&mut Common>) -> Result<()> {
        let usage = |text: &str| Err(Failure::new(Exit::Usage, text));
        let Some(common) = common else {
            return match self {
                Self {
                    env: None,
                    json: false,
                    quiet: false,
                } => Ok(()),
                _ => usage(
                    "the options before the command are for commands that talk to a server; this one does not",
                ),
            };
        };
        if self.env.is_some() && common.env.is_some() {
            return usage("`--env` is there twice, before the command and behind it");
        }
        common.env = common.env.take().or(self.env);
        common.json |= self.json;
        common.quiet |= self.quiet;
        Ok(())
    }
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

    /// Returns the organization, and the address of the server.
    pub(crate) fn place(&self) -> String {
        let credentials = self.client.credentials();
        format!("`{}` at {}", credentials.organization_id, credentials.base_url)
    }

    /// Says where a plan would be carried out, before anything of it is shown.
    pub(crate) fn show_place(&self) {
        self.ui.note(&format!("in {}:", self.place()));
    }
}

impl Common {
    pub(crate) fn ui(&self) -> Ui {
        Ui::new(self.json, self.quiet)
    }

    /// Finds the profile and makes a client of it.
    ///
    /// Nothing is sent yet.
    pub(crate) fn session(&self) -> Result<Session> {
        let ui = self.ui();
        let places = Places::of_process();
        let profile = places.find(self.env.as_deref())?;
        let client = Client::new(profile.credentials, options(&ui, &places.folders));
        let client = client.map_err(|error| Failure {
            exit: Exit::NotPermitted,
            ..Failure::from(error).hint(format!("it comes from {}", profile.source))
        })?;
        Ok(Session {
            client,
            source: profile.source,
            env: profile.name,
            ui,
        })
    }
}

/// Returns how clients of this program work.
pub(crate) fn options(ui: &Ui, folders: &Folders) -> Options {
    let progress = ui.shows_progress().then(|| ui.clone());
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
        bounds: Bounds::default(),
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
            Err(match under_way::hint() {
                Some(hint) => failure.hint(hint),
                None => failure,
            })
        }
        result = command => result,
    }
}
