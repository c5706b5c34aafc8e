//! Users.

use forge_domain::access::{Attributes, DefaultRole, Permission};
use forge_domain::audit::{AuditObject, ObjectKind};
use forge_domain::user::{ListedUser, NewUser, Preferences, User, Variables};
use forge_domain::{OrganizationId, RoleId, Sort, Timestamp, UserRef};
pub use forge_store::UserSort;
use forge_store::{Rows, SortValue, StoreError, Tx};
use serde_json::{Value, json};

use crate::access::resource::Resource;
use crate::identity::{api_keys, roles};
use crate::page::unknown_token;
use crate::sorting::Sorted;
use crate::{AppError, Caller, Ctx, Page, Written, commit};

/// What the audit log shows of a user: no personal data.
fn audit_document(role_name: &str) -> Value {
    json!({"role_name": role_name})
}

/// A user who is not deleted.
impl Resource for User {
    type Key = str;

    async fn by_key(
        tx: &mut Tx,
        organization: &OrganizationId,
        id: &str,
    ) -> Result<Option<Self>, StoreError> {
        let found = tx.find_user(organization, id).await?;
        Ok(found.filter(|user| !user.is_deleted))
    }

    fn not_found(_: &str) -> AppError {
        AppError::NotFound("there is no such user".to_owned())
    }

    fn attributes_for(&self, _: &Caller) -> Attributes {
        attributes_of(&self.id, &self.role.name)
    }
}

/// Returns what conditions can be about where a user is known by the id and the role's name only.
pub(crate) fn attributes_of(id: &str, role_name: &str) -> Attributes {
    Attributes::default()
        .with("user_id", id)
        .with("role_name", role_name)
}

/// A user to be invited.
///
/// It cannot be printed: some of the variables are secrets.
#[derive(Clone)]
#[expect(missing_docs, reason = "the fields are those of a user")]
pub struct InviteUser {
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub role_name: String,
    pub nonsensitive_variables: Variables,
    pub sensitive_variables: Variables,
    pub preferences: Option<Preferences>,
}

/// Creates a user, who may sign in with an API key at once, and returns the id.
pub async fn invite(ctx: Ctx<'_>, invited: InviteUser) -> Result<Written<String>, AppError> {
    let Ctx { app, caller } = ctx;
    let named = |name: &str| Attributes::default().with("role_name", name);
    caller.authorize(Permission::InviteUser, &named(&invited.role_name))?;
    let mut tx = app.write_access(caller).await?;
    let role = roles::find_to_give(&mut tx, caller, &invited.role_name).await?;
    // The name may have been spelled in another way.
    caller.authorize(Permission::InviteUser, &named(&role.name))?;
    if tx
        .find_user_by_email(&caller.organization, &invited.email)
        .await?
        .is_some()
    {
        return Err(AppError::Conflict(
            "a user with this email address exists already".to_owned(),
        ));
    }
    let id = app.new_id::<forge_domain::id::kind::User>()?.to_string();
    let sealed = if invited.sensitive_variables.is_empty() {
        None
    } else {
        let secret = serde_json::to_vec(&invited.sensitive_variables);
        let secret = secret.map_err(|error| AppError::Internal(Box::new(error)))?;
        let context = format!("user-variables/{}/{id}", caller.organization);
        let sealed = app.keyring.seal(&context, &secret);
        Some(sealed.map_err(|error| AppError::Internal(Box::new(error)))?)
    };
    let preferences = if let Some(preferences) = invited.preferences {
        preferences
    } else {
        let organization = tx.find_organization(&caller.organization).await?;
        organization
            .map(|organization| organization.default_user_preferences)
            .unwrap_or_default()
    };
    tx.insert_user(NewUser {
        id: id.clone(),
        role_id: role.id,
        first_name: invited.first_name,
        last_name: invited.last_name,
        email: invited.email,
        preferences,
        nonsensitive_variables: invited.nonsensitive_variables,
        sensitive_variable_names: invited.sensitive_variables.into_keys().collect(),
        sealed_sensitive_variables: sealed,
    })
    .await?;
    let after = audit_document(&role.name);
    tx.append_audit_event(
        &caller.actor(),
        "invite",
        AuditObject::new(ObjectKind::User, &id),
        Value::Null,
        after,
    )
    .await?;
    commit(tx, id).await
}

/// What a caller asks of a list of users.
#[derive(Debug, Clone)]
pub struct ListUsers {
    /// Only these; none means all.
    pub ids: Vec<String>,
    /// Only users with one of these email addresses; none means all.
    pub emails: Vec<String>,
    /// The order.
    pub sort: Vec<Sort<UserSort>>,
    /// How many at most.
    pub limit: i64,
    /// Where the page before this one ended.
    pub continuation_token: i64,
}

/// Returns a page of the users that the caller may see.
pub async fn list(ctx: Ctx<'_>, query: &ListUsers) -> Result<Page<ListedUser>, AppError> {
    let Ctx { app, caller } = ctx;
    if !caller.may_some(Permission::GetUserInfo) {
        return Ok(Page::empty());
    }
    let wanted_email = |user: &User| {
        query.emails.is_empty()
            || query
                .emails
                .iter()
                .any(|email| email.eq_ignore_ascii_case(&user.email))
    };
    let is_visible = |row: &ListedUser| {
        !row.user.is_deleted && row.user.allows(caller, Permission::GetUserInfo) && wanted_email(&row.user)
    };
    let list = Sorted::moving("user", &query.sort, sort_value, |row: &ListedUser| row.user.seq);
    let mut tx = app.store.read().await?;
    let mut page = list
        .page(ctx, &mut tx, query.limit, query.continuation_token)
        .await?;
    if query.ids.is_empty() && query.emails.is_empty() {
        while let Some(read) = page.next_read() {
            let count = read.limit;
            let rows = tx.list_users(&caller.organization, list.keys(), read).await?;
            page.add(
                rows.ok_or_else(unknown_token)?,
                count,
                |row| list.place(row),
                is_visible,
            );
        }
    } else {
        let mut selection = list.select(page);
        for id in &query.ids {
            selection.offer(by_id(&mut tx, caller, id).await?, is_visible);
        }
        let emails = if query.ids.is_empty() {
            query.emails.as_slice()
        } else {
            &[]
        };
        for email in emails {
            selection.offer(by_email(&mut tx, caller, email).await?, is_visible);
        }
        page = selection.finish()?;
    }
    list.finish(ctx, tx, page).await
}

/// Returns the user that a query names by the id, deleted or not.
async fn by_id(tx: &mut Tx, caller: &Caller, id: &str) -> Result<Rows<ListedUser>, AppError> {
    let row = tx.user_row(&caller.organization, id).await?;
    with_stats(tx, caller, row).await
}

/// Returns the user that a query names by the email address.
async fn by_email(tx: &mut Tx, caller: &Caller, email: &str) -> Result<Rows<ListedUser>, AppError> {
    let row = tx.user_row_by_email(&caller.organization, email).await?;
    with_stats(tx, caller, row).await
}

async fn with_stats(tx: &mut Tx, caller: &Caller, row: Rows<User>) -> Result<Rows<ListedUser>, AppError> {
    let mut rows = Vec::new();
    for (user, bytes) in row {
        let stats = tx.find_user_stats(&caller.organization, &user.id).await?;
        rows.push((ListedUser { user, stats }, bytes));
    }
    Ok(rows.into_iter().collect())
}

fn sort_value(key: UserSort, row: &ListedUser) -> SortValue {
    let ListedUser { user, stats } = row;
    match key {
        UserSort::FirstName => SortValue::Text(user.first_name.clone()),
        UserSort::LastName => SortValue::Text(user.last_name.clone()),
        UserSort::Email => SortValue::Text(user.email.clone()),
        UserSort::NumConversations => SortValue::Integer(stats.conversations),
        UserSort::NumMessages => SortValue::Integer(stats.messages),
        // Who never talked comes before everybody else, as in the database.
        UserSort::LastMessageTime => {
            SortValue::Integer(stats.last_message_at.map_or(0, Timestamp::as_millis))
        }
    }
}

/// What changes about a user; an absent field stays as it is.
///
/// `Some(None)` erases.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of a user")]
pub struct UpdateUser {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub enable_response_recommendation: Option<bool>,
    pub preferred_language: Option<Option<String>>,
    pub timezone: Option<Option<String>>,
    pub conversations_visible_to_admins: Option<bool>,
    pub user_model_visible_to_admins: Option<bool>,
    pub additional_context: Option<Vec<String>>,
    pub audio_keyterms: Option<Vec<String>>,
}

fn replace<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

/// Returns the settings by which a user hides things from administrators, as far as they would change.
fn changed_visibility(now: &Preferences, update: &UpdateUser) -> Vec<&'static str> {
    let settings = [
        (
            "conversations_visible_to_admins",
            now.conversations_visible_to_admins,
            update.conversations_visible_to_admins,
        ),
        (
            "user_model_visible_to_admins",
            now.user_model_visible_to_admins,
            update.user_model_visible_to_admins,
        ),
    ];
    let changed = settings
        .into_iter()
        .filter(|(_, now, wanted)| wanted.is_some_and(|wanted| wanted != *now));
    changed.map(|(name, ..)| name).collect()
}

/// Returns `true` if nobody can be behind a caller who must not be.
///
/// Whoever makes a key can sign in with it as others; so all who could have made it have to be the caller, an operator,
/// or a super administrator, who are trusted with everything.
async fn speaks_for_themselves(tx: &mut Tx, caller: &Caller) -> Result<bool, AppError> {
    for maker in caller.others_behind() {
        let maker = tx.find_user(&caller.organization, &maker.user_id).await?;
        let is_super = |user: &User| user.role.name == DefaultRole::SuperAdministrator.name();
        if !maker.is_some_and(|user| !user.is_deleted && is_super(&user)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Changes what is known of a user.
///
/// What a user hides from administrators is theirs alone to say.
pub async fn update(ctx: Ctx<'_>, id: &str, update: UpdateUser) -> Result<Written<()>, AppError> {
    const PERMISSION: Permission = Permission::UpdateUserInfo;
    let mut tx = ctx.write_access(PERMISSION).await?;
    let mut user: User = ctx.caller.find_unchecked(&mut tx, id).await?;
    let is_own = ctx.caller.user.is(&ctx.caller.organization, id);
    let attributes = user.attributes_for(ctx.caller).with("is_own", is_own);
    ctx.caller.authorize(PERMISSION, &attributes)?;
    ctx.caller.require_not_above(&user.role)?;
    let visibility = changed_visibility(&user.preferences, &update);
    if let Some(setting) = visibility.first() {
        if !is_own {
            return Err(AppError::InsufficientRole(format!(
                "only the user may change `{setting}`: it hides what is theirs from everybody else"
            )));
        }
        if !speaks_for_themselves(&mut tx, ctx.caller).await? {
            return Err(AppError::InsufficientRole(format!(
                "only the user may change `{setting}`, and another who could have made the API key could be behind this: \
                 sign in with a key that a super administrator made"
            )));
        }
    }
    replace(&mut user.first_name, update.first_name);
    replace(&mut user.last_name, update.last_name);
    let preferences = &mut user.preferences;
    replace(
        &mut preferences.enable_response_recommendation,
        update.enable_response_recommendation,
    );
    replace(&mut preferences.preferred_language, update.preferred_language);
    replace(&mut preferences.timezone, update.timezone);
    replace(
        &mut preferences.conversations_visible_to_admins,
        update.conversations_visible_to_admins,
    );
    replace(
        &mut preferences.user_model_visible_to_admins,
        update.user_model_visible_to_admins,
    );
    replace(&mut preferences.audio_keyterms, update.audio_keyterms);
    tx.set_user_info(&user, update.additional_context.as_deref())
        .await?;
    // Whatever changed is personal, so the log says only that something did; and that it was who sees what.
    let before = audit_document(&user.role.name);
    let mut after = before.clone();
    if !visibility.is_empty() {
        after["changed"] = json!(visibility);
    }
    tx.append_audit_event(
        &ctx.caller.actor(),
        "update",
        AuditObject::new(ObjectKind::User, id),
        before,
        after,
    )
    .await?;
    commit(tx, ()).await
}

/// Gives a user another role.
///
/// The caller's must be greater than it, and than the user's present one: otherwise anybody could take the rights of
/// their equals. Only their own role may a caller give up. With a role that does not hold all that the old one held,
/// the user's temporary grants end.
pub async fn assign_role(ctx: Ctx<'_>, name: &str, user_id: &str) -> Result<Written<RoleId>, AppError> {
    // Whoever may give no role at all is not told which there are, and waits for nobody's lock.
    if ctx.caller.privileges.grants.is_empty() {
        return Err(AppError::InsufficientRole(
            "your role gives you nothing to assign".to_owned(),
        ));
    }
    let mut tx = ctx.app.write_access(ctx.caller).await?;
    let role = roles::find_to_give(&mut tx, ctx.caller, name).await?;
    let user: User = ctx.caller.find_unchecked(&mut tx, user_id).await?;
    if !ctx.caller.user.is(&ctx.caller.organization, user_id)
        && let Err(error) = ctx.caller.require_greater(&user.role)
    {
        let may_see = user.allows(ctx.caller, Permission::GetUserInfo);
        return Err(if may_see { error } else { User::not_found(user_id) });
    }
    let with_new_role = attributes_of(user_id, &role.name);
    ctx.caller
        .require_no_gain(&user.attributes_for(ctx.caller), &with_new_role)?;
    if role.id != user.role.id && is_last_super_administrator(&mut tx, ctx.caller, &user).await? {
        return Err(AppError::InsufficientRole(LAST_SUPER_ADMINISTRATOR.to_owned()));
    }
    tx.set_user_role(user_id, role.id).await?;
    let (before, mut after) = (
        json!({"role_name": user.role.name}),
        json!({"role_name": role.name}),
    );
    if roles::gives_less(&role, &user.role) {
        let count = tx.end_temporary_grants(user_id, ctx.app.clock.now()).await?;
        roles::tell_ended(&mut after, count);
        tell_known_keys(ctx, &mut tx, user_id, &mut after).await?;
    }
    tx.append_audit_event(
        &ctx.caller.actor(),
        "assign_role",
        AuditObject::new(ObjectKind::User, user_id),
        before,
        after,
    )
    .await?;
    commit(tx, role.id).await
}

/// Deletes a user: everything personal goes, what they said in conversations too, and every token ends at once.
pub async fn delete(ctx: Ctx<'_>, id: &str) -> Result<Written<()>, AppError> {
    const PERMISSION: Permission = Permission::DeleteUser;
    let mut tx = ctx.write_access(PERMISSION).await?;
    let user: User = ctx.caller.fetch(&mut tx, PERMISSION, id).await?;
    ctx.caller.require_not_above(&user.role)?;
    if is_last_super_administrator(&mut tx, ctx.caller, &user).await? {
        return Err(AppError::Refused(LAST_SUPER_ADMINISTRATOR.to_owned()));
    }
    // In this order: a conversation that begins meanwhile waits for the user, or is waited for and found.
    tx.delete_user(id).await?;
    tx.delete_conversations_of_user(id).await?;
    tx.end_temporary_grants(id, ctx.app.clock.now()).await?;
    let (before, mut after) = (audit_document(&user.role.name), Value::Null);
    tell_known_keys(ctx, &mut tx, id, &mut after).await?;
    tx.append_audit_event(
        &ctx.caller.actor(),
        "delete",
        AuditObject::new(ObjectKind::User, id),
        before,
        after,
    )
    .await?;
    commit(tx, ()).await
}

/// Tells in the audit log which keys go on that somebody may know who was given less, or deleted.
async fn tell_known_keys(
    ctx: Ctx<'_>,
    tx: &mut Tx,
    user_id: &str,
    document: &mut Value,
) -> Result<(), AppError> {
    let user = UserRef {
        org_id: ctx.caller.organization.clone(),
        user_id: user_id.to_owned(),
    };
    let keys = api_keys::known_to(ctx.app, tx, &user).await?;
    if !keys.is_empty() {
        document["api_keys_left"] = json!(keys);
    }
    Ok(())
}

const LAST_SUPER_ADMINISTRATOR: &str =
    "this is the organization's last super administrator; make somebody else one first";

/// Returns `true` if nobody else is a super administrator.
async fn is_last_super_administrator(tx: &mut Tx, caller: &Caller, user: &User) -> Result<bool, AppError> {
    if user.role.name != DefaultRole::SuperAdministrator.name() {
        return Ok(false);
    }
    Ok(tx.count_users_of_role(&caller.organization, user.role.id).await? <= 1)
}
