//! Yanked versions, which nothing new pins.

use serde::{Deserialize, Serialize};

use crate::actor::UserRef;
use crate::asset::AssetKind;
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::version::VersionNumber;
use crate::version_set::{Binding, Pins};

/// A version that was yanked, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct YankedVersion {
    /// What it is a version of.
    pub asset: AssetKind,
    /// Its number.
    pub version: VersionNumber,
    /// Why it was yanked.
    pub reason: String,
}

/// Returns those of the yanked versions that one of the pins means.
pub(crate) fn meant(
    binding: &Binding,
    yanked: &[YankedVersion],
    pins: [Option<&Pins>; 2],
) -> Vec<YankedVersion> {
    let meant = pins.map(|pins| pins.map(|pins| pins.resolve(binding)));
    let is_meant = |yank: &&YankedVersion| {
        meant.iter().flatten().any(|resolved| {
            let version = match yank.asset {
                AssetKind::Agent => resolved.agent_version,
                AssetKind::ContextGraph => resolved.context_graph_version,
            };
            version == Some(yank.version)
        })
    };
    yanked.iter().filter(is_meant).cloned().collect()
}

/// Returns the yanked versions that pins name, and those that floating pins mean for now.
pub fn of_pins(binding: &Binding, yanked: &[YankedVersion], pins: &Pins) -> (Vec<Refusal>, Vec<Refusal>) {
    let (mut pinned, mut floating) = (Vec::new(), Vec::new());
    for (bound, pin) in [
        (&binding.agent, pins.agent_version),
        (&binding.context_graph, pins.context_graph_version),
    ] {
        let meant = pin.or(bound.latest);
        let yank = yanked
            .iter()
            .find(|yank| yank.asset == bound.id.kind() && Some(yank.version) == meant);
        let Some(yank) = yank else { continue };
        let refusal = Refusal::Yanked {
            asset: bound.id,
            number: yank.version,
            reason: yank.reason.clone(),
        };
        if pin.is_some() {
            pinned.push(refusal);
        } else {
            floating.push(refusal);
        }
    }
    (pinned, floating)
}

/// Says that a version is yanked: nothing new may pin it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Yank {
    /// Why.
    pub reason: String,
    /// Who yanked it.
    pub by: UserRef,
    /// When.
    pub since: Timestamp,
}

/// Says that a version is to be yanked, or not any more.
#[derive(Debug, Clone, Copy)]
pub struct NewYank<'a> {
    /// Whether it is yanked from now on.
    pub is_yanked: bool,
    /// Why it is, or why it was.
    pub reason: &'a str,
    /// Who decides so.
    pub by: &'a UserRef,
}
