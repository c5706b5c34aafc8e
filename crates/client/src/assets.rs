//! Agents and context graphs.

use forge_domain::refusal::AssetKind;
use forge_wire::assets::{list_key, version_list_key};

use crate::answers::{Asset, AssetVersion};
use crate::request::Request;
use crate::session::escaped;
use crate::{Client, Pages};

fn folder(kind: AssetKind) -> &'static str {
    match kind {
        AssetKind::Agent => "organization/agent",
        AssetKind::ContextGraph => "organization/service_hierarchical_state_machine",
    }
}

impl Client {
    /// Lists agents or context graphs: with ids those, else all of them.
    pub fn assets(&self, kind: AssetKind, ids: &[String]) -> Pages<'_, Asset> {
        let ids = ids.to_vec();
        Pages::new(self, list_key(kind), 20, move |limit, token| {
            let page = Request::get(folder(kind))
                .query("limit", limit)
                .query("continuation_token", token);
            ids.iter().fold(page, |request, id| request.query("id", id))
        })
    }

    /// Lists the versions of an agent or a context graph, newest first.
    pub fn asset_versions(&self, kind: AssetKind, id: &str) -> Pages<'_, AssetVersion> {
        let path = format!("{}/{}/version", folder(kind), escaped(id));
        Pages::new(self, version_list_key(kind), 10, move |limit, token| {
            Request::get(&path)
                .query("limit", limit)
                .query("continuation_token", token)
                .query("sort_by", "-version")
        })
    }
}
