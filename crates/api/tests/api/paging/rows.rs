//! Rows that move, change and leave while a list is read.

use forge_testkit::{Dice, TestServer, both_engines};
use serde_json::json;

use super::{List, names, services};
use crate::conversations;
use crate::simulation::{TESTS, World};

#[expect(clippy::print_stdout, reason = "the output of a test")]
fn tell(seed: u64) {
    println!("FORGE_TEST_SEED={seed}");
}

#[both_engines]
async fn every_row_that_keeps_its_place_is_read_exactly_once(server: TestServer) {
    let seed = Dice::seed();
    tell(seed);
    for list in [
        List::Services,
        List::Users,
        List::Personas,
        List::UnitTests,
        List::UnitTestSets,
    ] {
        for order in list.orders() {
            // Each on a server of its own: a page may show 20 at most, and all rows are to be on one.
            let mut dice = Dice::new(seed).split();
            let own = TestServer::start(server.engine).await;
            let own_world = World::new(&own).await;
            list.read_while_it_changes(&own, &own_world, order, &mut dice)
                .await;
        }
    }
}

#[both_engines]
async fn a_page_goes_on_where_the_last_ended_though_its_row_was_renamed(server: TestServer) {
    let all = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    let ids = services(&server, &all).await;
    let admin = server.admin();
    let first = admin.get("service/?limit=3&sort_by=+name").await;
    assert_eq!(names(&first, "services"), all[..3]);
    assert_eq!(
        admin
            .post(&format!("service/{}/", ids[2]), json!({"name": "zz"}))
            .await
            .status,
        200
    );
    let token = &first.body["continuation_token"];
    let next = admin
        .get(&format!(
            "service/?limit=20&sort_by=+name&continuation_token={token}"
        ))
        .await;
    assert_eq!(names(&next, "services"), ["d", "e", "f", "g", "h", "i", "zz"]);

    let first = admin
        .get("service/?limit=3&sort_by=-is_active&sort_by=+name")
        .await;
    assert_eq!(names(&first, "services"), ["a", "b", "d"]);
    assert_eq!(
        admin
            .post(&format!("service/{}/", ids[3]), json!({"is_active": false}))
            .await
            .status,
        200
    );
    let token = &first.body["continuation_token"];
    let path = format!("service/?limit=20&sort_by=-is_active&sort_by=+name&continuation_token={token}");
    assert_eq!(
        names(&admin.get(&path).await, "services"),
        ["e", "f", "g", "h", "i", "zz", "d"]
    );
}

#[both_engines]
async fn a_page_goes_on_where_the_last_ended_though_its_row_was_touched(server: TestServer) {
    let world = World::new(&server).await;
    let mut ids = Vec::new();
    for number in 0..9 {
        server.clock.advance_seconds(1);
        ids.push(world.test(&server, &format!("t{number}")).await);
    }
    server.clock.advance_seconds(1);
    for (order, first, rest) in [
        (
            "%2Bupdated_at",
            ["t0", "t1", "t2"],
            vec!["t3", "t4", "t5", "t6", "t7", "t8", "t2"],
        ),
        (
            "-updated_at",
            ["t2", "t8", "t7"],
            vec!["t6", "t5", "t4", "t3", "t1", "t0"],
        ),
    ] {
        let page = server
            .admin()
            .get(&format!("{TESTS}?limit=3&sort_by={order}"))
            .await;
        assert_eq!(names(&page, "simulation_unit_tests"), first);
        let last: usize = first[2][1..].parse().unwrap();
        let touched = server
            .admin()
            .post(&format!("{TESTS}{}/", ids[last]), json!({"description": order}))
            .await;
        assert_eq!(touched.status, 204, "{}", touched.body);
        let token = &page.body["continuation_token"];
        let path = format!("{TESTS}?sort_by={order}&continuation_token={token}");
        assert_eq!(
            names(&server.admin().get(&path).await, "simulation_unit_tests"),
            rest
        );
    }
}

#[both_engines]
async fn a_page_of_users_goes_on_though_the_last_one_talked_meanwhile(server: TestServer) {
    let service = server.service(1).await;
    let mut users = Vec::new();
    for _ in 0..4 {
        users.push(server.user(forge_domain::access::DefaultRole::User).await);
    }
    let path = "user/?sort_by=%2Buser_stats.num_conversations&limit=3";
    let page = server.admin().get(path).await;
    let ids = List::Users.ids(&page.body);
    let last = users.iter().find(|user| user.user_id == ids[2]).unwrap();
    conversations::create(last, &service, json!({})).await;
    let token = &page.body["continuation_token"];
    let next = server
        .admin()
        .get(&format!(
            "user/?sort_by=%2Buser_stats.num_conversations&continuation_token={token}"
        ))
        .await;
    let next = List::Users.ids(&next.body);
    for user in &users {
        let times = ids.iter().chain(&next).filter(|id| **id == user.user_id).count();
        assert_eq!(
            times,
            if user.user_id == ids[2] { 2 } else { 1 },
            "who moved comes where they are now"
        );
    }
}

#[both_engines]
async fn rows_that_leave_a_filtered_list_take_no_others_with_them(server: TestServer) {
    let world = World::new(&server).await;
    for number in 0..3 {
        world.test(&server, &format!("t{number}")).await;
    }
    let path = format!("{TESTS}?limit=1&is_deleted=false");
    let page = server.admin().get(&path).await;
    let id = &List::UnitTests.ids(&page.body)[0];
    assert_eq!(server.admin().delete(&format!("{TESTS}{id}/")).await.status, 204);
    let token = &page.body["continuation_token"];
    let next = server
        .admin()
        .get(&format!("{path}&continuation_token={token}"))
        .await;
    assert_eq!(names(&next, "simulation_unit_tests"), ["t1"]);
}
