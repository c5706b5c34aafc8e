//! Changes what is known of a user.

use forge_app::identity::users;

use forge_app::Caller;
use forge_wire::users::UpdateUserInfo;

use super::UserPath;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<UserPath, Nothing, UpdateUserInfo, Caller>) -> Answer {
    let body = call.body;
    let update = users::UpdateUser {
        first_name: body.first_name,
        last_name: body.last_name,
        enable_response_recommendation: body.enable_response_recommendation,
        preferred_language: body.preferred_language,
        timezone: body.timezone,
        conversations_visible_to_admins: body.conversations_visible_to_admins,
        user_model_visible_to_admins: body.user_model_visible_to_admins,
        additional_context: body.additional_context,
        audio_keyterms: body.audio_keyterms,
    };
    let updated = users::update(
        call.server.ctx(&call.caller),
        &call.path.requested_user_id,
        update,
    )
    .await?;
    Ok(reply::with_sequence(
        reply::no_content(),
        Some(updated.change_number),
    ))
}
