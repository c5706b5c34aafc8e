//! `JUnit` XML, which most pipelines can show.
//!
//! Every test is a suite and every conversation a case, so that one sees how often a test fails.

use std::fmt::Write as _;

use forge_client::simulations::{ConversationArtifact, Run, Spec, TestResult};

use super::failures;
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

/// Returns a run as `JUnit` XML, with what was said in its conversations as far as that is known.
pub(super) fn xml(set: &str, run: &Run, conversations: &[ConversationArtifact]) -> String {
    let mut suites = String::new();
    let mut counts = [0_usize; 4];
    let mut conversations = conversations.iter().peekable();
    for (spec, result) in tests(run) {
        let cases: Vec<_> = cases(spec, result)
            .into_iter()
            .enumerate()
            .map(|(number, case)| {
                let is_this = |said: &&ConversationArtifact| {
                    said.unit_test_id == spec.unit_test_id && usize::try_from(said.index) == Ok(number)
                };
                (case, conversations.next_if(is_this))
            })
            .collect();
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

/// A conversation, and what was said in it if that is known.
type Told<'c> = (Case, Option<&'c ConversationArtifact>);

fn count(cases: &[Told<'_>]) -> [usize; 4] {
    let number = |is: fn(&Case) -> bool| cases.iter().filter(|(case, _)| is(case)).count();
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

fn write_suite(text: &mut String, spec: &Spec, cases: &[Told<'_>], counts: [usize; 4], began: &str) {
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
    for (number, (case, said)) in cases.iter().enumerate() {
        let time = said
            .and_then(seconds)
            .map(|time| format!(" time=\"{time:.3}\""))
            .unwrap_or_default();
        let _ = write!(
            text,
            "    <testcase classname=\"{name}\" name=\"conversation {}\"{time}",
            number + 1
        );
        let outcome = match case {
            Case::Passed => String::new(),
            Case::Failed(missed) => {
                let reasons = said.map(failures::reasons).unwrap_or_default().join("\n");
                element("failure", &format!("not met: {}", missed.join(", ")), &reasons)
            }
            Case::Errored(error) => element("error", error, ""),
            Case::Skipped => "      <skipped/>\n".to_owned(),
        };
        let output = said.map(transcript).unwrap_or_default();
        if outcome.is_empty() && output.is_empty() {
            text.push_str("/>\n");
        } else {
            let _ = writeln!(text, ">\n{outcome}{output}    </testcase>");
        }
    }
    text.push_str("  </testsuite>\n");
}

/// Returns an element that says why a case has not passed.
fn element(name: &str, message: &str, text: &str) -> String {
    let message = escaped(message);
    if text.is_empty() {
        return format!("      <{name} message=\"{message}\"/>\n");
    }
    let text = escaped_lines(text);
    format!("      <{name} message=\"{message}\">{text}</{name}>\n")
}

/// Returns what was said, as the output of a case.
fn transcript(said: &ConversationArtifact) -> String {
    let mut text = String::new();
    if let Some(id) = &said.conversation_id {
        let _ = writeln!(text, "conversation {id}");
    }
    for message in &said.messages {
        let _ = writeln!(
            text,
            "{}: {}",
            failures::speaker(&message.message_type),
            message.message
        );
    }
    if text.is_empty() {
        return text;
    }
    format!("      <system-out>{}</system-out>\n", escaped_lines(&text))
}

/// Returns how long a conversation took, from its first message to its last, in seconds.
fn seconds(said: &ConversationArtifact) -> Option<f64> {
    let time = |text: &str| forge_wire::parse_rfc3339(text).map(forge_domain::Timestamp::as_millis);
    let first = time(&said.messages.first()?.created_at)?;
    let last = time(&said.messages.last()?.created_at)?;
    let millis = u32::try_from(last.saturating_sub(first)).ok()?;
    Some(f64::from(millis) / 1000.0)
}

/// Returns a text of several lines as it may stand between tags.
fn escaped_lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(escaped).collect();
    lines.join("\n")
}

/// Returns a text as it may stand in an attribute.
///
/// What XML cannot hold at all is left out.
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
        let xml = xml("night & day", &run("completed", &result), &[]);
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
    fn a_case_says_why_it_failed_and_what_was_said() {
        let result = json!({
            "metric_evaluation_results": [{"results": [["a", true], ["b", false]]}], "run_errors": [null, null], "passed": 1,
        });
        let said = |index: u64, passed: bool| {
            let value = json!({
                "unit_test_id": "0123456789abcdef01234567", "unit_test_name": "greets", "index": index,
                "conversation_id": "c0ffee", "state": "judged", "error": null,
                "messages": [
                    {"created_at": "2026-11-25T22:00:00Z", "message_type": "user-message", "message": "Hi\nthere"},
                    {"created_at": "2026-11-25T22:00:01.5Z", "message_type": "agent-message", "message": "<b>"},
                ],
                "verdicts": [{"name": "is kind", "value": passed, "passed": passed, "justification": "says \"<b>\""}],
            });
            serde_json::from_value::<ConversationArtifact>(value).unwrap()
        };
        let xml = xml(
            "night",
            &run("completed", &result),
            &[said(0, true), said(1, false)],
        );
        let expected = "    <testcase classname=\"greets &lt;warmly&gt;\" name=\"conversation 2\" time=\"1.500\">
      <failure message=\"not met: is &quot;kind&quot;\">is kind is not met (false): says &quot;&lt;b&gt;&quot;</failure>
      <system-out>conversation c0ffee
user: Hi
there
agent: &lt;b&gt;</system-out>
    </testcase>
";
        assert!(xml.contains(expected), "{xml}");
        assert!(
            xml.contains("name=\"conversation 1\" time=\"1.500\">\n      <system-out>"),
            "{xml}"
        );
    }

    #[test]
    fn what_is_under_way_is_skipped() {
        let xml = xml("night", &run("running", &Value::Null), &[]);
        assert!(
            xml.contains("tests=\"2\" failures=\"0\" errors=\"0\" skipped=\"2\""),
            "{xml}"
        );
        assert_eq!(escaped("a\u{0}\u{1b}b\n"), "ab ");
    }
}
