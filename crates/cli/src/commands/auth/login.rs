//! `forge auth login`

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use forge_client::{Client, Credentials};

use crate::error::{Exit, Failure, Result};
use crate::finder::joined;
use crate::input;
use crate::profile::{self, Places};
use crate::session::{Common, options};
use crate::ui::Ui;

/// Sign in, and keep the credentials as a profile.
///
/// The profile is a file that only you can read. Without options, the variables FORGE_… are taken if they are set; else you are asked. The secret is never an option,
/// because others can see those: it is asked for, or read from stdin.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge auth login\n  forge auth login --env staging\n  \
    forge auth login --base-url \"$FORGE_BASE_URL\" --organization acme --user \"$FORGE_USER_ID\" \
    --api-key-id \"$FORGE_API_KEY_ID\" <<< \"$FORGE_API_KEY\""
)]
pub(crate) struct Args {
    /// Address of the server.
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// Id of the organization.
    #[arg(long, value_name = "ID")]
    organization: Option<String>,
    /// Id of the user.
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// Id of the API key.
    #[arg(long, value_name = "ID")]
    api_key_id: Option<String>,
}

impl Args {
    fn is_empty(&self) -> bool {
        let options = [&self.base_url, &self.organization, &self.user, &self.api_key_id];
        options.iter().all(|option| option.is_none())
    }
}

pub(crate) async fn run(common: &Common, args: Args) -> Result<Exit> {
    let ui = common.ui();
    let places = Places::of_process();
    let name = places.name(common.env.as_deref())?;
    let Some(folder) = places.folders.configuration.clone() else {
        return Err(no_folder());
    };
    let variables = if args.is_empty() {
        places.variables()?
    } else {
        None
    };
    let credentials = match variables {
        Some(credentials) => credentials,
        None => asked(&ui, args).await?,
    };
    if let Some(bad) = unwritable(&credentials) {
        return Err(Failure::failed(format!(
            "the {bad} has a character that cannot be part of it"
        )));
    }
    // Only what the server accepts is kept.
    let client = Client::new(credentials, options(&ui, &places.folders))?;
    client.sign_in().await?;
    let path = profile::path_in(&folder, name);
    let similar = places.similar(name);
    write(&folder, &path, &profile::file_text(client.credentials()))
        .map_err(|error| Failure::failed(format!("cannot write {}: {error}", path.display())))?;
    let Credentials {
        user_id,
        organization_id,
        base_url,
        ..
    } = client.credentials();
    ui.note(&format!(
        "signed in as {user_id} of `{organization_id}` at {base_url}"
    ));
    ui.note(&format!("the profile `{name}` is kept in {}", path.display()));
    if !similar.is_empty() {
        ui.warning(&format!(
            "`{name}` is new, and called nearly like {}; `{}` forgets it",
            joined(&similar, " and "),
            format_args!("forge auth logout --env {name}")
        ));
    }
    Ok(Exit::Ok)
}

fn no_folder() -> Failure {
    Failure::failed("there is no folder for your configuration: neither HOME nor XDG_CONFIG_HOME is set")
}

/// Takes what the options say and asks for the rest.
async fn asked(ui: &Ui, args: Args) -> Result<Credentials> {
    let field = async |given: Option<String>, option: &str, question: &str| match given {
        Some(value) => Ok(value.trim().to_owned()),
        None if ui.can_ask() => ui.ask(question).await,
        None => Err(
            Failure::new(Exit::Usage, format!("there is nobody to ask for the {question}"))
                .hint(format!("give it as `{option}`, or set all FORGE_… variables")),
        ),
    };
    let credentials = Credentials {
        base_url: field(args.base_url, "--base-url", "server's address").await?,
        organization_id: field(args.organization, "--organization", "organization's id").await?,
        user_id: field(args.user, "--user", "user's id").await?,
        api_key_id: field(args.api_key_id, "--api-key-id", "API key's id").await?,
        api_key: secret(ui).await?,
    };
    let values = [
        &credentials.base_url,
        &credentials.organization_id,
        &credentials.user_id,
        &credentials.api_key_id,
        &credentials.api_key,
    ];
    if values.iter().any(|value| value.is_empty()) {
        return Err(Failure::failed("a value is empty; nothing was kept"));
    }
    Ok(credentials)
}

async fn secret(ui: &Ui) -> Result<String> {
    if ui.can_ask() {
        return ui.ask_secret("API key (it is not shown)").await;
    }
    let line = if std::io::stdin().is_terminal() {
        None
    } else {
        input::line()?
    };
    line.filter(|key| !key.is_empty())
        .ok_or_else(|| Failure::new(Exit::Usage, "there is no API key on stdin"))
}

/// Names the value that a line of a file cannot hold, or that would not be read, if there is one.
fn unwritable(credentials: &Credentials) -> Option<&'static str> {
    let values = [
        ("server's address", &credentials.base_url),
        ("organization's id", &credentials.organization_id),
        ("user's id", &credentials.user_id),
        ("API key's id", &credentials.api_key_id),
        ("API key", &credentials.api_key),
    ];
    let is_bad = |value: &str| profile::fault(value).is_some() || value.contains('\'');
    values
        .into_iter()
        .find(|(_, value)| is_bad(value))
        .map(|(name, _)| name)
}

fn write(folder: &Path, path: &PathBuf, text: &str) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    // A temporary file is its owner's only, and renaming shows others the whole file or none.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}
