//! Metrics of conversations.

use forge_domain::metric::{MeasuredValue, MetricDocument};
use forge_domain::model::ModelPreferences;
use forge_runtime::{Models, RuntimeError, Verdict};
use serde_json::{Value, json};

use crate::talk::{Talk, action, graph, script};

async fn talk(models: Models) -> Talk {
    let graph = graph(
        &[
            action("start", &["greet"], json!([])),
            action("end", &["part"], json!([])),
        ],
        json!({}),
    );
    let said = script(
        json!([{"interaction": "engage-user", "answers": ["Hello, I am an AI.", "A REFUND is on its way."]}]),
    );
    let mut talk = Talk::new(said, &[graph]);
    talk.say("").await.unwrap();
    talk.say("I want my money back, card 4111").await.unwrap();
    talk.runtime = Talk::new(models, &[]).runtime;
    talk
}

async fn judge(talk: &Talk, description: &str, values: Value) -> Result<Verdict, RuntimeError> {
    let metric: MetricDocument =
        serde_json::from_value(json!({"description": description, "metric_value": values})).unwrap();
    talk.runtime
        .judge(&metric, &ModelPreferences::new(), &talk.transcript)
        .await
}

#[tokio::test]
async fn checks_are_computed_without_a_model() {
    let talk = talk(Models::default()).await;
    for (check, expected, references) in [
        ("contains \"refund\"", Some(true), vec![2]),
        ("contains \"voucher\"", Some(false), vec![]),
        ("not contains \"voucher\"", Some(true), vec![]),
        ("agent contains \"money\"", Some(false), vec![]),
        ("user contains \"money\"", Some(true), vec![1]),
        ("user matches /card \\d{4}/", Some(true), vec![1]),
        ("user not matches /\\d{5}/", Some(true), vec![]),
        ("interactions <= 2", Some(true), vec![]),
        ("interactions > 2", Some(false), vec![]),
        ("interactions", None, vec![]),
        ("contains refund", None, vec![]),
        ("matches /(/", None, vec![]),
        ("interactions ~ 2", None, vec![]),
        ("sounds good", None, vec![]),
    ] {
        let verdict = judge(
            &talk,
            &format!("check: {check}\nFor people."),
            json!({"type": "boolean"}),
        )
        .await
        .unwrap();
        assert_eq!(
            verdict.value,
            expected.map(MeasuredValue::Boolean),
            "{check}: {verdict:?}"
        );
        let references: Vec<_> = references
            .into_iter()
            .map(|index: usize| talk.transcript[index].id)
            .collect();
        assert_eq!(verdict.references, references, "{check}");
        assert!(!verdict.justification.is_empty() && verdict.model_calls.is_empty());
    }
    let number = |upper: f64| json!({"type": "numerical", "lower_bound": 0, "upper_bound": upper});
    let value = |verdict: Verdict| verdict.value;
    assert_eq!(
        value(judge(&talk, "check: interactions", number(9.0)).await.unwrap()),
        Some(MeasuredValue::Number(2.0))
    );
    assert_eq!(
        value(judge(&talk, "check: interactions", number(1.0)).await.unwrap()),
        None
    );
    assert_eq!(
        value(
            judge(&talk, "check: count /[A-Z]{2}/", number(9.0))
                .await
                .unwrap()
        ),
        Some(MeasuredValue::Number(2.0))
    );
    assert_eq!(
        value(
            judge(&talk, "check: user count \"card\"", number(9.0))
                .await
                .unwrap()
        ),
        Some(MeasuredValue::Number(1.0))
    );
}

#[tokio::test]
async fn a_model_judges_what_no_check_can() {
    let models = script(json!([
        {"interaction": "evaluate-metric", "attempt": 1, "answer": "{\"value\": 11, \"justification\": \"great\"}"},
        {"interaction": "evaluate-metric", "answer": "{\"value\": \"4\", \"justification\": \" kind \", \"messages\": [3, 3, 9, \"x\"]}"},
    ]));
    let talk = talk(models).await;
    let values = json!({"type": "numerical", "lower_bound": 1, "upper_bound": 5});
    let verdict = judge(&talk, "How kind the agent is.", values).await.unwrap();
    assert_eq!(verdict.value, Some(MeasuredValue::Number(4.0)));
    assert_eq!(verdict.justification, "kind");
    assert_eq!(verdict.references, [talk.transcript[2].id]);
    assert_eq!(verdict.model_calls.len(), 2);
    assert_eq!(
        verdict.model_calls[0].error.as_deref(),
        Some("`value` must be a number from 1 to 5, or null")
    );
}

#[tokio::test]
async fn values_are_those_of_the_metric_or_none() {
    for (answer, values, expected) in [
        (
            "{\"value\": true}",
            json!({"type": "boolean"}),
            Some(MeasuredValue::Boolean(true)),
        ),
        (
            "{\"value\": \"False\"}",
            json!({"type": "boolean"}),
            Some(MeasuredValue::Boolean(false)),
        ),
        ("{\"value\": null}", json!({"type": "boolean"}), None),
        (
            "{\"value\": \"CALM\"}",
            json!({"type": "categorical", "categories": ["calm", "angry"]}),
            Some(MeasuredValue::Category("calm".to_owned())),
        ),
    ] {
        let talk = talk(script(json!([{"answer": answer}]))).await;
        assert_eq!(
            judge(&talk, "m", values).await.unwrap().value,
            expected,
            "{answer}"
        );
    }
    let talk = talk(script(json!([{"answer": "{\"value\": \"sad\"}"}]))).await;
    let error = judge(&talk, "m", json!({"type": "categorical", "categories": ["calm"]}))
        .await
        .unwrap_err();
    assert!(matches!(error, RuntimeError::Unusable { .. }), "{error}");
}
