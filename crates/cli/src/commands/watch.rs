//! `forge watch`

use std::collections::HashMap;

use forge_client::Client;
use forge_client::watch::{Change, Event, Object};
use forge_domain::ServiceId;
use forge_domain::asset::{AssetId, AssetKind};

use crate::error::{Exit, Failure, Result};
use crate::lookup;
use crate::numbers;
use crate::output;
use crate::session::{Common, Session};
use crate::ui::{Style, Ui, plain};

/// Follow changes as they happen.
///
/// Goes on by itself when the connection is lost or the token ends, without missing a change or telling one twice. Ctrl-C
/// ends it, with exit code 130.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge watch\n  forge watch 'Dental care' 'Eye care'\n  forge watch --after 0 --json | head -n 3\n\n\
    In a pipe, each thing that happened is a line with: number of the change, time, action, kind of thing, id, revision of \
    the set, user, kind of actor. With --json, each change is one document on one line. `--after` with the number of the \
    last change that was seen goes on behind it."
)]
pub(crate) struct Args {
    /// Names or ids of services: only what concerns them, with new versions of their agents and context graphs.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// Begin behind this change, 0 for all there ever were [default: what happens from now on].
    #[arg(long, value_name = "N", value_parser = numbers::from_zero::<i64>)]
    after: Option<i64>,
    #[command(flatten)]
    pub(crate) common: Common,
}

pub(crate) async fn run(args: Args) -> Result<Exit> {
    let session = args.common.session()?;
    tokio::select! {
        // The first to be polled: whoever is told that Ctrl-C ends it may press it at once.
        biased;
        // It is how this command ends; there is nothing to say.
        interrupt = tokio::signal::ctrl_c() => {
            interrupt?;
            Err(Failure::silent(Exit::Interrupted))
        }
        result = follow(&session, &args) => result,
        // Who follows may have nothing to print for hours, and would not notice else.
        () = output::reader_gone() => Err(Failure::silent(Exit::Failed)),
    }
}

async fn follow(session: &Session, args: &Args) -> Result<Exit> {
    let (ui, client) = (&session.ui, &session.client);
    let mut names = Names::new(client);
    let mut services: Vec<ServiceId> = Vec::new();
    for wanted in &args.services {
        services.push(lookup::service_id(session, wanted).await?);
    }
    let mut changes = client.watch(services, args.after);
    changes.begin().await?;
    ui.note(&format!(
        "following the changes of `{}`; Ctrl-C ends it",
        client.credentials().organization_id
    ));
    loop {
        let change = changes.next().await?;
        if ui.json {
            ui.json_line(&change.json)?;
            continue;
        }
        for event in &change.value.events {
            let line = if ui.is_terminal() {
                shown(ui, &mut names, &change.value, event).await
            } else {
                piped(&change.value, event)
            };
            output::line(&line)?;
        }
    }
}

/// Returns what programs see of an event.
fn piped(change: &Change, event: &Event) -> String {
    let revision = event.revision.map(|revision| revision.to_string());
    let fields = [
        change.sequence.to_string(),
        change.created_at.clone(),
        event.action.clone(),
        event.object.kind.clone(),
        event.object.id.clone(),
        revision.unwrap_or_default(),
        event.actor.user_id.clone(),
        event.actor.kind.clone().unwrap_or_default(),
    ];
    fields.map(|field| plain(&field)).join("\t")
}

/// Returns what people see of an event.
async fn shown(ui: &Ui, names: &mut Names<'_>, change: &Change, event: &Event) -> String {
    let name = names.of(&event.object).await;
    let kind = event.object.kind.replace('_', " ");
    let revision = match event.revision {
        Some(revision) => format!(" (revision {revision})"),
        None => String::new(),
    };
    let actor = match event.actor.kind.as_deref() {
        Some(kind @ ("agent" | "person")) => format!("{} ({kind})", event.actor.user_id),
        _ => event.actor.user_id.clone(),
    };
    format!(
        "{:<14}  {:>5}  {}  {}  {}",
        plain(&ui.time(&change.created_at)),
        change.sequence,
        ui.line(
            Style::Strong,
            &format!("{} {kind}", event.action.replace('_', " "))
        ),
        plain(&format!("{name}{revision}")),
        ui.line(Style::Hint, &format!("by {actor}")),
    )
}

/// What things are called.
///
/// Each is asked for once.
struct Names<'c> {
    client: &'c Client,
    known: HashMap<(String, String), String>,
}

impl<'c> Names<'c> {
    fn new(client: &'c Client) -> Self {
        Self {
            client,
            known: HashMap::new(),
        }
    }

    /// Returns the name of a thing; its id if it has none, or if the user may not read it.
    async fn of(&mut self, object: &Object) -> String {
        let (kind, id, rest) = match (object.kind.as_str(), object.id.split_once('/')) {
            ("version_set", Some((service, set))) => ("service", service, format!(" / {set}")),
            (kind, _) => (kind, object.id.as_str(), String::new()),
        };
        let key = (kind.to_owned(), id.to_owned());
        let name = if let Some(name) = self.known.get(&key) {
            name.clone()
        } else {
            let name = self.ask(kind, id).await.unwrap_or_else(|| id.to_owned());
            self.known.insert(key, name.clone());
            name
        };
        name + &rest
    }

    async fn ask(&self, kind: &str, id: &str) -> Option<String> {
        let kind = match kind {
            "service" => {
                let services = self.client.services(&[id.parse().ok()?], None).all().await.ok()?;
                return Some(services.value.into_iter().next()?.name);
            }
            "agent" => AssetKind::Agent,
            "context_graph" => AssetKind::ContextGraph,
            _ => return None,
        };
        let id = AssetId::parse(kind, id).ok()?;
        let assets = self.client.assets(kind, &[id]).all().await.ok()?;
        Some(assets.value.into_iter().next()?.name)
    }
}
