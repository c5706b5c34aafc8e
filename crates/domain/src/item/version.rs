//! Versions of items.

use super::ItemDetails;
use crate::time::Timestamp;
use crate::{ItemVersionId, UserRef, VersionNumber};

/// A version of an item.
///
/// It cannot be printed: it may have secrets.
#[derive(Clone)]
pub struct ItemVersion<D: ItemDetails> {
    /// Its number.
    pub version: VersionNumber,
    /// Its id beside its number.
    pub id: ItemVersionId,
    /// Its content.
    pub document: D::Document,
    /// Who created it.
    pub creator: UserRef,
    /// When it was created.
    pub created_at: Timestamp,
}
