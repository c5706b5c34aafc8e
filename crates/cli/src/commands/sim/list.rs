//! `forge sim list`

use std::collections::HashMap;

use forge_client::simulations::{Run, RunFilter};
use forge_domain::UnitTestSetId;

use super::{find, report};
use crate::error::{Exit, Result};
use crate::numbers;
use crate::session::Session;

/// List runs, newest first.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge sim list\n  forge sim list --set smoke --limit 5\n\n\
    In a pipe, each line has: id of the run, name of the set, how it stands (running, passed, failed, errored or cancelled), \
    conversations that passed, conversations, time, user."
)]
pub(crate) struct Args {
    /// Only runs of this set of unit tests, by name or id.
    #[arg(long, value_name = "SET")]
    set: Option<String>,
    /// How many at most.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = numbers::from_one::<i64>)]
    limit: i64,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result<Exit> {
    let (ui, client) = (&session.ui, &session.client);
    let mut filter = RunFilter::default();
    if let Some(set) = &args.set {
        filter.unit_test_sets = vec![find::unit_test_set(client, set).await?.id];
    }
    let page = client.runs(filter).at_most(args.limit).await?;
    if ui.json {
        ui.document(&page.json)?;
        return Ok(Exit::Ok);
    }
    if page.value.is_empty() {
        ui.note("there are no such runs");
    }
    let names: HashMap<UnitTestSetId, String> = client
        .unit_test_sets(&[])
        .all()
        .await?
        .value
        .into_iter()
        .map(|set| (set.id, set.name))
        .collect();
    let name = |run: &Run| {
        let name = names.get(&run.unit_test_set_id);
        name.cloned().unwrap_or_else(|| run.unit_test_set_id.to_string())
    };
    ui.rows(
        &page.value,
        ["run", "set", "outcome", "passed", "tried", "began"],
        |run| {
            [
                run.id.to_string(),
                name(run),
                report::outcome(run).to_owned(),
                passed(run),
                report::targets(run).join("; "),
                ui.time(&run.created_at),
            ]
        },
        |run| {
            let total = report::total(run);
            [
                run.id.to_string(),
                name(run),
                report::outcome(run).to_owned(),
                total.passed.to_string(),
                run.conversations.to_string(),
                run.created_at.clone(),
                run.creator.user_id.clone(),
            ]
        },
    )?;
    if page.has_more {
        ui.note("there are more; `--limit` tells more of them");
    }
    Ok(Exit::Ok)
}

fn passed(run: &Run) -> String {
    if run.is_completed {
        let total = report::total(run);
        return format!("{}/{}", total.passed, run.conversations);
    }
    format!("{}/{} ended", run.conversations_finished, run.conversations)
}
