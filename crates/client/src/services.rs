//! Services.

use crate::answers::Service;
use crate::request::Request;
use crate::{Client, Pages};

impl Client {
    /// Lists services: with ids those, else all of them.
    pub fn services(&self, ids: &[forge_domain::ServiceId], is_active: Option<bool>) -> Pages<'_, Service> {
        let ids = ids.to_vec();
        Pages::new(self, "services", 20, move |limit, token| {
            let page = Request::get("service/")
                .query("limit", limit)
                .query("continuation_token", token)
                .query_if("is_active", is_active);
            ids.iter().fold(page, |request, id| request.query("id", id))
        })
    }
}
