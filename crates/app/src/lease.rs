//! Leases: what a server is at work on is its own for a while, and for longer as long as it says that it is still there.
//!
//! Acquiring, renewing and releasing are conditional updates in the store, so whoever has lost a lease finds out with
//! the next of them. A server that is lost renews nothing, and another goes on when the lease has ended. See
//! `docs/adr/0048-one-lease.md`.

use std::time::Duration;

use crate::AppError;

/// For how long a lease is acquired, and how often it is renewed meanwhile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) lasts: Duration,
    pub(crate) renew_every: Duration,
}

/// A lease that this server has.
pub(crate) trait Lease {
    /// How long it lasts.
    const PACE: Pace;

    /// Renews it.
    ///
    /// Returns `false` if it is lost.
    fn renew(&self) -> impl Future<Output = Result<bool, AppError>> + Send;
}

/// Does work and renews its lease meanwhile.
///
/// Returns `None` if the lease is lost first: the work is abandoned then.
///
/// A lease that could not be renewed may still last: whatever the work leaves is written on the condition that it does.
pub(crate) async fn keep_renewed<L: Lease + Sync, T>(
    lease: &L,
    work: impl Future<Output = T> + Send,
) -> Option<T> {
    let mut work = std::pin::pin!(work);
    let mut renewing = tokio::time::interval(L::PACE.renew_every);
    renewing.tick().await;
    loop {
        tokio::select! {
            biased;
            done = &mut work => return Some(done),
            _ = renewing.tick() => match lease.renew().await {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => tracing::warn!(%error, "a lease could not be renewed"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::watch;

    use super::*;

    /// A lease that counts how often it was asked to be renewed: the second time fails, and the fifth finds it lost.
    struct Counted(watch::Sender<usize>);

    impl Lease for Counted {
        const PACE: Pace = Pace {
            lasts: Duration::from_secs(30),
            renew_every: Duration::from_millis(1),
        };

        async fn renew(&self) -> Result<bool, AppError> {
            self.0.send_modify(|count| *count += 1);
            match *self.0.borrow() {
                2 => Err(AppError::internal("the database is away")),
                count => Ok(count < 5),
            }
        }
    }

    #[tokio::test]
    async fn work_goes_on_while_its_lease_is_renewed_or_may_last() {
        let lease = Counted(watch::Sender::new(0));
        let mut renewals = lease.0.subscribe();
        let work = async { renewals.wait_for(|count| *count == 4).await.is_ok() };
        assert_eq!(keep_renewed(&lease, work).await, Some(true));
    }

    #[tokio::test]
    async fn work_ends_with_its_lease() {
        let lease = Counted(watch::Sender::new(0));
        assert_eq!(keep_renewed(&lease, std::future::pending::<()>()).await, None);
        assert_eq!(*lease.0.borrow(), 5);
    }
}
