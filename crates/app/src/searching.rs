//! What lists and searches of simulations have in common.

use forge_domain::UserRef;
use forge_domain::actor::add_distinct;

/// How many things a search finds at most, if they fit on a page.
pub(crate) const MAX_FOUND: i64 = 100;

/// Returns the users without repetitions, in the order in which they come first.
pub(crate) fn distinct<'a>(users: impl Iterator<Item = &'a UserRef>) -> Vec<UserRef> {
    let mut kept: Vec<UserRef> = Vec::new();
    for user in users {
        add_distinct(&mut kept, user);
    }
    kept
}
