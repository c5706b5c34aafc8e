//! Deletes a set.

use forge_app::{Caller, version_sets};

use super::{UNSERVED_HEADERS, UNSERVED_QUERY, existing};
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};
use crate::routes::SetPath;

pub(crate) async fn handle(call: Call<SetPath, Nothing, Nothing, Caller>) -> Answer {
    call.refuse_unserved(&UNSERVED_QUERY, &UNSERVED_HEADERS)?;
    let name = existing(&call.path.version_set_name)?;
    let deleted = version_sets::delete(&call.server.app, &call.caller, call.path.service_id, &name).await?;
    Ok(reply::with_sequence(
        reply::no_content(),
        Some(deleted.change_number),
    ))
}
