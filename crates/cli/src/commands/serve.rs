//! `forge serve`

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::time::Duration;

use clap::ValueEnum;
use forge_app::{OpenMode, SystemClock};
use forge_domain::Clock as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::admin_socket::AdminSocket;
use crate::descriptors;
use crate::error::{Context as _, Exit, Failure, Result};
use crate::installation::Location;
use crate::log::{self, Log};
use crate::output;

/// How long requests under way may take after the server was told to stop.
const DRAIN: Duration = Duration::from_secs(30);

/// How far this machine's clock may be from the database's, in milliseconds: as far as the clocks of two nodes may
/// differ for tokens.
const MOST_CLOCK_LEAD: i64 = 30_000;

/// Serve the API until SIGTERM or SIGINT; then requests under way are finished.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    location: Location,
    /// Address to listen on; port 0 takes a free one. The address is printed as the first line.
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "FORGE_LISTEN",
        default_value = "127.0.0.1:8787",
        value_parser = address
    )]
    listen: SocketAddr,
    /// Form of the log on stderr. What is logged is set by `FORGE_LOG`, such as `info` or `forge_api=debug`.
    #[arg(long, value_name = "FORM", env = "FORGE_LOG_FORMAT", default_value = "text")]
    log_format: LogFormat,
    /// Let everybody call everything as often as they like.
    #[arg(long)]
    no_rate_limits: bool,
}

/// Reads an address to listen on.
pub(super) fn address(text: &str) -> std::result::Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "expected an IP address and a port, such as 127.0.0.1:8787 or [::]:8787".to_owned())
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

pub(crate) async fn run(args: Args) -> Result<Exit> {
    let log = start_log(args.log_format)?;
    let served = open_and_serve(args).await;
    let is_told = log.end();
    match served {
        Ok(()) => Ok(Exit::Ok),
        // Why, would stand behind what nobody reads, and wait as long.
        Err(_) if !is_told => Ok(Exit::Failed),
        Err(error) => Err(error),
    }
}

async fn open_and_serve(args: Args) -> Result<()> {
    let shutdown = shutdown_signal()?;
    let mut installation = args.location.open(OpenMode::MustExist).await?;
    let runtime = installation.runtime()?;
    installation.app.set_runtime(runtime);
    let now = SystemClock.now();
    if let Some(lead) = installation.app.store.clock_lead(now).await? {
        check_clock(lead)?;
    }
    for warning in &installation.warnings {
        tracing::warn!("{warning}");
    }
    if !installation.has_organizations {
        tracing::warn!("there is no organization yet; create one with `forge init`");
    }
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    let mut limits = installation.limits;
    limits.rates.is_off |= args.no_rate_limits;
    limits.max_connections = admitted_connections(limits.max_connections);
    let admin = match &installation.socket {
        Some(path) => Some(AdminSocket::listen(path, installation.app.clone())?),
        None => None,
    };
    // Whoever reads this may send requests and admin commands at once.
    output::line(&format!("listening on http://{}", listener.local_addr()?))?;
    let served = serve(listener, installation.app, limits, shutdown).await;
    drop(admin);
    served
}

/// Refuses to serve by a clock that is not the one of the others who write to the database: by it tokens end, answers
/// under keys are forgotten and history is dated, for all of them.
fn check_clock(lead_millis: i64) -> Result<()> {
    if lead_millis.abs() <= MOST_CLOCK_LEAD {
        return Ok(());
    }
    let which = if lead_millis > 0 { "ahead of" } else { "behind" };
    let seconds = lead_millis.abs() / 1000;
    Err(Failure::failed(format!(
        "the clock of this machine is {seconds} seconds {which} that of the database; set the wrong one, and start again"
    )))
}

/// Raises the limit of open files, says what it is, and returns how many connections fit into it.
fn admitted_connections(wanted: usize) -> usize {
    let limit = descriptors::raise_limit();
    let connections = descriptors::connections(limit, wanted);
    let open_files = limit.map_or("no".to_owned(), |limit| limit.to_string());
    tracing::info!(open_files, connections, "limits of open files and connections");
    if connections < wanted {
        tracing::warn!(
            "only {connections} connections at once are admitted, not {wanted}: the process may have no more than \
             {open_files} files open; raise `ulimit -n`, or LimitNOFILE of its systemd unit"
        );
    }
    connections
}

/// Serves until `shutdown` is done, then finishes requests under way, but not for ever, and closes the store.
pub(crate) async fn serve(
    listener: TcpListener,
    app: forge_app::App,
    limits: forge_api::Limits,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    outlive_file_limit()?;
    let store = app.store.clone();
    let (stopping, stopped) = tokio::sync::oneshot::channel();
    let shutdown = async move {
        shutdown.await;
        tracing::info!("stopping");
        // Nobody waits for it if the server has ended already.
        let _ = stopping.send(());
    };
    let give_up = async {
        match stopped.await {
            Ok(()) => tokio::time::sleep(DRAIN).await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        served = forge_api::serve(listener, app, limits, shutdown) => served?,
        () = give_up => tracing::warn!("requests were still under way; stopped all the same"),
    }
    store.close().await;
    Ok(())
}

/// Returns what is done once the process is told to stop.
///
/// Waiting for it begins now, not when it is first polled.
pub(crate) fn shutdown_signal() -> Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Creates a file that may not grow any more a write that fails, as on a full disk: unless somebody takes the signal,
/// it ends the process.
///
/// It is taken until that ends by itself.
fn outlive_file_limit() -> Result<()> {
    let too_large = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    signal(too_large).map(drop).context("cannot take SIGXFSZ")
}

fn start_log(format: LogFormat) -> Result<Log> {
    let wanted = std::env::var("FORGE_LOG")
        .ok()
        .filter(|wanted| !wanted.is_empty());
    let wanted = wanted.as_deref().unwrap_or("info");
    let filter = EnvFilter::try_new(wanted).with_context(|| format!("FORGE_LOG=`{wanted}` is not valid"))?;
    // Who reads some of the lines is told that there were more.
    let filter = filter.add_directive(format!("{}=warn", log::TARGET).parse()?);
    let log = Log::start().context("cannot start a thread for the log")?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .log_internal_errors(false)
        .with_writer(log.clone());
    match format {
        LogFormat::Text => subscriber.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => subscriber.json().flatten_event(true).init(),
    }
    // The one that is there by default writes to stderr itself, and waits.
    std::panic::set_hook(Box::new(|panic| {
        let backtrace = Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
        tracing::error!(panic = panic.to_string(), backtrace, "a fault of Forge");
    }));
    Ok(log)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_not_the_databases_is_refused() {
        assert!(check_clock(MOST_CLOCK_LEAD).is_ok() && check_clock(-MOST_CLOCK_LEAD).is_ok());
        let told = |lead| check_clock(lead).map_or_else(|error| error.to_string(), |()| String::new());
        assert!(told(90_000_000).contains("is 90000 seconds ahead of that of the database"));
        assert!(told(-3_600_000).contains("is 3600 seconds behind that of the database"));
    }
}
