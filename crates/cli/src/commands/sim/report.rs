//! What came of a run, for people and for programs.

use forge_client::simulations::{Run, Spec, TestResult};

use super::statistics::Rate;
use crate::error::{Exit, Result};
use crate::ui::{Field, Style, Ui};

/// Returns how many conversations of a test passed.
///
/// One that could not be held or judged has not.
pub(super) fn rate(spec: &Spec, result: Option<&TestResult>) -> Rate {
    result.map_or(Rate::default(), |result| Rate {
        passed: result.passed,
        of: spec.run_count,
    })
}

/// Returns the tests of a run, each with what came of it.
pub(super) fn tests(run: &Run) -> impl Iterator<Item = (&Spec, Option<&TestResult>)> {
    let results = run.results.iter().map(Option::as_ref);
    run.specs.iter().zip(results.chain(std::iter::repeat(None)))
}

/// Returns how many conversations of a run passed.
pub(super) fn total(run: &Run) -> Rate {
    tests(run)
        .map(|(spec, result)| rate(spec, result))
        .fold(Rate::default(), Rate::plus)
}

/// Returns the one word for how a run stands.
pub(super) fn outcome(run: &Run) -> &'static str {
    match (run.is_completed, run.status.as_str()) {
        (false, _) => "running",
        (true, "cancelled") => "cancelled",
        (true, _) if run.errored => "errored",
        (true, _) if run.failed_metrics => "failed",
        (true, _) => "passed",
    }
}

/// Returns how a command ends that waited for the run.
///
/// One that goes on is no failure.
pub(super) fn exit_of(run: &Run) -> Exit {
    match outcome(run) {
        "passed" | "running" => Exit::Ok,
        _ => Exit::Failed,
    }
}

/// What was run, in one line: the set, its revision, and the versions that it meant.
pub(super) fn target(spec: &Spec) -> String {
    format!(
        "{} revision {}, agent v{}, context graph v{}",
        spec.version_set_name, spec.revision, spec.agent.1, spec.context_graph.1
    )
}

/// Returns the version sets that a run tried, each once.
pub(super) fn targets(run: &Run) -> Vec<String> {
    let mut targets: Vec<String> = Vec::new();
    for spec in &run.specs {
        let target = target(spec);
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    targets
}

/// One line of the table: a test, or one criterion of it.
struct Line {
    test: String,
    criterion: String,
    rate: Rate,
    is_done: bool,
    note: String,
}

fn lines(run: &Run) -> Vec<Line> {
    let mut lines = Vec::new();
    for (spec, result) in tests(run) {
        let errors: Vec<&String> = result
            .iter()
            .flat_map(|result| result.errors.iter().flatten())
            .collect();
        let note = match errors.as_slice() {
            [] => String::new(),
            [one] => format!("1 error: {one}"),
            [first, ..] => format!("{} errors, the first: {first}", errors.len()),
        };
        lines.push(Line {
            test: spec.unit_test_name.clone(),
            criterion: String::new(),
            rate: rate(spec, result),
            is_done: result.is_some(),
            note,
        });
        for (metric, judged) in spec
            .metrics
            .iter()
            .zip(result.map_or(&[][..], |result| &result.metrics))
        {
            let passed = judged.results.iter().filter(|(_, passed)| *passed).count();
            lines.push(Line {
                test: spec.unit_test_name.clone(),
                criterion: metric.success_criterion_name.clone(),
                rate: Rate {
                    passed: u64::try_from(passed).unwrap_or(u64::MAX),
                    of: u64::try_from(judged.results.len()).unwrap_or(u64::MAX),
                },
                is_done: true,
                note: String::new(),
            });
        }
    }
    lines
}

/// Shows what came of a run so far.
pub(super) fn show(ui: &Ui, run: &Run) -> Result<()> {
    if ui.is_terminal() {
        let style = match outcome(run) {
            "passed" => Style::Added,
            "running" => Style::Strong,
            _ => Style::Error,
        };
        let total = total(run);
        let head = format!("{}: {} of the conversations passed", outcome(run), total.text());
        Ui::lines(&[ui.line(style, &head)])?;
        let tried = targets(run).join("; ");
        let mut fields = vec![Field::new("run", run.id.to_string())];
        if !tried.is_empty() {
            fields.push(Field::new("tried", tried));
        }
        fields.push(Field::new("began", run.created_at.clone()).shown_as(ui.time(&run.created_at)));
        ui.fields(&fields)?;
    }
    ui.rows(
        &lines(run),
        ["test", "criterion", "passed", ""],
        |line| {
            let passed = if line.is_done {
                line.rate.text()
            } else {
                "under way".to_owned()
            };
            let test = if line.criterion.is_empty() {
                line.test.clone()
            } else {
                String::new()
            };
            [test, line.criterion.clone(), passed, line.note.clone()]
        },
        |line| {
            [
                line.test.clone(),
                line.criterion.clone(),
                line.rate.passed.to_string(),
                line.rate.of.to_string(),
                line.note.clone(),
            ]
        },
    )
}

#[cfg(test)]
pub(super) mod tests_support {
    use serde_json::{Value, json};

    use super::Run;

    /// Creates a run of one test, `greets`, with two conversations of which the given results and errors are known.
    pub(crate) fn run(status: &str, result: &Value) -> Run {
        let id = "0123456789abcdef01234567";
        let has = |text: &str| result.to_string().contains(text);
        serde_json::from_value(json!({
            "id": id, "simulation_unit_test_set_id": id, "is_completed": status != "running", "status": status,
            "failed_metrics": has("false"), "errored": has("lost") || status == "cancelled",
            "unit_test_run_specs": [{
                "unit_test_id": id, "unit_test_name": "greets <warmly>", "run_count": 2, "agent_version_info": [id, 3],
                "service_hierarchical_state_machine_version_info": [id, 4], "service_version_set_name": "test",
                "service_version_set_revision": 7,
                "metrics_to_evaluate": [{
                    "metric_id": id, "success_criterion_name": "is \"kind\"",
                    "success_criterion": {"type": "boolean", "expected_value": true},
                }],
            }],
            "unit_test_run_results": [result],
            "created_at": "2026-11-25T22:00:00Z", "finished_at": "2026-11-25T22:00:09Z",
            "creator": {"org_id": "acme", "user_id": "mira"}, "conversations": 2, "conversations_finished": 2,
        }))
        .unwrap()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::tests_support::run;
    use super::*;

    #[test]
    fn a_run_ends_well_only_if_every_conversation_was_judged_and_passed() {
        let passed = json!({"metric_evaluation_results": [{"results": [["a", true], ["b", true]]}], "run_errors": [null, null], "passed": 2});
        let failed = json!({"metric_evaluation_results": [{"results": [["a", true], ["b", false]]}], "run_errors": [null, null], "passed": 1});
        let errored = json!({"metric_evaluation_results": [{"results": [["a", true]]}], "run_errors": [null, "lost"], "passed": 1});
        for (status, result, word, exit) in [
            ("completed", &passed, "passed", Exit::Ok),
            ("completed", &failed, "failed", Exit::Failed),
            ("completed", &errored, "errored", Exit::Failed),
            ("cancelled", &passed, "cancelled", Exit::Failed),
            ("running", &Value::Null, "running", Exit::Ok),
        ] {
            let run = run(status, result);
            assert_eq!((outcome(&run), exit_of(&run)), (word, exit));
        }
        assert_eq!(total(&run("completed", &errored)), Rate { passed: 1, of: 2 });
        assert_eq!(total(&run("running", &Value::Null)), Rate::default());
    }

    #[test]
    fn every_test_and_every_criterion_has_a_line() {
        let errored = json!({"metric_evaluation_results": [{"results": [["a", true]]}], "run_errors": [null, "lost"], "passed": 1});
        let lines = lines(&run("completed", &errored));
        assert_eq!(lines.len(), 2);
        assert_eq!((lines[0].rate.passed, lines[0].rate.of), (1, 2));
        assert_eq!(lines[0].note, "1 error: lost");
        assert_eq!((lines[1].rate.passed, lines[1].rate.of), (1, 1));
    }
}
