//! `JUnit` XML, which most pipelines can show.
//!
//! Every test is a suite and every conversation a case, so that one sees how often a test fails.

use std::fmt::Write as _;

use forge_client::simulations::{Run, Spec, TestResult};

use super::report::{target, tests};

/// What became of a conversation.
enum Case {
    Passed,
    /// The names of the criteria that it does not meet.
    Failed(Vec<String>),
    Errored(String),
    /// It had not ended when this was written.
    Skipped,
}

/// Returns a run as `JUnit` XML.
pub(super) fn xml(set: &str, run: &Run) -> String {
    let mut suites = String::new();
    let mut counts = [0_usize; 4];
    for (spec, result) in tests(run) {
        let cases = cases(spec, result);
        let suite = count(&cases);
        for (sum, number) in counts.iter_mut().zip(suite) {
            *sum += number;
        }
        write_suite(&mut suites, spec, &cases, suite, &run.created_at);
    }
    let [tests, failures, errors, skipped] = counts;
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{}\" tests=\"{tests}\" failures=\"{failures}\" \
         errors=\"{errors}\" skipped=\"{skipped}\">\n{suites}</testsuites>\n",
        escaped(set)
    )
}

fn count(cases: &[Case]) -> [usize; 4] {
    let number = |is: fn(&Case) -> bool| cases.iter().filter(|case| is(case)).count();
    [
        cases.len(),
        number(|case| matches!(case, Case::Failed(_))),
        number(|case| matches!(case, Case::Errored(_))),
        number(|case| matches!(case, Case::Skipped)),
    ]
}

fn cases(spec: &Spec, result: Option<&TestResult>) -> Vec<Case> {
    let Some(result) = result else {
        return (0..spec.run_count).map(|_| Case::Skipped).collect();
    };
    // Only conversations that were judged have results, in their order.
    let mut judged = 0;
    let mut cases = Vec::new();
    for error in &result.errors {
        if let Some(error) = error {
            cases.push(Case::Errored(error.clone()));
            continue;
        }
        let missed = spec.metrics.iter().zip(&result.metrics).filter(|(_, found)| {
            let passed = found.results.get(judged).map(|(_, passed)| *passed);
            passed == Some(false)
        });
        let missed: Vec<String> = missed
            .map(|(metric, _)| metric.success_criterion_name.clone())
            .collect();
        judged += 1;
        cases.push(if missed.is_empty() {
            Case::Passed
        } else {
            Case::Failed(missed)
        });
    }
    cases
}

fn write_suite(text: &mut String, spec: &Spec, cases: &[Case], counts: [usize; 4], began: &str) {
    let [tests, failures, errors, skipped] = counts;
    let name = escaped(&spec.unit_test_name);
    // Writing to a text cannot fail.
    let _ = writeln!(
        text,
        "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" \
         skipped=\"{skipped}\" timestamp=\"{}\">\n    <properties>\n      <property name=\"tried\" value=\"{}\"/>\n    \
         </properties>",
        escaped(began),
        escaped(&target(spec))
    );
    for (number, case) in cases.iter().enumerate() {
        let head = format!(
            "    <testcase classname=\"{name}\" name=\"conversation {}\"",
            number + 1
        );
        let _ = match case {
            Case::Passed => writeln!(text, "{head}/>"),
            Case::Failed(missed) => writeln!(
                text,
                "{head}>\n      <failure message=\"not met: {}\"/>\n    </testcase>",
                escaped(&missed.join(", "))
            ),
            Case::Errored(error) => writeln!(
                text,
                "{head}>\n      <error message=\"{}\"/>\n    </testcase>",
                escaped(error)
            ),
            Case::Skipped => writeln!(text, "{head}>\n      <skipped/>\n    </testcase>"),
        };
    }
    text.push_str("  </testsuite>\n");
}

/// Returns a text as it may stand in an attribute. What XML cannot hold at all is left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\r' | '\t' => escaped.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::report::tests_support::run;
    use super::*;

    #[test]
    fn every_conversation_is_a_case_and_texts_are_escaped() {
        let result = json!({
            "metric_evaluation_results": [{"results": [["a", false]]}], "run_errors": ["lost & <gone>", null], "passed": 0,
        });
        let xml = xml("night & day", &run("completed", &result));
        let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<testsuites name=\"night &amp; day\" tests=\"2\" failures=\"1\" errors=\"1\" skipped=\"0\">
  <testsuite name=\"greets &lt;warmly&gt;\" tests=\"2\" failures=\"1\" errors=\"1\" skipped=\"0\" timestamp=\"2026-11-25T22:00:00Z\">
    <properties>
      <property name=\"tried\" value=\"test revision 7, agent v3, context graph v4\"/>
    </properties>
    <testcase classname=\"greets &lt;warmly&gt;\" name=\"conversation 1\">
      <error message=\"lost &amp; &lt;gone&gt;\"/>
    </testcase>
    <testcase classname=\"greets &lt;warmly&gt;\" name=\"conversation 2\">
      <failure message=\"not met: is &quot;kind&quot;\"/>
    </testcase>
  </testsuite>
</testsuites>
";
        assert_eq!(xml, expected);
    }

    #[test]
    fn what_is_under_way_is_skipped() {
        let xml = xml("night", &run("running", &Value::Null));
        assert!(
            xml.contains("tests=\"2\" failures=\"0\" errors=\"0\" skipped=\"2\""),
            "{xml}"
        );
        assert_eq!(escaped("a\u{0}\u{1b}b\n"), "ab ");
    }
}
