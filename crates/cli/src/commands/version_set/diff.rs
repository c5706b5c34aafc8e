//! `forge version-set diff`

use super::set_ref::SetRef;
use crate::error::{Exit, Result};
use crate::lookup;
use crate::session::Session;
use crate::ui::diff;

/// Show what differs between two sets, or two revisions.
///
/// Tells the pins, the models, the agent's texts, and the states and transitions of the context graph.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge version-set diff 'Dental care' release preview\n  \
    forge version-set diff 'Dental care' release@1 release --json\n\n\
    In a pipe, each line has: part, what happened (`changed`, `added`, `removed`, `unreachable`, or `same` for lines around \
    others), name, and what was before and what is after."
)]
pub(crate) struct Args {
    /// Name or id of the service.
    service: String,
    /// The set to compare to.
    #[arg(value_name = "A[@REVISION]")]
    base: SetRef,
    /// The other set.
    #[arg(value_name = "B[@REVISION]")]
    head: SetRef,
    /// Exit with 1 if anything differs, as in git.
    #[arg(long)]
    exit_code: bool,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result<Exit> {
    let (ui, client) = (&session.ui, &session.client);
    let service = lookup::service_id(session, &args.service).await?;
    let answer = client
        .diff(service, &args.base.to_string(), &args.head.to_string())
        .await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            let names = [&args.base.name, &args.head.name];
            return Err(lookup::no_such_set(session, service, &names, error).await);
        }
    };
    if ui.json {
        ui.document(&answer.json)?;
    } else {
        diff::show(ui, &diff::set_rows(&answer.value))?;
    }
    if answer.value.is_empty {
        ui.note(&format!("`{}` and `{}` are the same", args.base, args.head));
        return Ok(Exit::Ok);
    }
    Ok(if args.exit_code { Exit::Failed } else { Exit::Ok })
}
