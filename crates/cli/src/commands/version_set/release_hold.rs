//! `forge version-set release-hold`

use forge_client::ClientError;
use forge_domain::SetName;
use serde_json::value::RawValue;

use crate::change::{confirm, unanswered, watched};
use crate::error::{Exit, Failure, Result};
use crate::lookup;
use crate::session::Session;
use crate::ui::Ui;

/// Lift the hold that a rollback left.
///
/// The set can move forward again. What it pins stays as it is.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge version-set release-hold 'Dental care' release\n  \
    forge version-set release-hold 'Dental care' release --apply"
)]
pub(crate) struct Args {
    /// Name or id of the service.
    service: String,
    /// Name of the set.
    #[arg(value_name = "NAME", default_value = "release")]
    set: SetName,
    /// Do it; without this, the hold is only shown.
    #[arg(long, help_heading = "Change")]
    apply: bool,
    /// Do not ask.
    #[arg(long, short, requires = "apply", help_heading = "Change")]
    yes: bool,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result<Exit> {
    let (ui, client) = (&session.ui, &session.client);
    let service = lookup::service(session, &args.service).await?;
    let set = match client.version_set(service.id, &args.set).await {
        Ok(set) => set,
        Err(error) => return Err(lookup::no_such_set(session, service.id, &[&args.set], error).await),
    };
    session.tell_place();
    ui.note(&format!("lift the hold on `{}` of `{}`:", args.set, service.name));
    let Some(hold) = set.value.hold else {
        show(session, &set.json)?;
        ui.note("it is not held; there is nothing to change");
        return Ok(Exit::Ok);
    };
    if !ui.json {
        ui.rows(
            &[hold],
            ["held since", "by", "because"],
            |hold| {
                [
                    ui.time(&hold.since),
                    hold.by.user_id.clone(),
                    hold.reason.clone().unwrap_or_default(),
                ]
            },
            |hold| {
                [
                    hold.since.clone(),
                    hold.by.user_id.clone(),
                    hold.reason.clone().unwrap_or_default(),
                ]
            },
        )?;
    }
    if !args.apply {
        show(session, &set.json)?;
        ui.note("nothing was changed; `--apply` does it");
        return Ok(Exit::Ok);
    }
    confirm(session, args.yes).await?;
    lookup::refuse_if_renamed(session, &[(service.id, service.name.clone())]).await?;
    let check = session.command(&format!(
        "version-set show {} {}",
        lookup::handle(&service),
        args.set
    ));
    let revision = set.value.revision;
    let lifted = watched(&check, client.lift_hold(service.id, &args.set, revision)).await;
    lifted.map_err(|error| not_lifted(ui, error, &check))?;
    if ui.json {
        show(session, &client.version_set(service.id, &args.set).await?.json)?;
    }
    ui.note(&format!("done: `{}` is not held any more", args.set));
    Ok(Exit::Ok)
}

/// Tells why the hold was not lifted, with the one that is there now.
fn not_lifted(ui: &Ui, error: ClientError, check: &str) -> Failure {
    let ClientError::SetMoved { version_set, .. } = &error else {
        return unanswered(error, check);
    };
    let now = version_set.as_ref().and_then(|set| {
        let hold = set.hold.as_ref()?;
        let reason = hold.reason.as_ref();
        let because = reason.map(|reason| format!(", because: {reason}"));
        let (when, by) = (ui.time(&hold.since), &hold.by.user_id);
        Some(format!(
            "held since {when} by {by}{}",
            because.unwrap_or_default()
        ))
    });
    let mut failure = Failure::from(error);
    failure.details.extend(now);
    failure.hint("that hold was left alone; look at it anew")
}

fn show(session: &Session, json: &RawValue) -> Result<()> {
    if session.ui.json {
        session.ui.document(json)?;
    }
    Ok(())
}
