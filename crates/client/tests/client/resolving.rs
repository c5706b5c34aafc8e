//! Resolving sets through the cache.

use forge_client::{ClientError, ResolveCache};
use forge_types::{ServiceId, SetName, Timestamp};

use crate::scripted::{Server, Step, answer, client, token};

fn service() -> ServiceId {
    "1".repeat(24).parse().unwrap()
}

fn resolution(revision: i64) -> Step {
    let id = "2".repeat(24);
    let body = format!(
        r#"{{"name": "release", "revision": {revision}, "agent_version_info": ["{id}", 1],
            "service_hierarchical_state_machine_version_info": ["{id}", 1], "llm_model_preferences": {{}}}}"#
    );
    Step::Answer(200, "ETag: \"a\"\r\n", body)
}

const DETAIL: &str = r#"{"detail": "x"}"#;

/// Resolves as often as the script, without its sign-in, has steps; tells revisions and whether they are confirmed.
async fn told(cache: &ResolveCache, times: usize) -> Vec<Result<(i64, bool), ClientError>> {
    let mut told = Vec::new();
    for _ in 0..times {
        let resolved = cache.resolve(service(), &SetName::release()).await;
        told.push(resolved.map(|resolved| {
            let since = resolved.unconfirmed_since;
            assert!(since.is_none_or(|since| since == Timestamp::from_millis(7000)));
            (resolved.resolution.value.revision, since.is_none())
        }));
    }
    told
}

#[tokio::test]
async fn the_server_sends_only_what_has_changed() {
    let server = Server::start(vec![
        token("t", 3600),
        resolution(1),
        answer(304, ""),
        resolution(2),
        answer(304, ""),
    ]);
    let cache = ResolveCache::new(client(&server.address, 7, None));
    let told: Vec<_> = told(&cache, 4).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(told, [(1, true), (1, true), (2, true), (2, true)]);
    let asked = server.finish();
    let tags: Vec<_> = asked.iter().map(|asked| asked.header("if-none-match")).collect();
    assert_eq!(tags, [None, None, Some("\"a\""), Some("\"a\""), Some("\"a\"")]);
}

#[tokio::test]
async fn what_was_said_last_counts_while_the_server_cannot_answer() {
    let down = || answer(502, "<html>");
    let server = Server::start(vec![
        token("t", 3600),
        resolution(1),
        down(),
        answer(500, DETAIL),
        resolution(2),
    ]);
    let cache = ResolveCache::new(client(&server.address, 7, None));
    let first: Vec<_> = told(&cache, 4).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(first, [(1, true), (1, false), (1, false), (2, true)]);
    // Nobody listens any more.
    server.finish();
    assert_eq!(told(&cache, 1).await.remove(0).unwrap(), (2, false));
}

#[tokio::test]
async fn what_is_gone_or_forbidden_is_forgotten() {
    for (status, again) in [(410, 404), (404, 500), (403, 500)] {
        let server = Server::start(vec![
            token("t", 3600),
            resolution(1),
            answer(status, DETAIL),
            answer(again, DETAIL),
        ]);
        let cache = ResolveCache::new(client(&server.address, 7, None));
        let told = told(&cache, 3).await;
        assert!(
            told[0].is_ok() && told[1].is_err() && told[2].is_err(),
            "{told:?}"
        );
        assert_eq!(server.finish()[3].header("if-none-match"), None);
    }
}
