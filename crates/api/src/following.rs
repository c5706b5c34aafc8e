//! How many streams of changes are open at once: of one user, and of the users of an organization.
//!
//! Each takes a connection for as long as its reader likes, and memory where it is read slowly.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::bodies::Holders;
use crate::error::ApiError;

/// How many an organization's users, and one user, follow at once.
const MOST: [usize; 2] = [1000, 200];

/// Counts the streams that are open.
#[derive(Debug, Clone, Default)]
pub(crate) struct Followers {
    /// By organization, and by organization and user; those who follow nothing are not there.
    by_holder: Arc<Mutex<HashMap<String, usize>>>,
}

/// A stream that is open, until it is dropped.
#[derive(Debug)]
pub(crate) struct Following {
    followers: Followers,
    holders: Holders,
}

impl Followers {
    /// Counts one more.
    ///
    /// # Errors
    /// Refuses who follows with too many already.
    pub(crate) fn begin(&self, holders: &Holders) -> Result<Following, ApiError> {
        let mut counts = self.by_holder.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |holder: &String| counts.get(holder).copied().unwrap_or(0);
        if holders.iter().zip(MOST).any(|(holder, most)| of(holder) >= most) {
            return Err(ApiError::TooManyStreams);
        }
        for holder in &**holders {
            *counts.entry(holder.clone()).or_default() += 1;
        }
        Ok(Following {
            followers: self.clone(),
            holders: Arc::clone(holders),
        })
    }
}

impl Following {
    /// Returns the names of whose stream it is.
    pub(crate) fn holders(&self) -> &Holders {
        &self.holders
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let counts = &self.followers.by_holder;
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        for holder in &*self.holders {
            if let Some(count) = counts.get_mut(holder) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(holder);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holders(organization: &str, user: usize) -> Holders {
        Arc::new([organization.to_owned(), format!("{organization}/{user}")])
    }

    #[test]
    fn neither_a_user_nor_an_organization_follows_without_end() {
        let followers = Followers::default();
        let [of_organization, of_user] = MOST;
        let begin = |organization, user| followers.begin(&holders(organization, user));
        let mut open: Vec<_> = (0..of_user).map(|_| begin("one", 0).unwrap()).collect();
        assert!(matches!(begin("one", 0), Err(ApiError::TooManyStreams)));
        open.pop();
        open.push(begin("one", 0).unwrap());
        for number in of_user..of_organization {
            open.push(begin("one", number).unwrap());
        }
        assert!(begin("one", 1).is_err());
        drop(begin("two", 0).unwrap());
        drop(open);
        assert!(followers.by_holder.lock().unwrap().is_empty());
    }
}
