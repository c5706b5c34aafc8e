//! What every call of a server shares.

use std::ops::Deref;
use std::sync::Arc;

use forge_app::{App, Caller, Ctx};
use tokio::sync::watch;

use crate::Limits;
use crate::bodies::Bodies;
use crate::following::Followers;
use crate::kept_answers::KeptAnswers;
use crate::rate_limit::RateLimiter;
use crate::reading::Places;

/// The server as one call uses it.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) app: App,
    shared: Arc<Shared>,
}

impl Deref for Server {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

/// What all calls share.
pub(crate) struct Shared {
    pub(crate) limits: Limits,
    pub(crate) limiter: RateLimiter,
    pub(crate) bodies: Bodies,
    /// What is sent, apart from what comes: whoever sends much keeps nobody from being answered.
    pub(crate) large_answers: Bodies,
    /// How many read at once.
    pub(crate) reading: Places,
    /// How many follow changes.
    pub(crate) followers: Followers,
    pub(crate) answers: KeptAnswers,
    /// Becomes true when the server stops.
    pub(crate) stopping: watch::Receiver<bool>,
}

impl Server {
    /// Creates a server; `stopping` becomes true when it stops.
    pub(crate) fn new(app: App, limits: Limits, stopping: watch::Receiver<bool>) -> Self {
        let shared = Shared {
            reading: Places::new(app.store.readers()),
            followers: Followers::default(),
            limiter: RateLimiter::new(limits.rates.clone()),
            bodies: Bodies::new(limits.bodies_bytes),
            large_answers: Bodies::new(limits.bodies_bytes),
            answers: KeptAnswers::new(limits.answers_bytes),
            limits,
            stopping,
        };
        Self {
            app,
            shared: Arc::new(shared),
        }
    }

    /// Returns the context of what a caller asks of this server.
    pub(crate) fn ctx<'a>(&'a self, caller: &'a Caller) -> Ctx<'a> {
        Ctx::new(&self.app, caller)
    }

    /// Returns the server as one call uses it.
    pub(crate) fn begin_request(&self) -> Self {
        Self {
            app: self.app.begin_request(),
            shared: Arc::clone(&self.shared),
        }
    }
}
