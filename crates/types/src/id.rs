//! Ids of stored things: 12 bytes, written as 24 lower-case hex digits on the wire.
//!
//! The first four bytes are the second of creation, so that rows created together lie together in an index;
//! the rest is random. Nothing may be concluded from an id: ids are names, not timestamps.

use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Timestamp;

/// What an [`Id`] identifies; keeps an agent's id from being passed where a service's is expected.
pub trait Kind: Copy + Ord + Hash + fmt::Debug {
    /// What a person calls the thing, for messages.
    const NOUN: &'static str;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $alias:ident = $kind:ident, $noun:literal;)*) => {
        /// The kinds of things that have an [`Id`].
        pub mod kind {
            $(
                #[doc = concat!("Marks the id of a ", $noun, ".")]
                #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
                pub enum $kind {}
                impl super::Kind for $kind {
                    const NOUN: &'static str = $noun;
                }
            )*
        }
        $($(#[$doc])* pub type $alias = Id<kind::$kind>;)*
    };
}

kinds! {
    /// Identifies an agent.
    AgentId = Agent, "agent";
    /// Identifies a context graph.
    ContextGraphId = ContextGraph, "context graph";
    /// Identifies a service.
    ServiceId = Service, "service";
    /// Identifies a role.
    RoleId = Role, "role";
    /// Identifies a user whose id Forge made; ids of users are free strings otherwise.
    UserId = User, "user";
    /// Identifies a temporary permission grant.
    TemporaryGrantId = TemporaryGrant, "temporary permission grant";
    /// Identifies an API key beside its UUID.
    ApiKeyObjectId = ApiKey, "API key";
    /// Identifies a key that signs tokens.
    SigningKeyId = SigningKey, "signing key";
    /// Identifies a tool that a context graph may call.
    ToolId = Tool, "tool";
    /// Identifies a conversation.
    ConversationId = Conversation, "conversation";
    /// Identifies an interaction of a conversation.
    InteractionId = Interaction, "interaction";
    /// Identifies a message of a conversation.
    MessageId = Message, "message";
    /// Identifies a dynamic behavior set.
    BehaviorSetId = BehaviorSet, "dynamic behavior set";
    /// Identifies the invocation of a dynamic behavior set in a conversation.
    BehaviorInvocationId = BehaviorInvocation, "dynamic behavior invocation";
    /// Identifies a version of a behavior set, a metric, a persona or a scenario beside its number.
    ItemVersionId = ItemVersion, "version";
    /// Identifies a metric.
    MetricId = Metric, "metric";
    /// Identifies the result of evaluating a metric.
    MetricResultId = MetricResult, "metric evaluation result";
    /// Identifies a simulated persona.
    PersonaId = Persona, "simulation persona";
    /// Identifies a simulated scenario.
    ScenarioId = Scenario, "simulation scenario";
    /// Identifies a simulation unit test.
    UnitTestId = UnitTest, "simulation unit test";
    /// Identifies a set of simulation unit tests.
    UnitTestSetId = UnitTestSet, "simulation unit test set";
    /// Identifies a run of a set of simulation unit tests.
    UnitTestSetRunId = UnitTestSetRun, "simulation unit test set run";
}

/// The id of a `K`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id<K>([u8; 12], PhantomData<K>);

impl<K: Kind> Id<K> {
    /// Creates an id from the time of creation and eight random bytes.
    pub fn new(now: Timestamp, random: [u8; 8]) -> Self {
        let seconds = u32::try_from(now.as_millis() / 1000).unwrap_or(0);
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&seconds.to_be_bytes());
        bytes[4..].copy_from_slice(&random);
        Self(bytes, PhantomData)
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: [u8; 16] = *b"0123456789abcdef";
        let mut text = [0; 24];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 0xf)];
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({self})", K::NOUN)
    }
}

/// The text is not 24 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id has 24 lower-case hex digits")]
pub struct InvalidId;

impl<K: Kind> FromStr for Id<K> {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(InvalidId),
        };
        let digits: &[u8; 24] = text.as_bytes().try_into().map_err(|_| InvalidId)?;
        let mut bytes = [0; 12];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(bytes, PhantomData))
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_id_survives_its_text(seconds in 0..u32::MAX, random: [u8; 8]) {
            let id = AgentId::new(Timestamp::from_millis(i64::from(seconds) * 1000), random);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            prop_assert_eq!(id.to_string().len(), 24);
        }

        #[test]
        fn other_texts_are_refused(text in "[0-9a-fA-F]{0,30}") {
            let valid = text.len() == 24 && !text.contains(|c: char| c.is_ascii_uppercase());
            prop_assert_eq!(text.parse::<ServiceId>().is_ok(), valid);
        }
    }

    #[test]
    fn text_of_several_bytes_a_character_is_refused() {
        assert_eq!("éééééééééééé".parse::<AgentId>(), Err(InvalidId));
    }
}
