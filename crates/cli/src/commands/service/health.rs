//! `forge service health`

use std::time::Duration;

use forge_client::answers::Service;
use forge_client::health::{Health, HealthReason};
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use crate::error::{Exit, Result};
use crate::lookup;
use crate::numbers;
use crate::session::Session;
use crate::ui::Ui;

/// Tell whether what the sets of a service pin can run, with reasons.
///
/// Exits with 0 if everything is healthy, 1 if something is degraded, and 2 if something cannot run.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge service health 'Dental care'\n  forge service health --all\n\n\
    In a pipe, each line has: service, its status, and of each reason the set, what the reason does to the status, code and \
    sentence; a service without reasons has one line. JSON of one service is the document of the API; with `--all` it has \
    `services`, each with `service_id`, `service_name` and `health`. With `--watch`, each state is a document of its own."
)]
pub(crate) struct Args {
    /// Name or id of the service.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    service: Option<String>,
    /// Tell it of every active service; the exit code is that of the worst.
    #[arg(long)]
    all: bool,
    /// Go on, and tell it anew whenever something changed, until Ctrl-C.
    #[arg(long)]
    watch: bool,
    /// How many seconds to wait between looks.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, requires = "watch", value_parser = numbers::from_one::<u64>)]
    interval: u64,
}

/// A service, and how it is.
struct Seen {
    service: Service,
    health: Health,
    json: Box<RawValue>,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result<Exit> {
    let mut told = None;
    loop {
        let seen = look(session, args.service.as_deref()).await?;
        let state: Vec<(String, String)> = seen
            .iter()
            .map(|seen| (seen.service.id.to_string(), seen.json.get().to_owned()))
            .collect();
        if told.as_ref() != Some(&state) {
            if told.is_some() {
                session.ui.note("something changed:");
            }
            tell(&session.ui, &seen, args.all)?;
            told = Some(state);
        }
        if !args.watch {
            return Ok(exit_of(&seen));
        }
        tokio::time::sleep(Duration::from_secs(args.interval)).await;
    }
}

/// Looks at one service, or at every active one.
async fn look(session: &Session, wanted: Option<&str>) -> Result<Vec<Seen>> {
    let client = &session.client;
    let services = match wanted {
        Some(wanted) => vec![lookup::service(session, wanted).await?],
        None => client.services(&[], Some(true)).all().await?.value,
    };
    let mut seen = Vec::new();
    for service in services {
        let health = client.health(service.id).await?;
        seen.push(Seen {
            service,
            health: health.value,
            json: health.json,
        });
    }
    Ok(seen)
}

fn exit_of(seen: &[Seen]) -> Exit {
    let has = |status: &str| seen.iter().any(|seen| seen.health.status == status);
    if has("unhealthy") {
        Exit::UNHEALTHY
    } else if seen.iter().all(|seen| seen.health.status == "healthy") {
        Exit::Ok
    } else {
        Exit::DEGRADED
    }
}

fn tell(ui: &Ui, seen: &[Seen], is_list: bool) -> Result<()> {
    if ui.json {
        return match seen {
            [one] if !is_list => ui.document(&one.json),
            all => ui.document(&list(all)?),
        };
    }
    if seen.is_empty() {
        ui.note("there is no active service that you may see");
    }
    let mut rows: Vec<(&Seen, Option<&HealthReason>)> = Vec::new();
    for one in seen {
        let reasons = one.health.reasons.iter().map(Some);
        // People see the service on a line of its own; programs need that only where no reason tells of it.
        if ui.is_terminal() || one.health.reasons.is_empty() {
            rows.push((one, None));
        }
        rows.extend(reasons.map(|reason| (one, reason)));
    }
    ui.rows(
        &rows,
        ["service", "status", "set", "because"],
        |(seen, reason)| match reason {
            None => [
                seen.service.name.clone(),
                seen.health.status.clone(),
                String::new(),
                String::new(),
            ],
            Some(reason) => [
                String::new(),
                reason.severity.clone(),
                reason.version_set.clone().unwrap_or_default(),
                format!("{} [{}]", reason.message, reason.code),
            ],
        },
        |(seen, reason)| {
            let text = |of: fn(&HealthReason) -> String| reason.map(of).unwrap_or_default();
            [
                seen.service.name.clone(),
                seen.health.status.clone(),
                text(|reason| reason.version_set.clone().unwrap_or_default()),
                text(|reason| reason.severity.clone()),
                text(|reason| reason.code.clone()),
                text(|reason| reason.message.clone()),
            ]
        },
    )
}

fn list(seen: &[Seen]) -> Result<Box<RawValue>> {
    let one = |seen: &Seen| json!({"service_id": seen.service.id, "service_name": seen.service.name, "health": seen.json});
    let services: Vec<_> = seen.iter().map(one).collect();
    Ok(to_raw_value(&json!({"services": services}))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(status: &str) -> Seen {
        let id = "0123456789abcdef01234567";
        let service = json!({
            "id": id, "name": "Dental care", "is_active": true, "agent_id": id,
            "service_hierarchical_state_machine_id": id,
        });
        Seen {
            service: serde_json::from_value(service).unwrap(),
            health: serde_json::from_value(json!({"status": status})).unwrap(),
            json: Box::default(),
        }
    }

    #[test]
    fn the_worst_status_decides_and_an_unknown_one_is_not_healthy() {
        let exit = |statuses: &[&str]| exit_of(&statuses.iter().copied().map(seen).collect::<Vec<_>>());
        assert_eq!(exit(&[]), Exit::Ok);
        assert_eq!(exit(&["healthy", "healthy"]), Exit::Ok);
        assert_eq!(exit(&["healthy", "degraded"]), Exit::DEGRADED);
        assert_eq!(exit(&["unhealthy", "degraded"]), Exit::UNHEALTHY);
        assert_eq!(exit(&["what comes later"]), Exit::DEGRADED);
    }
}
