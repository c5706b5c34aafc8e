//! How far each organization has come, as far as this process knows: what it committed itself, what the database
//! announced, and what it saw when it looked.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use forge_domain::OrganizationId;
use sqlx::postgres::{PgListener, PgPool};
use tokio::sync::watch;

use crate::StoreError;

/// The channel on which PostgreSQL announces changes: the schema, the organization and its change number.
const CHANGES: &str = "forge_change";

/// The channel on which it announces that a setting of the whole installation was put: the schema.
const SETTINGS: &str = "forge_setting";

/// The number of the latest change of one organization that this process knows of.
///
/// It only ever grows, and whoever waits for a change can subscribe to it.
#[derive(Debug, Default)]
pub struct Watermark {
    /// What the channel says, for those who do not wait: to look there takes a lock that all processors share.
    number: AtomicI64,
    channel: watch::Sender<i64>,
}

impl Watermark {
    /// Returns the number.
    pub fn number(&self) -> i64 {
        self.number.load(Ordering::Acquire)
    }

    /// Returns what tells of every later number.
    pub fn subscribe(&self) -> watch::Receiver<i64> {
        self.channel.subscribe()
    }

    fn raise_to(&self, number: i64) {
        self.channel.send_if_modified(|known| {
            let is_news = *known < number;
            *known = number.max(*known);
            self.number.store(*known, Ordering::Release);
            is_news
        });
    }
}

/// What a watermark says that is no more: the database has gone back to a state before it ([`Watermarks::go_back`]).
pub const GONE: i64 = i64::MAX;

/// The watermarks of all organizations.
#[derive(Debug, Default)]
pub struct Watermarks {
    organizations: RwLock<HashMap<OrganizationId, Arc<Watermark>>>,
    settings: AtomicU64,
    /// How many commits this process has begun.
    begun: AtomicU64,
    /// Those of them that the database may show already, while nobody here knows that they succeeded.
    under_way: watch::Sender<BTreeSet<u64>>,
}

impl Watermarks {
    /// Returns the watermark of an organization that exists; 0 as long as nothing is known.
    pub fn of(&self, organization: &OrganizationId) -> Arc<Watermark> {
        let known = self.organizations.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(watermark) = known.get(organization) {
            return Arc::clone(watermark);
        }
        drop(known);
        let mut known = self.organizations.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(organization.clone()).or_default())
    }

    /// Returns how often this process has heard that a setting of the whole installation was put.
    pub fn settings(&self) -> u64 {
        self.settings.load(Ordering::Acquire)
    }

    /// Takes notice of a change.
    pub fn advance_to(&self, organization: &OrganizationId, change_number: i64) {
        self.of(organization).raise_to(change_number);
    }

    /// Takes notice that the database has gone back: an organization has come no further than to a change that is
    /// earlier than one that it had made.
    ///
    /// So it is if a backup was put in its place, if a standby took over that had not heard of everything, and if an
    /// organization was deleted and created anew.
    ///
    /// What was known is forgotten, and the watermark of it says that it is [`GONE`].
    pub fn go_back(&self, organization: &OrganizationId, change_number: i64) {
        let mut known = self.organizations.write().unwrap_or_else(PoisonError::into_inner);
        let is_later = |watermark: &Arc<Watermark>| watermark.number() > change_number;
        if !known.get(organization).is_some_and(is_later) {
            return;
        }
        if let Some(watermark) = known.remove(organization) {
            let was = watermark.number();
            watermark.raise_to(GONE);
            tracing::warn!(%organization, was, is = change_number, "the database has gone back to an earlier state");
        }
    }

    /// Takes notice that a commit begins.
    ///
    /// From here on, others may see it in the database; the watermark follows later.
    pub(crate) fn begin_commit(self: &Arc<Self>) -> CommitUnderWay {
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        self.under_way.send_modify(|commits| {
            commits.insert(number);
        });
        CommitUnderWay {
            watermarks: Arc::clone(self),
            number,
        }
    }

    /// Waits until the watermarks tell of every commit of this process that has begun by now, unless it failed.
    ///
    /// Whoever has read the database waits for this before they answer: else the one who hears the answer could ask for
    /// what is in memory and be told of the state before.
    pub(crate) async fn wait_for_commits(&self) {
        let mut under_way = self.under_way.subscribe();
        let last = under_way.borrow().last().copied();
        if let Some(last) = last {
            // The sender is part of what is borrowed here, so it is not gone.
            let _ = under_way
                .wait_for(|commits| commits.first().is_none_or(|first| *first > last))
                .await;
        }
    }
}

/// A commit whose outcome is not known yet; dropped when the watermarks tell of it, or when it has failed.
#[derive(Debug)]
pub(crate) struct CommitUnderWay {
    watermarks: Arc<Watermarks>,
    number: u64,
}

impl Drop for CommitUnderWay {
    fn drop(&mut self) {
        self.watermarks.under_way.send_modify(|commits| {
            commits.remove(&self.number);
        });
    }
}

/// What is to be learnt when a change has been committed.
#[derive(Debug)]
pub(crate) struct Announcement {
    pub(crate) watermarks: Arc<Watermarks>,
    pub(crate) organization: OrganizationId,
    pub(crate) change_number: i64,
}

impl Announcement {
    pub(crate) fn begin(&self) -> CommitUnderWay {
        self.watermarks.begin_commit()
    }

    pub(crate) fn make(&self) {
        self.watermarks.advance_to(&self.organization, self.change_number);
    }
}

/// Hears of the changes that other servers of a PostgreSQL database make.
#[derive(Debug)]
pub struct Listener {
    connection: PgListener,
    schema: String,
    watermarks: Arc<Watermarks>,
}

impl Listener {
    pub(crate) async fn start(pool: &PgPool, watermarks: Arc<Watermarks>) -> Result<Self, StoreError> {
        let schema: String = sqlx::query_scalar("SELECT current_schema()::TEXT")
            .fetch_one(pool)
            .await?;
        let mut connection = PgListener::connect_with(pool).await?;
        connection.listen_all([CHANGES, SETTINGS]).await?;
        Ok(Self {
            connection,
            schema,
            watermarks,
        })
    }

    /// Waits for the next announcement and takes notice of it.
    ///
    /// What was announced while the connection was broken is lost: after an error, whoever listens has to look for
    /// themselves.
    pub async fn hear(&mut self) -> Result<(), StoreError> {
        let heard = self.connection.try_recv().await?;
        let lost = || StoreError::from(sqlx::Error::PoolClosed);
        let heard = heard.ok_or_else(lost)?;
        if heard.channel() == SETTINGS {
            if heard.payload() == self.schema {
                self.watermarks.settings.fetch_add(1, Ordering::Release);
            }
        } else if let Some((organization, change_number)) = change(heard.payload(), &self.schema) {
            self.watermarks.advance_to(&organization, change_number);
        }
        Ok(())
    }
}

/// Reads an announcement, or `None` if it is about the tables of another schema.
fn change(payload: &str, schema: &str) -> Option<(OrganizationId, i64)> {
    let mut parts = payload.rsplitn(3, ' ');
    let (number, organization, in_schema) = (parts.next()?, parts.next()?, parts.next()?);
    if in_schema != schema {
        return None;
    }
    Some((organization.parse().ok()?, number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn heads_only_ever_grow() {
        let (watermarks, acme) = (Watermarks::default(), "acme".parse().unwrap());
        for (learnt, known) in [(3, 3), (2, 3), (5, 5)] {
            watermarks.advance_to(&acme, learnt);
            assert_eq!(watermarks.of(&acme).number(), known);
        }
        assert_eq!(watermarks.of(&"other".parse().unwrap()).number(), 0);
    }

    #[tokio::test]
    async fn readers_wait_for_the_commits_that_had_begun() {
        let watermarks = Arc::new(Watermarks::default());
        watermarks.wait_for_commits().await;
        let (first, second) = (watermarks.begin_commit(), watermarks.begin_commit());
        let mut waiting = Box::pin(watermarks.wait_for_commits());
        assert_eq!((&mut waiting).now_or_never(), None);
        let third = watermarks.begin_commit();
        drop(second);
        assert_eq!((&mut waiting).now_or_never(), None);
        drop(first);
        assert_eq!((&mut waiting).now_or_never(), Some(()));
        drop(third);
    }

    #[test]
    fn announcements_of_other_schemas_are_not_ours() {
        let acme: OrganizationId = "acme".parse().unwrap();
        assert_eq!(change("public acme 17", "public"), Some((acme.clone(), 17)));
        assert_eq!(change("a schema acme 17", "a schema"), Some((acme, 17)));
        assert_eq!(change("other acme 17", "public"), None);
        assert_eq!(change("nonsense", "public"), None);
    }
}
