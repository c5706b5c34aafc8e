//! Lists that come in pages.

use std::collections::HashSet;

use indexmap::IndexMap;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};

use crate::request::Request;
use crate::{Bounds, Client, ClientError, Document};

/// A list that is fetched page by page.
pub struct Pages<'c, T> {
    client: &'c Client,
    /// Builds the request of a page of so many rows after a token.
    request: Box<dyn Fn(i64, i64) -> Request + Send + Sync + 'c>,
    /// The field of the answer that has the rows.
    key: &'static str,
    page_size: i64,
    token: Option<i64>,
    /// How far the list has come.
    progress: Progress,
    /// Reads a row.
    read: ReadRow<T>,
}

/// Reads a row of a list.
type ReadRow<T> = fn(&RawValue) -> Result<T, serde_json::Error>;

/// How far a list has come.
///
/// One that does not come on, or that never ends, is an error.
#[derive(Debug, Default)]
struct Progress {
    /// Where pages began.
    tokens: HashSet<i64>,
    /// How many pages without a row came last.
    empty_pages: u32,
    /// How long all rows are, in bytes.
    length: usize,
}

impl Progress {
    /// Takes a page that began at a token, and the token of the next one; says what is wrong if the list does not end.
    fn take(
        &mut self,
        bounds: &Bounds,
        token: i64,
        next: Option<i64>,
        rows: &[Box<RawValue>],
    ) -> Option<String> {
        self.tokens.insert(token);
        if let Some(next) = next.filter(|next| self.tokens.contains(next)) {
            return Some(format!("it goes on at {next}, where it was before"));
        }
        self.empty_pages = if rows.is_empty() { self.empty_pages + 1 } else { 0 };
        if self.empty_pages > bounds.empty_pages {
            return Some(format!(
                "{} pages without a row came one after the other",
                self.empty_pages
            ));
        }
        self.length += rows.iter().map(|row| row.get().len()).sum::<usize>();
        (self.length > bounds.list).then(|| format!("it has more than {} bytes", bounds.list))
    }
}

/// Rows of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// What is understood of the rows.
    pub value: Vec<T>,
    /// Each of them as it was sent.
    pub rows: Vec<Box<RawValue>>,
    /// The answer, as one document.
    pub json: Box<RawValue>,
    /// Whether the list goes on.
    pub has_more: bool,
}

/// The first page as it was sent, into which the rows of the others go.
type Envelope = IndexMap<String, Box<RawValue>>;

impl<'c, T: DeserializeOwned> Pages<'c, T> {
    pub(crate) fn new(
        client: &'c Client,
        key: &'static str,
        page_size: i64,
        request: impl Fn(i64, i64) -> Request + Send + Sync + 'c,
    ) -> Self {
        let read: ReadRow<T> = |row| serde_json::from_str(row.get());
        Self::of(client, key, page_size, read, request)
    }
}

impl<'c, T> Pages<'c, T> {
    /// Begins a list whose rows are read in a way of their own.
    pub(crate) fn of(
        client: &'c Client,
        key: &'static str,
        page_size: i64,
        read: ReadRow<T>,
        request: impl Fn(i64, i64) -> Request + Send + Sync + 'c,
    ) -> Self {
        Self {
            client,
            request: Box::new(request),
            key,
            page_size,
            token: Some(0),
            progress: Progress::default(),
            read,
        }
    }

    /// Returns the next page; nothing after the last one.
    ///
    /// # Errors
    ///
    /// [`ClientError::Endless`] if the list does not come on, and as every call does.
    pub async fn next(&mut self) -> Result<Option<Page<T>>, ClientError> {
        let Some((envelope, rows)) = self.fetch(self.page_size).await? else {
            return Ok(None);
        };
        self.page(&envelope, rows).map(Some)
    }

    /// Returns the rest of the list as one page.
    ///
    /// # Errors
    ///
    /// [`ClientError::Endless`] if the list does not come to an end, and as every call does.
    pub async fn all(self) -> Result<Page<T>, ClientError> {
        self.at_most(i64::MAX).await
    }

    /// Returns so many rows, or the rest of the list if that is shorter, as one page.
    ///
    /// # Errors
    ///
    /// [`ClientError::Endless`] if the list does not come on, and as every call does.
    pub async fn at_most(mut self, limit: i64) -> Result<Page<T>, ClientError> {
        let mut whole: Option<Envelope> = None;
        let mut all: Vec<Box<RawValue>> = Vec::new();
        while let missing @ 1.. = limit - i64::try_from(all.len()).unwrap_or(i64::MAX) {
            let Some((envelope, rows)) = self.fetch(missing.min(self.page_size)).await? else {
                break;
            };
            all.extend(rows);
            // What comes with the first page only stays; how to go on is what the last one says.
            let whole = whole.get_or_insert_with(Envelope::new);
            for (field, value) in envelope {
                if field == "has_more" || field == "continuation_token" {
                    whole.insert(field, value);
                } else {
                    whole.entry(field).or_insert(value);
                }
            }
        }
        let mut whole = whole.unwrap_or_default();
        whole.insert(self.key.to_owned(), raw(&all));
        self.page(&whole, all)
    }

    fn page(&self, envelope: &Envelope, rows: Vec<Box<RawValue>>) -> Result<Page<T>, ClientError> {
        Ok(Page {
            value: self.understood(&rows)?,
            rows,
            json: raw(envelope),
            has_more: self.token.is_some(),
        })
    }

    async fn fetch(&mut self, limit: i64) -> Result<Option<(Envelope, Vec<Box<RawValue>>)>, ClientError> {
        let Some(token) = self.token else {
            return Ok(None);
        };
        let page: Document<Envelope> = self.client.read((self.request)(limit, token)).await?;
        let envelope = page.value;
        let field = |name: &str| envelope.get(name).map_or("null", |value| value.get());
        let rows: Vec<Box<RawValue>> =
            serde_json::from_str(field(self.key)).map_err(|source| self.unexpected(source))?;
        self.token = serde_json::from_str(field("continuation_token")).unwrap_or(None);
        let bounds = self.client.bounds();
        if let Some(why) = self.progress.take(bounds, token, self.token, &rows) {
            let call = self.client.call(&(self.request)(limit, token));
            return Err(ClientError::Endless { call, why });
        }
        Ok(Some((envelope, rows)))
    }

    fn understood(&self, rows: &[Box<RawValue>]) -> Result<Vec<T>, ClientError> {
        let rows: Result<Vec<T>, _> = rows.iter().map(|row| (self.read)(row)).collect();
        rows.map_err(|source| self.unexpected(source))
    }

    fn unexpected(&self, source: serde_json::Error) -> ClientError {
        let request = (self.request)(self.page_size, 0);
        self.client.unexpected(&request, source)
    }
}

fn raw(value: &impl serde::Serialize) -> Box<RawValue> {
    // Only maps with other keys than texts, and values that cannot be serialised, fail; these are neither.
    to_raw_value(value).unwrap_or_default()
}
