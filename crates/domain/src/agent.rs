//! The contents of an agent's versions.

use serde::{Deserialize, Serialize};

/// The longest name of an agent or a context graph, in characters.
pub const MAX_NAME_LENGTH: usize = 256;

/// The content of one agent version; complete, and never changed once stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentDocument {
    /// Up to three letters that stand for the agent.
    pub initials: String,
    /// Who the agent says it is.
    pub identity: Identity,
    /// What the agent has behind it.
    pub background: String,
    /// Guidelines for what it does.
    pub behaviors: Vec<String>,
    /// How it speaks.
    pub communication_patterns: Vec<String>,
    /// The voice it speaks with.
    pub voice_config: VoiceConfig,
}

/// Who an agent says it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// The name it goes by.
    pub name: String,
    /// What it is for.
    pub role: String,
    /// Who made it.
    pub developed_by: String,
    /// ISO 639-3 code of the language it speaks unless told otherwise.
    pub default_spoken_language: String,
    /// How it relates to its maker.
    pub relationship_to_developer: RelationshipToDeveloper,
}

/// How an agent relates to its maker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RelationshipToDeveloper {
    /// Who owns it.
    pub ownership: String,
    /// What kind of relation it is.
    pub r#type: String,
    /// Who sees its conversations.
    pub conversation_visibility: String,
    /// Who sees its thoughts.
    pub thought_visibility: String,
}

/// The voice of an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VoiceConfig {
    /// The speech provider's id of the voice.
    pub voice_id: String,
}

/// What a new version changes; an absent field is taken from the latest version.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are those of `AgentDocument`")]
pub struct AgentChange {
    pub initials: Option<String>,
    pub identity: Option<Identity>,
    pub background: Option<String>,
    pub behaviors: Option<Vec<String>>,
    pub communication_patterns: Option<Vec<String>>,
    pub voice_config: Option<VoiceConfig>,
}

/// The first version of an agent lacks fields.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the first version of an agent needs every field; missing: {}", missing.join(", "))]
pub struct IncompleteAgent {
    /// The fields that are missing.
    pub missing: Vec<&'static str>,
}

impl AgentChange {
    /// Returns the content of the version that comes after `latest`.
    pub fn apply(self, latest: Option<AgentDocument>) -> Result<AgentDocument, IncompleteAgent> {
        if let Some(latest) = latest {
            return Ok(AgentDocument {
                initials: self.initials.unwrap_or(latest.initials),
                identity: self.identity.unwrap_or(latest.identity),
                background: self.background.unwrap_or(latest.background),
                behaviors: self.behaviors.unwrap_or(latest.behaviors),
                communication_patterns: self
                    .communication_patterns
                    .unwrap_or(latest.communication_patterns),
                voice_config: self.voice_config.unwrap_or(latest.voice_config),
            });
        }
        let missing = [
            ("initials", self.initials.is_none()),
            ("identity", self.identity.is_none()),
            ("background", self.background.is_none()),
            ("behaviors", self.behaviors.is_none()),
            ("communication_patterns", self.communication_patterns.is_none()),
            ("voice_config", self.voice_config.is_none()),
        ];
        match self {
            Self {
                initials: Some(initials),
                identity: Some(identity),
                background: Some(background),
                behaviors: Some(behaviors),
                communication_patterns: Some(communication_patterns),
                voice_config: Some(voice_config),
            } => Ok(AgentDocument {
                initials,
                identity,
                background,
                behaviors,
                communication_patterns,
                voice_config,
            }),
            _ => Err(IncompleteAgent {
                missing: missing
                    .into_iter()
                    .filter(|(_, absent)| *absent)
                    .map(|(name, _)| name)
                    .collect(),
            }),
        }
    }
}

/// The voices that agents may use.
#[derive(Debug, Clone, Default)]
pub enum VoiceCatalogue {
    /// Whatever the speech provider knows; Forge does not check.
    #[default]
    Any,
    /// These only.
    Only(Vec<String>),
}

impl VoiceCatalogue {
    /// Returns `true` if agents may use the voice.
    pub fn has(&self, voice_id: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Only(ids) => ids.iter().any(|id| id == voice_id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete() -> AgentChange {
        serde_json::from_str(include_str!("../../../examples/agent/v1.json")).unwrap()
    }

    #[test]
    fn the_first_version_needs_every_field() {
        let change = AgentChange {
            initials: None,
            voice_config: None,
            ..complete()
        };
        let missing = vec!["initials", "voice_config"];
        assert_eq!(change.apply(None), Err(IncompleteAgent { missing }));
        assert_eq!(AgentChange::default().apply(None).unwrap_err().missing.len(), 6);
        assert!(complete().apply(None).is_ok());
    }

    #[test]
    fn a_later_version_keeps_what_it_does_not_name() {
        let first = complete().apply(None).unwrap();
        let change = AgentChange {
            background: Some("Another past.".into()),
            ..Default::default()
        };
        let second = change.apply(Some(first.clone())).unwrap();
        assert_eq!(
            second,
            AgentDocument {
                background: "Another past.".into(),
                ..first
            }
        );
    }

    #[test]
    fn a_list_of_voices_admits_those_only() {
        assert!(VoiceCatalogue::Any.has("x"));
        assert!(VoiceCatalogue::Only(vec!["x".into()]).has("x"));
        assert!(!VoiceCatalogue::Only(vec!["x".into()]).has("y"));
    }
}
