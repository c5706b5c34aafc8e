//! Things are found by `fetch`, which authorises; where they are not, somebody has said why.

use std::collections::BTreeMap;
use std::path::Path;

use crate::sources::sources_below;

/// What finds one thing without asking whether the caller may.
const FINDS: [&str; 13] = [
    "::by_key(",
    "find_unchecked(",
    "find_unchecked::",
    "find_service(",
    "find_bound_service(",
    "find_item(",
    "find_asset(",
    "find_user(",
    "find_role(",
    "find_api_key(",
    "find_unit_test(",
    "find_unit_test_set(",
    "find_conversation(",
];

/// Files of `app` that do so, how often, and why.
const ADMITTED: [(&str, usize, &str); 27] = [
    (
        "access/resource.rs",
        3,
        "defines it; the others authorise afterwards",
    ),
    ("access/sign_in.rs", 2, "nobody is signed in yet"),
    ("admin.rs", 2, "operators act on the store itself"),
    (
        "assets/mod.rs",
        2,
        "an implementation of `Resource`; one that is named is told only to readers",
    ),
    (
        "conversations/create.rs",
        2,
        "what a conversation was begun with is read again",
    ),
    (
        "conversations/interact.rs",
        1,
        "under the lease, after the caller was authorised",
    ),
    (
        "conversations/messages.rs",
        1,
        "to who may not read it, the list is empty",
    ),
    (
        "conversations/mod.rs",
        2,
        "an implementation of `Resource`; the user's permission knows whose it is",
    ),
    ("conversations/person.rs", 1, "for the agent, not for the caller"),
    (
        "conversations/readable.rs",
        1,
        "each is asked whether it may be read",
    ),
    ("evaluations.rs", 1, "authorised with another permission"),
    ("identity/api_keys.rs", 1, "an implementation of `Resource`"),
    (
        "identity/roles.rs",
        3,
        "an implementation of `Resource`; only who may see a role, or is greater, is told of it; names are taken",
    ),
    (
        "identity/temporary_grants.rs",
        1,
        "the permission is on the grant",
    ),
    (
        "identity/users.rs",
        4,
        "an implementation of `Resource`; the permission knows whose it is; the makers of a key",
    ),
    ("items/mod.rs", 1, "an implementation of `Resource`"),
    ("items/versions.rs", 1, "for running it, not for showing it"),
    (
        "services/lookup.rs",
        2,
        "an implementation of `Resource`; the permission is on the set",
    ),
    (
        "services/update.rs",
        1,
        "authorised under the old and the new name",
    ),
    (
        "simulations/unit_test_set_runs/execute.rs",
        1,
        "whoever made the run was authorised",
    ),
    (
        "simulations/unit_test_sets.rs",
        1,
        "an implementation of `Resource`",
    ),
    (
        "simulations/unit_tests/mod.rs",
        1,
        "an implementation of `Resource`",
    ),
    (
        "simulations/unit_tests/parts.rs",
        1,
        "the permission is on the set",
    ),
    ("version_sets/diff.rs", 1, "the permission is on the sets"),
    ("version_sets/health.rs", 1, "the permission is on the sets"),
    ("version_sets/mod.rs", 2, "the permission is on the sets"),
    (
        "version_sets/promotion/hold.rs",
        1,
        "the permission is on the set",
    ),
];

#[test]
fn nothing_is_found_without_a_permission_unless_it_is_said_why() {
    let app = Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/src");
    let mut found = BTreeMap::new();
    for (path, text) in sources_below(&app) {
        let code = text.split("#[cfg(test)]").next().unwrap();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        let count: usize = lines
            .map(|line| FINDS.iter().map(|find| line.matches(find).count()).sum::<usize>())
            .sum();
        if count > 0 {
            found.insert(path.to_str().unwrap().to_owned(), count);
        }
    }
    let admitted = ADMITTED.map(|(file, count, _)| (file.to_owned(), count));
    assert_eq!(
        found,
        BTreeMap::from(admitted),
        "use `fetch` or `fetch_named`; where the caller is authorised in another way, say so here"
    );
}
