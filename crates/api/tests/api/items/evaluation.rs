//! Evaluating metrics, and the results.

use forge_domain::evaluation::{EvaluationSource, MetricResult};
use forge_domain::metric::MeasuredValue;
use forge_domain::{Clock as _, ConversationId};
use forge_testkit::{Engine, TestClient, TestResponse, TestServer, both_engines};
use serde_json::{Value, json};

use super::talk;
use crate::support::assertions::assert_invalid_at;
use crate::support::grants::{any, equals, grant};
use crate::support::ids::UNKNOWN_ID;
use crate::support::items::{METRIC, metric_body};
use crate::support::organization::organization;
use crate::support::pages::pages;
use crate::support::users::user_with;

const EVALUATE: &str = "metric/evaluate";

const RESULTS: &str = "metric/metric_evaluation_result";

const LIST: &str = "metric_evaluation_results";

/// Creates a metric that is computed, not judged: whether the agent said something.
async fn says(server: &TestServer, name: &str, what: &str) -> String {
    let mut body = metric_body(name);
    body["initial_version_metric_value"]["description"] = json!(format!("check: contains \"{what}\""));
    METRIC.create(server, body).await
}

async fn evaluate(client: &TestClient, metrics: &[&str], conversation: ConversationId) -> TestResponse {
    let body = json!({"metric_ids": metrics, "conversation_id": conversation});
    client.post(EVALUATE, body).await
}

async fn results(client: &TestClient, query: &str) -> Vec<Value> {
    let listed = client.get(&format!("{RESULTS}?{query}")).await;
    assert_eq!(listed.status, 200, "{}", listed.body);
    listed.body[LIST].as_array().unwrap().clone()
}

#[both_engines]
async fn a_conversation_is_judged_and_the_results_are_kept(server: TestServer) {
    let service = server.service(1).await;
    let begun = talk::start(&server, &service, "Money back!").await;
    let conversation = begun.conversation_id;
    let (money, weather) = (
        says(&server, "money", "money").await,
        says(&server, "weather", "weather").await,
    );
    let answer = evaluate(server.admin(), &[&weather, &money], conversation).await;
    assert_eq!(
        (answer.status.as_u16(), answer.sequence()),
        (200, None),
        "{}",
        answer.body
    );
    let judged = &answer.body["metrics"];
    assert_eq!(
        (&judged[0]["metric_id"], &judged[0]["value"]),
        (&json!(weather), &json!(false))
    );
    assert_eq!(
        (&judged[1]["metric_id"], &judged[1]["value"]),
        (&json!(money), &json!(true))
    );
    let said = json!([begun.agent_message().id]);
    assert_eq!(judged[1]["references"], said);
    let kept = results(server.admin(), &format!("metric_id={money}")).await;
    assert_eq!(kept.len(), 1);
    assert_eq!(
        (&kept[0]["result"], &kept[0]["metric_version"]),
        (&json!(true), &json!(1))
    );
    assert_eq!(kept[0]["justification"], judged[1]["justification"]);
    assert_eq!(
        kept[0]["source"],
        json!({"type": "manual", "conversation_id": conversation,
        "evaluate_to_interaction_id": null, "references": said,
        "invoked_by": {"org_id": server.admin().organization, "user_id": server.admin().user_id}})
    );
}

#[both_engines]
async fn who_evaluates_once_more_replaces_the_result(server: TestServer) {
    let service = server.service(1).await;
    let begun = talk::start(&server, &service, "Good morning.").await;
    let conversation = begun.conversation_id;
    let metric = says(&server, "money", "money").await;
    assert_eq!(
        evaluate(server.admin(), &[&metric], conversation).await.status,
        200
    );
    let first = results(server.admin(), "").await;
    server.clock.advance_seconds(60);
    talk::say(&server, conversation, "Money back!").await;
    assert_eq!(
        evaluate(server.admin(), &[&metric], conversation).await.status,
        200
    );
    let second = results(server.admin(), "").await;
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_eq!(
        (&first[0]["result"], &second[0]["result"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(
        (&first[0]["id"], &first[0]["created_at"]),
        (&second[0]["id"], &second[0]["created_at"])
    );
    assert!(second[0]["updated_at"].as_str() > first[0]["updated_at"].as_str());
    let body = json!({"metric_ids": [metric], "conversation_id": conversation,
        "evaluate_to_interaction_id": begun.interaction_id});
    let answer = server.admin().post(EVALUATE, body).await;
    assert_eq!(
        answer.body["metrics"][0]["value"], false,
        "what came later does not count"
    );
    let kept = results(server.admin(), "").await;
    assert_eq!(
        kept[0]["source"]["evaluate_to_interaction_id"],
        json!(begun.interaction_id)
    );
}

#[both_engines]
async fn two_who_evaluate_at_once_leave_one_result(server: TestServer) {
    let service = server.service(1).await;
    let conversation = talk::start(&server, &service, "Money back!")
        .await
        .conversation_id;
    let metric = says(&server, "money", "money").await;
    let mut evaluating = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (client, metric) = (server.admin().clone(), metric.clone());
        evaluating.spawn(async move { evaluate(&client, &[&metric], conversation).await.status.as_u16() });
    }
    assert_eq!(evaluating.join_all().await, [200; 8]);
    assert_eq!(results(server.admin(), "").await.len(), 1);
}

#[both_engines]
async fn what_is_not_there_cannot_be_evaluated(server: TestServer) {
    let service = server.service(1).await;
    let conversation = talk::start(&server, &service, "Money back!")
        .await
        .conversation_id;
    let (metric, deleted) = (
        says(&server, "money", "money").await,
        says(&server, "gone", "gone").await,
    );
    server.admin().delete(&format!("metric/{deleted}/")).await;
    for metrics in [[&metric, UNKNOWN_ID], [&metric, &deleted]] {
        assert_eq!(evaluate(server.admin(), &metrics, conversation).await.status, 404);
    }
    assert_eq!(
        evaluate(server.admin(), &[&metric], UNKNOWN_ID.parse().unwrap())
            .await
            .status,
        404
    );
    let body = json!({"metric_ids": [metric], "conversation_id": conversation, "evaluate_to_interaction_id": UNKNOWN_ID});
    assert_eq!(server.admin().post(EVALUATE, body).await.status, 404);
    for (metrics, place) in [
        (json!([]), "body.metric_ids"),
        (json!([metric, metric]), "body.metric_ids"),
    ] {
        let body = json!({"metric_ids": metrics, "conversation_id": conversation});
        assert_invalid_at(&server.admin().post(EVALUATE, body).await, place);
    }
    assert_eq!(results(server.admin(), "").await, Vec::<Value>::new());
}

#[both_engines]
async fn evaluating_asks_for_the_metric_and_for_what_was_said(server: TestServer) {
    let service = server.service(1).await;
    let conversation = talk::start(&server, &service, "Money back!")
        .await
        .conversation_id;
    let (mine, other) = (
        says(&server, "mine", "money").await,
        says(&server, "other", "money").await,
    );
    let needed = [
        "Metric:GetMetric",
        "Metric:EvaluateMetric",
        "Metric:GetMetricEvaluationResult",
    ];
    let on_mine: Vec<Value> = needed
        .iter()
        .map(|name| grant(name, &equals("metric_name", "mine")))
        .collect();
    let all = [on_mine.clone(), vec![any("Conversation:GetMessage")]].concat();
    for (number, missing) in [0, 1, 2, 3].into_iter().enumerate() {
        let mut grants = all.clone();
        grants.remove(missing);
        let user = user_with(&server, &format!("Lacking{number}"), grants).await;
        assert_eq!(
            evaluate(&user, &[&mine], conversation).await.status,
            403,
            "{missing}"
        );
    }
    let user = user_with(&server, "Evaluator", all).await;
    assert_eq!(evaluate(&user, &[&mine, &other], conversation).await.status, 403);
    assert_eq!(evaluate(&user, &[&mine], conversation).await.status, 200);
    assert_eq!(
        evaluate(server.admin(), &[&other], conversation).await.status,
        200
    );
    assert_eq!(
        results(&user, "").await.len(),
        1,
        "results of other metrics are left out"
    );
    let listed = user.get(RESULTS).await;
    assert_eq!(
        listed.body["filter_values"]["metric_ids"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[both_engines]
async fn results_are_filtered_sorted_and_paged(server: TestServer) {
    let service = server.service(1).await;
    let first = talk::start(&server, &service, "Money back!")
        .await
        .conversation_id;
    let (money, weather) = (
        says(&server, "money", "money").await,
        says(&server, "weather", "weather").await,
    );
    evaluate(server.admin(), &[&money], first).await;
    server.clock.advance_seconds(60);
    evaluate(server.admin(), &[&weather], first).await;
    let run: forge_domain::UnitTestSetRunId = "00000000000000000000aaaa".parse().unwrap();
    server.clock.advance_seconds(60);
    let now = server.clock.now();
    let simulated = MetricResult {
        id: "00000000000000000000bbbb".parse().unwrap(),
        metric_id: money.parse().unwrap(),
        metric_version: 1.try_into().unwrap(),
        conversation_id: first,
        result: Some(MeasuredValue::Boolean(true)),
        justification: "It was said.".into(),
        source: EvaluationSource::Simulation {
            simulation_unit_test_set_run_id: run,
            unit_test_id: UNKNOWN_ID.parse().unwrap(),
            run_index: 0,
            references: vec![],
        },
        created_at: now,
        updated_at: now,
    };
    let mut tx = server.app.store.write_run(&organization(&server)).await.unwrap();
    assert!(tx.keep_metric_result(&simulated).await.unwrap());
    tx.commit().await.unwrap();
    for (query, expected) in [
        (String::new(), vec![&money, &weather, &money]),
        ("sort_by=-created_at".into(), vec![&money, &weather, &money]),
        (format!("metric_id={weather}"), vec![&weather]),
        (
            format!("metric_id_and_version={money}-1&metric_id_and_version={weather}-2"),
            vec![&money, &money],
        ),
        (format!("metric_id_and_version={money}-2"), vec![]),
        (
            format!("metric_id_and_version={weather}-&metric_id={money}"),
            vec![&money, &weather, &money],
        ),
        ("source_type=manual".into(), vec![&money, &weather]),
        (
            "source_type=simulation&source_type=post-session".into(),
            vec![&money],
        ),
        (format!("conversation_id={first}"), vec![&money, &weather]),
        (format!("simulation_unit_test_set_run_id={run}"), vec![&money]),
        (
            "timestamp_after=2026-11-23T12:01:00Z".into(),
            vec![&weather, &money],
        ),
        (
            "timestamp_before=2026-11-23T12:01:00Z".into(),
            vec![&money, &weather],
        ),
        (
            "timestamp_after=2026-11-23T12:00:30Z&timestamp_before=2026-11-23T12:01:30Z".into(),
            vec![&weather],
        ),
    ] {
        let found = pages(
            server.admin(),
            &format!("{RESULTS}?limit=1&{query}"),
            LIST,
            "metric_id",
        )
        .await;
        assert_eq!(found.concat().iter().collect::<Vec<_>>(), expected, "{query}");
    }
    let newest = results(server.admin(), "sort_by=-created_at&limit=1").await;
    assert_eq!(newest[0]["source"]["type"], "simulation");
    let listed = server
        .admin()
        .get(&format!("{RESULTS}?limit=0&metric_id={weather}"))
        .await;
    assert_eq!(listed.body["filter_values"], json!({"metric_ids": [weather]}));
    for (query, place) in [
        ("limit=501", "query.limit"),
        ("sort_by=-result", "query.sort_by"),
        ("metric_id_and_version=x-1", "query.metric_id_and_version"),
        ("timestamp_after=yesterday", "query.timestamp_after"),
        ("source_type=guess", "query.source_type"),
        (
            "continuation_token=99&sort_by=-created_at",
            "query.continuation_token",
        ),
    ] {
        assert_invalid_at(&server.admin().get(&format!("{RESULTS}?{query}")).await, place);
    }
}

#[both_engines]
async fn results_are_told_to_who_may_read_what_they_are_about(server: TestServer) {
    let service = server.service(1).await;
    let conversation = talk::start(&server, &service, "Money back!")
        .await
        .conversation_id;
    let metric = says(&server, "money", "money").await;
    assert_eq!(
        evaluate(server.admin(), &[&metric], conversation).await.status,
        200
    );
    let of_it = format!("conversation_id={conversation}");
    let metrics = async |client: &TestClient, query: &str| {
        let listed = client.get(&format!("{RESULTS}?{query}")).await;
        listed.body["filter_values"]["metric_ids"]
            .as_array()
            .unwrap()
            .len()
    };
    let results_alone = vec![any("Metric:GetMetricEvaluationResult")];
    let counting = user_with(&server, "Counting", results_alone.clone()).await;
    let reading = [results_alone, vec![any("Conversation:GetMessage")]].concat();
    let reading = user_with(&server, "Reading", reading).await;
    for (client, count) in [(&counting, 0), (&reading, 1)] {
        assert_eq!(results(client, "").await.len(), count);
        for query in ["", &of_it] {
            assert_eq!(metrics(client, query).await, count, "{query}");
        }
    }
    // The user hides it from everybody else.
    let own = format!("user/{}", server.admin().user_id);
    let hides = json!({"conversations_visible_to_admins": false});
    assert_eq!(server.admin().post(&own, hides).await.status, 204);
    for (client, count) in [(&reading, 0), (server.admin(), 1)] {
        for query in ["", &of_it] {
            assert_eq!(results(client, query).await.len(), count, "{query}");
            assert_eq!(metrics(client, query).await, count, "{query}");
        }
    }
}

#[both_engines]
async fn what_results_tell_of_a_conversation_is_deleted_with_it(server: TestServer) {
    let service = server.service(1).await;
    let conversation = talk::start(&server, &service, "Money back!")
        .await
        .conversation_id;
    let metric = says(&server, "money", "money").await;
    evaluate(server.admin(), &[&metric], conversation).await;
    assert_ne!(results(server.admin(), "").await[0]["justification"], "");
    talk::delete(&server, conversation).await;
    let kept = results(server.admin(), "").await;
    assert_eq!(
        (&kept[0]["justification"], &kept[0]["result"]),
        (&json!(""), &json!(true))
    );
    assert_eq!(
        evaluate(server.admin(), &[&metric], conversation).await.status,
        404
    );
}

#[tokio::test]
async fn a_model_judges_what_no_check_computes() {
    let rules = json!([{"interaction": "evaluate-metric",
        "answer": "{\"value\": \"calm\", \"justification\": \"Nobody shouted.\"}"}]);
    let server = TestServer::scripted(Engine::Sqlite, rules).await;
    let service = server.service(1).await;
    let conversation = talk::start(&server, &service, "Good morning.")
        .await
        .conversation_id;
    let mut body = metric_body("Mood");
    body["initial_version_metric_value"] = json!({"description": "How was the mood?",
        "metric_value": {"type": "categorical", "categories": ["calm", "angry"]}});
    let metric = METRIC.create(&server, body).await;
    let answer = evaluate(server.admin(), &[&metric], conversation).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let judged = &answer.body["metrics"][0];
    assert_eq!(
        (&judged["value"], &judged["justification"]),
        (&json!("calm"), &json!("Nobody shouted."))
    );
    assert_eq!(results(server.admin(), "").await[0]["result"], "calm");
}

#[both_engines]
async fn control_characters_of_a_judge_are_left_out(plain: TestServer) {
    let rules = json!([{"interaction": "evaluate-metric",
        "answer": "{\"value\": true, \"justification\": \"a\\u0000b\\u001b[31mc\", \"messages\": [1]}"}]);
    let server = TestServer::scripted(plain.engine, rules).await;
    let service = server.service(1).await;
    let conversation = talk::start(&server, &service, "Good morning.")
        .await
        .conversation_id;
    let mut body = metric_body("Kindness");
    body["initial_version_metric_value"] =
        json!({"description": "Was it kind?", "metric_value": {"type": "boolean"}});
    let metric = METRIC.create(&server, body).await;
    let answer = evaluate(server.admin(), &[&metric], conversation).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let kept = results(server.admin(), &format!("metric_id={metric}")).await;
    assert_eq!(
        (&kept[0]["result"], &kept[0]["justification"]),
        (&json!(true), &json!("ab[31mc"))
    );
}

#[both_engines]
async fn a_judge_whose_answer_is_cut_off_or_refused_is_not_asked_again_by_clients(plain: TestServer) {
    let rules = json!([
        {"interaction": "evaluate-metric", "contains": "morning", "cut_off": "{\"value\": true}"},
        {"interaction": "evaluate-metric", "refuse": "the prompt is too long"},
    ]);
    let server = TestServer::scripted(plain.engine, rules).await;
    let mut body = metric_body("Kindness");
    body["initial_version_metric_value"] =
        json!({"description": "Was it kind?", "metric_value": {"type": "boolean"}});
    let metric = METRIC.create(&server, body).await;
    for (said, reason) in [("Good morning.", "cut the answer off"), ("Hello.", "too long")] {
        let service = server.service(1).await;
        let conversation = talk::start(&server, &service, said).await.conversation_id;
        let answer = evaluate(server.admin(), &[&metric], conversation).await;
        assert_eq!(answer.status, 400, "{}", answer.body);
        assert!(answer.detail().contains(reason), "{}", answer.detail());
    }
    assert!(
        results(server.admin(), &format!("metric_id={metric}"))
            .await
            .is_empty()
    );
}
