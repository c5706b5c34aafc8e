//! `forge service show`

use forge_client::answers::{Service, VersionSet};
use forge_domain::asset::AssetKind;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use super::state;
use super::tag_arg::{shown, tags_of};
use crate::assets::AssetNames;
use crate::error::{Exit, Failure, Result};
use crate::lookup;
use crate::session::Session;
use crate::ui::values::{pin, piped_pin};
use crate::ui::{Field, Ui};

/// Show a service and its sets.
///
/// Tells what the sets pin, what that means now, how many versions are newer, and who changed what last.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge service show 'Dental care'\n  forge service show 'Dental care' --json\n\n\
    In a pipe, the lines of the service have a name and a value; those of its sets the word `version_set`, name, revision, \
    agent version, context graph version, agent versions behind, context graph versions behind, `held` or nothing, time and \
    user of the last change, message. JSON has `service` and `version_sets`, as the API sends them."
)]
pub(crate) struct Args {
    /// Name or id of the service.
    service: String,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result<Exit> {
    let (ui, client) = (&session.ui, &session.client);
    let service = lookup::service(session, &args.service).await?;
    let sets = client.version_sets(service.id).await?;
    if ui.json {
        let page = client.services(&[service.id], None).all().await?;
        let row = page
            .rows
            .into_iter()
            .next()
            .ok_or_else(|| Failure::failed("the service is gone"))?;
        ui.document(&together(&row, &sets.json)?)?;
        return Ok(Exit::Ok);
    }
    let mut sets = sets.value.version_sets;
    sets.sort_by_key(|set| lookup::set_order(&set.name));
    let agent = [service.agent_id.into()].into();
    let agent = AssetNames::fetch(client, AssetKind::Agent, agent).await?;
    let graph = [service.context_graph_id.into()].into();
    let graph = AssetNames::fetch(client, AssetKind::ContextGraph, graph).await?;
    let names = [agent.name(service.agent_id), graph.name(service.context_graph_id)];
    ui.fields(&fields(ui, &service, names, &sets))?;
    show_sets(ui, &sets)?;
    Ok(Exit::Ok)
}

/// Makes one document of two answers.
fn together(service: &RawValue, sets: &RawValue) -> Result<Box<RawValue>> {
    let sets: serde_json::Value = serde_json::from_str(sets.get())?;
    let document = json!({"service": service, "version_sets": sets["version_sets"]});
    Ok(to_raw_value(&document)?)
}

fn fields(ui: &Ui, service: &Service, names: [String; 2], sets: &[VersionSet]) -> Vec<Field> {
    let [agent, graph] = names;
    let mut fields = vec![
        Field::new("service", &service.name),
        Field::new("id", service.id.to_string()),
        Field::new("state", state(service.is_active)),
        Field::new("description", &service.description),
        Field::new("agent", agent),
        Field::new("context_graph", graph),
    ];
    if !service.tags.is_empty() {
        fields.push(Field::new("tags", shown(&tags_of(&service.tags))));
    }
    // All times have the same form, so that their texts are in their order.
    if let Some(last) = sets.iter().max_by_key(|set| &set.updated_at) {
        let (set, by) = (&last.name, &last.updated_by.user_id);
        let change = |when: &str| format!("`{set}` by {by}, {when}");
        fields.push(
            Field::new("last_change", change(&last.updated_at)).shown_as(change(&ui.time(&last.updated_at))),
        );
    }
    fields
}

fn show_sets(ui: &Ui, sets: &[VersionSet]) -> Result<()> {
    if ui.is_terminal() && !sets.is_empty() {
        crate::output::line("")?;
    }
    ui.rows(
        sets,
        [
            "set",
            "revision",
            "agent",
            "context graph",
            "behind",
            "state",
            "changed",
            "by",
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
                held(set).to_owned(),
                ui.time(&set.updated_at),
                set.updated_by.user_id.clone(),
            ]
        },
        |set| {
            [
                "version_set".to_owned(),
                set.name.clone(),
                set.revision.to_string(),
                piped_pin(set.pins.agent_version_number),
                piped_pin(set.pins.context_graph_version_number),
                set.behind.agent.to_string(),
                set.behind.context_graph.to_string(),
                held(set).to_owned(),
                set.updated_at.clone(),
                set.updated_by.user_id.clone(),
                set.message.clone().unwrap_or_default(),
            ]
        },
    )
}

fn held(set: &VersionSet) -> &'static str {
    if set.hold.is_some() { "held" } else { "" }
}
