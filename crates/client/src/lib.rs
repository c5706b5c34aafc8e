//! A client of the API.
//!
//! It signs in with an API key and sends JSON. What the server refuses comes back as an error with the server's words.

use reqwest::{Method, StatusCode};
use serde_json::Value;

/// What identifies a user who signs in with an API key.
#[derive(Clone)]
pub struct Credentials {
    /// The organization.
    pub organization_id: String,
    /// The user.
    pub user_id: String,
    /// The id of the key.
    pub api_key_id: String,
    /// The secret of the key.
    pub api_key: String,
}

/// A request failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server could not be reached, or its answer was lost.
    #[error("no answer from {url}")]
    Transport {
        /// What was asked.
        url: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The server refused.
    #[error("{method} {url}: {status}: {detail}")]
    Refused {
        /// The method of the request.
        method: Method,
        /// What was asked.
        url: String,
        /// The status of the answer.
        status: StatusCode,
        /// What the server said.
        detail: String,
    },
    /// The answer is not what the API documents.
    #[error("{url} answered something else than the API documents")]
    Unexpected {
        /// What was asked.
        url: String,
    },
}

/// A signed-in client of one organization.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    /// The address of the organization: `http://host/v1/organization`.
    base: String,
    token: String,
}

impl Client {
    /// Signs in at a server, given by its address such as `http://127.0.0.1:8787`.
    pub async fn sign_in(server: &str, credentials: &Credentials) -> Result<Self, ClientError> {
        let mut client = Self {
            http: reqwest::Client::new(),
            base: format!(
                "{}/v1/{}",
                server.trim_end_matches('/'),
                credentials.organization_id
            ),
            token: String::new(),
        };
        let url = format!("{}/user/signin_with_api_key", client.base);
        let request = client
            .http
            .post(&url)
            .header("x-api-key", &credentials.api_key)
            .header("x-api-key-id", &credentials.api_key_id)
            .header("x-user-id", &credentials.user_id);
        let answer = send(Method::POST, &url, request).await?;
        let token = answer["id_token"]
            .as_str()
            .ok_or(ClientError::Unexpected { url })?;
        token.clone_into(&mut client.token);
        Ok(client)
    }

    /// Returns the address of the organization's part of the API.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Sends a request to a path within the organization and returns the JSON of the answer; null if it has none.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, ClientError> {
        let url = format!("{}/{path}", self.base);
        let request = self.http.request(method.clone(), &url).bearer_auth(&self.token);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        send(method, &url, request).await
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Result<Value, ClientError> {
        self.send(Method::GET, path, None).await
    }

    /// Creates or updates.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, ClientError> {
        self.send(Method::POST, path, Some(body)).await
    }

    /// Replaces.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Value, ClientError> {
        self.send(Method::PUT, path, Some(body)).await
    }
}

async fn send(method: Method, url: &str, request: reqwest::RequestBuilder) -> Result<Value, ClientError> {
    let transport = |source| ClientError::Transport {
        url: url.to_owned(),
        source,
    };
    let response = request.send().await.map_err(transport)?;
    let status = response.status();
    let bytes = response.bytes().await.map_err(transport)?;
    let body: Option<Value> = if bytes.is_empty() {
        Some(Value::Null)
    } else {
        serde_json::from_slice(&bytes).ok()
    };
    if status.is_success() {
        return body.ok_or_else(|| ClientError::Unexpected { url: url.to_owned() });
    }
    let detail = match body.as_ref().map(|body| &body["detail"]) {
        Some(Value::String(text)) => text.clone(),
        Some(detail) if !detail.is_null() => detail.to_string(),
        _ => "no reason given".to_owned(),
    };
    Err(ClientError::Refused {
        method,
        url: url.to_owned(),
        status,
        detail,
    })
}
