//! Version sets.

use forge_app::AppError;
use forge_app::version_sets::SetView;
use forge_domain::SetName;
use forge_wire::rfc3339;
use forge_wire::version_sets::{Behind, Source, VersionSetInstance};

use crate::error::ApiError;

pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod resolve;
pub(crate) mod upsert;

/// What a write of a set will understand once there are plans.
const UNSERVED_QUERY: [&str; 4] = ["dry_run", "plan_digest", "message", "lift_hold"];
const UNSERVED_HEADERS: [&str; 2] = ["if-match", "if-none-match"];

/// Returns the name of a set that is to be read or deleted: a text that cannot be one is a set that is not there.
fn existing(name: &str) -> Result<SetName, ApiError> {
    name.parse()
        .map_err(|_| AppError::NotFound("the service has no version set of that name".to_owned()).into())
}

fn instance(view: SetView) -> VersionSetInstance {
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
        hold: None,
        source: view.set.source.map(|(name, revision)| Source { name, revision }),
        message: view.set.message,
        updated_at: rfc3339(view.set.updated_at),
        updated_by: view.set.updated_by.user,
        unit_tests: Vec::new(),
        running_conversations: 0,
    }
}
