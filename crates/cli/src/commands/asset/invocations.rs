//! `forge asset invocations`

use std::collections::HashMap;

use forge_client::behaviors::BehaviorSet;
use forge_client::{Client, ClientError};

use crate::error::{Exit, Result};
use crate::finder::{self, Noun};
use crate::numbers;
use crate::session::Session;

/// List where a dynamic behavior set applied, latest first.
///
/// Tells in which conversation, with which version, and which message led to it.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge asset invocations 'Calm down'\n  forge asset invocations 'Calm down' --limit 1 --json\n\n\
    In a pipe, each line has: time, version, conversation, service, user, the message that led to it, the agent's answer; \
    all but the first two are ids."
)]
pub(crate) struct Args {
    /// Name or id of the behavior set; of several with one name, the active one is meant.
    #[arg(value_name = "BEHAVIOR")]
    behavior: String,
    /// List at most so many.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = numbers::from_one::<i64>)]
    limit: i64,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result<Exit> {
    let (ui, client) = (&session.ui, &session.client);
    let set = find(client, &args.behavior).await?;
    let page = client.behavior_invocations(set.id).at_most(args.limit).await?;
    if ui.json {
        ui.document(&page.json)?;
        return Ok(Exit::Ok);
    }
    let names = if ui.is_terminal() && !page.value.is_empty() {
        service_names(client).await?
    } else {
        HashMap::new()
    };
    ui.rows(
        &page.value,
        [
            "when",
            "version",
            "conversation",
            "service",
            "user",
            "led by message",
        ],
        |row| {
            let service = names.get(&row.service_id).unwrap_or(&row.service_id);
            [
                ui.time(&row.invoked_at),
                row.dynamic_behavior_set_version_info.1.to_string(),
                row.conversation_id.clone(),
                service.clone(),
                row.user_id.clone(),
                row.initial_message_id.clone(),
            ]
        },
        |row| {
            [
                row.invoked_at.clone(),
                row.dynamic_behavior_set_version_info.1.to_string(),
                row.conversation_id.clone(),
                row.service_id.clone(),
                row.user_id.clone(),
                row.initial_message_id.clone(),
                row.agent_message_id.clone().unwrap_or_default(),
            ]
        },
    )?;
    if page.value.is_empty() {
        ui.note(&format!(
            "`{}` has applied in no conversation that you may read",
            set.name
        ));
    } else if page.has_more {
        ui.note("there are older ones; `--limit N` lists more");
    }
    Ok(Exit::Ok)
}

/// Returns the names of the services that the caller may see, by id.
///
/// Whoever may see none is shown the ids.
async fn service_names(client: &Client) -> Result<HashMap<String, String>> {
    match client.services(&[], None).all().await {
        Ok(services) => {
            let pairs = services.value.into_iter();
            Ok(pairs
                .map(|service| (service.id.to_string(), service.name))
                .collect())
        }
        Err(ClientError::Forbidden(_)) => Ok(HashMap::new()),
        Err(error) => Err(error.into()),
    }
}

/// Finds a behavior set by its id or its exact name.
async fn find(client: &Client, wanted: &str) -> Result<BehaviorSet> {
    if let Ok(id) = wanted.parse() {
        let found = client.behavior_sets(&[id]).all().await?.value;
        if let Some(set) = found.into_iter().next() {
            return Ok(set);
        }
    }
    let all = client.behavior_sets(&[]).all().await?.value;
    Ok(finder::by_name(all, wanted, Noun::BEHAVIOR_SET)?.thing)
}
