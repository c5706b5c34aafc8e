//! What is answered from a write of somebody else that is not durable yet.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use axum::http::StatusCode;
use forge_domain::asset::AssetId;
use forge_domain::service::ServiceFields;
use forge_domain::tag::Tags;
use forge_domain::{Clock as _, OrganizationId, UserRef};
use forge_store::{Store, StoreError, WriteTx};
use forge_testkit::{Engine, TestResponse, TestServer};
use serde_json::json;
use tokio::task::JoinHandle;

const NAME: &str = "taken";

type Later<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

/// Polls a future once; it has to wait.
async fn started<T>(future: impl Future<Output = Result<T, StoreError>> + Send + 'static) -> Later<T> {
    let mut later: Later<T> = Box::pin(future);
    assert!(poll_fn(|context| Poll::Ready(later.as_mut().poll(context).is_pending())).await);
    later
}

async fn write(store: Store, organization: OrganizationId, server: &TestServer) -> WriteTx {
    store
        .write(&organization, server.clock.now())
        .await
        .unwrap()
        .unwrap()
}

fn waiting(store: &Store) -> usize {
    store.shared_commits().unwrap().waiting
}

/// A write that has taken a name but is not durable, the answer to a request that the name refuses, and a third write
/// that keeps both waiting.
struct Group {
    server: TestServer,
    parts: [String; 2],
    first: Later<i64>,
    refused: JoinHandle<TestResponse>,
    third: WriteTx,
}

async fn group() -> Group {
    let server = TestServer::start(Engine::Sqlite).await;
    let parts = [server.agent(1).await, server.context_graph(1).await];
    let (store, client) = (server.app.store.clone(), server.admin().clone());
    // The group ends when nobody waits, however slow the machine is.
    store.set_group_time(Duration::MAX);
    let organization: OrganizationId = client.organization.parse().unwrap();
    let mut first = write(store.clone(), organization.clone(), &server).await;
    first
        .insert_asset(AssetId::Agent("0123456789abcdef01234567".parse().unwrap()), NAME)
        .await
        .unwrap();
    let refused = tokio::spawn(async move {
        client
            .post("organization/agent", json!({"agent_name": NAME}))
            .await
    });
    while waiting(&store) < 1 {
        tokio::task::yield_now().await;
    }
    let third = {
        let (store, now) = (store.clone(), server.clock.now());
        started(async move { store.write(&organization, now).await }).await
    };
    let first = started(first.commit()).await;
    // It has its turn once the request before it has been refused.
    let third = third.await.unwrap().unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!refused.is_finished(), "the answer waits for what it is based on");
    Group {
        server,
        parts,
        first,
        refused,
        third,
    }
}

#[tokio::test]
async fn a_refusal_waits_until_what_it_is_based_on_is_durable() {
    let Group {
        server: _server,
        first,
        refused,
        third,
        ..
    } = group().await;
    drop(third);
    let refused = refused.await.unwrap();
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);
    first.await.unwrap();
}

#[tokio::test]
async fn a_refusal_based_on_what_did_not_become_durable_is_a_503() {
    let Group {
        server,
        parts: [agent, graph],
        first,
        refused,
        mut third,
    } = group().await;
    // A service without its sets is what the database refuses at the commit.
    let fields = ServiceFields {
        name: "without sets".into(),
        description: String::new(),
        is_active: true,
        agent_id: agent.parse().unwrap(),
        context_graph_id: graph.parse().unwrap(),
        tags: Tags::new(),
        keyterms: Vec::new(),
    };
    let creator = UserRef {
        org_id: third.organization().clone(),
        user_id: server.admin().user_id.clone(),
    };
    let id = "0123456789abcdef0123ffff".parse().unwrap();
    third.insert_service(id, &fields, &creator).await.unwrap();
    third.commit().await.unwrap_err();
    let refused = refused.await.unwrap();
    assert_eq!(
        refused.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "{}",
        refused.body
    );
    first.await.unwrap_err();
    let again = server
        .admin()
        .post("organization/agent", json!({"agent_name": NAME}))
        .await;
    assert_eq!(again.status, StatusCode::CREATED, "the name was never taken");
}
