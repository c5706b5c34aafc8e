//! Types that hold a secret do not show it when they are printed.

use std::fmt::Debug;

use forge_app::Keyring;
use forge_store::{OpenMode, SigningKey, Store, StoreUrl};
use forge_testkit::{Engine, both_engines, record};
use serde_json::json;

/// Prints something, and ensures that nothing of it is secret.
#[track_caller]
fn prints_without(secrets: &[&str], thing: &impl Debug) {
    for text in [format!("{thing:?}"), format!("{thing:#?}")] {
        record::written("debug", text.as_bytes());
        for secret in secrets {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[both_engines]
async fn the_server_and_what_it_is_made_of_print_no_key_and_no_password(server: TestServer) {
    let organization = server.admin().organization.parse().unwrap();
    let mut tx = server.app.store.read().await.unwrap();
    let key = tx.newest_signing_key(&organization).await.unwrap().unwrap();
    prints_without(&[&key.sealed_private_key], &key);
    let [_, id, secret] = &server.credentials;
    let api_key = tx
        .find_api_key(&organization, id.parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    prints_without(&[secret], &api_key);
    let password = "correct-horse-battery";
    let url: StoreUrl = format!("postgres://forge:{password}@127.0.0.1:1/forge")
        .parse()
        .unwrap();
    prints_without(&[password], &url);
    prints_without(
        &[password],
        &Store::open(&url, OpenMode::MustExist).await.unwrap_err(),
    );
    if server.engine == Engine::Postgres {
        // Tests connect without a password; the server does not mind one.
        let address = std::env::var("FORGE_TEST_DATABASE_URL").unwrap();
        let (user, host) = address.split_once('@').unwrap();
        let url: StoreUrl = format!("{user}:{password}@{host}").parse().unwrap();
        let store = Store::open(&url, OpenMode::MustExist).await.unwrap();
        prints_without(&[password], &store);
        prints_without(&[password], &store.read().await.unwrap());
    }
}

#[test]
fn keys_are_not_printed() {
    let key = [0xA7; 32];
    prints_without(&["167", "a7", "A7", "p6en"], &Keyring::new(&key));
    let made = SigningKey {
        id: "0123456789abcdef01234567".parse().unwrap(),
        public_key: "public".into(),
        sealed_private_key: "sealed-private-key".into(),
    };
    prints_without(&["sealed-private-key"], &made);
}

#[test]
fn a_refused_request_is_told_without_what_it_brought() {
    // What a body was read into is told by its faults only, never by its values.
    let body = json!({"first_name": "Ida", "last_name": "Berg", "email": "x", "role_name": "R",
        "sensitive_user_variables": {"pin": ["a-secret-in-a-list"]}});
    let operation = forge_contract::contract()
        .operation("create-invited-user")
        .unwrap();
    let faults = operation.read_body(body).unwrap_err();
    prints_without(&["a-secret-in-a-list"], &faults);
    let told = serde_json::to_string(&faults).unwrap();
    assert!(!told.contains("a-secret-in-a-list"), "{told}");
}
