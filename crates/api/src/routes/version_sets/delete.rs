//! Deletes a set.

use forge_app::{Caller, version_sets};

use super::existing;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};
use crate::routes::SetPath;

pub(crate) async fn handle(call: Call<SetPath, Nothing, Nothing, Caller>) -> Answer {
    let name = existing(&call.path.version_set_name)?;
    let deleted = version_sets::delete(&call.app, &call.caller, call.path.service_id, &name).await?;
    Ok(reply::with_sequence(
        reply::no_content(),
        Some(deleted.change_number),
    ))
}
