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
async fn variables_sign_in_unless_a_profile_is_named() {
    let mut world = World::seeded().await;
    let transcript = world.pipe(&[
        "forge auth status",
        "forge auth status --env no-such-file",
        "forge auth login --env staging",
        "forge auth status --env staging | head -1",
        "forge --env staging auth status | head -1",
        "forge --env staging auth status --env default",
        "forge --env '' auth status",
        "forge --env nosuch auth status",
        "FORGE_ENV=staging forge auth status",
        "env -u FORGE_BASE_URL -u FORGE_ORGANIZATION_ID -u FORGE_USER_ID -u FORGE_API_KEY_ID -u FORGE_API_KEY \
         FORGE_ENV=staging forge auth status | head -1",
        "forge --env staging serve",
        "env -u FORGE_API_KEY forge auth status",
        "for v in BASE_URL ORGANIZATION_ID USER_ID API_KEY_ID API_KEY; do eval export AMIGO_$v=\\$FORGE_$v; unset FORGE_$v; \
         done; forge auth status | head -1; FORGE_ENV=staging forge auth status",
        "FORGE_API_KEY=wrong forge version-set list 'Dental care'",
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
async fn what_cannot_be_a_value_is_told_at_once() {
    let mut world = World::seeded().await;
    let over_tls = world.address.replace("http://", "https://");
    world.hide(&over_tls, "https://server");
    let status = "forge auth status | head -1";
    let transcript = world.pipe(&[
        // What is around a value is none of it, as in files.
        &format!("FORGE_API_KEY=\"$FORGE_API_KEY\"$'\\r\\n' FORGE_ORGANIZATION_ID=$'acme\\n' FORGE_BASE_URL=\"$FORGE_BASE_URL \" {status}"),
        "FORGE_API_KEY=\"$(printf 'example\\n'; echo x)\" forge vs list 'Dental care'",
        "FORGE_USER_ID='a b' forge auth status",
        "FORGE_BASE_URL=ftp://x forge auth status",
        "FORGE_BASE_URL=$FORGE_BASE_URL/v1 forge auth status",
        "FORGE_BASE_URL=http://user:password@host forge auth status",
        "FORGE_BASE_URL=$FORGE_BASE_URL/V1/acme/ forge auth status",
        "FORGE_ORGANIZATION_ID=.. forge auth status",
        // What is shown is what is called.
        "FORGE_BASE_URL=HTTP://0x7f.1:${FORGE_BASE_URL##*:}/a/..// forge auth status | head -2",
        "FORGE_BASE_URL=HTTP://0x7f.1:${FORGE_BASE_URL##*:} forge vs upsert 'Dental care' personal-alex",
        "AMIGO_BASE_URL=http://elsewhere forge auth status",
        "AMIGO_BASE_URL=$FORGE_BASE_URL forge auth status | head -1",
        "FORGE_BASE_URL=$FORGE_BASE_URL/forge forge vs list 'Dental care'",
        "FORGE_BASE_URL=https://${FORGE_BASE_URL#http://} forge vs list 'Dental care' 2>&1 | grep -v 'caused by'",
    ]);
    assert_transcript("auth_values", &transcript);
    let told = transcript.lines().filter(|line| !line.starts_with('$'));
    assert!(!told.collect::<String>().contains("password@"), "{transcript}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_several_programs_hold_profiles() {
    let world = World::seeded().await;
    let variables = world.credentials_as_variables();
    let quoted = |after: &str| -> String {
        let line = |(name, value): &(String, String)| format!("{name}='{value}'{after}\n");
        variables.iter().map(line).collect()
    };
    let files = [
        ("mark", format!("\u{feff}{}", quoted(""))),
        ("mark-and-comment", format!("\u{feff}# staging\n{}", quoted("  "))),
        ("comments", quoted(" # staging")),
        ("exported", quoted("").replace("FORGE_", "export\tFORGE_")),
        (
            "others",
            format!(
                "CERT=\"-----BEGIN\nFORGE_API_KEY=x\n-----END\"\nJSON={{\n\"a\": 1\n}}\n{}",
                quoted("")
            ),
        ),
    ];
    let environment = "env -u FORGE_BASE_URL -u FORGE_ORGANIZATION_ID -u FORGE_USER_ID -u FORGE_API_KEY_ID -u FORGE_API_KEY";
    for (name, text) in files {
        std::fs::write(world.home().join(format!(".env.{name}")), text).unwrap();
        let status = world.ok(&format!("{environment} forge auth status --env {name} | head -1"));
        assert_eq!(status, format!("source\t./.env.{name}\n"));
    }
    let broken = quoted("x");
    std::fs::write(world.home().join(".env.broken"), broken).unwrap();
    let output = world.shell("forge auth status --env broken");
    assert_eq!(output.status.code(), Some(4));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("after the closing quote of FORGE_BASE_URL"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_one_file_that_says_everything_once() {
    let world = World::seeded().await;
    let lines: Vec<String> = world
        .credentials_as_variables()
        .iter()
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect();
    let write = |name: &str, text: String| {
        std::fs::write(world.home().join(format!(".env.{name}")), text).unwrap();
    };
    write("staging", lines.concat());
    write(
        "twice",
        format!("{}FORGE_BASE_URL=http://elsewhere\n", lines.concat()),
    );
    write(
        "both",
        format!("{}AMIGO_BASE_URL=http://elsewhere\n", lines.concat()),
    );
    let transcript = world.pipe(&[
        "forge auth status --env twice",
        "forge auth status --env both",
        "ln -s nowhere .env.gone; ln -s /dev/zero .env.zero; mkfifo .env.pipe; mkdir .env.folder",
        "forge auth status --env gone",
        "forge auth status --env zero",
        "forge auth status --env pipe",
        "forge auth status --env folder",
        "truncate -s 2M .env.large; forge auth status --env large",
        "forge auth status --env stagin",
        "forge auth login --env stagin",
    ]);
    assert_transcript("auth_profiles", &transcript);
}

/// With the variables of one server set, changes go to another one that is named, and plans say so.
#[tokio::test(flavor = "multi_thread")]
async fn writes_reach_the_server_that_was_named() {
    let mut world = World::seeded().await;
    let staging = World::seeded().await;
    world.hide(&staging.address, "http://staging");
    let lines: Vec<String> = staging
        .credentials_as_variables()
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    std::fs::write(world.home().join(".env.staging"), lines.join("\n")).unwrap();
    let push = "forge asset push agent Mira -f next.json";
    world.ok("forge asset show agent Mira --json | sed 's/\"MI\"/\"MX\"/' > next.json");
    let newest = "asset versions agent Mira --limit 1 | cut -f 1";
    let transcript = world.pipe(&[
        &format!("{push} --env staging"),
        &format!("{push} --env staging --apply"),
        &format!("{push} --env nosuch --apply"),
        &format!("FORGE_ENV=staging {push} --apply"),
        &format!("forge {newest}; forge --env staging {newest}"),
        push,
        &format!("{push} --json | sed 's/\"id\".*//'"),
        "forge service update 'Dental care' --description 'Answers.' --env staging",
        "forge vs promote 'Dental care' preview release --env staging",
        "forge vs promote --all-services preview release --env staging",
        "forge vs upsert 'Dental care' edge --env staging",
        "forge vs release-hold 'Dental care' --env staging",
        "forge asset yank agent Mira@1 --reason 'It errs.' --env staging",
        "forge export 2> /dev/null; forge apply -f acme --env staging",
    ]);
    assert_transcript("auth_named", &transcript);
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
        // The end of the input is no answer.
        Typed::new("forge auth login").answer("server's address: ", "\u{4}"),
        login().secret("(it is not shown): ", "\u{4}"),
        Typed::new("ls -A .config"),
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
