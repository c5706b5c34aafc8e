//! `forge audit verify`

use std::io::{BufRead, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use forge_app::audit::{self, SignedCheckpoint};
use forge_app::{OpenMode, Store, StoreUrl};
use forge_domain::OrganizationId;
use forge_domain::audit::{ChainCheck, ChainReport, ExpectedHead};
use forge_wire::audit::{HeadInstance, Line, parse_line};
use serde_json::json;

use crate::error::{Context as _, Exit, Failure, Result};
use crate::input;
use crate::installation::{DatabaseUrl, check_named};
use crate::output;
use crate::ui::{escaped_json, plain};

/// The longest line that an export may have, in bytes; the server takes no body that would make a longer one.
const LONGEST_LINE: u64 = 64 * 1024 * 1024;

/// The longest checkpoint, in bytes, with much to spare.
const LONGEST_CHECKPOINT: u64 = 1024 * 1024;

/// Look for entries that were edited, dropped, put in or moved.
///
/// Needs no server, and looks at a store without changing anything, also while a server has it open. An export must end
/// with its checkpoint, and a store's log with the last change of its organization; that both were cut and made to fit can be
/// seen only with `--expect-head` or `--checkpoint`: something that was noted before.
/// Ends with 0 if the log is intact, with 1 if not, and with 2 if it could not be checked.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files of an export, in the order in which they were made; `-` reads stdin. Without one, a store is looked at.
    #[arg(value_name = "FILE", conflicts_with_all = ["data_dir", "database_url"])]
    files: Vec<PathBuf>,
    /// Folder of an embedded database [default: `FORGE_DATABASE_URL` or `FORGE_DATA_DIR`].
    #[arg(long, value_name = "DIR", conflicts_with = "database_url")]
    data_dir: Option<PathBuf>,
    /// Database: `postgres://USER:PASSWORD@HOST/DATABASE`.
    #[arg(long, value_name = "URL")]
    database_url: Option<DatabaseUrl>,
    /// Id of the organization [default: all of the store's].
    #[arg(long, value_name = "ID")]
    organization: Option<OrganizationId>,
    /// A hash that the log is known to have ended with at some time. May be repeated.
    #[arg(long, value_name = "HASH", value_parser = hash)]
    expect_head: Vec<String>,
    /// File with a signed checkpoint: what `audit_event/head` answered, or an export. May be repeated.
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// Public key, in base64, that checkpoints must be signed by; may be repeated, as keys change [default: of a store,
    /// its own; of files, signatures are not looked at].
    #[arg(long, value_name = "KEY")]
    public_key: Vec<String>,
    /// Print one JSON object for each log.
    #[arg(long)]
    json: bool,
}

/// A hash as it is printed, or what is wrong with the text.
fn hash(text: &str) -> std::result::Result<String, String> {
    let text = text.to_ascii_lowercase();
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(text)
    } else {
        Err("a hash has 64 hexadecimal digits".to_owned())
    }
}

pub(crate) async fn run(args: Args) -> Result<Exit> {
    let reports = check(&args).await.map_err(not_checked)?;
    for report in &reports {
        print(report, args.json).map_err(|cause| not_checked(cause.into()))?;
    }
    let entries: u64 = reports.iter().map(|report| report.entries).sum();
    output::note(&format!(
        "checked {}, {} in all",
        counted(reports.len() as u64, "log", "logs"),
        counted(entries, "entry", "entries")
    ));
    if reports.is_empty() {
        return Err(Failure::failed("the store has no log"));
    }
    if reports.iter().all(ChainReport::is_intact) {
        Ok(Exit::Ok)
    } else {
        Err(Failure::failed("the log is not as it was written"))
    }
}

fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Tells a log that could not be looked at from one that is broken.
fn not_checked(cause: Failure) -> Failure {
    Failure {
        exit: Exit::Usage,
        ..cause
    }
}

async fn check(args: &Args) -> Result<Vec<ChainReport>> {
    let checkpoints: Vec<SignedCheckpoint> = args
        .checkpoint
        .iter()
        .map(|path| read_checkpoint(path))
        .collect::<Result<_>>()?;
    if args.expect_head.is_empty() && checkpoints.is_empty() {
        output::note(
            "note: without `--expect-head` or `--checkpoint`, a log that was cut and made to fit passes for the whole one",
        );
    }
    if args.files.is_empty() {
        check_store(args, checkpoints).await
    } else {
        check_files(args, checkpoints)
    }
}

/// Reads a checkpoint from what the server answered, or from the last line of an export.
fn read_checkpoint(path: &Path) -> Result<SignedCheckpoint> {
    let end = end_of(path).with_context(|| format!("cannot read {}", path.display()))?;
    let last = end.trim_ascii_end().rsplit(|byte| *byte == b'\n').next();
    let read = match serde_json::from_slice::<HeadInstance>(&end) {
        Ok(head) => head.checkpoint.into_checkpoint(),
        Err(_) => match parse_line(last.unwrap_or_default()) {
            Ok(Line::Checkpoint(checkpoint, signature)) => Ok((checkpoint, signature)),
            Ok(Line::Event(_)) => Err("its last line is no checkpoint".to_owned()),
            Err(why) => Err(why),
        },
    };
    match read {
        Ok((checkpoint, signature)) => Ok(SignedCheckpoint {
            checkpoint,
            signature,
        }),
        Err(why) => Err(Failure::failed(format!(
            "{} holds no checkpoint: {why}",
            path.display()
        ))),
    }
}

/// Returns the end of a file, in which the last line is: exports may be larger than memory.
fn end_of(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = input::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LONGEST_CHECKPOINT)))?;
    let mut end = Vec::new();
    file.take(LONGEST_CHECKPOINT).read_to_end(&mut end)?;
    Ok(end)
}

/// Returns what a log must have had in it.
///
/// A checkpoint that nobody signed stands for nothing.
fn expected(
    heads: &[String],
    checkpoints: &[&SignedCheckpoint],
    is_signed: impl Fn(&SignedCheckpoint) -> bool,
) -> Result<Vec<ExpectedHead>> {
    let mut expected: Vec<ExpectedHead> = Vec::new();
    for hash in heads {
        expected.push(ExpectedHead {
            sequence: None,
            hash: hash.clone(),
        });
    }
    for signed in checkpoints {
        let (sequence, hash) = (signed.checkpoint.sequence, signed.checkpoint.hash.clone());
        if !is_signed(signed) {
            return Err(Failure::failed(format!(
                "the given checkpoint of entry {sequence} is not signed by the public key"
            )));
        }
        expected.push(ExpectedHead {
            sequence: Some(sequence),
            hash,
        });
    }
    Ok(expected)
}

/// Returns `true` if one of the given keys signed a checkpoint; without keys, nothing is said against it.
fn is_signed(signed: &SignedCheckpoint, keys: &[String]) -> bool {
    keys.is_empty() || keys.iter().any(|key| signed.is_signed_by(key))
}

fn check_files(args: &Args, checkpoints: Vec<SignedCheckpoint>) -> Result<Vec<ChainReport>> {
    let given: Vec<&SignedCheckpoint> = checkpoints.iter().collect();
    let keys = &args.public_key;
    let mut check = ChainCheck::new(expected(&args.expect_head, &given, |signed| {
        is_signed(signed, keys)
    })?)
    .with_checkpoint();
    for path in &args.files {
        let reading = || format!("cannot read {}", path.display());
        if path.as_os_str() == "-" {
            check_lines(&mut check, std::io::stdin().lock(), keys).with_context(reading)?;
        } else {
            let file = input::open(path).with_context(reading)?;
            check_lines(&mut check, BufReader::new(file), keys).with_context(reading)?;
        }
    }
    let report = check.finish();
    let wanted = args
        .organization
        .as_ref()
        .into_iter()
        .chain(given.iter().map(|it| &it.checkpoint.organization));
    for organization in wanted {
        let found = report.organization.as_ref();
        if let Some(other) = found.filter(|other| *other != organization) {
            return Err(Failure::failed(format!(
                "this is the log of `{other}`, not of `{organization}`"
            )));
        }
    }
    Ok(vec![report])
}

fn check_lines(check: &mut ChainCheck, mut lines: impl BufRead, keys: &[String]) -> std::io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(());
        }
        match parse_line(&line) {
            Err(why) => check.add_unreadable(why),
            Ok(Line::Event(event)) => check.add(&event.0, &event.1),
            Ok(Line::Checkpoint(checkpoint, signature)) => {
                let signed = SignedCheckpoint {
                    checkpoint,
                    signature,
                };
                if is_signed(&signed, keys) {
                    check.add_checkpoint(&signed.checkpoint);
                } else {
                    check.add_bad_checkpoint("is not signed by the public key".to_owned());
                }
            }
        }
    }
}

async fn check_store(args: &Args, checkpoints: Vec<SignedCheckpoint>) -> Result<Vec<ChainReport>> {
    let store = Store::open(&url(args)?, OpenMode::ReadOnly).await?;
    let (known, ownerless): (Vec<_>, Vec<_>) = audit::chains(&store)
        .await?
        .into_iter()
        .partition(std::result::Result::is_ok);
    let known: Vec<OrganizationId> = known.into_iter().flatten().collect();
    let mut organizations = known.clone();
    // Organizations are never removed, only marked as deleted: one that is not there is a fault, not an oversight.
    let wanted = args
        .organization
        .iter()
        .chain(checkpoints.iter().map(|it| &it.checkpoint.organization));
    for organization in wanted {
        if !organizations.contains(organization) {
            organizations.push(organization.clone());
        }
    }
    if let Some(only) = &args.organization {
        organizations.retain(|organization| organization == only);
    }
    if organizations.len() > 1 && !args.expect_head.is_empty() {
        return Err(Failure::failed(
            "the store has several logs; name the one that ended like this by `--organization ID`",
        ));
    }
    let mut reports = Vec::new();
    if args.organization.is_none() {
        reports.extend(
            ownerless
                .into_iter()
                .filter_map(std::result::Result::err)
                .map(ChainReport::ownerless),
        );
    }
    for organization in organizations {
        if !known.contains(&organization) {
            reports.push(ChainReport::missing(organization));
            continue;
        }
        let own = |it: &&SignedCheckpoint| it.checkpoint.organization == organization;
        let own: Vec<&SignedCheckpoint> = checkpoints.iter().filter(own).collect();
        let keys = keys(&store, args, &organization, &own).await?;
        let is_signed = |signed: &SignedCheckpoint| keys.iter().any(|key| signed.is_signed_by(key));
        let expected = expected(&args.expect_head, &own, is_signed)?;
        let mut report = audit::check(&store, &organization, expected).await?;
        report.organization.get_or_insert(organization);
        reports.push(report);
    }
    store.close().await;
    Ok(reports)
}

/// Returns the keys that may have signed these checkpoints: those given, or else the store's own.
async fn keys(
    store: &Store,
    args: &Args,
    organization: &OrganizationId,
    checkpoints: &[&SignedCheckpoint],
) -> Result<Vec<String>> {
    if !args.public_key.is_empty() {
        return Ok(args.public_key.clone());
    }
    let mut keys = Vec::new();
    for signed in checkpoints {
        keys.extend(audit::public_key(store, organization, &signed.checkpoint.kid).await?);
    }
    Ok(keys)
}

/// Returns where the store is.
///
/// The variables count only if nothing is named, so that they are never in a file's way.
fn url(args: &Args) -> Result<StoreUrl> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(folder) = &args.data_dir {
        check_named("--data-dir", "FORGE_DATA_DIR", Some(&folder.to_string_lossy()))?;
        return Ok(StoreUrl::Folder(folder.clone()));
    }
    if let Some(url) = args
        .database_url
        .clone()
        .or_else(|| variable("FORGE_DATABASE_URL").map(DatabaseUrl::from))
    {
        check_named("--database-url", "FORGE_DATABASE_URL", Some(&url))?;
        return Ok(url.parse()?);
    }
    match variable("FORGE_DATA_DIR") {
        Some(folder) => {
            check_named("--data-dir", "FORGE_DATA_DIR", Some(&folder))?;
            Ok(StoreUrl::Folder(folder.into()))
        }
        None => Err(Failure::failed(
            "name what to look at: a FILE of an export, `--data-dir DIR` or `--database-url URL`",
        )),
    }
}

fn print(report: &ChainReport, as_json: bool) -> std::io::Result<()> {
    let first = report.first_fault.as_ref();
    if as_json {
        let fault = first.map(|fault| {
            json!({"sequence": fault.sequence, "code": fault.kind.code(), "message": fault.to_string()})
        });
        let document = json!({
                "organization": report.organization,
                "is_intact": report.is_intact(),
                "entries": report.entries,
                "sequence": report.sequence,
                "hash": report.hash,
                "faults": report.faults,
                "first_fault": fault,
        });
        return output::line(&escaped_json(&document.to_string()));
    }
    let whose = report
        .organization
        .as_ref()
        .map_or("the log", OrganizationId::as_str);
    let (entries, hash) = (report.entries, report.hash.as_deref().unwrap_or("unknown"));
    match first {
        None => output::line(&format!("{whose}: intact, {entries} entries, head {hash}")),
        Some(fault) if report.faults == 1 => {
            output::line(&format!("{whose}: broken: {}", plain(&fault.to_string())))
        }
        Some(fault) => output::line(&format!(
            "{whose}: broken in {} places, first: {}",
            report.faults,
            plain(&fault.to_string())
        )),
    }
}
