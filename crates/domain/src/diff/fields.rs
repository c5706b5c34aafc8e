//! Differences between two JSON objects, field by field.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::text::{self, Effort, Hunk};
use crate::number;
use crate::plan::FieldChange;

/// The fields of agents and context graphs that hold prose.
///
/// They are compared line by line, however long they are, so that a field always looks the same.
const PROSE: &[&str] = &[
    "additional_instruction",
    "background",
    "description",
    "designated_tool_call_context",
    "designated_tool_call_objective",
    "inner_thought",
    "objective",
    "problem",
    "requested_information",
];

/// The one field that may be a list without being a sequence: a state of another graph, and one to come back to.
const PAIR: &str = "next_state";

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FieldDiff {
    /// Prose, of which the lines that differ are told; or a list, of which the items are.
    Lines {
        /// The field's name; of a field in an object with the object's name and a dot before it.
        field: String,
        /// Where it differs.
        hunks: Vec<Hunk>,
    },
    /// Anything else, before and after.
    Whole(FieldChange),
}

impl FieldDiff {
    /// Returns the name of the field.
    pub fn field(&self) -> &str {
        match self {
            Self::Lines { field, .. } => field,
            Self::Whole(change) => &change.field,
        }
    }
}

/// Returns the fields in which two objects differ.
///
/// A field that is not there is as good as null.
pub(super) fn compare(
    from: &Map<String, Value>,
    to: &Map<String, Value>,
    effort: &mut Effort,
) -> Vec<FieldDiff> {
    let mut comparison = Comparison {
        effort,
        found: Vec::new(),
    };
    comparison.objects("", from, to);
    comparison.found
}

/// Returns the fields of something that is an object in JSON.
pub(super) fn of<T: Serialize>(thing: &T) -> Map<String, Value> {
    match json!(thing) {
        Value::Object(fields) => fields,
        other => Map::from_iter([("value".to_owned(), other)]),
    }
}

struct Comparison<'e> {
    effort: &'e mut Effort,
    found: Vec<FieldDiff>,
}

impl Comparison<'_> {
    fn objects(&mut self, place: &str, from: &Map<String, Value>, to: &Map<String, Value>) {
        let added = to.keys().filter(|name| !from.contains_key(*name));
        for name in from.keys().chain(added) {
            let before = from.get(name).unwrap_or(&Value::Null);
            let after = to.get(name).unwrap_or(&Value::Null);
            if !number::is_same(before, after) {
                self.values(name, format!("{place}{name}"), before, after);
            }
        }
    }

    fn values(&mut self, name: &str, field: String, from: &Value, to: &Value) {
        let hunks = match (from, to) {
            (Value::Object(from), Value::Object(to)) => {
                return self.objects(&format!("{field}."), from, to);
            }
            (Value::String(from), Value::String(to)) if PROSE.contains(&name) => {
                text::of_texts(from, to, self.effort)
            }
            (Value::Array(from), Value::Array(to)) if is_sequence(name, from) && is_sequence(name, to) => {
                text::of_lists(from, to, self.effort)
            }
            _ => {
                let (from, to) = (from.clone(), to.clone());
                return self.found.push(FieldDiff::Whole(FieldChange { field, from, to }));
            }
        };
        self.found.push(FieldDiff::Lines { field, hunks });
    }
}

/// Returns `true` if a list is a sequence of things of one kind.
///
/// References and ways into other graphs are pairs.
fn is_sequence(name: &str, items: &[Value]) -> bool {
    name != PAIR && (items.iter().all(Value::is_string) || items.iter().all(Value::is_object))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(from: Value, to: Value) -> Value {
        json!(compare(
            from.as_object().unwrap(),
            to.as_object().unwrap(),
            &mut Effort::default()
        ))
    }

    #[test]
    fn fields_inside_of_objects_are_named_by_their_way() {
        let from = json!({"a": {"b": {"c": 1, "d": "x"}}, "e": true});
        let to = json!({"a": {"b": {"c": 2, "d": "x"}}, "e": true});
        assert_eq!(diff(from, to), json!([{"field": "a.b.c", "from": 1, "to": 2}]));
    }

    #[test]
    fn an_absent_field_is_as_good_as_null() {
        assert_eq!(diff(json!({"a": null}), json!({})), json!([]));
        assert_eq!(
            diff(json!({"a": 1}), json!({"b": 2})),
            json!([{"field": "a", "from": 1, "to": null}, {"field": "b", "from": null, "to": 2}])
        );
    }

    #[test]
    fn prose_is_compared_by_lines_and_other_texts_as_a_whole() {
        let prose = diff(json!({"background": "a"}), json!({"background": "b"}));
        assert_eq!(prose[0]["hunks"][0]["lines"].as_array().unwrap().len(), 2);
        assert_eq!(
            diff(json!({"initials": "A"}), json!({"initials": "B"})),
            json!([{"field": "initials", "from": "A", "to": "B"}])
        );
        // There are no lines to compare if one side has none.
        assert_eq!(
            diff(
                json!({"requested_information": null}),
                json!({"requested_information": "a"})
            ),
            json!([{"field": "requested_information", "from": null, "to": "a"}])
        );
    }

    #[test]
    fn lists_are_compared_by_items_and_pairs_as_a_whole() {
        let list = diff(json!({"actions": ["a"]}), json!({"actions": ["a", "b"]}));
        assert_eq!(
            list[0]["hunks"][0]["lines"],
            json!([{"op": "added", "value": "b"}])
        );
        for (name, from, to) in [
            ("references.r", json!(["0123", 1]), json!(["0123", 2])),
            ("next_state", json!(["r.a", "b"]), json!(["r.a", "c"])),
        ] {
            let found = diff(json!({name: from}), json!({name: to}));
            assert_eq!(found, json!([{"field": name, "from": from, "to": to}]));
        }
    }

    #[test]
    fn both_forms_are_read_back() {
        let found = compare(
            json!({"background": "a", "x": 1}).as_object().unwrap(),
            json!({"background": "b", "x": 2}).as_object().unwrap(),
            &mut Effort::default(),
        );
        assert_eq!(
            found.iter().map(FieldDiff::field).collect::<Vec<_>>(),
            ["background", "x"]
        );
        let read: Vec<FieldDiff> = serde_json::from_value(json!(found)).unwrap();
        assert_eq!(read, found);
    }
}
