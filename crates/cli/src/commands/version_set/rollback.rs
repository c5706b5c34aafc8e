//! `forge version-set rollback`

use forge_client::Rollback;
use forge_domain::SetName;

use crate::error::{Exit, Result};
use crate::lookup;
use crate::numbers;
use crate::session::Session;
use crate::set_change::{Planned, SetChange, SetChangeArgs, done_at};

/// Restore what a set pinned before, and hold it there.
///
/// Until someone lifts the hold, nothing moves the set forward. Rolling back again goes further back, never
/// forward to what was undone.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  forge version-set rollback 'Dental care'\n  \
    forge version-set rollback 'Dental care' release --apply --message 'It books on holidays.'\n  \
    forge version-set rollback 'Dental care' release --to 1")]
pub(crate) struct Args {
    /// Name or id of the service.
    service: String,
    /// Name of the set.
    #[arg(value_name = "NAME", default_value = "release", value_parser = set_name)]
    set: SetName,
    /// Restore this revision [default: what was in force before].
    #[arg(long, value_name = "REVISION", value_parser = numbers::from_one::<i64>)]
    to: Option<i64>,
    /// Keep floating what floats.
    #[arg(long)]
    no_freeze: bool,
    /// Leave no hold, and lift one that is there.
    #[arg(long)]
    lift_hold: bool,
    #[command(flatten)]
    change: SetChangeArgs,
}

/// Reads the name of a set.
///
/// Who adds a revision means `--to`.
fn set_name(text: &str) -> std::result::Result<SetName, String> {
    if let Some((name, revision)) = text.split_once('@') {
        return Err(format!(
            "the revision to restore is an option: `{name} --to {revision}`"
        ));
    }
    text.parse()
        .map_err(|error: forge_domain::version_set::InvalidSetName| error.to_string())
}

pub(crate) async fn run(session: &Session, args: Args) -> Result<Exit> {
    let client = &session.client;
    let service = lookup::service(session, &args.service).await?;
    let body = |plan_digest: Option<String>| Rollback {
        to_revision: args.to,
        freeze: !args.no_freeze,
        options: args.change.options(plan_digest, args.lift_hold),
    };
    let expected = args.change.expected();
    let change = SetChange::new(
        session,
        &args.change.apply,
        std::slice::from_ref(&service),
        &args.set,
    );
    let planned = client
        .roll_back(service.id, &args.set, &body(None), expected)
        .await;
    let planned = match planned {
        Ok(planned) => planned,
        Err(error) => return Err(change.unplanned(error, &[&args.set]).await),
    };
    let planned = Planned::one(planned.value.plan, planned.json);
    let act = async |digest: String| {
        let done = client
            .roll_back(service.id, &args.set, &body(Some(digest)), expected)
            .await?;
        Ok(done_at(&args.set, done.value.revision, done.json))
    };
    change.carry_out(planned, act).await
}
