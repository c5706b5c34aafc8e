//! `forge admin`

use clap::{Subcommand, ValueEnum};
use forge_app::OpenMode;
use forge_domain::OrganizationId;
use serde_json::Value;

use crate::admin_socket::{self, Request};
use crate::error::{Exit, Failure, Result};
use crate::installation::Location;
use crate::output;
use crate::ui::plain;

/// What operators may do.
///
/// Where a server runs on the embedded database, it does it; otherwise the store is opened.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// API keys.
    #[command(subcommand)]
    Key(Key),
    /// Signing keys.
    #[command(subcommand)]
    Keys(Keys),
    /// Close an organization, or the whole server, for maintenance, or open it again.
    Maintenance(Maintenance),
    /// Organizations.
    #[command(subcommand)]
    Organization(Organization),
    /// Users.
    #[command(subcommand)]
    User(User),
}

/// `forge admin key`
#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Create a key with which a user can sign in, when every other has ended. It is shown this once.
    Create(CreateKey),
}

/// `forge admin key create`
#[derive(Debug, clap::Args)]
pub(crate) struct CreateKey {
    #[command(flatten)]
    location: Location,
    /// Id of the organization.
    #[arg(long, value_name = "ID")]
    organization: OrganizationId,
    /// Id of the user.
    #[arg(long, value_name = "ID")]
    user: String,
    /// Print one JSON object instead of `export` lines.
    #[arg(long)]
    json: bool,
}

/// `forge admin keys`
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Sign new tokens with a new key. Older tokens stay valid until they end.
    Rotate(OfOrganization),
}

/// `forge admin user`
#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// List the ids of the users with their roles, super administrators first: one of them is what a new key needs.
    List(OfOrganization),
}

/// An organization of an installation.
#[derive(Debug, clap::Args)]
pub(crate) struct OfOrganization {
    #[command(flatten)]
    location: Location,
    /// Id of the organization.
    #[arg(long, value_name = "ID")]
    organization: OrganizationId,
}

/// `forge admin maintenance`
#[derive(Debug, clap::Args)]
pub(crate) struct Maintenance {
    /// Whether to close or to open.
    switch: Switch,
    #[command(flatten)]
    location: Location,
    /// Id of the organization [default: the whole server].
    #[arg(long, value_name = "ID")]
    organization: Option<OrganizationId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    /// Close.
    On,
    /// Open.
    Off,
}

/// `forge admin organization`
#[derive(Debug, Subcommand)]
pub(crate) enum Organization {
    /// Delete an organization. Its id is never given again.
    Delete(DeleteOrganization),
}

/// `forge admin organization delete`
#[derive(Debug, clap::Args)]
pub(crate) struct DeleteOrganization {
    /// Id of the organization.
    organization: OrganizationId,
    #[command(flatten)]
    location: Location,
    /// Really do it.
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn run(command: Command) -> Result<Exit> {
    match command {
        Command::Key(Key::Create(args)) => create_key(args).await?,
        Command::Keys(Keys::Rotate(args)) => {
            let request = Request::RotateKeys {
                organization: args.organization,
            };
            let done = send(&args.location, &request).await?;
            output::line(&format!("signing with key {}", text(&done, "signing_key_id")))?;
        }
        Command::User(User::List(args)) => {
            let request = Request::ListUsers {
                organization: args.organization,
            };
            let users = send(&args.location, &request).await?;
            for user in users.as_array().into_iter().flatten() {
                let (id, role) = (text(user, "user_id"), text(user, "role_name"));
                output::line(&format!("{}\t{}", plain(id), plain(role)))?;
            }
        }
        Command::Maintenance(args) => {
            let whom = args
                .organization
                .as_ref()
                .map_or("the server".to_owned(), |id| format!("`{id}`"));
            let is_on = args.switch == Switch::On;
            send(
                &args.location,
                &Request::Maintenance {
                    organization: args.organization,
                    is_on,
                },
            )
            .await?;
            output::line(&format!(
                "{whom} is {}",
                if is_on { "closed for maintenance" } else { "open" }
            ))?;
        }
        Command::Organization(Organization::Delete(args)) => {
            if !args.yes {
                return Err(Failure::failed(format!(
                    "`{}` cannot be brought back; add `--yes` to delete it",
                    args.organization
                )));
            }
            let done = format!("organization `{}` is deleted", args.organization);
            send(
                &args.location,
                &Request::DeleteOrganization {
                    organization: args.organization,
                },
            )
            .await?;
            output::line(&done)?;
        }
    }
    Ok(Exit::Ok)
}

async fn create_key(args: CreateKey) -> Result<()> {
    let request = Request::CreateKey {
        organization: args.organization,
        user: args.user,
    };
    let created = send(&args.location, &request).await?;
    super::init::print_credentials(&created, args.json)
}

async fn send(location: &Location, request: &Request) -> Result<Value> {
    admin_socket::run(location, OpenMode::MustExist, request).await
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_default()
}
