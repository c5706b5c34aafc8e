//! A client that takes no answer for an answer.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::call::{Call, Outcome, Wish};

/// A signed-in client of one server.
pub(super) struct Client {
    pub(super) http: reqwest::Client,
    pub(super) token: String,
    /// Where the organization is: `http://…/v1/acme`.
    pub(super) base: String,
    pub(super) services: Vec<String>,
}

impl Client {
    pub(super) fn sets(&self, service: usize) -> String {
        format!("service/{}/version_sets", self.services[service])
    }

    /// Reads something that must be there.
    pub(super) async fn get(&self, path: &str) -> String {
        let url = format!("{}/{path}", self.base);
        let answer = self.http.get(&url).bearer_auth(&self.token).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{url}");
        answer.text().await.unwrap()
    }

    /// Writes something that must succeed.
    pub(super) async fn post(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/{path}", self.base);
        let answer = self
            .http
            .post(&url)
            .bearer_auth(&self.token)
            .json(&body)
            .send()
            .await
            .unwrap();
        assert!(
            answer.status().is_success(),
            "{url}: {}",
            answer.text().await.unwrap()
        );
        answer.json().await.unwrap()
    }

    pub(super) async fn create(&self, path: &str, body: Value) -> String {
        self.post(path, body).await["id"].as_str().unwrap().to_owned()
    }

    pub(super) async fn call(&self, call: &Call) -> Outcome {
        let (method, path, body) = self.request(call);
        let is_post = method == Method::POST;
        let mut request = self
            .http
            .request(method, format!("{}/{path}", self.base))
            .bearer_auth(&self.token)
            .json(&body);
        if is_post {
            request = request.header("idempotency-key", &call.message);
        }
        let Ok(answer) = request.send().await else {
            return Outcome::Unanswered;
        };
        outcome(call, answer).await
    }

    fn request(&self, call: &Call) -> (Method, String, Value) {
        let (message, lift_hold) = (&call.message, call.lift_hold);
        match &call.wish {
            Wish::Put((service, set), [agent, graph]) => (
                Method::PUT,
                format!(
                    "{}/{set}/?lift_hold={lift_hold}&message={message}",
                    self.sets(*service)
                ),
                json!({"version_set": forge_testkit::version_set(*agent, *graph)}),
            ),
            Wish::Promote((service, set), source) => (
                Method::POST,
                format!("{}/{set}/promote", self.sets(*service)),
                json!({"source": source, "lift_hold": lift_hold, "message": message}),
            ),
            Wish::Rollback((service, set)) => (
                Method::POST,
                format!("{}/{set}/rollback", self.sets(*service)),
                json!({"lift_hold": lift_hold, "message": message}),
            ),
            Wish::PromoteMany { source, target } => {
                let one =
                    |service: &String| json!({"service_id": service, "source": source, "target": target});
                let all: Vec<Value> = self.services.iter().map(one).collect();
                let body = json!({"promotions": all, "lift_hold": lift_hold, "message": message});
                (Method::POST, "promotion".to_owned(), body)
            }
        }
    }
}

async fn outcome(call: &Call, answer: Response) -> Outcome {
    let status = answer.status().as_u16();
    let change = answer.headers().get("forge-sequence");
    let change: Option<i64> = change.map(|number| number.to_str().unwrap().parse().unwrap());
    // A body that breaks off is no answer either.
    let Ok(text) = answer.text().await else {
        return Outcome::Unanswered;
    };
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    match (status, change) {
        (400, None) => Outcome::Nothing,
        (200 | 204, None) => {
            assert_ne!(body["applied"], json!(true), "{call:?}: {text}");
            Outcome::Nothing
        }
        (200 | 204, Some(change)) => {
            let plans = match &body {
                Value::Null => Vec::new(),
                body if body["plans"].is_array() => body["plans"].as_array().unwrap().clone(),
                body => vec![body["plan"].clone()],
            };
            Outcome::Written { change, plans }
        }
        _ => panic!("{call:?} was answered {status} {text}"),
    }
}
