//! What servers keep in memory of an organization: who may do what, and what its sets mean. Whole, to begin with, and
//! then thing by thing, as they change.

use forge_domain::access::{Grant, Role};
use forge_domain::api_key::ApiKeyId;
use forge_domain::asset::{AssetId, AssetKind};
use forge_domain::audit::AuditObject;
use forge_domain::{
    Actor, AgentId, ContextGraphId, OrganizationId, Pins, RoleId, ServiceId, SetName, Timestamp, UserRef,
    VersionNumber,
};

use crate::StoreError;
use crate::role::role;
use crate::row::{Row, args};
use crate::rows::Rows;
use crate::signing_key::{SigningKey, signing_key};
use crate::statement::{Statement, statements};
use crate::tx::Tx;

statements! {
    ALL_ROLES = "SELECT id AS role_id, name AS role_name, description, frontend_view, grants
        FROM role WHERE organization_id = $1";
    USERS = "SELECT id, role_id FROM app_user WHERE organization_id = $1 AND NOT is_deleted";
    USER = "SELECT id, role_id FROM app_user WHERE organization_id = $1 AND NOT is_deleted AND id = $2";
    KEYS = "SELECT id, secret_hash, role_id, is_agent, creator_org_id, creator_user_id, behind, expires_at
        FROM api_key
        WHERE organization_id = $1 AND revoked_at IS NULL";
    KEY = "SELECT id, secret_hash, role_id, is_agent, creator_org_id, creator_user_id, behind, expires_at
        FROM api_key
        WHERE organization_id = $1 AND revoked_at IS NULL AND id = $2";
    GRANTS = "SELECT user_id, grant_document, expires_at FROM temporary_grant
        WHERE organization_id = $1 AND expires_at > $2 AND ended_at IS NULL ORDER BY seq";
    GRANTS_OF_USER = "SELECT user_id, grant_document, expires_at FROM temporary_grant
        WHERE organization_id = $1 AND expires_at > $2 AND ended_at IS NULL AND user_id = $3 ORDER BY seq";
    SIGNING_KEYS = "SELECT id, public_key, sealed_private_key FROM signing_key
        WHERE organization_id = $1 ORDER BY created_at, id";
    AGENTS = "SELECT id, name, latest_version FROM agent WHERE organization_id = $1";
    AGENT = "SELECT id, name, latest_version FROM agent WHERE organization_id = $1 AND id = $2";
    CONTEXT_GRAPHS = "SELECT id, name, latest_version FROM context_graph WHERE organization_id = $1";
    CONTEXT_GRAPH = "SELECT id, name, latest_version FROM context_graph WHERE organization_id = $1 AND id = $2";
    SERVICES = "SELECT id, name, is_active, agent_id, context_graph_id FROM service WHERE organization_id = $1";
    SERVICE = "SELECT id, name, is_active, agent_id, context_graph_id FROM service
        WHERE organization_id = $1 AND id = $2";
    SETS = "SELECT service_id, name, revision, is_deleted, agent_version, context_graph_version, model_preferences
        FROM version_set WHERE organization_id = $1";
    SETS_OF_SERVICE = "SELECT service_id, name, revision, is_deleted, agent_version, context_graph_version,
            model_preferences
        FROM version_set WHERE organization_id = $1 AND service_id = $2";
    CHANGES = "SELECT sequence, change_number, created_at, actor_org_id, actor_user_id, actor_kind,
            actor_key_id, actor_key_org_id, actor_key_user_id, actor_key_behind, action, object_kind, object_id,
            CASE WHEN object_kind = 'version_set' THEN after_document ELSE 'null' END AS set_afterwards
        FROM audit_event WHERE organization_id = $1 AND change_number > $2
        ORDER BY change_number, sequence LIMIT $3";
}

/// A user who is there, and their role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSummary {
    /// The user's id.
    pub id: String,
    /// The user's role.
    pub role_id: RoleId,
}

/// An API key that was not revoked; it may have expired.
#[derive(Clone, PartialEq, Eq)]
pub struct KeySummary {
    /// Its id.
    pub id: ApiKeyId,
    /// SHA-256 of the secret, in hex.
    pub secret_hash: String,
    /// The role it is bound to.
    pub role_id: RoleId,
    /// Whether it belongs to an AI agent.
    pub is_agent: bool,
    /// Who created it.
    pub creator: UserRef,
    /// Who else could have created it in that user's name.
    pub behind: Vec<UserRef>,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for KeySummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeySummary")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// What a user may do for a while.
#[derive(Debug, Clone, PartialEq)]
pub struct TimedGrant {
    /// Who has it.
    pub user_id: String,
    /// What it grants.
    pub grant: Grant,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// An agent or a context graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetSummary {
    /// Its id, which says which of the two it is.
    pub id: AssetId,
    /// Its name.
    pub name: String,
    /// Its newest version, if it has any.
    pub latest: Option<VersionNumber>,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSummary {
    /// Its id.
    pub id: ServiceId,
    /// Its name.
    pub name: String,
    /// Whether conversations may start in it.
    pub is_active: bool,
    /// The agent that speaks.
    pub agent_id: AgentId,
    /// The graph that conversations walk.
    pub context_graph_id: ContextGraphId,
}

/// A version set.
#[derive(Debug, Clone, PartialEq)]
pub struct SetSummary {
    /// The service.
    pub service_id: ServiceId,
    /// Its name.
    pub name: SetName,
    /// The number of its latest revision.
    pub revision: i64,
    /// Whether it is deleted.
    pub is_deleted: bool,
    /// What it pins.
    pub pins: Pins,
}

/// What the audit log says of a change, without the contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditedChange {
    /// The number of the event.
    pub sequence: i64,
    /// The organization's change number; a change may have several events.
    pub change_number: i64,
    /// When.
    pub created_at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What was done.
    pub action: String,
    /// To what.
    pub object: AuditObject,
    /// The set's latest revision afterwards, where the event is about a set that is there then.
    pub revision: Option<i64>,
}

fn key(row: &Row<'_>) -> Result<KeySummary, StoreError> {
    Ok(KeySummary {
        id: row.parse("id")?,
        secret_hash: row.text("secret_hash")?,
        role_id: row.parse("role_id")?,
        is_agent: row.boolean("is_agent")?,
        creator: row.user("creator")?,
        behind: row.json("behind")?,
        expires_at: row.time("expires_at")?,
    })
}

fn asset(kind: AssetKind, row: &Row<'_>) -> Result<AssetSummary, StoreError> {
    Ok(AssetSummary {
        id: row.asset_id(kind, "id")?,
        name: row.text("name")?,
        latest: row.convert_optional("latest_version")?,
    })
}

fn service(row: &Row<'_>) -> Result<ServiceSummary, StoreError> {
    Ok(ServiceSummary {
        id: row.parse("id")?,
        name: row.text("name")?,
        is_active: row.boolean("is_active")?,
        agent_id: row.parse("agent_id")?,
        context_graph_id: row.parse("context_graph_id")?,
    })
}

fn set(row: &Row<'_>) -> Result<SetSummary, StoreError> {
    Ok(SetSummary {
        service_id: row.parse("service_id")?,
        name: row.parse("name")?,
        revision: row.integer("revision")?,
        is_deleted: row.boolean("is_deleted")?,
        pins: Pins {
            agent_version: row.convert_optional("agent_version")?,
            context_graph_version: row.convert_optional("context_graph_version")?,
            model_preferences: row.json("model_preferences")?,
        },
    })
}

fn change(row: &Row<'_>) -> Result<AuditedChange, StoreError> {
    let set: serde_json::Value = row.json("set_afterwards")?;
    Ok(AuditedChange {
        sequence: row.integer("sequence")?,
        change_number: row.integer("change_number")?,
        created_at: row.time("created_at")?,
        actor: row.actor()?,
        action: row.text("action")?,
        object: row.object()?,
        revision: set["revision"].as_i64(),
    })
}

/// The statement for all things of a kind, and the one for a single one or those of a service.
struct Statements {
    all: &'static Statement,
    one: &'static Statement,
}

impl Tx {
    /// Runs the statement for all things of a kind, or the one for the thing of that id: one text with an optional
    /// filter would keep the database from using its index.
    async fn all_or_one<T>(
        &mut self,
        statements: Statements,
        organization: &OrganizationId,
        id: Option<String>,
        decode: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        match id {
            None => self.all(statements.all, args![organization], decode).await,
            Some(id) => self.all(statements.one, args![organization, id], decode).await,
        }
    }

    /// Returns every role, also those that were replaced.
    pub async fn all_roles(&mut self, organization: &OrganizationId) -> Result<Vec<Role>, StoreError> {
        self.all(&ALL_ROLES, args![organization], role).await
    }

    /// Returns the users who are there, or only the one of that id.
    pub async fn user_summaries(
        &mut self,
        organization: &OrganizationId,
        id: Option<&str>,
    ) -> Result<Vec<UserSummary>, StoreError> {
        let user = |row: &Row<'_>| {
            Ok(UserSummary {
                id: row.text("id")?,
                role_id: row.parse("role_id")?,
            })
        };
        let statements = Statements {
            all: &USERS,
            one: &USER,
        };
        self.all_or_one(statements, organization, id.map(str::to_owned), user)
            .await
    }

    /// Returns the API keys that were not revoked, or only the one of that id.
    pub async fn key_summaries(
        &mut self,
        organization: &OrganizationId,
        id: Option<ApiKeyId>,
    ) -> Result<Vec<KeySummary>, StoreError> {
        let statements = Statements {
            all: &KEYS,
            one: &KEY,
        };
        self.all_or_one(statements, organization, id.map(|id| id.to_string()), key)
            .await
    }

    /// Returns the temporary grants that have not ended at `now`, or only those of a user, in order of creation.
    pub async fn timed_grants(
        &mut self,
        organization: &OrganizationId,
        now: Timestamp,
        user_id: Option<&str>,
    ) -> Result<Vec<TimedGrant>, StoreError> {
        let grant = |row: &Row<'_>| {
            Ok(TimedGrant {
                user_id: row.text("user_id")?,
                grant: row.json("grant_document")?,
                expires_at: row.time("expires_at")?,
            })
        };
        match user_id {
            None => self.all(&GRANTS, args![organization, now], grant).await,
            Some(id) => {
                self.all(&GRANTS_OF_USER, args![organization, now, id], grant)
                    .await
            }
        }
    }

    /// Returns the signing keys, oldest first.
    pub async fn all_signing_keys(
        &mut self,
        organization: &OrganizationId,
    ) -> Result<Vec<SigningKey>, StoreError> {
        self.all(&SIGNING_KEYS, args![organization], signing_key).await
    }

    /// Returns all agents or all context graphs.
    pub async fn asset_summaries(
        &mut self,
        organization: &OrganizationId,
        kind: AssetKind,
    ) -> Result<Vec<AssetSummary>, StoreError> {
        let statement = match kind {
            AssetKind::Agent => &AGENTS,
            AssetKind::ContextGraph => &CONTEXT_GRAPHS,
        };
        self.all(statement, args![organization], |row| asset(kind, row))
            .await
    }

    /// Returns an agent or a context graph.
    pub async fn asset_summary(
        &mut self,
        organization: &OrganizationId,
        id: AssetId,
    ) -> Result<Option<AssetSummary>, StoreError> {
        let statement = match id {
            AssetId::Agent(_) => &AGENT,
            AssetId::ContextGraph(_) => &CONTEXT_GRAPH,
        };
        self.optional(statement, args![organization, id], |row| asset(id.kind(), row))
            .await
    }

    /// Returns all services, or only the one of that id.
    pub async fn service_summaries(
        &mut self,
        organization: &OrganizationId,
        id: Option<ServiceId>,
    ) -> Result<Vec<ServiceSummary>, StoreError> {
        let id = id.map(|id| id.to_string());
        let statements = Statements {
            all: &SERVICES,
            one: &SERVICE,
        };
        self.all_or_one(statements, organization, id, service).await
    }

    /// Returns the sets of all services or of one, deleted ones included.
    pub async fn set_summaries(
        &mut self,
        organization: &OrganizationId,
        service: Option<ServiceId>,
    ) -> Result<Vec<SetSummary>, StoreError> {
        let id = service.map(|id| id.to_string());
        let statements = Statements {
            all: &SETS,
            one: &SETS_OF_SERVICE,
        };
        self.all_or_one(statements, organization, id, set).await
    }

    /// Returns up to `limit` events of the changes after the one of that number, oldest first.
    pub async fn list_changes(
        &mut self,
        organization: &OrganizationId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<AuditedChange>, StoreError> {
        self.all(&CHANGES, args![organization, after, limit], change)
            .await
    }

    /// Returns the same, as far as there is room for them.
    pub async fn page_of_changes(
        &mut self,
        organization: &OrganizationId,
        after: i64,
        limit: i64,
    ) -> Result<Rows<AuditedChange>, StoreError> {
        self.some(&CHANGES, args![organization, after, limit], change)
            .await
    }
}
