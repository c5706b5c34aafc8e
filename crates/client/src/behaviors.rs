//! Dynamic behavior sets.

use forge_types::id::BehaviorSetId;
use serde::Deserialize;

use crate::request::{Path, Request};
use crate::{Client, Pages};

/// A dynamic behavior set.
#[derive(Debug, Clone, Deserialize)]
pub struct BehaviorSet {
    /// Its id.
    pub id: BehaviorSetId,
    /// Its name; unique among active ones.
    pub name: String,
    /// Whether it may apply.
    pub is_active: bool,
}

/// That a behavior set applied in an interaction of a conversation.
#[derive(Debug, Clone, Deserialize)]
pub struct BehaviorInvocation {
    /// When, in RFC 3339.
    pub invoked_at: String,
    /// The set's id and version.
    pub dynamic_behavior_set_version_info: (String, i64),
    /// The conversation.
    pub conversation_id: String,
    /// The service that it is in.
    pub service_id: String,
    /// Whose conversation it is.
    pub user_id: String,
    /// What the interaction began with.
    pub initial_message_id: String,
    /// What the agent answered, if it did.
    #[serde(default)]
    pub agent_message_id: Option<String>,
}

impl Client {
    /// Lists dynamic behavior sets: with ids those, else all of them.
    pub fn behavior_sets(&self, ids: &[BehaviorSetId]) -> Pages<'_, BehaviorSet> {
        let ids = ids.to_vec();
        Pages::new(self, "dynamic_behavior_sets", 50, move |limit, token| {
            let page = Request::get("dynamic_behavior_set/")
                .query("limit", limit)
                .query("continuation_token", token);
            ids.iter().fold(page, |request, id| request.query("id", id))
        })
    }

    /// Lists where a behavior set applied, latest first.
    pub fn behavior_invocations(&self, id: BehaviorSetId) -> Pages<'_, BehaviorInvocation> {
        let path = Path::from("dynamic_behavior_set")
            .join(id)
            .join("invocation")
            .join("");
        Pages::new(self, "dynamic_behavior_invocations", 30, move |limit, token| {
            Request::get(path.clone())
                .query("limit", limit)
                .query("continuation_token", token)
                .query("sort_by", "-invoked_at")
        })
    }
}
