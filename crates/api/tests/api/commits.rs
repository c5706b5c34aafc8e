//! The moment between a commit and its acknowledgement: the database shows what the server does not know yet.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use forge_app::{App, Environment, OpenMode, Store};
use forge_testkit::{Engine, TestClient, TestDatabase, TestServer, version_set};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// How long something must not have happened to count as not happening.
const A_WHILE: Duration = Duration::from_millis(300);

/// Stands between a server and its database, and can keep acknowledgements of commits back.
struct Proxy {
    keeps_back: AtomicBool,
    has_kept_back: Notify,
    released: Notify,
}

impl Proxy {
    /// Starts it and returns where it listens.
    async fn start(database: String) -> (Arc<Self>, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let proxy = Arc::new(Self {
            keeps_back: AtomicBool::new(false),
            has_kept_back: Notify::new(),
            released: Notify::new(),
        });
        let this = Arc::clone(&proxy);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&database).await.unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(pass(from_client, to_server));
                tokio::spawn(Arc::clone(&this).answers(from_server, to_client));
            }
        });
        (proxy, port)
    }

    async fn answers(self: Arc<Self>, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut bytes = vec![0; 1 << 16];
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            let is_commit = bytes[..count].windows(7).any(|part| part == b"COMMIT\0");
            if is_commit && self.keeps_back.swap(false, Ordering::SeqCst) {
                self.has_kept_back.notify_one();
                self.released.notified().await;
            }
            if to.write_all(&bytes[..count]).await.is_err() {
                return;
            }
        }
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
    // The other side notices when one of them goes away.
    let _ = tokio::io::copy(&mut from, &mut to).await;
}

/// A server whose next commit is not acknowledged before the proxy releases it.
struct World {
    proxy: Arc<Proxy>,
    client: TestClient,
    sets: String,
    _database: TestDatabase,
}

impl World {
    async fn start() -> Self {
        let database = TestDatabase::start(Engine::Postgres).await;
        let server = TestServer::alone(&database).await;
        let service = server.service(2).await;
        let url = &database.flags[1];
        let (user, rest) = url.split_once('@').unwrap();
        let (address, name) = rest.split_once('/').unwrap();
        let (proxy, port) = Proxy::start(address.to_owned()).await;
        let url = format!("{user}@127.0.0.1:{port}/{name}");
        let environment = Environment {
            snapshots: Arc::default(),
            ..Environment::clone(&server.app)
        };
        let store = Store::open(&url.parse().unwrap(), OpenMode::MustExist).await;
        let app = App::new(store.unwrap(), environment);
        let client = TestClient {
            router: forge_api::Router::new(app, forge_testkit::limits()),
            ..server.admin().clone()
        };
        let sets = format!("service/{service}/version_sets");
        let world = Self {
            proxy,
            client,
            sets,
            _database: database,
        };
        assert_eq!(world.resolved_revision().await, 1);
        world
    }

    /// Begins to write `release` and returns when the database has committed and nobody here knows.
    async fn begin_write(&self) -> tokio::task::JoinHandle<u16> {
        self.proxy.keeps_back.store(true, Ordering::SeqCst);
        let (client, path) = (self.client.clone(), format!("{}/release/", self.sets));
        let writing = tokio::spawn(async move {
            let body = json!({"version_set": version_set(1, 1)});
            client.put(&path, body).await.status.as_u16()
        });
        self.proxy.has_kept_back.notified().await;
        writing
    }

    async fn resolved_revision(&self) -> i64 {
        let answer = self.client.get(&format!("{}/release/resolve", self.sets)).await;
        answer.body["revision"].as_i64().unwrap()
    }

    async fn read_revision(&self) -> i64 {
        let answer = self.client.get(&format!("{}/release/", self.sets)).await;
        answer.body["revision"].as_i64().unwrap()
    }
}

#[tokio::test]
async fn who_reads_a_commit_before_it_is_acknowledged_hears_of_it_when_memory_knows_it() {
    if !Engine::Postgres.is_available() {
        return;
    }
    let world = World::start().await;
    let writing = world.begin_write().await;
    assert_eq!(
        world.resolved_revision().await,
        1,
        "nobody has been told of the second yet"
    );
    {
        let mut reading = std::pin::pin!(world.read_revision());
        let early = tokio::time::timeout(A_WHILE, &mut reading).await;
        assert!(
            early.is_err(),
            "{early:?} was told, and resolving answers {}",
            world.resolved_revision().await
        );
        world.proxy.released.notify_one();
        assert_eq!(reading.await, 2);
    }
    assert_eq!(world.resolved_revision().await, 2);
    assert_eq!(writing.await.unwrap(), 204);
}

#[tokio::test]
async fn a_commit_is_seen_through_when_its_caller_hangs_up() {
    if !Engine::Postgres.is_available() {
        return;
    }
    let world = World::start().await;
    let writing = world.begin_write().await;
    writing.abort();
    assert!(writing.await.unwrap_err().is_cancelled());
    world.proxy.released.notify_one();
    assert_eq!(world.read_revision().await, 2);
    assert_eq!(world.resolved_revision().await, 2);
}
