//! Version sets.

use forge_app::AppError;
use forge_app::version_sets::SetView;
use forge_domain::SetName;
use forge_wire::rfc3339;
use forge_wire::version_sets::{Behind, HoldInstance, Source, VersionSetInstance};

use crate::error::ApiError;

pub(crate) mod delete;
pub(crate) mod diff;
pub(crate) mod get;
pub(crate) mod history;
pub(crate) mod lift_hold;
pub(crate) mod list;
pub(crate) mod promote;
pub(crate) mod promote_many;
pub(crate) mod resolve;
pub(crate) mod rollback;
mod terms;
pub(crate) mod upsert;

pub(crate) use terms::of_query;

/// Returns the name of a set that is to be read or deleted: a text that cannot be one is a set that is not there.
fn existing(name: &str) -> Result<SetName, ApiError> {
    name.parse()
        .map_err(|_| AppError::NotFound("the service has no version set of that name".to_owned()).into())
}

/// Returns a set as it is told.
pub(crate) fn instance(view: SetView) -> VersionSetInstance {
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
