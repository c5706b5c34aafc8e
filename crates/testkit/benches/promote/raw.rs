//! Durable commits of a single row, with the settings that Forge uses: what a write costs at the least.

use std::time::{Duration, Instant};

use forge_store::StoreUrl;
use forge_testkit::TestDatabase;
use forge_testkit::load::Figures;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, Executor as _, PgConnection, SqliteConnection};
use tokio::runtime::Handle;

const CREATE: &str = "CREATE TABLE raw_row (number BIGINT NOT NULL, text TEXT NOT NULL)";
const INSERT: &str = "INSERT INTO raw_row (number, text) VALUES ($1, $2)";

/// A table on the engine of a database, beside those of Forge.
pub(crate) struct Rows<'a> {
    database: &'a TestDatabase,
    runtime: &'a Handle,
}

enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl<'a> Rows<'a> {
    pub(crate) fn new(database: &'a TestDatabase, runtime: &'a Handle) -> Self {
        let rows = Self { database, runtime };
        runtime.block_on(async {
            match rows.connect().await {
                Connection::Sqlite(mut connection) => connection.execute(CREATE).await.map(drop),
                Connection::Postgres(mut connection) => {
                    let settings = ["fsync", "synchronous_commit", "full_page_writes"];
                    for setting in settings {
                        let sql = sqlx::AssertSqlSafe(format!("SHOW {setting}"));
                        let value: String = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
                        println!("  {setting} = {value}");
                    }
                    connection.execute(CREATE).await.map(drop)
                }
            }
            .unwrap();
        });
        rows
    }

    async fn connect(&self) -> Connection {
        match &self.database.url {
            // A file of its own: beside Forge's, which has one writer. The settings are those of `forge-store`.
            StoreUrl::Folder(_) => {
                let options = SqliteConnectOptions::new()
                    .filename(self.database.folder.path().join("raw.db"))
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .pragma("fullfsync", "1");
                Connection::Sqlite(SqliteConnection::connect_with(&options).await.unwrap())
            }
            StoreUrl::Postgres(url) => Connection::Postgres(PgConnection::connect(url).await.unwrap()),
        }
    }

    /// Commits rows one by one from each client, which has a connection of its own.
    pub(crate) fn run(&self, clients: usize, time: Duration) -> Figures {
        self.runtime.block_on(async {
            let mut connections = Vec::new();
            for _ in 0..clients {
                connections.push(self.connect().await);
            }
            let start = Instant::now() + time / 10;
            let clients = connections
                .into_iter()
                .map(|connection| tokio::spawn(commit_rows(connection, start, start + time)));
            let mut latencies = Vec::new();
            for client in clients.collect::<Vec<_>>() {
                latencies.extend(client.await.unwrap());
            }
            Figures::new(latencies, time)
        })
    }
}

async fn commit_rows(mut connection: Connection, start: Instant, end: Instant) -> Vec<Duration> {
    let (text, mut latencies) = ("x".repeat(200), Vec::new());
    for number in 0_i64.. {
        let began = Instant::now();
        if began >= end {
            break;
        }
        let inserted = match &mut connection {
            Connection::Sqlite(connection) => {
                let query = sqlx::query(INSERT).bind(number).bind(&text);
                query.execute(connection).await.map(drop)
            }
            Connection::Postgres(connection) => {
                let query = sqlx::query(INSERT).bind(number).bind(&text);
                query.execute(connection).await.map(drop)
            }
        };
        inserted.unwrap();
        if began >= start {
            latencies.push(began.elapsed());
        }
    }
    latencies
}
