//! What the history of a set says.

use forge_domain::revision::Revision;
use forge_store::PageRequest;
use forge_testkit::TestServer;

use crate::support::organization::organization;

/// Returns the history of a set, oldest first.
pub(crate) async fn history(server: &TestServer, service: &str, set: &str) -> Vec<Revision> {
    let (service, set) = (service.parse().unwrap(), set.parse().unwrap());
    let mut tx = server.app.store.read().await.unwrap();
    let mut revisions = tx
        .list_revisions(&organization(server), service, &set, PageRequest::first(1000))
        .await
        .unwrap()
        .into_rows();
    revisions.reverse();
    revisions
}

/// Returns what each revision of a set did, oldest first.
pub(crate) async fn actions(server: &TestServer, service: &str, set: &str) -> Vec<&'static str> {
    history(server, service, set)
        .await
        .iter()
        .map(|revision| revision.action.as_str())
        .collect()
}
