//! Which files are read, and how strictly.

use crate::world::{World, assert_transcript};

#[tokio::test(flavor = "multi_thread")]
async fn files_that_do_not_fit_change_nothing() {
    let world = World::seeded().await;
    world.ok("forge export 2> /dev/null");
    let apply = "forge apply -f acme --apply";
    let transcript = world.pipe(&[
        "forge apply -f nowhere",
        "forge apply",
        "forge apply -f acme --check --apply",
        // What cannot be read.
        &format!("cp -r acme kept; cd acme; echo '{{' > agents/mira/v2.json; touch agents/mira/V4.json; \
            echo '{{\"nam\": 1}}' > services/eye-care/service.json; cp services/dental-care/version_sets/release.json \
            services/dental-care/version_sets/edge.json; echo '{{}}' > services/dental-care/version_sets/a.b.json; \
            cp -r context_graphs/appointments context_graphs/again; cd ..; {apply}"),
        &format!("rm -r acme; cp -r kept acme; echo '{{\"format\": 2}}' > acme/forge.json; {apply}"),
        // What does not fit the server.
        &format!("rm -r acme; cp -r kept acme; rm acme/agents/mira/v3.json; sed -i s/MI/XX/ acme/agents/mira/v1.json; \
            cp acme/context_graphs/appointments/v3.json acme/context_graphs/appointments/v5.json; \
            sed -i 's/\"agent_version_number\": 2/\"agent_version_number\": 9/' acme/services/dental-care/version_sets/preview.json; \
            {apply}"),
        &format!("rm -r acme; cp -r kept acme; sed -i 's/\"Mira\"/\"Nobody\"/' acme/services/eye-care/service.json; {apply}"),
        // What the server refuses on the way.
        &format!("rm -r acme; cp -r kept acme; echo '{{\"description\": 1}}' > acme/context_graphs/appointments/v4.json; {apply}"),
        "forge audit list --limit 1 | cut -f 1",
    ]);
    assert_transcript("apply_refused", &transcript);
}

/// File systems that ignore capitals, and those that take names for devices, hold every set.
#[tokio::test(flavor = "multi_thread")]
async fn files_differ_on_every_file_system() {
    let world = World::seeded().await;
    for (name, version) in [("Hotfix", 1), ("personal-alex", 3), ("con", 2)] {
        world.ok(&format!(
            "forge vs upsert 'Dental care' {name} --agent-version {version} --apply 2> /dev/null"
        ));
    }
    world.ok("forge export 2> /dev/null");
    let sets = "acme/services/dental-care/version_sets";
    let lower = world.ok(&format!("ls {sets} | tr A-Z a-z | sort -u"));
    let lower: Vec<&str> = lower.lines().collect();
    assert_eq!(
        lower,
        [
            "hotfix.json",
            "personal-alex.json",
            "preview.json",
            "release.json",
            "set-con.2.json"
        ]
    );
    let transcript = world.pipe(&[
        "forge vs upsert 'Dental care' hotfix --agent-version 2",
        "forge apply -f acme --check",
        "forge export",
        &format!("grep -h '\"name\"' {sets}/*"),
        &format!("cp {sets}/set-con.2.json {sets}/another.json; forge apply -f acme --check"),
    ]);
    assert_transcript("export_names", &transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_read_strictly_and_in_one_encoding() {
    let world = World::seeded().await;
    world.ok("forge export 2> /dev/null; cp -r acme kept");
    let sets = "acme/services/dental-care/version_sets";
    let transcript = world.pipe(&[
        // As some programs write UTF-8.
        &format!("sed -i '1s/^/\\xef\\xbb\\xbf/' {sets}/preview.json && forge apply -f acme --check"),
        &format!("iconv -f UTF-8 -t UTF-16 < kept/forge.json > {sets}/preview.json; \
            sed -i 's/\"name\"/\"name\": \"x\", \"name\"/' acme/services/eye-care/service.json; \
            sed -i 's/\"MI\"/\"M\\\\u0000\"/' acme/agents/mira/v1.json; forge apply -f acme --check"),
        "iconv -f UTF-8 -t UTF-16 < kept/services/dental-care/version_sets/preview.json | \
            forge vs upsert 'Dental care' preview --from -; \
            sed '1s/^/\\xef\\xbb\\xbf/' kept/services/dental-care/version_sets/preview.json | forge vs upsert 'Dental care' preview --from -",
        // A service that was renamed.
        "rm -r acme; cp -r kept acme; sed -i 's/Dental care/Teeth/' acme/services/dental-care/service.json; forge apply -f acme",
        "forge apply -f acme --strict --apply",
        "rm -r acme/services/dental-care; forge apply -f acme --check --quiet",
    ]);
    assert_transcript("apply_encodings", &transcript);
}

/// Whatever a folder has in it that somebody else made, such as a repository: an export writes and removes nothing
/// outside of it, and nothing in it that no export wrote.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_stays_in_its_folder() {
    let world = World::seeded().await;
    world.ok(
        "mkdir -p outside/mira && echo mine | tee outside/mira/v1.json outside/mine.json > outside/notes.txt",
    );
    world.ok("forge export -o kept 2> /dev/null");
    let fresh = "rm -rf there; cp -r kept there";
    let export = "forge export -o there";
    let transcript = world.pipe(&[
        &format!("{fresh}; rm -r there/agents; ln -s $PWD/outside there/agents; {export}"),
        &format!("{fresh}; rm -r there/agents/mira; ln -s $PWD/outside/mira there/agents/mira; {export}"),
        &format!("{fresh}; ln -sf $PWD/outside/mine.json there/agents/mira/v1.json; {export}"),
        &format!("{fresh}; ln -sf $PWD/outside/new.json there/forge.json; {export}"),
        &format!("{fresh}; rm there/agents/mira/v1.json; mkfifo there/agents/mira/v1.json; {export}"),
        "mkdir empty; ln -s $PWD/outside empty/services; forge export -o empty",
        "ln -s outside acme; forge export; ls empty",
        // Links that an export does not need are none of its business.
        &format!("{fresh}; ln -s $PWD/outside there/services/more; {export}"),
        "find outside -type f | sort; cat outside/mine.json outside/mira/v1.json",
        // Somebody's own files, though an export might have written them.
        &format!(
            "{fresh}; echo {{}} > there/agents/notes.json; mkdir there/services/mine; cp kept/services/eye-care/service.json \
             there/services/mine; echo {{}} > there/services/eye-care/version_sets/mine.json; {export}; ls there/agents there/services/*"
        ),
        // What the list of files says of others does not count.
        &format!(
            "{fresh}; echo '{{\"format\": 1, \"files\": [\"../outside/mine.json\", \"notes.json\", \"agents/../notes.json\"]}}' > \
             there/forge.json; echo {{}} > there/notes.json; {export}; ls there outside"
        ),
        &format!("{fresh}; echo '<<<<<<<' >> there/forge.json; {export}; echo '{{\"format\": 2}}' > there/forge.json; {export}"),
        // What was there keeps its folder, and who may read it.
        &format!(
            "{fresh}; mv there/services/eye-care there/services/eyes; chmod 600 there/forge.json there/services/eyes/service.json; \
             sed -i s/Answers/Helps/ there/services/eyes/service.json; {export}; ls there/services; \
             stat -c %a there/services/eyes/service.json there/agents/mira/v1.json"
        ),
    ]);
    assert_transcript("export_in_a_folder_of_others", &transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_reads_files_of_its_folder_only() {
    let world = World::seeded().await;
    world.ok("forge export -o kept 2> /dev/null");
    let fresh = "rm -rf acme; cp -r kept acme";
    let apply = "forge apply -f acme --check";
    let transcript = world.pipe(&[
        &format!(
            "{fresh}; cd acme; ln -s /dev/zero agents/mira/v4.json; ln -sf ../../../kept/agents/mira/v1.json agents/mira/v1.json; \
             ln -s nowhere agents/gone; mkfifo services/eye-care/version_sets/x.json; cd ..; {apply}"
        ),
        &format!("{fresh}; rm -r acme/services; ln -s ../kept/services acme/services; {apply}"),
        &format!("{fresh}; ln -sf /dev/zero acme/forge.json; {apply}"),
        &format!("{fresh}; ln -s acme named; forge apply -f named --check --quiet"),
        // Names that were mistyped.
        &format!(
            "{fresh}; cp acme/services/dental-care/version_sets/release.json acme/services/dental-care/version_sets/relaese.json; \
             mkdir acme/agents/mirra; echo '{{\"name\": \"Mirra\"}}' > acme/agents/mirra/agent.json; forge apply -f acme"
        ),
        "forge apply -f acme --strict --apply",
        "forge apply -f acme --create --strict --check --quiet | cut -f 1-3",
        "forge apply -f acme --json | grep -o '\"similar\".*\"renamed\"'",
    ]);
    assert_transcript("apply_a_folder_of_others", &transcript);
}
