//! An operation that is served: what happens to each request to it before and after its endpoint.

use std::sync::Arc;

use axum::extract::Request;
use forge_contract::Operation;

use crate::call::ValidRequest;
use crate::endpoint::Endpoint;
use crate::operations::Answerer;
use crate::rate_limit::Verdict;
use crate::reply::Answer;
use crate::server::Server;
use crate::{reading, replay};

/// The operation that runtimes call at the start of every conversation.
pub(crate) const RESOLVE: &str = "resolve-version-set";

/// An operation, and what answers it.
pub(crate) struct Route {
    pub(crate) operation: &'static Operation,
    /// Whether it is asked thousands of times a second: a line about each would bury the others.
    pub(crate) is_frequent: bool,
    answerer: Answerer,
}

impl Route {
    /// Creates the route of an operation.
    pub(crate) fn new(operation: &'static Operation, answerer: Answerer) -> Self {
        Self {
            is_frequent: operation.id == RESOLVE,
            operation,
            answerer,
        }
    }

    /// Answers a request to the operation.
    ///
    /// What its rate limit says is told in `verdict`, also when the request is refused.
    pub(crate) async fn answer(
        &self,
        server: &Server,
        request: Request,
        verdict: &mut Option<Verdict>,
    ) -> Answer {
        match &self.answerer {
            Answerer::Plain(handle) => handle(server.clone()).await,
            Answerer::Endpoint(identification, endpoint) => {
                let server = server.begin_request();
                let read =
                    ValidRequest::read(server.clone(), self.operation, *identification, request, verdict);
                let answer = match read.await {
                    Ok(request) => self.answer_valid(request, endpoint).await,
                    Err(error) => Err(error),
                };
                let answer = answer.map_err(|error| error.placed(self.operation));
                server.app.await_durability(answer).await
            }
        }
    }

    /// Answers a valid request; one that reads has a place meanwhile, until its answer is written.
    async fn answer_valid(&self, request: ValidRequest, endpoint: &Endpoint) -> Answer {
        let (server, holders) = (request.server.clone(), Arc::clone(request.holders()));
        let place = if reading::reads(self.operation) {
            Some(server.reading.take(&holders).await?)
        } else {
            None
        };
        let answer = replay::answer(request, endpoint).await;
        drop(place);
        // What was done is told, however much is held.
        if self.operation.method == "GET" {
            answer.and_then(|response| server.large_answers.keep(&holders, response))
        } else {
            answer
        }
    }
}
