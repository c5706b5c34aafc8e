//! Reading the query and the body of a request together: what is ours may stand in either.

use std::collections::BTreeSet;

use forge_domain::fault::Fault;
use serde_json::{Map, Value};

use super::operation::Operation;
use super::own::{
    Strays, mentions_terms, misjoined, terms_anywhere_inside, terms_inside, unite, unknown_inside,
};
use super::parameter::Location;

/// What the query of a request says.
#[derive(Debug, Default)]
pub struct Query {
    /// The operation's parameters, with defaults for those that are absent.
    pub values: Map<String, Value>,
    /// The names that the query has, known or not.
    pub names: BTreeSet<String>,
    /// Terms of ours that the document has in the body.
    for_body: Map<String, Value>,
}

impl Operation {
    /// Reads the query.
    ///
    /// What Classic does not know is ignored; what is ours is taken, or refused.
    pub fn read_query(&self, texts: &[(String, String)]) -> Result<Query, Vec<Fault>> {
        let Strays { terms, mut faults } = self.own.strays_of_query(texts);
        let values = self.read_parameters(Location::Query, texts);
        let values = values.unwrap_or_else(|found| {
            faults.extend(found);
            Map::new()
        });
        if faults.is_empty() {
            let names = texts.iter().map(|(name, _)| name.clone()).collect();
            Ok(Query {
                values,
                names,
                for_body: terms,
            })
        } else {
            Err(faults)
        }
    }

    /// Returns the faults of a query, as it came, in which a term of ours became a part of a value.
    pub fn misjoined(&self, query: &str) -> Vec<Fault> {
        // What only reads takes no terms.
        if self.method == "GET" {
            return Vec::new();
        }
        misjoined(query)
    }

    /// Returns `true` if requests may say anything in a body.
    ///
    /// A body that can change nothing is not looked at.
    pub fn looks_at_body(&self) -> bool {
        self.method != "GET"
    }

    /// Reads the body; nothing stands for one that is not there.
    ///
    /// Terms of ours find their way between it and the query. Blanks around texts are cut where the contract says so,
    /// and the body's schema must admit the rest.
    pub fn read_body_with(&self, value: Option<Value>, query: &mut Query) -> Result<Value, Vec<Fault>> {
        let mut value = value.unwrap_or_else(|| Value::Object(Map::new()));
        let mut faults = Vec::new();
        if let Value::Object(fields) = &mut value {
            let strays = self.own.strays_of_body(fields);
            faults.extend(strays.faults);
            let Query { values, names, .. } = query;
            faults.extend(unite(values, |name| names.contains(name), strays.terms, "body"));
            let for_body = std::mem::take(&mut query.for_body);
            faults.extend(unite(fields, |_| true, for_body, "query"));
        } else if self.body.is_none()
            && (self.own.is_extension || self.has_terms() || mentions_terms(&value.to_string()))
        {
            let msg = "expected an object, or no body at all";
            faults.push(Fault::new(vec!["body".into()], "type", msg));
        }
        let inside = |fault: Fault| fault.inside("body");
        let Some(body) = &self.body else {
            faults.extend(terms_anywhere_inside(&value).into_iter().map(inside));
            return if faults.is_empty() {
                Ok(Value::Object(Map::new()))
            } else {
                Err(faults)
            };
        };
        let schema = &body.schema;
        let found = if self.own.is_extension {
            unknown_inside(&value, &schema.schema, &schema.definitions)
        } else {
            terms_inside(&value, &schema.schema, &schema.definitions)
        };
        faults.extend(found.into_iter().map(inside));
        match body.schema.read(value) {
            Ok(value) if faults.is_empty() => Ok(value),
            Ok(_) => Err(faults),
            Err(found) => {
                faults.extend(found.into_iter().map(inside));
                Err(faults)
            }
        }
    }

    /// Looks at the fields of a form, which its endpoint reads.
    pub fn check_form(&self, form: &Value) -> Result<(), Vec<Fault>> {
        let mut fields = form.as_object().cloned().unwrap_or_default();
        let faults = self.own.strays_of_body(&mut fields).faults;
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// Looks at a body that Classic does not look at, since it documents none.
    pub(super) fn has_terms(&self) -> bool {
        !self.own.terms.is_empty()
    }

    /// Returns `true` if a body that is no JSON may be ignored: Classic documents none, and nothing of ours can be in
    /// it.
    pub fn ignores_other_bodies(&self) -> bool {
        self.body.is_none() && !self.own.is_extension && !self.has_terms()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::contract;
    use super::*;

    /// Reads a request and returns the query's values and the body.
    fn read(id: &str, query: &[(&str, &str)], body: Value) -> Result<(Value, Value), Vec<String>> {
        let operation = contract().operation(id).unwrap();
        let texts: Vec<_> = query
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        let told = |faults: Vec<Fault>| faults.iter().map(ToString::to_string).collect::<Vec<_>>();
        let mut query = operation.read_query(&texts).map_err(told)?;
        let body = (!body.is_null()).then_some(body);
        let body = operation.read_body_with(body, &mut query).map_err(told)?;
        Ok((query.values.into(), body))
    }

    fn set() -> Value {
        json!({"agent_version_number": 1, "service_hierarchical_state_machine_version_number": null,
            "llm_model_preferences": {}})
    }

    #[test]
    fn terms_are_taken_in_the_query_and_in_the_body_alike() {
        let promote = "promote-version-set";
        let (_, body) = read(
            promote,
            &[("dry_run", "true"), ("message", "{why}")],
            json!({"source": "p"}),
        )
        .unwrap();
        assert_eq!(body, json!({"source": "p", "dry_run": true, "message": "{why}"}));
        let (_, body) = read(
            "roll-back-version-set",
            &[("freeze", "0"), ("plan_digest", "ab")],
            Value::Null,
        )
        .unwrap();
        assert_eq!(body, json!({"freeze": false, "plan_digest": "ab"}));
        let put = "upsert-service-version-set";
        let body =
            json!({"version_set": set(), "dry_run": true, "lift_hold": true, "message": null, "other": 1});
        let (query, body) = read(put, &[], body).unwrap();
        assert_eq!(query, json!({"dry_run": true, "lift_hold": true}));
        assert_eq!(body, json!({"version_set": set(), "other": 1}));
        let (query, _) = read("delete-service-version-set", &[], json!({"plan_digest": "ab"})).unwrap();
        assert_eq!(query["plan_digest"], "ab");
    }

    #[test]
    fn a_term_inside_of_a_value_is_refused() {
        let put = contract().operation("upsert-service-version-set").unwrap();
        for query in [
            "message=x?dry_run=true",
            "message=x?plan_digest=ab",
            "message=x?lift_hold=true",
            "message=x?message=y",
            "message=x%26dry_run=true",
            "message=x%3Fdry_run=true",
            "message=x?dryRun=true",
            "message=?dry_run=true",
            "message=x?y=1?dry_run=true",
            "lift_hold=true&message=x?dry_run=true&other=1",
        ] {
            let faults = put.misjoined(query);
            assert_eq!(faults.len(), 1, "{query}");
            let text = faults[0].to_string();
            assert!(text.starts_with("query.message: the value has `"), "{text}");
        }
        for query in [
            "",
            "message=Why?+It+books.&dry_run=true",
            "message=R%26D:%20the%20message=x",
            "message=dry_run=true+was+fine",
            "message=https://example.com/?page=2&q=message",
            // As programs encode it.
            "message=Tried+%3Fdry_run%3Dtrue+first",
            "message=x%26dry_run%3Dtrue",
        ] {
            assert_eq!(put.misjoined(query), [], "{query}");
        }
        let list = contract().operation("get-services").unwrap();
        assert_eq!(list.misjoined("sort_by=name?message=x"), []);
    }

    #[test]
    fn both_places_may_say_the_same_and_nothing_else() {
        let differ = "the query and the body both have this, and they differ; give it once";
        let promote = "promote-version-set";
        let body = |dry_run: Value| json!({"source": "p", "dry_run": dry_run});
        assert!(read(promote, &[("dry_run", "true")], body(json!(true))).is_ok());
        let (_, read_body) = read(
            promote,
            &[("message", "m")],
            json!({"source": "p", "message": null}),
        )
        .unwrap();
        assert_eq!(read_body["message"], "m");
        assert_eq!(
            read(promote, &[("dry_run", "true")], body(json!(false))),
            Err(vec![format!("query.dry_run: {differ}")])
        );
        let put = "upsert-service-version-set";
        let body = |dry_run: bool| json!({"version_set": set(), "dry_run": dry_run});
        assert!(read(put, &[("dry_run", "true")], body(true)).is_ok());
        // A default is nothing that anybody has said.
        assert!(read(put, &[], body(true)).is_ok());
        assert_eq!(
            read(put, &[("dry_run", "false")], body(true)),
            Err(vec![format!("body.dry_run: {differ}")])
        );
    }

    #[test]
    fn a_term_must_be_what_it_is_wherever_it_stands() {
        assert_eq!(
            read(
                "promote-version-set",
                &[("dry_run", "perhaps")],
                json!({"source": "p"})
            ),
            Err(vec!["query.dry_run: expected a `boolean`".to_owned()])
        );
        assert_eq!(
            read("delete-service-version-set", &[], json!({"dry_run": "true"})),
            Err(vec!["body.dry_run: expected a `boolean`".to_owned()])
        );
    }

    #[test]
    fn what_is_wholly_ours_refuses_every_name_that_it_does_not_know() {
        let told = |id, query: &[(&str, &str)], body| read(id, query, body).unwrap_err().join("\n");
        let promote = "promote-version-set";
        for (query, body, expected) in [
            (
                &[("dryRun", "1")][..],
                json!({"source": "p"}),
                "query.dryRun: did you mean `dry_run`?",
            ),
            (
                &[],
                json!({"source": "p", "Dry-Run": true}),
                "body.Dry-Run: did you mean `dry_run`?",
            ),
            (
                &[("source", "p")],
                json!({"source": "p"}),
                "query.source: this operation does not know this parameter; did you mean `source` in the body?",
            ),
            (
                &[],
                json!({"source": "p", "sourceRevision": 1}),
                "body.sourceRevision: this operation does not know this field; did you mean `source_revision`?",
            ),
            (
                &[("if_match", "3")],
                json!({"source": "p"}),
                "query.if_match: this operation does not know this parameter; did you mean the header `If-Match`?",
            ),
            (
                &[("x", "1")],
                json!({"source": "p"}),
                "query.x: this operation does not know this parameter",
            ),
        ] {
            assert_eq!(told(promote, query, body), expected);
        }
        let inside = json!({"promotions": [{"service_id": "0123456789abcdef01234567", "source": "a", "target": "b",
            "dry_run": true, "Target": "c"}]});
        assert_eq!(
            told("promote-version-sets", &[], inside),
            "body.promotions[0].dry_run: this field is unknown here\n\
             body.promotions[0].Target: this field is unknown here; did you mean `target`?"
        );
        assert!(told("lift-version-set-hold", &[], json!({"x": 1})).starts_with("body.x: this operation"));
        assert!(
            told("get-version-sets", &[("limit", "1")], Value::Null)
                .starts_with("query.limit: this operation")
        );
        assert_eq!(
            told("lift-version-set-hold", &[], json!([])),
            "body: expected an object, or no body at all"
        );
    }

    #[test]
    fn classic_ignores_what_it_does_not_know_but_no_name_of_ours() {
        let agent = |more: Value| {
            let mut body = json!({"agent_name": "Mira"});
            body.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            body
        };
        assert!(
            read(
                "create-agent",
                &[("other", "1"), ("other", "2")],
                agent(json!({"other": 1}))
            )
            .is_ok()
        );
        for name in [
            "dry_run",
            "dryRun",
            "DryRun",
            "dry-run",
            "plan_digest",
            "liftHold",
            "freeze",
            "message",
        ] {
            for (query, body) in [
                (&[][..], agent(json!({name: true}))),
                (&[(name, "true")], agent(json!({}))),
            ] {
                let faults = read("create-agent", query, body).unwrap_err();
                assert_eq!(faults.len(), 1, "{faults:?}");
                assert!(faults[0].contains("this operation does not know `"), "{faults:?}");
            }
        }
        let faults = read("delete-agent", &[], json!({"dry_run": true})).unwrap_err();
        assert!(
            faults[0].starts_with("body.dry_run: this operation does not know `dry_run`"),
            "{faults:?}"
        );
        // Classic has a `dry_run` of its own, in the query alone.
        let id = "create-service-hierarchical-state-machine-version";
        let mut graph: Value =
            serde_json::from_str(include_str!("../../../examples/context_graph/v1.json")).unwrap();
        assert!(read(id, &[("dry_run", "true")], graph.clone()).is_ok());
        graph["dry_run"] = json!(true);
        assert_eq!(
            read(id, &[], graph).unwrap_err(),
            ["body.dry_run: did you mean `dry_run` in the query?"]
        );
    }

    #[test]
    fn a_term_is_recognised_in_every_spelling_and_depth() {
        let put = "upsert-service-version-set";
        let body = json!({"version_set": set()});
        for name in [
            "dry_run=true",
            "?dry_run",
            "amp;dry_run",
            "dry_run[]",
            "dry_run:true",
            "dry_run\t",
            "dry\u{200b}_run",
            "dry\u{2013}run",
            "\u{feff}dry_run",
            "dry/run",
            "params[dry_run]",
            "dry_rum",
            "dryRuns",
            "is_dry_run",
            "if_match",
            "If-Match",
            "plan-digset",
            "x-lift-hold",
        ] {
            let faults = read(put, &[(name, "true")], body.clone()).unwrap_err();
            assert!(
                faults[0].contains("did you mean") || faults[0].contains("does not know"),
                "{name}: {faults:?}"
            );
        }
        assert!(read(put, &[("a", "b;dry_run=true")], body.clone()).is_err());
        assert!(read(put, &[("limits", "3"), ("trace", "run dry")], body).is_ok());
        let mut inside = json!({"version_set": set()});
        inside["version_set"]["dry_run"] = json!(true);
        let options = json!({"version_set": set(), "options": {"more": [{"dryRun": true}]}});
        for body in [inside, options] {
            let faults = read(put, &[], body).unwrap_err();
            assert!(faults[0].contains("`dry_run` means nothing here"), "{faults:?}");
        }
        for body in [json!([{"dry_run": true}]), json!("dry_run"), json!(true)] {
            assert!(read("delete-service-version-set", &[], body).is_err());
        }
        assert!(read("delete-agent", &[], json!([{"dry_run": true}])).is_err());
        // Where no body is documented, nothing of one is anybody's word for anything else.
        for id in ["delete-service-version-set", "delete-agent"] {
            for body in [
                json!({"terms": {"dry_run": true}}),
                json!({"x": [{"dryRun": true}]}),
                json!({"options": {"a": {"plan_digest": "00"}}}),
            ] {
                let faults = read(id, &[], body).unwrap_err();
                assert!(faults[0].contains("means nothing here"), "{id}: {faults:?}");
            }
            assert!(read(id, &[], json!({"options": {"force": true}})).is_ok(), "{id}");
        }
        // Keys that callers choose are theirs.
        let tagged = json!({"name": "a", "description": "d", "is_active": true, "keyterms": [], "tags": {"dry_run": "yes"},
            "agent_id": "0123456789abcdef01234567", "service_hierarchical_state_machine_id": "0123456789abcdef01234567"});
        assert!(read("create-service", &[], tagged).is_ok());
    }

    #[test]
    fn what_has_one_value_is_given_once() {
        let twice = "this is given more than once; give it once";
        assert_eq!(
            read(
                "upsert-service-version-set",
                &[("dry_run", "true"), ("dry_run", "false")],
                Value::Null
            ),
            Err(vec![format!("query.dry_run: {twice}")])
        );
        assert_eq!(
            read(
                "promote-version-set",
                &[("dry_run", "true"), ("dry_run", "true")],
                json!({"source": "p"})
            ),
            Err(vec![format!("query.dry_run: {twice}")])
        );
        assert_eq!(
            read("get-agents", &[("limit", "3"), ("limit", "4")], Value::Null),
            Err(vec![format!("query.limit: {twice}")])
        );
    }

    #[test]
    fn a_request_of_many_unknown_names_hears_of_some() {
        let many: Map<String, Value> = (0..10_000)
            .map(|n| (format!("{n}{}", "x".repeat(500)), json!(1)))
            .collect();
        let faults = read("promote-version-set", &[], many.into()).unwrap_err();
        assert!(faults.len() < 50, "{}", faults.len());
        assert!(faults.iter().all(|fault| fault.len() < 300));
    }
}
