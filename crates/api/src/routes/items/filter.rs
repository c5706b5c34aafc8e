//! What items have to be like, as queries say it.

use forge_app::items::{CreatorFilter, SearchItems};
use forge_domain::ServiceId;
use forge_domain::metric::MetricValueKind;
use serde::Deserialize;

use crate::call::invalid_query;
use crate::error::ApiError;
use crate::routes::{tag_filter, user_ref};

/// The filters of lists and searches; each operation knows some of them.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Filter {
    is_active: Option<bool>,
    applied_to_service: Vec<ServiceId>,
    r#type: Vec<MetricValueKind>,
    role: Vec<String>,
    creator: Vec<String>,
    tag: Vec<String>,
}

/// How a query may name a creator.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum CreatorForm {
    /// As `org_id,user_id` only.
    WithOrganization,
    /// As that, or as `user_id`: the contract does not say.
    Either,
}

impl Filter {
    pub(super) fn read(self, form: CreatorForm) -> Result<SearchItems, ApiError> {
        let creators = self.creator.iter().map(|text| creator(text, form));
        let tags = self.tag.iter().map(|text| tag_filter("tag", text));
        Ok(SearchItems {
            is_active: self.is_active,
            applied_to_services: self.applied_to_service,
            value_kinds: self.r#type,
            roles: self.role,
            creators: creators.collect::<Result<_, _>>()?,
            tags: tags.collect::<Result<_, _>>()?,
        })
    }
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
