//! Finding one of many by what was typed and, if there is none, what may have been meant.

use forge_client::answers::{Asset, Service};
use forge_client::behaviors::BehaviorSet;
use forge_client::simulations::UnitTestSet;
use forge_domain::asset::AssetKind;
use forge_domain::name::is_same;

use crate::error::{Failure, Result};
use crate::likeness::{alike, each_once};

/// How many candidates are listed.
const LISTED: usize = 10;

/// What things of a kind are called in messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Noun {
    /// One of them, such as `service`.
    one: &'static str,
    /// More than one of them, such as `services`.
    plural: &'static str,
    /// What has none of them, as a sentence.
    none: &'static str,
}

impl Noun {
    pub(crate) const SERVICE: Self = Self {
        one: "service",
        plural: "services",
        none: "the organization has no service that you may see",
    };
    pub(crate) const VERSION_SET: Self = Self {
        one: "version set",
        plural: "sets",
        none: "the service has no set that you may see",
    };
    pub(crate) const BEHAVIOR_SET: Self = Self {
        one: "dynamic behavior set",
        plural: "sets",
        none: "the organization has no dynamic behavior set that you may see",
    };
    pub(crate) const UNIT_TEST_SET: Self = Self {
        one: "unit test set",
        plural: "sets",
        none: "the organization has no unit test set that you may see",
    };

    pub(crate) fn of_asset(kind: AssetKind) -> Self {
        match kind {
            AssetKind::Agent => Self {
                one: "agent",
                plural: "agents",
                none: "the organization has no agent that you may see",
            },
            AssetKind::ContextGraph => Self {
                one: "context graph",
                plural: "context graphs",
                none: "the organization has no context graph that you may see",
            },
        }
    }
}

/// Something that people name.
pub(crate) trait Named {
    fn id(&self) -> String;

    fn name(&self) -> &str;

    /// Returns `true` if its name means it.
    ///
    /// Names are unique among active things only.
    fn is_active(&self) -> bool {
        true
    }

    /// Returns what tells it from others of its name, beside its id.
    fn description(&self) -> Option<&str> {
        None
    }
}

impl Named for Service {
    fn id(&self) -> String {
        self.id.to_string()
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn is_active(&self) -> bool {
        self.is_active
    }

    fn description(&self) -> Option<&str> {
        Some(&self.description)
    }
}

impl Named for Asset {
    fn id(&self) -> String {
        self.id.to_string()
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl Named for BehaviorSet {
    fn id(&self) -> String {
        self.id.to_string()
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn is_active(&self) -> bool {
        self.is_active
    }
}

impl Named for UnitTestSet {
    fn id(&self) -> String {
        self.id.to_string()
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// What a name means.
#[derive(Debug)]
pub(crate) struct Found<T> {
    pub(crate) thing: T,
    /// Inactive things of the same name, which are not meant.
    pub(crate) namesakes: Vec<T>,
}

/// Returns what a name means: the active thing of that name, or the only one.
pub(crate) fn by_name<T: Named>(all: Vec<T>, typed: &str, noun: Noun) -> Result<Found<T>> {
    let (mut named, others): (Vec<T>, Vec<T>) =
        all.into_iter().partition(|thing| is_same(thing.name(), typed));
    let meant = match named.iter().position(T::is_active) {
        Some(active) => active,
        None if named.len() > 1 => return Err(ambiguous(&named, typed, noun)),
        None if named.is_empty() => return Err(not_found(noun, typed, others.iter().map(T::name))),
        None => 0,
    };
    Ok(Found {
        thing: named.remove(meant),
        namesakes: named,
    })
}

/// Returns the thing of this name or, if there is none, the one with this id.
pub(crate) fn by_name_or_id<'a, T: Named>(all: &'a [T], typed: &str) -> Option<&'a T> {
    let named = all.iter().find(|thing| is_same(thing.name(), typed));
    named.or_else(|| all.iter().find(|thing| thing.id() == typed))
}

fn ambiguous<T: Named>(named: &[T], typed: &str, noun: Noun) -> Failure {
    let mut failure = Failure::failed(format!(
        "{} {} are called `{typed}`, and none of them is active",
        named.len(),
        noun.plural
    ));
    for thing in named.iter().take(LISTED) {
        let text = format!("{}  {}", thing.id(), thing.description().unwrap_or_default());
        failure.details.push(text.trim_end().to_owned());
    }
    failure.hint("name the one that you mean by its id")
}

/// Says that there is nothing of a name, and what may have been meant.
pub(crate) fn not_found<'n>(noun: Noun, typed: &str, names: impl Iterator<Item = &'n str>) -> Failure {
    let failure = Failure::failed(format!("there is no {} `{typed}`", noun.one));
    suggest(failure, typed, &names.collect::<Vec<_>>(), noun)
}

/// Adds what may have been meant to a failure, or else what there is.
pub(crate) fn suggest(failure: Failure, typed: &str, names: &[&str], noun: Noun) -> Failure {
    let alike = alike(typed, names.iter().copied());
    if !alike.is_empty() {
        return failure.hint(did_you_mean(&alike));
    }
    let names = each_once(names.iter().copied());
    if names.is_empty() {
        return failure.hint(noun.none);
    }
    failure.hint(format!("the {} are {}", noun.plural, listed(&names)))
}

/// Asks whether one of these was meant.
pub(crate) fn did_you_mean(names: &[impl AsRef<str>]) -> String {
    format!("did you mean {}?", joined(names.iter().take(LISTED), " or "))
}

/// Returns the first of many texts as they stand in a sentence.
pub(crate) fn listed(names: &[impl AsRef<str>]) -> String {
    let more = if names.len() > LISTED { ", …" } else { "" };
    format!("{}{more}", joined(names.iter().take(LISTED), ", "))
}

/// Returns names as they stand in a sentence.
pub(crate) fn joined(names: impl IntoIterator<Item = impl AsRef<str>>, between: &str) -> String {
    let names = names.into_iter().map(|name| format!("`{}`", name.as_ref()));
    names.collect::<Vec<_>>().join(between)
}

#[cfg(test)]
pub(crate) mod tests {
    use forge_domain::asset::AssetId;

    use super::*;

    /// Services of these names; `!` stands before those of active ones.
    pub(crate) fn services(names: &[&str]) -> Vec<Service> {
        let service = |(position, name): (usize, &&str)| {
            let id = format!("{position:024x}");
            let json = serde_json::json!({
                "id": id, "name": name.trim_start_matches('!'), "is_active": name.starts_with('!'), "agent_id": id,
                "service_hierarchical_state_machine_id": id,
            });
            serde_json::from_value(json).unwrap()
        };
        names.iter().enumerate().map(service).collect()
    }

    fn service(names: &[&str], typed: &str) -> Result<Found<Service>> {
        by_name(services(names), typed, Noun::SERVICE)
    }

    #[test]
    fn a_name_means_the_active_service() {
        let names = ["Care", "!Care", "Care", "Ear", "Old", "Old"];
        let found = service(&names, "Care").unwrap();
        assert!(found.thing.is_active);
        assert_eq!(found.namesakes.len(), 2);
        // However an editor, a shell or a file system spells it.
        let found = service(&["!Caf\u{e9}", "Cafe"], "Cafe\u{301}").unwrap();
        assert_eq!(found.thing.name, "Caf\u{e9}");
        let found = service(&names, "Ear").unwrap();
        assert_eq!((found.thing.name.as_str(), found.namesakes.len()), ("Ear", 0));
        let failure = service(&names, "Old").unwrap_err();
        assert_eq!(
            failure.message.unwrap(),
            "2 services are called `Old`, and none of them is active"
        );
        assert_eq!(failure.details.len(), 2);
    }

    #[test]
    fn a_service_is_found_by_its_exact_name_only() {
        let names = ["!Dental care", "!Eye care", "!Ear"];
        assert_eq!(service(&names, "Ear").unwrap().thing.name, "Ear");
        let hint = |typed| service(&names, typed).unwrap_err().hints.remove(0);
        assert_eq!(hint("dental CARE"), "did you mean `Dental care`?");
        assert_eq!(hint("Nose"), "the services are `Dental care`, `Eye care`, `Ear`");
        assert!(service(&[], "x").unwrap_err().hints[0].contains("no service"));
    }

    /// Returns an agent without versions.
    pub(crate) fn agent(id: &str, name: &str) -> Asset {
        Asset {
            id: AssetId::parse(AssetKind::Agent, id).unwrap(),
            name: name.to_owned(),
            deprecated: false,
            latest_version: None,
        }
    }

    #[test]
    fn assets_are_found_by_their_exact_name_or_their_id() {
        let [a, b, c] = ["a", "b", "c"].map(|digit| digit.repeat(24));
        let all = [agent(&a, "Mira"), agent(&b, &a), agent(&c, "Nora")];
        let found = |typed: &str| by_name_or_id(&all, typed).map(|asset| asset.id.to_string());
        assert_eq!(found("Mira"), Some(a.clone()));
        assert_eq!(found(&a), Some(b), "a name wins over an id");
        assert_eq!(found(&c), Some(c.clone()));
        assert_eq!(found("mira"), None);
    }

    #[test]
    fn of_several_inactive_behavior_sets_of_one_name_the_ids_are_listed() {
        let id = |digit: &str| digit.repeat(24);
        let set = |digit: &str, is_active: bool| BehaviorSet {
            id: id(digit).parse().unwrap(),
            name: "Calm".to_owned(),
            is_active,
        };
        let found = |all| by_name(all, "Calm", Noun::BEHAVIOR_SET);
        let active = found(vec![set("1", false), set("2", true)]).unwrap();
        assert_eq!(active.thing.id.to_string(), id("2"));
        let failure = found(vec![set("3", false), set("4", false)]).unwrap_err();
        assert_eq!(failure.details, [id("3"), id("4")]);
        assert!(found(Vec::new()).unwrap_err().hints[0].contains("no dynamic behavior set"));
    }

    #[test]
    fn a_set_of_unit_tests_is_found_by_its_exact_name() {
        let set = |name: &str| {
            let json = serde_json::json!({"id": "0123456789abcdef01234567", "name": name});
            serde_json::from_value::<UnitTestSet>(json).unwrap()
        };
        let found = |typed| by_name(vec![set("smoke"), set("night")], typed, Noun::UNIT_TEST_SET);
        assert_eq!(found("night").unwrap().thing.name, "night");
        let failure = found("Smoke").unwrap_err();
        assert_eq!(failure.message.unwrap(), "there is no unit test set `Smoke`");
        assert_eq!(failure.hints, ["did you mean `smoke`?"]);
    }

    #[test]
    fn where_nothing_is_alike_all_names_are_listed() {
        let hint = |typed: &str, names: &[&str]| {
            let noun = Noun::of_asset(AssetKind::Agent);
            not_found(noun, typed, names.iter().copied()).hints.remove(0)
        };
        assert_eq!(hint("zzz", &["Mira", "Nora"]), "the agents are `Mira`, `Nora`");
        let many: Vec<String> = (0..11).map(|number| format!("Mira {number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(hint("zzz", &many).matches("Mira").count(), 10);
        assert!(hint("zzz", &many).ends_with(", …"));
        assert_eq!(hint("Mirra", &["Mira", "Nora"]), "did you mean `Mira`?");
        assert_eq!(hint("x", &[]), "the organization has no agent that you may see");
        let namesakes = ["Dental care", "Nora", "Dental care", "Dental care", "Nora"];
        assert_eq!(hint("Dental caer", &namesakes), "did you mean `Dental care`?");
        assert_eq!(hint("zzz", &namesakes), "the agents are `Dental care`, `Nora`");
    }
}
