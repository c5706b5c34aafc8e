//! Who the agent talks with.

use forge_domain::{OrganizationId, ServiceId};
use forge_runtime::Person;
use forge_store::Tx;

use crate::AppError;

/// Reads what is known of a user who talks to a service; `before` is the place of the conversation in the
/// organization's list, and an earlier one with the service makes the user a returning one.
pub(super) async fn read(
    tx: &mut Tx,
    organization: &OrganizationId,
    user_id: &str,
    service_id: ServiceId,
    before: i64,
) -> Result<Person, AppError> {
    let user = tx.find_user(organization, user_id).await?;
    let user = user.ok_or_else(|| AppError::NotFound("there is no such user".to_owned()))?;
    let context = tx.find_additional_context(organization, user_id).await?;
    let variables = user.nonsensitive_variables.iter();
    let variables = variables.map(|(name, value)| format!("{name}: {value}"));
    let name = format!("{} {}", user.first_name, user.last_name);
    let has_earlier = tx.has_earlier_conversation(organization, user_id, service_id, before);
    Ok(Person {
        is_new: !has_earlier.await?,
        name: name.trim().to_owned(),
        preferred_language: user.preferences.preferred_language,
        timezone: user.preferences.timezone,
        facts: variables.chain(context).collect(),
    })
}
