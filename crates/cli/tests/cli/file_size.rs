//! Servers whose files may not grow any more.

use forge_testkit::{Engine, TestDatabase};

use crate::process::{Serving, init, location, run};

/// Closes the server for maintenance, or opens it again, which is a write; tells whether that was done.
fn administrate(switch: &str, location: &[String]) -> bool {
    run(&["admin", "maintenance", switch], location).status.success()
}

async fn readiness(server: &Serving) -> u16 {
    let url = format!("{}/readyz", server.address);
    reqwest::get(url).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_server_whose_files_may_not_grow_takes_no_writes_and_goes_on() {
    let database = TestDatabase::start(Engine::Sqlite).await;
    let location = location(&database);
    init("acme", &location);
    let server = Serving::start_with_open_files(256, 256, &location);
    assert!(administrate("on", &location));
    server.limit_file_size("1000");
    assert!(!administrate("off", &location));
    assert_eq!(readiness(&server).await, 503);
    server.limit_file_size("unlimited");
    assert!(administrate("off", &location));
    server.stop();
}
