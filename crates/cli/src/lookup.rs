//! Finding what people name: services by name or id, versions by number.

use forge_client::answers::{AssetVersion, Service};
use forge_client::{Client, ClientError};
use forge_domain::asset::AssetId;
use forge_domain::{ServiceId, SetName};

use crate::change::LOOK_ANEW;
use crate::error::{Exit, Failure, Result};
use crate::finder::{self, Found, Noun};
use crate::session::Session;
use crate::ui::{Style, Ui, plain, quoted};

/// How many candidates are listed.
const LISTED: usize = 10;

/// The sets that mean the same everywhere.
pub(crate) const KNOWN_SETS: [&str; 4] = ["edge", "release", "preview", "test"];

/// Finds a service by its id or its exact name, which means the active one.
pub(crate) async fn service(session: &Session, wanted: &str) -> Result<Service> {
    let client = &session.client;
    if let Ok(id) = wanted.parse::<ServiceId>() {
        let found = client.services(&[id], None).all().await?.value;
        if let Some(service) = found.into_iter().next() {
            return Ok(service);
        }
    }
    let all = client.services(&[], None).all().await?.value;
    let found = finder::by_name(all, wanted, Noun::SERVICE)?;
    if !found.namesakes.is_empty() {
        session.ui.note(&namesakes(&found));
    }
    Ok(found.thing)
}

/// Refuses to change what was named if a name means another service by now, or none: plans are about ids, people about
/// names.
pub(crate) async fn refuse_if_renamed(session: &Session, seen: &[(ServiceId, String)]) -> Result<()> {
    let ids: Vec<ServiceId> = seen.iter().map(|(id, _)| *id).collect();
    let now = session.client.services(&ids, None).all().await?.value;
    let is_there = |(id, name): &&(ServiceId, String)| {
        now.iter()
            .any(|service| service.id == *id && service.name == *name)
    };
    match seen.iter().find(|seen| !is_there(seen)) {
        None => Ok(()),
        Some((id, name)) => Err(Failure::new(
            Exit::Conflict,
            format!("the service {id} is not called `{name}` any more"),
        )
        .hint(LOOK_ANEW)),
    }
}

/// Returns the id of a service without asking the server, if that is what was named.
pub(crate) async fn service_id(session: &Session, wanted: &str) -> Result<ServiceId> {
    match wanted.parse() {
        Ok(id) => Ok(id),
        Err(_) => Ok(service(session, wanted).await?.id),
    }
}

/// Returns how a command line names a service: by its name where that means it and can be typed, else by its id.
pub(crate) fn handle(service: &Service) -> String {
    let name = &service.name;
    let is_typed = !name.starts_with('-') && plain(name) == *name && name.trim() == name;
    if service.is_active && is_typed && name.parse::<ServiceId>().is_err() {
        quoted(name)
    } else {
        service.id.to_string()
    }
}

/// Says which service a name means, and by what the others are meant.
fn namesakes(found: &Found<Service>) -> String {
    let ids: Vec<String> = found
        .namesakes
        .iter()
        .take(LISTED)
        .map(|other| other.id.to_string())
        .collect();
    let more = if found.namesakes.len() > LISTED {
        ", …"
    } else {
        ""
    };
    format!(
        "`{}` means the active service {}; inactive ones of that name are meant by their ids only: {}{more}",
        found.thing.name,
        found.thing.id,
        ids.join(", ")
    )
}

/// Returns why a command about sets of a service failed; if one of them is not there, with those that are, or what it
/// was.
pub(crate) async fn no_such_set(
    session: &Session,
    service: ServiceId,
    wanted: &[&SetName],
    error: ClientError,
) -> Failure {
    let is_missing = matches!(error, ClientError::NotFound(_));
    let failure = Failure::from(error);
    if !is_missing {
        return failure;
    }
    // What cannot be read says nothing; the error is told all the same.
    let Ok(sets) = session.client.version_sets(service).await else {
        return failure;
    };
    let sets = sets.value.version_sets;
    let mut names: Vec<&str> = sets.iter().map(|set| set.name.as_str()).collect();
    names.sort_by_key(|name| set_order(name));
    let missing = wanted.iter().find(|wanted| !names.contains(&wanted.as_str()));
    let Some(missing) = missing else { return failure };
    let history = session.client.history(service, missing).at_most(1).await;
    if history.is_ok_and(|history| !history.value.is_empty()) {
        let command = session.command(&format!("version-set history {service} {missing}"));
        return failure.hint(format!("`{missing}` was deleted; `{command}` tells what it was"));
    }
    finder::suggest(failure, missing.as_str(), &names, Noun::VERSION_SET)
}

/// Shows which sets may have been meant by one that is not there, if they can be read.
pub(crate) async fn suggest_sets(session: &Session, service: ServiceId, wanted: &SetName) {
    let missing = ClientError::NotFound(format!("the service has no version set `{wanted}`"));
    let failure = no_such_set(session, service, &[wanted], missing).await;
    for hint in failure.hints {
        session.ui.labelled(Style::Hint, "hint", &hint);
    }
}

/// Puts the sets that mean the same everywhere first: `edge`, `release`, `preview`, `test`, then the others by name.
pub(crate) fn set_order(name: &str) -> (usize, String) {
    let place = KNOWN_SETS.iter().position(|known| *known == name);
    (place.unwrap_or(KNOWN_SETS.len()), name.to_owned())
}

/// A version that an option of a command names.
pub(crate) struct NamedVersion<'a> {
    /// The id of the agent or the context graph.
    pub(crate) id: AssetId,
    pub(crate) number: i64,
    pub(crate) option: &'a str,
}

/// Ensures that a version exists before anything is sent that names it.
pub(crate) async fn check_version(ui: &Ui, client: &Client, named: &NamedVersion<'_>) -> Result<()> {
    let id = named.id;
    let newest = client.asset_versions(id).at_most(3).await?.value;
    let latest = newest.first().map_or(0, |newest| newest.version);
    if (1..=latest).contains(&named.number) {
        return Ok(());
    }
    let assets = client.assets(id.kind(), &[id]).all().await?.value;
    let asset = assets.into_iter().next();
    let name = asset.map_or_else(|| id.to_string(), |asset| asset.name);
    Err(no_such_version(ui, named, &name, &newest))
}

fn no_such_version(ui: &Ui, named: &NamedVersion<'_>, name: &str, newest: &[AssetVersion]) -> Failure {
    let NamedVersion { id, number, option } = named;
    let kind = id.kind();
    let Some(latest) = newest.first().map(|newest| newest.version) else {
        return Failure::failed(format!(
            "{kind} `{name}` has no version {number}; it has none at all"
        ));
    };
    let mut failure = Failure::failed(format!(
        "{kind} `{name}` has no version {number}; the newest is {latest}"
    ));
    for found in newest {
        let yanked = if found.yanked.is_some() { ", yanked" } else { "" };
        failure.details.push(format!(
            "version {}  {} by {}{yanked}",
            found.version,
            ui.time(&found.created_at),
            found.creator.user_id
        ));
    }
    let pinned = newest.iter().find(|version| version.yanked.is_none());
    let pinned = pinned.map_or(latest, |newest| newest.version);
    failure.hint(format!(
        "use `{option} {pinned}`, or `{option} latest` to float with the newest"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finder::tests::services;

    #[test]
    fn of_namesakes_the_ids_are_named() {
        let mut all = services(&["Care", "!Care", "Care"]);
        let found = Found {
            thing: all.remove(1),
            namesakes: all,
        };
        let note = namesakes(&found);
        for id in [0, 2] {
            assert!(note.contains(&format!("{id:024x}")), "{note}");
        }
    }

    #[test]
    fn hints_name_a_service_by_what_finds_it() {
        let handles: Vec<String> = services(&[
            "!Dental care",
            "Dental care",
            "!-dash",
            "!a\u{202e}b",
            "!0123456789abcdef01234567",
        ])
        .iter()
        .map(handle)
        .collect();
        let id = |position: usize| format!("{position:024x}");
        assert_eq!(handles, ["'Dental care'".to_owned(), id(1), id(2), id(3), id(4)]);
    }

    #[test]
    fn sets_that_mean_the_same_everywhere_come_first() {
        let mut names = ["personal-a", "test", "candidate", "release", "edge", "preview"];
        names.sort_by_key(|name| set_order(name));
        assert_eq!(
            names,
            ["edge", "release", "preview", "test", "candidate", "personal-a"]
        );
    }
}
