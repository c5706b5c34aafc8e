//! `forge auth`, and where credentials come from.

use std::os::unix::fs::PermissionsExt as _;

use crate::world::{Typed, World, assert_transcript};

fn mode(path: &std::path::Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_in_a_pipe() {
    let mut world = World::empty().await;
    let before = world.pipe(&[
        "forge auth status",
        "forge auth status --env staging",
        "forge auth logout",
        "forge auth login",
        "forge auth login --env a/b",
    ]);
    let variables = world.credentials_as_variables();
    let value = |name: &str| {
        variables
            .iter()
            .find(|(found, _)| found == name)
            .unwrap()
            .1
            .clone()
    };
    world.set("URL", &value("FORGE_BASE_URL"));
    world.set("USER_ID", &value("FORGE_USER_ID"));
    world.set("KEY_ID", &value("FORGE_API_KEY_ID"));
    world.set("KEY", &value("FORGE_API_KEY"));
    let login = "forge auth login --base-url $URL --organization acme --user $USER_ID --api-key-id $KEY_ID";
    let with = world.pipe(&[
        &format!("{login} <<< wrong"),
        "ls -A .config/forge",
        &format!("{login} <<< $KEY"),
        &format!("{login} --env staging --quiet <<< $KEY"),
        "forge auth status",
        "forge auth status --json",
        "FORGE_ENV=staging forge auth status | head -1",
        "cp .config/forge/.env.staging .env.staging && forge auth status --env staging | head -1",
        "FORGE_BASE_URL=http://elsewhere forge auth status",
        "forge auth logout --env staging",
        "forge auth logout",
        "forge auth logout",
        "forge auth status",
        "ls -A .config/forge .cache/forge/tokens",
    ]);
    assert_transcript("auth_in_a_pipe", &format!("{before}{with}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_sign_in_without_a_file_and_win_over_one() {
    let mut world = World::seeded().await;
    let transcript = world.pipe(&[
        "forge auth status",
        "forge auth status --env no-such-file | head -1",
        "forge auth login --env staging",
        "forge auth status --env staging | head -1",
        "env -u FORGE_API_KEY forge auth status",
        "for v in BASE_URL ORGANIZATION_ID USER_ID API_KEY_ID API_KEY; do eval export AMIGO_$v=\\$FORGE_$v; unset FORGE_$v; \
         done; forge auth status | head -1",
        "FORGE_API_KEY=wrong forge version-set list 'Dental care'",
        "FORGE_BASE_URL=ftp://x forge auth status",
        "forge auth logout",
    ]);
    assert_transcript("auth_by_variables", &transcript);
    let home = world.home();
    assert_eq!(mode(&home.join(".config/forge/.env.staging")), 0o600);
    assert_eq!(mode(&home.join(".config/forge")), 0o700);
    assert_eq!(mode(&home.join(".cache/forge/tokens")), 0o700);
    world.ok("forge auth status");
    let tokens = std::fs::read_dir(home.join(".cache/forge/tokens")).unwrap();
    let secret = world.credentials["api_key"].as_str().unwrap().to_owned();
    for token in tokens.map(|token| token.unwrap().path()) {
        assert_eq!(mode(&token), 0o600);
        assert!(!std::fs::read_to_string(token).unwrap().contains(&secret));
    }
    world.set("HOME", "");
    assert_eq!(
        world.shell("forge auth status").status.code(),
        Some(0),
        "nothing has to be kept"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_on_a_terminal() {
    let mut world = World::empty().await;
    let text = |field: &str| -> &'static str {
        Box::leak(format!("{}\n", world.credentials[field].as_str().unwrap()).into_boxed_str())
    };
    let address: &'static str = Box::leak(format!("{}\n", world.address).into_boxed_str());
    let login = || {
        Typed::new("forge auth login")
            .answer("server's address: ", address)
            .answer("organization's id: ", text("organization_id"))
            .answer("user's id: ", text("user_id"))
            .answer("API key's id: ", text("api_key_id"))
    };
    let transcript = world.terminal(&[
        Typed::new("forge auth status"),
        login().secret("(it is not shown): ", "\u{3}"),
        login().secret("(it is not shown): ", text("api_key")),
        Typed::new("forge auth status"),
        Typed::new("forge auth logout"),
    ]);
    assert_transcript("auth_on_a_terminal", &transcript);
    let secret = world.credentials["api_key"].as_str().unwrap().to_owned();
    assert!(!transcript.contains(&secret));
    world.set("NO_COLOR", "1");
    assert!(!world.terminal(&[Typed::new("forge auth status")]).contains('␛'));
}
