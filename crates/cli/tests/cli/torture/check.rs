//! What must be true whenever the server is back.

use std::collections::{BTreeMap, BTreeSet};

use forge_testkit::TestDatabase;
use serde_json::{Value, json};

use super::call::{Call, Done, Outcome, Place, SERVICES, SETS, Wish};
use super::client::Client;
use crate::process::forge;

/// Everything that the server tells.
pub(super) struct State {
    /// The revisions of each set, oldest first.
    histories: BTreeMap<Place, Vec<Value>>,
    /// Each set as it is.
    sets: BTreeMap<Place, Value>,
    /// The audit events about each set, by change number.
    events: BTreeMap<(Place, i64), Value>,
    /// The change numbers in the audit log.
    changes: BTreeSet<i64>,
    change_number: i64,
    /// The last hash of the audit log.
    pub(super) head: String,
}

/// Has the real binary check the audit log, whether or not a server runs.
pub(super) fn verify_audit_log(database: &TestDatabase, expected_head: Option<&str>) {
    let mut command = forge();
    command.args(["audit", "verify"]).args(&database.flags);
    if let Some(head) = expected_head {
        command.args(["--expect-head", head]);
    }
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

impl State {
    pub(super) async fn read(client: &Client, database: &TestDatabase) -> Self {
        let mut histories = BTreeMap::new();
        let mut sets = BTreeMap::new();
        let mut names = BTreeMap::new();
        for service in 0..SERVICES {
            let path = client.sets(service);
            for set in SETS {
                let found = client.get(&format!("{path}/{set}/")).await;
                sets.insert((service, set), serde_json::from_str(&found).unwrap());
                histories.insert((service, set), history(client, &format!("{path}/{set}")).await);
                names.insert(format!("{}/{set}", client.services[service]), (service, set));
            }
        }
        let (mut events, mut changes, mut head) = (BTreeMap::new(), BTreeSet::new(), String::new());
        for line in client.get("audit_event/export").await.lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            let Some(change) = event["change_number"].as_i64() else {
                event["checkpoint"]["hash"]
                    .as_str()
                    .unwrap()
                    .clone_into(&mut head);
                continue;
            };
            changes.insert(change);
            let place = event["object"]["id"].as_str().and_then(|id| names.get(id));
            if let Some(place) = place {
                let before = events.insert((*place, change), event);
                assert!(before.is_none(), "two events of change {change} about {place:?}");
            }
        }
        let change_number = database
            .texts("SELECT CAST(change_number AS TEXT) FROM organization")
            .await;
        let change_number = change_number.first().unwrap().parse().unwrap();
        Self {
            histories,
            sets,
            events,
            changes,
            change_number,
            head,
        }
    }

    /// Fails unless everything fits together, and fits what clients were answered.
    pub(super) fn check(&self, done: &[Done]) {
        assert_eq!(
            self.changes.last(),
            Some(&self.change_number),
            "the last change is in the audit log"
        );
        for place in self.histories.keys() {
            self.check_set(*place);
        }
        for done in done {
            match &done.outcome {
                Outcome::Nothing => assert_eq!(self.found(&done.call), [], "{:?} was refused", done.call),
                Outcome::Written { change, plans } => self.check_written(&done.call, *change, plans),
                Outcome::Unanswered => {}
            }
            self.check_whole(&done.call);
        }
    }

    /// A set is its latest revision; revisions have no gaps, and each has its event in the audit log.
    fn check_set(&self, place: Place) {
        let (history, set) = (&self.histories[&place], &self.sets[&place]);
        let last = history.last().unwrap();
        assert_eq!(
            (&set["revision"], &set["pins"]),
            (&last["revision"], &last["pins"]),
            "{place:?}"
        );
        let mut previous = 0;
        for (index, revision) in history.iter().enumerate() {
            assert_eq!(
                number(&revision["revision"]),
                i64::try_from(index).unwrap() + 1,
                "{place:?}"
            );
            let change = number(&revision["change_number"]);
            assert!(change > previous, "{place:?}: {revision}");
            previous = change;
            // A service's creation is one event with its sets in it.
            let event = self.events.get(&(place, change));
            if let Some(event) = event {
                let (written, kept) = (&event["after"], revision);
                assert_eq!(
                    (&written["revision"], &written["pins"]),
                    (&kept["revision"], &kept["pins"]),
                    "{place:?}"
                );
            } else {
                assert!(
                    index == 0 && place.1 == "release",
                    "{place:?}: no event of {revision}"
                );
            }
        }
        let with_revision =
            |((at, _), event): &(&(Place, i64), &Value)| *at == place && event["action"] != "lift_hold";
        let events = self.events.iter().filter(with_revision).count();
        assert_eq!(
            events + usize::from(place.1 == "release"),
            history.len(),
            "{place:?}"
        );
    }

    /// Returns `true` if a call left a revision behind.
    pub(super) fn has(&self, call: &Call) -> bool {
        !self.found(call).is_empty()
    }

    /// Returns the revisions that a call left behind.
    fn found(&self, call: &Call) -> Vec<(Place, &Value)> {
        let mut found = Vec::new();
        for place in call.targets() {
            let own = self.histories[&place]
                .iter()
                .filter(|revision| revision["message"] == json!(call.message));
            found.extend(own.map(|revision| (place, revision)));
        }
        found
    }

    /// What was answered is there, with the content of the answer.
    fn check_written(&self, call: &Call, change: i64, plans: &[Value]) {
        assert!(
            change <= self.change_number && self.changes.contains(&change),
            "{call:?} was answered {change}"
        );
        let found = self.found(call);
        for (index, place) in call.targets().into_iter().enumerate() {
            let plan = plans.get(index).unwrap_or(&Value::Null);
            let Some(event) = self.events.get(&(place, change)) else {
                assert_eq!(
                    plan["is_no_op"],
                    json!(true),
                    "{call:?}: change {change} of {place:?} is lost"
                );
                continue;
            };
            let own = found.iter().find(|(at, _)| *at == place);
            if event["action"] == "lift_hold" {
                assert!(own.is_none(), "{call:?}");
                continue;
            }
            let (_, revision) = own.unwrap_or_else(|| panic!("{call:?}: the revision of {place:?} is lost"));
            assert_eq!(number(&revision["change_number"]), change, "{call:?}");
            if let Wish::Put(_, [agent, graph]) = call.wish {
                assert_eq!(
                    revision["pins"],
                    forge_testkit::version_set(agent, graph),
                    "{call:?}"
                );
            } else {
                assert!(plan["resolved"].is_object(), "{plan}");
                assert_eq!(revision["resolved"], plan["resolved"], "{call:?}");
            }
        }
    }

    /// Whatever a call did, it did once, in one change, and in all of its sets.
    fn check_whole(&self, call: &Call) {
        let found = self.found(call);
        let places: BTreeSet<Place> = found.iter().map(|(place, _)| *place).collect();
        assert_eq!(places.len(), found.len(), "{call:?} was carried out twice");
        let changes: BTreeSet<i64> = found
            .iter()
            .map(|(_, revision)| number(&revision["change_number"]))
            .collect();
        assert!(
            changes.len() <= 1,
            "{call:?} was carried out in pieces: {changes:?}"
        );
        let (Wish::PromoteMany { source, .. }, Some(change)) = (&call.wish, changes.first()) else {
            return;
        };
        for place in call.targets() {
            if !places.contains(&place) {
                let (source, target) = (
                    self.before((place.0, source), *change),
                    self.before(place, *change),
                );
                assert_eq!(source["pins"], target["pins"], "{call:?} left {place:?} out");
            }
        }
    }

    /// Returns the revision of a set that was in force before a change.
    fn before(&self, place: Place, change: i64) -> &Value {
        let is_earlier = |revision: &&Value| number(&revision["change_number"]) < change;
        self.histories[&place].iter().rev().find(is_earlier).unwrap()
    }
}

/// Reads all revisions of a set, oldest first.
async fn history(client: &Client, set: &str) -> Vec<Value> {
    let (mut revisions, mut token) = (Vec::new(), json!(0));
    while !token.is_null() {
        let page = client
            .get(&format!("{set}/history?limit=100&continuation_token={token}"))
            .await;
        let page: Value = serde_json::from_str(&page).unwrap();
        revisions.extend(page["revisions"].as_array().unwrap().iter().cloned());
        token = page["continuation_token"].clone();
    }
    revisions.reverse();
    revisions
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("`{value}` is no number"))
}
