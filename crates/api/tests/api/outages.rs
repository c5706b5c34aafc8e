//! What is told while the database is away, takes no writes, or is in its own way.

use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Duration;

use axum::http::Method;
use forge_app::StoreUrl;
use forge_testkit::{Engine, TestClient, TestDatabase, TestResponse, TestServer, version_set};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How long something may take that has to happen soon.
const SOON: Duration = Duration::from_secs(20);

/// Ends the sessions of everybody else, as a server does that begins anew: the next ones take its settings.
const END_SESSIONS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()";

async fn put(client: &TestClient, service: &str, agent: i64) -> TestResponse {
    let body = json!({"version_set": version_set(agent, 1)});
    client
        .put(&format!("service/{service}/version_sets/test/"), body)
        .await
}

async fn resolve(client: &TestClient, service: &str) -> TestResponse {
    client
        .get(&format!("service/{service}/version_sets/release/resolve"))
        .await
}

#[track_caller]
fn assert_unavailable(answer: &TestResponse) {
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert!(answer.headers.contains_key("retry-after"));
}

/// Asks until the server is ready, or says that it is not for this reason: what it has found stands for a moment.
async fn wait_for_readiness(client: &TestClient, status: u16, reason: &str) {
    let waiting = async {
        loop {
            let answer = client.get("//readyz").await;
            if answer.status == status && (status == 200 || answer.detail().contains(reason)) {
                return answer;
            }
            assert!([200, 503].contains(&answer.status.as_u16()), "{}", answer.body);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let answer = tokio::time::timeout(SOON, waiting).await.unwrap();
    assert_eq!(answer.headers.contains_key("retry-after"), status == 503);
}

/// Sets something for every session of a database that begins from now on, and ends those that are there.
async fn set_default(database: &TestDatabase, setting: &str) {
    let sql = format!(
        "BEGIN READ WRITE; DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {setting}', current_database()); END $$; \
         COMMIT; {END_SESSIONS}"
    );
    database.tamper(&sql).await;
}

/// Returns a server on a PostgreSQL database of its own, if there is one.
async fn on_postgres() -> Option<(TestDatabase, TestServer)> {
    if !Engine::Postgres.is_available() {
        return None;
    }
    let database = TestDatabase::start(Engine::Postgres).await;
    let server = TestServer::alone(&database).await;
    Some((database, server))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_became_read_only_is_unavailable_to_writers_and_not_ready() {
    let Some((database, server)) = on_postgres().await else {
        return;
    };
    let (admin, service) = (server.admin(), server.service(2).await);
    wait_for_readiness(admin, 200, "").await;
    set_default(&database, "default_transaction_read_only = on").await;
    wait_for_readiness(admin, 503, "read-only").await;
    assert_unavailable(&put(admin, &service, 1).await);
    let agent = json!({"agent_name": "Noor"});
    assert_unavailable(&admin.post("organization/agent", agent.clone()).await);
    assert_eq!(resolve(admin, &service).await.status, 200);
    assert_eq!(admin.get("organization/agent?limit=1").await.status, 200);
    set_default(&database, "default_transaction_read_only = off").await;
    wait_for_readiness(admin, 200, "").await;
    assert_eq!(put(admin, &service, 1).await.status, 204);
    assert_eq!(admin.post("organization/agent", agent).await.status, 201);
    server.app.store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_database_lacks_its_tables_is_not_ready() {
    let Some((database, server)) = on_postgres().await else {
        return;
    };
    let (admin, service) = (server.admin(), server.service(2).await);
    wait_for_readiness(admin, 200, "").await;
    assert_eq!(resolve(admin, &service).await.status, 200);
    for (away, back) in [
        (
            "ALTER TABLE audit_event RENAME TO elsewhere",
            "ALTER TABLE elsewhere RENAME TO audit_event",
        ),
        (
            "ALTER SCHEMA public RENAME TO elsewhere",
            "ALTER SCHEMA elsewhere RENAME TO public",
        ),
    ] {
        database.tamper(away).await;
        wait_for_readiness(admin, 503, "").await;
        assert_eq!(resolve(admin, &service).await.status, 200);
        database.tamper(back).await;
        wait_for_readiness(admin, 200, "").await;
    }
    assert_eq!(put(admin, &service, 1).await.status, 204);
    server.app.store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_may_be_set_to_any_isolation() {
    let Some((database, server)) = on_postgres().await else {
        return;
    };
    let (admin, service) = (server.admin(), server.service(2).await);
    for isolation in ["repeatable read", "serializable"] {
        let setting = format!("default_transaction_isolation = ''{isolation}''");
        set_default(&database, &setting).await;
        let mut promoting = tokio::task::JoinSet::new();
        for number in 0..24 {
            let (admin, service) = (admin.clone(), service.clone());
            promoting.spawn(async move { put(&admin, &service, number % 2 + 1).await });
        }
        for answer in promoting.join_all().await {
            assert_eq!(answer.status, 204, "{isolation}: {}", answer.body);
        }
    }
    server.app.store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_stays_in_the_schema_that_it_was_started_on() {
    let Some((database, server)) = on_postgres().await else {
        return;
    };
    let (admin, service) = (server.admin(), server.service(2).await);
    // Another store, as far as anybody can tell, which new sessions find first.
    let other = "CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.organization AS TABLE public.organization;
        CREATE TABLE elsewhere.audit_event AS TABLE public.audit_event;
        CREATE TABLE elsewhere.version_set AS TABLE public.version_set";
    database.tamper(other).await;
    set_default(&database, "search_path = elsewhere, public").await;
    wait_for_readiness(admin, 200, "").await;
    assert_eq!(put(admin, &service, 2).await.status, 204);
    let last = async |schema| {
        let sql = format!("SELECT MAX(change_number)::TEXT FROM {schema}.organization");
        database.texts(&sql).await
    };
    assert_ne!(last("public").await, last("elsewhere").await);
    server.app.store.close().await;
}

/// Creates a trigger that reports a failure at two of three updates, or at each.
fn failing(table: &str, code: &str, of_three: i64) -> String {
    format!(
        "CREATE SEQUENCE IF NOT EXISTS asked MINVALUE 0; \
         CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF nextval('asked') % 3 < {of_three} THEN RAISE EXCEPTION 'played' USING ERRCODE = '{code}'; END IF; \
             RETURN NEW; END $$; \
         CREATE TRIGGER fail BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION fail()"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_in_the_way_of_another_is_tried_again_or_told_to_try_again() {
    let Some((database, server)) = on_postgres().await else {
        return;
    };
    let (admin, service) = (server.admin(), server.service(2).await);
    assert_eq!(put(admin, &service, 1).await.status, 204);
    for code in ["40001", "40P01"] {
        // Where the write begins, it is begun anew.
        database.tamper(&failing("organization", code, 2)).await;
        for agent in [2, 1, 2, 1] {
            assert_eq!(put(admin, &service, agent).await.status, 204, "{code}");
        }
        database.tamper("DROP TRIGGER fail ON organization").await;
        // Later, the caller has to look again: nothing of it was written.
        database.tamper(&failing("version_set", code, 3)).await;
        assert_unavailable(&put(admin, &service, 2).await);
        database.tamper("DROP TRIGGER fail ON version_set").await;
    }
    for code in ["25006", "53300", "57P03", "08P01", "55P03", "58030"] {
        database.tamper(&failing("version_set", code, 3)).await;
        assert_unavailable(&put(admin, &service, 2).await);
        database.tamper("DROP TRIGGER fail ON version_set").await;
    }
    assert_eq!(put(admin, &service, 2).await.status, 204);
    server.app.store.close().await;
}

/// Passes on what comes, both ways, as long as nobody says that the network is down; then it stands still, and nobody
/// is told.
async fn network_to(target: String) -> (u16, watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (down, is_down) = watch::channel(false);
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let (target, mut is_down) = (target.clone(), is_down.clone());
            tokio::spawn(async move {
                let mut far = TcpStream::connect(target).await.unwrap();
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut near, &mut far) => return,
                    _ = is_down.wait_for(|is_down| *is_down) => {}
                }
                let _ = is_down.wait_for(|is_down| !*is_down).await;
            });
        }
    });
    (port, down)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_silent_or_gone_is_told_in_time_and_resolving_goes_on() {
    if !Engine::Postgres.is_available() {
        return;
    }
    let mut database = TestDatabase::start(Engine::Postgres).await;
    let StoreUrl::Postgres(text) = &database.url else {
        panic!("no PostgreSQL")
    };
    let mut through: reqwest::Url = text.parse().unwrap();
    let host = (
        through.host_str().unwrap().to_owned(),
        through.port().unwrap_or(5432),
    );
    let (port, down) = network_to(format!("{}:{}", host.0, host.1)).await;
    through.set_host(Some("127.0.0.1")).unwrap();
    through.set_port(Some(port)).unwrap();
    let direct = std::mem::replace(&mut database.url, StoreUrl::Postgres(through.into()));
    let server = TestServer::alone(&database).await;
    database.url = direct;
    let (admin, service) = (server.admin(), server.service(2).await);
    assert_eq!(resolve(admin, &service).await.status, 200);
    wait_for_readiness(admin, 200, "").await;
    down.send(true).unwrap();
    wait_for_readiness(admin, 503, "does not answer").await;
    assert_eq!(resolve(admin, &service).await.status, 200);
    assert_eq!(
        admin
            .send_raw(Method::GET, "//healthz", &[], None, Vec::new())
            .await
            .status,
        200
    );
    down.send(false).unwrap();
    wait_for_readiness(admin, 200, "").await;
    assert_eq!(put(admin, &service, 1).await.status, 204);
    server.app.store.close().await;
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_folder_that_was_removed_or_replaced_takes_no_writes() {
    let database = TestDatabase::start(Engine::Sqlite).await;
    let server = TestServer::alone(&database).await;
    let (admin, service) = (server.admin(), server.service(2).await);
    assert_eq!(put(admin, &service, 1).await.status, 204);
    let (data, away) = (
        database.folder.path().join("data"),
        database.folder.path().join("away"),
    );
    let whole: fn(&Path, &Path) = |data, away| std::fs::rename(data, away).unwrap();
    let copied: fn(&Path, &Path) = |data, away| {
        std::fs::rename(data, away).unwrap();
        copy_folder(away, data);
    };
    let one_file: fn(&Path, &Path) = |data, away| {
        copy_folder(data, away);
        std::fs::rename(data.join("forge.db-wal"), data.join("elsewhere")).unwrap();
    };
    for (what, remove) in [
        ("removed", whole),
        ("replaced", copied),
        ("without its log", one_file),
    ] {
        remove(&data, &away);
        let before = admin.get(&format!("service/{service}/version_sets/test/")).await;
        assert_eq!(
            before.status, 200,
            "{what}: what was read from the files goes on being read"
        );
        assert_unavailable(&put(admin, &service, 2).await);
        wait_for_readiness(admin, 503, "removed or replaced").await;
        assert_eq!(resolve(admin, &service).await.status, 200, "{what}");
        // The very same files: nothing is lost.
        if data.join("elsewhere").exists() {
            std::fs::rename(data.join("elsewhere"), data.join("forge.db-wal")).unwrap();
            std::fs::remove_dir_all(&away).unwrap();
        } else {
            let _ = std::fs::remove_dir_all(&data);
            std::fs::rename(&away, &data).unwrap();
        }
        wait_for_readiness(admin, 200, "").await;
        assert_eq!(put(admin, &service, 2).await.status, 204, "{what}");
        assert_eq!(put(admin, &service, 1).await.status, 204, "{what}");
    }
    server.app.store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_the_database_that_something_else_wrote_to_take_no_writes() {
    for file in ["forge.db", "forge.db-wal", "forge.db-shm"] {
        let database = TestDatabase::start(Engine::Sqlite).await;
        let server = TestServer::alone(&database).await;
        let (admin, service) = (server.admin(), server.service(2).await);
        assert_eq!(put(admin, &service, 1).await.status, 204);
        assert_eq!(resolve(admin, &service).await.status, 200);
        let path = database.folder.path().join("data").join(file);
        let written = std::fs::File::options().write(true).open(&path).unwrap();
        if file == "forge.db-shm" {
            // Whoever cuts what a process has mapped into its memory ends the process.
            let length = usize::try_from(written.metadata().unwrap().len()).unwrap();
            written.write_all_at(&vec![0; length], 0).unwrap();
        } else {
            written.set_len(0).unwrap();
        }
        assert_unavailable(&put(admin, &service, 2).await);
        wait_for_readiness(admin, 503, "overwritten or damaged").await;
        assert_eq!(resolve(admin, &service).await.status, 200, "{file}");
        let read = admin.get(&format!("service/{service}/version_sets/test/")).await;
        assert_unavailable(&read);
        server.app.store.close().await;
    }
}
