//! The whole way of a new user, from an empty directory to a release that was rolled back.

use std::path::PathBuf;
use std::process::Command;

use crate::world::{Shell, assert_transcript};

/// What there are no commands for yet: an agent and a context graph in two versions, and a service.
const CREATE: &str = r#"
. ./credentials
api="$(cat address)/v1/$FORGE_ORGANIZATION_ID"
value_of() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
token=$(curl -sSf -X POST "$api/user/signin_with_api_key" -H "x-user-id: $FORGE_USER_ID" \
  -H "x-api-key-id: $FORGE_API_KEY_ID" -H "x-api-key: $FORGE_API_KEY" | value_of id_token)
call() { curl -sSf -H "Authorization: Bearer $token" -H 'Content-Type: application/json' "$@"; }
graphs="$api/organization/service_hierarchical_state_machine"
agent=$(call "$api/organization/agent" -d '{"agent_name": "Mira"}' | value_of id)
graph=$(call "$graphs" -d '{"state_machine_name": "Appointments"}' | value_of id)
for version in 1 2; do
  call "$api/organization/agent/$agent/" -d "@$EXAMPLES/agent/v$version.json"
  call "$graphs/$graph/" -d "@$EXAMPLES/context_graph/v$version.json"
done
call "$api/service/" -d @- <<JSON
{"name": "Dental care", "description": "Answers patients.", "is_active": true, "keyterms": [], "tags": {},
 "agent_id": "$agent", "service_hierarchical_state_machine_id": "$graph", "release_version_set":
 {"agent_version_number": 1, "service_hierarchical_state_machine_version_number": 1, "llm_model_preferences": {}}}
JSON
"#;

#[test]
fn from_an_empty_directory_to_a_rolled_back_release() {
    let mut shell = Shell::new();
    shell.set("EXAMPLES", concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples"));
    let start = shell.pipe(&[
        "forge version-set list 'Dental care'",
        "forge init --organization acme --data-dir data > credentials",
        "forge serve --data-dir data --listen 127.0.0.1:0 > listening 2> log & echo $! > process",
        "until grep -q http listening; do sleep 0.05; done; sed 's/listening on //' listening > address",
    ]);
    let _server = Server(shell.home().join("process"));
    shell.hide(shell.ok("cat address").trim(), "http://server");
    shell.ok(CREATE);
    let way = shell.pipe(&[
        "eval \"$(cat credentials)\"; FORGE_BASE_URL=$(cat address) forge auth login",
        "forge auth status | head -3",
        "forge version-set list 'Dental care'",
        "forge version-set upsert 'Dental care' preview --agent-version 2 --context-graph-version 2",
        "forge version-set upsert 'Dental care' preview --agent-version 2 --context-graph-version 2 --apply",
        "forge version-set promote 'Dental care' preview release",
        "forge version-set promote 'Dental care' preview release --strict --apply --message 'Tried with five patients.'",
        "forge version-set show 'Dental care' release",
        "forge version-set rollback 'Dental care' --apply --message 'It books on holidays.'",
        "forge version-set promote 'Dental care' preview release --apply",
        "forge version-set history 'Dental care' release",
        "forge auth logout",
        "forge version-set list 'Dental care'",
    ]);
    assert_transcript("scenario", &format!("{start}{way}"));
}

/// Ends the server whose process the file names.
struct Server(PathBuf);

impl Drop for Server {
    fn drop(&mut self) {
        let process = std::fs::read_to_string(&self.0).unwrap();
        // Of a server that has ended, there is nothing left to end.
        let _ = Command::new("kill").arg(process.trim()).status();
    }
}
