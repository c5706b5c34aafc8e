//! What a request costs at most: how much is told of faults, and who is refused before anything is done for them.

use std::time::Duration;

use axum::http::Method;
use forge_domain::access::DefaultRole;
use forge_testkit::{TestClient, TestResponse, TestServer, both_engines};
use serde_json::{Map, Value, json};

use crate::support::organization::organization;

/// How large the body of a failure is at most.
const MOST_BYTES: usize = 64 * 1024;

/// How long something may take that does not wait for anybody.
const SOON: Duration = Duration::from_secs(20);

async fn post_bytes(client: &TestClient, path: &str, headers: &[(&str, &str)], body: &[u8]) -> TestResponse {
    let json = Some("application/json");
    client
        .send_raw(Method::POST, path, headers, json, body.to_vec())
        .await
}

/// Returns the super administrator, on a server that admits as large bodies as it does by default.
fn admin(server: &TestServer) -> TestClient {
    let limits = forge_api::Limits {
        max_body_bytes: 4 * 1024 * 1024,
        ..forge_testkit::limits()
    };
    TestClient {
        router: server.router_with(limits),
        ..server.admin().clone()
    }
}

#[track_caller]
fn assert_status(answer: &TestResponse, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.body);
}

fn assert_small(answer: &TestResponse) {
    let bytes = answer.body.to_string().len();
    assert!(bytes <= MOST_BYTES, "{} with {bytes} bytes", answer.status);
}

/// Returns a body of a service with so many tags whose keys occur twice, blanks aside.
fn repeated_tags(count: usize) -> Value {
    let tags: Map<String, Value> = (0..count)
        .flat_map(|number| [(number.to_string(), json!(0)), (format!("{number} "), json!(0))])
        .collect();
    json!({"tags": tags})
}

/// Returns a body of a set that prefers a model in a thousand interactions, as large as it may be.
fn many_preferences(prefix: &str, model: &str) -> Value {
    let preference = json!({"llm_name": model, "params": {}});
    let preferences: Map<String, Value> = (0..1000)
        .map(|number| (format!("{prefix}{number:_>190}"), preference.clone()))
        .collect();
    json!({"version_set": {"agent_version_number": 1, "service_hierarchical_state_machine_version_number": 1,
        "llm_model_preferences": preferences}})
}

/// Returns a role with these grants.
fn role(grants: Value) -> Value {
    json!({"role_name": "Large", "description": "d", "frontend_view": "client", "permission_grants": grants})
}

fn grant(values: Vec<Value>) -> Value {
    let conditions = json!({"service_id": {"type": "In", "values": values}});
    json!({"permission_name": "Service:GetService", "conditions": conditions})
}

#[both_engines]
async fn of_very_many_faults_a_caller_is_told_the_first_ones_and_that_there_are_more(server: TestServer) {
    let admin = admin(&server);
    let metric = json!({"name": "n", "applied_to_services": vec![json!([]); 10_000], "tags": {}});
    let preferences: Map<String, Value> = (0..1000)
        .map(|number| (format!("i{number}"), json!({"llm_name": "none", "params": {}})))
        .collect();
    let service = server.service(1).await;
    let ids = "id=zz&".repeat(4000);
    let set = json!({"version_set": {"agent_version_number": 1,
        "service_hierarchical_state_machine_version_number": 1, "llm_model_preferences": preferences}});
    let answers = [
        admin.post("service/", repeated_tags(30_000)).await,
        admin.post("metric/", metric).await,
        admin.get(&format!("service/?{ids}")).await,
    ];
    for answer in &answers {
        assert_eq!(answer.status, 422);
        assert_small(answer);
        let faults = answer.faults();
        assert!(faults.len() <= 51, "{faults:?}");
        assert!(faults.last().unwrap().ends_with(": more_faults"), "{faults:?}");
    }
    let refused = admin
        .put(&format!("service/{service}/version_sets/test/"), set)
        .await;
    assert_eq!(refused.status, 400);
    assert_small(&refused);
    assert!(
        refused.detail().contains("; and at least 51 more reasons"),
        "{}",
        refused.detail()
    );
    assert!(
        refused.body.get("plan").is_none(),
        "such a plan is too large to be told"
    );
}

#[both_engines]
async fn a_plan_of_the_largest_sets_is_told_in_less_than_a_mebibyte(server: TestServer) {
    let (admin, service) = (admin(&server), server.service(1).await);
    let path = format!("service/{service}/version_sets/test/");
    let model = server
        .app
        .catalogues
        .models
        .descriptions()
        .next()
        .unwrap()
        .name
        .clone();
    assert_status(&admin.put(&path, many_preferences("old", &model)).await, 204);
    let told = admin
        .put(&format!("{path}?dry_run=true"), many_preferences("new", "none"))
        .await;
    assert_eq!(told.status, 200, "{}", told.body);
    let blockers = told.body["blockers"].as_array().unwrap();
    assert_eq!(blockers.len(), 101);
    assert_eq!(blockers[100]["message"], "there are 900 more of these");
    assert_eq!(told.body["changes"].as_array().unwrap().len(), 2000);
    let bytes = told.body.to_string().len();
    assert!(bytes < 1024 * 1024, "{bytes}");
}

#[both_engines]
async fn a_large_set_that_is_refused_waits_for_nobody_who_writes(server: TestServer) {
    let (admin, service) = (admin(&server), server.service(1).await);
    let (organization, now) = (organization(&server), forge_domain::Clock::now(&*server.clock));
    let writing = server.app.store.write(&organization, now).await.unwrap().unwrap();
    let path = format!("service/{service}/version_sets/test/");
    let call = admin.put(&path, many_preferences("n", "none"));
    let answer = tokio::time::timeout(SOON, call).await.unwrap();
    assert_status(&answer, 400);
    drop(writing);
}

#[both_engines]
async fn more_preferences_than_a_set_may_have_are_refused_wherever_they_are_sent(server: TestServer) {
    let (admin, service) = (admin(&server), server.service(1).await);
    let preferences: Map<String, Value> = (0..1001)
        .map(|n| (n.to_string(), json!({"llm_name": "none"})))
        .collect();
    let set = json!({"agent_version_number": 1, "service_hierarchical_state_machine_version_number": 1,
        "llm_model_preferences": preferences});
    let put = json!({"version_set": set});
    let refused = admin
        .put(&format!("service/{service}/version_sets/test/?dry_run=true"), put)
        .await;
    assert_eq!(
        refused.faults(),
        ["body.version_set.llm_model_preferences: too_long"]
    );
    let mut body = forge_testkit::service_body("New", &server.agent(1).await, &server.context_graph(1).await);
    body["release_version_set"] = set;
    let refused = admin.post("service/", body).await;
    assert_eq!(
        refused.faults(),
        ["body.release_version_set.llm_model_preferences: too_long"]
    );
}

#[both_engines]
async fn plans_that_are_too_large_together_are_refused_and_nothing_is_done(server: TestServer) {
    let admin = admin(&server);
    let model = server
        .app
        .catalogues
        .models
        .descriptions()
        .next()
        .unwrap()
        .name
        .clone();
    let mut promotions = Vec::new();
    for _ in 0..5 {
        let service = server.service(1).await;
        let path = format!("service/{service}/version_sets/test/");
        assert_status(&admin.put(&path, many_preferences("n", &model)).await, 204);
        promotions.push(json!({"service_id": service, "source": "test", "target": "preview"}));
    }
    for dry_run in [true, false] {
        let refused = admin
            .post("promotion", json!({"promotions": promotions, "dry_run": dry_run}))
            .await;
        assert_eq!(refused.faults(), ["body.promotions: too_long"]);
    }
    let applied = admin
        .post("promotion", json!({"promotions": promotions[..2]}))
        .await;
    assert_eq!(applied.body["applied"], true, "{}", applied.body);
}

#[both_engines]
async fn contents_that_are_too_large_together_are_read_by_themselves(server: TestServer) {
    let (admin, agent, graph) = (
        admin(&server),
        server.agent(1).await,
        server.context_graph(1).await,
    );
    let service = admin
        .post("service/", forge_testkit::service_body("Large", &agent, &graph))
        .await
        .id();
    let mut version = forge_testkit::agent_version();
    version["background"] = json!("b".repeat(2_500_000));
    assert_status(
        &admin.post(&format!("organization/agent/{agent}/"), version).await,
        201,
    );
    let mut version = forge_testkit::context_graph_version();
    version["global_action_guidelines"] = json!(["g".repeat(2_500_000)]);
    let path = format!("organization/service_hierarchical_state_machine/{graph}/");
    assert_status(&admin.post(&path, version).await, 201);
    let path = format!("service/{service}/version_sets/edge/resolve");
    assert_eq!(admin.get(&path).await.status, 200);
    let refused = admin.get(&format!("{path}?include=documents")).await;
    assert_eq!(refused.status, 400, "{}", refused.status);
    assert!(
        refused.detail().contains("without `include=documents`"),
        "{}",
        refused.detail()
    );
}

#[both_engines]
async fn a_version_whose_states_share_a_name_is_refused_briefly(server: TestServer) {
    let graph = server.context_graph(0).await;
    let mut version = forge_testkit::context_graph_version();
    let states = version["states"].as_array().unwrap().clone();
    version["states"] = states.iter().cycle().take(3000).cloned().collect();
    let path = format!("organization/service_hierarchical_state_machine/{graph}/");
    let answer = admin(&server).post(&path, version).await;
    assert_eq!(answer.status, 422);
    assert_small(&answer);
    assert_eq!(answer.faults().len(), 51);
}

#[both_engines]
async fn whoever_may_not_call_an_operation_on_anything_is_refused_whatever_the_body_is(server: TestServer) {
    let stranger = server.stranger().in_organization(&server.admin().organization);
    let issuer = [("x-org-id", server.stranger().organization.as_str())];
    let user = server.user(DefaultRole::User).await;
    for path in [
        "service/",
        "metric/",
        "organization/agent",
        "role/",
        "role/DefaultUserRole/assign",
    ] {
        for body in [&b"{"[..], b"[]", b"{}"] {
            assert_eq!(
                post_bytes(&stranger, path, &issuer, body).await.status,
                403,
                "{path}"
            );
            assert_eq!(
                post_bytes(server.admin(), path, &[], body).await.status,
                422,
                "{path}"
            );
            if path != "role/DefaultUserRole/assign" {
                assert_eq!(post_bytes(&user, path, &[], body).await.status, 403, "{path}");
            }
        }
    }
    let packed = post_bytes(
        &stranger,
        "service/",
        &[issuer[0], ("content-encoding", "gzip")],
        b"x",
    )
    .await;
    assert_eq!(packed.status, 403);
}

#[both_engines]
async fn whoever_has_rights_on_some_things_is_told_of_the_body_first(server: TestServer) {
    let conditions = json!({"service_name": {"type": "Equals", "value": "Care"}});
    let grants = json!([{"permission_name": "Service:CreateService", "conditions": conditions}]);
    assert_eq!(server.admin().post("role/", role(grants)).await.status, 201);
    let user = server.user(DefaultRole::User).await;
    let assigned = json!({"user_id": user.user_id});
    assert_eq!(
        server.admin().post("role/Large/assign", assigned).await.status,
        200
    );
    assert_eq!(user.post("service/", json!({})).await.status, 422);
    let ids = "0123456789abcdef01234567";
    assert_eq!(
        user.post("service/", forge_testkit::service_body("Other", ids, ids))
            .await
            .status,
        403
    );
}

#[both_engines]
async fn a_change_number_means_nothing_to_those_without_rights(server: TestServer) {
    let stranger = server.stranger().in_organization(&server.admin().organization);
    let issuer = ("x-org-id", server.stranger().organization.as_str());
    for number in ["1", "999999999", "no number"] {
        let sequence = ("forge-min-sequence", number);
        let anonymous = server.admin().anonymous();
        let told = anonymous
            .send_raw(Method::GET, "organization/", &[sequence], None, Vec::new())
            .await;
        assert_eq!(told.status, 200, "{number}");
        let told = stranger
            .send_raw(
                Method::GET,
                "organization/",
                &[sequence, issuer],
                None,
                Vec::new(),
            )
            .await;
        assert_eq!(told.status, 200, "{number}");
        let told = stranger
            .send_raw(Method::GET, "service/", &[sequence, issuer], None, Vec::new())
            .await;
        assert!(told.shows_nothing(), "{number}: {}", told.body);
        let [user, key, secret] = &server.credentials;
        let headers = [
            sequence,
            ("x-api-key", secret),
            ("x-api-key-id", key),
            ("x-user-id", user),
        ];
        let path = "user/signin_with_api_key";
        let told = anonymous
            .send_raw(Method::POST, path, &headers, None, Vec::new())
            .await;
        assert_eq!(told.status, 200, "{number}: {}", told.body);
    }
}

#[both_engines]
async fn a_body_that_nobody_reads_is_not_kept(server: TestServer) {
    let large = vec![b'x'; 5 * 1024 * 1024];
    let [user, key, secret] = &server.credentials;
    let headers = [
        ("x-api-key", secret.as_str()),
        ("x-api-key-id", key),
        ("x-user-id", user),
    ];
    let path = "user/signin_with_api_key";
    let anonymous = server.admin().anonymous();
    let told = anonymous
        .send_raw(Method::POST, path, &headers, None, large)
        .await;
    assert_eq!(told.status, 200, "{}", told.body);
    let agent = server.agent(1).await;
    let path = format!("organization/agent/{agent}/");
    let small = vec![b' '; 20 * 1024];
    let told = server
        .admin()
        .send_raw(Method::DELETE, &path, &[], None, small)
        .await;
    assert_eq!(told.status, 413, "{}", told.body);
}

#[both_engines]
async fn strangers_learn_nothing_of_which_roles_there_are(server: TestServer) {
    assert_eq!(server.admin().post("role/", role(json!([]))).await.status, 201);
    let stranger = server.stranger().in_organization(&server.admin().organization);
    let issuer = [("x-org-id", server.stranger().organization.as_str())];
    let body = br#"{"user_id": "somebody"}"#;
    let known = post_bytes(&stranger, "role/Large/assign", &issuer, body).await;
    let unknown = post_bytes(&stranger, "role/Small/assign", &issuer, body).await;
    assert_eq!((known.status.as_u16(), &known.body), (403, &unknown.body));
}

#[both_engines]
async fn whoever_lacks_a_permission_does_not_wait_for_the_writes_of_others(server: TestServer) {
    let (agent, graph) = (server.agent(1).await, server.context_graph(1).await);
    let graphs = "organization/service_hierarchical_state_machine";
    let user = server.user(DefaultRole::User).await;
    let stranger = server.stranger().in_organization(&server.admin().organization);
    let issuer = [("x-org-id", server.stranger().organization.as_str())];
    let (organization, now) = (organization(&server), forge_domain::Clock::now(&*server.clock));
    let writing = server.app.store.write(&organization, now).await.unwrap().unwrap();
    let yank = json!({"reason": "bad"});
    let id = "0123456789abcdef01234567";
    let promotions = json!({"promotions": [{"service_id": id, "source": "a", "target": "b"}]});
    for (method, path, body) in [
        (
            Method::POST,
            format!("organization/agent/{agent}/"),
            forge_testkit::agent_version(),
        ),
        (
            Method::POST,
            format!("{graphs}/{graph}/"),
            forge_testkit::context_graph_version(),
        ),
        (
            Method::POST,
            format!("organization/agent/{agent}/version/1/yank"),
            yank.clone(),
        ),
        (
            Method::DELETE,
            format!("organization/agent/{agent}/version/1/yank"),
            Value::Null,
        ),
        (Method::POST, format!("{graphs}/{graph}/version/1/yank"), yank),
        (Method::POST, "promotion".to_owned(), promotions),
        (
            Method::POST,
            "role/DefaultUserRole/assign".to_owned(),
            json!({"user_id": "x"}),
        ),
    ] {
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        let json = (!body.is_empty()).then_some("application/json");
        let (client, headers) = if path.starts_with("role/") {
            (&stranger, &issuer[..])
        } else {
            (&user, &[][..])
        };
        let call = client.send_raw(method, &path, headers, json, body);
        let answer = tokio::time::timeout(SOON, call)
            .await
            .unwrap_or_else(|_| panic!("{path} waits"));
        assert_eq!(answer.status, 403, "{path}");
    }
    drop(writing);
}

#[both_engines]
async fn a_role_holds_no_more_than_can_be_compared(server: TestServer) {
    let many = |count: usize| (0..count).map(Value::from).collect::<Vec<_>>();
    let admin = admin(&server);
    for (grants, place) in [
        (vec![grant(many(1)); 1001], "body.permission_grants: too_long"),
        (
            vec![grant(many(1001))],
            "body.permission_grants.0.conditions.service_id.values: too_long",
        ),
        (vec![grant(many(1000)); 11], "body.permission_grants: too_long"),
        (
            vec![grant(vec![json!("x".repeat(16_000)); 200])],
            "body.permission_grants: too_long",
        ),
        (
            vec![grant(vec![json!("x".repeat(17_000))])],
            "body.permission_grants.0.conditions.service_id.values.0: too_long",
        ),
    ] {
        let refused = admin.post("role/", role(json!(grants))).await;
        assert_eq!(
            (refused.status.as_u16(), refused.faults()),
            (422, vec![place.to_owned()])
        );
    }
    let temporary = json!({"user_id": admin.user_id, "duration": "PT1H", "tags": {},
        "permission_grant": grant(many(1001)), "justification": "for a test"});
    let refused = admin.post("role/temporary_permission_grant/", temporary).await;
    let place = "body.permission_grant.conditions.service_id.values: too_long";
    assert_eq!(refused.faults(), [place]);
    assert_eq!(
        admin
            .post("role/", role(json!(vec![grant(many(9)); 1000])))
            .await
            .status,
        201
    );
    let changed = admin
        .post(
            "role/Large",
            json!({"permission_grants": vec![grant(many(1)); 1001]}),
        )
        .await;
    assert_eq!(changed.status, 422);
}

#[both_engines]
async fn a_user_whose_role_cannot_be_compared_in_time_is_not_signed_in(server: TestServer) {
    let admin = server.admin();
    let two = |pair: usize| json!({"type": "Equals", "value": pair});
    let key_grants: Vec<Value> = (0..400)
        .map(|number| {
            let conditions = json!({"user_id": two(number / 20), "is_own": two(number % 20)});
            json!({"permission_name": "Conversation:GetConversation", "conditions": conditions})
        })
        .collect();
    let all: Map<String, Value> = [
        "conversation_id",
        "service_id",
        "service_name",
        "user_id",
        "is_own",
    ]
    .map(|name| {
        (
            name.to_owned(),
            json!({"type": "In", "values": (0..20).collect::<Vec<_>>()}),
        )
    })
    .into_iter()
    .collect();
    let user_grant = json!([{"permission_name": "Conversation:GetConversation", "conditions": all}]);
    for (name, grants) in [("Key", json!(key_grants)), ("User", user_grant)] {
        let mut role = role(grants);
        role["role_name"] = json!(name);
        assert_eq!(admin.post("role/", role).await.status, 201);
    }
    let user = server.user(DefaultRole::User).await;
    let assigned = admin
        .post("role/User/assign", json!({"user_id": user.user_id}))
        .await;
    assert_eq!(assigned.status, 200, "{}", assigned.body);
    let key = json!({"name": null, "duration": "P1D", "role_name": "Key"});
    let key = admin.post("organization/api_key/", key).await.body;
    let headers = [
        ("x-api-key", key["api_key"].as_str().unwrap()),
        ("x-api-key-id", key["api_key_id"].as_str().unwrap()),
        ("x-user-id", user.user_id.as_str()),
    ];
    let path = "user/signin_with_api_key";
    let answer = admin
        .anonymous()
        .send_raw(Method::POST, path, &headers, None, Vec::new())
        .await;
    assert_eq!(answer.status, 401);
}

#[both_engines]
async fn answers_with_secrets_are_not_to_be_kept(server: TestServer) {
    let key = json!({"name": null, "duration": "P1D", "role_name": "DefaultUserRole"});
    let made = server.admin().post("organization/api_key/", key).await;
    assert_eq!(made.headers["cache-control"], "no-store");
    let [user, key, secret] = &server.credentials;
    let headers = [
        ("x-api-key", secret.as_str()),
        ("x-api-key-id", key),
        ("x-user-id", user),
    ];
    let path = "user/signin_with_api_key";
    let signed_in = server
        .admin()
        .anonymous()
        .send_raw(Method::POST, path, &headers, None, Vec::new())
        .await;
    assert_eq!(
        (signed_in.status.as_u16(), &signed_in.headers["cache-control"]),
        (200, &"no-store".parse().unwrap())
    );
}

#[both_engines]
async fn what_a_caller_wrote_is_told_back_to_them_in_part_only(server: TestServer) {
    let long = "x".repeat(20_000);
    let nowhere = server.admin().in_organization(&long);
    for answer in [
        nowhere.get("service/").await,
        server.admin().post(&format!("role/{long}"), json!({})).await,
    ] {
        assert_eq!(answer.status, 404);
        assert!(answer.detail().len() < 200, "{}", answer.detail().len());
    }
}

#[both_engines]
async fn packed_bodies_are_refused_as_such(server: TestServer) {
    let body = br#"{"agent_name": "Mira"}"#;
    for (coding, status) in [
        ("gzip", 415),
        ("br", 415),
        ("gzip, identity", 415),
        ("identity", 201),
    ] {
        let answer = post_bytes(
            server.admin(),
            "organization/agent",
            &[("content-encoding", coding)],
            body,
        )
        .await;
        assert_eq!(answer.status, status, "{coding}");
    }
}

#[both_engines]
async fn a_base_address_that_ends_with_a_slash_does_no_harm(server: TestServer) {
    let organization = &server.admin().organization;
    let answer = server
        .admin()
        .get(&format!("///v1/{organization}/service/?limit=1"))
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        server
            .admin()
            .get(&format!("////v1/{organization}/service/"))
            .await
            .status,
        404
    );
}
