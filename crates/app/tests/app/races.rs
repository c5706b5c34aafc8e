//! Two writers at once, on every invariant that they could break.

use std::future::Future;
use std::sync::Arc;

use forge_app::identity::organizations;
use forge_app::services;
use forge_app::version_sets::promotion::{self, ChangeOptions};
use forge_app::{AppError, assets};
use forge_domain::asset::{AssetId, AssetKind};
use forge_domain::service::{ServiceFields, UpdateService};
use forge_domain::{AgentId, ServiceId};
use forge_store::PageRequest;
use forge_testkit::both_engines;

use crate::{add_version, is_refusal, latest, pins, super_administrator};

/// How many writers run at once.
const WRITERS: usize = 8;

/// Runs the same thing several times at once and returns what each came to.
async fn at_once<T, Fut>(count: usize, make: impl Fn(usize) -> Fut) -> Vec<Result<T, AppError>>
where
    T: Send + 'static,
    Fut: Future<Output = Result<T, AppError>> + Send + 'static,
{
    let tasks: Vec<_> = (0..count).map(|number| tokio::spawn(make(number))).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

/// Returns what succeeded; everything else must have been refused, not failed.
fn winners<T>(results: Vec<Result<T, AppError>>) -> Vec<T> {
    let mut winners = Vec::new();
    for result in results {
        match result {
            Ok(value) => winners.push(value),
            Err(error) => assert!(is_refusal(&error), "{error:?}"),
        }
    }
    winners
}

fn fields(name: &str, agent: &str, graph: &str, is_active: bool) -> ServiceFields {
    ServiceFields {
        name: name.to_owned(),
        description: "d".to_owned(),
        is_active,
        agent_id: agent.parse().unwrap(),
        context_graph_id: graph.parse().unwrap(),
        tags: forge_domain::tag::Tags::new(),
        keyterms: Vec::new(),
    }
}

#[both_engines]
async fn concurrent_versions_get_every_number_once(server: TestServer) {
    let server = Arc::new(server);
    for id in [
        AssetId::Agent(server.agent(0).await.parse().unwrap()),
        AssetId::ContextGraph(server.context_graph(0).await.parse().unwrap()),
    ] {
        let results = at_once(WRITERS, |_| {
            let server = Arc::clone(&server);
            async move { add_version(&server, id, None).await }
        });
        let mut numbers = winners(results.await);
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
    }
}

#[both_engines]
async fn of_concurrent_writers_who_expect_the_same_number_one_wins(server: TestServer) {
    let server = Arc::new(server);
    let id = AssetId::Agent(server.agent(1).await.parse().unwrap());
    let results = at_once(WRITERS, |_| {
        let server = Arc::clone(&server);
        async move { add_version(&server, id, Some(2)).await }
    });
    assert_eq!(winners(results.await), [2]);
    assert_eq!(latest(&server, id).await, 2);
}

#[both_engines]
async fn a_name_is_given_once(server: TestServer) {
    let server = Arc::new(server);
    for kind in [AssetKind::Agent, AssetKind::ContextGraph] {
        let results = at_once(WRITERS, |_| {
            let server = Arc::clone(&server);
            async move {
                assets::create(
                    forge_app::Ctx::new(&server.app, &super_administrator(&server)),
                    kind,
                    "the name",
                )
                .await
            }
        });
        assert_eq!(winners(results.await).len(), 1);
    }
}

#[both_engines]
async fn one_active_service_gets_a_name_by_creation_activation_or_renaming(server: TestServer) {
    let server = Arc::new(server);
    let (agent, graph) = (server.agent(1).await, server.context_graph(1).await);
    let caller = super_administrator(&server);
    let mut idle = Vec::new();
    for number in 0..WRITERS {
        // Inactive ones of the name, and active ones of another.
        let (name, is_active) = if number % 2 == 0 {
            ("one", false)
        } else {
            ("other", true)
        };
        let name = if is_active {
            format!("{name} {number}")
        } else {
            name.to_owned()
        };
        let fields = fields(&name, &agent, &graph, is_active);
        idle.push(
            services::create(forge_app::Ctx::new(&server.app, &caller), &fields, None)
                .await
                .unwrap()
                .value,
        );
    }
    let results = at_once(WRITERS * 2, |number| {
        let (server, agent, graph) = (Arc::clone(&server), agent.clone(), graph.clone());
        let id = idle.get(number).copied();
        async move {
            let caller = super_administrator(&server);
            match id {
                Some(id) if number % 2 == 0 => {
                    let update = UpdateService {
                        is_active: Some(true),
                        ..Default::default()
                    };
                    services::update(
                        forge_app::Ctx::new(&server.app, &caller),
                        id,
                        update,
                        &ChangeOptions::default(),
                    )
                    .await
                    .map(drop)
                }
                Some(id) => {
                    let update = UpdateService {
                        name: Some("one".to_owned()),
                        ..Default::default()
                    };
                    services::update(
                        forge_app::Ctx::new(&server.app, &caller),
                        id,
                        update,
                        &ChangeOptions::default(),
                    )
                    .await
                    .map(drop)
                }
                None => {
                    let fields = fields("one", &agent, &graph, true);
                    services::create(forge_app::Ctx::new(&server.app, &caller), &fields, None)
                        .await
                        .map(drop)
                }
            }
        }
    });
    assert_eq!(winners(results.await).len(), 1);
}

#[both_engines]
async fn concurrent_changes_of_a_set_leave_one_revision_each(server: TestServer) {
    let server = Arc::new(server);
    let id: ServiceId = server.service(9).await.parse().unwrap();
    let results = at_once(WRITERS * 2, |number| {
        let server = Arc::clone(&server);
        async move {
            let (caller, name) = (super_administrator(&server), "preview".parse().unwrap());
            if number % 4 == 3 {
                return promotion::delete(
                    forge_app::Ctx::new(&server.app, &caller),
                    id,
                    &name,
                    &ChangeOptions::default(),
                )
                .await
                .map(|_| true);
            }
            let pinned = i64::try_from(number % 9 + 1).unwrap();
            let wanted = pins(pinned, None);
            let done = promotion::upsert(
                forge_app::Ctx::new(&server.app, &caller),
                id,
                &name,
                wanted,
                &ChangeOptions::default(),
            )
            .await?;
            Ok(done.is_applied)
        }
    });
    let changes = winners(results.await)
        .into_iter()
        .filter(|changed| *changed)
        .count();
    let organization = server.admin().organization.parse().unwrap();
    let name = "preview".parse().unwrap();
    let mut tx = server.app.store.read().await.unwrap();
    let history = tx
        .list_revisions(&organization, id, &name, PageRequest::first(100))
        .await
        .unwrap()
        .into_rows();
    let numbers: Vec<i64> = history.iter().rev().map(|revision| revision.revision).collect();
    assert_eq!(numbers, (1..=i64::try_from(changes).unwrap()).collect::<Vec<_>>());
    let set = tx.find_set(&organization, id, &name).await.unwrap().unwrap();
    assert_eq!((set.revision, &set.pins), (history[0].revision, &history[0].pins));
}

#[both_engines]
async fn no_active_service_is_left_on_a_deprecated_agent(server: TestServer) {
    let server = Arc::new(server);
    for round in 0..4 {
        let (agent, graph) = (server.agent(1).await, server.context_graph(1).await);
        let results = at_once(2, |number| {
            let (server, agent, graph) = (Arc::clone(&server), agent.clone(), graph.clone());
            async move {
                let caller = super_administrator(&server);
                if number == round % 2 {
                    assets::deprecate(
                        forge_app::Ctx::new(&server.app, &caller),
                        AssetId::Agent(agent.parse().unwrap()),
                    )
                    .await
                    .map(drop)
                } else {
                    let fields = fields(&format!("service {round}"), &agent, &graph, true);
                    services::create(forge_app::Ctx::new(&server.app, &caller), &fields, None)
                        .await
                        .map(drop)
                }
            }
        });
        assert_eq!(
            winners(results.await).len(),
            1,
            "either the service or the deprecation came first"
        );
    }
}

#[both_engines]
async fn a_rebind_and_a_pin_never_miss_each_other(server: TestServer) {
    let server = Arc::new(server);
    for round in 0..4 {
        let id: ServiceId = server.service(5).await.parse().unwrap();
        // The new agent has one version only: version 5 can be pinned before the rebind or not at all.
        let agent: AgentId = server.agent(1).await.parse().unwrap();
        let results = at_once(2, |number| {
            let server = Arc::clone(&server);
            async move {
                let caller = super_administrator(&server);
                if number == round % 2 {
                    let update = UpdateService {
                        agent_id: Some(agent),
                        ..Default::default()
                    };
                    services::update(
                        forge_app::Ctx::new(&server.app, &caller),
                        id,
                        update,
                        &ChangeOptions::default(),
                    )
                    .await
                    .map(drop)
                } else {
                    let release = "release".parse().unwrap();
                    let wanted = pins(5, None);
                    promotion::upsert(
                        forge_app::Ctx::new(&server.app, &caller),
                        id,
                        &release,
                        wanted,
                        &ChangeOptions::default(),
                    )
                    .await
                    .map(drop)
                }
            }
        });
        assert_eq!(
            winners(results.await).len(),
            1,
            "either the rebind or the pin came first"
        );
    }
}

#[both_engines]
async fn an_organization_is_created_once(server: TestServer) {
    let server = Arc::new(server);
    let id = format!("{}-twin", server.admin().organization);
    let results = at_once(4, |_| {
        let (server, id) = (Arc::clone(&server), id.parse().unwrap());
        async move { organizations::create(&server.app, &id).await.map(drop) }
    });
    assert_eq!(winners(results.await).len(), 1);
}
