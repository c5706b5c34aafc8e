//! Names of files that may have been mistyped: what would be created, and is called nearly like something on the server.

use forge_domain::SetName;

use super::server::ServerState;
use super::tree::kind_name;
use super::work::{AssetStep, Similar, Work};
use crate::creation::alike_sets;
use crate::likeness::slips;

/// Finds what would be created and is called nearly like something that is there.
pub(super) fn similar(work: &Work, known: &ServerState) -> Vec<Similar> {
    let mut found = Vec::new();
    let mut note = |kind, name: String, alike: Vec<String>| {
        if !alike.is_empty() {
            found.push(Similar { kind, name, alike });
        }
    };
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    for step in &work.assets {
        if let AssetStep::Create { kind, name } = step {
            let names = known.assets(*kind).keys().map(String::as_str);
            note(kind_name(*kind), name.clone(), owned(slips(name, names)));
        }
    }
    for service in &work.services {
        let name = &service.service.fields.name;
        if service.known.is_none() {
            let others = known.services.iter().map(|other| &other.service.fields);
            let active = others.filter(|other| other.is_active);
            let names = active.map(|other| other.name.as_str());
            note("service", name.clone(), owned(slips(name, names)));
        }
        let sets = service
            .known
            .iter()
            .flat_map(|known| known.service.version_sets.keys());
        let sets: Vec<&str> = sets.map(SetName::as_str).collect();
        for step in service.sets.iter().filter(|step| step.before.is_none()) {
            let alike = alike_sets(step.name.as_str(), sets.iter().copied());
            note("version set", format!("{name}/{}", step.name), alike);
        }
    }
    found
}
