//! The end of keys and of what was done with them.

use forge_domain::access::DefaultRole;
use forge_testkit::both_engines;
use serde_json::json;

use super::{create, delete, list, parts, through};
use crate::support::users::sign_in;

const DAY: i64 = 24 * 3600;

#[both_engines]
async fn a_deleted_key_ends_its_tokens_at_once(server: TestServer) {
    let admin = server.admin();
    let created = create(admin, "DefaultAdministratorRole").await;
    let key = parts(&created);
    let user = through(&server.user(DefaultRole::User).await, key).await;
    assert_eq!(user.get("service/").await.status, 200);
    let deleted = delete(admin, key[0]).await;
    assert_eq!(
        (deleted.status.as_u16(), deleted.body),
        (200, json!({"deleted_key_id": key[0]}))
    );
    assert_eq!(user.get("service/").await.status, 401);
    assert_eq!(sign_in(&user, &user.user_id, key).await.status, 401);
    assert_eq!(list(admin).await.len(), 1);
    for id in [key[0], "00000000-0000-4000-8000-000000000000", "unknown"] {
        assert_eq!(delete(admin, id).await.status, 404, "{id}");
    }
    assert_eq!(
        delete(server.stranger(), &server.credentials[1]).await.status,
        404
    );
}

#[both_engines]
async fn nobody_deletes_a_key_above_their_own_role(server: TestServer) {
    let first = &server.credentials[1];
    for role in [
        DefaultRole::User,
        DefaultRole::Administrator,
        DefaultRole::AmigoAdministrator,
    ] {
        let refused = delete(&server.user(role).await, first).await;
        assert_eq!(
            (refused.status.as_u16(), refused.sequence()),
            (403, None),
            "{role:?}"
        );
    }
}

#[both_engines]
async fn an_expired_key_signs_nobody_in_and_ends_its_tokens(server: TestServer) {
    let created = create(server.admin(), "DefaultAdministratorRole").await;
    let key = parts(&created);
    let user = server.user(DefaultRole::User).await;
    server.clock.advance_seconds(DAY - 600);
    let session = sign_in(&user, &user.user_id, key).await;
    assert_eq!(
        session.body["expires_at"], created.body["expires_at"],
        "a token ends with its key"
    );
    let user = user.with_token(session.body["id_token"].as_str().unwrap());
    server.clock.advance_seconds(599);
    assert_eq!(user.get("service/").await.status, 200);
    server.clock.advance_seconds(1);
    assert_eq!(user.get("service/").await.status, 401);
    assert_eq!(sign_in(&user, &user.user_id, key).await.status, 401);
    let [_, id, secret] = &server.credentials;
    assert_eq!(list(&through(server.admin(), [id, secret]).await).await.len(), 1);
}
