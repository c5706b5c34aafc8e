//! Deletes a user.

use forge_app::identity::users;

use forge_app::Caller;

use super::UserPath;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<UserPath, Nothing, Nothing, Caller>) -> Answer {
    let deleted = users::delete(call.server.ctx(&call.caller), &call.path.requested_user_id).await?;
    Ok(reply::with_sequence(
        reply::no_content(),
        Some(deleted.change_number),
    ))
}
