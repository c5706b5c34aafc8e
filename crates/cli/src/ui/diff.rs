//! How differences between documents look.

use forge_client::diff::{ContextGraphDiff, DocumentDiff, FieldDiff, SetDiff};
use serde_json::Value;

use super::values::{field, text};
use super::{Style, Ui};
use crate::error::Result;

/// Shows what differs.
pub(crate) fn show(ui: &Ui, rows: &[Row]) -> Result<()> {
    if ui.is_terminal() {
        return Ui::lines(&shown(ui, rows));
    }
    let piped = |row: &Row| {
        let (part, op) = (row.part.to_owned(), row.op.word().to_owned());
        [part, op, row.name.clone(), row.from.clone(), row.to.clone()]
    };
    ui.rows(rows, [], |_| [], piped)
}

#[derive(Debug, Clone, Copy)]
enum Op {
    Changed,
    Added,
    Removed,
    Unreachable,
    Same,
}

impl Op {
    fn word(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Unreachable => "unreachable",
            Self::Same => "same",
        }
    }
}

/// One line of what is shown.
pub(crate) struct Row {
    op: Op,
    part: &'static str,
    name: String,
    from: String,
    to: String,
}

impl Row {
    fn named(op: Op, part: &'static str, name: impl Into<String>) -> Self {
        Self {
            op,
            part,
            name: name.into(),
            from: String::new(),
            to: String::new(),
        }
    }

    /// Returns `true` if this is a line of a field, and not a thing of its own.
    fn is_line(&self) -> bool {
        !self.from.is_empty() || !self.to.is_empty()
    }

    fn changed(part: &'static str, name: impl Into<String>, from: &Value, to: &Value) -> Self {
        Self {
            from: text(from),
            to: text(to),
            ..Self::named(Op::Changed, part, name)
        }
    }
}

/// Returns what people see: fields that differ under their names, and what is new or gone.
fn shown(ui: &Ui, rows: &[Row]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut last = String::new();
    for row in rows {
        let name = format!("{} {}", row.part, row.name);
        let (style, line) = match row.op {
            Op::Changed => (Style::None, format!("~ {name}: {} → {}", row.from, row.to)),
            Op::Unreachable => (Style::Warning, format!("! {name} is not reached any more")),
            Op::Added if !row.is_line() => (Style::Added, format!("+ {name}")),
            Op::Removed if !row.is_line() => (Style::Removed, format!("- {name}")),
            Op::Added => (Style::Added, format!("  + {}", row.to)),
            Op::Removed => (Style::Removed, format!("  - {}", row.from)),
            Op::Same => (Style::None, format!("    {}", row.to)),
        };
        if row.is_line() && !matches!(row.op, Op::Changed) && name != last {
            lines.push(ui.line(Style::Strong, &format!("~ {name}:")));
        }
        lines.push(ui.line(style, &line));
        last = name;
    }
    lines
}

/// Returns what differs between two sets.
pub(crate) fn set_rows(diff: &SetDiff) -> Vec<Row> {
    let pins = diff.pins.iter();
    let mut rows: Vec<Row> = pins
        .map(|change| Row::changed("pin", field(&change.field), &change.from, &change.to))
        .collect();
    for change in &diff.llm_model_preferences {
        let name = match &change.field {
            Some(part) => format!("{} {part}", change.interaction),
            None => change.interaction.clone(),
        };
        rows.push(Row::changed("model", name, &change.from, &change.to));
    }
    rows.extend(diff.agent.iter().flat_map(agent_rows));
    rows.extend(diff.context_graph.iter().flat_map(graph_rows));
    rows
}

/// Returns what differs between two versions of an agent.
pub(crate) fn agent_rows(agent: &DocumentDiff) -> Vec<Row> {
    let mut rows = Vec::new();
    for change in &agent.changes {
        field_rows(&mut rows, "agent", "", change);
    }
    rows
}

/// Returns what differs between two versions of a context graph.
pub(crate) fn graph_rows(graph: &ContextGraphDiff) -> Vec<Row> {
    let mut rows = Vec::new();
    for (op, part, names) in [
        (Op::Added, "state", &graph.states_added),
        (Op::Removed, "state", &graph.states_removed),
        (Op::Unreachable, "state", &graph.states_unreachable),
        (Op::Added, "tool", &graph.tools_added),
        (Op::Removed, "tool", &graph.tools_removed),
    ] {
        rows.extend(names.iter().map(|name| Row::named(op, part, name)));
    }
    for (op, transitions) in [
        (Op::Added, &graph.transitions_added),
        (Op::Removed, &graph.transitions_removed),
    ] {
        let name = |way: &forge_client::diff::Transition| format!("{} → {}", way.from, way.to);
        rows.extend(
            transitions
                .iter()
                .map(|way| Row::named(op, "transition", name(way))),
        );
    }
    for state in &graph.states_changed {
        for change in &state.changes {
            field_rows(&mut rows, "state", &format!("{} ", state.name), change);
        }
    }
    for change in &graph.changes {
        field_rows(&mut rows, "context graph", "", change);
    }
    rows
}

fn field_rows(rows: &mut Vec<Row>, part: &'static str, prefix: &str, change: &FieldDiff) {
    let name = format!("{prefix}{}", change.field);
    if change.hunks.is_empty() {
        rows.push(Row::changed(part, name, &change.from, &change.to));
        return;
    }
    for line in change.hunks.iter().flat_map(|hunk| &hunk.lines) {
        let text = text(&line.value);
        let (op, from, to) = match line.op.as_str() {
            "added" => (Op::Added, String::new(), text),
            "removed" => (Op::Removed, text, String::new()),
            _ => (Op::Same, text.clone(), text),
        };
        rows.push(Row {
            from,
            to,
            ..Row::named(op, part, &name)
        });
    }
}
