//! What each kind of change wants a set to pin, and what stands against that.

use super::changes::FieldChange;
use super::input::{PinnedRevision, PlanInput};
use super::outcome::SetRevision;
use super::warning::Warning;
use crate::asset::AssetId;
use crate::refusal::Refusal;
use crate::revision::RevisionAction;
use crate::version::VersionNumber;
use crate::version_set::{Binding, Bound, Pins, RequestedPins, check_models};
use crate::yank;

/// What a change wants the set to pin, and how it came to that.
pub(super) struct Wanted {
    pub(super) action: RevisionAction,
    pub(super) source: Option<SetRevision>,
    /// As asked for, to be shown even where it cannot be had.
    pub(super) shown: Option<RequestedPins>,
    /// What it changes beside the pins: which agent and graph they are of.
    pub(super) rebound: Vec<FieldChange>,
    /// As it can be had.
    pub(super) pins: Option<Pins>,
    pub(super) restored_revision: Option<i64>,
    pub(super) refusals: Vec<Refusal>,
    pub(super) warnings: Vec<Warning>,
    pub(super) freeze: bool,
}

impl Wanted {
    /// Wants nothing yet.
    pub(super) fn new(action: RevisionAction) -> Self {
        Self {
            action,
            source: None,
            shown: None,
            rebound: Vec::new(),
            pins: None,
            restored_revision: None,
            refusals: Vec::new(),
            warnings: Vec::new(),
            freeze: false,
        }
    }

    /// Returns `true` if a set that pins this pins what is wanted already.
    ///
    /// A deletion, a rollback and a rebinding are recorded even if the numbers stay the same.
    pub(super) fn is_already(&self, current: Option<&Pins>) -> bool {
        let is_recorded = matches!(
            self.action,
            RevisionAction::Delete | RevisionAction::Rollback | RevisionAction::Rebind
        );
        !is_recorded && current.is_some() && current == self.pins.as_ref()
    }
}

pub(super) fn by_upsert(input: &PlanInput<'_>, requested: RequestedPins, is_new: bool) -> Wanted {
    let shown = Some(requested.clone());
    let mut refusals = deprecated(input.binding);
    let mut warnings = Vec::new();
    let pins = match Pins::check(requested, input.binding, input.models, input.now) {
        Ok(pins) => {
            let (pinned, floating) = yank::of_pins(input.binding, input.yanked, &pins);
            refusals.extend(pinned);
            warnings.extend(floating.into_iter().map(Warning::Tolerated));
            Some(pins)
        }
        Err(reasons) => {
            refusals.extend(reasons);
            None
        }
    };
    let action = if is_new {
        RevisionAction::Create
    } else {
        RevisionAction::Update
    };
    Wanted {
        shown,
        pins,
        refusals,
        warnings,
        ..Wanted::new(action)
    }
}

pub(super) fn by_promote(
    input: &PlanInput<'_>,
    source: String,
    source_revision: Option<i64>,
    content: Option<PinnedRevision>,
    freeze: bool,
) -> Wanted {
    let mut refusals = deprecated(input.binding);
    let mut warnings = Vec::new();
    let mut pins = None;
    let revision = content.as_ref().map(|content| content.revision);
    match content {
        None => {
            let source = source.clone();
            refusals.push(Refusal::UnknownSource {
                source,
                revision: source_revision,
            });
        }
        Some(content) => {
            let another = of_another_asset(input.binding, &content);
            let is_sound = another.is_empty();
            let written = written(&content, freeze);
            refusals.extend(another);
            refusals.extend(check_models(&written.model_preferences, input.models, input.now));
            if is_sound {
                refusals.extend(missing(input.binding, &written));
                let (pinned, floating) = yank::of_pins(input.binding, input.yanked, &written);
                refusals.extend(pinned);
                warnings.extend(floating.into_iter().map(Warning::Tolerated));
            }
            if written.is_floating() {
                warnings.push(Warning::NotFrozen);
            }
            pins = Some(written);
        }
    }
    Wanted {
        source: Some(SetRevision {
            name: source,
            revision,
        }),
        shown: pins.as_ref().map(RequestedPins::from),
        pins,
        refusals,
        warnings,
        freeze,
        ..Wanted::new(RevisionAction::Promote)
    }
}

pub(super) fn by_rollback(
    input: &PlanInput<'_>,
    restored: Result<PinnedRevision, Refusal>,
    freeze: bool,
) -> Wanted {
    let name = input.name.to_owned();
    let (content, refusal) = match restored {
        Ok(content) => (Some(content), None),
        Err(refusal) => (None, Some(refusal)),
    };
    let mut refusals: Vec<Refusal> = refusal.into_iter().collect();
    // A rollback is for incidents: what would forbid a promotion is only a warning here.
    let mut warnings: Vec<Warning> = deprecated(input.binding)
        .into_iter()
        .map(Warning::Tolerated)
        .collect();
    let revision = content.as_ref().map(|content| content.revision);
    let mut pins = None;
    if let Some(content) = content {
        let another = of_another_asset(input.binding, &content);
        let written = written(&content, freeze);
        refusals.extend(check_models(&written.model_preferences, input.models, input.now));
        if another.is_empty() {
            refusals.extend(missing(input.binding, &written));
            let (pinned, floating) = yank::of_pins(input.binding, input.yanked, &written);
            warnings.extend(pinned.into_iter().chain(floating).map(Warning::Tolerated));
        }
        refusals.extend(another);
        if written.is_floating() {
            warnings.push(Warning::NotFrozen);
        }
        pins = Some(written);
    }
    Wanted {
        source: Some(SetRevision { name, revision }),
        shown: pins.as_ref().map(RequestedPins::from),
        pins,
        restored_revision: revision,
        refusals,
        warnings,
        freeze,
        ..Wanted::new(RevisionAction::Rollback)
    }
}

/// Returns the pins to write for a revision: frozen to what they last meant, or as they are.
fn written(content: &PinnedRevision, freeze: bool) -> Pins {
    let mut pins = content.pins.clone();
    if freeze {
        pins.agent_version = pins.agent_version.or(content.resolved.agent_version);
        pins.context_graph_version = pins
            .context_graph_version
            .or(content.resolved.context_graph_version);
    }
    pins
}

fn deprecated(binding: &Binding) -> Vec<Refusal> {
    let refusal = |bound: &Bound| {
        bound
            .is_deprecated
            .then_some(Refusal::Deprecated { asset: bound.id })
    };
    [&binding.agent, &binding.context_graph]
        .into_iter()
        .filter_map(refusal)
        .collect()
}

fn of_another_asset(binding: &Binding, content: &PinnedRevision) -> Vec<Refusal> {
    let pairs = [
        (&binding.agent, AssetId::from(content.agent_id)),
        (&binding.context_graph, content.context_graph_id.into()),
    ];
    let refusal = |(bound, pinned): (&Bound, AssetId)| {
        let bound = bound.id;
        (pinned != bound).then_some(Refusal::AnotherAsset { pinned, bound })
    };
    pairs.into_iter().filter_map(refusal).collect()
}

/// Returns the pinned versions that do not exist.
fn missing(binding: &Binding, pins: &Pins) -> Vec<Refusal> {
    let pairs = [
        (&binding.agent, pins.agent_version),
        (&binding.context_graph, pins.context_graph_version),
    ];
    let refusal = |(bound, pin): (&Bound, Option<VersionNumber>)| {
        let number = pin.filter(|number| !number.exists(bound.latest))?;
        Some(Refusal::NoSuchVersion {
            asset: bound.id,
            number: number.get(),
            latest: bound.latest,
        })
    };
    pairs.into_iter().filter_map(refusal).collect()
}
