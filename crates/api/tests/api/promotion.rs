//! Promotions, rollbacks, holds and history: the journeys of whoever releases, and what stands in their way.

use axum::http::Method;
use forge_domain::access::DefaultRole;
use forge_testkit::{both_engines, version_set};
use serde_json::{Value, json};

use crate::support::grants::parsed_grant;
use crate::support::organization::{a_day_later, change_number, organization};
use crate::support::releases::{Release, assert_applied, assert_blocked, codes};

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
async fn a_candidate_goes_to_release_and_back(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.put("preview", version_set(2, 3)).await;
    let body = json!({"source": "preview", "message": "tested"});
    let promoted = release.post("release", "promote", body).await;
    assert_applied(&promoted, 2);
    let plan = &promoted.body["plan"];
    assert_eq!(
        (
            &plan["action"],
            &plan["source"]["name"],
            &plan["source"]["revision"]
        ),
        (&json!("promote"), &json!("preview"), &json!(1))
    );
    assert_eq!(plan["target"], json!({"name": "release", "revision": 1}));
    assert_eq!(
        plan["changes"][0],
        json!({"field": "agent_version_number", "from": null, "to": 2})
    );
    assert_eq!(plan["blockers"], json!([]));
    let set = release.get("release").await;
    assert_eq!(
        (&set["source"], &set["message"]),
        (&json!({"name": "preview", "revision": 1}), &json!("tested"))
    );
    assert_eq!(set["hold"], Value::Null);

    let body = json!({"message": "it answers in Latin"});
    assert_applied(&release.post("release", "rollback", body).await, 3);
    let set = release.get("release").await;
    assert_eq!(
        set["pins"]["agent_version_number"],
        json!(3),
        "what it floated to is written as a number"
    );
    assert_eq!(set["hold"]["reason"], json!("it answers in Latin"));
    assert_eq!(set["hold"]["by"]["user_id"], json!(server.admin().user_id));

    let history = release.history("release").await;
    let actions: Vec<&str> = history
        .iter()
        .map(|entry| entry["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["rollback", "promote", "create"]);
    assert_eq!(history[0]["restored_revision"], json!(1));
    assert_eq!(history[0]["previous"]["pins"]["agent_version_number"], json!(2));
    assert_eq!(history[1]["source"], json!({"name": "preview", "revision": 1}));
    assert_eq!(history[1]["actor"], server.admin_actor());
    assert_eq!(history[2]["previous"], Value::Null);
}

#[both_engines]
async fn a_second_rollback_goes_behind_the_first_and_never_forward(server: TestServer) {
    let release = Release::new(&server, 5).await;
    release.put("release", version_set(1, 1)).await;
    release.release(2).await;
    release.release(3).await;
    for (expected, restored) in [(2, 3), (1, 2)] {
        let answer = release.roll_back().await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(release.agent("release").await, Some(expected));
        assert_eq!(
            release.history("release").await[0]["restored_revision"],
            json!(restored)
        );
    }
    // The service was created floating: that is as far back as it goes.
    assert_eq!(release.roll_back().await.status, 200);
    assert_blocked(&release.roll_back().await, &["nothing_to_roll_back"]);
    // A new promotion goes back to where the rollbacks led.
    release.release(4).await;
    assert_eq!(release.roll_back().await.status, 200);
    assert_eq!(release.agent("release").await, Some(5));
    assert_blocked(&release.roll_back().await, &["nothing_to_roll_back"]);
}

#[both_engines]
async fn nothing_moves_a_held_set_until_somebody_lifts_the_hold(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.release(1).await;
    release.release(2).await;
    assert_eq!(release.roll_back().await.status, 200);
    let before = change_number(&server).await;
    assert_blocked(&release.promote("preview", "release").await, &["held"]);
    let answer = release
        .client
        .put(&release.set("release"), json!({"version_set": version_set(2, 1)}))
        .await;
    assert_blocked(&answer, &["held"]);
    assert!(answer.detail().contains("lift_hold"), "{}", answer.detail());
    let undone = release
        .post("release", "rollback", json!({"to_revision": 3}))
        .await;
    assert_blocked(&undone, &["undone_revision"]);
    assert_eq!(
        change_number(&server).await,
        before,
        "what was refused changed nothing"
    );

    // Held sets cannot be deleted and made again to get rid of the hold.
    release.put("test", version_set(1, 1)).await;
    release.put("test", version_set(2, 1)).await;
    assert_eq!(release.post("test", "rollback", json!({})).await.status, 200);
    assert_blocked(&release.client.delete(&release.set("test")).await, &["held"]);
    let lifted = release
        .client
        .delete(&format!("{}?lift_hold=true", release.set("test")))
        .await;
    assert_eq!(lifted.status, 204);
    release.put("test", version_set(1, 1)).await;
    assert_eq!(
        release.get("test").await["hold"],
        Value::Null,
        "a set that comes back is not held"
    );

    let hold = format!("{}/release/hold", release.sets());
    let lifted = release.client.delete(&hold).await;
    assert_eq!(lifted.status, 204);
    assert!(lifted.sequence().is_some());
    assert!(
        release.client.delete(&hold).await.sequence().is_none(),
        "nothing is left to lift"
    );
    assert_eq!(
        release.history("release").await.len(),
        4,
        "lifting is no revision"
    );
    assert_eq!(release.promote("preview", "release").await.status, 200);
    assert_eq!(
        release
            .client
            .delete(&format!("{}/nothing/hold", release.sets()))
            .await
            .status,
        404
    );
}

#[both_engines]
async fn a_hold_is_lifted_in_the_same_call_and_history_goes_on(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.release(1).await;
    release.release(2).await;
    assert_eq!(release.roll_back().await.status, 200);
    let answer = release
        .post(
            "release",
            "promote",
            json!({"source": "preview", "lift_hold": true}),
        )
        .await;
    assert_applied(&answer, 5);
    let change = json!({"field": "hold", "from": true, "to": false});
    assert!(
        answer.body["plan"]["changes"]
            .as_array()
            .unwrap()
            .contains(&change)
    );
    assert_eq!(release.get("release").await["hold"], Value::Null);
    // The hold alone may be what changes.
    assert_eq!(release.roll_back().await.status, 200);
    release.put("preview", version_set(1, 1)).await;
    let answer = release
        .post(
            "release",
            "promote",
            json!({"source": "preview", "lift_hold": true}),
        )
        .await;
    assert_applied(&answer, 6);
    assert_eq!(
        release.history("release").await.len(),
        6,
        "the pins were these already"
    );
    assert_eq!(release.get("release").await["hold"], Value::Null);
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
async fn a_dry_run_shows_the_very_plan_and_changes_nothing(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.put("preview", version_set(2, 3)).await;
    let before = change_number(&server).await;
    let dry = release
        .post(
            "release",
            "promote",
            json!({"source": "preview", "dry_run": true}),
        )
        .await;
    assert_eq!(
        (dry.status.as_u16(), &dry.body["applied"], &dry.body["revision"]),
        (200, &json!(false), &json!(1))
    );
    let path = format!("{}?dry_run=true", release.set("test"));
    let put = release
        .client
        .put(&path, json!({"version_set": version_set(9, 9)}))
        .await;
    assert_eq!(put.status, 200, "a dry run tells the blockers");
    assert_eq!(
        codes(&put.body["blockers"]),
        ["no_such_version", "no_such_version"]
    );
    assert_eq!(put.body["target"]["revision"], Value::Null);
    let delete = release
        .client
        .delete(&format!("{}?dry_run=true", release.set("preview")))
        .await;
    assert_eq!(
        (delete.status.as_u16(), &delete.body["action"]),
        (200, &json!("delete"))
    );
    assert_eq!(change_number(&server).await, before);
    let digest = dry.body["plan"]["digest"].clone();
    let body = json!({"source": "preview", "plan_digest": digest});
    let real = release.post("release", "promote", body).await;
    assert_applied(&real, 2);
    assert_eq!(real.body["plan"], dry.body["plan"]);
}

#[both_engines]
async fn a_plan_is_bound_to_the_name_of_the_service(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.put("preview", version_set(2, 3)).await;
    let dry = |action: &'static str, mut body: Value| {
        body["dry_run"] = json!(true);
        release.post("release", action, body)
    };
    let service = format!("service/{}/", release.service);
    let change = json!({"description": "another"});
    let plans = [
        dry("promote", json!({"source": "preview"})).await.body["plan"]["digest"].clone(),
        release
            .client
            .post(&format!("{service}?dry_run=true"), change.clone())
            .await
            .body["digest"]
            .clone(),
    ];
    let renamed = release.client.post(&service, json!({"name": "Old"})).await;
    assert!(renamed.status.is_success(), "{}", renamed.body);
    let [promotion, update] = plans;
    let promoted = release
        .post(
            "release",
            "promote",
            json!({"source": "preview", "plan_digest": promotion}),
        )
        .await;
    assert_eq!(promoted.status, 409, "{}", promoted.body);
    let path = format!("{service}?plan_digest={}", update.as_str().unwrap());
    let updated = release.client.post(&path, change).await;
    assert_eq!(updated.status, 409, "{}", updated.body);
}

#[both_engines]
async fn a_plan_that_moved_is_not_carried_out(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.put("preview", version_set(2, 3)).await;
    let dry = release
        .post(
            "release",
            "promote",
            json!({"source": "preview", "dry_run": true}),
        )
        .await;
    let digest = dry.body["plan"]["digest"].as_str().unwrap().to_owned();
    release.put("preview", version_set(3, 3)).await;
    let before = change_number(&server).await;
    let body = json!({"source": "preview", "plan_digest": digest});
    let moved = release.post("release", "promote", body.clone()).await;
    assert_eq!(moved.status, 409);
    let fresh = moved.body["plan"]["digest"].as_str().unwrap().to_owned();
    assert_ne!(fresh, digest);
    assert_eq!(change_number(&server).await, before);
    // The digest comes before the blockers, and the revision before the digest.
    release
        .client
        .put(&release.set("release"), json!({"version_set": version_set(1, 1)}))
        .await;
    release.roll_back().await;
    assert_eq!(release.post("release", "promote", body.clone()).await.status, 409);
    let path = format!("{}/release/promote", release.sets());
    let stale = release
        .send(Method::POST, &path, &[("If-Match", "\"1\"")], body)
        .await;
    assert_eq!(stale.status, 412);
    assert_eq!(stale.body["version_set"]["revision"], json!(3));
}

#[both_engines]
async fn conditions_on_the_revision_hold_for_every_way_of_writing(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.put("preview", version_set(2, 1)).await;
    let (set, promote) = (
        release.set("preview"),
        format!("{}/release/promote", release.sets()),
    );
    let pins = json!({"version_set": version_set(3, 1)});
    let body = json!({"source": "preview"});
    let send = async |method: Method, path: &str, header: (&str, &str), body: Value| {
        release.send(method, path, &[header], body).await.status.as_u16()
    };
    let etag = release.client.get(&set).await.headers["etag"]
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(etag, "\"1\"");
    assert_eq!(
        send(Method::PUT, &set, ("If-None-Match", "*"), pins.clone()).await,
        412
    );
    assert_eq!(
        send(Method::PUT, &set, ("If-Match", "\"7\""), pins.clone()).await,
        412
    );
    assert_eq!(
        send(Method::PUT, &release.set("new"), ("If-Match", "*"), pins.clone()).await,
        412
    );
    assert_eq!(
        send(Method::PUT, &set, ("If-Match", &etag), pins.clone()).await,
        204
    );
    assert_eq!(
        send(Method::PUT, &release.set("new"), ("If-None-Match", "*"), pins).await,
        204
    );
    assert_eq!(
        send(Method::POST, &promote, ("If-Match", "\"2\", \"3\""), body.clone()).await,
        412
    );
    assert_eq!(
        send(Method::POST, &promote, ("If-Match", "\"2\", \"1\""), body.clone()).await,
        200
    );
    let rollback = format!("{}/release/rollback", release.sets());
    assert_eq!(
        send(Method::POST, &rollback, ("If-Match", "\"1\""), json!({})).await,
        412
    );
    assert_eq!(
        send(Method::DELETE, &set, ("If-Match", "\"1\""), Value::Null).await,
        412
    );
    for header in [("If-Match", "x"), ("If-Match", ""), ("If-None-Match", "\"1\"")] {
        assert_eq!(
            send(Method::POST, &promote, header, body.clone()).await,
            422,
            "{header:?}"
        );
    }
    assert_eq!(
        send(Method::DELETE, &set, ("If-Match", "\"2\""), Value::Null).await,
        204
    );
}

#[both_engines]
async fn every_blocker_is_told_at_once(server: TestServer) {
    let release = Release::new(&server, 2).await;
    let answer = release
        .post("edge", "promote", json!({"source": "nothing"}))
        .await;
    assert_blocked(&answer, &["edge_is_fixed", "unknown_source"]);
    let answer = release.post("a.b", "promote", json!({"source": "release"})).await;
    assert_blocked(&answer, &["bad_name"]);
    for source in [
        json!({"source": "no name"}),
        json!({"source": "release", "source_revision": 7}),
    ] {
        assert_blocked(
            &release.post("test", "promote", source).await,
            &["unknown_source"],
        );
    }
    assert_blocked(
        &release.post("edge", "rollback", json!({})).await,
        &["edge_is_fixed", "nothing_to_roll_back"],
    );
    let answer = release
        .post("release", "rollback", json!({"to_revision": 9}))
        .await;
    assert_blocked(&answer, &["no_such_revision"]);
    assert_eq!(release.post("nothing", "rollback", json!({})).await.status, 404);
    // A deleted set can be promoted by its revision, but not by its name.
    release.put("test", version_set(1, 1)).await;
    assert_eq!(release.client.delete(&release.set("test")).await.status, 204);
    assert_blocked(&release.promote("test", "preview").await, &["unknown_source"]);
    let old = json!({"source": "test", "source_revision": 1});
    assert_applied(&release.post("preview", "promote", old).await, 1);
    assert_eq!(release.post("test", "rollback", json!({})).await.status, 404);
}

#[both_engines]
async fn rollbacks_stop_at_deletions_and_rebinds(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.put("test", version_set(1, 1)).await;
    release.put("test", version_set(2, 1)).await;
    assert_eq!(release.client.delete(&release.set("test")).await.status, 204);
    release.put("test", version_set(3, 1)).await;
    assert_blocked(
        &release.post("test", "rollback", json!({})).await,
        &["nothing_to_roll_back"],
    );
    let across = release
        .post("test", "rollback", json!({"to_revision": 2, "lift_hold": true}))
        .await;
    assert_blocked(&across, &["across_deletion"]);
    let history = release.history("test").await;
    assert_eq!(
        history[0]["revision"],
        json!(4),
        "a set that comes back goes on counting"
    );
    assert_eq!(
        (&history[1]["action"], &history[1]["pins"]),
        (&json!("delete"), &Value::Null)
    );

    release.put("release", version_set(1, 1)).await;
    let agent = server.agent(3).await;
    let rebound = release
        .client
        .post(
            &format!("service/{}/", release.service),
            json!({"agent_id": agent}),
        )
        .await;
    assert_eq!(rebound.status, 200, "{}", rebound.body);
    assert_blocked(&release.roll_back().await, &["nothing_to_roll_back"]);
    let across = release
        .post("release", "rollback", json!({"to_revision": 2}))
        .await;
    assert_blocked(&across, &["across_rebind"]);
    let old = json!({"source": "release", "source_revision": 2});
    assert_blocked(&release.post("preview", "promote", old).await, &["another_asset"]);
    release.put("release", version_set(2, 1)).await;
    assert_eq!(release.roll_back().await.status, 200);
    assert_eq!(release.agent("release").await, Some(1));
}

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
            beside: Vec::new(),
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

#[both_engines]
async fn a_repeated_call_is_answered_as_the_first_was(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.put("preview", version_set(2, 1)).await;
    let path = format!("{}/release/promote", release.sets());
    let key = [("Idempotency-Key", "deploy-42")];
    let body = json!({"source": "preview"});
    let first = release.send(Method::POST, &path, &key, body.clone()).await;
    assert_applied(&first, 2);
    release.put("preview", version_set(3, 1)).await;
    let again = release.send(Method::POST, &path, &key, body.clone()).await;
    assert_eq!(
        (again.status, &again.body, again.sequence()),
        (first.status, &first.body, first.sequence())
    );
    assert_eq!(
        release.agent("release").await,
        Some(2),
        "repeating did not promote again"
    );
    let other = release
        .send(Method::POST, &path, &key, json!({"source": "edge"}))
        .await;
    assert_eq!(other.faults(), ["header.Idempotency-Key: idempotency_key_reused"]);
    // Other paths and other users have keys of their own.
    let elsewhere = format!("{}/test/promote", release.sets());
    assert_applied(
        &release.send(Method::POST, &elsewhere, &key, body.clone()).await,
        1,
    );
    // A refusal is remembered too, and a no-op.
    let key = [("Idempotency-Key", "deploy-43")];
    let bad = json!({"source": "nothing"});
    let refused = release.send(Method::POST, &path, &key, bad.clone()).await;
    assert_blocked(&refused, &["unknown_source"]);
    release.put("nothing", version_set(1, 1)).await;
    assert_eq!(
        release.send(Method::POST, &path, &key, bad.clone()).await.body,
        refused.body
    );
    // After a day it is forgotten.
    let client = a_day_later(&server).await;
    let json = Some("application/json");
    let bytes = bad.to_string().into_bytes();
    let later = client.send_raw(Method::POST, &path, &key, json, bytes).await;
    assert_applied(&later, 3);
}

#[both_engines]
async fn of_calls_with_one_key_made_at_once_one_takes_place(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.put("test", version_set(1, 1)).await;
    release.put("test", version_set(2, 1)).await;
    let path = format!("{}/test/rollback", release.sets());
    let calls = (0..8).map(|_| {
        let (client, path) = (release.client.clone(), path.clone());
        tokio::spawn(async move {
            let headers = [("Idempotency-Key", "once")];
            client
                .send_raw(Method::POST, &path, &headers, None, Vec::new())
                .await
        })
    });
    let mut bodies = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        let answer = call.await.unwrap();
        assert_applied(&answer, 3);
        bodies.push(answer.body);
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(release.history("test").await.len(), 3);
}

#[both_engines]
async fn history_is_paged_and_outlives_the_set(server: TestServer) {
    let release = Release::new(&server, 3).await;
    for agent in [1, 2, 3, 1, 2] {
        release.put("test", version_set(agent, 1)).await;
    }
    assert_eq!(release.client.delete(&release.set("test")).await.status, 204);
    let mut token = 0;
    let mut seen = Vec::new();
    loop {
        let path = format!(
            "{}/test/history?limit=2&continuation_token={token}",
            release.sets()
        );
        let page = release.client.get(&path).await;
        assert_eq!(page.status, 200, "{}", page.body);
        for entry in page.body["revisions"].as_array().unwrap() {
            seen.push(entry["revision"].as_i64().unwrap());
            let previous = entry["previous"]["revision"].as_i64();
            assert_eq!(previous.unwrap_or(0), seen[seen.len() - 1] - 1);
        }
        match page.body["continuation_token"].as_i64() {
            Some(next) => token = next,
            None => break,
        }
    }
    assert_eq!(seen, [6, 5, 4, 3, 2, 1]);
    for (query, status) in [
        ("limit=0", 422),
        ("limit=101", 422),
        ("continuation_token=-1", 422),
    ] {
        let path = format!("{}/test/history?{query}", release.sets());
        assert_eq!(release.client.get(&path).await.status.as_u16(), status, "{query}");
    }
    assert_eq!(
        release
            .client
            .get(&format!("{}/never/history", release.sets()))
            .await
            .status,
        404
    );
}

#[both_engines]
async fn who_declares_to_be_an_agent_is_recorded_as_one(server: TestServer) {
    let release = Release::new(&server, 2).await;
    release.put("preview", version_set(2, 1)).await;
    let path = format!("{}/release/promote", release.sets());
    let headers = [("Forge-Actor-Kind", "agent")];
    let answer = release
        .send(Method::POST, &path, &headers, json!({"source": "preview"}))
        .await;
    assert_applied(&answer, 2);
    assert_eq!(
        release.history("release").await[0]["actor"]["kind"],
        json!("agent")
    );
}

#[both_engines]
async fn one_event_tells_each_change(server: TestServer) {
    let release = Release::new(&server, 2).await;
    release.put("preview", version_set(2, 1)).await;
    release.promote("preview", "release").await;
    release.roll_back().await;
    release
        .client
        .delete(&format!("{}/release/hold", release.sets()))
        .await;
    let mut tx = server.app.store.read().await.unwrap();
    let events = tx
        .list_audit_events(&organization(&server), 0, 1000)
        .await
        .unwrap()
        .into_rows();
    let last: Vec<(&str, bool)> = events[events.len() - 3..]
        .iter()
        .map(|(event, _)| (event.action.as_str(), event.after["is_held"].as_bool().unwrap()))
        .collect();
    assert_eq!(
        last,
        [("promote", false), ("rollback", true), ("lift_hold", false)]
    );
    let (promoted, _) = &events[events.len() - 3];
    assert_eq!(
        promoted.after["source"],
        json!({"name": "preview", "revision": 1})
    );
}
