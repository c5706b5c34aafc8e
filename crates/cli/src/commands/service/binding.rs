//! The agent and the context graph of a service.

use forge_client::answers::{Asset, Finding};
use forge_domain::VersionNumber;
use forge_domain::asset::AssetKind;
use forge_domain::service::check_binding;
use forge_domain::version_set::{Binding, Bound};

use crate::findings::of_rule;

/// The name that the API gives to the field which has the id.
pub(super) fn id_field(kind: AssetKind) -> &'static str {
    match kind {
        AssetKind::Agent => "agent_id",
        AssetKind::ContextGraph => "service_hierarchical_state_machine_id",
    }
}

fn bound(asset: &Asset) -> Bound {
    Bound {
        id: asset.id,
        latest: asset
            .latest_version
            .and_then(|latest| VersionNumber::try_from(latest).ok()),
        is_deprecated: asset.deprecated,
    }
}

/// Returns what stands against running a new service on these.
pub(super) fn against_creation(agent: &Asset, graph: &Asset) -> Vec<Finding> {
    let binding = Binding {
        agent: bound(agent),
        context_graph: bound(graph),
    };
    check_binding(&binding).iter().map(of_rule).collect()
}
