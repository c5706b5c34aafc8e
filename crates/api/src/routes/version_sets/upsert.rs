//! Makes a set pin what is asked for.

use forge_app::{Caller, version_sets};
use forge_domain::ServiceId;
use forge_domain::SetName;
use forge_wire::version_sets::UpsertVersionSet;
use serde::Deserialize;

use super::{UNSERVED_HEADERS, UNSERVED_QUERY};
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

/// The path of a set that may be created: its name must be one.
#[derive(Deserialize)]
pub(crate) struct Path {
    service_id: ServiceId,
    version_set_name: SetName,
}

pub(crate) async fn handle(call: Call<Path, Nothing, UpsertVersionSet, Caller>) -> Answer {
    call.refuse_unserved(&UNSERVED_QUERY, &UNSERVED_HEADERS)?;
    let Path {
        service_id,
        version_set_name,
    } = call.path;
    let pins = call.body.version_set;
    let change_number = version_sets::upsert(
        &call.server.app,
        &call.caller,
        service_id,
        &version_set_name,
        pins,
    )
    .await?;
    Ok(reply::with_sequence(reply::no_content(), change_number))
}
