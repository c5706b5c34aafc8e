//! Changes what new users of an organization start with.

use forge_app::identity::organizations;

use forge_app::Caller;
use forge_wire::organizations::ModifyOrganization;

use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<Nothing, Nothing, ModifyOrganization, Caller>) -> Answer {
    let preferences = call.body.default_user_preferences;
    let written = organizations::modify(call.server.ctx(&call.caller), preferences).await?;
    Ok(reply::changed(reply::no_content(), written))
}
