//! Every rule of plans is met by somebody who calls the API.

use std::collections::BTreeSet;

use forge_domain::plan::RULES;
use forge_testkit::{TestServer, both_engines, version_set};
use serde_json::{Value, json};

use crate::simulation::World;
use crate::support::ids::UNKNOWN_ID;
use crate::support::models::MODEL;
use crate::support::organization::a_day_later;
use crate::support::releases::{Release, codes};

/// What dry runs found: the code of a rule, and whether it blocks.
type Met = BTreeSet<(String, bool)>;

/// Adds what a plan found.
fn add(met: &mut Met, plan: &Value) {
    for (part, blocks) in [("blockers", true), ("warnings", false)] {
        met.extend(
            codes(&plan[part])
                .into_iter()
                .map(|code| (code.to_owned(), blocks)),
        );
    }
}

impl Release {
    /// Adds what a dry run finds of replacing a set.
    async fn try_put(&self, met: &mut Met, set: &str, pins: Value) {
        let path = format!("{}?dry_run=true", self.set(set));
        let answer = self.client.put(&path, json!({"version_set": pins})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        add(met, &answer.body);
    }

    async fn try_delete(&self, met: &mut Met, set: &str) {
        let answer = self
            .client
            .delete(&format!("{}?dry_run=true", self.set(set)))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        add(met, &answer.body);
    }

    /// Adds what a dry run finds of promoting a set, or of rolling it back.
    async fn try_post(&self, met: &mut Met, set: &str, verb: &str, mut body: Value) {
        body["dry_run"] = json!(true);
        let answer = self.post(set, verb, body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        add(met, &answer.body["plan"]);
    }

    /// Returns the ids of the service's agent and context graph.
    async fn binding(&self) -> (String, String) {
        let found = self.client.get(&format!("service/?id={}", self.service)).await;
        let id = |field: &str| found.body["services"][0][field].as_str().unwrap().to_owned();
        (id("agent_id"), id("service_hierarchical_state_machine_id"))
    }
}

fn preferring(interaction: &str, model: &str, params: Value) -> Value {
    let mut pins = version_set(1, 1);
    pins["llm_model_preferences"] = json!({interaction: {"llm_name": model, "params": params}});
    pins
}

/// Meets the rules about names, pins and models.
async fn meet_rules_of_upserts(release: &Release, met: &mut Met) {
    release.try_put(met, "edge", version_set(1, 1)).await;
    release.try_put(met, "test", version_set(9, 1)).await;
    release.try_put(met, "Unconventional", version_set(1, 1)).await;
    release.try_put(met, "Release", version_set(1, 1)).await;
    release.try_put(met, "release", version_set(1, None)).await;
    release
        .try_put(met, "test", preferring("decide", "nothing", json!({})))
        .await;
    release
        .try_put(met, "test", preferring("decide", "retired_model", json!({})))
        .await;
    release
        .try_put(met, "test", preferring("decide", "retiring_model", json!({})))
        .await;
    release
        .try_put(met, "test", preferring("a-typo", MODEL, json!({})))
        .await;
    release
        .try_put(
            met,
            "test",
            preferring("decide", MODEL, json!({"temperature": "hot"})),
        )
        .await;
    release.try_delete(met, "release").await;
}

/// Meets the rules about the way of a promotion, and about going back.
async fn meet_rules_of_moves(server: &TestServer, release: &Release, met: &mut Met) {
    release
        .try_post(met, "a.b", "promote", json!({"source": "edge"}))
        .await;
    release
        .try_post(met, "test", "promote", json!({"source": "nothing"}))
        .await;
    release
        .try_post(met, "test", "promote", json!({"source": "edge", "freeze": false}))
        .await;
    release.put("personal-alex", version_set(1, 1)).await;
    release
        .try_post(met, "release", "promote", json!({"source": "personal-alex"}))
        .await;
    release.put("test", version_set(2, 1)).await;
    release.try_post(met, "test", "rollback", json!({})).await;
    release.put("floating", version_set(None, 1)).await;
    release.put("floating", version_set(1, 1)).await;
    release
        .try_post(met, "floating", "rollback", json!({"freeze": false}))
        .await;
    release
        .try_post(met, "test", "rollback", json!({"to_revision": 9}))
        .await;
    release.try_put(met, "test", version_set(1, 1)).await;
    release.put("test", version_set(1, 1)).await;
    assert_eq!(release.post("test", "rollback", json!({})).await.status, 200);
    release.try_put(met, "test", version_set(1, 1)).await;
    release
        .try_post(met, "test", "rollback", json!({"to_revision": 2}))
        .await;
    let deleted = release
        .client
        .delete(&format!("{}?lift_hold=true", release.set("test")))
        .await;
    assert_eq!(deleted.status, 204);
    release.put("test", version_set(1, 1)).await;
    release
        .try_post(met, "test", "rollback", json!({"to_revision": 1}))
        .await;
    let body = json!({"agent_id": server.agent(2).await});
    assert_eq!(
        release
            .client
            .post(&format!("service/{}/", release.service), body)
            .await
            .status,
        200
    );
    release
        .try_post(met, "test", "rollback", json!({"to_revision": 5}))
        .await;
    release
        .try_post(
            met,
            "test",
            "promote",
            json!({"source": "release", "source_revision": 1}),
        )
        .await;
}

/// Meets the rules about versions and assets that came to be unfit: as blockers, and as the warnings that they are to
/// rollbacks and to what floats.
async fn meet_rules_of_assets(release: &Release, met: &mut Met) {
    let (agent, _) = release.binding().await;
    release.put("preview", version_set(1, 1)).await;
    release.put("preview", version_set(2, 1)).await;
    let yank = format!("organization/agent/{agent}/version/1/yank");
    assert_eq!(
        release.client.post(&yank, json!({"reason": "bad"})).await.status,
        200
    );
    release.try_put(met, "preview", version_set(1, 1)).await;
    release.try_post(met, "preview", "rollback", json!({})).await;
    // Only what no active service runs can be deprecated.
    let body = json!({"is_active": false});
    assert_eq!(
        release
            .client
            .post(&format!("service/{}/", release.service), body)
            .await
            .status,
        200
    );
    assert_eq!(
        release
            .client
            .delete(&format!("organization/agent/{agent}/"))
            .await
            .status,
        200
    );
    release.try_put(met, "preview", version_set(2, 1)).await;
    release.try_post(met, "preview", "rollback", json!({})).await;
}

/// Meets the rule about sets that unit tests name.
async fn meet_the_rule_of_tests(server: &TestServer, met: &mut Met) {
    let world = World::new(server).await;
    world.test(server, "greets").await;
    let release = Release {
        client: server.admin().clone(),
        service: world.service,
    };
    release.try_delete(met, "test").await;
}

/// Meets the rule about what a model is told before anybody has said a word.
async fn meet_the_rule_of_prompts(release: &Release, met: &mut Met) {
    let long = "x".repeat(128 * 1024);
    release.add_agent_version_with(json!({"background": long})).await;
    release.try_put(met, "test", version_set(2, 1)).await;
}

/// Meets the rules that only changes of services can break.
async fn meet_rules_of_services(server: &TestServer, met: &mut Met) {
    let (release, other) = (Release::new(server, 2).await, Release::new(server, 1).await);
    release.put("test", version_set(2, 2)).await;
    let found = server
        .admin()
        .get(&format!("service/?id={}", other.service))
        .await;
    for change in [
        json!({"agent_id": server.agent(0).await}),
        json!({"agent_id": server.agent(1).await}),
        json!({"agent_id": UNKNOWN_ID}),
        json!({"name": found.body["services"][0]["name"]}),
    ] {
        let path = format!("service/{}/?dry_run=true", release.service);
        let answer = release.client.post(&path, change).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        add(met, &answer.body);
    }
}

/// Meets the rule about how many sets there may be.
async fn meet_the_limit(release: &Release, met: &mut Met) {
    let found = release.client.get(&format!("{}/", release.sets())).await;
    let present = found.body["version_sets"].as_array().unwrap().len();
    for number in present..100 {
        release
            .put(&format!("personal-{number}"), version_set(1, 1))
            .await;
    }
    release.try_put(met, "one-more", version_set(1, 1)).await;
}

#[both_engines]
async fn every_rule_is_met_over_http_with_its_severity(server: TestServer) {
    use forge_domain::plan::Severity::{Blocker, BlockerIfPinned, BlockerUnlessRollback, Warning};
    let mut met = Met::new();
    meet_rules_of_upserts(&Release::new(&server, 2).await, &mut met).await;
    meet_rules_of_moves(&server, &Release::new(&server, 2).await, &mut met).await;
    meet_rules_of_assets(&Release::new(&server, 2).await, &mut met).await;
    meet_the_rule_of_tests(&server, &mut met).await;
    meet_the_rule_of_prompts(&Release::new(&server, 1).await, &mut met).await;
    meet_rules_of_services(&server, &mut met).await;
    meet_the_limit(&Release::new(&server, 1).await, &mut met).await;
    let expected = RULES.iter().flat_map(|rule| {
        let blocks: &[bool] = match rule.severity {
            Blocker => &[true],
            Warning => &[false],
            BlockerUnlessRollback | BlockerIfPinned => &[true, false],
        };
        blocks.iter().map(|blocks| (rule.code.to_owned(), *blocks))
    });
    assert_eq!(met, expected.collect::<Met>());
}

#[both_engines]
async fn a_model_that_retired_meanwhile_blocks_what_would_go_on_preferring_it(server: TestServer) {
    let mut release = Release::new(&server, 2).await;
    release
        .put("preview", preferring("decide", "retiring_model", json!({})))
        .await;
    release.put("preview", version_set(2, 1)).await;
    release.client = a_day_later(&server).await;
    let mut met = Met::new();
    let old = json!({"source": "preview", "source_revision": 1});
    release.try_post(&mut met, "test", "promote", old).await;
    assert_eq!(met, Met::from([("retired_model".to_owned(), true)]));
    met.clear();
    release.try_post(&mut met, "preview", "rollback", json!({})).await;
    assert_eq!(met, Met::from([("retired_model".to_owned(), true)]));
}

#[both_engines]
async fn a_yanked_version_only_warns_what_floats_on_it(server: TestServer) {
    let release = Release::new(&server, 2).await;
    let (agent, graph) = release.binding().await;
    let graphs = "organization/service_hierarchical_state_machine";
    for path in [format!("organization/agent/{agent}"), format!("{graphs}/{graph}")] {
        let answer = release
            .client
            .post(&format!("{path}/version/2/yank"), json!({"reason": "bad"}))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    for (set, pins, blocks) in [
        ("test", version_set(None, None), false),
        ("test", version_set(2, 2), true),
    ] {
        let mut met = Met::new();
        release.try_put(&mut met, set, pins).await;
        assert_eq!(met, Met::from([("yanked_version".to_owned(), blocks)]));
    }
}
