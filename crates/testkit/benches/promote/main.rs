//! Promotions per second over real sockets, beside durable commits of a single row on the same engine.

mod raw;

use forge_testkit::Engine;
use forge_testkit::load::{Request, Site, engines, print_head, print_machine, run, seconds, server_runtime};
use serde_json::json;

const CLIENTS: usize = 32;

fn main() {
    print_machine();
    let runtime = server_runtime();
    for engine in engines() {
        let site = runtime.block_on(Site::start(engine));
        print_head(&format!("{engine:?}"));
        let raw = raw::Rows::new(&site.database, runtime.handle());
        let one_row = raw.run(1, seconds());
        one_row.print("commit of one row, 1 client", None);
        if engine == Engine::Postgres {
            raw.run(CLIENTS, seconds())
                .print(&format!("commit of one row, {CLIENTS} clients"), Some(&one_row));
        }
        let requests = runtime.block_on(requests(&site));
        let (alone, many) = requests.split_at(1);
        for requests in [alone, many] {
            let clients = requests.len();
            let before = site.server.app.store.shared_commits();
            let figures = run(site.address, requests.to_vec(), seconds(), |answer| {
                answer.status == "200" && answer.head.contains("\r\nforge-sequence: ")
            });
            figures.print(&format!("promote, {clients} client(s)"), Some(&one_row));
            if let (Some(before), Some(after)) = (before, site.server.app.store.shared_commits()) {
                let (writes, commits) = (after.writes - before.writes, after.commits - before.commits);
                println!("  {writes} writes in {commits} commits");
            }
        }
        runtime.block_on(site.server.app.store.close());
    }
}

/// Each client, the one alone and the many, has a service of the same organization, and promotes two sets to `release` in turn, so that every call
/// writes.
async fn requests(site: &Site) -> Vec<Vec<Request>> {
    let admin = site.server.admin();
    let authorization = format!("Bearer {}", admin.token.as_deref().unwrap());
    let mut all = Vec::new();
    for _ in 0..=CLIENTS {
        let service = site.server.service(2).await;
        let sets = format!("service/{service}/version_sets");
        let mut requests = Vec::new();
        for (source, number) in [("test", 1), ("preview", 2)] {
            let pins = json!({
                "agent_version_number": number,
                "service_hierarchical_state_machine_version_number": number,
                "llm_model_preferences": {},
            });
            let put = admin
                .put(&format!("{sets}/{source}/"), json!({"version_set": pins}))
                .await;
            assert_eq!(put.status, 204, "{}", put.body);
            let path = format!("/v1/{}/{sets}/release/promote", admin.organization);
            let body = json!({"source": source}).to_string();
            let headers = [("authorization", authorization.as_str())];
            requests.push(Request::new("POST", &path, &headers, &body));
        }
        all.push(requests);
    }
    all
}
