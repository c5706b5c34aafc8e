//! `forge version-set models`

use crate::error::{Exit, Result};
use crate::session::Session;

/// List the models that sets may prefer.
///
/// Those are the models that the server offers, whatever services run.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge version-set models\n  forge vs models --json\n\n\
    In a pipe, each line has: name, provider, when it retires (empty if that is not known)."
)]
pub(crate) struct Args {}

pub(crate) async fn run(session: &Session, _: Args) -> Result<Exit> {
    let ui = &session.ui;
    let offered = session.client.models().await?;
    if ui.json {
        ui.document(&offered.json)?;
        return Ok(Exit::Ok);
    }
    let models = offered.value.models;
    if models.is_empty() {
        ui.note("the server offers no model");
    }
    ui.rows(
        &models,
        ["model", "provider", "retires"],
        |model| {
            let retires = model.retires_at.as_deref().map(|time| ui.time(time));
            [
                model.name.clone(),
                model.provider.clone(),
                retires.unwrap_or_default(),
            ]
        },
        |model| {
            let retires = model.retires_at.clone().unwrap_or_default();
            [model.name.clone(), model.provider.clone(), retires]
        },
    )?;
    Ok(Exit::Ok)
}
