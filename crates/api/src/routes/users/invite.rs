//! Creates a user.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::identity::users;
use forge_wire::users::{CreateInvitedUser, UserInvited};

use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<Nothing, Nothing, CreateInvitedUser, Caller>) -> Answer {
    let body = call.body;
    let invited = users::InviteUser {
        first_name: body.first_name,
        last_name: body.last_name,
        email: body.email,
        role_name: body.role_name,
        nonsensitive_variables: body.nonsensitive_user_variables,
        sensitive_variables: body.sensitive_user_variables,
        preferences: body.user_preferences,
    };
    let created = users::invite(call.server.ctx(&call.caller), invited).await?;
    let answer = UserInvited {
        user_id: created.value,
        verify_link: body.login_link,
    };
    Ok(reply::with_sequence(
        reply::json(StatusCode::CREATED, &answer)?,
        Some(created.change_number),
    ))
}
