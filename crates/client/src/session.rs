//! Sending requests as a signed-in user.

use std::sync::Arc;
use std::time::Duration;

use forge_types::{Clock, Timestamp};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::timeout;
use url::Url;

#[cfg(feature = "token-cache")]
use crate::TokenCache;
use crate::answers::SignedIn;
use crate::body::{self, Body};
use crate::error::{Call, Effect};
use crate::http::{Http, Response};
use crate::request::{Repeat, Reply, Request};
use crate::secrets::Secrets;
use crate::token::Token;
use crate::{Bounds, ClientError, Credentials, Document, HttpError, address};

/// How often a request is sent at most.
pub(crate) const ATTEMPTS: u32 = 4;
/// How long the client waits before the second attempt; each further time twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// How long the client waits between the attempts of a request, all pauses together.
const PATIENCE: Duration = Duration::from_secs(30);

/// The client waits before it sends a request again.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// How long.
    pub pause: Duration,
    /// Why, as a few words.
    pub reason: String,
}

/// What is told before the client waits.
pub type OnWait = Arc<dyn Fn(&Waiting) + Send + Sync>;

/// How a client works.
#[derive(Clone)]
pub struct Options {
    /// Tells when tokens end.
    pub clock: Arc<dyn Clock>,
    /// Where tokens are kept, or `None` to keep them in memory only.
    #[cfg(feature = "token-cache")]
    pub cache: Option<TokenCache>,
    /// The name of the program, for the server's log.
    pub user_agent: String,
    /// Is told before the client waits.
    pub on_wait: Option<OnWait>,
    /// How much the server may answer, and how long it may take.
    pub bounds: Bounds,
}

/// A client of one organization.
pub struct Client {
    http: Http,
    credentials: Credentials,
    /// The address of the organization: `http://host/v1/organization`.
    base: Url,
    options: Options,
    token: Mutex<Option<Token>>,
}

impl Client {
    /// Creates a client.
    ///
    /// It signs in when it has to.
    ///
    /// # Errors
    ///
    /// [`ClientError::BadAddress`] if the address or the organization can be none, [`ClientError::Setup`] if the system's
    /// certificates cannot be read.
    pub fn new(mut credentials: Credentials, options: Options) -> Result<Self, ClientError> {
        let url = address::used(&credentials.base_url)?;
        credentials.base_url = address::text(&url);
        let base = base(&url, &credentials)?;
        Ok(Self {
            http: http(&base, &options).map_err(ClientError::Setup)?,
            base,
            credentials,
            options,
            token: Mutex::new(None),
        })
    }

    /// Returns whose client this is.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Returns the time.
    pub(crate) fn now(&self) -> Timestamp {
        self.options.clock.now()
    }

    /// Reads from a path within the organization, which has no query.
    ///
    /// # Errors
    ///
    /// Fails as every call does (see [`ClientError`]).
    pub async fn get(&self, path: &str) -> Result<Value, ClientError> {
        Ok(self.read::<Value>(Request::get(path)).await?.value)
    }

    /// Posts to a path within the organization, which has no query.
    ///
    /// It is sent once.
    ///
    /// # Errors
    ///
    /// Fails as every call does; [`ClientError::is_outcome_unknown`] tells whether the server may have done it.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, ClientError> {
        let request = Request::new(Method::POST, path, Repeat::Never).body(body.clone());
        Ok(self.read::<Value>(request).await?.value)
    }

    /// Puts to a path within the organization, which has no query.
    ///
    /// It is sent again if need be.
    ///
    /// # Errors
    ///
    /// Fails as every call does; [`ClientError::is_outcome_unknown`] tells whether the server may have done it.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Value, ClientError> {
        let request = Request::new(Method::PUT, path, Repeat::Recognised).body(body.clone());
        Ok(self.read::<Value>(request).await?.value)
    }

    /// Signs in anew, whatever is kept.
    ///
    /// # Errors
    ///
    /// [`ClientError::NotSignedIn`] if the credentials are not valid.
    pub async fn sign_in(&self) -> Result<(), ClientError> {
        let mut token = self.token.lock().await;
        *token = Some(self.fetch_token(None).await?);
        Ok(())
    }

    /// Returns the error of an answer whose parts could not be read.
    pub(crate) fn unexpected(&self, request: &Request, source: serde_json::Error) -> ClientError {
        let held = self.token.try_lock();
        let token = held.iter().find_map(|held| held.as_ref());
        let secrets = self.secrets(token.map(|token| token.id_token.as_str()));
        ClientError::Unexpected {
            call: self.call(request),
            status: StatusCode::OK.as_u16(),
            source: secrets.without_error(source),
        }
    }

    /// Returns a request as messages name it.
    pub(crate) fn call(&self, request: &Request) -> Call {
        Call {
            method: request.method.clone(),
            url: self.url(request).into(),
        }
    }

    fn url(&self, request: &Request) -> Url {
        let mut url = self.base.clone();
        address::extend(&mut url, request.path.segments());
        url
    }

    /// Returns what no message may have in it.
    pub(crate) fn secrets(&self, token: Option<&str>) -> Secrets {
        Secrets::new(&self.credentials.api_key, token)
    }

    /// Returns how much the server may answer, and how long it may take.
    pub(crate) fn bounds(&self) -> &Bounds {
        &self.options.bounds
    }

    /// Reads an answer, so much of it as may be.
    pub(crate) async fn body(&self, response: Response) -> Result<Body, HttpError> {
        let bounds = self.bounds();
        let longest = if response.status.is_success() {
            bounds.answer
        } else {
            bounds.refusal
        };
        body::read(response, longest).await
    }

    /// Sends a request and reads the answer.
    pub(crate) async fn read<T: DeserializeOwned>(
        &self,
        request: Request,
    ) -> Result<Document<T>, ClientError> {
        let reply = self.send(&request).await?;
        let unexpected = reply.unexpected();
        Document::read(reply.into_json()?).map_err(unexpected)
    }

    /// Sends a request with a token, and once more with a new one if the server does not accept it.
    pub(crate) async fn send(&self, request: &Request) -> Result<Reply, ClientError> {
        let (token, is_new) = self.token().await.map_err(|error| before(request, error))?;
        let reply = self.send_patiently(request, Some(&token)).await?;
        if reply.status != StatusCode::UNAUTHORIZED || is_new {
            return Ok(reply);
        }
        let replaced = self.replace_token(&token).await;
        let token = replaced.map_err(|error| before(request, error))?;
        self.send_patiently(request, Some(&token)).await
    }

    /// Returns a token that is good for a while, and whether it was got just now.
    pub(crate) async fn token(&self) -> Result<(String, bool), ClientError> {
        let mut held = self.token.lock().await;
        let now = self.options.clock.now();
        #[cfg(feature = "token-cache")]
        if held.is_none() {
            let cache = self.options.cache.as_ref();
            *held = cache.and_then(|cache| cache.load(&self.credentials));
        }
        if let Some(token) = held.as_ref().filter(|token| token.is_fresh(now)) {
            return Ok((token.id_token.clone(), false));
        }
        let token = self.fetch_token(None).await?;
        Ok((held.insert(token).id_token.clone(), true))
    }

    /// Replaces a token that the server refused, unless another request did so already.
    pub(crate) async fn replace_token(&self, refused: &str) -> Result<String, ClientError> {
        let mut held = self.token.lock().await;
        if let Some(token) = held.as_ref().filter(|token| token.id_token != refused) {
            return Ok(token.id_token.clone());
        }
        let token = self.fetch_token(Some(refused)).await?;
        Ok(held.insert(token).id_token.clone())
    }

    /// Signs in and keeps the token, in place of one that was refused if there is one.
    async fn fetch_token(&self, refused: Option<&str>) -> Result<Token, ClientError> {
        let mut request = Request::new(Method::POST, "user/signin_with_api_key", Repeat::Read)
            .header("x-api-key", &self.credentials.api_key)
            .header("x-api-key-id", &self.credentials.api_key_id)
            .header("x-user-id", &self.credentials.user_id);
        request.earlier_token = refused.map(str::to_owned);
        let reply = self.send_patiently(&request, None).await?;
        let unexpected = reply.unexpected();
        // Why it could not be read may quote it, and there may be a token in it.
        let answer: SignedIn = serde_json::from_str(reply.into_json()?.get())
            .map_err(|_| unexpected(serde_json::Error::custom("it has no token")))?;
        // A token whose end cannot be read is used at once and not kept for long.
        let now = self.options.clock.now();
        let token = Token {
            expires_at: forge_types::parse_rfc3339(&answer.expires_at).unwrap_or(now),
            id_token: answer.id_token,
        };
        #[cfg(feature = "token-cache")]
        if let Some(cache) = &self.options.cache {
            // A folder that cannot be written costs a sign-in for each command, nothing else.
            let _ = cache.store(&self.credentials, &token);
        }
        Ok(token)
    }

    /// Sends a request until it is answered, as often and as long as is sensible.
    async fn send_patiently(&self, request: &Request, token: Option<&str>) -> Result<Reply, ClientError> {
        let mut patience = PATIENCE;
        let mut attempts = 0;
        // An earlier attempt may have reached the server, even if a later one did not.
        let mut effect = effect_of(request);
        loop {
            attempts += 1;
            let (failure, wanted) = match self.send_once(request, token).await {
                Ok(reply) => match asked_pause(request, &reply) {
                    Asked::Nothing => return Ok(reply),
                    Asked::Pause(wanted) => {
                        let retry_after = reply.retry_after().map(|pause| pause.as_secs());
                        let detail = reply.detail();
                        if wanted.is_none() {
                            effect = Effect::Unknown;
                        }
                        let failure = ClientError::Busy {
                            call: reply.call,
                            attempts,
                            effect,
                            retry_after,
                            detail,
                        };
                        (failure, wanted)
                    }
                },
                // Sending it once more cannot make another request of it.
                Err((call, source)) if source.is_unsendable() => {
                    return Err(ClientError::Unsendable { call, source });
                }
                Err((call, source)) => {
                    if effect == Effect::NotApplied && !source.is_connect() {
                        effect = Effect::Unknown;
                    }
                    let can_repeat = request.repeat != Repeat::Never || source.is_connect();
                    let failure = ClientError::Transport {
                        call,
                        attempts,
                        effect,
                        source,
                    };
                    (failure, can_repeat.then_some(Duration::ZERO))
                }
            };
            let pause = wanted.map(|wanted| wanted.max(backoff(attempts)));
            match pause {
                Some(pause) if attempts < ATTEMPTS && pause <= patience => {
                    patience -= pause;
                    self.wait(pause, &failure).await;
                }
                _ => return Err(failure),
            }
        }
    }

    pub(crate) async fn wait(&self, pause: Duration, failure: &ClientError) {
        if let Some(on_wait) = &self.options.on_wait {
            on_wait(&Waiting {
                pause,
                reason: match failure {
                    ClientError::Busy { detail, .. } => detail.clone(),
                    other => other.to_string(),
                },
            });
        }
        tokio::time::sleep(pause).await;
    }

    async fn send_once(&self, request: &Request, token: Option<&str>) -> Result<Reply, (Call, HttpError)> {
        let (call, prepared) = self.prepared(request, token);
        let answered = async {
            let response = self.http.send(prepared?).await?;
            let (status, headers) = (response.status, response.headers.clone());
            Ok((status, headers, self.body(response).await?))
        };
        let answered = timeout(self.bounds().request, answered).await;
        match answered.unwrap_or_else(|_| Err(HttpError::late())) {
            Ok((status, headers, body)) => Ok(Reply {
                call,
                status,
                headers,
                body,
                secrets: self.secrets(token.or(request.earlier_token.as_deref())),
                effect: match effect_of(request) {
                    Effect::NotApplied => Effect::Unknown,
                    reads => reads,
                },
            }),
            Err(error) => Err((call, error)),
        }
    }

    /// Sends a request, and returns its answer as soon as its headers are there.
    pub(crate) async fn begin_to_send(&self, request: Prepared) -> Result<Response, HttpError> {
        self.http.send(request?).await
    }

    /// Returns a request as messages name it, and as it is sent.
    pub(crate) fn prepared(&self, request: &Request, token: Option<&str>) -> (Call, Prepared) {
        let mut url = self.url(request);
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let call = Call {
            method: request.method.clone(),
            url: url.into(),
        };
        let mut builder = http::Request::builder()
            .method(request.method.clone())
            .uri(&call.url);
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        if let Some(token) = token {
            builder = builder.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let mut bytes = Bytes::new();
        if let Some(body) = &request.body {
            builder = builder.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            bytes = body.to_string().into();
        }
        (call, builder.body(Full::new(bytes)).map_err(HttpError::from))
    }
}

/// A request as it is sent, unless it is none.
type Prepared = Result<http::Request<Full<Bytes>>, HttpError>;

/// Returns connections to a server.
fn http(address: &Url, options: &Options) -> Result<Http, HttpError> {
    let address = address.as_str().parse().map_err(http::Error::from)?;
    Http::new(&address, &options.user_agent)
}

/// Returns the address of an organization.
fn base(server: &Url, credentials: &Credentials) -> Result<Url, ClientError> {
    let Credentials {
        base_url,
        organization_id,
        ..
    } = credentials;
    // A path would go up instead of down.
    if matches!(organization_id.as_str(), "" | "." | "..") {
        return Err(ClientError::BadAddress {
            address: format!("{base_url}/v1/{organization_id}"),
            reason: format!("no organization is called `{organization_id}`"),
        });
    }
    Ok(address::of_organization(server, organization_id))
}

/// Returns the error of a request that was never sent, because signing in for it failed.
fn before(request: &Request, mut error: ClientError) -> ClientError {
    if let ClientError::Transport { effect, .. } | ClientError::Busy { effect, .. } = &mut error {
        *effect = effect_of(request);
    }
    error
}

/// Returns what a request has changed before it is sent.
fn effect_of(request: &Request) -> Effect {
    match request.repeat {
        Repeat::Read => Effect::Reads,
        Repeat::Recognised | Repeat::Never => Effect::NotApplied,
    }
}

/// Returns how long to wait after so many attempts, not the same for all clients that fail at one time.
pub(crate) fn backoff(attempts: u32) -> Duration {
    let jitter = getrandom::u32().unwrap_or(0) % 100;
    FIRST_PAUSE * 2_u32.pow(attempts - 1) + Duration::from_millis(u64::from(jitter))
}

/// What a server that cannot answer now asks of the client.
enum Asked {
    /// It has answered.
    Nothing,
    /// To wait and send the request again, or `None` if that must not be done.
    Pause(Option<Duration>),
}

fn asked_pause(request: &Request, reply: &Reply) -> Asked {
    let wanted = reply.retry_after().unwrap_or(Duration::ZERO);
    match reply.status {
        // The database may have been lost while the change was made durable.
        StatusCode::SERVICE_UNAVAILABLE if request.repeat == Repeat::Never => Asked::Pause(None),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Asked::Pause(Some(wanted)),
        _ => Asked::Nothing,
    }
}
