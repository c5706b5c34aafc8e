//! Rows of either engine, decoded column by column into types of the domain.

use std::cell::Cell;
use std::fmt::Display;
use std::str::FromStr;

use forge_domain::Id;
use forge_domain::api_key::ApiKeyId;
use forge_domain::asset::{AssetId, AssetKind};
use forge_domain::id::Kind;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use crate::StoreError;

/// A row, whichever engine it comes from.
pub(crate) struct Row<'r> {
    row: EngineRow<'r>,
    /// What was decoded of it so far, in bytes.
    bytes: Cell<usize>,
}

enum EngineRow<'r> {
    Sqlite(&'r SqliteRow),
    /// Of the writer of SQLite.
    Direct(&'r rusqlite::Row<'r>),
    Postgres(&'r PgRow),
}

impl<'r> From<&'r SqliteRow> for Row<'r> {
    fn from(row: &'r SqliteRow) -> Self {
        Self {
            row: EngineRow::Sqlite(row),
            bytes: Cell::new(0),
        }
    }
}

impl<'r> From<&'r rusqlite::Row<'r>> for Row<'r> {
    fn from(row: &'r rusqlite::Row<'r>) -> Self {
        Self {
            row: EngineRow::Direct(row),
            bytes: Cell::new(0),
        }
    }
}

impl<'r> From<&'r PgRow> for Row<'r> {
    fn from(row: &'r PgRow) -> Self {
        Self {
            row: EngineRow::Postgres(row),
            bytes: Cell::new(0),
        }
    }
}

macro_rules! columns {
    ($($(#[$doc:meta])* $name:ident -> $type:ty;)*) => {
        $($(#[$doc])* pub(crate) fn $name(&self, column: &str) -> Result<$type, StoreError> {
            match self.row {
                EngineRow::Sqlite(row) => row.try_get(column).map_err(|error| corrupt(column, error)),
                EngineRow::Direct(row) => row.get(column).map_err(|error| corrupt(column, error)),
                EngineRow::Postgres(row) => row.try_get(column).map_err(|error| corrupt(column, error)),
            }
        })*
    };
}

impl Row<'_> {
    columns! {
        raw_text -> Option<String>;
        integer -> i64;
        optional_integer -> Option<i64>;
        boolean -> bool;
    }

    /// Returns the column's text, or nothing where it is null.
    pub(crate) fn optional_text(&self, column: &str) -> Result<Option<String>, StoreError> {
        let text = self.raw_text(column)?;
        self.count(text.as_deref().map_or(0, told_bytes));
        Ok(text)
    }

    /// Returns the column's text.
    pub(crate) fn text(&self, column: &str) -> Result<String, StoreError> {
        let text = self.optional_text(column)?;
        text.ok_or_else(|| corrupt(column, "it is null"))
    }

    fn count(&self, bytes: usize) {
        self.bytes.set(self.bytes.get() + bytes);
    }

    /// Returns how many bytes of JSON tell what was decoded of the row, about: texts count in full, other values do
    /// not.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.get()
    }

    /// Returns the column's text as a `T`.
    pub(crate) fn parse<T>(&self, column: &str) -> Result<T, StoreError>
    where
        T: FromStr,
        T::Err: Display,
    {
        self.text(column)?.parse().map_err(|error| corrupt(column, error))
    }

    /// Returns the column's text as a `T`, or nothing where it is null.
    pub(crate) fn parse_optional<T>(&self, column: &str) -> Result<Option<T>, StoreError>
    where
        T: FromStr,
        T::Err: Display,
    {
        let text = self.optional_text(column)?;
        text.map(|text| text.parse().map_err(|error| corrupt(column, error)))
            .transpose()
    }

    /// Returns the id of a thing of that kind that a column holds.
    pub(crate) fn asset_id(&self, kind: AssetKind, column: &str) -> Result<AssetId, StoreError> {
        AssetId::parse(kind, &self.text(column)?).map_err(|error| corrupt(column, error))
    }

    /// Returns the column's JSON as a `T`.
    pub(crate) fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, StoreError> {
        let text = self.raw_text(column)?.unwrap_or_default();
        self.count(text.len());
        serde_json::from_str(&text).map_err(|error| corrupt(column, error))
    }

    /// Returns the column's integer as a `T`.
    pub(crate) fn convert<T>(&self, column: &str) -> Result<T, StoreError>
    where
        T: TryFrom<i64>,
        T::Error: Display,
    {
        self.integer(column)?
            .try_into()
            .map_err(|error| corrupt(column, error))
    }

    /// Returns the column's integer as a `T`, or nothing where it is null.
    pub(crate) fn convert_optional<T>(&self, column: &str) -> Result<Option<T>, StoreError>
    where
        T: TryFrom<i64>,
        T::Error: Display,
    {
        let integer = self.optional_integer(column)?;
        integer
            .map(T::try_from)
            .transpose()
            .map_err(|error| corrupt(column, error))
    }

    /// Returns the user that a pair of columns names.
    pub(crate) fn user(&self, prefix: &str) -> Result<forge_domain::UserRef, StoreError> {
        Ok(forge_domain::UserRef {
            org_id: self.parse(&format!("{prefix}_org_id"))?,
            user_id: self.text(&format!("{prefix}_user_id"))?,
        })
    }

    /// Returns the actor that three columns name, and the key that four more do, if any.
    pub(crate) fn actor(&self) -> Result<forge_domain::Actor, StoreError> {
        Ok(forge_domain::Actor {
            user: self.user("actor")?,
            kind: self.parse("actor_kind")?,
            key: match self.optional_text("actor_key_id")? {
                Some(id) => Some(forge_domain::ActorKey {
                    id,
                    created_by: self.user("actor_key")?,
                    behind: match self.raw_text("actor_key_behind")? {
                        Some(_) => self.json("actor_key_behind")?,
                        None => Vec::new(),
                    },
                }),
                None => None,
            },
        })
    }

    /// Returns the thing that an event of the audit log is about.
    pub(crate) fn object(&self) -> Result<forge_domain::audit::AuditObject, StoreError> {
        Ok(forge_domain::audit::AuditObject {
            kind: self.text("object_kind")?,
            id: self.text("object_id")?,
        })
    }

    /// Returns the point in time that a column holds.
    pub(crate) fn time(&self, column: &str) -> Result<forge_domain::Timestamp, StoreError> {
        self.integer(column).map(forge_domain::Timestamp::from_millis)
    }

    /// Returns the point in time that a column holds, or nothing where it is null.
    pub(crate) fn optional_time(&self, column: &str) -> Result<Option<forge_domain::Timestamp>, StoreError> {
        let millis = self.optional_integer(column)?;
        Ok(millis.map(forge_domain::Timestamp::from_millis))
    }
}

/// Returns how many bytes a text has where it is told as JSON.
fn told_bytes(text: &str) -> usize {
    let more = |byte: u8| match byte {
        b'"' | b'\\' => 1,
        // As in `\u0001`.
        0..0x20 => 5,
        _ => 0,
    };
    text.len() + text.bytes().map(more).sum::<usize>()
}

fn corrupt(column: &str, reason: impl Display) -> StoreError {
    StoreError::Corrupt {
        column: column.to_owned(),
        reason: reason.to_string(),
    }
}

/// A value bound to a statement.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Text(Option<String>),
    Integer(Option<i64>),
    Boolean(Option<bool>),
}

impl Value {
    /// Returns `true` if it is nothing.
    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Text(None) | Self::Integer(None) | Self::Boolean(None))
    }
}

macro_rules! values {
    ($($type:ty => |$value:ident| $made:expr;)*) => {
        $(impl From<$type> for Value {
            fn from($value: $type) -> Self { $made }
        })*
    };
}

values! {
    &str => |value| Self::Text(Some(value.to_owned()));
    String => |value| Self::Text(Some(value));
    &String => |value| Self::Text(Some(value.clone()));
    Option<String> => |value| Self::Text(value);
    i64 => |value| Self::Integer(Some(value));
    Option<i64> => |value| Self::Integer(value);
    bool => |value| Self::Boolean(Some(value));
    Option<bool> => |value| Self::Boolean(value);
    forge_domain::Timestamp => |value| Self::Integer(Some(value.as_millis()));
    Option<forge_domain::Timestamp> => |value| Self::Integer(value.map(forge_domain::Timestamp::as_millis));
    forge_domain::VersionNumber => |value| Self::Integer(Some(value.get()));
    Option<forge_domain::VersionNumber> => |value| Self::Integer(value.map(forge_domain::VersionNumber::get));
    &forge_domain::OrganizationId => |value| Self::Text(Some(value.to_string()));
    &forge_domain::SetName => |value| Self::Text(Some(value.to_string()));
}

impl<K: Kind> From<Id<K>> for Value {
    fn from(id: Id<K>) -> Self {
        Self::Text(Some(id.to_string()))
    }
}

impl<K: Kind> From<Option<Id<K>>> for Value {
    fn from(id: Option<Id<K>>) -> Self {
        Self::Text(id.map(|id| id.to_string()))
    }
}

impl From<ApiKeyId> for Value {
    fn from(id: ApiKeyId) -> Self {
        Self::Text(Some(id.to_string()))
    }
}

impl From<AssetId> for Value {
    fn from(id: AssetId) -> Self {
        Self::Text(Some(id.to_string()))
    }
}

/// Binds values to a statement's `$1`, `$2` …
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::row::Value::from($value)),*] };
}
pub(crate) use args;

/// Returns what is stored of who could be behind an actor's key, or `None` if that is nobody but its maker.
pub(crate) fn behind(key: &forge_domain::ActorKey) -> Option<String> {
    (!key.behind.is_empty()).then(|| to_json(&key.behind))
}

/// Serialises what is stored as JSON text.
#[expect(
    clippy::expect_used,
    reason = "stored types have string keys and no failing serialisers"
)]
pub(crate) fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("stored types are plain data")
}
