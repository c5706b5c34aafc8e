//! `forge export` and `forge apply`

mod apply;
mod export;
mod files;
mod plan;
mod report;
mod services;

use crate::world::World;

/// Replaces a text in a file.
fn edit(file: &str, from: &str, to: &str) -> String {
    format!("grep -q '{from}' {file} && sed -i 's/{from}/{to}/' {file}")
}

/// Adds an agent `Nora` with the versions of `Mira`.
fn add_nora(world: &World) {
    for version in 1..=3 {
        world.ok(&format!(
            "forge asset show agent Mira@{version} --json | forge asset push agent Nora -f - --create --apply"
        ));
    }
}

const RELEASE: &str = "acme/services/dental-care/version_sets/release.json";

/// What the files do to a service that becomes Nora's.
const TO_NORA: &str = "sed -i 's/\"Mira\"/\"Nora\"/' acme/services/dental-care/service.json";

const PREVIEW: &str = "acme/services/dental-care/version_sets/preview.json";

/// Brings a version 4 of Mira.
const MIRA_4: &str = "sed 's/MI/MX/' acme/agents/mira/v3.json > acme/agents/mira/v4.json";

/// What is there now, in a few words.
const NOW: &str = "forge vs list 'Dental care' | cut -f 1-4,7; forge vs history 'Dental care' release | cut -f 1-4,9; \
    forge service list | grep Dental | cut -f 2-4";
