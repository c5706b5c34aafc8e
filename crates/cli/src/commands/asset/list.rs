//! `forge asset agents` and `forge asset context-graphs`

use forge_domain::asset::AssetKind;

use crate::error::{Exit, Result};
use crate::session::Session;

pub(super) const AGENTS_HELP: &str = "Examples:\n  forge asset agents\n  forge asset agents --json\n\n\
    In a pipe, each line has: id, name, newest version, `deprecated` or nothing.";

pub(super) const CONTEXT_GRAPHS_HELP: &str = "Examples:\n  forge asset context-graphs\n  \
    forge asset context-graphs --json\n\n\
    In a pipe, each line has: id, name, newest version, `deprecated` or nothing.";

pub(super) async fn run(session: &Session, kind: AssetKind) -> Result<Exit> {
    let (ui, client) = (&session.ui, &session.client);
    let page = client.assets(kind, &[]).all().await?;
    if ui.json {
        ui.document(&page.json)?;
        return Ok(Exit::Ok);
    }
    let word = |is_deprecated| if is_deprecated { "deprecated" } else { "" }.to_owned();
    let title = kind.to_string();
    ui.rows(
        &page.value,
        [title.as_str(), "newest", "state", "id"],
        |asset| {
            let latest = asset.latest_version.map(|latest| latest.to_string());
            [
                asset.name.clone(),
                latest.unwrap_or_else(|| "-".to_owned()),
                word(asset.deprecated),
                asset.id.to_string(),
            ]
        },
        |asset| {
            let latest = asset.latest_version.map(|latest| latest.to_string());
            [
                asset.id.to_string(),
                asset.name.clone(),
                latest.unwrap_or_default(),
                word(asset.deprecated),
            ]
        },
    )?;
    if page.value.is_empty() {
        ui.note(&format!("there is no {kind} that you may see"));
    }
    Ok(Exit::Ok)
}
