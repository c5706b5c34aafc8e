//! Deleting users.

use forge_domain::access::DefaultRole;
use forge_testkit::both_engines;
use serde_json::json;

use super::{SUPER_ROLE, USER_ROLE, delete, ids, update};
use crate::support::users::{USERS, invited, member, sign_in};

#[both_engines]
async fn a_deleted_user_is_gone_at_once(server: TestServer) {
    let admin = server.admin();
    let user = member(&server, USER_ROLE).await;
    assert_eq!(user.get("service/").await.status, 200);
    assert_eq!(delete(admin, &user.user_id).await.status, 204);
    assert_eq!(user.get("service/").await.status, 401);
    let [_, id, secret] = &server.credentials;
    assert_eq!(sign_in(admin, &user.user_id, [id, secret]).await.status, 401);
    let by_email = format!("email={USER_ROLE}@example.com");
    for query in [String::new(), format!("user_id={}", user.user_id), by_email] {
        assert!(!ids(admin, &query).await.contains(&user.user_id), "{query}");
    }
    assert_eq!(delete(admin, &user.user_id).await.status, 404);
    assert_eq!(update(admin, &user.user_id, json!({})).await.status, 404);
    let again = invited(admin, &format!("{USER_ROLE}@example.com"), USER_ROLE).await;
    assert_ne!(again, user.user_id);
}

#[both_engines]
async fn nobody_deletes_those_above_or_the_last_super_administrator(server: TestServer) {
    let admin = server.admin();
    let administrator = server.user(DefaultRole::Administrator).await;
    assert_eq!(delete(&administrator, &admin.user_id).await.status, 403);
    assert_eq!(
        delete(&server.user(DefaultRole::User).await, &administrator.user_id)
            .await
            .status,
        403
    );
    let refused = delete(admin, &admin.user_id).await;
    assert_eq!((refused.status.as_u16(), refused.sequence()), (400, None));
    assert!(
        refused.detail().contains("last super administrator"),
        "{}",
        refused.detail()
    );
    let other = member(&server, SUPER_ROLE).await;
    assert_eq!(delete(admin, &admin.user_id).await.status, 204);
    assert_eq!(admin.get(USERS).await.status, 401);
    assert_eq!(delete(&other, &other.user_id).await.status, 400);
}
