//! Results of metrics: what a conversation was found to be like.

use serde::{Deserialize, Serialize};

use crate::metric::MeasuredValue;
use crate::{
    ConversationId, InteractionId, MessageId, MetricId, MetricResultId, Timestamp, UnitTestId,
    UnitTestSetRunId, UserRef, VersionNumber,
};

/// Why a metric was evaluated, and on what.
///
/// Field names are the wire's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub enum EvaluationSource {
    /// A conversation had ended.
    PostSession {
        conversation_id: ConversationId,
        references: Vec<MessageId>,
    },
    /// Somebody asked for it.
    Manual {
        conversation_id: ConversationId,
        /// Only what was said up to this interaction, and in it, counted.
        evaluate_to_interaction_id: Option<InteractionId>,
        invoked_by: UserRef,
        references: Vec<MessageId>,
    },
    /// A unit test was run.
    Simulation {
        simulation_unit_test_set_run_id: UnitTestSetRunId,
        unit_test_id: UnitTestId,
        /// Which of the runs of the test, from 0.
        run_index: i64,
        references: Vec<MessageId>,
    },
}

/// The kinds of sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "they are those of `EvaluationSource`")]
pub enum EvaluationSourceType {
    PostSession,
    Manual,
    Simulation,
}

impl EvaluationSourceType {
    /// Returns the wire's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PostSession => "post-session",
            Self::Manual => "manual",
            Self::Simulation => "simulation",
        }
    }
}

impl EvaluationSource {
    /// Returns the kind of source.
    pub fn kind(&self) -> EvaluationSourceType {
        match self {
            Self::PostSession { .. } => EvaluationSourceType::PostSession,
            Self::Manual { .. } => EvaluationSourceType::Manual,
            Self::Simulation { .. } => EvaluationSourceType::Simulation,
        }
    }

    /// Returns the run that the result belongs to, if a unit test was run.
    pub fn run(&self) -> Option<UnitTestSetRunId> {
        match self {
            Self::Simulation {
                simulation_unit_test_set_run_id,
                ..
            } => Some(*simulation_unit_test_set_run_id),
            Self::PostSession { .. } | Self::Manual { .. } => None,
        }
    }
}

/// The result of evaluating a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricResult {
    /// Its id.
    pub id: MetricResultId,
    /// The metric.
    pub metric_id: MetricId,
    /// The metric's version.
    pub metric_version: VersionNumber,
    /// The conversation that was judged.
    pub conversation_id: ConversationId,
    /// The value, or `None` if the conversation does not show it.
    pub result: Option<MeasuredValue>,
    /// Why, for people; empty once the conversation was deleted.
    pub justification: String,
    /// Why it was evaluated, and on what.
    pub source: EvaluationSource,
    /// When it was evaluated first.
    pub created_at: Timestamp,
    /// When it was evaluated last.
    pub updated_at: Timestamp,
}

/// Which results a list has.
///
/// Nothing in a field lets all through.
#[derive(Debug, Clone, Default)]
pub struct MetricResultFilter {
    /// Evaluated last at this moment or later.
    pub evaluated_after: Option<Timestamp>,
    /// Evaluated last at this moment or before.
    pub evaluated_before: Option<Timestamp>,
    /// Of this metric.
    pub metric_id: Option<MetricId>,
    /// From this kind of source.
    pub source_type: Option<EvaluationSourceType>,
    /// Of this conversation.
    pub conversation_id: Option<ConversationId>,
    /// Of this run of unit tests.
    pub simulation_run_id: Option<UnitTestSetRunId>,
}

/// A result in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedMetricResult {
    /// Its place in the organization's list.
    pub seq: i64,
    /// The metric's name.
    pub metric_name: String,
    /// The result.
    pub result: MetricResult,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_written_as_the_contract_has_them() {
        let source = serde_json::json!({
            "type": "post-session", "conversation_id": "0123456789abcdef01234567",
            "references": ["0123456789abcdef01234568"],
        });
        let read: EvaluationSource = serde_json::from_value(source.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), source);
        assert_eq!(read.kind().as_str(), "post-session");
        assert_eq!(read.run(), None);
    }
}
