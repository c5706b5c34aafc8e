//! Version sets and their revisions.

use forge_domain::plan::Past;
use forge_domain::revision::{Revision, RevisionAction};
use forge_domain::version_set::{Hold, ResolvedPins, VersionSet};
use forge_domain::{AgentId, ContextGraphId, OrganizationId, Pins, ServiceId, SetName, Timestamp};

use crate::StoreError;
use crate::page_request::PageRequest;
use crate::row::{Row, args, behind, to_json};
use crate::rows::Rows;
use crate::statement::statements;
use crate::tx::{Tx, WriteTx};

/// Sets as they are now, with what their latest revisions say.
macro_rules! select_sets {
    ($rest:literal) => {
        concat!(
            "SELECT version_set.name, version_set.revision, is_deleted, version_set.agent_id,
                version_set.agent_version, version_set.context_graph_id, version_set.context_graph_version,
                version_set.model_preferences, source_name, source_revision, message, actor_org_id, actor_user_id,
                actor_kind, actor_key_id, actor_key_org_id, actor_key_user_id, actor_key_behind, created_at, hold_reason,
                hold_since, hold_org_id, hold_user_id
            FROM version_set
            JOIN version_set_revision USING (organization_id, service_id, name, revision)
            WHERE organization_id = $1 AND service_id = $2 ",
            $rest
        )
    };
}

/// Revisions of a set.
macro_rules! select_revisions {
    ($rest:literal) => {
        concat!(
            "SELECT name, revision, action, agent_id, agent_version, resolved_agent_version,
                context_graph_id, context_graph_version, resolved_context_graph_version, model_preferences, source_name,
                source_revision, restored_revision, message, change_number, actor_org_id, actor_user_id, actor_kind,
                actor_key_id, actor_key_org_id, actor_key_user_id, actor_key_behind, created_at
            FROM version_set_revision
            WHERE organization_id = $1 AND service_id = $2 AND name = $3 ",
            $rest
        )
    };
}

statements! {
    LIST_SETS = select_sets!("AND NOT is_deleted
        ORDER BY version_set.name");
    FIND_SET = select_sets!("AND name = $3");
    FIND_TWO_SETS = select_sets!("AND name IN ($3, $4)");
    LIST_SET_NAMES = "SELECT name FROM version_set
        WHERE organization_id = $1 AND service_id = $2 AND NOT is_deleted ORDER BY name";
    INSERT_REVISION = "INSERT INTO version_set_revision (organization_id, service_id, name, revision,
            previous_revision, action, agent_id, agent_version, resolved_agent_version, context_graph_id,
            context_graph_version, resolved_context_graph_version, model_preferences, source_name, source_revision,
            restored_revision, message, change_number, actor_org_id, actor_user_id, actor_kind,
            actor_key_id, actor_key_org_id, actor_key_user_id, actor_key_behind, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
            $23, $24, $25, $26)";
    PUT_SET = "INSERT INTO version_set (organization_id, service_id, name, revision, is_deleted, agent_id,
            agent_version, context_graph_id, context_graph_version, model_preferences)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (organization_id, service_id, name) DO UPDATE SET revision = $4, is_deleted = $5, agent_id = $6,
            agent_version = $7, context_graph_id = $8, context_graph_version = $9, model_preferences = $10";
    PUT_HOLD = "UPDATE version_set SET hold_reason = $4, hold_since = $5, hold_org_id = $6, hold_user_id = $7
        WHERE organization_id = $1 AND service_id = $2 AND name = $3";
    // A deleted set pins nothing, but it still names the service's own agent and graph.
    REBIND_DELETED_SETS = "UPDATE version_set SET agent_id = $3, context_graph_id = $4
        WHERE organization_id = $1 AND service_id = $2 AND is_deleted";
    LIST_REVISIONS = select_revisions!("AND revision < $4
        ORDER BY revision DESC LIMIT $5");
    FIND_REVISION_AT = select_revisions!("AND change_number <= $4
        ORDER BY revision DESC LIMIT 1");
    LIST_PAST = "SELECT revision, action, restored_revision FROM version_set_revision
        WHERE organization_id = $1 AND service_id = $2 AND name = $3 ORDER BY revision";
}

fn pins(row: &Row<'_>) -> Result<Pins, StoreError> {
    Ok(Pins {
        agent_version: row.convert_optional("agent_version")?,
        context_graph_version: row.convert_optional("context_graph_version")?,
        model_preferences: row.json("model_preferences")?,
    })
}

fn source(row: &Row<'_>) -> Result<Option<(SetName, i64)>, StoreError> {
    match row.optional_integer("source_revision")? {
        Some(revision) => Ok(Some((row.parse("source_name")?, revision))),
        None => Ok(None),
    }
}

fn hold(row: &Row<'_>) -> Result<Option<Hold>, StoreError> {
    let Some(since) = row.optional_integer("hold_since")? else {
        return Ok(None);
    };
    Ok(Some(Hold {
        reason: row.optional_text("hold_reason")?,
        since: Timestamp::from_millis(since),
        by: row.user("hold")?,
    }))
}

fn past(row: &Row<'_>) -> Result<Past, StoreError> {
    Ok(Past {
        revision: row.integer("revision")?,
        action: row.parse("action")?,
        restored_revision: row.optional_integer("restored_revision")?,
    })
}

fn version_set(row: &Row<'_>) -> Result<VersionSet, StoreError> {
    Ok(VersionSet {
        name: row.parse("name")?,
        revision: row.integer("revision")?,
        is_deleted: row.boolean("is_deleted")?,
        agent_id: row.parse("agent_id")?,
        context_graph_id: row.parse("context_graph_id")?,
        pins: pins(row)?,
        source: source(row)?,
        message: row.optional_text("message")?,
        updated_by: row.actor()?,
        updated_at: row.time("created_at")?,
        hold: hold(row)?,
    })
}

fn revision(row: &Row<'_>) -> Result<Revision, StoreError> {
    Ok(Revision {
        name: row.parse("name")?,
        revision: row.integer("revision")?,
        action: row.parse("action")?,
        agent_id: row.parse("agent_id")?,
        context_graph_id: row.parse("context_graph_id")?,
        pins: pins(row)?,
        resolved: ResolvedPins {
            agent_version: row.convert_optional("resolved_agent_version")?,
            context_graph_version: row.convert_optional("resolved_context_graph_version")?,
        },
        source: source(row)?,
        restored_revision: row.optional_integer("restored_revision")?,
        message: row.optional_text("message")?,
        actor: row.actor()?,
        change_number: row.integer("change_number")?,
        created_at: row.time("created_at")?,
    })
}

impl Tx {
    /// Returns the sets of a service by name, without deleted ones: all of them, or as many as there is room for.
    pub async fn list_sets(
        &mut self,
        organization: &OrganizationId,
        service: ServiceId,
        room: usize,
    ) -> Result<Rows<VersionSet>, StoreError> {
        let args = args![organization, service];
        self.rows(&LIST_SETS, args, version_set, room).await
    }

    /// Returns a set, deleted or not.
    pub async fn find_set(
        &mut self,
        organization: &OrganizationId,
        service: ServiceId,
        name: &SetName,
    ) -> Result<Option<VersionSet>, StoreError> {
        self.optional(&FIND_SET, args![organization, service, name], version_set)
            .await
    }

    /// Returns those sets of a service that have one of the names, without deleted ones, as many as there is room for.
    pub async fn list_named_sets(
        &mut self,
        organization: &OrganizationId,
        service: ServiceId,
        names: &[SetName],
        room: usize,
    ) -> Result<Rows<VersionSet>, StoreError> {
        let mut rows = Rows::for_room(room);
        for name in names {
            let args = args![organization, service, name];
            for (set, bytes) in self.rows(&FIND_SET, args, version_set, usize::MAX).await? {
                if !set.is_deleted && !rows.push(set, bytes) {
                    return Ok(rows);
                }
            }
        }
        Ok(rows)
    }

    /// Returns two sets of a service, deleted or not; those of them that are there.
    pub async fn find_two_sets(
        &mut self,
        organization: &OrganizationId,
        service: ServiceId,
        names: [&SetName; 2],
    ) -> Result<Vec<VersionSet>, StoreError> {
        let args = args![organization, service, names[0], names[1]];
        self.all(&FIND_TWO_SETS, args, version_set).await
    }

    /// Returns the names of a service's sets, without deleted ones.
    pub async fn list_set_names(
        &mut self,
        organization: &OrganizationId,
        service: ServiceId,
    ) -> Result<Vec<SetName>, StoreError> {
        self.all(&LIST_SET_NAMES, args![organization, service], |row| {
            row.parse("name")
        })
        .await
    }

    /// Returns a page of the revisions of a set, newest first: it begins after the revision of a number.
    pub async fn list_revisions(
        &mut self,
        organization: &OrganizationId,
        service: ServiceId,
        name: &SetName,
        page: PageRequest,
    ) -> Result<Rows<Revision>, StoreError> {
        self.some(
            &LIST_REVISIONS,
            args![organization, service, name, page.descending_from(), page.limit],
            revision,
        )
        .await
    }

    /// Returns one revision of a set.
    pub async fn find_revision(
        &mut self,
        organization: &OrganizationId,
        service: ServiceId,
        name: &SetName,
        revision: i64,
    ) -> Result<Option<Revision>, StoreError> {
        if !(1..i64::MAX).contains(&revision) {
            return Ok(None);
        }
        let found = self
            .list_revisions(
                organization,
                service,
                name,
                PageRequest {
                    after: revision + 1,
                    limit: 1,
                },
            )
            .await?;
        Ok(found.into_rows().pop().filter(|found| found.revision == revision))
    }

    /// Returns the revision of a set that was in force when the organization's change of that number was made.
    pub async fn find_revision_at(
        &mut self,
        organization: &OrganizationId,
        service: ServiceId,
        name: &SetName,
        change_number: i64,
    ) -> Result<Option<Revision>, StoreError> {
        let args = args![organization, service, name, change_number];
        self.optional(&FIND_REVISION_AT, args, revision).await
    }

    /// Returns what going back needs to know of every revision of a set, oldest first.
    pub async fn list_past(
        &mut self,
        organization: &OrganizationId,
        service: ServiceId,
        name: &SetName,
    ) -> Result<Vec<Past>, StoreError> {
        self.all(&LIST_PAST, args![organization, service, name], past)
            .await
    }
}

impl WriteTx {
    /// Appends a revision and makes it the set's state: the only way in which a set ever changes.
    pub async fn append_revision(
        &mut self,
        service: ServiceId,
        revision: &Revision,
    ) -> Result<(), StoreError> {
        let preferences = to_json(&revision.pins.model_preferences);
        let key = revision.actor.key.as_ref();
        let args = args![
            &self.organization,
            service,
            &revision.name,
            revision.revision,
            (revision.revision > 1).then(|| revision.revision - 1),
            revision.action.as_str(),
            revision.agent_id,
            revision.pins.agent_version,
            revision.resolved.agent_version,
            revision.context_graph_id,
            revision.pins.context_graph_version,
            revision.resolved.context_graph_version,
            &preferences,
            revision.source.as_ref().map(|(name, _)| name.to_string()),
            revision.source.as_ref().map(|(_, number)| *number),
            revision.restored_revision,
            revision.message.clone(),
            self.change_number(),
            &revision.actor.user.org_id,
            &revision.actor.user.user_id,
            revision.actor.kind.as_str(),
            key.map(|key| key.id.clone()),
            key.map(|key| key.created_by.org_id.to_string()),
            key.map(|key| key.created_by.user_id.clone()),
            key.and_then(behind),
            self.changed_at(),
        ];
        self.execute(&INSERT_REVISION, args).await?;
        let args = args![
            &self.organization,
            service,
            &revision.name,
            revision.revision,
            revision.action == RevisionAction::Delete,
            revision.agent_id,
            revision.pins.agent_version,
            revision.context_graph_id,
            revision.pins.context_graph_version,
            preferences,
        ];
        self.execute(&PUT_SET, args).await.map(drop)
    }

    /// Places a hold on a set, or lifts it.
    pub async fn put_hold(
        &mut self,
        service: ServiceId,
        name: &SetName,
        hold: Option<&Hold>,
    ) -> Result<(), StoreError> {
        let args = args![
            &self.organization,
            service,
            name,
            hold.and_then(|hold| hold.reason.clone()),
            hold.map(|hold| hold.since),
            hold.map(|hold| hold.by.org_id.to_string()),
            hold.map(|hold| hold.by.user_id.clone()),
        ];
        self.execute(&PUT_HOLD, args).await.map(drop)
    }

    /// Makes the service's deleted sets name its new agent and graph.
    pub async fn rebind_deleted_sets(
        &mut self,
        service: ServiceId,
        agent_id: AgentId,
        context_graph_id: ContextGraphId,
    ) -> Result<(), StoreError> {
        let args = args![&self.organization, service, agent_id, context_graph_id];
        self.execute(&REBIND_DELETED_SETS, args).await.map(drop)
    }
}
