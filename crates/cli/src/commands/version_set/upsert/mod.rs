//! `forge version-set upsert`

mod model_arg;
mod pins_file;
mod version_arg;

use std::path::PathBuf;

use forge_client::answers::{Pins, Service};
use forge_client::{ChangeOptions, ClientError, Expected};
use forge_domain::SetName;
use forge_domain::asset::AssetId;

use model_arg::ModelArg;
use version_arg::VersionArg;

use crate::change::Done;
use crate::creation;
use crate::error::{Exit, Failure, Result};
use crate::lookup::{self, NamedVersion};
use crate::session::Session;
use crate::set_change::{Planned, SetChange, SetChangeArgs};

/// Create a set, or change what it pins.
///
/// What you do not name stays as it is; in a new set, it floats with the latest.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge version-set upsert 'Dental care' preview --agent-version 2 --context-graph-version 2\n  \
    forge version-set upsert 'Dental care' personal-alex --apply\n  \
    forge version-set upsert 'Dental care' personal-alex --model engage-user=aws_claude-sonnet-4-6,temperature=0.2 --apply\n  \
    forge version-set upsert 'Dental care' personal-alex --unset-model engage-user --apply"
)]
pub(crate) struct Args {
    /// Name or id of the service.
    service: String,
    /// Name of the set.
    #[arg(value_name = "NAME")]
    set: SetName,
    /// Version of the agent: a number, `latest` to float with the newest, or `keep`.
    #[arg(long, short, value_name = "N|latest|keep")]
    agent_version: Option<VersionArg>,
    /// Version of the context graph, likewise.
    #[arg(long, short = 'g', value_name = "N|latest|keep")]
    context_graph_version: Option<VersionArg>,
    /// Prefer a model where this interaction calls one, with parameters if need be. May be repeated.
    #[arg(long = "model", value_name = "INTERACTION=MODEL[,PARAM=VALUE…]")]
    models: Vec<ModelArg>,
    /// Prefer no model for this interaction. May be repeated.
    #[arg(long = "unset-model", value_name = "INTERACTION")]
    unset_models: Vec<String>,
    /// Begin with the pins of this JSON file instead of those that the set has; `-` is stdin.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Create the set although it is called nearly like another one.
    #[arg(long)]
    create: bool,
    /// Lift the hold on the set, if a rollback left one.
    #[arg(long)]
    lift_hold: bool,
    #[command(flatten)]
    change: SetChangeArgs,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result<Exit> {
    let client = &session.client;
    let file = args.from.as_deref().map(pins_file::read).transpose()?;
    let service = lookup::service(session, &args.service).await?;
    let current = match client.version_set(service.id, &args.set).await {
        Ok(set) => Some(set.value),
        // The service is there, so it is the set that is not.
        Err(ClientError::NotFound(_)) => None,
        Err(error) => return Err(error.into()),
    };
    refuse_another_revision(&args, current.as_ref().map(|set| set.revision))?;
    let pins = wanted(&args, current.as_ref().map(|set| &set.pins), file)?;
    check_versions(session, &service, &pins).await?;
    // What is kept was read just now: if the set moves meanwhile, nothing is written.
    let expected = current
        .as_ref()
        .map_or(Expected::Absent, |set| Expected::At(set.revision));
    let options = |plan_digest: Option<String>| ChangeOptions {
        dry_run: plan_digest.is_none(),
        plan_digest,
        message: args.change.message.clone(),
        lift_hold: args.lift_hold,
        expected: Some(expected),
    };
    let change = SetChange::new(
        session,
        &args.change.apply,
        std::slice::from_ref(&service),
        &args.set,
    );
    let planned = client
        .upsert_version_set(service.id, &args.set, &pins, options(None))
        .await;
    let planned = planned.map_err(|error| change.refused(error))?;
    let mut plan = planned
        .value
        .ok_or_else(|| Failure::failed("the server answered no plan"))?;
    creation::of_set(
        &mut plan,
        service.version_sets.keys().map(String::as_str),
        args.create,
    );
    let planned = Planned::one(plan, planned.json).with_findings()?;
    let act = async |digest: String| {
        client
            .upsert_version_set(service.id, &args.set, &pins, options(Some(digest)))
            .await?;
        Ok(Done::new(
            format!("done: `{}` pins what the plan says", args.set),
            None,
        ))
    };
    change.carry_out(planned, act).await
}

/// Refuses to go on from another revision than the one that is asked for, though it may come meanwhile: what is kept
/// would be that of another one.
fn refuse_another_revision(args: &Args, read: Option<i64>) -> Result<()> {
    let Some(asked) = args.change.expect_revision.filter(|asked| Some(*asked) != read) else {
        return Ok(());
    };
    let is = read.map_or_else(
        || "is not there".to_owned(),
        |read| format!("is at revision {read}"),
    );
    let text = format!("`{}` {is}, and `--expect-revision` says {asked}", args.set);
    Err(Failure::new(Exit::Conflict, text).hint("nothing was changed; look at the plan anew"))
}

/// Returns what the set is to pin: what it pins now or the file says, changed by the options.
fn wanted(args: &Args, current: Option<&Pins>, file: Option<Pins>) -> Result<Pins> {
    let kept = current.cloned().unwrap_or_default();
    let mut pins = file.unwrap_or_else(|| kept.clone());
    if let Some(version) = args.agent_version {
        pins.agent_version_number = version.of(kept.agent_version_number);
    }
    if let Some(version) = args.context_graph_version {
        pins.context_graph_version_number = version.of(kept.context_graph_version_number);
    }
    for interaction in &args.unset_models {
        if pins.llm_model_preferences.shift_remove(interaction).is_none() {
            let text = format!("`{}` prefers no model for `{interaction}`", args.set);
            return Err(Failure::failed(text).hint("`forge version-set show` tells its models"));
        }
    }
    for model in &args.models {
        pins.llm_model_preferences
            .insert(model.interaction.clone(), model.preference.clone());
    }
    Ok(pins)
}

async fn check_versions(session: &Session, service: &Service, pins: &Pins) -> Result<()> {
    for (id, version, option) in [
        (
            AssetId::from(service.agent_id),
            pins.agent_version_number,
            "--agent-version",
        ),
        (
            service.context_graph_id.into(),
            pins.context_graph_version_number,
            "--context-graph-version",
        ),
    ] {
        if let Some(number) = version {
            let named = NamedVersion { id, number, option };
            lookup::check_version(&session.ui, &session.client, &named).await?;
        }
    }
    Ok(())
}
