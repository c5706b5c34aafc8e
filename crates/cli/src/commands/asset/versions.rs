//! `forge asset versions`

use forge_client::answers::AssetVersion;
use forge_client::health::ServiceReference;

use crate::assets::{self, KindArg};
use crate::error::{Exit, Result};
use crate::numbers;
use crate::session::Session;

/// List the versions of an agent or a context graph, newest first.
///
/// Tells who made each, when, and which sets of which services mean it.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge asset versions agent Mira\n  forge asset versions context-graph Appointments --limit 1 --json\n\n\
    In a pipe, each line has: version, time, user, `yanked` or nothing, why it is yanked, and each service with the sets that \
    pin the version; of one that floats, `~` stands before its name."
)]
pub(crate) struct Args {
    /// `agent` or `context-graph`.
    #[arg(value_enum)]
    kind: KindArg,
    /// Name or id.
    name: String,
    /// List at most so many.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = numbers::from_one::<i64>)]
    limit: i64,
}

/// A version, and where it runs.
struct Listed {
    version: AssetVersion,
    services: Vec<ServiceReference>,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result<Exit> {
    let (ui, client, kind) = (&session.ui, &session.client, args.kind.kind());
    let asset = assets::find(client, kind, &args.name).await?;
    let page = client.asset_versions(asset.id).at_most(args.limit).await?;
    if ui.json {
        ui.document(&page.json)?;
        return Ok(Exit::Ok);
    }
    let mut listed = Vec::new();
    for version in page.value {
        let references = client.references(asset.id, version.version).all().await?;
        listed.push(Listed {
            version,
            services: references.value,
        });
    }
    ui.rows(
        &listed,
        ["version", "created", "by", "state", "runs in"],
        |row| {
            let version = &row.version;
            [
                version.version.to_string(),
                ui.time(&version.created_at),
                version.creator.user_id.clone(),
                yanked(version),
                places(&row.services, "; "),
            ]
        },
        |row| {
            let version = &row.version;
            let yank = version.yanked.as_ref();
            [
                version.version.to_string(),
                version.created_at.clone(),
                version.creator.user_id.clone(),
                yank.map(|_| "yanked".to_owned()).unwrap_or_default(),
                yank.and_then(|yank| yank.reason.clone()).unwrap_or_default(),
                places(&row.services, "; "),
            ]
        },
    )?;
    if listed.is_empty() {
        ui.note(&format!("{kind} `{}` has no version yet", asset.name));
    } else if page.has_more {
        ui.note("there are older ones; `--limit N` lists more");
    }
    Ok(Exit::Ok)
}

/// Says that a version is yanked, and why.
pub(super) fn yanked(version: &AssetVersion) -> String {
    match &version.yanked {
        None => String::new(),
        Some(yank) => match &yank.reason {
            Some(reason) => format!("yanked: {reason}"),
            None => "yanked".to_owned(),
        },
    }
}

/// Tells the sets that mean a version; those that only float are marked.
pub(super) fn places(services: &[ServiceReference], between: &str) -> String {
    let service = |service: &ServiceReference| {
        let sets = service.version_sets.iter().map(|set| {
            let mark = if set.is_floating { "~" } else { "" };
            format!("{mark}{}", set.name)
        });
        format!(
            "{}: {}",
            service.service_name,
            sets.collect::<Vec<_>>().join(", ")
        )
    };
    services.iter().map(service).collect::<Vec<_>>().join(between)
}
