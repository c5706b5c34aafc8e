//! Headers that ask for something, and what is wrong with those of a request.

use axum::http::{HeaderMap, HeaderName, header};
use forge_contract::{Operation, mentions_terms};
use forge_domain::fault::Fault;

use crate::Limits;

/// Asks that the answer shows at least the change of that number.
pub(crate) const FORGE_MIN_SEQUENCE: &str = "Forge-Min-Sequence";

/// Declares that the caller is an AI agent.
pub(crate) const FORGE_ACTOR_KIND: &str = "Forge-Actor-Kind";

/// The header that names a call.
pub(crate) const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// Headers that every operation reads, each with one value.
const SINGLE: [&str; 3] = [FORGE_MIN_SEQUENCE, FORGE_ACTOR_KIND, "Content-Type"];

/// Headers whose values are lists, which may be spread over several lines.
const LISTS: [&str; 2] = ["If-Match", "If-None-Match"];

/// The letters that every header which asks for safety has in its name, whatever stands between them.
const TELLTALE: [&str; 7] = [
    "ifmatch",
    "ifnonematch",
    "idempotencykey",
    "ifunmodifiedsince",
    "dryrun",
    "plandigest",
    "lifthold",
];

/// Returns `true` if letters follow each other in a name, marks between them aside.
fn has_letters(name: &str, letters: &str) -> bool {
    (0..name.len()).any(|start| {
        let mut rest = name.bytes().skip(start).filter(u8::is_ascii_alphanumeric);
        letters.bytes().all(|letter| rest.next() == Some(letter))
    })
}

/// Returns `true` if headers are as few and as small as the server admits.
pub(crate) fn fit(headers: &HeaderMap, limits: &Limits) -> bool {
    let size = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len());
    headers.len() <= limits.max_headers && size.sum::<usize>() <= limits.max_header_bytes
}

/// Returns the headers that an operation reads, with their texts.
pub(crate) fn texts(operation: &Operation, headers: &HeaderMap) -> Vec<(String, String)> {
    let mut texts: Vec<(String, String)> = Vec::new();
    // Most requests have many headers of which no operation wants to know anything.
    for (name, value) in headers
        .iter()
        .filter(|(name, _)| operation.reads_header(name.as_str()))
    {
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let is_list = LISTS.iter().any(|list| name.as_str().eq_ignore_ascii_case(list));
        let before = texts
            .iter_mut()
            .find(|(other, _)| is_list && other == name.as_str());
        match before {
            Some((_, list)) => *list = format!("{list}, {text}"),
            None => texts.push((name.to_string(), text)),
        }
    }
    texts
}

/// Returns the faults of headers beside those that an operation reads: a condition or a key that it does not know must
/// not be ignored, for who sends it relies on it.
pub(crate) fn faults(operation: &Operation, headers: &HeaderMap) -> Vec<Fault> {
    let mut faults = Vec::new();
    for name in SINGLE {
        if headers.get_all(name).iter().nth(1).is_some() {
            faults.push(fault(
                name,
                "duplicate",
                "this is given more than once; give it once",
            ));
        }
    }
    if headers.get(FORGE_ACTOR_KIND).is_some_and(|kind| kind != "agent") {
        let msg = "expected `agent`; without the header, the caller is what their API key says";
        faults.push(fault(FORGE_ACTOR_KIND, "enum", msg));
    }
    let is_unknown = |name: &str| headers.contains_key(name) && !operation.reads_header(name);
    if is_unknown(IDEMPOTENCY_KEY) {
        let why = match (&operation.not_replayed, operation.method.as_str()) {
            (Some(why), _) => why.as_str(),
            (None, "GET") => "it changes nothing",
            (None, _) => "made again, it changes nothing more",
        };
        let msg = format!("this operation takes no key: {why}; leave the header out");
        faults.push(fault(IDEMPOTENCY_KEY, "unknown_name", &msg));
    }
    // Whoever reads asks for nothing but the answer itself.
    for name in LISTS
        .into_iter()
        .filter(|name| operation.method != "GET" && is_unknown(name))
    {
        let msg = "this operation knows no such condition, and nothing was done; leave the header out to have it done without";
        faults.push(fault(name, "unknown_name", msg));
    }
    faults.extend(misspelt(operation, headers));
    faults
}

/// Returns the headers that ask for safety in other words than ours: nothing of it would come to pass.
fn misspelt(operation: &Operation, headers: &HeaderMap) -> Vec<Fault> {
    let mut faults = Vec::new();
    for name in headers.keys().map(HeaderName::as_str) {
        // Nearly all headers are over after this, and nothing was copied.
        if !name.starts_with("forge-") && !TELLTALE.iter().any(|letters| has_letters(name, letters)) {
            continue;
        }
        let is_known = SINGLE
            .iter()
            .chain(&LISTS)
            .any(|known| known.eq_ignore_ascii_case(name));
        if is_known || name.eq_ignore_ascii_case(IDEMPOTENCY_KEY) || operation.reads_header(name) {
            continue;
        }
        let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let plain = plain.strip_prefix('x').unwrap_or(&plain);
        let is_condition = ["ifmatch", "ifnonematch", "idempotencykey"].contains(&plain)
            || name == "if-unmodified-since" && operation.method != "GET";
        if name.starts_with("forge-") || is_condition || mentions_terms(name) {
            let msg = "no operation knows this header, and nothing was done; options such as `dry_run` stand in the query or \
                       the body, conditions in `If-Match` and `If-None-Match`";
            faults.push(fault(name, "unknown_name", msg));
        }
    }
    faults.truncate(20);
    faults
}

pub(crate) fn fault(name: &str, kind: &'static str, msg: &str) -> Fault {
    Fault::new(vec!["header".into(), name.into()], kind, msg)
}

/// Returns `true` if the headers declare a body of JSON; a missing declaration counts as one.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let Some(declared) = headers.get(header::CONTENT_TYPE) else {
        return true;
    };
    let essence = declared
        .to_str()
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    essence == "application/json" || essence.starts_with("application/") && essence.ends_with("+json")
}
