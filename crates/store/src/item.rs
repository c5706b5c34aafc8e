//! Dynamic behavior sets, metrics, personas and scenarios: items of one shape, told apart by their kind.

use forge_domain::behavior::{BehaviorDocument, BehaviorSetDetails};
use forge_domain::id;
use forge_domain::item::{Item, ItemDetails, ItemFields, ItemFlags};
use forge_domain::{
    BehaviorSetId, Id, ItemVersionId, OrganizationId, Sort, Timestamp, UserRef, VersionNumber,
};

use crate::StoreError;
use crate::name::hash;
use crate::page_request::{PageRequest, VersionBounds};
use crate::row::{Row, args, to_json};
use crate::rows::Rows;
use crate::sort::{ListArgs, Place, Places, SortColumn, SortedList, order};
use crate::statement::{Statement, statements};
use crate::tx::{Tx, WriteTx};

/// Items, with more columns if there are any.
macro_rules! select_items {
    ($rest:literal) => {
        select_items!("", $rest)
    };
    ($more:literal, $rest:literal) => {
        concat!(
            "SELECT id, seq, name, is_active, is_deleted, tags, details, latest_version, creator_org_id,
                creator_user_id, updated_by_org_id, updated_by_user_id, created_at, updated_at",
            $more,
            " FROM versioned_item WHERE organization_id = $1 ",
            $rest
        )
    };
}

/// Versions of an item.
macro_rules! select_versions {
    ($rest:literal) => {
        concat!(
            "SELECT version, id, document, sealed, creator_org_id, creator_user_id, created_at
            FROM versioned_item_version WHERE organization_id = $1 AND item_id = $2 ",
            $rest
        )
    };
}

statements! {
    INSERT_ITEM = "INSERT INTO versioned_item (organization_id, id, kind, seq, name, name_hash, is_active, is_deleted,
            tags, details, latest_version, search_name, search_text, creator_org_id, creator_user_id,
            updated_by_org_id, updated_by_user_id, created_at, updated_at)
        VALUES ($1, $2, $3,
            (SELECT COALESCE(MAX(seq), 0) + 1 FROM versioned_item WHERE organization_id = $1 AND kind = $3),
            $4, $5, $6, FALSE, $7, $8, 1, $9, $10, $11, $12, $11, $12, $13, $13)";
    UPDATE_ITEM = "UPDATE versioned_item SET name = $3, name_hash = $4, is_active = $5, tags = $6, details = $7,
            search_name = $8, updated_by_org_id = $9, updated_by_user_id = $10, updated_at = $11
        WHERE organization_id = $1 AND id = $2";
    DELETE_ITEM = "UPDATE versioned_item SET is_deleted = TRUE, updated_by_org_id = $3, updated_by_user_id = $4,
            updated_at = $5
        WHERE organization_id = $1 AND id = $2";
    SET_LATEST = "UPDATE versioned_item SET latest_version = $3, search_text = $4, updated_by_org_id = $5,
            updated_by_user_id = $6, updated_at = $7
        WHERE organization_id = $1 AND id = $2";
    FIND_ITEM = select_items!("AND kind = $2 AND id = $3");
    FIND_ITEM_BY_NAME = "SELECT id FROM versioned_item
        WHERE organization_id = $1 AND kind = $2 AND name_hash = $3 AND is_active AND NOT is_deleted";
    ALL_ITEMS = select_items!("AND kind = $2 AND seq > $3 ORDER BY seq LIMIT $4");
    SEARCH_ITEMS = select_items!(", search_name, search_text", "AND kind = $2 AND NOT is_deleted AND seq > $3
            AND (search_name LIKE $4 ESCAPE '\\' OR search_text LIKE $4 ESCAPE '\\')
        ORDER BY seq LIMIT $5");
    HAS_ROW = "SELECT seq FROM versioned_item WHERE organization_id = $1 AND kind = $2 AND seq = $3";
    INSERT_VERSION = "INSERT INTO versioned_item_version (organization_id, item_id, version, previous_version, id,
            document, sealed, change_number, creator_org_id, creator_user_id, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    FIND_VERSION = select_versions!("AND version = $3");
    LIST_ASCENDING = select_versions!("AND version BETWEEN $3 AND $4 AND version > $5
        ORDER BY version LIMIT $6");
    LIST_DESCENDING = select_versions!("AND version BETWEEN $3 AND $4 AND version < $5
        ORDER BY version DESC LIMIT $6");
    ACTIVE_BEHAVIORS = "SELECT item.id, item.seq, item.details, item.latest_version, latest.document
        FROM versioned_item AS item
        JOIN versioned_item_version AS latest ON latest.organization_id = item.organization_id
            AND latest.item_id = item.id AND latest.version = item.latest_version
        WHERE item.organization_id = $1 AND item.kind = 'dynamic_behavior_set' AND item.is_active
            AND NOT item.is_deleted AND (CAST($2 AS TEXT) IS NULL OR item.id = $2)
        ORDER BY item.seq";
}

/// The list of items.
const LIST: SortedList = SortedList {
    name: "item.list",
    select: select_items!("AND kind = $2"),
    scope: 2,
    filters: &[
        "CASE WHEN is_active THEN 1 ELSE 0 END = ?",
        "CASE WHEN is_deleted THEN 1 ELSE 0 END = ?",
    ],
    seq: "seq",
    columns: &[SortColumn::integer("updated_at")],
    places: Places::Moving(HAS_ROW),
};

pub(crate) fn sorted_lists() -> Vec<Statement> {
    LIST.samples()
}

/// What items are sorted by.
///
/// Items equal in all keys stay in order of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemSort {
    /// By when they were changed last.
    UpdatedAt,
}

/// A version to be added, as it is stored.
///
/// It cannot be printed: it may come from secrets.
#[derive(Clone)]
pub struct NewSealedVersion {
    /// Its id beside its number.
    pub id: ItemVersionId,
    /// Its number.
    pub version: VersionNumber,
    /// Its content as JSON, without what is secret.
    pub document: String,
    /// What is secret, sealed, or `None` if there is nothing secret.
    pub sealed: Option<String>,
    /// What the item is found by from now on, beside its name.
    pub searched_text: String,
}

/// A version of an item, as it is stored.
///
/// It cannot be printed: it may have secrets.
#[derive(Clone)]
pub struct SealedVersion {
    /// Its number.
    pub version: VersionNumber,
    /// Its id beside its number.
    pub id: ItemVersionId,
    /// Its content as JSON, without what is secret.
    pub document: String,
    /// What is secret, sealed, or `None` if there is nothing secret.
    pub sealed: Option<String>,
    /// Who created it.
    pub creator: UserRef,
    /// When it was created.
    pub created_at: Timestamp,
}

/// An active dynamic behavior set with its latest version.
#[derive(Debug, Clone, PartialEq)]
pub struct BehaviorSummary {
    /// The set.
    pub id: BehaviorSetId,
    /// Its place in the organization's list of behavior sets.
    pub seq: i64,
    /// What it is applied to.
    pub details: BehaviorSetDetails,
    /// Its latest version.
    pub version: VersionNumber,
    /// The version's content.
    pub document: BehaviorDocument,
}

fn item<D: ItemDetails>(row: &Row<'_>) -> Result<Item<D>, StoreError> {
    Ok(Item {
        id: row.parse("id")?,
        seq: row.integer("seq")?,
        name: row.text("name")?,
        is_active: row.boolean("is_active")?,
        is_deleted: row.boolean("is_deleted")?,
        tags: row.json("tags")?,
        details: row.json("details")?,
        latest_version: row.convert("latest_version")?,
        creator: row.user("creator")?,
        updated_by: row.user("updated_by")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

fn version(row: &Row<'_>) -> Result<SealedVersion, StoreError> {
    Ok(SealedVersion {
        version: row.convert("version")?,
        id: row.parse("id")?,
        document: row.text("document")?,
        sealed: row.optional_text("sealed")?,
        creator: row.user("creator")?,
        created_at: row.time("created_at")?,
    })
}

/// Returns the pattern of `LIKE` that a text with this part in it has.
fn containing(part: &str) -> String {
    let escaped = part.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
    format!("%{escaped}%")
}

impl Tx {
    /// Returns an item, deleted or not.
    pub async fn find_item<D: ItemDetails>(
        &mut self,
        organization: &OrganizationId,
        id: Id<D::IdKind>,
    ) -> Result<Option<Item<D>>, StoreError> {
        self.optional(&FIND_ITEM, args![organization, D::KIND.as_str(), id], item)
            .await
    }

    /// Returns the id of an active item of that name, however it is spelled, that is not deleted, unless it is the one
    /// left out.
    pub async fn find_item_namesake<D: ItemDetails>(
        &mut self,
        organization: &OrganizationId,
        name: &str,
        except: Option<Id<D::IdKind>>,
    ) -> Result<Option<Id<D::IdKind>>, StoreError> {
        let scope = args![organization, D::KIND.as_str()];
        self.namesake(&FIND_ITEM_BY_NAME, scope, name, except).await
    }

    /// Returns a page of items of a kind, deleted ones included, in order of creation.
    pub async fn all_items<D: ItemDetails>(
        &mut self,
        organization: &OrganizationId,
        page: PageRequest,
    ) -> Result<Rows<Item<D>>, StoreError> {
        let args = args![organization, D::KIND.as_str(), page.after, page.limit];
        self.some(&ALL_ITEMS, args, item).await
    }

    /// Returns the row of an item, if there is one.
    pub async fn item_row<D: ItemDetails>(
        &mut self,
        organization: &OrganizationId,
        id: Id<D::IdKind>,
    ) -> Result<Rows<Item<D>>, StoreError> {
        self.some(&FIND_ITEM, args![organization, D::KIND.as_str(), id], item)
            .await
    }

    /// Returns the items of a page, which begins after a place and has a length at most, in the order asked for.
    ///
    /// Returns `None` if there is no such place.
    pub async fn list_items<D: ItemDetails>(
        &mut self,
        organization: &OrganizationId,
        sort: &[Sort<ItemSort>],
        wanted: ItemFlags,
        page: PageRequest<Place>,
    ) -> Result<Option<Rows<Item<D>>>, StoreError> {
        let order = order(sort, |key| key as usize);
        let scope = args![organization, D::KIND.as_str()];
        let filters = args![wanted.is_active.map(i64::from), wanted.is_deleted.map(i64::from)];
        self.page(&LIST, ListArgs { scope, filters }, &order, page, item)
            .await
    }

    /// Returns a page of items, not deleted, that have a text, which is in lower case, in
    /// their name or in what they are found by; each with these two.
    pub async fn search_items<D: ItemDetails>(
        &mut self,
        organization: &OrganizationId,
        text: &str,
        page: PageRequest,
    ) -> Result<Rows<(Item<D>, String, String)>, StoreError> {
        let args = args![
            organization,
            D::KIND.as_str(),
            page.after,
            containing(text),
            page.limit
        ];
        self.some(&SEARCH_ITEMS, args, |row| {
            Ok((item(row)?, row.text("search_name")?, row.text("search_text")?))
        })
        .await
    }

    /// Returns one version of an item.
    pub async fn find_item_version<K: id::Kind>(
        &mut self,
        organization: &OrganizationId,
        id: Id<K>,
        number: VersionNumber,
    ) -> Result<Option<SealedVersion>, StoreError> {
        self.optional(&FIND_VERSION, args![organization, id, number], version)
            .await
    }

    /// Returns a page of the versions between two numbers, both included; their numbers are their places.
    pub async fn list_item_versions<K: id::Kind>(
        &mut self,
        organization: &OrganizationId,
        id: Id<K>,
        range: VersionBounds,
        page: PageRequest,
    ) -> Result<Rows<SealedVersion>, StoreError> {
        let after = if range.is_descending {
            page.descending_from()
        } else {
            page.after
        };
        let list = if range.is_descending {
            &LIST_DESCENDING
        } else {
            &LIST_ASCENDING
        };
        self.some(
            list,
            args![organization, id, range.lower, range.upper, after, page.limit],
            version,
        )
        .await
    }

    /// Returns the active behavior sets of an organization, or the one of that id if it is active, in order of
    /// creation.
    pub async fn behavior_summaries(
        &mut self,
        organization: &OrganizationId,
        id: Option<BehaviorSetId>,
    ) -> Result<Vec<BehaviorSummary>, StoreError> {
        let args = args![organization, id.map(|id| id.to_string())];
        self.all(&ACTIVE_BEHAVIORS, args, |row| {
            Ok(BehaviorSummary {
                id: row.parse("id")?,
                seq: row.integer("seq")?,
                details: row.json("details")?,
                version: row.convert("latest_version")?,
                document: row.json("document")?,
            })
        })
        .await
    }
}

impl WriteTx {
    /// Adds an item and its first version.
    pub async fn insert_item<D: ItemDetails>(
        &mut self,
        id: Id<D::IdKind>,
        new: &ItemFields<D>,
        first: &NewSealedVersion,
        creator: &UserRef,
    ) -> Result<(), StoreError> {
        let args = args![
            &self.organization,
            id,
            D::KIND.as_str(),
            &new.name,
            hash(&new.name),
            new.is_active,
            to_json(&new.tags),
            to_json(&new.details),
            new.name.to_lowercase(),
            first.searched_text.to_lowercase(),
            &creator.org_id,
            &creator.user_id,
            self.changed_at(),
        ];
        self.execute(&INSERT_ITEM, args).await?;
        self.insert_item_version_row(id, first, creator).await
    }

    /// Stores what a caller decides of an item.
    pub async fn update_item<D: ItemDetails>(
        &mut self,
        item: &Item<D>,
        updated_by: &UserRef,
    ) -> Result<(), StoreError> {
        let args = args![
            &self.organization,
            item.id,
            &item.name,
            hash(&item.name),
            item.is_active,
            to_json(&item.tags),
            to_json(&item.details),
            item.name.to_lowercase(),
            &updated_by.org_id,
            &updated_by.user_id,
            self.changed_at(),
        ];
        self.execute(&UPDATE_ITEM, args).await.map(drop)
    }

    /// Marks an item as deleted.
    pub async fn delete_item<K: id::Kind>(
        &mut self,
        id: Id<K>,
        deleted_by: &UserRef,
    ) -> Result<(), StoreError> {
        let args = args![
            &self.organization,
            id,
            &deleted_by.org_id,
            &deleted_by.user_id,
            self.changed_at()
        ];
        self.execute(&DELETE_ITEM, args).await.map(drop)
    }

    /// Adds the next version of an item.
    pub async fn insert_item_version<K: id::Kind>(
        &mut self,
        id: Id<K>,
        new: &NewSealedVersion,
        creator: &UserRef,
    ) -> Result<(), StoreError> {
        self.insert_item_version_row(id, new, creator).await?;
        let args = args![
            &self.organization,
            id,
            new.version,
            new.searched_text.to_lowercase(),
            &creator.org_id,
            &creator.user_id,
            self.changed_at(),
        ];
        self.execute(&SET_LATEST, args).await.map(drop)
    }

    async fn insert_item_version_row<K: id::Kind>(
        &mut self,
        id: Id<K>,
        new: &NewSealedVersion,
        creator: &UserRef,
    ) -> Result<(), StoreError> {
        let previous = (new.version > VersionNumber::FIRST).then(|| new.version.get() - 1);
        let args = args![
            &self.organization,
            id,
            new.version,
            previous,
            new.id,
            &new.document,
            new.sealed.clone(),
            self.change_number(),
            &creator.org_id,
            &creator.user_id,
            self.changed_at(),
        ];
        self.execute(&INSERT_VERSION, args).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::containing;

    #[test]
    fn what_is_looked_for_is_no_pattern() {
        assert_eq!(containing("a_b%c\\d"), r"%a\_b\%c\\d%");
    }
}
