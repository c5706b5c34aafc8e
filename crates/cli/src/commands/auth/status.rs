//! `forge auth status`

use serde_json::json;

use crate::error::{Exit, Failure, Result};
use crate::output;
use crate::profile::Places;
use crate::session::{Common, token_cache};
use crate::ui::{Field, Ui, escaped_json};

/// Tell whose credentials are in use, from where, and whether the server accepts them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  forge auth status\n  forge auth status --json")]
pub(crate) struct Args {}

pub(crate) async fn run(common: &Common, Args {}: Args) -> Result<Exit> {
    let session = common.session()?;
    let (ui, client) = (&session.ui, &session.client);
    let credentials = client.credentials();
    let signed_in = client.sign_in().await;
    let expires_at = token_cache(&Places::of_process().folders)
        .filter(|_| signed_in.is_ok())
        .and_then(|cache| cache.expires_at(credentials));
    if ui.json {
        let status = json!({
            "source": session.source.to_string(),
            "base_url": credentials.base_url,
            "organization_id": credentials.organization_id,
            "user_id": credentials.user_id,
            "api_key_id": credentials.api_key_id,
            "signed_in": signed_in.is_ok(),
            "token_expires_at": expires_at.map(forge_wire::rfc3339),
        });
        output::line(&escaped_json(&status.to_string()))?;
    } else {
        let mut fields = vec![
            Field::new("source", session.source.to_string()),
            Field::new("base_url", &credentials.base_url),
            Field::new("organization", &credentials.organization_id),
            Field::new("user", &credentials.user_id),
            Field::new("api_key", &credentials.api_key_id),
            Field::new("signed_in", if signed_in.is_ok() { "yes" } else { "no" }),
        ];
        fields.extend(expires_at.map(|end| {
            Field::new("token_expires_at", forge_wire::rfc3339(end))
                .shown_as(format!("in {}", Ui::until(end)))
        }));
        ui.fields(&fields)?;
    }
    match signed_in {
        Ok(()) => Ok(Exit::Ok),
        Err(error) => Err(Failure::from(error)),
    }
}
