//! `forge init`

use forge_app::{OpenMode, organizations};
use forge_domain::OrganizationId;
use serde_json::json;

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
    let installation = args.location.open(OpenMode::CreateIfMissing).await?;
    let created = organizations::create(&installation.app, &args.organization).await;
    installation.app.store.close().await;
    let created = created?;
    let values = [
        ("organization_id", created.organization_id.to_string()),
        ("user_id", created.user_id),
        ("api_key_id", created.api_key_id),
        ("api_key", created.api_key),
    ];
    if args.json {
        let object: serde_json::Map<_, _> = values
            .into_iter()
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect();
        output::line(&serde_json::Value::from(object).to_string())?;
    } else {
        for (name, value) in values {
            output::line(&format!("export FORGE_{}={value}", name.to_uppercase()))?;
        }
    }
    let end = forge_wire::rfc3339(created.api_key_expires_at);
    output::note(&format!("The API key is shown only now. It ends at {end}."));
    Ok(())
}
