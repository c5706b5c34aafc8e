//! The files: where each thing stands, and how it is written.
//!
//! ```text
//! forge.json                                     {"format": 1, "files": [what exports wrote]}
//! agents/mira/agent.json                         {"name": "Mira"}
//! agents/mira/v1.json                            the content of version 1
//! context_graphs/appointments/context_graph.json {"name": "Appointments"}
//! context_graphs/appointments/v1.json
//! services/dental-care/service.json              its fields
//! services/dental-care/version_sets/release.json what the set pins
//! ```

mod earlier;
mod place;
mod read;
mod slug;
mod write;

use forge_domain::asset::AssetKind;
use serde::{Deserialize, Serialize};

pub(super) use read::read;
pub(super) use write::write;

/// The file that tells a folder of this kind from any other one.
const MARK: &str = "forge.json";
const SERVICES: &str = "services";
const SERVICE: &str = "service.json";
const SETS: &str = "version_sets";
/// The format that this program writes, and the only one that it reads.
const FORMAT: i64 = 1;

const KINDS: [AssetKind; 2] = [AssetKind::Agent, AssetKind::ContextGraph];

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    format: i64,
    /// The files that exports wrote, which they may remove again.
    #[serde(default)]
    files: Vec<String>,
}

impl Mark {
    /// Says what is wrong with a format that this program does not know.
    fn fault(&self) -> Option<String> {
        let format = self.format;
        (format != FORMAT).then(|| format!("it has format {format}; this version of forge knows {FORMAT}"))
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AssetFile {
    name: String,
}

/// Returns the folder of all assets of a kind, and the file that names one of them.
fn places(kind: AssetKind) -> (&'static str, &'static str) {
    match kind {
        AssetKind::Agent => ("agents", "agent.json"),
        AssetKind::ContextGraph => ("context_graphs", "context_graph.json"),
    }
}
