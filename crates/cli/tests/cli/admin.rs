//! `forge admin`

use forge_testkit::{Engine, TestDatabase, both_engines};
use reqwest::{Client, Response};
use serde_json::{Value, json};

use crate::process::{Serving, init, location, one_line_error, run};
use crate::serve::sign_in;

/// Runs a command that must succeed and returns what it printed.
#[track_caller]
fn admin(arguments: &[&str], location: &[String]) -> String {
    let arguments: Vec<&str> = ["admin"].iter().chain(arguments).copied().collect();
    let output = run(&arguments, location);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command that must fail with one clear line and returns it.
#[track_caller]
fn refused(arguments: &[&str], location: &[String]) -> String {
    let arguments: Vec<&str> = ["admin"].iter().chain(arguments).copied().collect();
    one_line_error(&run(&arguments, location))
}

/// Creates a key for a user of `acme`.
#[track_caller]
fn create_key(user: &str, location: &[String]) -> Value {
    let arguments = [
        "key",
        "create",
        "--organization",
        "acme",
        "--user",
        user,
        "--json",
    ];
    let created: Value = serde_json::from_str(&admin(&arguments, location)).unwrap();
    forge_testkit::record::secret("API key", created["api_key"].as_str().unwrap());
    created
}

fn user_id(credentials: &Value) -> &str {
    credentials["user_id"].as_str().unwrap()
}

/// Reads something that only somebody with permissions may read.
async fn read(address: &str, organization: &str, token: &str) -> Response {
    let url = format!("{address}/v1/{organization}/organization/agent");
    Client::new().get(url).bearer_auth(token).send().await.unwrap()
}

async fn status(address: &str, organization: &str, token: &str) -> u16 {
    read(address, organization, token).await.status().as_u16()
}

/// Waits until a status is answered: on PostgreSQL, the server learns from the database what a command did.
async fn becomes(expected: u16, address: &str, organization: &str, token: &str) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while status(address, organization, token).await != expected {
        assert!(std::time::Instant::now() < deadline, "it must become {expected}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

/// Signs in with a secret that may be wrong, and returns the status.
async fn try_to_sign_in(address: &str, credentials: &Value, secret: &str) -> u16 {
    let organization = credentials["organization_id"].as_str().unwrap();
    let request = Client::new()
        .post(format!("{address}/v1/{organization}/user/signin_with_api_key"))
        .header("x-api-key", secret)
        .header("x-api-key-id", credentials["api_key_id"].as_str().unwrap())
        .header("x-user-id", user_id(credentials));
    request.send().await.unwrap().status().as_u16()
}

async fn create(address: &str, path: &str, token: &str, body: Value) -> Value {
    let request = Client::new()
        .post(format!("{address}/v1/acme/{path}"))
        .bearer_auth(token);
    let answer = request.json(&body).send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    answer.json().await.unwrap()
}

#[both_engines]
async fn a_created_key_signs_the_user_in_whether_or_not_a_server_ran(database: TestDatabase) {
    let location = location(&database);
    let first = init("acme", &location);
    let before = create_key(user_id(&first), &location);
    let server = Serving::start(&location);
    let meanwhile = create_key(user_id(&first), &location);
    for credentials in [&first, &before, &meanwhile] {
        let token = sign_in(&server.address, credentials).await;
        assert_eq!(status(&server.address, "acme", &token).await, 200);
    }
    assert_ne!(before["api_key"], meanwhile["api_key"]);
    let exports = admin(
        &[
            "key",
            "create",
            "--organization",
            "acme",
            "--user",
            user_id(&first),
        ],
        &location,
    );
    assert!(
        exports.lines().all(|line| line.starts_with("export FORGE_")),
        "{exports}"
    );
    server.stop();
}

#[both_engines]
async fn tokens_of_the_old_signing_key_stay_valid_and_new_ones_name_another(database: TestDatabase) {
    let location = location(&database);
    let credentials = init("acme", &location);
    let server = Serving::start(&location);
    // The first part of a token names its signing key, and nothing in it changes from token to token but that.
    let header = |token: &str| token.split('.').next().unwrap().to_owned();
    let old = sign_in(&server.address, &credentials).await;
    assert_eq!(
        header(&old),
        header(&sign_in(&server.address, &credentials).await)
    );
    let printed = admin(&["keys", "rotate", "--organization", "acme"], &location);
    assert!(printed.starts_with("signing with key "), "{printed}");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let mut new = sign_in(&server.address, &credentials).await;
    while header(&old) == header(&new) {
        assert!(std::time::Instant::now() < deadline, "the new key must sign soon");
        new = sign_in(&server.address, &credentials).await;
    }
    for token in [&old, &new] {
        assert_eq!(status(&server.address, "acme", token).await, 200);
    }
    server.stop();
}

#[both_engines]
async fn an_organization_is_closed_and_opened_without_the_others(database: TestDatabase) {
    let location = location(&database);
    let (acme, other) = (init("acme", &location), init("other", &location));
    let server = Serving::start(&location);
    let address = &server.address;
    let (acme_token, other_token) = (sign_in(address, &acme).await, sign_in(address, &other).await);
    let printed = admin(&["maintenance", "on", "--organization", "acme"], &location);
    assert_eq!(printed, "`acme` is closed for maintenance\n");
    becomes(503, address, "acme", &acme_token).await;
    let closed = read(address, "acme", &acme_token).await;
    assert_eq!(closed.status(), 503);
    assert!(closed.headers().contains_key("retry-after"));
    assert_eq!(status(address, "other", &other_token).await, 200);
    admin(&["maintenance", "off", "--organization", "acme"], &location);
    becomes(200, address, "acme", &acme_token).await;
    server.stop();
}

#[both_engines]
async fn the_whole_server_is_closed_and_opened_again(database: TestDatabase) {
    let location = location(&database);
    let (acme, other) = (init("acme", &location), init("other", &location));
    let server = Serving::start(&location);
    let address = &server.address;
    let (acme, other) = (sign_in(address, &acme).await, sign_in(address, &other).await);
    for (switch, expected) in [("on", 503), ("off", 200)] {
        admin(&["maintenance", switch], &location);
        becomes(expected, address, "acme", &acme).await;
        becomes(expected, address, "other", &other).await;
        assert_eq!(
            reqwest::get(format!("{address}/healthz")).await.unwrap().status(),
            200
        );
    }
    server.stop();
}

#[both_engines]
async fn a_deleted_organization_is_gone_for_good(database: TestDatabase) {
    let location = location(&database);
    init("operator", &location);
    let acme = init("acme", &location);
    let server = Serving::start(&location);
    let token = sign_in(&server.address, &acme).await;
    let error = refused(&["organization", "delete", "acme"], &location);
    assert!(error.contains("--yes"), "{error}");
    assert_eq!(status(&server.address, "acme", &token).await, 200);
    admin(&["organization", "delete", "acme", "--yes"], &location);
    becomes(404, &server.address, "acme", &token).await;
    let again = run(&["init", "--organization", "acme"], &location);
    assert!(one_line_error(&again).contains("exists already"));
    let error = refused(&["organization", "delete", "operator", "--yes"], &location);
    assert!(error.contains("cannot be deleted"), "{error}");
    server.stop();
}

#[both_engines]
async fn what_does_not_exist_is_told_in_one_line(database: TestDatabase) {
    let location = location(&database);
    let unknown = |location: &[String]| {
        for arguments in [
            &["key", "create", "--organization", "nobody", "--user", "u"][..],
            &["keys", "rotate", "--organization", "nobody"],
            &["maintenance", "on", "--organization", "nobody"],
            &["user", "list", "--organization", "nobody"],
            &["organization", "delete", "nobody", "--yes"],
        ] {
            let error = refused(arguments, location);
            assert!(error.ends_with("there is no organization `nobody`"), "{error}");
        }
        let error = refused(
            &["key", "create", "--organization", "acme", "--user", "ghost"],
            location,
        );
        assert!(
            error.contains("there is no user ghost in acme; `forge admin user list --organization acme`"),
            "{error}"
        );
    };
    init("acme", &location);
    unknown(&location);
    let server = Serving::start(&location);
    unknown(&location);
    server.stop();
}

#[both_engines]
async fn no_secret_is_logged_or_kept_in_the_clear(database: TestDatabase) {
    let location = location(&database);
    let first = init("acme", &location);
    let server = Serving::start_logging("debug", &location);
    let address = &server.address;
    let made = create_key(user_id(&first), &location);
    let token = sign_in(address, &made).await;
    assert_eq!(try_to_sign_in(address, &first, "forge_wrong-secret").await, 401);
    assert_eq!(status(address, "acme", "wrong.bearer.token").await, 401);
    let key = json!({"name": "ci", "duration": "P30D", "role_name": "DefaultAdministratorRole"});
    let key = create(address, "organization/api_key/", &token, key).await;
    let user = json!({
        "first_name": "Ida", "last_name": "Berg", "email": "ida@example.invalid",
        "role_name": "DefaultUserRole", "sensitive_user_variables": {"ssn": "sensitive-123-45"},
    });
    create(address, "user/", &token, user).await;
    let other = json!({"user_id": user_id(&first)});
    let answer = Client::new()
        .post(format!("{address}/v1/acme/role/NoSuchRole/assign"))
        .bearer_auth(&token);
    assert_eq!(answer.json(&other).send().await.unwrap().status(), 404);
    let log = server.stop();
    assert!(log.contains("status=401") && log.contains("status=201"), "{log}");
    let key_secret = key["api_key"].as_str().unwrap().to_owned();
    forge_testkit::record::secret("API key", &key_secret);
    forge_testkit::record::secret("sensitive variable", "sensitive-123-45");
    let secrets: Vec<String> = [&first, &made]
        .map(|credentials| credentials["api_key"].as_str().unwrap().to_owned())
        .into_iter()
        .chain([
            token,
            key_secret,
            "forge_wrong-secret".into(),
            "wrong.bearer.token".into(),
            "sensitive-123-45".into(),
        ])
        .collect();
    let audit = database
        .texts("SELECT object_kind || ' ' || object_id || ' ' || before_document || ' ' || after_document FROM audit_event")
        .await;
    assert!(!audit.is_empty());
    let audit: Vec<String> = audit.into_iter().collect();
    let files = files(&database);
    for secret in &secrets {
        assert!(!log.contains(secret), "{secret} is in the log");
        assert!(
            !audit.iter().any(|row| row.contains(secret)),
            "{secret} is in the audit log"
        );
        for (name, bytes) in &files {
            let is_there = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!is_there, "{secret} is in {name}");
        }
    }
}

/// Returns every file of the embedded database.
fn files(database: &TestDatabase) -> Vec<(String, Vec<u8>)> {
    if database.engine != Engine::Sqlite {
        return Vec::new();
    }
    let folder = std::fs::read_dir(database.folder.path().join("data")).unwrap();
    let files = folder
        .map(|file| file.unwrap().path())
        .filter(|path| path.is_file());
    let files: Vec<_> = files
        .map(|path| (path.display().to_string(), std::fs::read(&path).unwrap()))
        .collect();
    assert!(files.iter().any(|(name, _)| name.ends_with("forge.db")));
    files
}
