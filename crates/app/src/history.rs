//! The history of a version set.

use forge_domain::access::Permission;
use forge_domain::{ServiceId, SetName};
use forge_store::Revision;

use crate::services::find;
use crate::version_sets::{set_attributes, unknown};
use crate::{App, AppError, Caller, Page};

/// A revision, and the one before it.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEntry {
    /// The revision.
    pub revision: Revision,
    /// What it replaced; nothing for the first.
    pub previous: Option<Revision>,
}

/// Returns a page of the revisions of a set, newest first; those of a deleted set too.
///
/// The continuation token is the number of the last revision of the page before; 0 is the start.
pub async fn list(
    app: &App,
    caller: &Caller,
    service_id: ServiceId,
    name: &SetName,
    limit: i64,
    continuation_token: i64,
) -> Result<Page<HistoryEntry>, AppError> {
    caller.authorize_some(Permission::GetVersionSet)?;
    let mut tx = app.store.read().await?;
    let service = find(&mut tx, caller, service_id).await?;
    caller.authorize(Permission::GetVersionSet, &set_attributes(&service, name))?;
    let organization = &caller.organization;
    // One more than the page: what its last revision replaced.
    let rows = tx
        .list_revisions(organization, service_id, name, continuation_token, limit + 1)
        .await?;
    if rows.is_empty() && tx.find_set(organization, service_id, name).await?.is_none() {
        return Err(unknown(name.as_str()));
    }
    let limit = usize::try_from(limit).unwrap_or(0);
    let has_more = rows.len() > limit;
    let mut previous = rows.iter().skip(1).cloned().map(Some).collect::<Vec<_>>();
    previous.push(None);
    let entries = rows.into_iter().zip(previous).take(limit);
    let items: Vec<HistoryEntry> = entries
        .map(|(revision, previous)| HistoryEntry { revision, previous })
        .collect();
    let last = items.last().map(|entry| entry.revision.revision);
    Ok(Page {
        continuation_token: last.filter(|_| has_more),
        items,
    })
}
