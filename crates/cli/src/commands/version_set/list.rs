//! `forge version-set list`

use forge_client::answers::VersionSet;

use super::set_ref::models;
use crate::error::{Exit, Result};
use crate::lookup;
use crate::session::Session;
use crate::ui::values::{pin, piped_pin};

/// List the sets of a service.
///
/// Tells what each pins, what that means now, and how many versions are newer.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge version-set list 'Dental care'\n  forge vs list 'Dental care' --json\n\n\
    In a pipe, each line has: name, revision, agent version, the agent version that it means, context graph version, the \
    one that it means, agent versions behind, context graph versions behind, whether it is held, time and user of the last \
    change, message, models."
)]
pub(crate) struct Args {
    /// Name or id of the service.
    service: String,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result<Exit> {
    let (ui, client) = (&session.ui, &session.client);
    let service = lookup::service_id(session, &args.service).await?;
    let sets = client.version_sets(service).await?;
    if ui.json {
        ui.document(&sets.json)?;
        return Ok(Exit::Ok);
    }
    let mut sets = sets.value.version_sets;
    sets.sort_by_key(|set| lookup::set_order(&set.name));
    ui.rows(
        &sets,
        [
            "set",
            "revision",
            "agent",
            "context graph",
            "behind",
            "models",
            "changed",
            "state",
        ],
        |set| {
            [
                set.name.clone(),
                set.revision.to_string(),
                pin(set.pins.agent_version_number, set.resolved.agent_version_number),
                pin(
                    set.pins.context_graph_version_number,
                    set.resolved.context_graph_version_number,
                ),
                format!("{} / {}", set.behind.agent, set.behind.context_graph),
                set.pins.llm_model_preferences.len().to_string(),
                ui.time(&set.updated_at),
                state(set).to_owned(),
            ]
        },
        |set| {
            [
                set.name.clone(),
                set.revision.to_string(),
                piped_pin(set.pins.agent_version_number),
                number(set.resolved.agent_version_number),
                piped_pin(set.pins.context_graph_version_number),
                number(set.resolved.context_graph_version_number),
                set.behind.agent.to_string(),
                set.behind.context_graph.to_string(),
                state(set).to_owned(),
                set.updated_at.clone(),
                set.updated_by.user_id.clone(),
                set.message.clone().unwrap_or_default(),
                models(&set.pins),
            ]
        },
    )?;
    Ok(Exit::Ok)
}

fn state(set: &VersionSet) -> &'static str {
    if set.hold.is_some() { "held" } else { "" }
}

/// Returns a number that may be absent.
pub(super) fn number(number: Option<i64>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}
