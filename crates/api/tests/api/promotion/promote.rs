//! Promoting one set or several.

use forge_testkit::{both_engines, version_set};
use serde_json::{Value, json};

use crate::support::organization::change_number;
use crate::support::releases::{Release, assert_applied, codes};

#[both_engines]
async fn sets_that_one_call_creates_count_for_each_other(server: TestServer) {
    let release = Release::new(&server, 1).await;
    let body = |targets: &[String]| {
        let one =
            |target: &String| json!({"service_id": release.service, "source": "edge", "target": target});
        json!({"promotions": targets.iter().map(one).collect::<Vec<_>>()})
    };
    let alike = ["Hotfix".to_owned(), "hotfix".to_owned()];
    let answer = server.admin().post("promotion", body(&alike)).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert_eq!(codes(&answer.body["plans"][1]["blockers"]), ["alike_name"]);
    // Two sets are there already.
    for number in 0..60 {
        release.put(&format!("test-{number}"), version_set(1, 1)).await;
    }
    let many: Vec<String> = (0..40).map(|number| format!("more-{number}")).collect();
    let answer = server.admin().post("promotion", body(&many)).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert_eq!(codes(&answer.body["plans"][39]["blockers"]), ["too_many_sets"]);
    assert_eq!(
        server.admin().post("promotion", body(&many[..38])).await.status,
        200
    );
}

#[both_engines]
async fn a_promotion_freezes_what_floats(server: TestServer) {
    let release = Release::new(&server, 2).await;
    release.put("preview", version_set(None, None)).await;
    assert_applied(&release.promote("preview", "release").await, 2);
    release.add_agent_version().await;
    assert_eq!(
        release.agent("release").await,
        Some(2),
        "a new version does not reach what is frozen"
    );
    let body = json!({"source": "preview", "freeze": false});
    let floating = release.post("release", "promote", body).await;
    assert_applied(&floating, 3);
    let warnings = codes(&floating.body["plan"]["warnings"]);
    assert!(
        warnings.contains(&"not_frozen") && warnings.contains(&"floating_release"),
        "{warnings:?}"
    );
    assert_eq!(release.agent("release").await, None);
    // What `preview` floated to while its first revision was in force is what that revision last meant.
    release.add_agent_version().await;
    release.put("preview", version_set(1, 1)).await;
    release.add_agent_version().await;
    let old = json!({"source": "preview", "source_revision": 1});
    assert_applied(&release.post("test", "promote", old).await, 1);
    assert_eq!(release.agent("test").await, Some(4));
    assert_eq!(release.post("preview", "rollback", json!({})).await.status, 200);
    assert_eq!(release.agent("preview").await, Some(4));
}

#[both_engines]
async fn promoting_what_is_there_already_changes_nothing(server: TestServer) {
    let release = Release::new(&server, 2).await;
    release.release(2).await;
    let before = change_number(&server).await;
    let again = release.promote("preview", "release").await;
    assert_eq!(
        (again.status.as_u16(), &again.body["applied"]),
        (200, &json!(false))
    );
    assert_eq!(
        (&again.body["revision"], &again.body["plan"]["is_no_op"]),
        (&json!(2), &json!(true))
    );
    assert!(again.sequence().is_none());
    assert_eq!(change_number(&server).await, before);
}

#[both_engines]
async fn several_services_are_promoted_together_or_not_at_all(server: TestServer) {
    let (one, two) = (Release::new(&server, 3).await, Release::new(&server, 3).await);
    one.put("preview", version_set(2, 1)).await;
    two.put("preview", version_set(3, 1)).await;
    let promotion = |release: &Release, source: &str| json!({"service_id": release.service, "source": source, "target": "release"});
    let before = change_number(&server).await;
    let body = json!({"promotions": [promotion(&one, "preview"), promotion(&two, "nothing")]});
    let blocked = server.admin().post("promotion", body).await;
    assert_eq!(blocked.status, 400);
    assert_eq!(codes(&blocked.body["plans"][1]["blockers"]), ["unknown_source"]);
    assert_eq!(change_number(&server).await, before);
    assert_eq!(one.agent("release").await, None, "nothing half-made");

    let mut body =
        json!({"promotions": [promotion(&one, "preview"), promotion(&two, "preview")], "dry_run": true});
    let dry = server.admin().post("promotion", body.clone()).await;
    assert_eq!((dry.status.as_u16(), &dry.body["applied"]), (200, &json!(false)));
    body["dry_run"] = json!(false);
    body["plan_digest"] = json!("0");
    assert_eq!(server.admin().post("promotion", body.clone()).await.status, 409);
    body["plan_digest"] = dry.body["digest"].clone();
    let done = server.admin().post("promotion", body.clone()).await;
    assert_eq!(
        (done.status.as_u16(), &done.body["applied"]),
        (200, &json!(true)),
        "{}",
        done.body
    );
    assert_eq!(done.sequence(), Some(before + 1), "one change for all");
    assert_eq!(
        (one.agent("release").await, two.agent("release").await),
        (Some(2), Some(3))
    );
    body["plan_digest"] = Value::Null;
    let again = server.admin().post("promotion", body).await;
    assert_eq!(again.body["applied"], json!(false));

    let twice = json!({"promotions": [promotion(&one, "preview"), promotion(&one, "test")]});
    let answer = server.admin().post("promotion", twice).await;
    assert_eq!(answer.faults(), ["body.promotions.1.target: duplicate"]);
    let none = server.admin().post("promotion", json!({"promotions": []})).await;
    assert_eq!(none.status, 422);
}
