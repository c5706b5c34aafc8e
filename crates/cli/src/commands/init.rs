//! `forge init`

use forge_app::OpenMode;
use forge_domain::OrganizationId;
use serde_json::Value;

use crate::admin_socket::{self, Request};
use crate::error::{Exit, Failure, Result};
use crate::installation::Location;
use crate::output;
use crate::ui::quoted;

/// Create a store if needed, and an organization with its default roles, a super administrator and an API key.
///
/// What is printed is shown this once; the secret is kept nowhere. The first organization of an installation is its
/// operator's. Running it again for the same organization changes nothing and fails.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    location: Location,
    /// Id of the organization: lower-case letters, digits and hyphens.
    #[arg(long, value_name = "ID")]
    organization: OrganizationId,
    /// Print one JSON object instead of `export` lines.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> Result<Exit> {
    let request = Request::Init {
        organization: args.organization,
    };
    let created = admin_socket::run(&args.location, OpenMode::CreateIfMissing, &request).await?;
    print_credentials(&created, args.json)?;
    Ok(Exit::Ok)
}

/// Prints what identifies a user who signs in with a new key.
///
/// The key is made by then. Whoever does not get to see it is told how to make another, whatever became of stdout.
pub(super) fn print_credentials(created: &Value, as_json: bool) -> Result<()> {
    if let Err(error) = write_credentials(created, as_json) {
        let text = |field: &str| created[field].as_str().unwrap_or_default().to_owned();
        return Err(Failure::failed(format!(
            "the API key was made, but could not be printed ({error}), and is kept nowhere; make another by `forge admin key \
             create --organization {} --user {}`",
            text("organization_id"),
            text("user_id")
        )));
    }
    let end = created["expires_at"].as_str().unwrap_or_default();
    output::note(&format!("The API key is shown only now. It ends at {end}."));
    Ok(())
}

fn write_credentials(created: &Value, as_json: bool) -> std::io::Result<()> {
    let values =
        ["organization_id", "user_id", "api_key_id", "api_key"].map(|name| (name, created[name].clone()));
    if as_json {
        let object: serde_json::Map<_, _> = values
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        return output::line(&Value::from(object).to_string());
    }
    for (name, value) in values {
        output::line(&format!(
            "export FORGE_{}={}",
            name.to_uppercase(),
            // A shell reads it.
            quoted(value.as_str().unwrap_or_default())
        ))?;
    }
    Ok(())
}
