//! Signing in with an API key, and which credentials prove something afterwards.

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use forge_domain::access::DefaultRole;
use forge_domain::api_key::NewApiKey;
use forge_domain::{OrganizationId, UserRef};
use forge_testkit::{TestClient, TestResponse, TestServer, both_engines};
use serde_json::{Value, json};

const SIGN_IN: &str = "user/signin_with_api_key";
/// A path that only somebody with permissions may read.
const GUARDED: &str = "organization/agent";
const DAY: i64 = 24 * 3600;

async fn sign_in(client: &TestClient, user_id: &str, key_id: &str, secret: &str) -> TestResponse {
    let headers = [
        ("x-user-id", user_id),
        ("x-api-key-id", key_id),
        ("x-api-key", secret),
    ];
    client
        .anonymous()
        .send_raw(Method::POST, SIGN_IN, &headers, None, Vec::new())
        .await
}

/// Signs the first organization's super administrator in.
async fn sign_in_as_admin(server: &TestServer) -> TestResponse {
    let [user_id, key_id, secret] = &server.credentials;
    sign_in(server.admin(), user_id, key_id, secret).await
}

/// Reads the guarded path with these headers only.
async fn with_headers(client: &TestClient, headers: &[(&str, &str)]) -> TestResponse {
    client
        .anonymous()
        .send_raw(Method::GET, GUARDED, headers, None, Vec::new())
        .await
}

fn basic(user: &str, token: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{token}")))
}

fn token(client: &TestClient) -> String {
    client.token.clone().unwrap()
}

/// Returns one of the first two parts of a token.
fn decoded(token: &str, part: usize) -> Value {
    serde_json::from_slice(
        &URL_SAFE_NO_PAD
            .decode(token.split('.').nth(part).unwrap())
            .unwrap(),
    )
    .unwrap()
}

/// Returns the token with other fields in its first part (the header) or its second one (the claims).
fn edited(token: &str, part: usize, changes: &Value) -> String {
    let mut fields = decoded(token, part);
    for (field, value) in changes.as_object().unwrap() {
        fields[field] = value.clone();
    }
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    parts[part] = URL_SAFE_NO_PAD.encode(fields.to_string());
    parts.join(".")
}

async fn proves_nothing(client: &TestClient, token: &str) {
    let refused = client.with_token(token).get(GUARDED).await;
    assert_eq!(refused.status, 401, "{token}");
    assert_eq!(refused.headers["www-authenticate"], "Bearer");
}

#[both_engines]
async fn a_key_signs_its_users_in(server: TestServer) {
    let session = sign_in_as_admin(&server).await;
    assert_eq!(session.status, 200, "{}", session.body);
    assert_eq!(session.body["expires_at"], "2026-11-23T13:00:00.000Z");
    assert_eq!(session.sequence(), None);
    let token = session.body["id_token"].as_str().unwrap();
    assert_eq!(server.admin().with_token(token).get(GUARDED).await.status, 200);
    let user = server.user(DefaultRole::User).await;
    assert_eq!(user.get("service/").await.status, 200);
    assert!(user.get(GUARDED).await.shows_nothing());
}

#[both_engines]
async fn a_sign_in_takes_no_body_and_does_not_mind_one(server: TestServer) {
    let [user_id, key_id, secret] = server.credentials.each_ref().map(String::as_str);
    let headers = [
        ("x-user-id", user_id),
        ("X-API-Key-ID", key_id),
        ("X-Api-Key", secret),
    ];
    let client = server.admin().anonymous();
    for path in [SIGN_IN, "user/signin_with_api_key/"] {
        for (content_type, body) in [
            (None, ""),
            (Some("application/json"), ""),
            (Some("application/json"), "{}"),
            (Some("application/json"), "no JSON"),
            (Some("text/plain"), "text"),
        ] {
            let session = client
                .send_raw(Method::POST, path, &headers, content_type, body.into())
                .await;
            assert_eq!(session.status, 200, "{content_type:?} {body}: {}", session.body);
        }
    }
}

#[both_engines]
async fn every_refusal_of_a_sign_in_has_the_same_text(server: TestServer) {
    let [user, key, secret] = server.credentials.each_ref().map(String::as_str);
    let (admin, stranger) = (server.admin(), server.stranger());
    let mut texts = Vec::new();
    for (client, user, key, secret) in [
        (admin, user, key, "forge_wrong"),
        (admin, user, key, ""),
        (admin, user, "00000000-0000-4000-8000-000000000000", secret),
        (admin, user, "unknown", ""),
        (admin, user, &key.to_uppercase(), secret),
        (admin, "nobody", key, secret),
        (admin, "", key, secret),
        (admin, &stranger.user_id, key, secret),
        (stranger, &stranger.user_id, key, secret),
        (stranger, user, key, secret),
    ] {
        let refused = sign_in(client, user, key, secret).await;
        assert_eq!(refused.status, 401, "{user} {key}");
        texts.push(refused.detail().to_owned());
    }
    server.clock.advance_seconds(91 * DAY);
    let expired = sign_in_as_admin(&server).await;
    assert_eq!(expired.status, 401);
    assert!(texts.iter().all(|text| text == expired.detail()), "{texts:?}");
    server.clock.advance_seconds(-91 * DAY);
    assert_eq!(sign_in_as_admin(&server).await.status, 200);
}

#[both_engines]
async fn a_key_signs_in_only_users_with_a_lower_role(server: TestServer) {
    const LOWER: &str = "01234567-89ab-4def-8123-456789abcdef";
    let [_, key_id, secret] = &server.credentials;
    let organization: OrganizationId = server.admin().organization.parse().unwrap();
    let mut tx = server
        .app
        .store
        .write(&organization, server.app.clock.now())
        .await
        .unwrap()
        .unwrap();
    let first = tx
        .find_api_key(&organization, key_id.parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    let role = tx
        .find_role(&organization, DefaultRole::Administrator.name())
        .await
        .unwrap()
        .unwrap();
    tx.insert_api_key(NewApiKey {
        object_id: "0123456789abcdef01234567".parse().unwrap(),
        id: LOWER.parse().unwrap(),
        secret_hash: first.secret_hash,
        role_id: role.id,
        name: None,
        is_agent: false,
        creator: UserRef {
            org_id: organization,
            user_id: server.admin().user_id.clone(),
        },
        behind: Vec::new(),
        expires_at: first.expires_at,
    })
    .await
    .unwrap();
    tx.commit().await.unwrap();
    for (role, status) in [
        (DefaultRole::User, 200),
        (DefaultRole::Administrator, 401),
        (DefaultRole::AmigoAdministrator, 401),
        (DefaultRole::SuperAdministrator, 401),
    ] {
        let user = server.user(role).await;
        let answer = sign_in(server.admin(), &user.user_id, LOWER, secret).await;
        assert_eq!(answer.status, status, "{}", role.name());
    }
}

#[both_engines]
async fn every_header_of_a_sign_in_is_required(server: TestServer) {
    let [user_id, key_id, secret] = server.credentials.each_ref().map(String::as_str);
    let all = [
        ("x-api-key", secret),
        ("x-api-key-id", key_id),
        ("x-user-id", user_id),
    ];
    for (missing, _) in all {
        let headers: Vec<_> = all.into_iter().filter(|(name, _)| *name != missing).collect();
        let refused = server
            .admin()
            .send_raw(Method::POST, SIGN_IN, &headers, None, Vec::new())
            .await;
        assert_eq!(refused.status, 422);
        assert_eq!(refused.faults(), [format!("header.{missing}: missing")]);
    }
    assert_eq!(
        server
            .admin()
            .send(Method::POST, SIGN_IN, None)
            .await
            .faults()
            .len(),
        3
    );
    let odd = server
        .admin()
        .in_organization("%FF")
        .send_raw(Method::POST, SIGN_IN, &all, None, Vec::new())
        .await;
    assert_eq!(
        (odd.status.as_u16(), odd.faults()),
        (422, vec!["path: string_unicode".to_owned()])
    );
}

#[both_engines]
async fn nobody_signs_in_to_an_organization_that_is_not_there(server: TestServer) {
    let [user_id, key_id, secret] = server.credentials.each_ref().map(String::as_str);
    for organization in ["no-such-organization", "NO", "%00", "%20", &"a".repeat(65)] {
        let client = server.admin().in_organization(organization);
        assert_eq!(
            sign_in(&client, user_id, key_id, secret).await.status,
            404,
            "{organization}"
        );
        let without_headers = client.anonymous().send(Method::POST, SIGN_IN, None).await;
        assert_eq!(without_headers.status, 404, "the organization is looked at first");
    }
}

#[both_engines]
async fn a_token_lives_for_an_hour(server: TestServer) {
    for (seconds, status) in [(3599, 200), (1, 401), (1, 401)] {
        server.clock.advance_seconds(seconds);
        assert_eq!(server.admin().get(GUARDED).await.status, status);
    }
    let again = sign_in_as_admin(&server).await;
    assert_eq!(again.body["expires_at"], "2026-11-23T14:00:01.000Z");
    let token = again.body["id_token"].as_str().unwrap();
    assert_eq!(server.admin().with_token(token).get(GUARDED).await.status, 200);
}

#[both_engines]
async fn a_token_from_the_future_is_refused_beyond_what_clocks_may_differ(server: TestServer) {
    for (seconds, status) in [(-30, 200), (-1, 401), (1, 200)] {
        server.clock.advance_seconds(seconds);
        assert_eq!(server.admin().get(GUARDED).await.status, status);
    }
}

#[both_engines]
async fn a_token_ends_with_its_key(server: TestServer) {
    server.clock.advance_seconds(90 * DAY - 600);
    let session = sign_in_as_admin(&server).await;
    assert_eq!(session.body["expires_at"], "2027-02-21T12:00:00.000Z");
    let client = server
        .admin()
        .with_token(session.body["id_token"].as_str().unwrap());
    for (seconds, status) in [(599, 200), (1, 401)] {
        server.clock.advance_seconds(seconds);
        assert_eq!(client.get(GUARDED).await.status, status);
    }
    assert_eq!(sign_in_as_admin(&server).await.status, 401);
}

#[both_engines]
async fn a_token_comes_as_bearer_or_as_basic(server: TestServer) {
    let (admin, token) = (server.admin(), token(server.admin()));
    let name = format!("{}_{}", admin.organization, admin.user_id);
    for scheme in ["Bearer", "bearer", "BEARER"] {
        assert_eq!(
            with_headers(admin, &[("authorization", &format!("{scheme} {token}"))])
                .await
                .status,
            200
        );
    }
    let credentials = basic(&name, &token);
    assert_eq!(
        with_headers(admin, &[("authorization", &credentials)])
            .await
            .status,
        200
    );
    assert_eq!(
        with_headers(
            admin,
            &[("authorization", &credentials.replace("Basic", "basic"))]
        )
        .await
        .status,
        200
    );
    let issuer = ("x-org-id", admin.organization.as_str());
    assert_eq!(
        with_headers(admin, &[("authorization", &credentials), issuer])
            .await
            .status,
        200
    );
}

#[both_engines]
async fn malformed_credentials_are_refused(server: TestServer) {
    let (admin, stranger, token) = (server.admin(), server.stranger(), token(server.admin()));
    let name = format!("{}_{}", admin.organization, admin.user_id);
    for authorization in [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        token.clone(),
        format!("Token {token}"),
        format!("Bearer {token} {token}"),
        "Basic".to_owned(),
        "Basic !".to_owned(),
        format!("Basic {token}"),
        format!("Basic {}", STANDARD.encode(&token)),
        format!("Basic {}", STANDARD.encode(b"\xff:\xff")),
        basic("", &token),
        basic(&admin.user_id, &token),
        basic(&admin.organization, &token),
        basic(&format!("{name}x"), &token),
        basic(&format!("{}_{}", stranger.organization, admin.user_id), &token),
        basic(&format!("{}_{}", admin.organization, stranger.user_id), &token),
        basic(&name, ""),
        basic(&token, &name),
    ] {
        let refused = with_headers(admin, &[("authorization", &authorization)]).await;
        assert_eq!(refused.status, 401, "{authorization}");
        assert!(!refused.detail().contains(&token));
    }
    assert_eq!(with_headers(admin, &[]).await.status, 401);
}

#[both_engines]
async fn a_token_of_another_organization_brings_no_rights_along(server: TestServer) {
    let (admin, stranger) = (server.admin(), server.stranger());
    proves_nothing(admin, &token(stranger)).await;
    let bearer = format!("Bearer {}", token(stranger));
    let as_issued = [
        ("authorization", bearer.as_str()),
        ("x-org-id", &stranger.organization),
    ];
    assert!(with_headers(admin, &as_issued).await.shows_nothing());
    assert_eq!(with_headers(stranger, &as_issued).await.status, 200);
    let named = basic(
        &format!("{}_{}", stranger.organization, stranger.user_id),
        &token(stranger),
    );
    let as_issued = [
        ("authorization", named.as_str()),
        ("x-org-id", &stranger.organization),
    ];
    assert!(with_headers(admin, &as_issued).await.shows_nothing());
    for issuer in [&admin.organization, "no-such-organization", "No Organization", ""] {
        let refused = with_headers(admin, &[("authorization", &bearer), ("x-org-id", issuer)]).await;
        assert_eq!(refused.status, 401, "{issuer}");
    }
}

#[both_engines]
async fn an_edited_token_proves_nothing(server: TestServer) {
    let (admin, own, foreign) = (server.admin(), token(server.admin()), token(server.stranger()));
    let user = server.user(DefaultRole::User).await;
    let (own_kid, foreign_kid) = (&decoded(&own, 0)["kid"], &decoded(&foreign, 0)["kid"]);
    let signature = own.rsplit_once('.').unwrap().1;
    let other = if signature.starts_with('A') { "B" } else { "A" };
    for edited in [
        edited(&own, 1, &json!({"exp": 4_000_000_000_i64})),
        edited(&own, 1, &json!({"sub": user.user_id})),
        edited(&token(&user), 1, &json!({"sub": admin.user_id})),
        edited(&own, 1, &json!({"iss": server.stranger().organization})),
        edited(&own, 0, &json!({"typ": "JOSE"})),
        edited(&own, 0, &json!({"kid": foreign_kid})),
        edited(&foreign, 0, &json!({"kid": own_kid})),
        edited(&foreign, 1, &json!({"iss": admin.organization})),
        edited(
            &edited(&foreign, 0, &json!({"kid": own_kid})),
            1,
            &json!({"iss": admin.organization}),
        ),
        own.replace(signature, &format!("{other}{}", &signature[1..])),
        own.replace(signature, foreign.rsplit_once('.').unwrap().1),
    ] {
        proves_nothing(admin, &edited).await;
    }
    assert_eq!(admin.get(GUARDED).await.status, 200);
}

#[both_engines]
async fn a_token_with_another_algorithm_proves_nothing(server: TestServer) {
    let own = token(server.admin());
    for algorithm in ["none", "None", "HS256", "RS256", "ES256", ""] {
        let claimed = edited(&own, 0, &json!({"alg": algorithm}));
        proves_nothing(server.admin(), &claimed).await;
        proves_nothing(
            server.admin(),
            &format!("{}.", claimed.rsplit_once('.').unwrap().0),
        )
        .await;
    }
}

#[both_engines]
async fn a_token_with_an_odd_key_id_proves_nothing(server: TestServer) {
    let own = token(server.admin());
    let long = "k".repeat(10_000);
    for kid in [
        json!(null),
        json!(7),
        json!(""),
        json!("ffffffffffffffffffffffff"),
        json!("a\0b"),
        json!("' OR ''='"),
        json!(long),
    ] {
        proves_nothing(server.admin(), &edited(&own, 0, &json!({"kid": kid}))).await;
    }
}

#[both_engines]
async fn what_is_no_whole_token_proves_nothing(server: TestServer) {
    let own = token(server.admin());
    for length in [
        0,
        1,
        own.find('.').unwrap(),
        own.rfind('.').unwrap(),
        own.len() - 1,
    ] {
        proves_nothing(server.admin(), &own[..length]).await;
    }
    for text in [
        ".",
        "..",
        "...",
        "a.b.c",
        "e30.e30.e30",
        &format!("{own}."),
        &format!("{own}AAAA"),
        &own[1..],
    ] {
        proves_nothing(server.admin(), text).await;
    }
}
