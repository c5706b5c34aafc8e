//! `forge version-set delete`

use forge_client::ChangeOptions;
use forge_domain::SetName;

use crate::change::Done;
use crate::error::{Exit, Failure, Result};
use crate::lookup;
use crate::session::Session;
use crate::set_change::{Planned, SetChange, SetChangeArgs};

/// Delete a set.
///
/// Its history stays, and a set of the same name goes on counting its revisions.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge version-set delete 'Dental care' personal-alex\n  \
    forge version-set delete 'Dental care' personal-alex --apply"
)]
pub(crate) struct Args {
    /// Name or id of the service.
    service: String,
    /// Name of the set.
    #[arg(value_name = "NAME")]
    set: SetName,
    /// Delete it although a rollback left a hold on it.
    #[arg(long)]
    lift_hold: bool,
    #[command(flatten)]
    change: SetChangeArgs,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result<Exit> {
    let client = &session.client;
    let service = lookup::service(session, &args.service).await?;
    let options = |plan_digest: Option<String>| ChangeOptions {
        dry_run: plan_digest.is_none(),
        plan_digest,
        message: args.change.message.clone(),
        lift_hold: args.lift_hold,
        expected: args.change.expected(),
    };
    let change = SetChange::new(
        session,
        &args.change.apply,
        std::slice::from_ref(&service),
        &args.set,
    );
    let planned = client
        .delete_version_set(service.id, &args.set, options(None))
        .await;
    let planned = match planned {
        Ok(planned) => planned,
        Err(error) => return Err(change.unplanned(error, &[&args.set]).await),
    };
    let plan = planned
        .value
        .ok_or_else(|| Failure::failed("the server answered no plan"))?;
    let planned = Planned::one(plan, planned.json);
    let act = async |digest: String| {
        client
            .delete_version_set(service.id, &args.set, options(Some(digest)))
            .await?;
        Ok(Done::new(format!("done: `{}` is deleted", args.set), None))
    };
    change.carry_out(planned, act).await
}
