//! The health of a service: whether what its sets pin can run, and what to look after.

use serde::Serialize;

use crate::plan::RETIRES_SOON;
use crate::prompt::LongPrompt;
use crate::refusal::Refusal;
use crate::service::check_bound;
use crate::version::VersionNumber;
use crate::version_set::{Binding, Hold, Pins, SetName, check_models};
use crate::visible::shown;
use crate::yank::YankedVersion;
use crate::{model::ModelCatalogue, time::Timestamp};

/// How a service or one of its sets is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It runs, and nothing stands against it.
    Healthy,
    /// It runs, but somebody should look.
    Degraded,
    /// It cannot run as it is.
    Unhealthy,
}

/// What a reason does to the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing: it is told, no more.
    Information,
    /// It makes the status degraded.
    Degraded,
    /// It makes the status unhealthy.
    Unhealthy,
}

impl Severity {
    fn status(self) -> Status {
        match self {
            Self::Information => Status::Healthy,
            Self::Degraded => Status::Degraded,
            Self::Unhealthy => Status::Unhealthy,
        }
    }
}

/// One thing to know about a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// A stable word for programs; the codes of plans where the same is meant.
    pub code: &'static str,
    /// What is so, as one sentence without its full stop.
    pub message: String,
    /// The set that it is about, or `None` if it is the whole service.
    pub version_set: Option<SetName>,
    /// What it does to the status.
    pub severity: Severity,
}

/// A set, as far as its health goes.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedSet {
    /// Its name.
    pub name: SetName,
    /// What it pins.
    pub pins: Pins,
    /// The hold on it.
    pub hold: Option<Hold>,
    /// The prompt that does not fit, of the versions that it means.
    pub long_prompt: Option<LongPrompt>,
}

/// The health of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Everything there is to know, the whole service first, then set by set.
    pub reasons: Vec<Reason>,
}

impl Health {
    /// Returns the worst of everything.
    pub fn status(&self) -> Status {
        worst(self.reasons.iter())
    }

    /// Returns the worst of what is about a set; what is about the whole service counts for every set.
    pub fn status_of(&self, set: &SetName) -> Status {
        let is_about = |reason: &&Reason| reason.version_set.as_ref().is_none_or(|name| name == set);
        worst(self.reasons.iter().filter(is_about))
    }
}

fn worst<'r>(reasons: impl Iterator<Item = &'r Reason>) -> Status {
    let status = |reason: &Reason| reason.severity.status();
    reasons.map(status).max().unwrap_or(Status::Healthy)
}

/// Looks at a service with these sets.
pub fn check(
    binding: &Binding,
    sets: &[CheckedSet],
    yanked: &[YankedVersion],
    models: &ModelCatalogue,
    now: Timestamp,
) -> Health {
    let mut reasons = Vec::new();
    for bound in [&binding.agent, &binding.context_graph] {
        for refusal in check_bound(bound) {
            let severity = match refusal {
                Refusal::NoVersions { .. } => Severity::Unhealthy,
                _ => Severity::Degraded,
            };
            reasons.push(reason(&refusal, None, severity));
        }
    }
    for set in sets {
        let mut about = |code, message: String, severity| {
            let version_set = Some(set.name.clone());
            reasons.push(Reason {
                code,
                message: shown(message),
                version_set,
                severity,
            });
        };
        for refusal in check_models(&set.pins.model_preferences, models, now) {
            about(refusal.code(), refusal.message(), Severity::Unhealthy);
        }
        if let Some(prompt) = &set.long_prompt {
            about(LongPrompt::CODE, prompt.message(), Severity::Unhealthy);
        }
        for (bound, pin) in [
            (&binding.agent, set.pins.agent_version),
            (&binding.context_graph, set.pins.context_graph_version),
        ] {
            let kind = bound.id.kind();
            if let Some(number) = pin.filter(|number| !number.exists(bound.latest)) {
                let text = format!("{kind} {} has no version {number}", bound.id);
                about("no_such_version", text, Severity::Unhealthy);
            }
            let meant = pin.or(bound.latest);
            let is_meant = |yank: &&YankedVersion| yank.asset == kind && Some(yank.version) == meant;
            if let Some(yank) = yanked.iter().find(is_meant) {
                let text = format!(
                    "version {} of its {} was yanked: {}",
                    yank.version, kind, yank.reason
                );
                about("yanked_version", text, Severity::Degraded);
            }
            let number = |version: Option<VersionNumber>| version.map_or(0, VersionNumber::get);
            let behind = number(bound.latest) - number(meant);
            if behind > 0 {
                let text = match behind {
                    1 => format!("1 newer version of its {kind} is there"),
                    _ => format!("{behind} newer versions of its {kind} are there"),
                };
                about("behind", text, Severity::Information);
            }
        }
        if let Some(hold) = &set.hold {
            let is_release = set.name == SetName::release();
            let severity = if is_release {
                Severity::Degraded
            } else {
                Severity::Information
            };
            let text = match &hold.reason {
                Some(reason) => format!("it was rolled back and is held: {reason}"),
                None => "it was rolled back and is held".to_owned(),
            };
            about("held", text, severity);
        }
        if set.name == SetName::release() && set.pins.is_floating() {
            let text = "it floats: it changes with every new version".to_owned();
            about("floating_release", text, Severity::Information);
        }
        for (interaction, preference) in &set.pins.model_preferences {
            let retires_at = models.retires_at(&preference.llm_name);
            if retires_at.is_some_and(|at| at > now && at <= now + RETIRES_SOON) {
                let model = &preference.llm_name;
                let text = format!("model `{model}`, preferred for `{interaction}`, retires within 30 days");
                about("retiring_model", text, Severity::Information);
            }
        }
    }
    Health { reasons }
}

fn reason(refusal: &Refusal, version_set: Option<SetName>, severity: Severity) -> Reason {
    Reason {
        code: refusal.code(),
        message: shown(refusal.message()),
        version_set,
        severity,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::UserRef;
    use crate::asset::{AssetId, AssetKind};
    use crate::model::{ModelDescription, ModelPreferences};
    use crate::version_set::Bound;
    use serde_json::json;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn bound(asset: AssetKind, latest: i64, is_deprecated: bool) -> Bound {
        Bound {
            id: AssetId::parse(asset, "0123456789abcdef01234567").unwrap(),
            latest: latest.try_into().ok(),
            is_deprecated,
        }
    }

    fn binding(agent: i64, is_deprecated: bool) -> Binding {
        Binding {
            agent: bound(AssetKind::Agent, agent, is_deprecated),
            context_graph: bound(AssetKind::ContextGraph, 1, false),
        }
    }

    fn set(name: &str, agent: Option<i64>, models: ModelPreferences) -> CheckedSet {
        let number = |number: i64| number.try_into().unwrap();
        let pins = Pins {
            agent_version: agent.map(number),
            context_graph_version: Some(number(1)),
            model_preferences: models,
        };
        CheckedSet {
            name: name.parse().unwrap(),
            pins,
            hold: None,
            long_prompt: None,
        }
    }

    fn catalogue() -> ModelCatalogue {
        let model = |name: &str, retires_at| ModelDescription {
            name: name.into(),
            provider: "p".into(),
            params_schema: json!({"type": "object", "properties": {"t": {"type": "number"}}}),
            retires_at,
        };
        let soon = NOW.plus_seconds(24 * 3600);
        ModelCatalogue::new([
            model("stays", None),
            model("gone", Some(NOW)),
            model("going", Some(soon)),
        ])
        .unwrap()
    }

    fn preferring(model: &str, params: serde_json::Value) -> ModelPreferences {
        serde_json::from_value(json!({"engage-user": {"llm_name": model, "params": params}})).unwrap()
    }

    fn look(binding: &Binding, set: CheckedSet, yanked: &[YankedVersion]) -> (Status, Vec<&'static str>) {
        let health = check(binding, &[set], yanked, &catalogue(), NOW);
        (
            health.status(),
            health.reasons.iter().map(|reason| reason.code).collect(),
        )
    }

    #[test]
    fn a_pinned_release_on_the_latest_versions_is_healthy() {
        let found = look(
            &binding(2, false),
            set("release", Some(2), preferring("stays", json!({}))),
            &[],
        );
        assert_eq!(found, (Status::Healthy, vec![]));
    }

    #[test]
    fn what_cannot_run_is_unhealthy() {
        let none = ModelPreferences::new;
        assert_eq!(
            look(&binding(0, false), set("test", None, none()), &[]),
            (Status::Unhealthy, vec!["no_versions"])
        );
        let missing = look(&binding(1, false), set("test", Some(3), none()), &[]);
        assert_eq!(missing, (Status::Unhealthy, vec!["no_such_version"]));
        for (model, params, code) in [
            ("nowhere", json!({}), "unknown_model"),
            ("gone", json!({}), "retired_model"),
            ("stays", json!({"t": "warm"}), "model_parameters"),
        ] {
            let found = look(
                &binding(1, false),
                set("test", Some(1), preferring(model, params)),
                &[],
            );
            assert_eq!(found, (Status::Unhealthy, vec![code]));
        }
    }

    #[test]
    fn what_runs_and_should_not_is_degraded() {
        let none = ModelPreferences::new;
        let deprecated = look(&binding(1, true), set("test", Some(1), none()), &[]);
        assert_eq!(deprecated, (Status::Degraded, vec!["deprecated"]));
        let yanked = [YankedVersion {
            asset: AssetKind::Agent,
            version: 2.try_into().unwrap(),
            reason: "it swears".into(),
        }];
        let pinned = look(&binding(2, false), set("test", Some(2), none()), &yanked);
        assert_eq!(pinned, (Status::Degraded, vec!["yanked_version"]));
        let floating = look(&binding(2, false), set("test", None, none()), &yanked);
        assert_eq!(floating, (Status::Degraded, vec!["yanked_version"]));
        let another = look(&binding(2, false), set("test", Some(1), none()), &yanked);
        assert_eq!(another, (Status::Healthy, vec!["behind"]));
    }

    #[test]
    fn a_held_release_is_degraded_and_another_held_set_is_not() {
        let by = UserRef {
            org_id: "o".parse().unwrap(),
            user_id: "u".into(),
        };
        let hold = Some(Hold {
            reason: None,
            since: NOW,
            by,
        });
        for (name, status) in [("release", Status::Degraded), ("test", Status::Healthy)] {
            let held = CheckedSet {
                hold: hold.clone(),
                ..set(name, Some(1), ModelPreferences::new())
            };
            assert_eq!(look(&binding(1, false), held, &[]), (status, vec!["held"]));
        }
    }

    #[test]
    fn a_set_in_which_a_prompt_can_never_fit_is_unhealthy() {
        let long = CheckedSet {
            long_prompt: Some(LongPrompt { bytes: 11, most: 10 }),
            ..set("test", Some(1), ModelPreferences::new())
        };
        let found = look(&binding(1, false), long, &[]);
        assert_eq!(found, (Status::Unhealthy, vec!["prompt_too_long"]));
    }

    #[test]
    fn some_things_are_only_told() {
        let floating = look(
            &binding(1, false),
            set("release", None, ModelPreferences::new()),
            &[],
        );
        assert_eq!(floating, (Status::Healthy, vec!["floating_release"]));
        let retiring = look(
            &binding(1, false),
            set("test", Some(1), preferring("going", json!({}))),
            &[],
        );
        assert_eq!(retiring, (Status::Healthy, vec!["retiring_model"]));
    }

    #[test]
    fn the_worst_counts_and_each_set_has_a_status_of_its_own() {
        let sets = [
            set("release", Some(1), ModelPreferences::new()),
            set("test", Some(1), preferring("gone", json!({}))),
        ];
        let health = check(&binding(1, false), &sets, &[], &catalogue(), NOW);
        assert_eq!(health.status(), Status::Unhealthy);
        assert_eq!(health.status_of(&SetName::release()), Status::Healthy);
        assert_eq!(health.status_of(&"test".parse().unwrap()), Status::Unhealthy);
    }
}
