//! Who does something.

use serde::{Deserialize, Serialize};

use crate::OrganizationId;

/// Names a user across organizations.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UserRef {
    /// The organization the user belongs to.
    pub org_id: OrganizationId,
    /// The user's id within it; a free string.
    pub user_id: String,
}

impl UserRef {
    /// Returns `true` if this is the user of that id in that organization.
    pub fn is(&self, organization: &OrganizationId, id: &str) -> bool {
        self.org_id == *organization && self.user_id == id
    }
}

/// Adds a user unless it is there already.
pub fn add_distinct(users: &mut Vec<UserRef>, user: &UserRef) {
    if !users.contains(user) {
        users.push(user.clone());
    }
}

/// What kind of caller acts; policies may admit only some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActorKind {
    /// A person in a dashboard session.
    Person,
    /// A program with an API key.
    Key,
    /// An AI agent: its key says so, or the caller declared it. Declaring only ever narrows.
    Agent,
}

impl ActorKind {
    /// Returns the word that is stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Key => "key",
            Self::Agent => "agent",
        }
    }
}

impl std::str::FromStr for ActorKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "person" => Ok(Self::Person),
            "key" => Ok(Self::Key),
            "agent" => Ok(Self::Agent),
            other => Err(format!("unknown actor kind `{other}`")),
        }
    }
}

/// An API key that somebody signed in with.
///
/// Whoever has its secret can sign in as any user of a lesser role, so that who made it may be behind what the user
/// does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorKey {
    /// Its id.
    pub id: String,
    /// Who made it.
    pub created_by: UserRef,
    /// Who else could have made it in the name of that user: whoever could be behind the session in which it was made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub behind: Vec<UserRef>,
}

impl ActorKey {
    /// Returns everybody who could have made the key, and so be behind whoever signs in with it.
    pub fn makers(&self) -> impl Iterator<Item = &UserRef> {
        std::iter::once(&self.created_by).chain(&self.behind)
    }
}

/// Who made a change, as history and the audit log keep it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The user on whose behalf the change was made.
    #[serde(flatten)]
    pub user: UserRef,
    /// What kind of caller it was.
    pub kind: ActorKind,
    /// The key that they signed in with, or `None` if they did not, or if it was not kept yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<ActorKey>,
}
