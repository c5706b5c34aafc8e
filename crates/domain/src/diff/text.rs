//! Differences within texts, line by line, and within lists, item by item.

use std::hash::Hash;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices, group_diff_ops};

use crate::audit::canonical_json;
use crate::number::integral_numbers;

/// How many unchanged lines of a text stand around a change, so that a reader knows where they are.
const CONTEXT: usize = 3;

/// How many lines of two documents are compared in search of the shortest difference.
///
/// It takes some 0.3 seconds at worst.
const MAX_LINES: usize = 20_000;

/// What is left of the effort that two documents are worth: whoever writes very long ones must not keep the server
/// busy.
pub(super) struct Effort {
    lines: usize,
}

impl Default for Effort {
    fn default() -> Self {
        Self { lines: MAX_LINES }
    }
}

impl Effort {
    /// Returns how one sequence becomes the other.
    ///
    /// Beyond the effort, all between the first and the last difference is taken for changed: right, but longer than it
    /// need be.
    fn compare<T: Hash + Eq>(&mut self, from: &[T], to: &[T]) -> Vec<DiffOp> {
        let start = from.iter().zip(to).take_while(|(a, b)| a == b).count();
        let (from_rest, to_rest) = (&from[start..], &to[start..]);
        let rest = from_rest.iter().rev().zip(to_rest.iter().rev());
        let end = rest.take_while(|(a, b)| a == b).count();
        let (from_len, to_len) = (from_rest.len() - end, to_rest.len() - end);
        if let Some(left) = self.lines.checked_sub(from_len + to_len) {
            self.lines = left;
            return capture_diff_slices(Algorithm::Myers, from, to);
        }
        let equal = |old_index, new_index, len| DiffOp::Equal {
            old_index,
            new_index,
            len,
        };
        let operations = [
            equal(0, 0, start),
            DiffOp::Replace {
                old_index: start,
                old_len: from_len,
                new_index: start,
                new_len: to_len,
            },
            equal(start + from_len, start + to_len, end),
        ];
        let is_there = |operation: &DiffOp| operation.old_range().len() + operation.new_range().len() > 0;
        operations.into_iter().filter(is_there).collect()
    }
}

/// Neighbouring lines of a text, or items of a list, of which some differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hunk {
    /// The number of the hunk's first line before, from 1.
    pub from_line: usize,
    /// The number of the hunk's first line after, from 1.
    pub to_line: usize,
    /// The lines.
    pub lines: Vec<Line>,
}

/// A line of a text, without its line break, or an item of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// On which side it is.
    pub op: LineOp,
    /// The line's text, or the item.
    pub value: Value,
}

/// On which side a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineOp {
    /// On both.
    Same,
    /// Only before.
    Removed,
    /// Only after.
    Added,
}

/// Returns in which lines two texts differ.
///
/// A line break at the end counts: it begins one more, empty line.
pub(super) fn of_texts(from: &str, to: &str, effort: &mut Effort) -> Vec<Hunk> {
    let (from, to): (Vec<&str>, Vec<&str>) = (from.split('\n').collect(), to.split('\n').collect());
    let operations = effort.compare(&from, &to);
    let value = |line: &str| Value::from(line);
    hunks(
        operations,
        CONTEXT,
        |index| value(from[index]),
        |index| value(to[index]),
    )
}

/// Returns in which items two lists differ.
pub(super) fn of_lists(from: &[Value], to: &[Value], effort: &mut Effort) -> Vec<Hunk> {
    let key = |item: &Value| canonical_json(&integral_numbers(item));
    let keys = |items: &[Value]| items.iter().map(key).collect::<Vec<_>>();
    let (from_keys, to_keys) = (keys(from), keys(to));
    let operations = effort.compare(&from_keys, &to_keys);
    // An item says by itself what it is; those around it would only make the answer long.
    hunks(
        operations,
        0,
        |index| from[index].clone(),
        |index| to[index].clone(),
    )
}

fn hunks(
    operations: Vec<DiffOp>,
    context: usize,
    before: impl Fn(usize) -> Value,
    after: impl Fn(usize) -> Value,
) -> Vec<Hunk> {
    let groups = group_diff_ops(operations, context).into_iter();
    let is_change = |operation: &DiffOp| operation.tag() != DiffTag::Equal;
    let groups = groups.filter(|group| group.iter().any(is_change));
    let hunk = |group: Vec<DiffOp>| {
        let first = group.first()?;
        let (from_line, to_line) = (first.old_range().start + 1, first.new_range().start + 1);
        let mut lines = Vec::new();
        for operation in &group {
            if operation.tag() == DiffTag::Equal {
                let same = operation.old_range().map(|index| (LineOp::Same, before(index)));
                lines.extend(same);
                continue;
            }
            lines.extend(
                operation
                    .old_range()
                    .map(|index| (LineOp::Removed, before(index))),
            );
            lines.extend(operation.new_range().map(|index| (LineOp::Added, after(index))));
        }
        let lines = lines.into_iter().map(|(op, value)| Line { op, value }).collect();
        Some(Hunk {
            from_line,
            to_line,
            lines,
        })
    };
    groups.filter_map(hunk).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn of_texts(from: &str, to: &str) -> Vec<Hunk> {
        super::of_texts(from, to, &mut Effort::default())
    }

    fn of_lists(from: &[Value], to: &[Value]) -> Vec<Hunk> {
        super::of_lists(from, to, &mut Effort::default())
    }

    /// Creates the second list of lines from the first and the hunks.
    fn apply(from: &[Value], hunks: &[Hunk]) -> Vec<Value> {
        let (mut made, mut taken) = (Vec::new(), 0);
        for hunk in hunks {
            made.extend_from_slice(&from[taken..hunk.from_line - 1]);
            taken = hunk.from_line - 1;
            assert_eq!(made.len() + 1, hunk.to_line);
            for line in &hunk.lines {
                if line.op != LineOp::Added {
                    assert_eq!(from[taken], line.value);
                    taken += 1;
                }
                if line.op != LineOp::Removed {
                    made.push(line.value.clone());
                }
            }
        }
        made.extend_from_slice(&from[taken..]);
        made
    }

    fn lines(text: &str) -> Vec<Value> {
        text.split('\n').map(Value::from).collect()
    }

    #[test]
    fn a_hunk_has_the_lines_around_a_change_and_no_more() {
        let from = "1\n2\n3\n4\n5\n6\n7\n8\n9";
        let found = of_texts(from, "1\n2\n3\n4\nfive\n6\n7\n8\n9");
        let line = |op: &str, value: &str| json!({"op": op, "value": value});
        let lines = [
            line("same", "2"),
            line("same", "3"),
            line("same", "4"),
            line("removed", "5"),
            line("added", "five"),
            line("same", "6"),
            line("same", "7"),
            line("same", "8"),
        ];
        assert_eq!(
            json!(found),
            json!([{"from_line": 2, "to_line": 2, "lines": lines}])
        );
        assert_eq!(of_texts(from, from), []);
    }

    #[test]
    fn changes_far_from_each_other_are_hunks_of_their_own() {
        let from: Vec<String> = (1..=30).map(|n| n.to_string()).collect();
        let mut to = from.clone();
        to[3].push('!');
        to[25].push('!');
        let found = of_texts(&from.join("\n"), &to.join("\n"));
        let places: Vec<_> = found.iter().map(|hunk| (hunk.from_line, hunk.to_line)).collect();
        assert_eq!(places, [(1, 1), (23, 23)]);
    }

    #[test]
    fn a_line_break_at_the_end_is_a_difference() {
        assert_eq!(
            json!(of_texts("a", "a\n")),
            json!([{"from_line": 1, "to_line": 1,
            "lines": [{"op": "same", "value": "a"}, {"op": "added", "value": ""}]}])
        );
        assert_eq!(of_texts("a\n", "a\r\n").len(), 1);
    }

    #[test]
    fn items_of_a_list_stand_alone() {
        let (from, to) = (
            [json!("a"), json!({"b": 1}), json!("c")],
            [json!("a"), json!({"b": 2}), json!("c")],
        );
        assert_eq!(
            json!(of_lists(&from, &to)),
            json!([{"from_line": 2, "to_line": 2,
            "lines": [{"op": "removed", "value": {"b": 1}}, {"op": "added", "value": {"b": 2}}]}])
        );
    }

    #[test]
    fn beyond_the_effort_a_difference_is_right_but_longer() {
        let mut effort = Effort { lines: 5 };
        // Two lines of the effort are gone, then it does not suffice for the four between the first and the last change.
        assert_eq!(super::of_texts("a\nb\nc", "a\nx\nc", &mut effort).len(), 1);
        let (from, to) = (
            [json!(0), json!(1), json!(2), json!(3)],
            [json!(0), json!(7), json!(2), json!(8)],
        );
        let found = super::of_lists(&from, &to, &mut effort);
        assert_eq!((found.len(), found[0].lines.len(), effort.lines), (1, 6, 3));
        assert_eq!(apply(&from, &found), to);
        assert_eq!(super::of_lists(&from[..2], &to[..2], &mut effort).len(), 1);
        assert_eq!(effort.lines, 1);
    }

    #[test]
    fn very_long_texts_are_compared_all_the_same() {
        let (from, to): (Vec<_>, Vec<_>) = (0..200_000_u32)
            .map(|n| ((n * 7 % 10).to_string(), (n * 3 % 11).to_string()))
            .unzip();
        let (from, to) = (from.join("\n"), to.join("\n"));
        let found = of_texts(&from, &to);
        assert_eq!(found.len(), 1);
        assert_eq!(apply(&lines(&from), &found), lines(&to));
    }

    /// Few and short lines, so that many are equal.
    fn text() -> impl Strategy<Value = String> {
        prop::collection::vec("[ab]{0,2}", 0..40).prop_map(|lines| lines.join("\n"))
    }

    proptest! {
        #[test]
        fn the_hunks_lead_from_one_text_to_the_other(from in text(), to in text(), lines_left in 0..100usize) {
            let hunks = super::of_texts(&from, &to, &mut Effort { lines: lines_left });
            prop_assert_eq!(apply(&lines(&from), &hunks), lines(&to));
            prop_assert_eq!(hunks.is_empty(), from == to);
            prop_assert!(hunks.iter().all(|hunk| hunk.lines.iter().any(|line| line.op != LineOp::Same)));
        }

        #[test]
        fn the_hunks_lead_from_one_list_to_the_other(from in text(), to in text(), lines_left in 0..100usize) {
            let (from, to) = (lines(&from), lines(&to));
            let hunks = super::of_lists(&from, &to, &mut Effort { lines: lines_left });
            prop_assert_eq!(apply(&from, &hunks), to.clone());
            prop_assert!(hunks.iter().all(|hunk| hunk.lines.iter().all(|line| line.op != LineOp::Same)));
        }
    }
}
