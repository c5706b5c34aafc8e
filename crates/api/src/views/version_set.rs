//! A version set, as answers and refusals tell it.

use forge_app::version_sets::SetView;
use forge_wire::rfc3339;
use forge_wire::version_sets::{Behind, HoldInstance, Source, VersionSetInstance};

/// Returns a set as it is told.
pub(crate) fn set_instance(view: SetView) -> VersionSetInstance {
    VersionSetInstance {
        is_floating: view.set.pins.is_floating(),
        name: view.set.name,
        revision: view.set.revision,
        pins: view.set.pins,
        resolved: view.resolved,
        behind: Behind {
            agent: view.agent_behind,
            context_graph: view.context_graph_behind,
        },
        hold: view.set.hold.map(|hold| HoldInstance {
            reason: hold.reason,
            since: rfc3339(hold.since),
            by: hold.by,
        }),
        source: view.set.source.map(|(name, revision)| Source { name, revision }),
        message: view.set.message,
        updated_at: rfc3339(view.set.updated_at),
        updated_by: view.set.updated_by.user,
        unit_tests: view.unit_tests,
        running_conversations: view.running.iter().map(|(_, conversations)| conversations).sum(),
    }
}
