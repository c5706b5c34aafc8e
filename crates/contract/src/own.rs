//! What of an operation's requests is ours, so that nothing of it is overlooked.
//!
//! Five names say on which terms something is changed. Whoever writes one of them in another place, or in another
//! spelling, must not get a change without it: that is what they asked for not to happen. So an operation takes those
//! that it knows in the query and in the body alike, and refuses those that it does not know. What is wholly ours
//! refuses every other unknown name, too; Classic goes on ignoring them, as its contract does.

use std::collections::BTreeSet;

use forge_domain::fault::{Fault, Step};
use forge_domain::number::is_same;
use forge_domain::shortened;
use serde_json::{Map, Value};

use super::likeness::{bare, nearest};
use super::reference::schema_name;
use super::schema::ReadSchema;

/// The names of ours that say on which terms something is changed.
pub(super) const TERMS: [&str; 5] = ["dry_run", "plan_digest", "message", "lift_hold", "freeze"];

/// How many unknown names are told; a request that has more is no better for hearing of each.
const MOST_TOLD: usize = 20;

/// Where a term stands by the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    Query,
    Body,
}

impl Home {
    fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Body => "body",
        }
    }
}

/// A term that an operation knows.
pub(super) struct Term {
    pub(super) name: &'static str,
    pub(super) home: Home,
    pub(super) schema: ReadSchema,
}

/// What of an operation's requests is ours.
pub(super) struct Own {
    /// Whether the operation is wholly ours.
    pub(super) is_extension: bool,
    /// The terms of ours that it knows.
    pub(super) terms: Vec<Term>,
    /// The names of its parameters in the query.
    pub(super) query: Vec<String>,
    /// The headers that it reads.
    pub(super) headers: Vec<String>,
    /// The fields of its body.
    pub(super) fields: BTreeSet<String>,
    /// Whether its body may have any field.
    pub(super) is_open: bool,
}

/// What is found in one part of a request beside what its document has there: terms with another home, and faults.
#[derive(Default)]
pub(super) struct Strays {
    pub(super) terms: Map<String, Value>,
    pub(super) faults: Vec<Fault>,
}

impl Own {
    fn term(&self, name: &str, home: Home) -> Option<&Term> {
        self.terms
            .iter()
            .find(|term| term.name == name && term.home == home)
    }

    /// Looks at the names in a query that are none of the operation's parameters.
    pub(super) fn strays_of_query(&self, texts: &[(String, String)]) -> Strays {
        let mut strays = Strays::default();
        let mut seen = BTreeSet::new();
        let unknown = texts.iter().filter(|(name, _)| !self.query.contains(name));
        for (name, text) in unknown {
            let is_first = seen.insert(name.as_str());
            let found = match self.term(name, Home::Body) {
                Some(_) if !is_first => Err(twice()),
                Some(term) => read_text(term, text).map(Some),
                None if is_first && !strays.is_full() => {
                    let misread = || mentions_terms(text).then(misread);
                    self.refuse(name, Home::Query)
                        .or_else(misread)
                        .map_or(Ok(None), Err)
                }
                None => Ok(None),
            };
            match found {
                Ok(Some(value)) => drop(strays.terms.insert(name.clone(), value)),
                Ok(None) => {}
                Err(fault) => strays.add(fault, Home::Query, name),
            }
        }
        strays
    }

    /// Takes what is none of the body's fields out of a body.
    pub(super) fn strays_of_body(&self, fields: &mut Map<String, Value>) -> Strays {
        let mut strays = Strays::default();
        let known = |name: &String| self.is_open || self.fields.contains(name);
        let unknown: Vec<String> = fields.keys().filter(|name| !known(name)).cloned().collect();
        for name in unknown {
            let Some(term) = self.term(&name, Home::Query) else {
                // To find out what somebody meant takes a while, and more are not told.
                if !strays.is_full()
                    && let Some(fault) = self.refuse(&name, Home::Body)
                {
                    strays.add(fault, Home::Body, &name);
                }
                continue;
            };
            match fields.shift_remove(&name) {
                None | Some(Value::Null) => {}
                Some(value) => match term.schema.read(value) {
                    Ok(value) => drop(strays.terms.insert(name, value)),
                    Err(found) => {
                        for fault in found {
                            strays.add(fault, Home::Body, &name);
                        }
                    }
                },
            }
        }
        strays
    }

    /// Returns what is wrong with an unknown name, or `None` if it may be ignored.
    fn refuse(&self, name: &str, place: Home) -> Option<Fault> {
        if let Some(term) = meant_term(name) {
            return Some(self.misplaced(term, place));
        }
        if !self.is_extension {
            let msg = |header| format!("did you mean the header `{header}`?");
            return meant_condition(name).map(|header| Fault::new(Vec::new(), "misplaced", msg(header)));
        }
        let own: Vec<&str> = self.terms.iter().map(|term| term.name).collect();
        let (query, body) = (self.query.iter(), self.fields.iter());
        let places = [
            (Home::Query, query.map(String::as_str).collect::<Vec<_>>()),
            (Home::Body, body.map(String::as_str).collect()),
        ];
        let mut msg = format!("this operation does not know this {}", kind_of(place));
        let here = places.iter().filter(|(home, _)| *home == place);
        let here = here.flat_map(|(_, names)| names).chain(&own).copied();
        if let Some(meant) = nearest(name, here) {
            msg = format!("{msg}; did you mean `{meant}`?");
        } else if let Some((home, meant)) = places
            .iter()
            .filter(|(home, _)| *home != place)
            .find_map(|(home, names)| Some((home, nearest(name, names.iter().copied())?)))
        {
            msg = format!("{msg}; did you mean `{meant}` in the {}?", home.as_str());
        } else if let Some(meant) = nearest(name, self.headers.iter().map(String::as_str)) {
            msg = format!("{msg}; did you mean the header `{meant}`?");
        }
        Some(Fault::new(Vec::new(), "unknown_name", msg))
    }

    /// Tells where a term belongs, or that the operation does not know it.
    fn misplaced(&self, term: &str, place: Home) -> Fault {
        let is_ours = self.terms.iter().any(|known| known.name == term);
        let msg = if is_ours {
            format!("did you mean `{term}`?")
        } else if place == Home::Body && self.query.iter().any(|name| name == term) {
            format!("did you mean `{term}` in the query?")
        } else if place == Home::Query && self.fields.contains(term) {
            format!("did you mean `{term}` in the body?")
        } else if self.query.iter().any(|name| name == term) || self.fields.contains(term) {
            format!("did you mean `{term}`?")
        } else {
            format!(
                "this operation does not know `{term}`, and nothing was done; leave it out to have it done without"
            )
        };
        Fault::new(Vec::new(), "misplaced", msg)
    }
}

/// Terms that are nobody's word for anything else: a name that has one of them in it means it.
const UNMISTAKABLE: [&str; 3] = ["dry_run", "plan_digest", "lift_hold"];

/// Headers that say on which condition something is done.
const CONDITIONS: [&str; 3] = ["If-Match", "If-None-Match", "Idempotency-Key"];

/// Returns the term of ours that somebody means by a name, however it is written.
fn meant_term(name: &str) -> Option<&'static str> {
    let plain = bare(name);
    let is = |term: &&str| plain == bare(term);
    let is_like = |term: &&str| nearest(&plain, [*term]).is_some();
    unmistakable_in(name)
        .or_else(|| TERMS.into_iter().find(is))
        .or_else(|| UNMISTAKABLE.into_iter().find(is_like))
}

/// Returns the term that a text has in it which is nobody's word for anything else.
fn unmistakable_in(text: &str) -> Option<&'static str> {
    let letters = text.chars().filter(|c| c.is_alphanumeric());
    let plain: String = letters.flat_map(char::to_lowercase).collect();
    UNMISTAKABLE.into_iter().find(|term| plain.contains(&bare(term)))
}

/// Returns the header of a condition that somebody means by a name.
fn meant_condition(name: &str) -> Option<&'static str> {
    let plain = bare(name);
    CONDITIONS.into_iter().find(|header| bare(header) == plain)
}

/// Returns the term that became a part of a value because `?`, or an escaped `&`, stands before it.
///
/// The value is looked at as it came: whatever encodes a text for a query escapes its `=`, so that a text about a term is told
/// from two queries that somebody put together by hand.
fn term_behind_separator(value: &str) -> Option<&'static str> {
    let value = value.replace("%3F", "?").replace("%3f", "?").replace("%26", "?");
    let named = value.split('?').skip(1).filter_map(|part| part.split_once('='));
    named
        .filter(|(name, _)| {
            name.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        })
        .find_map(|(name, _)| meant_term(name))
}

/// Looks for terms of ours that stand inside of the values of a query, as it came.
pub(super) fn misjoined(query: &str) -> Vec<Fault> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let found = pairs.filter_map(|(name, value)| Some((name, term_behind_separator(value)?)));
    let fault = |(name, term): (&str, &str)| {
        let msg = format!(
            "the value has `{term}=` in it behind `?` or `%26`, and nothing was done; write `&` between parameters, and `%3D` \
             for `=` in a text"
        );
        let step = shortened(name).into_owned();
        Fault::new(Vec::new(), "misplaced", msg)
            .inside(step)
            .inside("query")
    };
    found.take(MOST_TOLD).map(fault).collect()
}

/// Returns `true` if a body that nobody reads asks for something of ours all the same.
pub fn mentions_terms(text: &str) -> bool {
    unmistakable_in(text).is_some()
}

/// The fault of a term that became a part of another parameter's value.
fn misread() -> Fault {
    let msg = "this operation does not know this parameter, and its value has a term of ours in it; `&` stands between parameters";
    Fault::new(Vec::new(), "misplaced", msg)
}

fn kind_of(place: Home) -> &'static str {
    match place {
        Home::Query => "parameter",
        Home::Body => "field",
    }
}

/// The fault of what has one value and is given several times.
pub(super) fn twice() -> Fault {
    Fault::new(
        Vec::new(),
        "duplicate",
        "this is given more than once; give it once",
    )
}

/// Reads a term whose home is the body from the text that it has in a query.
fn read_text(term: &Term, text: &str) -> Result<Value, Fault> {
    let value = match (term.name, text.to_ascii_lowercase().as_str()) {
        ("plan_digest" | "message", _) => text.into(),
        (_, "true" | "1" | "on" | "yes" | "y" | "t") => true.into(),
        (_, "false" | "0" | "off" | "no" | "n" | "f") => false.into(),
        _ => text.into(),
    };
    if text.contains(['\0', char::REPLACEMENT_CHARACTER]) {
        let msg = "the text contains the NUL character, or is not valid UTF-8";
        return Err(Fault::new(Vec::new(), "string_unicode", msg));
    }
    let read = term.schema.read(value);
    read.map_err(|found| {
        let first = found.into_iter().next();
        first.unwrap_or_else(|| Fault::new(Vec::new(), "invalid", "the value is invalid"))
    })
}

impl Strays {
    fn is_full(&self) -> bool {
        self.faults.len() >= MOST_TOLD
    }

    fn add(&mut self, fault: Fault, place: Home, name: &str) {
        if !self.is_full() {
            let step = shortened(name).into_owned();
            self.faults.push(fault.inside(step).inside(place.as_str()));
        }
    }
}

/// Puts the terms that one part of a request has for another one into it.
///
/// Both may have a term if they agree.
pub(super) fn unite(
    into: &mut Map<String, Value>,
    given: impl Fn(&str) -> bool,
    terms: Map<String, Value>,
    from: &'static str,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (name, value) in terms {
        match into.get(&name).filter(|there| given(&name) && !there.is_null()) {
            Some(there) if is_same(there, &value) => {}
            Some(_) => {
                let msg = "the query and the body both have this, and they differ; give it once";
                let loc = vec![Step::from(from), Step::from(name)];
                faults.push(Fault::new(loc, "contradiction", msg));
            }
            None => drop(into.insert(name, value)),
        }
    }
    faults
}

/// Returns the fields of objects inside of a body that our own schemas do not have.
///
/// Schemas of Classic ignore what they do not know, wherever they are used.
pub(super) fn unknown_inside(value: &Value, schema: &Value, definitions: &Value) -> Vec<Fault> {
    search(value, schema, definitions, true)
}

/// Returns the terms of ours that stand somewhere inside of a body, where they mean nothing: in an object whose fields
/// the document lists, or in one that it does not know at all.
///
/// Objects with keys of the caller's choice are theirs.
pub(super) fn terms_inside(value: &Value, schema: &Value, definitions: &Value) -> Vec<Fault> {
    search(value, schema, definitions, false)
}

/// Returns the terms of ours that stand somewhere inside of a body of which the document says nothing at all.
pub(super) fn terms_anywhere_inside(value: &Value) -> Vec<Fault> {
    let mut search = Search {
        definitions: &Value::Null,
        is_ours: false,
        place: Vec::new(),
        faults: Vec::new(),
    };
    search.value(value, None, true);
    search.faults
}

fn search(value: &Value, schema: &Value, definitions: &Value, is_ours: bool) -> Vec<Fault> {
    let mut search = Search {
        definitions,
        is_ours,
        place: Vec::new(),
        faults: Vec::new(),
    };
    search.value(value, Some(schema), true);
    search.faults
}

struct Search<'d> {
    definitions: &'d Value,
    /// Whether every unknown field is looked for, in what is ours; else terms alone, everywhere.
    is_ours: bool,
    place: Vec<Step>,
    faults: Vec<Fault>,
}

impl Search<'_> {
    fn value(&mut self, value: &Value, mut schema: Option<&Value>, is_outermost: bool) {
        if self.faults.len() >= MOST_TOLD {
            return;
        }
        if let Some(name) = schema.and_then(|schema| schema["$ref"].as_str().and_then(schema_name)) {
            if self.is_ours && !is_own_schema(name) {
                return;
            }
            return self.value(value, Some(&self.definitions[name]), is_outermost);
        }
        if let Some([one, null]) = schema.and_then(|schema| schema["anyOf"].as_array().map(Vec::as_slice))
            && null["type"] == "null"
        {
            return self.value(value, Some(one), is_outermost);
        }
        match value {
            Value::Object(fields) => self.fields(fields, schema, is_outermost),
            Value::Array(items) => {
                schema = schema.map(|schema| &schema["items"]);
                for (index, item) in items.iter().enumerate() {
                    self.inside(index.into(), item, schema);
                }
            }
            _ => {}
        }
    }

    fn fields(&mut self, fields: &Map<String, Value>, schema: Option<&Value>, is_outermost: bool) {
        let known = schema.map(|schema| schema["properties"].as_object());
        // Its keys are the caller's.
        if known == Some(None) {
            return;
        }
        let known = known.flatten();
        for (name, value) in fields {
            let inner = known.and_then(|known| known.get(name));
            let fault = match inner {
                None if !is_outermost => self.judged(name, known),
                _ => None,
            };
            match fault {
                Some(_) if self.faults.len() >= MOST_TOLD => return,
                Some((kind, msg)) => {
                    let mut loc = self.place.clone();
                    loc.push(shortened(name).into_owned().into());
                    self.faults.push(Fault::new(loc, kind, msg));
                }
                // What is unknown at the outermost level is judged elsewhere.
                None if inner.is_none() && self.is_ours => {}
                None => self.inside(shortened(name).into_owned().into(), value, inner),
            }
        }
    }

    fn inside(&mut self, step: Step, value: &Value, schema: Option<&Value>) {
        self.place.push(step);
        self.value(value, schema, false);
        self.place.pop();
    }

    /// Returns what is wrong with a name that the document does not have here, as its kind and in words.
    fn judged(&self, name: &str, known: Option<&Map<String, Value>>) -> Option<(&'static str, String)> {
        if !self.is_ours {
            let term = unmistakable_in(name)?;
            let msg = format!(
                "`{term}` means nothing here, and nothing was done; it stands beside the other fields of the request"
            );
            return Some(("misplaced", msg));
        }
        let meant = known.and_then(|known| nearest(name, known.keys().map(String::as_str)));
        let msg = match meant {
            Some(meant) => format!("this field is unknown here; did you mean `{meant}`?"),
            None => "this field is unknown here".to_owned(),
        };
        Some(("unknown_name", msg))
    }
}

/// Returns `true` if a schema of the document is ours.
pub(super) fn is_own_schema(name: &str) -> bool {
    name.starts_with("Forge")
}

/// Returns the names of all fields that an object of a schema may have, and whether it may have any others.
pub(super) fn field_names(schema: &Value, definitions: &Value) -> (BTreeSet<String>, bool) {
    let mut names = BTreeSet::new();
    let mut is_open = false;
    let mut open = vec![schema];
    let mut seen = BTreeSet::new();
    while let Some(schema) = open.pop() {
        if let Some(name) = schema["$ref"].as_str().and_then(schema_name) {
            if seen.insert(name) {
                open.push(&definitions[name]);
            }
            continue;
        }
        for alternatives in ["anyOf", "oneOf", "allOf"] {
            open.extend(schema[alternatives].as_array().into_iter().flatten());
        }
        let properties = schema["properties"].as_object();
        names.extend(properties.into_iter().flat_map(Map::keys).cloned());
        is_open |= schema
            .get("additionalProperties")
            .is_some_and(|more| *more != false);
    }
    (names, is_open)
}
