//! Databases for tests.

use std::collections::BTreeSet;

use forge_app::{OpenMode, OsRandom, Random as _, Store, StoreUrl};
use tempfile::TempDir;

use crate::record;

/// The variable that names a PostgreSQL database which tests may fill at will.
const POSTGRES_URL: &str = "FORGE_TEST_DATABASE_URL";

/// One of the two engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// The embedded one.
    Sqlite,
    /// The one that several nodes share.
    Postgres,
}

impl Engine {
    /// Returns `true` if tests can run on the engine here.
    ///
    /// In CI, they must.
    ///
    /// # Panics
    /// In CI, if they cannot.
    pub fn is_available(self) -> bool {
        match self {
            Self::Sqlite => true,
            Self::Postgres => {
                let is_there = std::env::var_os(POSTGRES_URL).is_some();
                assert!(
                    is_there || std::env::var_os("CI").is_none(),
                    "{POSTGRES_URL} is not set, and CI never skips PostgreSQL; run ./scripts/test"
                );
                if !is_there {
                    eprintln!("skipped: {POSTGRES_URL} is not set; ./scripts/test sets it");
                }
                is_there
            }
        }
    }
}

/// Returns a text that no other test has.
pub(crate) fn unique() -> String {
    let mut bytes = [0; 8];
    OsRandom::default().fill(&mut bytes).unwrap();
    forge_domain::hex(&bytes)
}

/// A store that other tests may share (PostgreSQL) or not (SQLite); tenants keep tests apart.
pub(crate) async fn shared(engine: Engine) -> (Store, Option<TempDir>) {
    match engine {
        Engine::Sqlite => {
            let folder = tempfile::tempdir().unwrap();
            let url = StoreUrl::Folder(folder.path().to_owned());
            (
                Store::open(&url, OpenMode::CreateIfMissing).await.unwrap(),
                Some(folder),
            )
        }
        Engine::Postgres => {
            let url = std::env::var(POSTGRES_URL).unwrap().parse().unwrap();
            (Store::open(&url, OpenMode::CreateIfMissing).await.unwrap(), None)
        }
    }
}

/// A database that nobody else uses and that holds nothing yet.
#[derive(Debug)]
pub struct TestDatabase {
    /// Which engine it is of.
    pub engine: Engine,
    /// Where it is.
    pub url: StoreUrl,
    /// The same as commands take it: `--data-dir DIR` or `--database-url URL`.
    pub flags: [String; 2],
    /// A folder for whatever the test wants to keep; of SQLite, the database is in it.
    pub folder: TempDir,
    dropped_by: Option<String>,
}

impl TestDatabase {
    /// Creates a database.
    pub async fn start(engine: Engine) -> Self {
        record::log();
        let folder = tempfile::tempdir().unwrap();
        match engine {
            Engine::Sqlite => {
                let data = folder.path().join("data");
                let flags = ["--data-dir".to_owned(), data.display().to_string()];
                Self {
                    engine,
                    url: StoreUrl::Folder(data),
                    flags,
                    folder,
                    dropped_by: None,
                }
            }
            Engine::Postgres => {
                let server = std::env::var(POSTGRES_URL).unwrap();
                let name = format!("forge_test_{}", unique());
                run_sql(&server, &format!("CREATE DATABASE {name}")).await;
                let (base, _) = server.rsplit_once('/').unwrap();
                let text = format!("{base}/{name}");
                let flags = ["--database-url".to_owned(), text.clone()];
                let dropped_by = Some(format!("DROP DATABASE {name} WITH (FORCE)"));
                Self {
                    engine,
                    url: text.parse().unwrap(),
                    flags,
                    folder,
                    dropped_by,
                }
            }
        }
    }

    fn raw_url(&self) -> String {
        match &self.url {
            StoreUrl::Folder(folder) => format!("sqlite://{}/forge.db", folder.display()),
            StoreUrl::Postgres(url) => url.clone(),
        }
    }

    /// Runs SQL behind Forge's back.
    pub async fn tamper(&self, sql: &str) {
        run_sql(&self.raw_url(), sql).await;
    }

    /// Runs a query that gives one text a row.
    pub async fn texts(&self, sql: &str) -> BTreeSet<String> {
        query(&self.raw_url(), sql).await.unwrap().into_iter().collect()
    }

    /// Runs SQL that Forge's own constraints must refuse and returns what the database says.
    pub async fn refused(&self, sql: &str) -> String {
        try_sql(&self.raw_url(), sql)
            .await
            .expect_err("the database must refuse this")
            .to_string()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        keep_audit_rows(self.raw_url(), "");
        let (Some(sql), Ok(server)) = (self.dropped_by.take(), std::env::var(POSTGRES_URL)) else {
            return;
        };
        apart(async move { run_sql(&server, &sql).await });
    }
}

/// Does something to its end on a runtime of its own: the caller may be on a thread of another one.
fn apart(work: impl Future<Output = ()> + Send + 'static) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let _ = std::thread::spawn(move || runtime.block_on(work)).join();
}

/// Keeps the audit rows of a database, or of those organizations that a condition names, and notes the sealed keys.
fn keep_audit_rows(url: String, condition: &str) {
    if !record::is_on() {
        return;
    }
    let rows = format!(
        "SELECT organization_id || ' ' || actor_user_id || ' ' || action || ' ' || object_kind || ' ' || object_id
            || ' ' || before_document || ' ' || after_document FROM audit_event {condition}"
    );
    let keys = format!("SELECT sealed_private_key FROM signing_key {condition}");
    apart(async move {
        // A test may never have made a store, or have left a broken one.
        let (Ok(rows), Ok(keys)) = (query(&url, &rows).await, query(&url, &keys).await) else {
            return;
        };
        record::written("audit rows", rows.join("\n").as_bytes());
        for key in keys {
            record::secret("sealed key", &key);
        }
    });
}

/// Keeps the audit rows of some organizations when it goes away.
#[derive(Debug)]
pub(crate) struct AuditRows {
    url: String,
    organizations: Vec<String>,
}

impl AuditRows {
    /// Returns this for the organizations in a store that [`shared`] opened.
    pub(crate) fn of(folder: Option<&TempDir>, organizations: Vec<String>) -> Self {
        let url = match folder {
            Some(folder) => format!("sqlite://{}/forge.db", folder.path().display()),
            None => std::env::var(POSTGRES_URL).unwrap_or_default(),
        };
        Self { url, organizations }
    }

    /// Runs SQL that Forge's own constraints must refuse and returns what the database says.
    pub(crate) async fn refused(&self, sql: &str) -> String {
        try_sql(&self.url, sql)
            .await
            .expect_err("the database must refuse this")
            .to_string()
    }
}

impl Drop for AuditRows {
    fn drop(&mut self) {
        let ids = self.organizations.join("', '");
        keep_audit_rows(self.url.clone(), &format!("WHERE organization_id IN ('{ids}')"));
    }
}

/// Runs a query that gives one text a row.
async fn query(url: &str, sql: &str) -> Result<Vec<String>, sqlx::Error> {
    use sqlx::{AssertSqlSafe, Connection as _};
    if url.starts_with("sqlite:") {
        let mut connection = sqlx::SqliteConnection::connect(url).await?;
        sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_all(&mut connection)
            .await
    } else {
        let mut connection = sqlx::PgConnection::connect(url).await?;
        sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_all(&mut connection)
            .await
    }
}

async fn run_sql(url: &str, sql: &str) {
    try_sql(url, sql).await.unwrap();
}

async fn try_sql(url: &str, sql: &str) -> Result<(), sqlx::Error> {
    use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
    if url.starts_with("sqlite:") {
        let mut connection = sqlx::SqliteConnection::connect(url).await?;
        connection
            .execute(AssertSqlSafe("PRAGMA foreign_keys = ON"))
            .await?;
        connection.execute(AssertSqlSafe(sql.to_owned())).await?;
    } else {
        let mut connection = sqlx::PgConnection::connect(url).await?;
        connection.execute(AssertSqlSafe(sql.to_owned())).await?;
    }
    Ok(())
}
