//! `forge export`

use std::path::PathBuf;

use forge_domain::OrganizationId;

use super::{files, server};
use crate::error::{Exit, Failure, Result};
use crate::session::{Common, interruptible};
use crate::ui::quoted;

/// How many files are listed.
const LISTED: usize = 10;

/// Write the agents, context graphs, services and version sets of an organization as files.
///
/// The files are the same as long as nothing changes, and made for `git diff`. An earlier export in the folder is brought up
/// to date; what no export wrote is left alone, and links are not followed. No secrets, users or roles are written, nor histories.
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
    let folder = match args.output {
        Some(folder) => folder,
        None => folder_of(&client.credentials().organization_id)?,
    };
    let known = server::ask(ui, client, |_, _| true).await?;
    let (tree, left_out) = known.into_tree();
    for text in left_out {
        ui.warning(&format!("left out: {text}"));
    }
    let written = files::write(&folder, &tree)?;
    let place = quoted(&folder.display().to_string());
    if !written.left.is_empty() {
        ui.warning(&left_alone(&written.left));
    }
    ui.note(&match written.changed {
        0 => format!("{place} is up to date"),
        1 => format!("1 file in {place} was changed"),
        many => format!("{many} files in {place} were changed"),
    });
    Ok(Exit::Ok)
}

/// Returns the folder that is named like the organization.
///
/// Nobody named it, so it leads nowhere else.
fn folder_of(organization: &str) -> Result<PathBuf> {
    let folder = PathBuf::from(organization);
    let text = if organization.parse::<OrganizationId>().is_err() {
        "it is no name of a folder"
    } else if folder.is_symlink() {
        "there is a link of that name"
    } else {
        return Ok(folder);
    };
    Err(
        Failure::failed(format!("cannot write to a folder `{organization}`: {text}"))
            .hint("name a folder by `-o`"),
    )
}

/// Tells which files are neither the server's nor an earlier export's.
fn left_alone(files: &[PathBuf]) -> String {
    let names = files.iter().take(LISTED).map(|path| path.display().to_string());
    let names = names.collect::<Vec<_>>().join(", ");
    let more = if files.len() > LISTED { ", …" } else { "" };
    format!("left alone, as no export wrote them and they are not on the server: {names}{more}")
}
