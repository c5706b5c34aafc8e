//! A client over a real socket: sends calls and says what they were answered in the model's words.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use super::call::{Answer, Call, Name, Outline, Pins, Plan, Precondition, Revision, Terms, Wish};

const ACTIONS: [&str; 5] = ["create", "update", "promote", "rollback", "delete"];
const CODES: [&str; 7] = [
    "held",
    "no_such_version",
    "unknown_source",
    "nothing_to_roll_back",
    "no_such_revision",
    "across_deletion",
    "undone_revision",
];

/// A signed-in client of one service.
pub(super) struct Client {
    pub(super) http: reqwest::Client,
    pub(super) token: String,
    /// Where the sets of the service are: `http://…/version_sets`.
    pub(super) sets: String,
    /// The organization's change number when the round began.
    pub(super) base: i64,
}

impl Client {
    /// Creates a call and waits for its answer, but not longer than the client has patience.
    ///
    /// Nothing means that it gave up: what the server does then is up to the server.
    pub(super) async fn call(&self, call: &Call, patience: Duration) -> Option<Answer> {
        tokio::time::timeout(patience, self.answer(call)).await.ok()
    }

    async fn answer(&self, call: &Call) -> Answer {
        match call {
            Call::Get(set) => {
                let (status, body) = self.read(*set, "/").await;
                match status {
                    200 => Answer::Set {
                        revision: number(&body["revision"]),
                        pins: pins(&body["pins"]),
                        is_held: !body["hold"].is_null(),
                    },
                    404 => Answer::Missing,
                    _ => panic!("{call:?} was answered {status} {body}"),
                }
            }
            Call::Resolve(set) => {
                let (status, body) = self.read(*set, "/resolve").await;
                match status {
                    200 => Answer::ResolvedPins {
                        revision: number(&body["revision"]),
                        pins: Pins {
                            agent: body["agent_version_info"][1].as_i64(),
                            graph: body["service_hierarchical_state_machine_version_info"][1].as_i64(),
                        },
                    },
                    404 => Answer::Missing,
                    410 => Answer::Gone(number(&body["revision"])),
                    _ => panic!("{call:?} was answered {status} {body}"),
                }
            }
            Call::Newest(set) => {
                let (status, body) = self.read(*set, "/history?limit=1").await;
                match status {
                    200 => Answer::Revision(self.revision(&body["revisions"][0])),
                    404 => Answer::Missing,
                    _ => panic!("{call:?} was answered {status} {body}"),
                }
            }
            Call::LiftHold(set) => {
                let (status, change, body) = self.send(self.request(Method::DELETE, *set, "/hold")).await;
                match status {
                    204 => Answer::Lifted { change },
                    404 => Answer::Missing,
                    _ => panic!("{call:?} was answered {status} {body}"),
                }
            }
            Call::Change { set, wish, terms } => {
                let (status, change, body) = self.send(self.change(*set, wish, terms)).await;
                match status {
                    200 if terms.is_dry_run && wish.is_told() => Answer::Planned(plan(&body["plan"])),
                    200 if terms.is_dry_run => Answer::Planned(plan(&body)),
                    200 => {
                        assert_eq!(body["applied"].as_bool(), Some(change.is_some()), "{body}");
                        let told = Some((number(&body["revision"]), plan(&body["plan"])));
                        Answer::Done { change, told }
                    }
                    204 => Answer::Done { change, told: None },
                    400 => Answer::Blocked(plan(&body["plan"])),
                    404 => Answer::Missing,
                    409 => Answer::Moved(plan(&body["plan"])),
                    412 => Answer::PreconditionFailed {
                        revision: body["version_set"]["revision"].as_i64(),
                    },
                    _ => panic!("{call:?} was answered {status} {body}"),
                }
            }
        }
    }

    fn request(&self, method: Method, set: Name, rest: &str) -> RequestBuilder {
        let url = format!("{}/{}{rest}", self.sets, set.as_str());
        self.http.request(method, url).bearer_auth(&self.token)
    }

    async fn read(&self, set: Name, rest: &str) -> (u16, Value) {
        let (status, _, body) = self.send(self.request(Method::GET, set, rest)).await;
        (status, body)
    }

    fn change(&self, set: Name, wish: &Wish, terms: &Terms) -> RequestBuilder {
        let query = || {
            let digest = terms.digest.iter().map(|digest| format!("&plan_digest={digest}"));
            let (lift_hold, dry_run) = (terms.lift_hold, terms.is_dry_run);
            let flags = format!("/?lift_hold={lift_hold}&dry_run={dry_run}");
            std::iter::once(flags).chain(digest).collect::<String>()
        };
        let with_terms = |mut body: Value| {
            body["lift_hold"] = json!(terms.lift_hold);
            body["dry_run"] = json!(terms.is_dry_run);
            body["plan_digest"] = json!(terms.digest);
            body
        };
        let request = match wish {
            Wish::Upsert(pins) => {
                let body = json!({"version_set": forge_testkit::version_set(pins.agent, pins.graph)});
                self.request(Method::PUT, set, &query()).json(&body)
            }
            Wish::Delete => self.request(Method::DELETE, set, &query()),
            Wish::Promote { source, revision } => {
                let body = json!({"source": source.as_str(), "source_revision": revision});
                self.request(Method::POST, set, "/promote")
                    .json(&with_terms(body))
            }
            Wish::Rollback { to } => self
                .request(Method::POST, set, "/rollback")
                .json(&with_terms(json!({"to_revision": to}))),
        };
        match terms.precondition {
            None => request,
            Some(Precondition::IsAt(revision)) => request.header("If-Match", format!("\"{revision}\"")),
            Some(Precondition::IsAbsent) => request.header("If-None-Match", "*"),
        }
    }

    /// Returns the status, the change number of the write if there was one, and the body.
    async fn send(&self, request: RequestBuilder) -> (u16, Option<i64>, Value) {
        let response: Response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let change = response
            .headers()
            .get("forge-sequence")
            .map(|number| number.to_str().unwrap().parse::<i64>().unwrap() - self.base);
        let bytes = response.bytes().await.unwrap();
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).unwrap()
        };
        (status, change, body)
    }

    fn revision(&self, body: &Value) -> Revision {
        Revision {
            number: number(&body["revision"]),
            action: known(&body["action"], &ACTIONS),
            pins: (!body["pins"].is_null()).then(|| pins(&body["pins"])),
            restored: body["restored_revision"].as_i64(),
            change: number(&body["change_number"]) - self.base,
        }
    }
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap()
}

fn pins(body: &Value) -> Pins {
    Pins {
        agent: body["agent_version_number"].as_i64(),
        graph: body["service_hierarchical_state_machine_version_number"].as_i64(),
    }
}

fn plan(body: &Value) -> Plan {
    let blockers = body["blockers"].as_array().unwrap().iter();
    let mut blockers: Vec<_> = blockers.map(|finding| known(&finding["code"], &CODES)).collect();
    blockers.sort_unstable();
    let outline = Outline {
        action: known(&body["action"], &ACTIONS),
        target: body["target"]["revision"].as_i64(),
        source: body["source"]["revision"].as_i64(),
        blockers,
        is_no_op: body["is_no_op"].as_bool().unwrap(),
    };
    Plan {
        outline,
        digest: body["digest"].as_str().unwrap().to_owned(),
    }
}

/// Returns one of the words that the model knows.
fn known(value: &Value, words: &[&'static str]) -> &'static str {
    let word = words.iter().find(|word| value == **word);
    word.unwrap_or_else(|| panic!("the model does not know {value}"))
}
