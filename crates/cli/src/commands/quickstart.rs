//! `forge quickstart`: the product in one command, on an embedded server of its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use forge_app::identity::organizations;

use forge_app::OpenMode;
use forge_client::{Bounds, Client, Credentials, Options, SystemClock};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::serve;
use crate::error::{Context as _, Exit, Failure, Result};
use crate::installation::Location;
use crate::output;
use crate::ui::quoted;

const AGENT_VERSIONS: [&str; 3] = [
    include_str!("../../../../examples/agent/v1.json"),
    include_str!("../../../../examples/agent/v2.json"),
    include_str!("../../../../examples/agent/v3.json"),
];

const GRAPH_VERSIONS: [&str; 3] = [
    include_str!("../../../../examples/context_graph/v1.json"),
    include_str!("../../../../examples/context_graph/v2.json"),
    include_str!("../../../../examples/context_graph/v3.json"),
];

/// Show everything once: a server, an agent and a context graph in several versions, a service, and a release.
///
/// The server stays up, with its address and credentials printed, until you press Ctrl-C. Unless `--data-dir` keeps it, what is
/// in it is deleted then.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Stop when everything has been shown.
    #[arg(long)]
    no_wait: bool,
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = super::serve::address)]
    listen: SocketAddr,
    /// Folder to keep everything in; it must be empty or new [default: a temporary one, removed at the end].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

pub(crate) async fn run(args: Args) -> Result<Exit> {
    let interrupted = serve::shutdown_signal()?;
    let temporary = match &args.data_dir {
        Some(_) => None,
        None => Some(tempfile::Builder::new().prefix("forge-quickstart-").tempdir()?),
    };
    let folder = match (&args.data_dir, &temporary) {
        (Some(folder), _) => folder.clone(),
        (None, Some(temporary)) => temporary.path().to_owned(),
        (None, None) => return Err(Failure::failed("there is no folder to use")),
    };
    refuse_used_folder(&folder)?;
    let location = Location {
        data_dir: Some(folder.clone()),
        database_url: None,
        master_key_file: None,
        config: None,
    };
    let installation = location.open(OpenMode::CreateIfMissing).await?;
    let created = organizations::create(&installation.app, &"demo".parse()?).await?;
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    let credentials = Credentials {
        base_url: format!("http://{}", listener.local_addr()?),
        organization_id: created.organization_id.to_string(),
        user_id: created.user_id,
        api_key_id: created.api_key_id,
        api_key: created.api_key,
    };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(serve::serve(
        listener,
        installation.app,
        installation.limits,
        async {
            // The sender is dropped when the tour fails: that stops the server too.
            let _ = stopped.await;
        },
    ));
    let mut interrupted = std::pin::pin!(interrupted);
    let shown = tokio::select! {
        shown = show(&credentials, &folder) => shown,
        () = &mut interrupted => Err(Failure::failed("interrupted")),
    };
    if shown.is_ok() && !args.no_wait {
        print_exports(&credentials)?;
        output::note(match &args.data_dir {
            Some(_) => "The server stays up until you press Ctrl-C; its data stays.",
            None => "The server stays up until you press Ctrl-C, which deletes its data, too.",
        });
        interrupted.await;
    }
    drop(stop);
    serving.await??;
    if shown.is_ok() {
        note_end(&folder, args.data_dir.is_some());
    }
    shown.map(|()| Exit::Ok)
}

fn print_exports(credentials: &Credentials) -> Result<()> {
    output::line("\nTo go on with any client of the API:")?;
    for (name, value) in [
        ("BASE_URL", &credentials.base_url),
        ("ORGANIZATION_ID", &credentials.organization_id),
        ("USER_ID", &credentials.user_id),
        ("API_KEY_ID", &credentials.api_key_id),
        ("API_KEY", &credentials.api_key),
    ] {
        output::line(&format!("export FORGE_{name}={value}"))?;
    }
    Ok(())
}

/// Says what is left of the server, which has stopped.
fn note_end(folder: &std::path::Path, is_kept: bool) {
    let folder = folder.display().to_string();
    output::note(&if is_kept {
        let folder = quoted(&folder);
        format!("The server has stopped; `forge serve --data-dir {folder}` starts it again.")
    } else {
        format!(
            "The server has stopped, and {folder} is removed; `forge quickstart` without `--no-wait` stays up."
        )
    });
}

fn refuse_used_folder(folder: &std::path::Path) -> Result<()> {
    let is_used = folder
        .read_dir()
        .is_ok_and(|mut entries| entries.next().is_some());
    if is_used {
        return Err(Failure::failed(format!(
            "{} is not empty; quickstart needs a fresh folder",
            folder.display()
        )));
    }
    Ok(())
}

async fn show(credentials: &Credentials, folder: &std::path::Path) -> Result<()> {
    output::line(&format!(
        "1. A server at {}, with its data in {}",
        credentials.base_url,
        folder.display()
    ))?;
    let options = Options {
        clock: Arc::new(SystemClock),
        cache: None,
        user_agent: concat!("forge/", env!("CARGO_PKG_VERSION")).to_owned(),
        on_wait: None,
        bounds: Bounds::default(),
    };
    let client = Client::new(credentials.clone(), options)?;
    output::line("\n2. An agent and a context graph; their versions never change once created")?;
    let agent = create_asset(
        &client,
        "organization/agent",
        "agent_name",
        "Mira",
        &AGENT_VERSIONS,
    )
    .await?;
    let graph = create_asset(
        &client,
        "organization/service_hierarchical_state_machine",
        "state_machine_name",
        "Appointments",
        &GRAPH_VERSIONS,
    )
    .await?;
    output::table(
        ["what", "name", "id", "versions"],
        vec![
            ["agent".into(), "Mira".into(), agent.clone(), "1, 2, 3".into()],
            [
                "context graph".into(),
                "Appointments".into(),
                graph.clone(),
                "1, 2, 3".into(),
            ],
        ],
    )?;
    let service = json!({
        "name": "Dental care", "description": "Answers the patients of a dental clinic.",
        "agent_id": agent, "service_hierarchical_state_machine_id": graph,
        "is_active": true, "keyterms": ["crown", "root canal"], "tags": {"team": "care"},
        "release_version_set": pins(1, 1),
    });
    let service = id_of(&client.post("service/", &service).await?)?;
    let sets = format!("service/{service}/version_sets");
    output::line(
        "\n3. A service that runs them; `edge` floats with the latest versions, `release` is pinned",
    )?;
    show_sets(&client, &sets).await?;
    client
        .put(&format!("{sets}/preview/"), &json!({"version_set": pins(2, 2)}))
        .await?;
    output::line("\n4. `preview` pins a candidate; nobody who runs `release` notices")?;
    show_sets(&client, &sets).await?;
    output::line("\n5. What promoting `preview` to `release` would do; nothing is changed yet")?;
    let promote = json!({"source": "preview", "dry_run": true});
    let planned = client.post(&format!("{sets}/release/promote"), &promote).await?;
    show_plan(&planned["plan"])?;
    let promote = json!({
        "source": "preview", "plan_digest": planned["plan"]["digest"], "message": "tried by the clinic",
    });
    client.post(&format!("{sets}/release/promote"), &promote).await?;
    output::line("\n6. Exactly that plan is carried out: `release` moves in one step")?;
    show_sets(&client, &sets).await?;
    let rollback = json!({"message": "it books on holidays"});
    client
        .post(&format!("{sets}/release/rollback"), &rollback)
        .await?;
    output::line("\n7. One call takes it back, and holds `release` until someone lifts the hold")?;
    show_history(&client, &sets).await?;
    let resolved = client.get(&format!("{sets}/release/resolve")).await?;
    let part = |field: &str| format!("{} version {}", text(&resolved[field][0]), resolved[field][1]);
    output::line("\n8. What a runtime gets when it asks what to run")?;
    output::table(
        ["set", "revision", "agent", "context graph"],
        vec![[
            text(&resolved["name"]),
            resolved["revision"].to_string(),
            part("agent_version_info"),
            part("service_hierarchical_state_machine_version_info"),
        ]],
    )?;
    Ok(())
}

fn pins(agent: i64, graph: i64) -> Value {
    json!({
        "agent_version_number": agent,
        "service_hierarchical_state_machine_version_number": graph,
        "llm_model_preferences": {"engage-user": {"llm_name": "aws_claude-sonnet-4-6", "params": {}}},
    })
}

async fn create_asset(
    client: &Client,
    path: &str,
    name_field: &str,
    name: &str,
    versions: &[&str],
) -> Result<String> {
    let id = id_of(&client.post(path, &json!({name_field: name})).await?)?;
    for version in versions {
        client
            .post(&format!("{path}/{id}/"), &serde_json::from_str(version)?)
            .await?;
    }
    Ok(id)
}

async fn show_sets(client: &Client, sets: &str) -> Result<()> {
    let answer = client.get(&format!("{sets}/")).await?;
    let row = |set: &Value| {
        let pin = |field: &str| match &set["pins"][field] {
            Value::Null => format!("latest ({})", set["resolved"][field]),
            number => number.to_string(),
        };
        let graph = "service_hierarchical_state_machine";
        [
            text(&set["name"]),
            set["revision"].to_string(),
            pin("agent_version_number"),
            pin(&format!("{graph}_version_number")),
            format!("{} / {}", set["behind"]["agent"], set["behind"][graph]),
        ]
    };
    let rows = answer["version_sets"]
        .as_array()
        .into_iter()
        .flatten()
        .map(row)
        .collect();
    output::table(
        [
            "set",
            "revision",
            "agent version",
            "context graph version",
            "behind by",
        ],
        rows,
    )?;
    Ok(())
}

fn show_plan(plan: &Value) -> Result<()> {
    let findings = |kind: &str| {
        let found = plan[kind].as_array().into_iter().flatten();
        found.map(|finding| text(&finding["message"])).collect::<Vec<_>>()
    };
    let changes = plan["changes"].as_array().into_iter().flatten();
    let rows = changes
        .map(|change| {
            [
                text(&change["field"]),
                change["from"].to_string(),
                change["to"].to_string(),
            ]
        })
        .collect();
    output::table(["field", "from", "to"], rows)?;
    for (kind, none) in [
        ("blockers", "nothing forbids it"),
        ("warnings", "nothing to think twice about"),
    ] {
        let found = findings(kind);
        let found = if found.is_empty() {
            none.to_owned()
        } else {
            found.join("; ")
        };
        output::line(&format!("{kind}: {found}"))?;
    }
    Ok(())
}

async fn show_history(client: &Client, sets: &str) -> Result<()> {
    let answer = client.get(&format!("{sets}/release/history")).await?;
    let row = |entry: &Value| {
        let graph = "service_hierarchical_state_machine_version_number";
        [
            entry["revision"].to_string(),
            text(&entry["action"]),
            entry["pins"]["agent_version_number"].to_string(),
            entry["pins"][graph].to_string(),
            text(&entry["message"]),
        ]
    };
    let revisions = answer["revisions"].as_array().into_iter().flatten();
    let rows = revisions.map(row).collect();
    output::table(
        [
            "revision",
            "action",
            "agent version",
            "context graph version",
            "why",
        ],
        rows,
    )?;
    Ok(())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn id_of(created: &Value) -> Result<String> {
    created["id"]
        .as_str()
        .map(str::to_owned)
        .context("the server created something without an id")
}
