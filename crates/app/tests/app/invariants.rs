//! Whatever is called in whatever order, the invariants hold, refused calls change nothing, and history tells it all.

use std::collections::BTreeMap;

use forge_app::promotion::{self, Promote, Rollback, Terms};
use forge_app::services::{self, ListServices, UpdateService};
use forge_domain::audit::GENESIS_HASH;
use forge_domain::refusal::AssetKind;
use forge_domain::revision::RevisionAction;
use forge_domain::{AgentId, ContextGraphId, OrganizationId, Pins, ServiceId, SetName};
use forge_store::{ReadTx, Revision};
use forge_testkit::{Engine, TestServer};
use proptest::prelude::*;

use crate::{add_version, is_refusal, latest, pins, property, super_administrator};

/// Something a caller can try.
#[derive(Debug, Clone)]
enum Call {
    AddVersion(AssetKind, usize),
    Upsert(usize, usize, Option<i64>, Option<i64>),
    Delete(usize, usize, bool),
    Promote {
        service: usize,
        source: usize,
        target: usize,
        freeze: bool,
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
    Deprecate(AssetKind, usize),
}

const SETS: [&str; 5] = ["edge", "release", "preview", "test", "personal-alex"];
/// How many agents, context graphs and services there are.
const ASSETS: usize = 2;

fn call() -> impl Strategy<Value = Call> {
    let kind = prop_oneof![Just(AssetKind::Agent), Just(AssetKind::ContextGraph)];
    let number = || prop_oneof![2 => Just(None), 5 => (0..5i64).prop_map(Some)];
    prop_oneof![
        3 => (kind.clone(), 0..ASSETS).prop_map(|(kind, index)| Call::AddVersion(kind, index)),
        8 => (0..ASSETS, 0..SETS.len(), number(), number()).prop_map(|(service, set, a, g)| Call::Upsert(service, set, a, g)),
        3 => (0..ASSETS, 0..SETS.len(), any::<bool>())
            .prop_map(|(service, set, lift_hold)| Call::Delete(service, set, lift_hold)),
        8 => (0..ASSETS, 0..SETS.len(), 0..SETS.len(), any::<bool>(), any::<bool>()).prop_map(
            |(service, source, target, freeze, lift_hold)| Call::Promote { service, source, target, freeze, lift_hold }
        ),
        6 => (0..ASSETS, 0..SETS.len(), proptest::option::of(0..6i64), any::<bool>(), any::<bool>()).prop_map(
            |(service, set, to_revision, freeze, lift_hold)| Call::Rollback { service, set, to_revision, freeze, lift_hold }
        ),
        2 => (0..ASSETS, 0..SETS.len()).prop_map(|(service, set)| Call::LiftHold(service, set)),
        3 => (0..ASSETS, proptest::option::of(0..ASSETS), proptest::option::of(0..ASSETS))
            .prop_map(|(service, agent, graph)| Call::Rebind(service, agent, graph)),
        2 => (0..ASSETS, any::<bool>()).prop_map(|(service, is_active)| Call::Activate(service, is_active)),
        1 => (kind, 0..ASSETS).prop_map(|(kind, index)| Call::Deprecate(kind, index)),
    ]
}

fn lifting(lift_hold: bool) -> Terms {
    Terms {
        lift_hold,
        ..Terms::default()
    }
}

struct World {
    server: TestServer,
    organization: OrganizationId,
    agents: Vec<String>,
    graphs: Vec<String>,
    services: Vec<ServiceId>,
}

impl World {
    async fn new(engine: Engine) -> Self {
        let server = TestServer::start(engine).await;
        let (mut agents, mut graphs, mut ids) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..ASSETS {
            agents.push(server.agent(number + 1).await);
            graphs.push(server.context_graph(number + 1).await);
        }
        for number in 0..ASSETS {
            let name = format!("service {number}");
            let body = forge_testkit::service_body(&name, &agents[number], &graphs[number]);
            ids.push(server.admin().post("service/", body).await.id().parse().unwrap());
        }
        let organization = server.admin().organization.parse().unwrap();
        Self {
            server,
            organization,
            agents,
            graphs,
            services: ids,
        }
    }

    /// Tries a call and returns whether it was refused.
    async fn run(&self, call: &Call) -> bool {
        let (app, caller) = (&self.server.app, super_administrator(&self.server));
        let name = |set: usize| -> SetName { SETS[set].parse().unwrap() };
        let result = match call {
            Call::AddVersion(kind, index) => add_version(&self.server, *kind, &self.ids(*kind)[*index], None)
                .await
                .map(drop),
            Call::Upsert(service, set, agent, graph) => {
                let pins = pins(*agent, *graph);
                let terms = Terms::default();
                promotion::upsert(app, &caller, self.services[*service], &name(*set), pins, &terms)
                    .await
                    .map(drop)
            }
            Call::Delete(service, set, lift_hold) => {
                let terms = lifting(*lift_hold);
                promotion::delete(app, &caller, self.services[*service], &name(*set), &terms)
                    .await
                    .map(drop)
            }
            Call::Promote {
                service,
                source,
                target,
                freeze,
                lift_hold,
            } => {
                let promote = Promote {
                    source: SETS[*source].to_owned(),
                    source_revision: None,
                    freeze: *freeze,
                };
                let (service, terms) = (self.services[*service], lifting(*lift_hold));
                promotion::promote(app, &caller, service, SETS[*target], promote, &terms)
                    .await
                    .map(drop)
            }
            Call::Rollback {
                service,
                set,
                to_revision,
                freeze,
                lift_hold,
            } => {
                let rollback = Rollback {
                    to_revision: *to_revision,
                    freeze: *freeze,
                };
                let (service, terms) = (self.services[*service], lifting(*lift_hold));
                promotion::roll_back(app, &caller, service, SETS[*set], rollback, &terms)
                    .await
                    .map(drop)
            }
            Call::LiftHold(service, set) => {
                promotion::lift_hold(app, &caller, self.services[*service], &name(*set))
                    .await
                    .map(drop)
            }
            Call::Rebind(service, agent, graph) => {
                let agent_id: Option<AgentId> = agent.map(|index| self.agents[index].parse().unwrap());
                let context_graph_id: Option<ContextGraphId> =
                    graph.map(|index| self.graphs[index].parse().unwrap());
                let update = UpdateService {
                    agent_id,
                    context_graph_id,
                    ..Default::default()
                };
                services::update(app, &caller, self.services[*service], update)
                    .await
                    .map(drop)
            }
            Call::Activate(service, is_active) => {
                let update = UpdateService {
                    is_active: Some(*is_active),
                    ..Default::default()
                };
                services::update(app, &caller, self.services[*service], update)
                    .await
                    .map(drop)
            }
            Call::Deprecate(kind, index) => {
                forge_app::assets::deprecate(app, &caller, *kind, &self.ids(*kind)[*index])
                    .await
                    .map(drop)
            }
        };
        match result {
            Ok(()) => false,
            Err(error) => {
                assert!(is_refusal(&error), "{call:?} failed: {error:?}");
                true
            }
        }
    }

    fn ids(&self, kind: AssetKind) -> &[String] {
        match kind {
            AssetKind::Agent => &self.agents,
            AssetKind::ContextGraph => &self.graphs,
        }
    }

    async fn read(&self) -> ReadTx {
        self.server.app.store.read().await.unwrap()
    }

    async fn change_number(&self) -> i64 {
        self.read()
            .await
            .find_organization(&self.organization)
            .await
            .unwrap()
            .unwrap()
            .change_number
    }

    /// Returns everything that a reader can see of the services.
    async fn state(&self) -> String {
        let query = ListServices {
            ids: Vec::new(),
            is_active: None,
            tags: Vec::new(),
            sort: Vec::new(),
            limit: 20,
            continuation_token: 0,
        };
        let page = services::list(&self.server.app, &super_administrator(&self.server), &query)
            .await
            .unwrap();
        format!("{:?}", page.page.items)
    }

    async fn check_service(&self, id: ServiceId) {
        let mut tx = self.read().await;
        let service = tx.find_service(&self.organization, id).await.unwrap().unwrap();
        let sets = tx.list_sets(&self.organization, id).await.unwrap();
        let current: BTreeMap<SetName, (i64, Pins)> = sets
            .into_iter()
            .map(|set| (set.name, (set.revision, set.pins)))
            .collect();
        assert!(current.contains_key(&SetName::release()));
        assert_eq!(current[&SetName::edge()].1, Pins::default());
        let mut rebuilt = BTreeMap::new();
        for name in SETS {
            let name: SetName = name.parse().unwrap();
            let mut history = tx
                .list_revisions(&self.organization, id, &name, 0, 1000)
                .await
                .unwrap();
            history.reverse();
            if let Some(state) = replay(&history) {
                let last = history.last().unwrap();
                assert_eq!(
                    (last.agent_id, last.context_graph_id),
                    (service.agent_id, service.context_graph_id)
                );
                rebuilt.insert(name, state);
            }
        }
        assert_eq!(rebuilt, current, "history tells what is there now");
        drop(tx);
        let agent = latest(&self.server, AssetKind::Agent, &service.agent_id.to_string()).await;
        let graph = latest(
            &self.server,
            AssetKind::ContextGraph,
            &service.context_graph_id.to_string(),
        )
        .await;
        for (name, (_, pins)) in current {
            assert!(
                pins.agent_version.is_none_or(|number| number.get() <= agent),
                "{name} pins what is not there"
            );
            assert!(
                pins.context_graph_version
                    .is_none_or(|number| number.get() <= graph),
                "{name}"
            );
        }
    }

    async fn check_audit(&self) {
        let events = self
            .read()
            .await
            .list_audit_events(&self.organization, 0, 10_000)
            .await
            .unwrap();
        let mut previous = GENESIS_HASH.to_owned();
        for (index, (event, stored)) in events.iter().enumerate() {
            assert_eq!(event.sequence, i64::try_from(index + 1).unwrap());
            assert_eq!(
                event.change_number, event.sequence,
                "each write of these leaves one event"
            );
            assert_eq!((&event.previous_hash, &event.hash()), (&previous, stored));
            previous.clone_from(stored);
        }
        assert_eq!(self.change_number().await, i64::try_from(events.len()).unwrap());
    }
}

/// Returns the revision and the pins that a history leads to; nothing if it ends in a deletion.
fn replay(history: &[Revision]) -> Option<(i64, Pins)> {
    let mut state = None;
    for (index, revision) in history.iter().enumerate() {
        assert_eq!(
            revision.revision,
            i64::try_from(index + 1).unwrap(),
            "revisions have no gaps"
        );
        let existed = state.is_some();
        match revision.action {
            RevisionAction::Create => assert!(!existed, "only what is not there is created"),
            RevisionAction::Promote => {}
            _ => assert!(existed, "only what is there is changed or deleted"),
        }
        state = match revision.action {
            RevisionAction::Delete => None,
            _ => Some((revision.revision, revision.pins.clone())),
        };
    }
    state
}

fn check(engine: Engine, cases: u32) {
    let Some((runtime, mut runner)) = property(engine, cases) else {
        return;
    };
    let calls = proptest::collection::vec(call(), 1..40);
    let outcome = runner.run(&calls, |calls| {
        runtime.block_on(async {
            let world = World::new(engine).await;
            for call in &calls {
                let before = (world.change_number().await, world.state().await);
                let is_refused = world.run(call).await;
                let after = (world.change_number().await, world.state().await);
                if is_refused {
                    assert_eq!(before, after, "{call:?} was refused and changed something");
                }
                assert!(after.0 - before.0 <= 1, "one call is one change");
            }
            for id in &world.services {
                world.check_service(*id).await;
            }
            world.check_audit().await;
        });
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn any_sequence_of_calls_keeps_the_invariants_on_sqlite() {
    check(Engine::Sqlite, 16);
}

#[test]
fn any_sequence_of_calls_keeps_the_invariants_on_postgres() {
    check(Engine::Postgres, 16);
}
