//! A server with some agents, context graphs and services, and calls to it.

use forge_app::assets::agents;
use forge_app::assets::yanks::{self, YankChange};
use forge_app::services;
use forge_app::version_sets::promotion::{self, ChangeOptions, Precondition, Promote, Promotion, Rollback};
use forge_app::{App, AppError, Caller, Ctx, assets};
use forge_domain::asset::{AssetId, AssetKind};
use forge_domain::service::UpdateService;
use forge_domain::version::VersionRef;
use forge_domain::{AgentId, ContextGraphId, OrganizationId, ServiceId, SetName};
use forge_store::ReadTx;
use forge_testkit::{Engine, TestServer};
use serde_json::json;

use super::call::{ASSETS, Call, NAMES, SETS};
use crate::{add_version, is_refusal, pins, super_administrator};

pub(super) struct World {
    pub(super) server: TestServer,
    pub(super) organization: OrganizationId,
    pub(super) agents: Vec<AgentId>,
    pub(super) graphs: Vec<ContextGraphId>,
    pub(super) services: Vec<ServiceId>,
}

fn name(set: usize) -> SetName {
    SETS[set].parse().unwrap()
}

/// Every other change is made without saying why.
fn message(number: usize) -> Option<String> {
    number.is_multiple_of(2).then(|| format!("call {number}"))
}

impl World {
    pub(super) async fn new(engine: Engine) -> Self {
        let server = TestServer::start(engine).await;
        let (mut agents, mut graphs, mut ids) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ASSETS {
            agents.push(server.agent(3).await.parse().unwrap());
            graphs.push(server.context_graph(3).await.parse().unwrap());
        }
        for number in 0..ASSETS {
            let (agent, graph): (AgentId, ContextGraphId) = (agents[number], graphs[number]);
            let body = forge_testkit::service_body(NAMES[number], &agent.to_string(), &graph.to_string());
            ids.push(server.admin().post("service/", body).await.id().parse().unwrap());
        }
        let organization = server.admin().organization.parse().unwrap();
        let world = Self {
            server,
            organization,
            agents,
            graphs,
            services: ids,
        };
        world.give_a_past().await;
        world
    }

    /// Gives every set of the first service a past, so that there is something to go back to.
    async fn give_a_past(&self) {
        let caller = super_administrator(&self.server);
        for set in 1..SETS.len() {
            for agent in 1..=3 {
                let (name, pins, options) = (name(set), pins(agent, 1), ChangeOptions::default());
                promotion::upsert(
                    Ctx::new(&self.server.app, &caller),
                    self.services[0],
                    &name,
                    pins,
                    &options,
                )
                .await
                .unwrap();
            }
        }
    }

    fn asset(&self, kind: AssetKind, index: usize) -> AssetId {
        match kind {
            AssetKind::Agent => self.agents[index].into(),
            AssetKind::ContextGraph => self.graphs[index].into(),
        }
    }

    /// Returns the ids of all agents and context graphs.
    pub(super) fn assets(&self) -> impl Iterator<Item = AssetId> {
        let graphs = self.graphs.iter().map(|id| AssetId::from(*id));
        self.agents.iter().map(|id| AssetId::from(*id)).chain(graphs)
    }

    pub(super) async fn read(&self) -> ReadTx {
        self.server.app.store.read().await.unwrap()
    }

    /// Tries a call and returns whether it was refused.
    ///
    /// The clock goes on in between, and sometimes back.
    pub(super) async fn run(&self, call: &Call, number: usize) -> bool {
        self.server
            .clock
            .advance_seconds(if number % 5 == 4 { -3 } else { 2 });
        let (app, caller) = (&self.server.app, super_administrator(&self.server));
        let result = match call {
            Call::AddVersion(..) | Call::Yank(..) | Call::Deprecate(..) => {
                self.run_on_asset(app, &caller, call, number).await
            }
            Call::Rebind(..) | Call::Activate(..) | Call::Rename(..) => {
                self.run_on_service(app, &caller, call).await
            }
            _ => self.run_on_set(app, &caller, call, number).await,
        };
        match result {
            Ok(()) => false,
            Err(error) => {
                assert!(is_refusal(&error), "{call:?} failed: {error:?}");
                true
            }
        }
    }

    async fn run_on_asset(
        &self,
        app: &App,
        caller: &Caller,
        call: &Call,
        number: usize,
    ) -> Result<(), AppError> {
        match call {
            Call::AddVersion(AssetKind::Agent, index) => {
                // Each version has a content of its own, so that a change of one would be seen.
                let change = serde_json::from_value(json!({"background": format!("call {number}")})).unwrap();
                let id = self.agents[*index];
                agents::create_version(Ctx::new(app, caller), id, None, change)
                    .await
                    .map(drop)
            }
            Call::AddVersion(kind, index) => add_version(&self.server, self.asset(*kind, *index), None)
                .await
                .map(drop),
            Call::Yank(kind, index, version, is_yanked) => {
                let version = VersionRef {
                    id: self.asset(*kind, *index),
                    version: (*version).try_into().unwrap(),
                };
                let reason = format!("call {number}");
                let change = YankChange {
                    reason: is_yanked.then_some(reason),
                    ..YankChange::default()
                };
                yanks::yank(Ctx::new(app, caller), version, change)
                    .await
                    .map(drop)
            }
            Call::Deprecate(kind, index) => {
                assets::deprecate(Ctx::new(app, caller), self.asset(*kind, *index))
                    .await
                    .map(drop)
            }
            _ => unreachable!("{call:?} is about no asset"),
        }
    }

    async fn run_on_service(&self, app: &App, caller: &Caller, call: &Call) -> Result<(), AppError> {
        let (service, update) = match call {
            Call::Rebind(service, agent, graph) => {
                let update = UpdateService {
                    agent_id: agent.map(|index| self.agents[index]),
                    context_graph_id: graph.map(|index| self.graphs[index]),
                    ..Default::default()
                };
                (service, update)
            }
            Call::Activate(service, is_active) => {
                let is_active = Some(*is_active);
                (
                    service,
                    UpdateService {
                        is_active,
                        ..Default::default()
                    },
                )
            }
            Call::Rename(service, name) => {
                let name = Some(NAMES[*name].to_owned());
                (
                    service,
                    UpdateService {
                        name,
                        ..Default::default()
                    },
                )
            }
            _ => unreachable!("{call:?} is about no service"),
        };
        services::update(
            Ctx::new(app, caller),
            self.services[*service],
            update,
            &ChangeOptions::default(),
        )
        .await
        .map(drop)
    }

    async fn run_on_set(
        &self,
        app: &App,
        caller: &Caller,
        call: &Call,
        number: usize,
    ) -> Result<(), AppError> {
        let options = |lift_hold: bool| ChangeOptions {
            lift_hold,
            message: message(number),
            ..ChangeOptions::default()
        };
        match *call {
            Call::Upsert {
                service,
                set,
                agent,
                graph,
                lift_hold,
            } => {
                let (id, pins) = (self.services[service], pins(agent, graph));
                promotion::upsert(Ctx::new(app, caller), id, &name(set), pins, &options(lift_hold))
                    .await
                    .map(drop)
            }
            Call::Delete {
                service,
                set,
                lift_hold,
            } => promotion::delete(
                Ctx::new(app, caller),
                self.services[service],
                &name(set),
                &options(lift_hold),
            )
            .await
            .map(drop),
            Call::Promote {
                service,
                source,
                source_revision,
                target,
                freeze,
                lift_hold,
            } => {
                let source = SETS[source].to_owned();
                let promote = Promote {
                    source,
                    source_revision,
                    freeze,
                };
                let id = self.services[service];
                promotion::promote(
                    Ctx::new(app, caller),
                    id,
                    SETS[target],
                    promote,
                    &options(lift_hold),
                )
                .await
                .map(drop)
            }
            Call::PromoteMany { moves, lift_hold } => {
                let promotion = |(service, (source, target)): (&ServiceId, (usize, usize))| Promotion {
                    service_id: *service,
                    source: SETS[source].to_owned(),
                    target: SETS[target].to_owned(),
                };
                let promotions: Vec<_> = self.services.iter().zip(moves).map(promotion).collect();
                promotion::promote_many(Ctx::new(app, caller), &promotions, &options(lift_hold))
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
                let rollback = Rollback { to_revision, freeze };
                let id = self.services[service];
                promotion::roll_back(
                    Ctx::new(app, caller),
                    id,
                    SETS[set],
                    rollback,
                    &options(lift_hold),
                )
                .await
                .map(drop)
            }
            Call::LiftHold(service, set) => {
                let id = self.services[service];
                promotion::lift_hold(Ctx::new(app, caller), id, &name(set), &Precondition::None)
                    .await
                    .map(drop)
            }
            _ => unreachable!("{call:?} is about no set"),
        }
    }
}
