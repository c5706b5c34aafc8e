//! Writing what a plan comes to.

use forge_domain::SetName;
use forge_domain::plan::{HoldEffect, Plan, Planned};
use forge_domain::revision::RevisionAction;
use forge_domain::version_set::Hold;
use forge_store::WriteTx;
use serde_json::{Value, json};

use super::load::Loaded;
use crate::version_sets::{NewRevision, append_revision, audit_document, audited_set};
use crate::{AppError, Caller};

/// Writes the effect of a plan that nothing stands against, and returns the set's latest revision afterwards.
pub(super) async fn write(
    tx: &mut WriteTx,
    caller: &Caller,
    loaded: &Loaded,
    planned: &Planned,
    message: Option<&str>,
) -> Result<i64, AppError> {
    let (service, Planned { plan, effect }) = (&loaded.service, planned);
    let name: SetName = plan
        .target
        .name
        .parse()
        .map_err(|_| AppError::internal("a set without a name was planned"))?;
    let mut revision = loaded.set.as_ref().map_or(0, |set| set.revision);
    if let Some(pins) = &effect.revision {
        let new = NewRevision {
            name: &name,
            previous: revision,
            action: plan.action,
            pins: pins.clone(),
            agent_id: service.agent_id,
            context_graph_id: service.context_graph_id,
            binding: &loaded.binding,
            source: effect.source.clone(),
            restored_revision: effect.restored_revision,
            message,
        };
        revision = append_revision(tx, caller, service.id, new).await?;
    }
    match effect.hold {
        HoldEffect::Keep => {}
        HoldEffect::Lift => tx.put_hold(service.id, &name, None).await?,
        HoldEffect::Place => {
            let hold = Hold {
                reason: message.map(str::to_owned),
                since: tx.changed_at(),
                by: caller.user.clone(),
            };
            tx.put_hold(service.id, &name, Some(&hold)).await?;
        }
    }
    let action = if effect.revision.is_some() {
        plan.action.as_str()
    } else {
        "lift_hold"
    };
    let (old, new) = audit_documents(loaded, planned, revision);
    tx.append_audit_event(&caller.actor(), action, audited_set(service.id, &name), old, new)
        .await?;
    Ok(revision)
}

/// Returns what the audit log keeps of a set, as it was and as it is at the revision that it has now.
fn audit_documents(loaded: &Loaded, planned: &Planned, revision: i64) -> (Value, Value) {
    let (before, Planned { plan, effect }) = (loaded.live_set(), planned);
    let was_held = before.is_some_and(|set| set.hold.is_some());
    let is_held = match effect.hold {
        HoldEffect::Keep => was_held,
        HoldEffect::Lift => false,
        HoldEffect::Place => true,
    };
    let old = before.map_or(Value::Null, |set| {
        audit_document(set.revision, Some(&set.pins), was_held)
    });
    let new = match &effect.revision {
        Some(None) => Value::Null,
        Some(Some(pins)) => with_origin(audit_document(revision, Some(pins), is_held), plan),
        None => audit_document(revision, before.map(|set| &set.pins), is_held),
    };
    (old, new)
}

/// Adds to an audit document where the pins came from.
fn with_origin(mut document: Value, plan: &Plan) -> Value {
    if matches!(plan.action, RevisionAction::Promote | RevisionAction::Rollback) {
        document["source"] = json!(plan.source);
    }
    document
}
