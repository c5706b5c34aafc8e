//! `forge auth logout`

use crate::error::{Exit, Failure, Result};
use crate::profile::{self, Places, Source};
use crate::session::{Common, token_cache};

/// Forget a profile and its token.
///
/// The API key itself stays valid.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  forge auth logout\n  forge auth logout --env staging")]
pub(crate) struct Args {}

pub(crate) fn run(common: &Common, Args {}: Args) -> Result<Exit> {
    let ui = common.ui();
    let places = Places::of_process();
    let name = places.name(common.env.as_deref())?;
    // What would be used tells which token to forget; there may be none.
    let found = places.find(common.env.as_deref()).ok();
    let cache = token_cache(&places.folders);
    let token = match (&found, cache) {
        (Some(profile), Some(cache)) => cache.forget(&profile.credentials)?,
        _ => false,
    };
    let path = places
        .folders
        .configuration
        .as_ref()
        .map(|folder| profile::path_in(folder, name));
    let removed = path.filter(|path| path.is_file());
    if let Some(path) = &removed {
        // Its token is another one than that of the variables, if those are in use.
        if let Some(cache) = token_cache(&places.folders)
            && let Ok(Some(credentials)) = profile::read_file(path)
        {
            cache.forget(&credentials)?;
        }
        std::fs::remove_file(path)
            .map_err(|error| Failure::failed(format!("cannot remove {}: {error}", path.display())))?;
        ui.note(&format!(
            "the profile `{name}` is forgotten; its API key stays valid until it ends or is deleted"
        ));
    }
    match found.map(|profile| profile.source) {
        Some(Source::Variables(prefix)) => {
            ui.note(&format!(
                "the variables {prefix}… are still set; unset them to be signed out"
            ));
        }
        Some(Source::File(path)) if Some(&path) != removed.as_ref() => {
            ui.note(&format!(
                "{} is not in your configuration and stays",
                path.display()
            ));
        }
        _ if removed.is_none() && !token => {
            ui.note(&format!("there is no profile `{name}`; nothing was changed"));
        }
        _ => {}
    }
    Ok(Exit::Ok)
}
