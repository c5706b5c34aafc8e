//! Why conversations of a run failed: what was found, and what was said.

use forge_client::ClientError;
use forge_client::simulations::{ConversationArtifact, Run, Verdict};
use serde_json::Value;

use crate::error::Result;
use crate::session::Session;
use crate::ui::{Style, Ui};

/// How many conversations the end of `run --wait` tells of.
///
/// `show --failed` tells all.
const TOLD_AFTER_A_RUN: usize = 5;

/// Returns `true` if a conversation was held, judged, and met every criterion.
pub(super) fn has_passed(conversation: &ConversationArtifact) -> bool {
    conversation.state == "judged" && conversation.verdicts.iter().all(|verdict| verdict.passed)
}

/// Returns the conversations of a run that has ended, test by test; none if the user may see the run but not what was
/// said.
pub(super) async fn conversations(session: &Session, run: &Run) -> Result<Vec<ConversationArtifact>> {
    match session.client.run_artifacts(run.id).await {
        Ok(artifacts) => Ok(artifacts.value.conversations),
        Err(ClientError::Forbidden(detail)) => {
            session
                .ui
                .warning(&format!("what was said cannot be told: {detail}"));
            Ok(Vec::new())
        }
        Err(error) => Err(error.into()),
    }
}

/// Tells in short, beside the data, why a run has not passed.
pub(super) fn show_reasons(session: &Session, run: &Run, conversations: &[ConversationArtifact]) {
    let mut failed = conversations
        .iter()
        .filter(|conversation| !has_passed(conversation))
        .peekable();
    if failed.peek().is_none() {
        return;
    }
    for conversation in failed.take(TOLD_AFTER_A_RUN) {
        for reason in reasons(conversation) {
            session.ui.note(&format!("{}: {reason}", title(conversation)));
        }
    }
    let command = session.command(&format!("sim show {} --failed", run.id));
    session.ui.note(&format!("`{command}` tells what was said"));
}

/// Tells the conversations that have not passed, each with everything that was said.
pub(super) fn show(ui: &Ui, conversations: &[ConversationArtifact]) -> Result<()> {
    let failed = || {
        conversations
            .iter()
            .filter(|conversation| !has_passed(conversation))
    };
    if ui.is_terminal() {
        let mut lines = Vec::new();
        for conversation in failed() {
            if !lines.is_empty() {
                lines.push(String::new());
            }
            lines.push(ui.line(Style::Strong, &title(conversation)));
            if let Some(id) = &conversation.conversation_id {
                lines.push(ui.line(Style::None, &format!("  conversation {id}")));
            }
            for reason in reasons(conversation) {
                lines.push(ui.line(Style::Error, &format!("  {reason}")));
            }
            for message in &conversation.messages {
                let speaker = speaker(&message.message_type);
                for (number, line) in message.message.lines().enumerate() {
                    let speaker = if number == 0 { speaker } else { "" };
                    lines.push(ui.line(Style::None, &format!("    {speaker:<8}{line}")));
                }
            }
        }
        return Ui::lines(&lines);
    }
    ui.rows(
        &rows(failed()),
        ["", "", "", "", ""],
        |row: &[String; 5]| row.clone(),
        Clone::clone,
    )
}

/// Returns a line for each thing that was found or said: test, number of the conversation, its id, what it is, text.
fn rows<'c>(failed: impl Iterator<Item = &'c ConversationArtifact>) -> Vec<[String; 5]> {
    let mut rows = Vec::new();
    for conversation in failed {
        let row = |kind: &str, text: &str| {
            [
                conversation.unit_test_name.clone(),
                conversation.index.saturating_add(1).to_string(),
                conversation.conversation_id.clone().unwrap_or_default(),
                kind.to_owned(),
                text.to_owned(),
            ]
        };
        for reason in reasons(conversation) {
            rows.push(row("reason", &reason));
        }
        for message in &conversation.messages {
            rows.push(row(&message.message_type, &message.message));
        }
    }
    rows
}

fn title(conversation: &ConversationArtifact) -> String {
    format!(
        "{}, conversation {}",
        conversation.unit_test_name,
        conversation.index.saturating_add(1)
    )
}

/// Returns why a conversation has not passed, one text for each criterion that it misses.
pub(super) fn reasons(conversation: &ConversationArtifact) -> Vec<String> {
    if let Some(error) = &conversation.error {
        return vec![error.clone()];
    }
    let missed = conversation.verdicts.iter().filter(|verdict| !verdict.passed);
    let missed: Vec<String> = missed.map(missed_text).collect();
    if missed.is_empty() {
        return vec![format!("not judged: {}", conversation.state)];
    }
    missed
}

fn missed_text(verdict: &Verdict) -> String {
    let value = match &verdict.value {
        Value::Null => "no value".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let text = format!("{} is not met ({value})", verdict.name);
    match verdict.justification.trim() {
        "" => text,
        justification => format!("{text}: {justification}"),
    }
}

/// Returns the word for who said something.
pub(super) fn speaker(message_type: &str) -> &str {
    match message_type {
        "user-message" => "user",
        "agent-message" => "agent",
        "agent-inner-thought" => "thought",
        "external-event" => "event",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn conversation(state: &str, error: Option<&str>, verdicts: &Value) -> ConversationArtifact {
        serde_json::from_value(json!({
            "unit_test_id": "t", "unit_test_name": "greets", "index": 1, "conversation_id": "c", "state": state,
            "error": error, "messages": [], "verdicts": verdicts,
        }))
        .unwrap()
    }

    #[test]
    fn every_criterion_that_is_missed_is_a_reason_and_says_why() {
        let verdicts = json!([
            {"name": "kind", "value": true, "passed": true, "justification": "it is"},
            {"name": "short", "value": 12, "passed": false, "justification": "twelve sentences"},
            {"name": "polite", "value": null, "passed": false, "justification": ""},
        ]);
        let judged = conversation("judged", None, &verdicts);
        assert!(!has_passed(&judged));
        assert_eq!(
            reasons(&judged),
            [
                "short is not met (12): twelve sentences",
                "polite is not met (no value)"
            ]
        );
    }

    #[test]
    fn an_error_is_the_reason_and_what_was_not_judged_has_not_passed() {
        let errored = conversation("errored", Some("the model is gone"), &json!([]));
        assert_eq!(reasons(&errored), ["the model is gone"]);
        let waiting = conversation("cancelled", None, &json!([]));
        assert!(!has_passed(&waiting));
        assert_eq!(reasons(&waiting), ["not judged: cancelled"]);
        assert!(has_passed(&conversation("judged", None, &json!([]))));
    }
}
