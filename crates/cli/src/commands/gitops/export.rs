//! `forge export`

use std::path::PathBuf;

use super::{files, server};
use crate::error::{Exit, Result};
use crate::session::{Common, interruptible};
use crate::ui::quoted;

/// Write the agents, context graphs, services and version sets of an organization as files.
///
/// The files are the same as long as nothing changes, and made for `git diff`. An earlier export in the folder is brought up
/// to date; what is not an export is left alone. No secrets, users or roles are written, nor histories.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge export\n  forge export -o releases && git -C releases diff\n\n`forge apply` makes a server like the files."
)]
pub(crate) struct Args {
    /// Folder to write to [default: one named like the organization].
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) common: Common,
}

pub(crate) async fn run(args: Args) -> Result<Exit> {
    interruptible(export(args)).await
}

async fn export(args: Args) -> Result<Exit> {
    let session = args.common.session()?;
    let (ui, client) = (&session.ui, &session.client);
    let folder = args
        .output
        .unwrap_or_else(|| PathBuf::from(&client.credentials().organization_id));
    let known = server::ask(ui, client, |_, _| true).await?;
    let (tree, left_out) = known.into_tree();
    for text in left_out {
        ui.warning(&format!("left out: {text}"));
    }
    let changed = files::write(&folder, &tree)?;
    let place = quoted(&folder.display().to_string());
    ui.note(&match changed {
        0 => format!("{place} is up to date"),
        1 => format!("1 file in {place} was changed"),
        many => format!("{many} files in {place} were changed"),
    });
    Ok(Exit::Ok)
}
