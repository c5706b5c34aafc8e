//! `forge version-set history`

use forge_client::answers::Revision;
use forge_domain::SetName;

use super::set_ref::models;
use crate::error::{Exit, Result};
use crate::lookup;
use crate::numbers;
use crate::session::Session;
use crate::ui::values::{pin, piped_pin};

/// List the revisions of a set, newest first.
///
/// Tells what each pinned, who made it, when and why. It works for deleted sets, too.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge version-set history 'Dental care' release\n  \
    forge version-set history 'Dental care' release --limit 1 --json\n\n\
    In a pipe, each line has: revision, action, agent version, context graph version, where it was copied from, time, user, \
    kind of actor, message, models."
)]
pub(crate) struct Args {
    /// Name or id of the service.
    service: String,
    /// Name of the set.
    #[arg(value_name = "NAME")]
    set: SetName,
    /// List at most so many.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = numbers::from_one::<i64>)]
    limit: i64,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result<Exit> {
    let (ui, client) = (&session.ui, &session.client);
    let service = lookup::service_id(session, &args.service).await?;
    let page = match client.history(service, &args.set).at_most(args.limit).await {
        Ok(page) => page,
        Err(error) => return Err(lookup::no_such_set(session, service, &[&args.set], error).await),
    };
    if ui.json {
        ui.document(&page.json)?;
        return Ok(Exit::Ok);
    }
    ui.rows(
        &page.value,
        [
            "revision",
            "action",
            "agent",
            "context graph",
            "from",
            "changed",
            "by",
            "message",
        ],
        |revision| {
            let [agent, graph] = match &revision.pins {
                Some(pins) => [
                    pin(pins.agent_version_number, revision.resolved.agent_version_number),
                    pin(
                        pins.context_graph_version_number,
                        revision.resolved.context_graph_version_number,
                    ),
                ],
                None => ["-".to_owned(), "-".to_owned()],
            };
            [
                revision.revision.to_string(),
                revision.action.clone(),
                agent,
                graph,
                origin(revision),
                ui.time(&revision.created_at),
                revision.actor.user_id.clone(),
                revision.message.clone().unwrap_or_default(),
            ]
        },
        |revision| {
            let pins = revision.pins.as_ref();
            [
                revision.revision.to_string(),
                revision.action.clone(),
                pins.map(|pins| piped_pin(pins.agent_version_number))
                    .unwrap_or_default(),
                pins.map(|pins| piped_pin(pins.context_graph_version_number))
                    .unwrap_or_default(),
                origin(revision),
                revision.created_at.clone(),
                revision.actor.user_id.clone(),
                revision.actor.kind.clone().unwrap_or_default(),
                revision.message.clone().unwrap_or_default(),
                pins.map(models).unwrap_or_default(),
            ]
        },
    )?;
    if page.has_more {
        ui.note("there are older ones; `--limit N` lists more");
    }
    Ok(Exit::Ok)
}

/// Returns where the pins came from.
fn origin(revision: &Revision) -> String {
    match (&revision.source, revision.restored_revision) {
        (_, Some(restored)) => format!("@{restored}"),
        (Some(source), None) => match source.revision {
            Some(number) => format!("{}@{number}", source.name),
            None => source.name.clone(),
        },
        (None, None) => String::new(),
    }
}
