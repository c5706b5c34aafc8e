//! What a version set may be called, how many a service has, and which models it may prefer.

use crate::model::{ModelCatalogue, ModelPreferences};
use crate::refusal::Refusal;
use crate::time::Timestamp;
use forge_types::SetName;

/// How many version sets a service may have, `edge` and `release` included.
pub const MAX_SETS: usize = 100;
/// Returns every reason against preferring these models.
pub fn check_models(preferences: &ModelPreferences, models: &ModelCatalogue, now: Timestamp) -> Vec<Refusal> {
    let refusal = |(interaction, preference): (&String, _)| {
        let preference: &crate::model::ModelPreference = preference;
        models.problem(preference, now).map(|problem| Refusal::Model {
            interaction: interaction.clone(),
            model: preference.llm_name.clone(),
            problem,
        })
    };
    preferences.iter().filter_map(refusal).collect()
}

/// Returns every reason against writing a set of this name, beyond what it pins.
///
/// `is_new` says that the set does not exist yet; `sets` are those that the service has, and of those in `hidden` the caller
/// must not learn the name.
pub fn check_upsert(name: &SetName, is_new: bool, sets: &[SetName], hidden: &[SetName]) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    if name.is_edge() {
        refusals.push(Refusal::EdgeIsFixed);
    }
    if is_new && sets.len() >= MAX_SETS {
        refusals.push(Refusal::TooManySets { limit: MAX_SETS });
    }
    let is_alike = |other: &&SetName| other.is_alike(name);
    let shared = SetName::shared();
    // Everybody knows the shared names, so that to be told of one does not say whether it is there.
    let known = shared.iter().find(is_alike);
    if is_new && let Some(other) = known.or_else(|| sets.iter().find(is_alike)) {
        refusals.push(Refusal::AlikeName {
            name: name.clone(),
            other: Some(other.clone()).filter(|other| known.is_some() || !hidden.contains(other)),
        });
    }
    refusals
}

/// Returns every reason against deleting a set of this name.
pub fn check_delete(name: &SetName) -> Vec<Refusal> {
    if name.is_permanent() {
        vec![Refusal::SetIsPermanent(name.clone())]
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edge_is_fixed_and_release_stays() {
        let codes = |refusals: Vec<Refusal>| refusals.iter().map(Refusal::code).collect::<Vec<_>>();
        let personal: SetName = "personal-alex".parse().unwrap();
        let sets: Vec<SetName> = (0..MAX_SETS)
            .map(|number| format!("set-{number}").parse().unwrap())
            .collect();
        assert_eq!(
            codes(check_upsert(&SetName::edge(), false, &sets, &[])),
            ["edge_is_fixed"]
        );
        assert!(check_upsert(&SetName::release(), false, &sets, &[]).is_empty());
        assert!(check_upsert(&personal, true, &sets[1..], &[]).is_empty());
        assert_eq!(
            codes(check_upsert(&personal, true, &sets, &[])),
            ["too_many_sets"]
        );
        assert!(check_upsert(&personal, false, &sets, &[]).is_empty());
        assert_eq!(codes(check_delete(&SetName::edge())), ["set_is_permanent"]);
        assert_eq!(codes(check_delete(&SetName::release())), ["set_is_permanent"]);
        assert!(check_delete(&personal).is_empty());
    }
}
