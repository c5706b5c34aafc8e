//! A yank, as lists, answers and refusals tell it.

use forge_app::assets::yanks;
use forge_domain::yank::Yank;
use forge_wire::assets::YankInstance;
use forge_wire::rfc3339;

/// Returns a yank as it is told.
pub(crate) fn yank_instance(yank: Yank) -> YankInstance {
    YankInstance {
        etag: yanks::tag(&yank),
        reason: yank.reason,
        since: rfc3339(yank.since),
        by: yank.by,
    }
}
