//! Who may promote and roll back.

use forge_domain::access::DefaultRole;
use forge_testkit::{both_engines, version_set};
use serde_json::json;

use crate::support::grants::parsed_grant;
use crate::support::releases::Release;

#[both_engines]
async fn a_role_can_move_preview_and_not_release(server: TestServer) {
    let release = Release::new(&server, 2).await;
    release.put("test", version_set(2, 1)).await;
    release.put("preview", version_set(1, 1)).await;
    let only_preview = json!({"version_set_name": {"type": "Equals", "value": "preview"}});
    let readable = json!({"version_set_name": {"type": "In", "values": ["test", "preview"]}});
    let grants = vec![
        parsed_grant("Service:UpdateVersionSet", only_preview),
        parsed_grant("Service:GetVersionSet", readable),
    ];
    let caller = server.caller(grants);
    let service = release.service.parse().unwrap();
    let promote = async |source: &str, target: &str| {
        let promote = forge_app::version_sets::promotion::Promote {
            source: source.to_owned(),
            source_revision: None,
            freeze: true,
        };
        let terms = forge_app::version_sets::promotion::ChangeOptions::default();
        forge_app::version_sets::promotion::promote(
            forge_app::Ctx::new(&server.app, &caller),
            service,
            target,
            promote,
            &terms,
        )
        .await
    };
    let forbidden =
        |result: Result<_, forge_app::AppError>| matches!(result, Err(forge_app::AppError::Forbidden(_)));
    assert!(
        forbidden(promote("preview", "release").await),
        "`release` is out of reach"
    );
    assert!(forbidden(promote("release", "preview").await), "so is reading it");
    assert!(forbidden(promote("preview", "new").await), "and creating a set");
    assert!(promote("test", "preview").await.unwrap().is_applied);
    assert_eq!(release.agent("preview").await, Some(2));
}

#[both_engines]
async fn only_who_may_change_a_set_promotes_or_rolls_back(server: TestServer) {
    let release = Release::new(&server, 2).await;
    release.put("preview", version_set(2, 1)).await;
    let user = server.user(DefaultRole::User).await;
    let sets = release.sets();
    for dry_run in [false, true] {
        let body = json!({"source": "preview", "dry_run": dry_run});
        assert_eq!(
            user.post(&format!("{sets}/release/promote"), body).await.status,
            403
        );
        let body = json!({"dry_run": dry_run});
        assert_eq!(
            user.post(&format!("{sets}/release/rollback"), body).await.status,
            403
        );
    }
    let stranger = server.stranger();
    let body = json!({"source": "preview"});
    assert_eq!(
        stranger
            .post(&format!("{sets}/release/promote"), body)
            .await
            .status,
        404
    );
}
