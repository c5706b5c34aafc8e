//! `forge version-set promote`

use std::fmt;
use std::str::FromStr;

use forge_domain::SetName;
use forge_wire::promotion::Promote;

use super::promote_all;
use super::set_ref::SetRef;
use crate::change::{Change, Done, Planned, SetChangeArgs};
use crate::creation;
use crate::error::{Exit, Failure, Result};
use crate::lookup;
use crate::session::Session;

/// Copy what one set pins onto another, as one checked step.
///
/// What floats is written as the numbers that it means now, so that the target does not move by itself.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "forge version-set promote [OPTIONS] <SERVICE> <SOURCE[@REVISION]> <TARGET>\n       \
        forge version-set promote [OPTIONS] --all-services <SOURCE> <TARGET>",
    after_help = "Examples:\n  forge version-set promote 'Dental care' preview release\n  \
        forge version-set promote 'Dental care' preview release --apply --message 'Tried with five patients.'\n  \
        forge version-set promote --all-services preview release"
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are options, independent of each other"
)]
pub(crate) struct Args {
    /// Name or id of the service; left out with `--all-services`.
    service: String,
    /// The set to copy, as it is now or was at a revision.
    #[arg(value_name = "SOURCE[@REVISION]")]
    source: String,
    /// The set to copy it to.
    target: Option<String>,
    /// Promote in every active service that has SOURCE: all of them or none.
    #[arg(long, conflicts_with_all = ["no_freeze", "expect_revision"])]
    all_services: bool,
    /// Create TARGET although it is called nearly like another set.
    #[arg(long)]
    pub(super) create: bool,
    /// Keep floating what floats.
    #[arg(long)]
    no_freeze: bool,
    /// Lift the hold on the target, if a rollback left one.
    #[arg(long)]
    pub(super) lift_hold: bool,
    #[command(flatten)]
    pub(super) change: SetChangeArgs,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result<Exit> {
    match (&args.target, args.all_services) {
        (Some(target), false) => {
            let (source, target) = (parsed(&args.source)?, parsed(target)?);
            one(session, &args.service, &source, &target, &args).await
        }
        // Without the service, everything moves up by one place.
        (None, true) => {
            let (source, target) = (parsed(&args.service)?, parsed(&args.source)?);
            promote_all::run(session, &source, &target, &args).await
        }
        (Some(_), true) => Err(usage("`--all-services` takes SOURCE and TARGET only")),
        (None, false) => Err(usage(
            "name the service, the set to copy and the set to copy it to",
        )),
    }
}

async fn one(
    session: &Session,
    service: &str,
    source: &SetRef,
    target: &SetName,
    args: &Args,
) -> Result<Exit> {
    let client = &session.client;
    let service = lookup::service(session, service).await?;
    let body = |plan_digest: Option<String>| Promote {
        source: source.name.to_string(),
        source_revision: source.revision,
        freeze: !args.no_freeze,
        lift_hold: args.lift_hold,
        message: args.change.apply.message.clone(),
        dry_run: plan_digest.is_none(),
        plan_digest,
    };
    let expected = args.change.expected();
    let change = Change::new(
        session,
        &args.change.apply,
        std::slice::from_ref(&service),
        target,
    );
    let planned = client.promote(service.id, target, &body(None), expected).await;
    let planned = match planned {
        Ok(planned) => planned,
        Err(error) => return Err(change.unplanned(error, &[&source.name, target]).await),
    };
    let mut plan = planned.value.plan;
    creation::of_set(
        &mut plan,
        service.version_sets.keys().map(String::as_str),
        args.create,
    );
    if plan
        .blockers
        .iter()
        .any(|blocker| blocker.code == "unknown_source")
    {
        lookup::tell_sets(session, service.id, &source.name).await;
    }
    let planned = Planned::one(plan, planned.json).with_findings()?;
    let act = async |digest: String| {
        let done = client
            .promote(service.id, target, &body(Some(digest)), expected)
            .await?;
        Ok(Done::at(target, done.value.revision, Some(done.json)))
    };
    change.carry_out(planned, act).await
}

/// Reads a name.
fn parsed<T: FromStr<Err: fmt::Display>>(text: &str) -> Result<T> {
    text.parse().map_err(|error| usage(&format!("`{text}`: {error}")))
}

/// The command line is wrong.
fn usage(text: &str) -> Failure {
    Failure::new(Exit::Usage, text).hint("`forge version-set promote --help` tells how to call it")
}
