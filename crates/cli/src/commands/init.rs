//! `forge init`

use forge_app::OpenMode;
use forge_domain::OrganizationId;
use serde_json::Value;

use crate::admin_socket::{self, Request};
use crate::installation::Location;
use crate::output;

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

pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let request = Request::Init {
        organization: args.organization,
    };
    let created = admin_socket::run(&args.location, OpenMode::CreateIfMissing, &request).await?;
    print_credentials(&created, args.json)
}

/// Prints what identifies a user who signs in with a new key.
pub(super) fn print_credentials(created: &Value, as_json: bool) -> anyhow::Result<()> {
    let values =
        ["organization_id", "user_id", "api_key_id", "api_key"].map(|name| (name, created[name].clone()));
    if as_json {
        let object: serde_json::Map<_, _> = values
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        output::line(&Value::from(object).to_string())?;
    } else {
        for (name, value) in values {
            output::line(&format!(
                "export FORGE_{}={}",
                name.to_uppercase(),
                value.as_str().unwrap_or_default()
            ))?;
        }
    }
    let end = created["expires_at"].as_str().unwrap_or_default();
    output::note(&format!("The API key is shown only now. It ends at {end}."));
    Ok(())
}
