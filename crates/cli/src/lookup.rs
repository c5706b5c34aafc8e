//! Finding what people name: services by name or id, versions by number.

use forge_client::Client;
use forge_client::answers::{AssetVersion, Service};
use forge_domain::ServiceId;
use forge_domain::refusal::AssetKind;

use crate::error::{Failure, Result};
use crate::ui::Ui;

/// How many candidates and suggestions are listed.
const LISTED: usize = 10;

/// Finds a service by its id or its exact name.
pub(crate) async fn service(client: &Client, wanted: &str) -> Result<Service> {
    if let Ok(id) = wanted.parse::<ServiceId>() {
        let found = client.services(&[id], None).all().await?.value;
        if let Some(service) = found.into_iter().next() {
            return Ok(service);
        }
    }
    let all = client.services(&[], None).all().await?.value;
    choose(all, wanted)
}

/// Returns the id of a service without asking the server, if that is what was named.
pub(crate) async fn service_id(client: &Client, wanted: &str) -> Result<ServiceId> {
    match wanted.parse() {
        Ok(id) => Ok(id),
        Err(_) => Ok(service(client, wanted).await?.id),
    }
}

fn choose(all: Vec<Service>, wanted: &str) -> Result<Service> {
    let (mut named, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|service| service.name == wanted);
    match (named.pop(), named.is_empty()) {
        (Some(service), true) => Ok(service),
        (Some(last), false) => {
            named.push(last);
            Err(ambiguous(&named, wanted))
        }
        (None, _) => Err(unknown(&others, wanted)),
    }
}

fn ambiguous(named: &[Service], wanted: &str) -> Failure {
    let mut failure = Failure::failed(format!("{} services are called `{wanted}`", named.len()));
    for service in named.iter().take(LISTED) {
        let state = if service.is_active { "active" } else { "inactive" };
        failure
            .details
            .push(format!("{}  {state}  {}", service.id, service.description));
    }
    failure.hint("name the one that you mean by its id")
}

fn unknown(others: &[Service], wanted: &str) -> Failure {
    let failure = Failure::failed(format!("there is no service `{wanted}`"));
    let lower = wanted.to_lowercase();
    let is_alike = |service: &&Service| {
        let name = service.name.to_lowercase();
        name.contains(&lower) || lower.contains(&name)
    };
    let alike: Vec<&Service> = others.iter().filter(is_alike).collect();
    let (listed, label) = if alike.is_empty() {
        (others.iter().collect(), "the services are")
    } else {
        (alike, "did you mean")
    };
    let names: Vec<String> = listed
        .iter()
        .take(LISTED)
        .map(|service| format!("`{}`", service.name))
        .collect();
    match (names.as_slice(), label) {
        ([], _) => failure.hint("the organization has no service that you may see"),
        (names, "did you mean") => failure.hint(format!("did you mean {}?", names.join(" or "))),
        (names, label) => {
            let more = if listed.len() > LISTED { ", …" } else { "" };
            failure.hint(format!("{label} {}{more}", names.join(", ")))
        }
    }
}

/// Makes sure that a version exists before anything is sent that names it.
pub(crate) async fn check_version(
    ui: &Ui,
    client: &Client,
    kind: AssetKind,
    id: &str,
    version: i64,
    option: &str,
) -> Result<()> {
    let newest = client.asset_versions(kind, id).at_most(3).await?.value;
    let latest = newest.first().map_or(0, |newest| newest.version);
    if (1..=latest).contains(&version) {
        return Ok(());
    }
    let name = client.assets(kind, &[id.to_owned()]).all().await?.value;
    let name = name.first().map_or(id, |asset| asset.name.as_str());
    Err(no_such_version(ui, kind, name, version, &newest, option))
}

fn no_such_version(
    ui: &Ui,
    kind: AssetKind,
    name: &str,
    version: i64,
    newest: &[AssetVersion],
    option: &str,
) -> Failure {
    let Some(latest) = newest.first().map(|newest| newest.version) else {
        return Failure::failed(format!(
            "{kind} `{name}` has no version {version}; it has none at all"
        ));
    };
    let mut failure = Failure::failed(format!(
        "{kind} `{name}` has no version {version}; the newest is {latest}"
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

    fn services(names: &[&str]) -> Vec<Service> {
        let service = |(position, name): (usize, &&str)| {
            let id = format!("{position:024x}");
            let json = serde_json::json!({
                "id": id, "name": name, "is_active": position == 0, "agent_id": id,
                "service_hierarchical_state_machine_id": id,
            });
            serde_json::from_value(json).unwrap()
        };
        names.iter().enumerate().map(service).collect()
    }

    #[test]
    fn a_service_is_found_by_its_exact_name_only() {
        let names = ["Dental care", "Eye care", "Eye care", "Ear"];
        assert_eq!(choose(services(&names), "Ear").unwrap().name, "Ear");
        let failure = choose(services(&names), "Eye care").unwrap_err();
        assert_eq!(failure.message.unwrap(), "2 services are called `Eye care`");
        assert_eq!(failure.details.len(), 2);
        let hint = |wanted| choose(services(&names), wanted).unwrap_err().hints.remove(0);
        assert_eq!(hint("dental CARE"), "did you mean `Dental care`?");
        assert_eq!(
            hint("Nose"),
            "the services are `Dental care`, `Eye care`, `Eye care`, `Ear`"
        );
        assert!(choose(Vec::new(), "x").unwrap_err().hints[0].contains("no service"));
    }
}
