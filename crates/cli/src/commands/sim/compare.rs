//! `forge sim compare`

use forge_client::Client;
use forge_client::simulations::{Run, RunFilter};
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use super::report::{rate, targets, tests, total};
use super::statistics::{Rate, difference, percent};
use super::{find, report};
use crate::error::{Exit, Failure, Result};
use crate::session::Session;
use crate::ui::{Field, Ui};

/// How far back the latest run of a version set is looked for.
const LOOKED_THROUGH: i64 = 500;

/// Put two runs side by side.
///
/// With `--set`, A and B are names of version sets, and their latest finished runs of that set of unit tests are compared.
///
/// Rates come with how many conversations there were and with the interval in which the true rate is, 95 times out of 100.
/// A difference is one only if its interval does not contain 0.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge sim compare release preview --set smoke\n  forge sim compare $(forge sim list --set smoke --limit 2 | cut -f 1)\n\n\
    In a pipe, a line for each test and a last one, with an empty name, for all of them: name of the test, passed and held by \
    A, passed and held by B, difference of the rates, lower and upper end of its interval (empty where nothing was held)."
)]
pub(crate) struct Args {
    /// Id of a run, or with `--set` the name of a version set.
    #[arg(value_name = "A")]
    a: String,
    /// What to compare it with.
    #[arg(value_name = "B")]
    b: String,
    /// Compare the latest finished runs of this set of unit tests, by name or id.
    #[arg(long, value_name = "SET")]
    set: Option<String>,
}

/// A test, or all of them together, in both runs.
#[derive(Debug, Clone, PartialEq)]
struct Compared {
    /// Nothing stands for all tests.
    test: Option<String>,
    a: Rate,
    b: Rate,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result<Exit> {
    let (ui, client) = (&session.ui, &session.client);
    let (a, b) = match &args.set {
        Some(set) => {
            let set = find::unit_test_set(client, set).await?;
            let filter = RunFilter {
                unit_test_sets: vec![set.id],
                is_completed: Some(true),
                ..RunFilter::default()
            };
            let runs = client.runs(filter).at_most(LOOKED_THROUGH).await?.value;
            (
                latest(&runs, &set.name, &args.a)?,
                latest(&runs, &set.name, &args.b)?,
            )
        }
        None => (by_id(client, &args.a).await?, by_id(client, &args.b).await?),
    };
    for run in [&a, &b] {
        if !run.is_completed {
            ui.warning(&format!("run {} has not ended; more may come", run.id));
        }
    }
    let rows = compared(&a, &b);
    if ui.json {
        ui.document(&document(&a, &b, &rows)?)?;
    } else {
        show(ui, &a, &b, &rows)?;
    }
    Ok(Exit::Ok)
}

async fn by_id(client: &Client, text: &str) -> Result<Run> {
    let id = text.parse().map_err(|_| {
        Failure::new(Exit::Usage, format!("`{text}` is no id of a run"))
            .hint("names of version sets are compared with `--set SET`")
    })?;
    Ok(find::run(client, id).await?.0)
}

/// Returns the newest of the runs, newest first, that tried nothing but the version set and was not cancelled.
fn latest(runs: &[Run], set: &str, version_set: &str) -> Result<Run> {
    let found = runs.iter().find(|run| {
        run.status != "cancelled"
            && !run.specs.is_empty()
            && run.specs.iter().all(|spec| spec.version_set_name == version_set)
    });
    found.cloned().ok_or_else(|| {
        Failure::failed(format!(
            "no finished run of `{set}` tried version set `{version_set}`, as far as you may see"
        ))
        .hint(format!(
            "`forge sim run {} --version-set {} --wait` makes one",
            crate::ui::quoted(set),
            crate::ui::quoted(version_set)
        ))
    })
}

/// Returns the tests of both runs, and all of them together.
///
/// A test that only one of them has is compared with nothing.
fn compared(a: &Run, b: &Run) -> Vec<Compared> {
    let mut rows: Vec<(String, Compared)> = Vec::new();
    for (is_first, run) in [(true, a), (false, b)] {
        for (spec, result) in tests(run) {
            let found = rows.iter().position(|(id, _)| *id == spec.unit_test_id);
            let position = found.unwrap_or_else(|| {
                let row = Compared {
                    test: Some(spec.unit_test_name.clone()),
                    a: Rate::default(),
                    b: Rate::default(),
                };
                rows.push((spec.unit_test_id.clone(), row));
                rows.len() - 1
            });
            let row = &mut rows[position].1;
            let side = if is_first { &mut row.a } else { &mut row.b };
            *side = side.plus(rate(spec, result));
        }
    }
    let all = Compared {
        test: None,
        a: total(a),
        b: total(b),
    };
    rows.into_iter().map(|(_, row)| row).chain([all]).collect()
}

/// Returns the difference as people read it.
fn verdict_text(row: &Compared) -> String {
    match difference(row.a, row.b) {
        None => "cannot be told".to_owned(),
        Some((difference, (low, high))) => {
            let verdict = if low > 0.0 {
                "B is better"
            } else if high < 0.0 {
                "A is better"
            } else {
                "no difference shown"
            };
            let sign = if percent(difference).starts_with('-') {
                ""
            } else {
                "+"
            };
            format!(
                "{sign}{} points ({} to {}): {verdict}",
                percent(difference),
                percent(low),
                percent(high)
            )
        }
    }
}

fn show(ui: &Ui, a: &Run, b: &Run, rows: &[Compared]) -> Result<()> {
    if ui.is_terminal() {
        let name = |run: &Run| {
            format!(
                "run {}, {}: {}",
                run.id,
                report::outcome(run),
                targets(run).join("; ")
            )
        };
        ui.fields(&[Field::new("A", name(a)), Field::new("B", name(b))])?;
    }
    ui.rows(
        rows,
        ["test", "A", "B", "B against A"],
        |row| {
            [
                row.test.clone().unwrap_or_else(|| "all together".to_owned()),
                row.a.text(),
                row.b.text(),
                verdict_text(row),
            ]
        },
        |row| {
            let numbers = difference(row.a, row.b).map(|(found, (low, high))| [found, low, high]);
            let number = |index: usize| {
                let number = numbers.map(|numbers| format!("{:.4}", numbers[index]));
                number.unwrap_or_default()
            };
            [
                row.test.clone().unwrap_or_default(),
                row.a.passed.to_string(),
                row.a.of.to_string(),
                row.b.passed.to_string(),
                row.b.of.to_string(),
                number(0),
                number(1),
                number(2),
            ]
        },
    )
}

fn document(a: &Run, b: &Run, rows: &[Compared]) -> Result<Box<RawValue>> {
    let side = |rate: Rate| {
        let interval = rate.interval().map(|(low, high)| [low, high]);
        json!({"passed": rate.passed, "of": rate.of, "rate": rate.share(), "interval": interval})
    };
    let row = |row: &Compared| {
        let found = difference(row.a, row.b);
        json!({
            "unit_test_name": row.test, "a": side(row.a), "b": side(row.b),
            "difference": found.map(|(found, _)| found),
            "difference_interval": found.map(|(_, (low, high))| [low, high]),
        })
    };
    let run = |run: &Run| json!({"id": run.id, "outcome": report::outcome(run), "tried": targets(run)});
    let tests: Vec<_> = rows.iter().filter(|row| row.test.is_some()).map(row).collect();
    let all = rows.iter().find(|row| row.test.is_none()).map(row);
    let document = json!({"a": run(a), "b": run(b), "unit_tests": tests, "total": all});
    Ok(to_raw_value(&document)?)
}

#[cfg(test)]
mod tests {
    use super::super::report::tests_support::run as made;
    use super::*;

    fn finished(passed: u64) -> Run {
        made(
            "completed",
            &json!({"run_errors": [null, null], "passed": passed}),
        )
    }

    #[test]
    fn tests_are_matched_and_summed_up() {
        let rows = compared(&finished(0), &finished(2));
        assert_eq!(rows.len(), 2);
        for row in &rows {
            assert_eq!(
                (row.a, row.b),
                (Rate { passed: 0, of: 2 }, Rate { passed: 2, of: 2 })
            );
        }
        assert_eq!(verdict_text(&rows[1]), "+100 points (7 to 100): B is better");
        assert_eq!(
            verdict_text(&compared(&finished(1), &finished(2))[1]),
            "+50 points (-27 to 91): no difference shown"
        );
        assert_eq!(
            verdict_text(&compared(&finished(2), &finished(0))[0]),
            "-100 points (-100 to -7): A is better"
        );
    }

    #[test]
    fn the_latest_run_is_one_that_ended_and_tried_only_that_set() {
        let runs = [made("cancelled", &json!(null)), finished(1), finished(2)];
        assert_eq!(
            latest(&runs, "smoke", "test").unwrap().results[0]
                .as_ref()
                .unwrap()
                .passed,
            1
        );
        let failure = latest(&runs, "smoke", "release").unwrap_err();
        assert!(failure.hints[0].contains("forge sim run smoke --version-set release --wait"));
    }
}
