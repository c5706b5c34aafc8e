//! Resolving over kept connections, with its token and permission checks, beside constant bytes of the same size from
//! the same framework.

use axum::Router;
use axum::body::Bytes;
use axum::http::{Method, header};
use axum::routing::get;
use forge_domain::revision::{Revision, RevisionAction};
use forge_domain::service::ServiceFields;
use forge_domain::tag::Tags;
use forge_domain::version_set::ResolvedPins;
use forge_domain::{Actor, ActorKind, Clock as _, Pins, ServiceId, SetName, UserRef, VersionNumber};
use forge_store::WriteTx;
use forge_testkit::load::{
    Figures, Request, Site, engines, print_head, print_machine, run, seconds, serve, server_runtime,
};

/// How many of them are asked about, in turn.
const ASKED: usize = 1000;

fn main() {
    print_machine();
    let runtime = server_runtime();
    for engine in engines() {
        for services in sizes() {
            let site = runtime.block_on(Site::start(engine));
            let paths = runtime.block_on(fill(&site, services));
            print_head(&format!("{engine:?}, {services} services"));
            let (etag, size) = runtime.block_on(ask(&site, &paths[0]));
            let bytes = Bytes::from("x".repeat(size));
            let router = Router::new().fallback(get(async move || {
                ([(header::CONTENT_TYPE, "application/json")], bytes.clone())
            }));
            let fixed = runtime.block_on(serve(router));
            let admin = site.server.admin();
            let authorization = format!("Bearer {}", admin.token.as_deref().unwrap());
            let headers = [("authorization", authorization.as_str())];
            let requests: Vec<Request> = paths
                .iter()
                .map(|path| Request::new("GET", path, &headers, ""))
                .collect();
            let conditional = [headers[0], ("if-none-match", etag.as_str())];
            let unchanged = vec![Request::new("GET", &paths[0], &conditional, "")];
            for clients in [1, 16] {
                let ok = |requests: &Vec<Request>, address| -> Figures {
                    run(address, shares(requests, clients), seconds(), |answer| {
                        answer.status == "200"
                    })
                };
                let fixed = ok(&requests, fixed);
                fixed.print(&format!("constant {size} bytes, {clients} connection(s)"), None);
                ok(&requests, site.address).print(&format!("resolve, {clients} connection(s)"), Some(&fixed));
                let figures = run(site.address, shares(&unchanged, clients), seconds(), |answer| {
                    answer.status == "304"
                });
                figures.print(&format!("resolve, 304, {clients} connection(s)"), Some(&fixed));
            }
            runtime.block_on(site.server.app.store.close());
        }
    }
}

/// Returns how many services the organization has: the figures should not depend on it. `FORGE_BENCH_SERVICES` sets
/// other numbers.
fn sizes() -> Vec<usize> {
    let text = std::env::var("FORGE_BENCH_SERVICES").unwrap_or_else(|_| "100,100000".into());
    text.split(',').map(|number| number.parse().unwrap()).collect()
}

/// Gives each client the same requests, but another place to begin.
fn shares(requests: &[Request], clients: usize) -> Vec<Vec<Request>> {
    let begin = |client: usize| client * requests.len() / clients;
    (0..clients)
        .map(|client| {
            let mut own = requests.to_vec();
            own.rotate_left(begin(client));
            own
        })
        .collect()
}

/// Returns the tag and the size of an answer.
async fn ask(site: &Site, path: &str) -> (String, usize) {
    let path = path.split_once("/service/").unwrap().1;
    let path = format!("service/{path}");
    let answer = site.server.admin().send(Method::GET, &path, None).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let etag = answer.headers[header::ETAG].to_str().unwrap().to_owned();
    (etag, answer.body.to_string().len())
}

/// Fills the organization with services and returns the paths that are asked for.
async fn fill(site: &Site, services: usize) -> Vec<String> {
    let (agent, graph) = (site.server.agent(2).await, site.server.context_graph(2).await);
    let organization = site.server.admin().organization.parse().unwrap();
    let creator = Actor {
        user: UserRef {
            org_id: organization,
            user_id: site.server.admin().user_id.clone(),
        },
        kind: ActorKind::Key,
        key: None,
    };
    let store = &site.server.app.store;
    let ids: Vec<String> = (0..services).map(|number| format!("{number:024x}")).collect();
    for ids in ids.chunks(1000) {
        let now = site.server.clock.now();
        let mut write = store.write(&creator.user.org_id, now).await.unwrap().unwrap();
        for id in ids {
            let fields = ServiceFields {
                name: format!("service {id}"),
                description: String::new(),
                is_active: true,
                agent_id: agent.parse().unwrap(),
                context_graph_id: graph.parse().unwrap(),
                tags: Tags::new(),
                keyterms: Vec::new(),
            };
            insert(&mut write, id.parse().unwrap(), &fields, &creator).await;
        }
        write.commit().await.unwrap();
    }
    let asked = ids.iter().step_by(services.div_ceil(ASKED));
    let organization = &creator.user.org_id;
    asked
        .map(|id| format!("/v1/{organization}/service/{id}/version_sets/release/resolve"))
        .collect()
}

/// Inserts a service with its sets; `release` pins the first versions.
async fn insert(write: &mut WriteTx, id: ServiceId, fields: &ServiceFields, creator: &Actor) {
    write.insert_service(id, fields, &creator.user).await.unwrap();
    let (first, latest): (VersionNumber, VersionNumber) = (1.try_into().unwrap(), 2.try_into().unwrap());
    for (name, version) in [(SetName::edge(), None), (SetName::release(), Some(first))] {
        let meant = Some(version.unwrap_or(latest));
        let revision = Revision {
            name,
            revision: 1,
            action: RevisionAction::Create,
            agent_id: fields.agent_id,
            context_graph_id: fields.context_graph_id,
            pins: Pins {
                agent_version: version,
                context_graph_version: version,
                ..Pins::default()
            },
            resolved: ResolvedPins {
                agent_version: meant,
                context_graph_version: meant,
            },
            source: None,
            restored_revision: None,
            message: None,
            actor: creator.clone(),
            change_number: write.change_number(),
            created_at: write.changed_at(),
        };
        write.append_revision(id, &revision).await.unwrap();
    }
}
