//! Health of services, yanked versions, and where versions run.

use axum::http::Method;
use forge_domain::asset::AssetId;
use forge_domain::version::VersionRef;
use forge_testkit::{TestServer, both_engines, service_body, version_set};
use serde_json::{Value, json};

use crate::support::grants::{any, parsed_grant};
use crate::support::organization::change_number;
use crate::support::releases::Release;
use crate::support::users::user_with;

fn codes(body: &Value) -> Vec<(&str, &str)> {
    body["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reason| {
            (
                reason["code"].as_str().unwrap(),
                reason["version_set"].as_str().unwrap_or(""),
            )
        })
        .collect()
}

async fn agent_of(server: &TestServer, service: &str) -> String {
    let found = server.admin().get(&format!("service/?id={service}")).await;
    found.body["services"][0]["agent_id"].as_str().unwrap().to_owned()
}

#[both_engines]
async fn a_yanked_version_is_not_pinned_again_and_shows_where_it_runs(server: TestServer) {
    let admin = server.admin();
    let service = server.service(2).await;
    let sets = format!("service/{service}/version_sets");
    for agent in [1, 2] {
        let body = json!({"version_set": version_set(agent, 1)});
        assert_eq!(admin.put(&format!("{sets}/release/"), body).await.status, 204);
    }
    let yank = format!(
        "organization/agent/{}/version/2/yank",
        agent_of(&server, &service).await
    );
    let yanked = admin.post(&yank, json!({"reason": "it swears"})).await;
    assert_eq!(yanked.status, 200, "{}", yanked.body);
    assert!(yanked.sequence().is_some());
    let told = &yanked.body["references"]["services"][0];
    assert_eq!(told["service_id"], json!(service));
    assert_eq!(
        told["version_sets"],
        json!([
            {"name": "edge", "revision": 1, "is_floating": true},
            {"name": "release", "revision": 3, "is_floating": false},
        ])
    );
    let before = change_number(&server).await;
    assert!(
        admin
            .post(&yank, json!({"reason": "it swears"}))
            .await
            .sequence()
            .is_none(),
        "it was so already"
    );

    let refused = admin
        .put(
            &format!("{sets}/test/"),
            json!({"version_set": version_set(2, 1)}),
        )
        .await;
    assert_eq!(refused.status, 400);
    assert_eq!(
        refused.body["plan"]["blockers"][0]["code"],
        json!("yanked_version")
    );
    assert!(refused.detail().contains("it swears"), "{}", refused.detail());
    let frozen = admin
        .post(&format!("{sets}/test/promote"), json!({"source": "edge"}))
        .await;
    assert_eq!(
        frozen.body["plan"]["blockers"][0]["code"],
        json!("yanked_version")
    );
    assert_eq!(change_number(&server).await, before);

    let health = admin.get(&format!("service/{service}/health")).await;
    assert_eq!(health.body["status"], json!("degraded"));
    assert_eq!(
        codes(&health.body),
        [
            ("yanked_version", "edge"),
            ("yanked_version", "release"),
            ("behind", "release"),
        ],
        "the context graph has a newer version"
    );

    // A rollback to it is only warned about.
    let body = json!({"version_set": version_set(1, 1)});
    assert_eq!(admin.put(&format!("{sets}/release/"), body).await.status, 204);
    let back = admin.post(&format!("{sets}/release/rollback"), json!({})).await;
    assert_eq!(back.status, 200, "{}", back.body);
    assert_eq!(back.body["plan"]["warnings"][0]["code"], json!("yanked_version"));

    let taken_back = admin.delete(&yank).await;
    assert_eq!(
        (taken_back.status.as_u16(), &taken_back.body["is_yanked"]),
        (200, &json!(false))
    );
    let body = json!({"version_set": version_set(2, 1)});
    assert_eq!(admin.put(&format!("{sets}/test/"), body).await.status, 204);
}

#[both_engines]
async fn a_yank_is_changed_on_condition_that_it_is_the_one_that_was_seen(server: TestServer) {
    let admin = server.admin();
    let (agent, graph) = (server.agent(2).await, server.context_graph(2).await);
    for (kind, id) in [("agent", agent), ("service_hierarchical_state_machine", graph)] {
        let yank = format!("organization/{kind}/{id}/version/2/yank");
        let send = async |method: Method, header: (&str, &str), reason: &str| {
            let body = if reason.is_empty() {
                Vec::new()
            } else {
                json!({"reason": reason}).to_string().into_bytes()
            };
            admin
                .send_raw(method, &yank, &[header], Some("application/json"), body)
                .await
        };
        let seen = async || {
            let page = admin
                .get(&format!("organization/{kind}/{id}/version?version=2"))
                .await
                .body;
            let list = page
                .as_object()
                .unwrap()
                .values()
                .find(|value| value.is_array())
                .unwrap();
            format!("\"{}\"", list[0]["yanked"]["etag"].as_str().unwrap())
        };
        // What was not yanked is yanked once.
        let fresh = ("If-None-Match", "*");
        assert_eq!(send(Method::POST, ("If-Match", "*"), "a typo").await.status, 412);
        assert_eq!(send(Method::POST, fresh, "a typo").await.status, 200);
        let typo = seen().await;
        let moved = send(Method::POST, fresh, "two typos").await;
        assert_eq!(
            (moved.status.as_u16(), &moved.body["yanked"]["reason"]),
            (412, &json!("a typo"))
        );
        assert_eq!(
            format!("\"{}\"", moved.body["yanked"]["etag"].as_str().unwrap()),
            typo
        );
        // Somebody else takes it back, and yanks the version for another reason.
        assert_eq!(admin.delete(&yank).await.status, 200);
        assert_eq!(
            admin.post(&yank, json!({"reason": "it swears"})).await.status,
            200
        );
        let before = change_number(&server).await;
        for (method, reason) in [(Method::DELETE, ""), (Method::POST, "two typos")] {
            let moved = send(method, ("If-Match", &typo), reason).await;
            assert_eq!(
                (moved.status.as_u16(), &moved.body["yanked"]["reason"]),
                (412, &json!("it swears"))
            );
        }
        assert_eq!(send(Method::DELETE, fresh, "").await.status, 422);
        assert_eq!(send(Method::DELETE, ("If-Match", ""), "").await.status, 422);
        assert_eq!(change_number(&server).await, before);

        let swears = seen().await;
        assert_ne!(swears, typo);
        let both = format!("{typo}, W/{swears}");
        assert_eq!(
            send(Method::POST, ("If-Match", &both), "it swears a lot")
                .await
                .status,
            200
        );
        assert_eq!(send(Method::DELETE, ("If-Match", &swears), "").await.status, 412);
        let lot = seen().await;
        let taken_back = send(Method::DELETE, ("If-Match", &lot), "").await;
        assert!(
            taken_back.status == 200 && taken_back.sequence().is_some(),
            "{}",
            taken_back.body
        );
        let again = send(Method::DELETE, ("If-Match", &lot), "").await;
        assert!(
            again.status == 200 && again.sequence().is_none(),
            "it was so already: {}",
            again.body
        );
    }
}

#[both_engines]
async fn a_yank_that_moved_is_shown_to_those_who_may_see_the_version(server: TestServer) {
    let agent = server.agent(1).await;
    let yank = format!("organization/agent/{agent}/version/1/yank");
    assert_eq!(
        server
            .admin()
            .post(&yank, json!({"reason": "it swears"}))
            .await
            .status,
        200
    );
    let writer = user_with(&server, "Writer", vec![any("Organization:CreateAgentVersion")]).await;
    for (client, may_see) in [(&writer, false), (server.admin(), true)] {
        let told = client
            .send_raw(Method::DELETE, &yank, &[("if-match", "\"x\"")], None, Vec::new())
            .await;
        assert_eq!(
            (told.status.as_u16(), told.body["yanked"].is_object()),
            (412, may_see),
            "{}",
            told.body
        );
        assert_eq!(told.body.to_string().contains("swears"), may_see);
    }
}

#[both_engines]
async fn only_versions_that_exist_are_yanked(server: TestServer) {
    let (agent, graph) = (server.agent(1).await, server.context_graph(1).await);
    let reason = json!({"reason": "bad"});
    for path in [
        format!("organization/agent/{agent}/version/2"),
        format!("organization/service_hierarchical_state_machine/{graph}/version/2"),
    ] {
        assert_eq!(
            server
                .admin()
                .post(&format!("{path}/yank"), reason.clone())
                .await
                .status,
            404
        );
        assert_eq!(
            server.admin().get(&format!("{path}/references")).await.status,
            404
        );
    }
    let path = format!("organization/agent/{agent}/version/1/yank");
    assert_eq!(
        server.admin().post(&path, json!({"reason": ""})).await.status,
        422
    );
    assert_eq!(server.admin().post(&path, json!({})).await.status, 422);
    assert_eq!(server.stranger().post(&path, reason).await.status, 404);
    let zero = format!("organization/agent/{agent}/version/0/references");
    assert_eq!(server.admin().get(&zero).await.status, 422);
}

#[both_engines]
async fn the_reverse_index_is_paged(server: TestServer) {
    let (agent, graph) = (server.agent(2).await, server.context_graph(1).await);
    let mut made = Vec::new();
    for number in 0..5 {
        let mut body = service_body(&format!("service {number}"), &agent, &graph);
        body["release_version_set"] = version_set(1, 1);
        made.push(server.admin().post("service/", body).await.id());
    }
    let mut token = 0;
    let mut seen = Vec::new();
    loop {
        let path =
            format!("organization/agent/{agent}/version/1/references?limit=2&continuation_token={token}");
        let page = server.admin().get(&path).await;
        assert_eq!(page.status, 200, "{}", page.body);
        for service in page.body["services"].as_array().unwrap() {
            let sets = service["version_sets"].as_array().unwrap();
            assert_eq!(
                (sets.len(), &sets[0]["name"]),
                (1, &json!("release")),
                "`edge` means version 2"
            );
            seen.push(service["service_id"].as_str().unwrap().to_owned());
        }
        match page.body["continuation_token"].as_i64() {
            Some(next) => token = next,
            None => break,
        }
    }
    assert_eq!(seen, made);
}

#[both_engines]
async fn references_and_health_tell_only_what_the_caller_may_see(server: TestServer) {
    let service = server.service(1).await;
    let agent = agent_of(&server, &service).await;
    let only_release = json!({"version_set_name": {"type": "Equals", "value": "release"}});
    let caller = server.caller(vec![
        parsed_grant("Organization:GetAgent", json!({})),
        parsed_grant("Service:GetVersionSet", only_release),
    ]);
    let version = VersionRef {
        id: AssetId::Agent(agent.parse().unwrap()),
        version: 1.try_into().unwrap(),
    };
    let page = forge_app::assets::references::list(forge_app::Ctx::new(&server.app, &caller), version, 50, 0)
        .await
        .unwrap();
    let names: Vec<String> = page.services.items[0]
        .sets
        .iter()
        .map(|set| set.name.to_string())
        .collect();
    assert_eq!(names, ["release"]);
    let health = forge_app::version_sets::health::check(
        forge_app::Ctx::new(&server.app, &caller),
        service.parse().unwrap(),
    )
    .await
    .unwrap();
    assert_eq!(health.sets.len(), 1);
    let none = server.caller(vec![parsed_grant("Organization:GetAgent", json!({}))]);
    let page = forge_app::assets::references::list(forge_app::Ctx::new(&server.app, &none), version, 50, 0)
        .await
        .unwrap();
    assert!(page.services.items.is_empty());
}

#[both_engines]
async fn a_prompt_that_can_never_fit_is_warned_about_and_makes_its_sets_unhealthy(server: TestServer) {
    let release = Release::new(&server, 1).await;
    let health = format!("service/{}/health", release.service);
    release.put("release", version_set(1, 1)).await;
    release
        .add_agent_version_with(json!({"background": "x".repeat(100 * 1024)}))
        .await;
    let found = release.client.get(&health).await;
    assert_eq!(
        found.body["status"], "healthy",
        "it is long, but not too long: {}",
        found.body
    );
    release
        .add_agent_version_with(json!({"background": "x".repeat(128 * 1024)}))
        .await;
    let found = release.client.get(&health).await;
    assert_eq!(found.body["status"], "unhealthy", "{}", found.body);
    // `edge` means the latest versions.
    assert_eq!(
        codes(&found.body)
            .iter()
            .filter(|(code, _)| *code == "prompt_too_long")
            .collect::<Vec<_>>(),
        [&("prompt_too_long", "edge")]
    );
    let warned = |answer: &Value| {
        answer["plan"]["warnings"]
            .as_array()
            .unwrap()
            .iter()
            .any(|warning| {
                warning["code"] == "prompt_too_long"
                    && warning["message"].as_str().unwrap().contains("131072 at most")
            })
    };
    let shown = release
        .post("test", "promote", json!({"source": "edge", "dry_run": true}))
        .await;
    assert!(warned(&shown.body), "{}", shown.body);
    // The same plan is carried out.
    let body = json!({"source": "edge", "plan_digest": shown.body["plan"]["digest"]});
    let done = release.post("test", "promote", body).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert!(warned(&done.body));
}

#[both_engines]
async fn a_prompt_that_nobody_has_looked_at_is_warned_about_by_the_write(server: TestServer) {
    let release = Release::new(&server, 1).await;
    release.put("release", version_set(1, 1)).await;
    release
        .add_agent_version_with(json!({"background": "x".repeat(128 * 1024)}))
        .await;
    let done = release.post("test", "promote", json!({"source": "edge"})).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let warnings = |plan: &Value| {
        plan["warnings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|warning| warning["code"].clone())
            .collect::<Vec<_>>()
    };
    assert!(
        warnings(&done.body["plan"]).contains(&json!("prompt_too_long")),
        "{}",
        done.body
    );
    release
        .add_agent_version_with(json!({"background": "y".repeat(128 * 1024)}))
        .await;
    let promotions =
        json!({"promotions": [{"service_id": release.service, "source": "edge", "target": "test"}]});
    let done = release.client.post("promotion", promotions).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert!(
        warnings(&done.body["plans"][0]).contains(&json!("prompt_too_long")),
        "{}",
        done.body
    );
    assert_eq!(done.body["applied"], true, "{}", done.body);
}

#[both_engines]
async fn a_held_release_and_a_retired_model_lower_the_health(server: TestServer) {
    let admin = server.admin();
    let service = server.service(2).await;
    let health = format!("service/{service}/health");
    let fresh = admin.get(&health).await;
    assert_eq!(fresh.status, 200, "{}", fresh.body);
    assert_eq!(fresh.body["status"], json!("healthy"));
    assert_eq!(codes(&fresh.body), [("floating_release", "release")]);
    assert_eq!(fresh.body["version_sets"][1]["status"], json!("healthy"));
    let body = json!({"version_set": version_set(1, 1)});
    assert_eq!(
        admin
            .put(&format!("service/{service}/version_sets/release/"), body)
            .await
            .status,
        204
    );
    let rollback = format!("service/{service}/version_sets/release/rollback");
    assert_eq!(admin.post(&rollback, json!({"message": "why"})).await.status, 200);
    let held = admin.get(&health).await;
    assert_eq!(held.body["status"], json!("degraded"));
    assert!(codes(&held.body).contains(&("held", "release")));
    // The model is served when it is preferred, and retires later.
    let pins = json!({"agent_version_number": 1, "service_hierarchical_state_machine_version_number": 1,
        "llm_model_preferences": {"engage-user": {"llm_name": "retiring_model", "params": {}}}});
    let put = admin
        .put(
            &format!("service/{service}/version_sets/test/"),
            json!({"version_set": pins}),
        )
        .await;
    assert_eq!(put.status, 204, "{}", put.body);
    assert!(codes(&admin.get(&health).await.body).contains(&("retiring_model", "test")));
    let client = crate::support::organization::a_day_later(&server).await;
    let retired = client.get(&health).await;
    assert_eq!(retired.body["status"], json!("unhealthy"));
    assert!(codes(&retired.body).contains(&("retired_model", "test")));
}
