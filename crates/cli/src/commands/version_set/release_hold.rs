//! `forge version-set release-hold`

use forge_client::ClientError;
use forge_client::answers::{Service, VersionSet};
use forge_domain::SetName;
use serde_json::value::RawValue;

use crate::change::{self, ApplyArgs, Done, Proposal, Verdict, unanswered};
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
    #[command(flatten)]
    change: ApplyArgs,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result<Exit> {
    let client = &session.client;
    let service = lookup::service(session, &args.service).await?;
    let answer = match client.version_set(service.id, &args.set).await {
        Ok(answer) => answer,
        Err(error) => return Err(lookup::no_such_set(session, service.id, &[&args.set], error).await),
    };
    let revision = answer.value.revision;
    let release = ReleaseHold {
        check: session.command(&format!(
            "version-set show {} {}",
            lookup::handle(&service),
            args.set
        )),
        service,
        set: answer.value,
        json: answer.json,
    };
    change::carry_out(session, &args.change, &release, async || {
        let lifted = client.lift_hold(release.service.id, &args.set, revision).await;
        lifted.map_err(|error| release.refused(&session.ui, error))?;
        let json = if session.ui.json {
            Some(client.version_set(release.service.id, &args.set).await?.json)
        } else {
            None
        };
        Ok(Done::new(
            format!("done: `{}` is not held any more", args.set),
            json,
        ))
    })
    .await
}

/// The hold of a set, which is to be lifted.
struct ReleaseHold {
    service: Service,
    set: VersionSet,
    /// The set, as the server sent it.
    json: Box<RawValue>,
    check: String,
}

impl ReleaseHold {
    /// Returns why the hold was not lifted, with the one that is there now.
    fn refused(&self, ui: &Ui, error: ClientError) -> Failure {
        let ClientError::SetMoved { version_set, .. } = &error else {
            return unanswered(error, &self.check);
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
}

impl Proposal for ReleaseHold {
    fn show(&self, session: &Session) -> Result<()> {
        let ui = &session.ui;
        ui.note(&format!(
            "lift the hold on `{}` of `{}`:",
            self.set.name, self.service.name
        ));
        if ui.json {
            return Ok(());
        }
        ui.rows(
            self.set.hold.as_slice(),
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
        )
    }

    fn verdict(&self, _: &ApplyArgs) -> Verdict {
        match self.set.hold {
            Some(_) => Verdict::Go,
            None => Verdict::NoOp("it is not held; there is nothing to change"),
        }
    }

    fn document(&self) -> Result<Box<RawValue>> {
        Ok(self.json.clone())
    }

    fn check(&self) -> &str {
        &self.check
    }

    async fn recheck(&self, session: &Session) -> Result<()> {
        let shown = [(self.service.id, self.service.name.clone())];
        lookup::refuse_if_renamed(session, &shown).await
    }
}
