//! `forge version-set show`

use forge_client::answers::{Pins, Resolved, Revision, SetRevision, VersionSet};
use forge_domain::ServiceId;

use super::set_ref::{SetRef, models};
use crate::error::{Exit, Failure, Result};
use crate::lookup;
use crate::session::Session;
use crate::ui::values::{pin, piped_pin};
use crate::ui::{Field, Ui};

/// Show one set, now or at one of its revisions.
///
/// Tells what it pins, what that means now, who changed it last and why. With `@REVISION`, tells what it was
/// then.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  forge version-set show 'Dental care' release\n  \
    forge version-set show 'Dental care' release@1")]
pub(crate) struct Args {
    /// Name or id of the service.
    service: String,
    /// Name of the set, or `NAME@REVISION`.
    #[arg(value_name = "NAME[@REVISION]")]
    set: SetRef,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result<Exit> {
    let (ui, client) = (&session.ui, &session.client);
    let service = lookup::service_id(session, &args.service).await?;
    let Some(number) = args.set.revision else {
        let set = match client.version_set(service, &args.set.name).await {
            Ok(set) => set,
            Err(error) => return Err(lookup::no_such_set(session, service, &[&args.set.name], error).await),
        };
        if ui.json {
            ui.document(&set.json)?;
        } else {
            ui.fields(&set_fields(ui, &set.value))?;
        }
        return Ok(Exit::Ok);
    };
    let (revision, json) = find_revision(session, service, &args.set, number).await?;
    if ui.json {
        ui.document(&json)?;
    } else {
        ui.fields(&revision_fields(ui, &args.set, &revision))?;
    }
    Ok(Exit::Ok)
}

type RawJson = Box<serde_json::value::RawValue>;

/// Goes through the history until the revision comes.
async fn find_revision(
    session: &Session,
    service: ServiceId,
    set: &SetRef,
    number: i64,
) -> Result<(Revision, RawJson)> {
    let mut pages = session.client.history(service, &set.name);
    let mut newest = None;
    loop {
        let page = match pages.next().await {
            Ok(Some(page)) => page,
            Ok(None) => break,
            Err(error) => return Err(lookup::no_such_set(session, service, &[&set.name], error).await),
        };
        newest = newest.or(page.value.first().map(|revision| revision.revision));
        let mut rows = page.value.into_iter().zip(page.rows);
        if let Some(found) = rows.find(|(revision, _)| revision.revision == number) {
            return Ok(found);
        }
    }
    let newest = newest.unwrap_or(0);
    Err(Failure::failed(format!(
        "`{}` has no revision {number}; the newest is {newest}",
        set.name
    ))
    .hint(format!(
        "`forge version-set history` lists them; `{}@{newest}` is the newest",
        set.name
    )))
}

fn set_fields(ui: &Ui, set: &VersionSet) -> Vec<Field> {
    let mut fields = vec![
        Field::new("set", &set.name),
        Field::new("revision", set.revision.to_string()),
    ];
    fields.extend(pin_fields(&set.pins, set.resolved));
    fields.push(Field::new("agent_behind", set.behind.agent.to_string()));
    fields.push(Field::new(
        "context_graph_behind",
        set.behind.context_graph.to_string(),
    ));
    if let Some(hold) = &set.hold {
        let reason = hold.reason.as_deref().unwrap_or("no reason given");
        fields.push(Field::new("held_since", &hold.since).shown_as(ui.time(&hold.since)));
        fields.push(Field::new("held_by", &hold.by.user_id));
        fields.push(Field::new("held_because", reason));
    }
    fields.extend(source_field(set.source.as_ref()));
    fields.push(Field::new("changed_at", &set.updated_at).shown_as(ui.time(&set.updated_at)));
    fields.push(Field::new("changed_by", &set.updated_by.user_id));
    fields.extend(set.message.as_ref().map(|message| Field::new("message", message)));
    fields
}

fn revision_fields(ui: &Ui, set: &SetRef, revision: &Revision) -> Vec<Field> {
    let mut fields = vec![
        Field::new("set", set.name.as_str()),
        Field::new("revision", revision.revision.to_string()),
        Field::new("action", &revision.action),
    ];
    if let Some(pins) = &revision.pins {
        fields.extend(pin_fields(pins, revision.resolved));
    }
    fields.extend(source_field(revision.source.as_ref()));
    let restored = revision.restored_revision;
    fields.extend(restored.map(|number| Field::new("restored_revision", number.to_string())));
    fields.push(Field::new("changed_at", &revision.created_at).shown_as(ui.time(&revision.created_at)));
    fields.push(Field::new("changed_by", &revision.actor.user_id));
    fields.extend(
        revision
            .message
            .as_ref()
            .map(|message| Field::new("message", message)),
    );
    fields
}

fn pin_fields(pins: &Pins, resolved: Resolved) -> Vec<Field> {
    let version = |name, pinned, meant| Field::new(name, piped_pin(pinned)).shown_as(pin(pinned, meant));
    let mut fields = vec![
        version(
            "agent_version",
            pins.agent_version_number,
            resolved.agent_version_number,
        ),
        version(
            "context_graph_version",
            pins.context_graph_version_number,
            resolved.context_graph_version_number,
        ),
    ];
    if !pins.llm_model_preferences.is_empty() {
        fields.push(Field::new("models", models(pins)));
    }
    fields
}

fn source_field(source: Option<&SetRevision>) -> Option<Field> {
    let source = source?;
    let text = match source.revision {
        Some(revision) => format!("{}@{revision}", source.name),
        None => source.name.clone(),
    };
    Some(Field::new("copied_from", text))
}
