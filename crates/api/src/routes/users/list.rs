//! Lists users.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::identity::users;
use forge_domain::Sort;
use forge_domain::user::ListedUser;
use forge_wire::rfc3339;
use forge_wire::users::{UserInstance, UserStats};
use serde::Deserialize;

use crate::call::{Call, Nothing, invalid_query};
use crate::error::ApiError;
use crate::reply::{self, Answer};
use crate::routes::{sort_key, token};

#[derive(Deserialize)]
pub(crate) struct Query {
    user_id: Vec<String>,
    email: Vec<String>,
    limit: i64,
    continuation_token: i64,
    sort_by: Vec<String>,
}

pub(crate) async fn handle(call: Call<Nothing, Query, Nothing, Caller>) -> Answer {
    let sort = call.query.sort_by.iter().map(|text| sort(text));
    let query = users::ListUsers {
        ids: call.query.user_id,
        emails: call.query.email,
        sort: sort.collect::<Result<_, _>>()?,
        limit: call.query.limit,
        continuation_token: token(call.query.continuation_token)?,
    };
    let page = users::list(call.server.ctx(&call.caller), &query).await?;
    let instances = page
        .items
        .into_iter()
        .map(|ListedUser { user, stats }| UserInstance {
            org_id: call.organization.to_string(),
            user_id: user.id,
            first_name: user.first_name,
            last_name: user.last_name,
            email: user.email,
            user_stats: UserStats {
                num_conversations: stats.conversations,
                num_messages: stats.messages,
                last_message_time: stats.last_message_at.map(rfc3339),
            },
            role: user.role.id.to_string(),
            preferences: user.preferences,
            nonsensitive_variables: user.nonsensitive_variables,
            sensitive_variables: user.sensitive_variable_names,
            enable_actions_access: false,
        });
    let instances: Vec<UserInstance> = instances.collect();
    reply::large(
        StatusCode::OK,
        forge_wire::Page::new("users", instances, page.continuation_token),
    )
    .await
}

fn sort(text: &str) -> Result<Sort<users::UserSort>, ApiError> {
    let keys = [
        ("first_name", users::UserSort::FirstName),
        ("last_name", users::UserSort::LastName),
        ("email", users::UserSort::Email),
        ("user_stats.num_conversations", users::UserSort::NumConversations),
        ("user_stats.num_messages", users::UserSort::NumMessages),
        ("user_stats.last_message_time", users::UserSort::LastMessageTime),
    ];
    let known = sort_key(text).and_then(|(direction, field)| {
        let (_, key) = keys.iter().find(|(name, _)| *name == field)?;
        Some(direction.of(*key))
    });
    known.ok_or_else(|| {
        let names = keys.map(|(name, _)| format!("`{name}`")).join(", ");
        invalid_query("sort_by", &format!("expected `+` or `-` and one of {names}"))
    })
}
