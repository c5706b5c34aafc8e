//! Which items a caller wants to see, and what filters can take.

use std::collections::BTreeSet;
use std::fmt;

use super::{Item, ItemDetails};
use crate::actor::add_distinct;
use crate::tag::TagFilter;
use crate::{OrganizationId, UserRef};

/// Whose items are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatorFilter {
    /// The organization that the user belongs to; `None` admits any.
    pub organization: Option<OrganizationId>,
    /// The user's id.
    pub user_id: String,
}

impl CreatorFilter {
    fn admits(&self, creator: &UserRef) -> bool {
        let organization = self.organization.as_ref();
        self.user_id == creator.user_id
            && organization.is_none_or(|organization| *organization == creator.org_id)
    }
}

/// What the items of one kind can be filtered by, beside what all items can be.
pub trait DetailsFilter<D: ItemDetails>: Clone + fmt::Debug + Default + Send + Sync {
    /// What the filter can take.
    type Values: Clone + fmt::Debug + Default + Send;

    /// Returns `true` if an item passes.
    fn admits(&self, item: &Item<D>) -> bool;

    /// Returns whether only active items are wanted, or only others; `None` admits both.
    fn is_active(&self) -> Option<bool> {
        None
    }

    /// Adds what an item can be filtered by.
    fn add_values(values: &mut Self::Values, item: &Item<D>);
}

/// The filter of a kind whose items have nothing of their own to be filtered by.
impl<D: ItemDetails> DetailsFilter<D> for () {
    type Values = ();

    fn admits(&self, _: &Item<D>) -> bool {
        true
    }

    fn add_values((): &mut (), _: &Item<D>) {}
}

/// What items have to be like.
///
/// An empty filter lets everything through; of several values in one, one is enough, but every tag must fit.
#[derive(Debug, Clone)]
pub struct ItemFilter<D: ItemDetails> {
    /// Created by one of these users.
    pub creators: Vec<CreatorFilter>,
    /// With tags that pass every one of these.
    pub tags: Vec<TagFilter>,
    /// What only items of the kind can be filtered by.
    pub details: D::Filter,
}

impl<D: ItemDetails> ItemFilter<D> {
    /// Returns `true` if an item passes.
    pub fn admits(&self, item: &Item<D>) -> bool {
        self.details.admits(item)
            && (self.creators.is_empty() || self.creators.iter().any(|wanted| wanted.admits(&item.creator)))
            && self.tags.iter().all(|filter| filter.matches(&item.tags))
    }
}

/// What the filters of a list can take.
#[derive(Debug, Clone)]
pub struct FilterValues<D: ItemDetails> {
    /// Who created them, in order of appearance.
    pub creators: Vec<UserRef>,
    /// The keys of their tags.
    pub tags: BTreeSet<String>,
    /// What only the filter of the kind can take.
    pub details: <D::Filter as DetailsFilter<D>>::Values,
}

impl<D: ItemDetails> Default for FilterValues<D> {
    fn default() -> Self {
        Self {
            creators: Vec::new(),
            tags: BTreeSet::new(),
            details: Default::default(),
        }
    }
}

impl<D: ItemDetails> FilterValues<D> {
    /// Adds what an item can be filtered by.
    pub fn add(&mut self, item: &Item<D>) {
        add_distinct(&mut self.creators, &item.creator);
        self.tags.extend(item.tags.keys().cloned());
        D::Filter::add_values(&mut self.details, item);
    }
}

/// Which items of a kind are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ItemFlags {
    /// Only active ones, or only others; `None` admits both.
    pub is_active: Option<bool>,
    /// Only deleted ones, or only others; `None` admits both.
    pub is_deleted: Option<bool>,
}
