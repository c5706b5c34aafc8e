//! Everything that somebody can try.

use forge_domain::asset::AssetKind;
use proptest::prelude::*;

/// Something a caller can try; services, sets and assets are named by their index.
#[derive(Debug, Clone)]
pub(super) enum Call {
    AddVersion(AssetKind, usize),
    Yank(AssetKind, usize, i64, bool),
    Deprecate(AssetKind, usize),
    Upsert {
        service: usize,
        set: usize,
        agent: Option<i64>,
        graph: Option<i64>,
        lift_hold: bool,
    },
    Delete {
        service: usize,
        set: usize,
        lift_hold: bool,
    },
    Promote {
        service: usize,
        source: usize,
        source_revision: Option<i64>,
        target: usize,
        freeze: bool,
        lift_hold: bool,
    },
    /// One promotion in every service, each from a source to a target.
    PromoteMany {
        moves: [(usize, usize); ASSETS],
        lift_hold: bool,
    },
    Rollback {
        service: usize,
        set: usize,
        to_revision: Option<i64>,
        freeze: bool,
        lift_hold: bool,
    },
    LiftHold(usize, usize),
    Rebind(usize, Option<usize>, Option<usize>),
    Activate(usize, bool),
    Rename(usize, usize),
}

impl Call {
    /// Returns `true` if the call may move a set that is held, other than further back.
    pub(super) fn lifts_holds(&self) -> bool {
        match self {
            Self::Upsert { lift_hold, .. }
            | Self::Delete { lift_hold, .. }
            | Self::Promote { lift_hold, .. }
            | Self::PromoteMany { lift_hold, .. } => *lift_hold,
            _ => false,
        }
    }
}

pub(super) const SETS: [&str; 5] = ["edge", "release", "preview", "test", "personal-alex"];
/// How many agents, context graphs and services there are.
pub(super) const ASSETS: usize = 2;
/// The names that services may be given.
pub(super) const NAMES: [&str; 3] = ["service 0", "service 1", "service 2"];

pub(super) fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        7 => about_assets(),
        10 => upsert(),
        3 => (service(), set(), lifting())
            .prop_map(|(service, set, lift_hold)| Call::Delete { service, set, lift_hold }),
        10 => promote(),
        3 => (any_move(), any_move(), lifting())
            .prop_map(|(one, two, lift_hold)| Call::PromoteMany { moves: [one, two], lift_hold }),
        12 => rollback(),
        2 => (service(), set()).prop_map(|(service, set)| Call::LiftHold(service, set)),
        5 => about_services(),
    ]
}

/// Mostly the first service, so that much happens to few sets.
fn service() -> impl Strategy<Value = usize> {
    prop_oneof![3 => Just(0), 1 => 1..ASSETS]
}

/// Whether holds are lifted; mostly not, so that they last.
fn lifting() -> impl Strategy<Value = bool> {
    proptest::bool::weighted(0.3)
}

/// Mostly `release` and `test`.
fn set() -> impl Strategy<Value = usize> {
    prop_oneof![3 => Just(1), 4 => Just(3), 2 => 0..SETS.len()]
}

fn any_move() -> impl Strategy<Value = (usize, usize)> {
    (0..SETS.len(), set())
}

fn about_assets() -> impl Strategy<Value = Call> {
    let asset = || {
        let kind = prop_oneof![Just(AssetKind::Agent), Just(AssetKind::ContextGraph)];
        (kind, 0..ASSETS)
    };
    prop_oneof![
        3 => asset().prop_map(|(kind, index)| Call::AddVersion(kind, index)),
        3 => (asset(), 1..5i64, any::<bool>())
            .prop_map(|((kind, index), version, is_yanked)| Call::Yank(kind, index, version, is_yanked)),
        1 => asset().prop_map(|(kind, index)| Call::Deprecate(kind, index)),
    ]
}

fn about_services() -> impl Strategy<Value = Call> {
    let asset = || proptest::option::of(0..ASSETS);
    prop_oneof![
        3 => (0..ASSETS, asset(), asset()).prop_map(|(service, agent, graph)| Call::Rebind(service, agent, graph)),
        2 => (0..ASSETS, any::<bool>()).prop_map(|(service, is_active)| Call::Activate(service, is_active)),
        1 => (0..ASSETS, 0..NAMES.len()).prop_map(|(service, name)| Call::Rename(service, name)),
    ]
}

fn upsert() -> impl Strategy<Value = Call> {
    let number = || prop_oneof![2 => Just(None), 7 => (0..4i64).prop_map(Some)];
    (service(), set(), number(), number(), lifting()).prop_map(|(service, set, agent, graph, lift_hold)| {
        Call::Upsert {
            service,
            set,
            agent,
            graph,
            lift_hold,
        }
    })
}

fn promote() -> impl Strategy<Value = Call> {
    let source_revision = prop_oneof![4 => Just(None), 1 => (1..6i64).prop_map(Some)];
    (service(), any_move(), source_revision, any::<bool>(), lifting()).prop_map(
        |(service, (source, target), source_revision, freeze, lift_hold)| Call::Promote {
            service,
            source,
            source_revision,
            target,
            freeze,
            lift_hold,
        },
    )
}

fn rollback() -> impl Strategy<Value = Call> {
    let to_revision = prop_oneof![3 => Just(None), 1 => (0..8i64).prop_map(Some)];
    (service(), set(), to_revision, any::<bool>(), lifting()).prop_map(
        |(service, set, to_revision, freeze, lift_hold)| Call::Rollback {
            service,
            set,
            to_revision,
            freeze,
            lift_hold,
        },
    )
}
