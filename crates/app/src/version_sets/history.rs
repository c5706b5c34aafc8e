//! The history of a version set.

use forge_domain::access::Permission;
use forge_domain::revision::Revision;
use forge_domain::{ServiceId, SetName};

use crate::page::PageBuilder;
use crate::version_sets::{service_of_set, unknown};
use crate::{AppError, Ctx, Page};

/// A page of the revisions of a set.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// The revisions, newest first.
    pub page: Page<Revision>,
    /// What the last of them replaced, or `None` if it is the first revision. All others replaced the one after them.
    pub before: Option<Revision>,
}

impl History {
    /// Returns each revision with what it replaced; nothing for the first.
    pub fn entries(&self) -> impl Iterator<Item = (&Revision, Option<&Revision>)> {
        let revisions = &self.page.items;
        let previous = revisions.iter().skip(1).chain(&self.before).map(Some);
        revisions.iter().zip(previous.chain([None]))
    }
}

/// Returns a page of the revisions of a set, newest first; those of a deleted set too.
///
/// The continuation token is the number of the last revision of the page before; 0 is the start.
pub async fn list(
    ctx: Ctx<'_>,
    service_id: ServiceId,
    name: &SetName,
    limit: i64,
    continuation_token: i64,
) -> Result<History, AppError> {
    let mut tx = ctx.read(Permission::GetVersionSet).await?;
    service_of_set(&mut tx, ctx.caller, Permission::GetVersionSet, service_id, name).await?;
    let organization = &ctx.caller.organization;
    // Each is told twice: as itself, and as what the next one replaced.
    let mut page = PageBuilder::of_large_rows(tx.room(), limit, continuation_token).telling(2);
    while let Some(read) = page.next_read() {
        let rows = tx.list_revisions(organization, service_id, name, read);
        page.add(rows.await?, read.limit, |revision| revision.revision, |_| true);
    }
    let (items, before) = page.end_with_next();
    if items.is_empty() && before.is_none() && tx.find_set(organization, service_id, name).await?.is_none() {
        return Err(unknown(name.as_str()));
    }
    let last = items.last().map(|last| last.revision);
    let page = Page {
        continuation_token: last.filter(|_| before.is_some()),
        items,
    };
    Ok(History { page, before })
}
