//! What all items can be filtered by, as queries say it.

use forge_domain::item::{CreatorFilter, ItemDetails, ItemFilter};

use crate::call::invalid_query;
use crate::error::ApiError;
use crate::routes::{tag_filter, user_ref};

/// How a query may name a creator.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum CreatorForm {
    /// As `org_id,user_id` only.
    WithOrganization,
    /// As that, or as `user_id`: the contract does not say.
    Either,
}

/// Returns the filter that a query says.
pub(super) fn read<D: ItemDetails>(
    creators: &[String],
    form: CreatorForm,
    tags: &[String],
    details: impl Into<D::Filter>,
) -> Result<ItemFilter<D>, ApiError> {
    let creators = creators.iter().map(|text| creator(text, form));
    let tags = tags.iter().map(|text| tag_filter("tag", text));
    Ok(ItemFilter {
        creators: creators.collect::<Result<_, _>>()?,
        tags: tags.collect::<Result<_, _>>()?,
        details: details.into(),
    })
}

fn creator(text: &str, form: CreatorForm) -> Result<CreatorFilter, ApiError> {
    match (user_ref(text), form) {
        (Some(user), _) => Ok(CreatorFilter {
            organization: Some(user.org_id),
            user_id: user.user_id,
        }),
        (None, CreatorForm::Either) => Ok(CreatorFilter {
            organization: None,
            user_id: text.to_owned(),
        }),
        (None, CreatorForm::WithOrganization) => Err(invalid_query(
            "creator",
            "expected `org_id,user_id` of the creator",
        )),
    }
}
