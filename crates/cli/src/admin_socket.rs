//! Admin commands: done by the running server where it holds the embedded database, and here otherwise.
//!
//! The server listens on a socket in the data folder that only its owner can use. A command is one line of JSON, the
//! answer another.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use forge_app::identity::organizations;

use forge_app::{App, OpenMode, admin};
use forge_domain::OrganizationId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

use crate::error::{Context as _, Failure, Result};
use crate::installation::Location;
use crate::output;

/// How many descriptors are held for commands that come when there are no others.
const RESERVE: usize = 16;

/// How many of them are given up for one command: its connection, and a connection to the database.
const FOR_ONE_COMMAND: usize = 4;

/// How long to wait after a failure to accept.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// How long a command may take to come once its connection is there.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest command, in bytes, with much to spare.
const LONGEST_COMMAND: u64 = 64 * 1024;

/// The longest answer, in bytes: that of many users.
const LONGEST_ANSWER: u64 = 64 * 1024 * 1024;

/// Something that only operators may do.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub(crate) enum Request {
    /// Create an organization.
    Init { organization: OrganizationId },
    /// Create a key for a user.
    CreateKey {
        organization: OrganizationId,
        user: String,
    },
    /// List the users.
    ListUsers { organization: OrganizationId },
    /// Make a new signing key.
    RotateKeys { organization: OrganizationId },
    /// Close an organization, or the whole server, for maintenance, or open it again.
    Maintenance {
        organization: Option<OrganizationId>,
        is_on: bool,
    },
    /// Delete an organization.
    DeleteOrganization { organization: OrganizationId },
}

/// Does what is asked.
async fn execute(app: &App, request: Request) -> std::result::Result<Value, forge_app::AppError> {
    Ok(match request {
        Request::Init { organization } => {
            let created = organizations::create(app, &organization).await?;
            json!({
                "organization_id": created.organization_id,
                "user_id": created.user_id,
                "api_key_id": created.api_key_id,
                "api_key": created.api_key,
                "expires_at": forge_wire::rfc3339(created.api_key_expires_at),
            })
        }
        Request::CreateKey { organization, user } => {
            let key = admin::create_key(app, &organization, &user).await?;
            json!({
                "organization_id": organization,
                "user_id": user,
                "api_key_id": key.id,
                "api_key": key.secret,
                "expires_at": forge_wire::rfc3339(key.expires_at),
            })
        }
        Request::ListUsers { organization } => {
            let users = admin::users(app, &organization).await?;
            let users = users
                .into_iter()
                .map(|user| json!({"user_id": user.id, "role_name": user.role_name}));
            users.collect()
        }
        Request::RotateKeys { organization } => {
            json!({"signing_key_id": admin::rotate_keys(app, &organization).await?})
        }
        Request::Maintenance {
            organization: Some(organization),
            is_on,
        } => {
            admin::set_organization_maintenance(app, &organization, is_on).await?;
            json!({"maintenance": is_on, "organization_id": organization})
        }
        Request::Maintenance {
            organization: None,
            is_on,
        } => {
            admin::set_server_maintenance(app, is_on).await?;
            json!({"maintenance": is_on})
        }
        Request::DeleteOrganization { organization } => {
            admin::delete_organization(app, &organization).await?;
            json!({"deleted": organization})
        }
    })
}

/// Has a command done by the server that holds the database, or does it here if none does.
pub(crate) async fn run(location: &Location, mode: OpenMode, request: &Request) -> Result<Value> {
    if let Some(path) = location.socket()?
        && let Ok(stream) = UnixStream::connect(&path).await
    {
        return ask(stream, request)
            .await
            .with_context(|| format!("the server at {}", path.display()))?;
    }
    let installation = location.open(mode).await?;
    for warning in &installation.warnings {
        output::note(&format!("warning: {warning}"));
    }
    let request = serde_json::from_value(serde_json::to_value(request)?)?;
    let done = execute(&installation.app, request).await;
    installation.app.store.close().await;
    Ok(done?)
}

/// Sends a command to a server.
///
/// The outer error is that of the connection, the inner one the server's.
async fn ask(mut stream: UnixStream, request: &Request) -> Result<Result<Value>> {
    stream
        .write_all(format!("{}\n", serde_json::to_string(request)?).as_bytes())
        .await?;
    let mut line = String::new();
    BufReader::new(stream.take(LONGEST_ANSWER))
        .read_line(&mut line)
        .await?;
    let answer: Value = serde_json::from_str(&line).context("did not answer; look into its log")?;
    Ok(match answer["error"].as_str() {
        Some(error) => Err(Failure::failed(error)),
        None => Ok(answer["done"].clone()),
    })
}

/// The server's side of the socket; it goes away with this.
pub(crate) struct AdminSocket {
    path: PathBuf,
    listening: JoinHandle<()>,
}

impl AdminSocket {
    /// Begins to listen.
    ///
    /// The caller holds the folder's lock, so a socket that is there is a dead server's.
    pub(crate) fn listen(path: &Path, app: App) -> Result<Self> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot replace {}", path.display()));
            }
            _ => {}
        }
        let listener =
            UnixListener::bind(path).with_context(|| format!("cannot listen on {}", path.display()))?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        let listening = tokio::spawn(accept(listener, app));
        Ok(Self {
            path: path.to_owned(),
            listening,
        })
    }
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        self.listening.abort();
        // What is left behind would be replaced by the next server.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Accepts commands for as long as it is polled, whatever else the process is short of.
async fn accept(listener: UnixListener, app: App) {
    let mut reserve = Reserve::default();
    reserve.fill();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let app = app.clone();
                tokio::spawn(async move { answer_or_warn(&app, stream).await });
            }
            // Whoever is short of descriptors needs this most. What is given up is taken back after the command.
            Err(error) if is_short_of_descriptors(&error) && reserve.give_up() => {
                tracing::warn!(
                    "there are no file descriptors left; an admin command takes some of the reserve"
                );
                if let Ok(Ok((stream, _))) = tokio::time::timeout(ACCEPT_AGAIN, listener.accept()).await {
                    answer_or_warn(&app, stream).await;
                }
                reserve.fill();
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept an admin command");
                tokio::time::sleep(ACCEPT_AGAIN).await;
                reserve.fill();
            }
        }
    }
}

/// The process, or the whole machine, has as many files open as it may.
fn is_short_of_descriptors(error: &std::io::Error) -> bool {
    let code = error.raw_os_error().map(rustix::io::Errno::from_raw_os_error);
    matches!(code, Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE))
}

/// Descriptors that are held so that nobody else takes them.
#[derive(Debug, Default)]
struct Reserve(Vec<std::fs::File>);

impl Reserve {
    /// Takes as many as are missing, if there are any.
    fn fill(&mut self) {
        while self.0.len() < RESERVE
            && let Ok(file) = std::fs::File::open("/dev/null")
        {
            self.0.push(file);
        }
    }

    /// Gives up what a command needs; returns false if there is nothing left.
    fn give_up(&mut self) -> bool {
        let left = self.0.len().saturating_sub(FOR_ONE_COMMAND);
        self.0.drain(left..).next().is_some()
    }
}

async fn answer_or_warn(app: &App, stream: UnixStream) {
    if let Err(error) = answer(app, stream).await {
        tracing::warn!(%error, "an admin command was not answered");
    }
}

async fn answer(app: &App, stream: UnixStream) -> Result<()> {
    let (reading, mut stream) = stream.into_split();
    let mut reading = BufReader::new(reading.take(LONGEST_COMMAND));
    let mut line = String::new();
    let reading = tokio::time::timeout(COMMAND_TIMEOUT, reading.read_line(&mut line)).await;
    if reading.context("no command came in time")?? == 0 {
        return Err(Failure::failed("no command came"));
    }
    let answer = match serde_json::from_str(&line) {
        Ok(request) => {
            let app = app.begin_request();
            match app.await_durability(execute(&app, request).await).await {
                Ok(done) => json!({"done": done}),
                Err(error) => json!({"error": error.to_string()}),
            }
        }
        Err(_) => json!({"error": "the server does not know this command; its version may be another"}),
    };
    stream.write_all(format!("{answer}\n").as_bytes()).await?;
    Ok(())
}
