//! `forge audit list`

use forge_client::audit::AuditFilter;

use crate::error::{Exit, Result};
use crate::numbers;
use crate::session::{Common, interruptible};

/// List what was written to the organization's configuration, newest first: by whom, when, what.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge audit list\n  forge audit list --object-kind version_set --actor-kind agent\n  \
    forge audit list --action promote --since 2026-01-01T00:00:00Z --json\n\n\
    In a pipe, each line has: place in the log, number of the change, time, action, kind of thing, id, user, kind of actor. \
    What was there before and after is in the document of --json."
)]
pub(crate) struct Args {
    /// Only what was done to things of this kind, such as `version_set`, `service`, `agent`, `context_graph`, `user`.
    #[arg(long, value_name = "KIND")]
    object_kind: Option<String>,
    /// Only what was done to this thing; a set's id is `SERVICE_ID/NAME`.
    #[arg(long, value_name = "ID")]
    object_id: Option<String>,
    /// Only this, such as `create`, `promote`, `rollback`.
    #[arg(long)]
    action: Option<String>,
    /// Only what this user did.
    #[arg(long, value_name = "USER_ID")]
    actor: Option<String>,
    /// Only what such actors did.
    #[arg(long, value_name = "KIND", value_parser = ["person", "key", "agent"])]
    actor_kind: Option<String>,
    /// Only what was done after this time, such as `2026-01-31T12:00:00Z`.
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<String>,
    /// Only what was done before this time.
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<String>,
    /// Only what stands behind this place of the log.
    #[arg(long, value_name = "N", value_parser = numbers::from_zero::<i64>)]
    after: Option<i64>,
    /// Only what stands before this place of the log.
    #[arg(long, value_name = "N", value_parser = numbers::from_zero::<i64>)]
    before: Option<i64>,
    /// List at most so many.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = numbers::from_one::<i64>)]
    limit: i64,
    #[command(flatten)]
    pub(crate) common: Common,
}

fn time(text: &str) -> std::result::Result<String, String> {
    match forge_wire::parse_rfc3339(text) {
        Some(_) => Ok(text.to_owned()),
        None => {
            Err("a time has a date, a time of day and an offset, such as `2026-01-31T12:00:00Z`".to_owned())
        }
    }
}

pub(crate) async fn run(args: Args) -> Result<Exit> {
    interruptible(list(args)).await
}

async fn list(args: Args) -> Result<Exit> {
    let session = args.common.session()?;
    let ui = &session.ui;
    let filter = AuditFilter {
        object_kind: args.object_kind,
        object_id: args.object_id,
        action: args.action,
        actor_user_id: args.actor,
        actor_kind: args.actor_kind,
        created_after: args.since,
        created_before: args.until,
        after_sequence: args.after,
        before_sequence: args.before,
    };
    let page = session.client.audit_events(&filter).at_most(args.limit).await?;
    if ui.json {
        ui.document(&page.json)?;
        return Ok(Exit::Ok);
    }
    ui.rows(
        &page.value,
        ["entry", "when", "action", "what", "id", "by", "kind"],
        |event| {
            [
                event.sequence.to_string(),
                ui.time(&event.created_at),
                event.action.clone(),
                event.object.kind.replace('_', " "),
                event.object.id.clone(),
                event.actor.user_id.clone(),
                event.actor.kind.clone().unwrap_or_default(),
            ]
        },
        |event| {
            [
                event.sequence.to_string(),
                event.change_number.to_string(),
                event.created_at.clone(),
                event.action.clone(),
                event.object.kind.clone(),
                event.object.id.clone(),
                event.actor.user_id.clone(),
                event.actor.kind.clone().unwrap_or_default(),
            ]
        },
    )?;
    if page.value.is_empty() {
        ui.note("there are no such entries that you may see");
    }
    if page.has_more {
        ui.note("there are older ones; `--limit N` lists more");
    }
    Ok(Exit::Ok)
}
