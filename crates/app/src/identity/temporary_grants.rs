//! Grants for a while.

use std::collections::HashSet;
use std::time::Duration;

use forge_domain::access::{Attributes, Grant, Permission, excesses};
use forge_domain::audit::{AuditObject, ObjectKind};
use forge_domain::fault::Fault;
use forge_domain::id::TemporaryGrantId;
use forge_domain::tag::{TagFilter, Tags};
use forge_domain::temporary_grant::TemporaryGrant;
use forge_domain::user::User;
use forge_domain::{Sort, Timestamp};
use forge_store::SortValue;
pub use forge_store::TemporaryGrantSort;
use serde_json::{Value, json};

use crate::identity::roles;
use crate::page::unknown_token;
use crate::sorting::Sorted;
use crate::{AppError, Ctx, Page, Written, commit};

/// How many temporary grants a user may have at once.
const MOST_GRANTS: usize = 100;

/// How long a grant may last, if its user is not given a lesser role before.
const LONGEST: Duration = Duration::from_hours(90 * 24);

fn attributes_of(user_id: &str, grant: &Grant) -> Attributes {
    Attributes::default()
        .with("user_id", user_id)
        .with("permission_name", grant.permission_name.as_str())
}

/// A temporary grant to be given.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are those of a temporary grant")]
pub struct GiveGrant {
    pub user_id: String,
    pub duration: Duration,
    pub grant: Grant,
    pub tags: Tags,
    pub justification: String,
}

/// Gives a user a grant beside those of the role, until it ends.
///
/// The giver's role must hold it.
pub async fn create(
    ctx: Ctx<'_>,
    given: GiveGrant,
) -> Result<Written<(TemporaryGrantId, Timestamp)>, AppError> {
    roles::check_grants(std::slice::from_ref(&given.grant), &["permission_grant"])?;
    if given.duration.is_zero() || given.duration > LONGEST {
        let loc = vec!["duration".into()];
        let fault = Fault::new(
            loc,
            "duration",
            "a grant lasts for some time, 90 days at most: P90D",
        );
        return Err(AppError::Invalid(vec![fault]));
    }
    ctx.caller.authorize(
        Permission::CreateTemporaryGrant,
        &attributes_of(&given.user_id, &given.grant),
    )?;
    ctx.caller.require_cover(std::slice::from_ref(&given.grant))?;
    let mut tx = ctx.app.write_access(ctx.caller).await?;
    ctx.caller.find_unchecked::<User>(&mut tx, &given.user_id).await?;
    let (organization, now) = (&ctx.caller.organization, ctx.app.clock.now());
    let live = tx
        .live_temporary_grants(organization, &given.user_id, now)
        .await?;
    check_together(live, &given.grant)?;
    let grant = TemporaryGrant {
        id: ctx.app.new_id()?,
        seq: 0,
        user_id: given.user_id,
        grant: given.grant,
        tags: given.tags,
        justification: given.justification,
        creator: ctx.caller.user.clone(),
        created_at: tx.changed_at(),
        expires_at: now + given.duration,
        ended_at: None,
    };
    tx.insert_temporary_grant(&grant).await?;
    let object = AuditObject::new(ObjectKind::TemporaryGrant, grant.id);
    let after =
        json!({"user_id": grant.user_id, "permission_grant": grant.grant, "expires_at": grant.expires_at});
    tx.append_audit_event(&ctx.caller.actor(), "create", object, Value::Null, after)
        .await?;
    commit(tx, (grant.id, grant.expires_at)).await
}

/// Refuses a grant that would be too much beside those which a user has already: all of them are looked at with each of
/// the user's requests.
///
/// The limits are those of a role, and there are fewer of them.
fn check_together(mut live: Vec<Grant>, new: &Grant) -> Result<(), AppError> {
    let count = live.len();
    if count >= MOST_GRANTS {
        return Err(AppError::Refused(format!(
            "the user has {count} temporary grants already, as many as there may be at once; wait until one ends, or give \
             a role instead"
        )));
    }
    live.push(new.clone());
    if excesses(&live).is_empty() {
        return Ok(());
    }
    Err(AppError::Refused(format!(
        "with the {count} temporary grants that the user has already, the conditions would have more values together than \
         a role may have; wait until one ends, or give a role instead"
    )))
}

/// What a caller asks of a list of temporary grants; an empty filter lets everything through.
#[derive(Debug, Clone)]
pub struct ListGrants {
    /// Only these.
    pub ids: HashSet<TemporaryGrantId>,
    /// Only these users'.
    pub user_ids: HashSet<String>,
    /// Only those given by these users.
    pub creators: HashSet<String>,
    /// Only those of this permission.
    pub permission_name: Option<String>,
    /// Only ended ones, or only others.
    pub is_expired: Option<bool>,
    /// Only those that pass every one of these.
    pub tags: Vec<TagFilter>,
    /// The order.
    pub sort: Vec<Sort<TemporaryGrantSort>>,
    /// How many at most.
    pub limit: i64,
    /// Where the page before this one ended.
    pub continuation_token: i64,
}

/// Returns a page of the temporary grants that the caller may see.
pub async fn list(ctx: Ctx<'_>, query: &ListGrants) -> Result<Page<TemporaryGrant>, AppError> {
    let Ctx { app, caller } = ctx;
    if !caller.may_some(Permission::GetTemporaryGrant) {
        return Ok(Page::empty());
    }
    let now = app.clock.now();
    let admits = |wanted: &HashSet<String>, value: &str| wanted.is_empty() || wanted.contains(value);
    let is_wanted = |grant: &TemporaryGrant| {
        (query.ids.is_empty() || query.ids.contains(&grant.id))
            && admits(&query.user_ids, &grant.user_id)
            && admits(&query.creators, &grant.creator.user_id)
            && query
                .permission_name
                .as_ref()
                .is_none_or(|name| *name == grant.grant.permission_name)
            && query
                .is_expired
                .is_none_or(|wanted| wanted == (grant.ended_at.is_some() || grant.expires_at <= now))
            && query.tags.iter().all(|filter| filter.matches(&grant.tags))
            && caller.may(
                Permission::GetTemporaryGrant,
                &attributes_of(&grant.user_id, &grant.grant),
            )
    };
    let list = Sorted::moving(
        "temporary_grant",
        &query.sort,
        sort_value,
        |grant: &TemporaryGrant| grant.seq,
    );
    let mut tx = app.store.read().await?;
    let mut page = list
        .page(ctx, &mut tx, query.limit, query.continuation_token)
        .await?;
    while let Some(read) = page.next_read() {
        let count = read.limit;
        let rows = tx
            .list_temporary_grants(&caller.organization, list.keys(), read)
            .await?;
        page.add(
            rows.ok_or_else(unknown_token)?,
            count,
            |grant| list.place(grant),
            is_wanted,
        );
    }
    list.finish(ctx, tx, page).await
}

fn sort_value(key: TemporaryGrantSort, grant: &TemporaryGrant) -> SortValue {
    match key {
        TemporaryGrantSort::UserId => SortValue::Text(grant.user_id.clone()),
        TemporaryGrantSort::ExpiresAt => SortValue::Integer(grant.end().as_millis()),
        TemporaryGrantSort::PermissionName => SortValue::Text(grant.grant.permission_name.clone()),
    }
}
