//! The agent and the context graph of a service, and what another one does to its sets.

use forge_client::answers::{Asset, Finding, Service, VersionSet};
use forge_domain::refusal::AssetKind;
use forge_domain::service::{check_binding, check_rebind};
use forge_domain::version_set::{Binding, Bound};
use forge_domain::{Pins, SetName, VersionNumber};
use serde_json::json;

use crate::edit::{FieldEdit, of_rule};
use crate::error::{Failure, Result};
use crate::plan::pin;

/// The name that the API gives to the field which has the id.
pub(super) fn id_field(kind: AssetKind) -> &'static str {
    match kind {
        AssetKind::Agent => "agent_id",
        AssetKind::ContextGraph => "service_hierarchical_state_machine_id",
    }
}

/// Returns the id of an agent or a context graph.
pub(super) fn id<T: std::str::FromStr>(asset: &Asset) -> Result<T> {
    let not_an_id = |_| Failure::failed(format!("the server told `{}` as an id", asset.id));
    asset.id.parse().map_err(not_an_id)
}

fn bound(kind: AssetKind, asset: &Asset) -> Bound {
    Bound {
        asset: kind,
        id: asset.id.clone(),
        latest: asset
            .latest_version
            .and_then(|latest| VersionNumber::try_from(latest).ok()),
        is_deprecated: asset.deprecated,
    }
}

/// Something that stays as it is, of which no rule asks more than that.
fn unchanged(kind: AssetKind, id: String) -> Bound {
    Bound {
        asset: kind,
        id,
        latest: None,
        is_deprecated: false,
    }
}

/// Returns what stands against running a new service on these.
pub(super) fn against_creation(agent: &Asset, graph: &Asset) -> Vec<Finding> {
    let binding = Binding {
        agent: bound(AssetKind::Agent, agent),
        context_graph: bound(AssetKind::ContextGraph, graph),
    };
    check_binding(&binding).iter().map(of_rule).collect()
}

/// Returns what stands against giving a service another agent or context graph.
pub(super) fn against_rebind(
    service: &Service,
    agent: Option<&Asset>,
    graph: Option<&Asset>,
) -> Result<Vec<Finding>> {
    let (agent_id, graph_id) = (service.agent_id.to_string(), service.context_graph_id.to_string());
    let old = Binding {
        agent: unchanged(AssetKind::Agent, agent_id.clone()),
        context_graph: unchanged(AssetKind::ContextGraph, graph_id.clone()),
    };
    let new = Binding {
        agent: agent.map_or_else(
            || unchanged(AssetKind::Agent, agent_id),
            |asset| bound(AssetKind::Agent, asset),
        ),
        context_graph: graph.map_or_else(
            || unchanged(AssetKind::ContextGraph, graph_id),
            |asset| bound(AssetKind::ContextGraph, asset),
        ),
    };
    let refusals = check_rebind(&old, &new, &pins(service)?);
    Ok(refusals.iter().map(of_rule).collect())
}

fn pins(service: &Service) -> Result<Vec<(SetName, Pins)>> {
    let unread = |error: String| Failure::failed(format!("a set of the service cannot be read: {error}"));
    let sets = service.version_sets.iter();
    sets.map(|(name, pins)| {
        let name = name
            .parse::<SetName>()
            .map_err(|error| unread(error.to_string()))?;
        let pins = serde_json::from_value(json!(pins)).map_err(|error| unread(error.to_string()))?;
        Ok((name, pins))
    })
    .collect()
}

/// Tells what each set would mean after a service got another agent or context graph. The numbers stay.
pub(super) fn rebound_sets(
    kind: AssetKind,
    sets: &[VersionSet],
    (from_id, from_name): (&str, &str),
    to: &Asset,
) -> Vec<FieldEdit> {
    let edit = |set: &VersionSet| {
        let (pinned, meant) = match kind {
            AssetKind::Agent => (set.pins.agent_version_number, set.resolved.agent_version_number),
            AssetKind::ContextGraph => (
                set.pins.context_graph_version_number,
                set.resolved.context_graph_version_number,
            ),
        };
        FieldEdit::new(
            format!("version_sets.{}.{}", set.name, id_field(kind)),
            json!({"id": from_id, "version": meant}),
            json!({"id": to.id, "version": pinned.or(to.latest_version)}),
        )
        .called(format!("{kind} of `{}`", set.name))
        .shown_as(
            format!("{from_name} {}", pin(pinned, meant)),
            format!("{} {}", to.name, pin(pinned, to.latest_version)),
        )
    };
    sets.iter().map(edit).collect()
}
