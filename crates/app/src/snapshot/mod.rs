//! What a server keeps in memory: of each organization who may do what and what its sets mean, as one immutable state
//! that is replaced as a whole when something has changed.
//!
//! Signing in, recognising tokens and resolving are answered from it, so they cost no query and go on while the
//! database is away. A state says of which change it is, and the store's summaries say which change is the latest that this
//! process knows of: its own commits before they are answered, those of other servers as the database announces them.
//! Whoever asks while the state is behind has it brought up to date first; so a write is seen by everything that is
//! asked of the same server afterwards.

mod access;
mod behaviors;
mod cursors;
mod database;
mod documents;
mod events;
mod follow;
mod organization;
mod recent;
mod service;
mod tokens;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use forge_domain::agent::AgentDocument;
use forge_domain::asset::AssetVersion;
use forge_domain::context_graph::ContextGraphDocument;
use forge_domain::prompt::LongPrompt;
use forge_domain::{AgentId, ContextGraphId, OrganizationId, VersionNumber};
use forge_store::{GONE, ReadTx, StoreError, Watermark};
use rpds::HashTrieMapSync;
use tokio::time::Instant;

use crate::{App, AppError, maintenance};

pub(crate) use access::{Access, KnownUser};
use database::Database;
pub(crate) use documents::{Documents, Size, VersionKey, parsed_bytes};
pub(crate) use events::Events;
pub use follow::{FOLLOW_EVERY, follow};
use organization::Advance;
pub(crate) use organization::OrganizationState;
use recent::Recent;
pub use service::{PreparedAnswer, ServiceState, SetState};
pub(crate) use tokens::VerifiedTokens;

/// How long whoever asks waits for a state to be brought up to date before the old one has to do.
const REFRESH_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a reader waits for a change that this server does not see yet.
const SEQUENCE_TIMEOUT: Duration = Duration::from_secs(5);

/// How often such a reader looks for it.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Names a version of an agent and one of a context graph.
pub(crate) type VersionPair = (
    OrganizationId,
    (AgentId, VersionNumber),
    (ContextGraphId, VersionNumber),
);

/// What a server keeps in memory.
#[derive(Debug, Default)]
pub struct Snapshots {
    organizations: ArcSwap<HashTrieMapSync<OrganizationId, Arc<Entry>>>,
    /// Held by whoever adds or removes an organization.
    adding: Mutex<()>,
    pub(crate) tokens: VerifiedTokens,
    /// Contents of versions as they are answered.
    pub(crate) documents: Documents<AssetVersion>,
    /// Contents of agents' versions as conversations run on them.
    pub(crate) agents: Documents<AgentDocument>,
    /// Contents of context graphs' versions as conversations run on them.
    pub(crate) context_graphs: Documents<ContextGraphDocument>,
    /// Prompts of an agent's version in a graph's version that do not fit, or that all of them fit.
    pub(crate) long_prompts: Documents<Option<LongPrompt>, VersionPair>,
    /// Where pages ended while nothing could be written.
    pub(crate) cursors: cursors::PageCursors,
    database: Database,
    /// Whether the whole server is closed, and after how many announcements of settings that was read.
    is_server_closed: ArcSwap<Option<(u64, bool)>>,
}

/// An organization that is kept in memory.
#[derive(Debug)]
pub(crate) struct Entry {
    state: ArcSwap<OrganizationState>,
    recent: Mutex<Recent>,
    watermark: Arc<Watermark>,
    /// Held by whoever brings the state up to date; the others wait for the result.
    advancing: tokio::sync::Mutex<()>,
    /// When the last look began for a change that was not announced. Held by whoever looks.
    looked_at: tokio::sync::Mutex<Option<Instant>>,
}

/// An organization as far as it is known.
#[derive(Debug, Clone)]
pub(crate) struct SnapshotRead {
    pub(crate) state: Arc<OrganizationState>,
    /// For how long the database has not answered, if it does not: then there may be changes that nobody here knows of.
    pub(crate) stale_for: Option<Duration>,
    /// Whether there is a change that the state does not have, and the database did not tell it in time.
    is_behind: bool,
}

impl SnapshotRead {
    /// Returns what was found; what was not found in a state that is behind may be there all the same, and that the
    /// database does not tell it is said instead.
    pub(crate) fn found<T>(&self, found: Result<T, AppError>) -> Result<T, AppError> {
        match found {
            Err(AppError::NotFound(_) | AppError::Unauthenticated(_)) if self.is_behind => {
                Err(AppError::Unavailable(StoreError::not_told()))
            }
            found => found,
        }
    }
}

impl Snapshots {
    /// Returns an organization as it is after every change that this server knows of.
    ///
    /// # Errors
    /// Refuses an organization that does not exist. Reports a database that is away if the organization is not in
    /// memory.
    pub(crate) async fn organization(
        &self,
        app: &App,
        id: &OrganizationId,
    ) -> Result<SnapshotRead, AppError> {
        let Some(entry) = self.find(id) else {
            return self.load(app, id).await;
        };
        if entry.is_gone() {
            return self.load_anew(app, id).await;
        }
        let wanted = entry.watermark.number();
        if entry.is_current() || self.database.is_away() {
            return Ok(self.known(app, &entry, wanted));
        }
        match tokio::time::timeout(REFRESH_TIMEOUT, self.advance(app, &entry, wanted)).await {
            Ok(Ok(())) if entry.is_gone() => self.load_anew(app, id).await,
            Ok(Ok(())) => Ok(self.known(app, &entry, wanted)),
            Ok(Err(AppError::Unavailable(_))) | Err(_) => {
                self.database.failed();
                Ok(self.known(app, &entry, wanted))
            }
            Ok(Err(error)) => Err(error),
        }
    }

    /// Waits until this server sees a change of an organization, whichever server made it.
    ///
    /// # Errors
    /// Says how far this server has come if it takes too long.
    pub(crate) async fn wait_for(
        &self,
        app: &App,
        id: &OrganizationId,
        change_number: i64,
    ) -> Result<(), AppError> {
        let mut watermark = app.store.watermarks().of(id).subscribe();
        let deadline = Instant::now() + SEQUENCE_TIMEOUT;
        loop {
            self.look_for(app, id, change_number).await?;
            let known = self.organization(app, id).await?;
            let is_there = known.state.change_number() >= change_number;
            if is_there {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(AppError::Behind {
                    wanted: change_number,
                    seen: known.state.change_number(),
                });
            }
            // Woken up by a change that is announced; looking is for those that are not.
            let _ = tokio::time::timeout(LOOK_EVERY, watermark.changed()).await;
        }
    }

    /// Looks at the database for a change that was not announced, unless somebody has done so a moment ago: however
    /// many wait, the database is asked no more often.
    async fn look_for(&self, app: &App, id: &OrganizationId, change_number: i64) -> Result<(), AppError> {
        let Some(entry) = self.find(id).filter(|_| app.store.is_shared()) else {
            return Ok(());
        };
        let Ok(mut looked_at) = entry.looked_at.try_lock() else {
            return Ok(());
        };
        if looked_at.is_none_or(|began| began.elapsed() >= LOOK_EVERY) {
            *looked_at = Some(Instant::now());
            self.advance(app, &entry, change_number).await?;
        }
        Ok(())
    }

    /// Returns `true` if an organization has made a change, as far as the database says by now.
    pub(crate) async fn has_seen(
        &self,
        app: &App,
        id: &OrganizationId,
        change_number: i64,
    ) -> Result<bool, AppError> {
        let known = self.organization_at(app, id, change_number).await?;
        Ok(known.state.change_number() >= change_number)
    }

    /// Looks at the database for changes of other servers that were not announced yet, because somebody asked for what
    /// is not in the state that they know.
    ///
    /// Returns `true` if there is a later one.
    ///
    /// Anybody may ask for what is not there, with credentials that prove nothing. So all who ask meanwhile wait for one
    /// look, and looks keep their distance.
    pub(crate) async fn refresh(&self, app: &App, known: &SnapshotRead) -> bool {
        let id = &known.state.organization.id;
        let Some(entry) = self.find(id).filter(|_| app.store.is_shared()) else {
            return false;
        };
        let seen = known.state.change_number();
        let has_more = || entry.is_gone() || entry.state.load().change_number() > seen;
        let asked_at = Instant::now();
        let mut looked_at = entry.looked_at.lock().await;
        if has_more() {
            return true;
        }
        // A look that began before may have missed what is asked for.
        if looked_at.is_none_or(|began| began < asked_at) {
            if let Some(began) = *looked_at {
                tokio::time::sleep_until(began + LOOK_EVERY).await;
            }
            let began = Instant::now();
            let next = entry.state.load().change_number() + 1;
            let looked = self.advance(app, &entry, next).await;
            // Whoever is given up in the midst has not looked.
            *looked_at = Some(began);
            if looked.is_err() {
                return false;
            }
        }
        has_more()
    }

    /// Returns an organization, after another look at the database if its state is not of that change or a later one.
    async fn organization_at(
        &self,
        app: &App,
        id: &OrganizationId,
        change_number: i64,
    ) -> Result<SnapshotRead, AppError> {
        let known = self.organization(app, id).await?;
        match self.find(id) {
            Some(entry) if known.state.change_number() < change_number => {
                self.advance(app, &entry, change_number).await?;
                self.organization(app, id).await
            }
            _ => Ok(known),
        }
    }

    /// Returns `true` if the whole server is closed for maintenance.
    pub(crate) async fn is_server_closed(&self, app: &App) -> Result<bool, AppError> {
        let heard = app.store.watermarks().settings();
        if let Some((known, is_closed)) = **self.is_server_closed.load()
            && (known >= heard || self.database.is_away())
        {
            return Ok(is_closed);
        }
        let mut tx = app.store.read().await?;
        let is_closed = maintenance::is_server_closed(&mut tx).await?;
        self.learn_server_closed(heard, is_closed);
        Ok(is_closed)
    }

    /// Takes notice of whether the server is closed, as the database said after so many announcements.
    pub(crate) fn learn_server_closed(&self, heard: u64, is_closed: bool) {
        self.is_server_closed.store(Arc::new(Some((heard, is_closed))));
    }

    /// Returns what `look` finds in the state of an organization, or `None` if that is not in memory, not open, or not up to
    /// date, or if the database is away.
    ///
    /// It waits for nobody and counts nothing, so that very many can look at once.
    pub(crate) fn look<T>(
        &self,
        app: &App,
        id: &str,
        look: impl FnOnce(&OrganizationState) -> Option<T>,
    ) -> Option<T> {
        let is_open = |closed: &Option<(u64, bool)>| {
            let heard = app.store.watermarks().settings();
            closed.is_some_and(|(known, is_closed)| known >= heard && !is_closed)
        };
        if self.database.is_away() || !is_open(&self.is_server_closed.load()) {
            return None;
        }
        let organizations = self.organizations.load();
        let entry = organizations.get(id)?;
        let wanted = entry.watermark.number();
        let state = entry.state.load();
        if state.organization.is_in_maintenance || state.change_number() < wanted {
            return None;
        }
        look(&state)
    }

    /// Returns what is known of each organization.
    fn states(&self) -> BTreeMap<OrganizationId, Arc<OrganizationState>> {
        let all = self.organizations.load();
        let states = all
            .iter()
            .map(|(id, known)| (id.clone(), known.state.load_full()));
        states.collect()
    }

    fn find(&self, id: &OrganizationId) -> Option<Arc<Entry>> {
        self.organizations.load().get(id).cloned()
    }

    /// Returns what is known to whoever wanted the state of a change.
    ///
    /// What came after they did is nothing that they miss.
    fn known(&self, app: &App, entry: &Entry, wanted: i64) -> SnapshotRead {
        let state = entry.state.load_full();
        SnapshotRead {
            is_behind: entry.is_gone() || state.change_number() < wanted,
            state,
            stale_for: self.database.stale_for(app.clock.now()),
        }
    }

    /// Reads an organization for the first time.
    async fn load(&self, app: &App, id: &OrganizationId) -> Result<SnapshotRead, AppError> {
        let mut tx = read(app).await?;
        let state = OrganizationState::load(&mut tx, id, app.clock.now()).await?;
        let state = state.ok_or_else(|| AppError::no_organization(id.as_str()))?;
        drop(tx);
        app.store.watermarks().advance_to(id, state.change_number());
        let entry = Arc::new(Entry {
            recent: Mutex::new(Recent::starting_at(state.change_number())),
            state: ArcSwap::from_pointee(state),
            // A change since then is known there, or will be: then the state is behind.
            watermark: app.store.watermarks().of(id),
            advancing: tokio::sync::Mutex::default(),
            looked_at: tokio::sync::Mutex::default(),
        });
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        // Somebody else may have been faster.
        let known = self.find(id).filter(|known| !known.is_gone());
        let entry = known.unwrap_or(entry);
        let all = self.organizations.load();
        self.organizations
            .store(Arc::new(all.insert(id.clone(), Arc::clone(&entry))));
        self.database.answered(app.clock.now());
        let loaded = entry.state.load().change_number();
        Ok(self.known(app, &entry, loaded))
    }

    /// Reads an organization anew whose database has gone back to an earlier state.
    ///
    /// What was read of versions is forgotten, too: others may have been given their numbers.
    async fn load_anew(&self, app: &App, id: &OrganizationId) -> Result<SnapshotRead, AppError> {
        self.tokens.clear();
        self.documents.clear();
        self.agents.clear();
        self.context_graphs.clear();
        self.long_prompts.clear();
        self.load(app, id).await
    }

    fn forget(&self, id: &OrganizationId) {
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let all = self.organizations.load();
        self.organizations.store(Arc::new(all.remove(id)));
    }

    /// Brings a state up to date with the database, unless it is of the wanted change or a later one by then.
    ///
    /// Of another history it is not made one: then it is gone.
    async fn advance(&self, app: &App, entry: &Entry, wanted: i64) -> Result<(), AppError> {
        let _turn = entry.advancing.lock().await;
        let before = entry.state.load_full();
        if before.change_number() >= wanted {
            // Whoever had the turn before did it.
            return Ok(());
        }
        let mut tx = read(app).await?;
        let id = &before.organization.id;
        let advance = before.advance(&mut tx, app.clock.now()).await?;
        self.database.answered(app.clock.now());
        let advanced = match advance {
            Advance::Advanced(advanced) => *advanced,
            Advance::Diverged => {
                app.store.watermarks().go_back(id, before.change_number() - 1);
                return Ok(());
            }
            Advance::Gone => {
                self.forget(id);
                return Err(AppError::no_organization(id.as_str()));
            }
        };
        app.store
            .watermarks()
            .advance_to(id, advanced.state.change_number());
        let mut recent = entry.recent.lock().unwrap_or_else(PoisonError::into_inner);
        match advanced.events {
            Some(events) => recent.push(advanced.state.change_number(), events),
            None => *recent = Recent::starting_at(advanced.state.change_number()),
        }
        entry.state.store(Arc::new(advanced.state));
        Ok(())
    }
}

/// Begins to read what is to be entry.
///
/// The call that needs it does not wait for commits that it may see: from now on, the memory knows of them.
async fn read(app: &App) -> Result<ReadTx, AppError> {
    Ok(app.store.begin_request().read_at_once().await?)
}

impl Entry {
    /// Returns `true` if it is of a state from which the database has gone back.
    fn is_gone(&self) -> bool {
        self.watermark.number() == GONE
    }

    fn is_current(&self) -> bool {
        self.state.load().change_number() >= self.watermark.number()
    }
}
