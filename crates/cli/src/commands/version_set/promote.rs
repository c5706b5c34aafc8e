//! `forge version-set promote`

use std::fmt;
use std::str::FromStr;

use forge_client::Promote;
use forge_domain::SetName;

use super::promote_all;
use super::promote_args::Args;
use super::set_ref::SetRef;
use crate::creation;
use crate::error::{Exit, Failure, Result};
use crate::lookup;
use crate::session::Session;
use crate::set_change::{Planned, SetChange, done_at};

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
        options: args.change.options(plan_digest, args.lift_hold),
    };
    let expected = args.change.expected();
    let change = SetChange::new(
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
        lookup::suggest_sets(session, service.id, &source.name).await;
    }
    let planned = Planned::one(plan, planned.json).with_findings()?;
    let act = async |digest: String| {
        let done = client
            .promote(service.id, target, &body(Some(digest)), expected)
            .await?;
        Ok(done_at(target, done.value.revision, done.json))
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
