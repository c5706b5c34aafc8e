//! Writers who share a commit: what each may rely on, whatever the others do.

mod failures;
mod groups;

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use forge_domain::asset::{AssetId, AssetKind};
use forge_domain::service::ServiceFields;
use forge_domain::tag::Tags;
use forge_domain::{Clock as _, OrganizationId, Timestamp, UserRef};
use forge_store::{PageRequest, SharedCommits, Store, StoreError, WriteTx};
use forge_testkit::{Engine, TestServer};

const KIND: AssetKind = AssetKind::Agent;

type Later<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

/// A store on SQLite with one organization.
struct Fixture {
    store: Store,
    organization: OrganizationId,
    now: Timestamp,
    server: TestServer,
}

impl Fixture {
    async fn start() -> Self {
        let server = TestServer::start(Engine::Sqlite).await;
        // Groups end when nobody waits, however slow the machine is.
        server.app.store.set_group_time(Duration::MAX);
        Self {
            store: server.app.store.clone(),
            organization: server.admin().organization.parse().unwrap(),
            now: server.clock.now(),
            server,
        }
    }

    /// Begins a write and waits for its turn.
    async fn write(&self) -> WriteTx {
        self.store
            .write(&self.organization, self.now)
            .await
            .unwrap()
            .unwrap()
    }

    /// Begins a write that has its place in the queue, but not its turn yet.
    async fn queued(&self) -> Later<WriteTx> {
        self.queued_on(&self.store).await
    }

    async fn queued_on(&self, store: &Store) -> Later<WriteTx> {
        let (store, organization, now) = (store.clone(), self.organization.clone(), self.now);
        let before = self.counts().waiting;
        let later = started(async move { Ok(store.write(&organization, now).await?.unwrap()) }).await;
        assert_eq!(self.counts().waiting, before + 1, "somebody has the connection");
        later
    }

    fn counts(&self) -> SharedCommits {
        self.store.shared_commits().unwrap()
    }

    async fn names(&self) -> Vec<String> {
        let mut read = self.store.read().await.unwrap();
        let assets = read
            .list_assets(&self.organization, KIND, None, PageRequest::first(1000))
            .await;
        assets.unwrap().iter().map(|asset| asset.name.clone()).collect()
    }

    /// Creates an agent and a context graph for a service.
    async fn parts(&self) -> [String; 2] {
        [self.server.agent(1).await, self.server.context_graph(1).await]
    }

    /// Lets a write do what the database finds out only at the commit: a service without its sets.
    async fn spoil(&self, write: &mut WriteTx, [agent, graph]: &[String; 2]) {
        let fields = ServiceFields {
            name: "without sets".into(),
            description: String::new(),
            is_active: true,
            agent_id: agent.parse().unwrap(),
            context_graph_id: graph.parse().unwrap(),
            tags: Tags::new(),
            keyterms: Vec::new(),
        };
        let creator = UserRef {
            org_id: self.organization.clone(),
            user_id: self.server.admin().user_id.clone(),
        };
        let id = "0123456789abcdef0123ffff".parse().unwrap();
        write.insert_service(id, &fields, &creator).await.unwrap();
    }
}

/// Starts a future: polls it once.
async fn started<T>(future: impl Future<Output = Result<T, StoreError>> + Send + 'static) -> Later<T> {
    let mut later: Later<T> = Box::pin(future);
    let is_pending = poll_fn(|context| Poll::Ready(later.as_mut().poll(context).is_pending())).await;
    assert!(is_pending, "nobody has to wait");
    later
}

/// Returns the id of the asset of that number.
fn asset_id(number: u64) -> AssetId {
    AssetId::parse(KIND, &format!("{number:024x}")).unwrap()
}

async fn insert(write: &mut WriteTx, number: u64, name: &str) {
    write.insert_asset(asset_id(number), name).await.unwrap();
}
