//! The stream itself: its signs of life, its end, and how much of it there may be.

use std::time::Duration;

use axum::http::StatusCode;
use forge_api::Limits;
use forge_domain::access::DefaultRole;
use forge_testkit::{both_engines, limits};
use http_body_util::BodyExt as _;
use serde_json::json;

use super::{SOON, Stream, forgetful, put};

#[both_engines]
async fn a_stream_ends_with_its_token(server: TestServer) {
    let quick = Limits {
        heartbeat: Duration::from_millis(20),
        ..limits()
    };
    let router = server.router_with(quick);
    let mut stream = Stream::open(&router, server.admin(), "", None).await.unwrap();
    server.clock.advance_seconds(3601);
    let end = stream.next().await.unwrap();
    assert_eq!(end.event.as_deref(), Some("end"));
    assert!(
        end.data["reason"].as_str().unwrap().contains("sign in again"),
        "{end:?}"
    );
    assert_eq!(stream.next().await, None);
}

#[both_engines]
async fn every_message_has_content_and_tells_how_far_the_reader_is(server: TestServer) {
    let quick = Limits {
        heartbeat: Duration::from_millis(20),
        ..limits()
    };
    let router = server.router_with(quick);
    let (service, other) = (server.service(2).await, server.service(1).await);
    let query = format!("?service_id={other}");
    let mut stream = Stream::open(&router, server.admin(), &query, None).await.unwrap();
    let begun = stream.message().await.unwrap();
    assert_eq!(
        (begun.event.as_deref(), &begun.data["sequence"]),
        (Some("progress"), &json!(begun.id.unwrap()))
    );
    // What is not told moves the place all the same.
    for agent in [1, 2] {
        let last = put(server.admin(), &service, "test", agent).await;
        let block = stream.block().await.unwrap();
        let lines: Vec<&str> = block.lines().skip_while(|line| line.starts_with(':')).collect();
        let data = format!("data: {{\"sequence\":{last}}}");
        assert_eq!(lines, [&*format!("id: {last}"), "event: progress", &*data]);
    }
    let mut again = Stream::open(
        &router,
        server.admin(),
        &query,
        Some(&begun.id.unwrap().to_string()),
    )
    .await
    .unwrap();
    assert_eq!(again.message().await.unwrap().id, begun.id);
    let told = put(server.admin(), &other, "test", 1).await;
    assert_eq!(again.change().await.id, Some(told));
}

#[both_engines]
async fn a_silent_stream_gives_signs_of_life_that_end_no_message(server: TestServer) {
    let quick = Limits {
        heartbeat: Duration::from_millis(20),
        ..limits()
    };
    let router = server.router_with(quick);
    let mut stream = Stream::open(&router, server.admin(), "", None).await.unwrap();
    stream.block().await.unwrap();
    for _ in 0..2 {
        assert!(stream.line().await.starts_with(": "));
    }
}

#[both_engines]
async fn a_slow_reader_is_cut_off(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(2).await);
    let impatient = Limits {
        write_timeout: Duration::from_millis(50),
        ..limits()
    };
    let router = server.router_with(impatient);
    let mut stream = Stream::open(&router, admin, "", None).await.unwrap();
    stream.message().await.unwrap();
    let first = put(admin, &service, "test", 1).await;
    // Signs of life of another stream tell how time goes by: many times what the reader has.
    let lively = Limits {
        heartbeat: Duration::from_millis(50),
        ..limits()
    };
    let mut other = Stream::open(&server.router_with(lively), admin, "", None)
        .await
        .unwrap();
    for _ in 0..10 {
        while !other.line().await.starts_with(": ") {}
    }
    let second = put(admin, &service, "test", 2).await;
    assert_eq!(stream.change().await.id, Some(first));
    assert_eq!(
        stream.next().await,
        None,
        "what the reader did not take is not kept"
    );
    // And nothing is lost by it.
    let mut stream = Stream::open(&router, admin, "", Some(&first.to_string()))
        .await
        .unwrap();
    assert_eq!(stream.change().await.id, Some(second));
}

#[both_engines]
async fn whoever_missed_much_is_told_it_part_by_part(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(2).await);
    let first = put(admin, &service, "test", 1).await;
    let mut last = first;
    for round in 1..300 {
        last = put(admin, &service, "test", 1 + round % 2).await;
    }
    // From the database, and from memory.
    for router in [forgetful(&server, limits()), admin.router.clone()] {
        let query = format!("?after={}", first - 1);
        let mut stream = Stream::open(&router, admin, &query, None).await.unwrap();
        let mut told = Vec::new();
        while told.last() != Some(&last) {
            let frame = tokio::time::timeout(SOON, stream.body.frame()).await.unwrap();
            let part = String::from_utf8(frame.unwrap().unwrap().into_data().unwrap().to_vec()).unwrap();
            assert!(part.len() < 80_000, "{}", part.len());
            let is_change = |block: &&str| block.contains("event: change");
            let id = |block: &str| block.strip_prefix("id: ")?.lines().next()?.parse::<i64>().ok();
            told.extend(part.split("\n\n").filter(is_change).filter_map(id));
        }
        assert_eq!(told, (first..=last).collect::<Vec<_>>());
    }
}

#[both_engines]
async fn a_user_follows_with_so_many_streams_and_no_more(server: TestServer) {
    let admin = server.admin();
    let mut streams = Vec::new();
    for _ in 0..200 {
        streams.push(Stream::of(admin).await);
    }
    let Err((status, body)) = Stream::open(&admin.router, admin, "", None).await else {
        panic!("one more was opened");
    };
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        body["detail"].as_str().unwrap().contains("too many streams"),
        "{body}"
    );
    let other = server.user(DefaultRole::Administrator).await;
    Stream::of(&other).await;
    streams.pop();
    // Its server notices soon.
    let again = async {
        while Stream::open(&admin.router, admin, "", None).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, again).await.unwrap();
}

#[both_engines]
async fn under_concurrent_writes_no_change_is_missed_or_told_twice(server: TestServer) {
    const WRITERS: i64 = 6;
    const WRITES: i64 = 25;
    let (admin, service) = (server.admin().clone(), server.service(2).await);
    let mut stream = Stream::of(&admin).await;
    let first = put(&admin, &service, "test", 1).await;
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (admin, service) = (admin.clone(), service.clone());
            tokio::spawn(async move {
                for round in 0..WRITES {
                    put(&admin, &service, &format!("personal-{writer}"), 1 + round % 2).await;
                }
            })
        })
        .collect();
    let last = first + WRITERS * WRITES;
    let mut told = Vec::new();
    while told.last() != Some(&last) {
        // The reader loses its connection every now and then, and comes back.
        if told.len() % 17 == 16 {
            let seen = told.last().map(i64::to_string);
            stream = Stream::open(&admin.router, &admin, "", seen.as_deref())
                .await
                .unwrap();
        }
        told.push(stream.change().await.id.unwrap());
    }
    assert_eq!(told, (first..=last).collect::<Vec<_>>());
    for writer in writers {
        writer.await.unwrap();
    }
}
