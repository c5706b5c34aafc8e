//! Following the database: what other servers change, and whether it is there at all.

use std::time::Duration;

use forge_domain::OrganizationId;
use forge_store::{Listener, OrganizationSummary, StoreError};

use crate::{App, AppError, maintenance};

/// How often a server looks at the database by itself: for what was not announced, and for whether it answers.
pub const FOLLOW_EVERY: Duration = Duration::from_secs(1);

/// How long the database may take to say how far the organizations have come before it counts as away.
const LOOK_TIMEOUT: Duration = Duration::from_secs(2);

/// Keeps what is in memory up to date for as long as it is polled.
///
/// Organizations are read when it first sees them, so that whatever they ask is answered even if the database goes away
/// before they ask it.
pub async fn follow(app: &App, every: Duration) {
    let listening = async {
        loop {
            if let Err(error) = listen(app).await {
                tracing::warn!(%error, "changes of other servers are not announced for now; looking for them instead");
            }
            tokio::time::sleep(every).await;
        }
    };
    let looking = async {
        loop {
            look(app).await;
            tokio::time::sleep(every).await;
        }
    };
    tokio::join!(listening, looking);
}

/// Hears of changes until the connection breaks; for ever where there are no other servers.
async fn listen(app: &App) -> Result<(), StoreError> {
    let Some(mut listener): Option<Listener> = app.store.listen().await? else {
        return std::future::pending().await;
    };
    loop {
        listener.hear().await?;
    }
}

/// Checks whether the database answers and how far every organization has come, and brings those up to date that are
/// behind.
async fn look(app: &App) {
    let database = &app.snapshots.database;
    // Before looking: what was known by then is in every later state of the database.
    let known = app.snapshots.states();
    let looked = match tokio::time::timeout(LOOK_TIMEOUT, organization_summaries(app)).await {
        Ok(Ok(summaries)) => {
            database.answered(app.clock.now());
            for watermark in &summaries {
                if let Some(state) = known.get(&watermark.id)
                    && !state.may_lead_to(watermark)
                {
                    let at_most = watermark.change_number.min(state.change_number() - 1);
                    app.store.watermarks().go_back(&watermark.id, at_most);
                }
            }
            // However long that takes: an organization can be large.
            bring_up_to_date(app, &summaries).await
        }
        Ok(Err(error)) => Err(error),
        Err(_) => return database.failed(),
    };
    match looked {
        Ok(()) => {}
        Err(AppError::Unavailable(_)) => database.failed(),
        Err(error) => tracing::error!(%error, "what is in memory cannot be brought up to date"),
    }
}

/// Returns how far every organization has come, and takes notice of the installation's settings.
async fn organization_summaries(app: &App) -> Result<Vec<OrganizationSummary>, AppError> {
    let heard = app.store.watermarks().settings();
    let mut tx = app.store.read_at_once().await?;
    let summaries = tx.list_organization_summaries().await?;
    let is_closed = maintenance::is_server_closed(&mut tx).await?;
    app.snapshots.learn_server_closed(heard, is_closed);
    Ok(summaries)
}

async fn bring_up_to_date(app: &App, summaries: &[OrganizationSummary]) -> Result<(), AppError> {
    let memory = &app.snapshots;
    for OrganizationSummary {
        id, change_number, ..
    } in summaries
    {
        app.store.watermarks().advance_to(id, *change_number);
        let done = match memory.find(id) {
            None => memory.load(app, id).await.map(drop),
            Some(entry) if entry.is_gone() => memory.load_anew(app, id).await.map(drop),
            Some(entry) if !entry.is_current() => memory.advance(app, &entry, *change_number).await,
            Some(_) => Ok(()),
        };
        match done {
            Err(AppError::Unavailable(cause)) => return Err(AppError::Unavailable(cause)),
            // What is wrong with one organization, or that it was deleted meanwhile, does not concern the others.
            Err(error) => {
                tracing::warn!(organization = %id, %error, "an organization is not up to date in memory");
            }
            Ok(()) => {}
        }
    }
    let all = memory.organizations.load();
    let is_there = |id: &OrganizationId| summaries.binary_search_by(|known| known.id.cmp(id)).is_ok();
    // One that was created since is read again when somebody asks for it.
    let deleted: Vec<_> = all.keys().filter(|id| !is_there(id)).cloned().collect();
    for id in &deleted {
        memory.forget(id);
    }
    Ok(())
}
