//! What an answer has to be, and the failure where it is something else.

use std::collections::BTreeSet;

use forge_app::AppError;
use forge_testkit::TestResponse;

#[track_caller]
pub(crate) fn assert_forbidden<T>(result: Result<T, AppError>, permission: &str) {
    match result {
        Err(AppError::Forbidden(lacking)) => assert_eq!(lacking, permission),
        Err(error) => panic!("expected the lack of `{permission}`, got {error:?}"),
        Ok(_) => panic!("`{permission}` was not asked for"),
    }
}

/// Fails unless the answer is a 400 whose text has every one of the parts.
#[track_caller]
pub(crate) fn assert_refused(answer: &TestResponse, parts: &[&str]) {
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert_eq!(answer.sequence(), None);
    for part in parts {
        assert!(
            answer.detail().contains(part),
            "`{part}` is not told: {}",
            answer.detail()
        );
    }
}

/// Fails unless the answer is a 422 with exactly these faults, in whichever order.
#[track_caller]
pub(crate) fn assert_invalid(answer: &TestResponse, faults: &[&str]) {
    assert_eq!(answer.status, 422, "{}", answer.body);
    let found = answer.faults();
    let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    assert_eq!(found, faults.iter().copied().collect(), "{}", answer.body);
}

/// Fails unless the answer is a 422 about this place.
#[track_caller]
pub(crate) fn assert_invalid_at(answer: &TestResponse, place: &str) {
    assert_eq!(answer.status, 422, "{place}: {}", answer.body);
    let faults = answer.faults();
    assert!(
        faults.iter().any(|fault| fault.starts_with(place)),
        "{place}: {}",
        answer.body
    );
}
