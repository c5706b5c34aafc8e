//! What is on the server before commands run.

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::serve::sign_in;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The API, as the organization's administrator.
pub(crate) struct Api {
    base: String,
    token: String,
}

impl Api {
    pub(crate) async fn sign_in(address: &str, credentials: &Value) -> Self {
        let organization = credentials["organization_id"].as_str().unwrap();
        Self {
            base: format!("{address}/v1/{organization}"),
            token: sign_in(address, credentials).await,
        }
    }

    /// Nobody: the server counts sign-ins, and those of the user are enough.
    pub(super) fn nobody(address: &str) -> Self {
        Self {
            base: address.to_owned(),
            token: String::new(),
        }
    }

    /// Sends a request that must be granted, and returns the answer.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Value) -> Value {
        let request = Client::new()
            .request(method, format!("{}/{path}", self.base))
            .bearer_auth(&self.token);
        let answer = request.json(&body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    async fn asset(&self, path: &str, name_field: &str, name: &str, versions: &str) -> String {
        let created = self.send(Method::POST, path, json!({name_field: name})).await;
        let id = created["id"].as_str().unwrap().to_owned();
        for version in 1..=3 {
            let file =
                std::fs::read_to_string(format!("{ROOT}/examples/{versions}/v{version}.json")).unwrap();
            self.send(
                Method::POST,
                &format!("{path}/{id}/"),
                serde_json::from_str(&file).unwrap(),
            )
            .await;
        }
        id
    }

    /// An agent and a context graph of three versions each; services `Dental care`, whose `preview` is ahead of
    /// `release`, and `Eye care`, which has no `preview`; and two inactive ones of one name.
    pub(crate) async fn seed(&self) {
        let agent = self
            .asset("organization/agent", "agent_name", "Mira", "agent")
            .await;
        let graphs = "organization/service_hierarchical_state_machine";
        let graph = self
            .asset(graphs, "state_machine_name", "Appointments", "context_graph")
            .await;
        for (name, is_active) in [
            ("Dental care", true),
            ("Eye care", true),
            ("Old", false),
            ("Old", false),
        ] {
            let body = json!({
                "name": name, "description": "Answers patients.", "agent_id": agent, "is_active": is_active,
                "service_hierarchical_state_machine_id": graph, "keyterms": [], "tags": {},
                "release_version_set": pins(1),
            });
            let service = self.send(Method::POST, "service/", body).await;
            if name == "Dental care" {
                let path = format!(
                    "service/{}/version_sets/preview/",
                    service["id"].as_str().unwrap()
                );
                self.send(Method::PUT, &path, json!({"version_set": pins(2)}))
                    .await;
            }
        }
    }
}

fn pins(version: i64) -> Value {
    json!({
        "agent_version_number": version, "service_hierarchical_state_machine_version_number": version,
        "llm_model_preferences": {"engage-user": {"llm_name": "aws_claude-sonnet-4-6", "params": {}}},
    })
}
