//! Undoing, and undoing again: a rollback only ever goes further back, until somebody goes forward on purpose.

use axum::http::Method;
use forge_testkit::{both_engines, version_set};
use serde_json::{Value, json};

use crate::support::grants::any;
use crate::support::organization::change_number;
use crate::support::releases::{Release, assert_applied, assert_blocked, codes};
use crate::support::users::user_with;

/// The set that these tests move; unlike `release` it does not begin with a revision that floats.
const SET: &str = "test";

impl Release {
    /// Pins the agent's version of the set.
    async fn pin(&self, agent: impl Into<Option<i64>>) {
        self.put(SET, version_set(agent, 1)).await;
    }

    /// Rolls back and returns the agent's version that is pinned then.
    async fn back(&self, body: Value) -> Option<i64> {
        let answer = self.post(SET, "rollback", body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.agent(SET).await
    }

    /// Promotes the agent's version onto the set, which nobody holds any more then.
    async fn forward(&self, agent: i64) {
        self.put("preview", version_set(agent, 1)).await;
        let body = json!({"source": "preview", "lift_hold": true});
        let answer = self.post(SET, "promote", body).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body["applied"]),
            (200, &json!(true))
        );
    }

    async fn rebind_to(&self, agent: &str) {
        let body = json!({"agent_id": agent});
        let answer = self
            .client
            .post(&format!("service/{}/", self.service), body)
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    async fn delete(&self) {
        let answer = self
            .client
            .delete(&format!("{}?lift_hold=true", self.set(SET)))
            .await;
        assert_eq!(answer.status, 204, "{}", answer.body);
    }

    /// Returns which revision the latest one restored.
    async fn restored(&self) -> Option<i64> {
        self.history(SET).await[0]["restored_revision"].as_i64()
    }

    async fn hold_reason(&self) -> Value {
        self.get(SET).await["hold"]["reason"].clone()
    }
}

#[both_engines]
async fn what_is_promoted_after_a_rollback_goes_back_to_it_and_then_behind(server: TestServer) {
    let release = Release::new(&server, 4).await;
    // 1, A, B, back to A, C: two steps back lead to A and to 1; B stays undone.
    release.pin(1).await;
    release.forward(2).await;
    release.forward(3).await;
    assert_eq!(release.back(json!({})).await, Some(2));
    release.forward(4).await;
    assert_eq!(release.back(json!({})).await, Some(2));
    assert_eq!(
        release.restored().await,
        Some(4),
        "the rollback stands where A stood"
    );
    assert_eq!(release.back(json!({})).await, Some(1));
    assert_blocked(
        &release.post(SET, "rollback", json!({})).await,
        &["nothing_to_roll_back"],
    );
}

#[both_engines]
async fn every_way_of_changing_a_set_can_be_undone(server: TestServer) {
    let release = Release::new(&server, 4).await;
    release.pin(1).await;
    release.pin(2).await;
    let many = json!({"promotions": [{"service_id": release.service, "source": "edge", "target": SET}]});
    assert_eq!(release.client.post("promotion", many).await.body["applied"], true);
    assert_eq!(release.agent(SET).await, Some(4));
    assert_eq!(release.back(json!({})).await, Some(2));
    assert_eq!(release.back(json!({})).await, Some(1));
}

#[both_engines]
async fn a_frozen_and_a_floating_revision_come_back_as_what_they_last_meant(server: TestServer) {
    let release = Release::new(&server, 1).await;
    // 1 floats on versions 1 and 2; 2 is frozen to 2; 3 floats on 2 and 3; 4 pins 1.
    release.pin(None).await;
    release.add_agent_version().await;
    assert_applied(&release.promote("edge", SET).await, 2);
    let floating = json!({"source": "edge", "freeze": false});
    assert_applied(&release.post(SET, "promote", floating).await, 3);
    release.add_agent_version().await;
    release.pin(1).await;
    release.add_agent_version().await;
    assert_eq!(
        release.back(json!({})).await,
        Some(3),
        "what revision 3 meant when it was replaced"
    );
    assert_eq!(release.back(json!({})).await, Some(2));
    assert_eq!(
        release.back(json!({})).await,
        Some(2),
        "revision 1 did not see version 3"
    );
    assert_eq!(release.restored().await, Some(1));
    assert_blocked(
        &release.post(SET, "rollback", json!({})).await,
        &["nothing_to_roll_back"],
    );
}

#[both_engines]
async fn a_rollback_that_keeps_floating_goes_on_floating_and_back_from_there(server: TestServer) {
    let release = Release::new(&server, 1).await;
    release.pin(None).await;
    release.add_agent_version().await;
    release.pin(1).await;
    let answer = release
        .post(SET, "rollback", json!({"freeze": false, "lift_hold": true}))
        .await;
    assert_applied(&answer, 3);
    assert_eq!(codes(&answer.body["plan"]["warnings"]), ["not_frozen"]);
    assert_eq!(release.agent(SET).await, None);
    // It follows new versions, and what it came to mean is what comes back, not what revision 1 meant.
    release.add_agent_version().await;
    release.forward(1).await;
    release.add_agent_version().await;
    assert_eq!(release.back(json!({})).await, Some(3));
    assert_eq!(release.restored().await, Some(3));
    assert_blocked(
        &release.post(SET, "rollback", json!({})).await,
        &["nothing_to_roll_back"],
    );
}

#[both_engines]
async fn a_held_set_does_not_move_forward_by_a_rollback_that_keeps_floating(server: TestServer) {
    let release = Release::new(&server, 1).await;
    release.pin(None).await;
    release.pin(1).await;
    release.add_agent_version().await;
    release.pin(2).await;
    assert_eq!(release.back(json!({})).await, Some(1));
    for body in [
        json!({"freeze": false}),
        json!({"freeze": false, "to_revision": 1}),
    ] {
        let dry_run = json!({"freeze": false, "to_revision": 1, "dry_run": true});
        let planned = release.post(SET, "rollback", dry_run).await;
        assert_eq!(codes(&planned.body["plan"]["blockers"]), ["floating_hold"]);
        assert_blocked(&release.post(SET, "rollback", body).await, &["floating_hold"]);
        assert_eq!(release.agent(SET).await, Some(1), "what was undone is not back");
    }
}

#[both_engines]
async fn a_rollback_to_the_same_pins_is_a_step_all_the_same(server: TestServer) {
    let release = Release::new(&server, 2).await;
    release.pin(1).await;
    release.pin(None).await;
    // Revision 3 pins what 2 means: going back changes no number, but it counts.
    release.pin(2).await;
    assert_eq!(release.back(json!({})).await, Some(2));
    assert_eq!(release.history(SET).await.len(), 4);
    assert_eq!(release.back(json!({})).await, Some(1));
}

#[both_engines]
async fn a_second_life_ends_where_it_began(server: TestServer) {
    let release = Release::new(&server, 4).await;
    release.pin(1).await;
    release.pin(2).await;
    assert_eq!(release.back(json!({})).await, Some(1));
    release.delete().await;
    // It comes back by a promotion of its own past, which crosses the deletion on purpose.
    let old = json!({"source": SET, "source_revision": 2});
    assert_applied(&release.post(SET, "promote", old).await, 5);
    assert_blocked(
        &release.post(SET, "rollback", json!({})).await,
        &["nothing_to_roll_back"],
    );
    release.forward(3).await;
    assert_eq!(release.back(json!({})).await, Some(2));
    assert_blocked(
        &release.post(SET, "rollback", json!({})).await,
        &["nothing_to_roll_back"],
    );
    for revision in [1, 2, 3] {
        let body = json!({"to_revision": revision, "lift_hold": true});
        assert_blocked(&release.post(SET, "rollback", body).await, &["across_deletion"]);
    }
    let body = json!({"to_revision": 4, "lift_hold": true});
    assert_blocked(&release.post(SET, "rollback", body).await, &["no_such_revision"]);
}

#[both_engines]
async fn a_third_life_does_not_reach_the_second(server: TestServer) {
    let release = Release::new(&server, 3).await;
    for agent in [1, 2] {
        release.pin(agent).await;
        release.pin(3).await;
        release.delete().await;
    }
    release.pin(3).await;
    release.pin(1).await;
    assert_eq!(release.back(json!({})).await, Some(3));
    assert_eq!(release.restored().await, Some(7));
    assert_blocked(
        &release.post(SET, "rollback", json!({})).await,
        &["nothing_to_roll_back"],
    );
    let body = json!({"to_revision": 5, "lift_hold": true});
    assert_blocked(&release.post(SET, "rollback", body).await, &["across_deletion"]);
}

#[both_engines]
async fn a_rebind_stops_at_the_hold_and_ends_the_way_back(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.pin(1).await;
    release.pin(2).await;
    release.pin(3).await;
    assert_eq!(release.back(json!({"message": "it swears"})).await, Some(2));
    let agent = server.agent(3).await;
    let path = format!("service/{}/", release.service);
    let stopped = release.client.post(&path, json!({"agent_id": agent})).await;
    assert_blocked(&stopped, &["held"]);
    assert_eq!(release.hold_reason().await, "it swears");
    let lifting = release
        .client
        .post(&format!("{path}?lift_hold=true"), json!({"agent_id": agent}))
        .await;
    assert_eq!(lifting.status, 200, "{}", lifting.body);
    assert_eq!(release.hold_reason().await, Value::Null);
    assert_eq!(release.agent(SET).await, Some(2));
    assert_blocked(
        &release.post(SET, "rollback", json!({})).await,
        &["nothing_to_roll_back"],
    );
    for revision in [1, 3, 4] {
        let body = json!({"to_revision": revision, "lift_hold": true});
        assert_blocked(&release.post(SET, "rollback", body).await, &["across_rebind"]);
    }
    // From the rebind on, it is as with any other history.
    release.forward(1).await;
    release.forward(3).await;
    assert_eq!(release.back(json!({})).await, Some(1));
    assert_eq!(release.back(json!({})).await, Some(2));
    assert_eq!(release.restored().await, Some(5));
    assert_blocked(
        &release.post(SET, "rollback", json!({})).await,
        &["nothing_to_roll_back"],
    );
}

#[both_engines]
async fn a_rebind_back_to_the_first_agent_does_not_open_the_way_again(server: TestServer) {
    let release = Release::new(&server, 2).await;
    let found = release
        .client
        .get(&format!("service/?id={}", release.service))
        .await;
    let first = found.body["services"][0]["agent_id"].as_str().unwrap().to_owned();
    release.pin(1).await;
    release.pin(2).await;
    release.rebind_to(&server.agent(2).await).await;
    release.rebind_to(&first).await;
    assert_blocked(
        &release.post(SET, "rollback", json!({})).await,
        &["nothing_to_roll_back"],
    );
    let body = json!({"to_revision": 1, "lift_hold": true});
    assert_blocked(&release.post(SET, "rollback", body).await, &["across_rebind"]);
    // Promoting the old revision is how one gets there.
    let old = json!({"source": SET, "source_revision": 1});
    assert_applied(&release.post(SET, "promote", old).await, 5);
    assert_eq!(release.agent(SET).await, Some(1));
}

#[both_engines]
async fn a_rebind_while_a_set_is_deleted_leaves_its_past_to_the_other_agent(server: TestServer) {
    let release = Release::new(&server, 2).await;
    release.pin(1).await;
    release.delete().await;
    release.rebind_to(&server.agent(2).await).await;
    let old = json!({"source": SET, "source_revision": 1});
    assert_blocked(&release.post(SET, "promote", old).await, &["another_asset"]);
    release.pin(2).await;
    release.pin(1).await;
    assert_eq!(release.back(json!({})).await, Some(2));
    assert_blocked(
        &release.post(SET, "rollback", json!({})).await,
        &["nothing_to_roll_back"],
    );
}

#[both_engines]
async fn each_rollback_places_the_hold_anew(server: TestServer) {
    let release = Release::new(&server, 3).await;
    for agent in [1, 2, 3] {
        release.pin(agent).await;
    }
    release.back(json!({"message": "first"})).await;
    assert_eq!(release.hold_reason().await, "first");
    // A hold never stands in the way of going further back.
    release.back(json!({"message": "second"})).await;
    assert_eq!(release.hold_reason().await, "second");
    assert_eq!(
        release
            .client
            .delete(&format!("{}/{SET}/hold", release.sets()))
            .await
            .status,
        204
    );
    // Without the hold a new promotion may bring back what was undone; that is a decision, not a rerun.
    assert_applied(&release.promote("edge", SET).await, 6);
    release.back(json!({})).await;
    assert_eq!(
        (release.hold_reason().await, release.restored().await),
        (Value::Null, Some(5))
    );
    assert_ne!(
        release.get(SET).await["hold"],
        Value::Null,
        "held, for no reason that was told"
    );
}

#[both_engines]
async fn a_hold_is_lifted_on_condition_that_it_is_the_one_that_was_seen(server: TestServer) {
    let release = Release::new(&server, 3).await;
    for agent in [1, 2] {
        release.pin(agent).await;
    }
    release.back(json!({"message": "a typo"})).await;
    let hold = format!("{}/{SET}/hold", release.sets());
    let lift = async |header: (&str, &str)| release.send(Method::DELETE, &hold, &[header], Value::Null).await;
    // Somebody else rolls back for another reason; to the same, even.
    release
        .back(json!({"to_revision": 1, "message": "it swears"}))
        .await;
    let before = change_number(&server).await;
    for stale in ["\"3\"", "\"1\", W/\"3\""] {
        let moved = lift(("If-Match", stale)).await;
        assert_eq!(moved.status, 412, "{}", moved.body);
        let told = &moved.body["version_set"];
        assert_eq!(
            (&told["revision"], &told["hold"]["reason"]),
            (&json!(4), &json!("it swears"))
        );
    }
    assert_eq!(lift(("If-Match", "x")).await.status, 422);
    assert_eq!(lift(("If-None-Match", "*")).await.status, 422);
    assert_eq!(release.hold_reason().await, "it swears");
    assert_eq!(change_number(&server).await, before);

    let lifted = lift(("If-Match", "\"4\"")).await;
    assert_eq!(
        (lifted.status.as_u16(), lifted.sequence()),
        (204, Some(before + 1))
    );
    // Who sends it again finds it done, whatever the set is like by now, but lifts no later hold.
    release.forward(3).await;
    let again = lift(("If-Match", "\"4\"")).await;
    assert_eq!((again.status.as_u16(), again.sequence()), (204, None));
    release.back(json!({"message": "again"})).await;
    assert_eq!(lift(("If-Match", "\"4\"")).await.status, 412);
    assert_eq!(release.hold_reason().await, "again");
    assert_eq!(lift(("If-Match", "*")).await.status, 204);
}

#[both_engines]
async fn a_hold_that_moved_is_shown_to_those_who_may_see_the_set(server: TestServer) {
    let release = Release::new(&server, 2).await;
    for agent in [1, 2] {
        release.pin(agent).await;
    }
    release.back(json!({})).await;
    let hold = format!("{}/{SET}/hold", release.sets());
    let writer = user_with(&server, "Writer", vec![any("Service:UpdateVersionSet")]).await;
    for (client, may_see) in [(&writer, false), (server.admin(), true)] {
        let told = client
            .send_raw(Method::DELETE, &hold, &[("if-match", "\"1\"")], None, Vec::new())
            .await;
        assert_eq!(
            (told.status.as_u16(), told.body["version_set"].is_object()),
            (412, may_see),
            "{}",
            told.body
        );
    }
}

#[both_engines]
async fn a_rollback_that_lifts_the_hold_leaves_none(server: TestServer) {
    let release = Release::new(&server, 3).await;
    for agent in [1, 2, 3] {
        release.pin(agent).await;
    }
    assert_eq!(release.back(json!({"lift_hold": true})).await, Some(2));
    assert_eq!(release.get(SET).await["hold"], Value::Null);
    release.pin(3).await;
    assert_eq!(release.back(json!({})).await, Some(2));
    assert_eq!(release.back(json!({"lift_hold": true})).await, Some(1));
    assert_eq!(release.get(SET).await["hold"], Value::Null);
}

#[both_engines]
async fn an_undone_revision_comes_back_only_on_purpose_and_counts_from_then_on(server: TestServer) {
    let release = Release::new(&server, 4).await;
    for agent in [1, 2, 3] {
        release.pin(agent).await;
    }
    assert_eq!(release.back(json!({})).await, Some(2));
    assert_blocked(
        &release.post(SET, "rollback", json!({"to_revision": 3})).await,
        &["undone_revision"],
    );
    // Lifting the hold by itself does not make it a way back.
    assert_eq!(
        release
            .client
            .delete(&format!("{}/{SET}/hold", release.sets()))
            .await
            .status,
        204
    );
    assert_blocked(
        &release.post(SET, "rollback", json!({"to_revision": 3})).await,
        &["undone_revision"],
    );
    assert_eq!(
        release.back(json!({"to_revision": 3, "lift_hold": true})).await,
        Some(3)
    );
    assert_eq!(release.get(SET).await["hold"], Value::Null);
    // It is in force, so later rollbacks may stop there, and go behind it as before.
    release.forward(4).await;
    assert_eq!(release.back(json!({})).await, Some(3));
    assert_eq!(release.back(json!({"to_revision": 3})).await, Some(3));
    assert_eq!(release.back(json!({})).await, Some(2));
    assert_blocked(
        &release.post(SET, "rollback", json!({"to_revision": 5})).await,
        &["undone_revision"],
    );
}

#[both_engines]
async fn going_far_back_undoes_everything_in_between(server: TestServer) {
    let release = Release::new(&server, 5).await;
    for agent in [1, 2, 3, 4] {
        release.pin(agent).await;
    }
    assert_eq!(release.back(json!({"to_revision": 2})).await, Some(2));
    for revision in [3, 4] {
        let body = json!({"to_revision": revision});
        assert_blocked(&release.post(SET, "rollback", body).await, &["undone_revision"]);
    }
    release.forward(5).await;
    let body = json!({"to_revision": 4});
    assert_blocked(&release.post(SET, "rollback", body).await, &["undone_revision"]);
    assert_eq!(release.back(json!({})).await, Some(2));
    assert_eq!(release.back(json!({})).await, Some(1));
    assert_blocked(
        &release.post(SET, "rollback", json!({})).await,
        &["nothing_to_roll_back"],
    );
}
