//! Endpoints without the types of what they read: what every request goes through is compiled once for all of them.

use std::pin::Pin;

use serde::de::DeserializeOwned;

use crate::call::{Call, ValidRequest};
use crate::caller::CallerKind;
use crate::reply::Answer;

/// An answer that is being made.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// What answers the valid requests to an operation.
pub(crate) struct Endpoint(Box<dyn Fn(ValidRequest) -> Answering + Send + Sync>);

impl Endpoint {
    /// Creates an endpoint from the function of its file under `routes`.
    pub(crate) fn new<P, Q, B, C, F, Fut>(handle: F) -> Self
    where
        P: DeserializeOwned + Send + 'static,
        Q: DeserializeOwned + Send + 'static,
        B: DeserializeOwned + Send + 'static,
        C: CallerKind,
        F: Fn(Call<P, Q, B, C>) -> Fut + Copy + Send + Sync + 'static,
        Fut: Future<Output = Answer> + Send,
    {
        Self(Box::new(move |request| {
            Box::pin(async move { handle(Call::of(request).await?).await })
        }))
    }

    /// Answers a request.
    pub(crate) fn answer(&self, request: ValidRequest) -> Answering {
        (self.0)(request)
    }
}
