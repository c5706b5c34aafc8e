//! What only metrics have.

use forge_testkit::both_engines;
use serde_json::{Value, json};

use crate::support::assertions::assert_invalid_at;
use crate::support::ids::UNKNOWN_ID;
use crate::support::items::{METRIC, metric_body};

fn with_value(name: &str, value: &Value) -> Value {
    let mut body = metric_body(name);
    body["initial_version_metric_value"]["metric_value"] = value.clone();
    body
}

#[both_engines]
async fn a_metric_tells_its_kind_of_values_and_its_tags_as_a_list(server: TestServer) {
    let service = server.service(1).await;
    let mut body = with_value(
        "Grade",
        &json!({"type": "numerical", "lower_bound": 1, "upper_bound": 5}),
    );
    body["tags"] = json!({"team": "care", "draft": null});
    body["additional_notes"] = json!("Ask Ada.");
    body["applied_to_services"] = json!([service, service]);
    let shown = METRIC.shown(&server, &METRIC.create(&server, body).await).await;
    assert_eq!(shown["metric_value_type"], "numerical");
    assert_eq!(
        shown["tags"],
        json!([{"key": "team", "value": "care"}, {"key": "draft", "value": null}])
    );
    assert_eq!(shown["additional_notes"], "Ask Ada.");
    assert_eq!(shown["applied_to_services"], json!([service]));
    assert_eq!(shown["org_id"], server.admin().organization.as_str());
    assert_eq!(shown["is_deleted"], false);
}

#[both_engines]
async fn metrics_are_filtered_by_kind_of_values_and_service(server: TestServer) {
    let service = server.service(1).await;
    METRIC.named(&server, "yes").await;
    let grade = with_value(
        "grade",
        &json!({"type": "numerical", "lower_bound": 1, "upper_bound": 1}),
    );
    METRIC.create(&server, grade).await;
    let mut mood = with_value(
        "mood",
        &json!({"type": "categorical", "categories": ["calm", "angry"]}),
    );
    mood["applied_to_services"] = json!([service]);
    METRIC.create(&server, mood).await;
    for (query, expected) in [
        ("?type=boolean".to_owned(), vec!["yes"]),
        (
            "?type=numerical&type=categorical".to_owned(),
            vec!["grade", "mood"],
        ),
        (format!("?applied_to_service={service}"), vec!["mood"]),
    ] {
        assert_eq!(METRIC.names(&server, &query).await, expected, "{query}");
    }
    let values = server
        .admin()
        .get("metric/?type=numerical&type=boolean")
        .await
        .body["filter_values"]
        .clone();
    assert_eq!(values["types"], json!(["boolean", "numerical"]));
    assert_eq!(values["applied_to_services_ids"], json!([]));
    assert_invalid_at(&server.admin().get("metric/?type=vague").await, "query.type");
}

#[both_engines]
async fn notes_are_erased_by_null_and_left_alone_otherwise(server: TestServer) {
    let mut body = metric_body("Calm");
    body["additional_notes"] = json!("Ask Ada.");
    let id = METRIC.create(&server, body).await;
    let path = format!("metric/{id}/");
    for (change, expected) in [
        (json!({}), json!("Ask Ada.")),
        (json!({"additional_notes": {}}), json!("Ask Ada.")),
        (json!({"additional_notes": " Ask Bob. "}), json!("Ask Bob.")),
        (json!({"additional_notes": null}), json!(null)),
    ] {
        let answer = server.admin().post(&path, change).await;
        assert_eq!((answer.status.as_u16(), &answer.body), (200, &json!({})));
        assert_eq!(METRIC.shown(&server, &id).await["additional_notes"], expected);
    }
    let refused = server
        .admin()
        .post(&path, json!({"applied_to_services": [UNKNOWN_ID]}))
        .await;
    assert_eq!(refused.status, 404);
}

#[both_engines]
async fn a_deleted_metric_is_found_by_its_id_or_by_asking_for_deleted_ones(server: TestServer) {
    let id = METRIC.named(&server, "Calm").await;
    METRIC.named(&server, "Kind").await;
    let deleted = server.admin().delete(&format!("metric/{id}/")).await;
    assert_eq!((deleted.status.as_u16(), &deleted.body), (200, &json!({})));
    assert_eq!(METRIC.names(&server, "").await, ["Kind"]);
    assert_eq!(METRIC.names(&server, "?is_deleted=true").await, ["Calm"]);
    assert_eq!(METRIC.names(&server, &format!("?id={id}")).await, ["Calm"]);
    assert_eq!(
        METRIC.names(&server, &format!("?id={id}&is_deleted=false")).await,
        Vec::<String>::new()
    );
    assert_eq!(METRIC.shown(&server, &id).await["is_deleted"], true);
}

#[both_engines]
async fn values_must_be_possible(server: TestServer) {
    let place = "body.initial_version_metric_value.metric_value";
    for (value, at) in [
        (
            json!({"type": "numerical", "lower_bound": 2, "upper_bound": 1}),
            ".upper_bound",
        ),
        (json!({"type": "numerical", "lower_bound": 2}), ".upper_bound"),
        (json!({"type": "categorical", "categories": []}), ".categories"),
        (
            json!({"type": "categorical", "categories": vec!["x"; 51]}),
            ".categories",
        ),
        (json!({"type": "vague"}), ".type"),
    ] {
        let answer = server.admin().post("metric/", with_value("Calm", &value)).await;
        assert_invalid_at(&answer, &format!("{place}{at}"));
    }
}
