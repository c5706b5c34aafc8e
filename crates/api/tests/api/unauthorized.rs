//! Every operation refuses whoever may not call it. A new operation fails these tests until it has an example here.

use std::collections::BTreeSet;

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use forge_domain::access::DefaultRole;
use forge_testkit::{TestServer, both_engines};
use serde_json::json;

use crate::support::examples::{guarded, state};
use crate::support::operations::{operations, served};

/// The operations that the lowest role may call, and why.
const FOR_USERS: &[(&str, &str)] = &[
    ("create-conversation", "users talk to services"),
    (
        "get-conversation-messages",
        "users read what was said to them; of the conversations of others, they get an empty list",
    ),
    ("get-conversations", "users see their own conversations"),
    (
        "get-services",
        "users talk to services, so they see which there are",
    ),
];

/// The lists: whoever may see nothing in one is shown an empty one.
///
/// They are no secret; what is in them is.
const LISTS: &[&str] = &[
    "get-agents",
    "get-api-keys",
    "get-conversation-messages",
    "get-conversations",
    "get-dynamic-behavior-sets",
    "get-metric-evaluation-results",
    "get-metrics",
    "get-service-hierarchical-state-machines",
    "get-services",
    "get-simulation-personas",
    "get-simulation-scenarios",
    "get-simulation-unit-test-set-runs",
    "get-simulation-unit-test-sets",
    "get-simulation-unit-tests",
    "get-temporary-permission-grants",
    "get-users",
    "get_roles_v1__organization__role__get",
    "search-dynamic-behavior-sets",
    "search-simulation-personas",
    "search-simulation-scenarios",
    "search-simulation-unit-test-sets",
    "search-simulation-unit-tests",
];

/// Returns the token with another signature.
fn forged(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{signed}.{first}{}", &signature[1..])
}

/// Returns the claims of one token under the signature of another.
fn grafted(claims: &str, signature: &str) -> String {
    let (signed, _) = claims.rsplit_once('.').unwrap();
    let (_, signature) = signature.rsplit_once('.').unwrap();
    format!("{signed}.{signature}")
}

#[both_engines]
async fn every_operation_asks_for_credentials_that_prove_something(server: TestServer) {
    let guarded = Box::pin(guarded(&server)).await;
    let (admin, stranger) = (server.admin(), server.stranger());
    let [own, foreign] = [admin, stranger].map(|client| client.token.clone().unwrap());
    let bearer = |token: &str| ("authorization", format!("Bearer {token}"));
    let basic = |user: &str, token: &str| {
        (
            "authorization",
            format!("Basic {}", STANDARD.encode(format!("{user}:{token}"))),
        )
    };
    let issued_by = |organization: &str| ("x-org-id", organization.to_owned());
    let admin_name = format!("{}_{}", admin.organization, admin.user_id);
    let attempts: [Vec<(&str, String)>; 19] = [
        vec![],
        vec![bearer("garbage")],
        vec![bearer("a.b.c")],
        vec![bearer("")],
        vec![("authorization", "Bearer".to_owned())],
        vec![("authorization", own.clone())],
        vec![("authorization", format!("Digest {own}"))],
        vec![("authorization", "Basic garbage".to_owned())],
        vec![basic(&admin_name, "garbage")],
        vec![basic(&format!("{}_somebody", admin.organization), &own)],
        vec![basic(&admin.user_id, &own)],
        vec![bearer(&forged(&own))],
        vec![bearer(&grafted(&own, &foreign))],
        // The other organization's token, as it is and as if it were of this one.
        vec![bearer(&foreign)],
        vec![bearer(&foreign), issued_by(&admin.organization)],
        vec![basic(&admin_name, &foreign)],
        // This organization's token, said to be another's.
        vec![bearer(&own), issued_by(&stranger.organization)],
        vec![bearer(&own), issued_by("nowhere")],
        vec![bearer(&own), issued_by("")],
    ];
    let before = state(&server).await;
    for operation in &guarded {
        for attempt in &attempts {
            let headers = attempt.iter().map(|(name, value)| (*name, value.as_str()));
            let answer = operation
                .call(&admin.anonymous(), &headers.collect::<Vec<_>>())
                .await;
            assert_eq!(answer.status, 401, "{} with {attempt:?}", operation.id);
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
            assert!(!answer.detail().is_empty());
            assert_eq!(answer.sequence(), None);
        }
    }
    assert_eq!(state(&server).await, before);
}

#[both_engines]
async fn another_organizations_token_brings_no_rights_along(server: TestServer) {
    let guarded = Box::pin(guarded(&server)).await;
    let stranger = server.stranger().in_organization(&server.admin().organization);
    let before = state(&server).await;
    for operation in &guarded {
        assert_eq!(
            operation.call(&stranger, &[]).await.status,
            401,
            "{}",
            operation.id
        );
        let answer = operation
            .call(&stranger, &[("x-org-id", &server.stranger().organization)])
            .await;
        if LISTS.contains(&operation.id.as_str()) {
            assert!(
                answer.shows_nothing(),
                "{}: {} {}",
                operation.id,
                answer.status,
                answer.body
            );
        } else {
            assert_eq!(answer.status, 403, "{}", operation.id);
        }
    }
    assert_eq!(state(&server).await, before);
}

#[both_engines]
async fn plain_users_may_call_only_what_is_meant_for_them(server: TestServer) {
    let guarded = Box::pin(guarded(&server)).await;
    let user = server.user(DefaultRole::User).await;
    let before = state(&server).await;
    let mut allowed = BTreeSet::new();
    for operation in &guarded {
        let answer = operation.call(&user, &[]).await;
        let is_for_users = FOR_USERS.iter().any(|(id, _)| *id == operation.id);
        if LISTS.contains(&operation.id.as_str()) && !is_for_users {
            assert!(
                answer.shows_nothing(),
                "{}: {} {}",
                operation.id,
                answer.status,
                answer.body
            );
        } else if answer.status.is_success() {
            allowed.insert(operation.id.as_str());
        } else {
            assert_eq!(answer.status, 403, "{}", operation.id);
        }
    }
    assert_eq!(allowed, FOR_USERS.iter().map(|(id, _)| *id).collect());
    assert_eq!(state(&server).await, before);
}

#[both_engines]
async fn things_of_another_organization_are_not_there(server: TestServer) {
    let guarded = Box::pin(guarded(&server)).await;
    let before = state(&server).await;
    for operation in guarded.iter().filter(|operation| operation.names_something()) {
        let answer = operation.call(server.stranger(), &[]).await;
        assert_eq!(answer.status, 404, "{}", operation.id);
    }
    assert_eq!(state(&server).await, before);
}

#[both_engines]
async fn an_organization_that_is_not_there_is_told_before_anything_else(server: TestServer) {
    let guarded = Box::pin(guarded(&server)).await;
    let document = served(&server).await;
    let operations = operations(&document);
    for nowhere in ["nowhere", "No-Where", "no_where", "%20", &"x".repeat(65)] {
        let admin = server.admin().in_organization(nowhere);
        for client in [&admin, &admin.anonymous()] {
            for operation in &guarded {
                // The contract knows operations without a 404; there, no credentials are any good.
                let knows_404 = operations[operation.id.as_str()].content["responses"]
                    .get("404")
                    .is_some();
                let expected = if knows_404 { 404 } else { 401 };
                assert_eq!(
                    operation.call(client, &[]).await.status,
                    expected,
                    "{} in {nowhere}",
                    operation.id
                );
            }
        }
    }
}

#[both_engines]
async fn the_same_requests_succeed_with_the_right_credentials(database: TestDatabase) {
    // Only the operator's users create organizations.
    let server = TestServer::alone(&database).await;
    for operation in &Box::pin(guarded(&server)).await {
        let answer = operation.call(server.admin(), &[]).await;
        assert!(
            answer.status.is_success(),
            "{}: {} {}",
            operation.id,
            answer.status,
            answer.body
        );
    }
}

#[both_engines]
async fn an_ended_token_and_one_whose_key_was_revoked_open_nothing(server: TestServer) {
    let guarded = Box::pin(guarded(&server)).await;
    let admin = server.admin();
    let key = json!({"name": null, "duration": "P1D", "role_name": "DefaultSuperAdministratorRole"});
    let key = admin.post("organization/api_key/", key).await.body;
    let (id, secret) = (
        key["api_key_id"].as_str().unwrap(),
        key["api_key"].as_str().unwrap(),
    );
    let organization = admin.organization.parse().unwrap();
    let session =
        forge_app::access::sign_in::with_api_key(&server.app, &organization, id, secret, &admin.user_id);
    let other = admin.with_token(&session.await.unwrap().token);
    assert_eq!(other.get("service/").await.status, 200);
    assert_eq!(
        admin.delete(&format!("organization/api_key/{id}")).await.status,
        200
    );
    for operation in &guarded {
        assert_eq!(
            operation.call(&other, &[]).await.status,
            401,
            "{} with a revoked key",
            operation.id
        );
    }
    server.clock.advance_seconds(3601);
    for operation in &guarded {
        assert_eq!(
            operation.call(admin, &[]).await.status,
            401,
            "{} with an ended token",
            operation.id
        );
    }
}

#[both_engines]
async fn a_token_counts_as_a_password_and_with_its_own_organization_named(server: TestServer) {
    let (admin, guarded) = (server.admin(), Box::pin(guarded(&server)).await);
    let token = admin.token.as_ref().unwrap();
    let user = STANDARD.encode(format!("{}_{}:{token}", admin.organization, admin.user_id));
    let (basic, bearer) = (format!("Basic {user}"), format!("bearer {token}"));
    for operation in guarded.iter().filter(|operation| operation.method == Method::GET) {
        for headers in [
            vec![("authorization", basic.as_str())],
            vec![("authorization", &basic), ("x-org-id", &admin.organization)],
            vec![("authorization", &bearer), ("x-org-id", &admin.organization)],
        ] {
            let answer = operation.call(&admin.anonymous(), &headers).await;
            assert_eq!(answer.status, 200, "{} with {headers:?}", operation.id);
        }
    }
}
