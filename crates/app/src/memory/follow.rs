//! Following the database: what other servers change, and whether it is there at all.

use std::time::Duration;

use forge_store::{Listener, StoreError};

use crate::{App, AppError, organizations};

/// How often a server looks at the database by itself: for what was not announced, and for whether it answers.
pub const FOLLOW_EVERY: Duration = Duration::from_secs(1);

/// How long a look may take before the database counts as away.
const LOOK_TIMEOUT: Duration = Duration::from_secs(5);

/// Keeps what is in memory up to date for as long as it is polled. Organizations are read when it first sees them, so
/// that whatever they ask is answered even if the database goes away before they ask it.
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
            look_or_give_up(app).await;
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

async fn look_or_give_up(app: &App) {
    match tokio::time::timeout(LOOK_TIMEOUT, look(app)).await {
        Ok(Ok(())) => app.memory.database.answered(app.clock.now()),
        Ok(Err(AppError::Unavailable(_))) | Err(_) => app.memory.database.failed(),
        Ok(Err(error)) => tracing::error!(%error, "what is in memory cannot be brought up to date"),
    }
}

/// Looks how far every organization has come, and brings those up to date that are behind.
async fn look(app: &App) -> Result<(), AppError> {
    let (memory, heard) = (&app.memory, app.store.heads().settings());
    let mut tx = app.store.read().await?;
    let heads = tx.list_heads().await?;
    memory.learn_server_closed(heard, organizations::is_server_closed(&mut tx).await?);
    drop(tx);
    for (id, change_number) in &heads {
        app.store.heads().learn(id, *change_number);
        let done = match memory.find(id) {
            None => memory.load(app, id).await.map(drop),
            Some(remembered) if !remembered.is_current() => {
                memory.advance(app, &remembered, *change_number).await
            }
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
    let deleted: Vec<_> = memory
        .organizations
        .load()
        .keys()
        .filter(|id| heads.binary_search_by(|(known, _)| known.cmp(id)).is_err())
        .cloned()
        .collect();
    for id in deleted {
        // One that was created since is read again when somebody asks for it.
        memory.forget(&id);
    }
    Ok(())
}
