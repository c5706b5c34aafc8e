//! What lists and searches of simulations have in common.

use forge_domain::UserRef;

/// How many things a search finds at most, if they fit on a page.
pub(crate) const MAX_FOUND: i64 = 100;

/// The words that a search looks for.
pub(crate) struct Words(Vec<String>);

impl Words {
    pub(crate) fn of(query: &str) -> Self {
        Self(query.split_whitespace().map(str::to_lowercase).collect())
    }

    /// Returns `true` if every word is in one of the texts, in whatever case.
    pub(crate) fn are_in(&self, texts: &[&str]) -> bool {
        let texts: Vec<String> = texts.iter().map(|text| text.to_lowercase()).collect();
        let is_somewhere = |word: &String| texts.iter().any(|text| text.contains(word.as_str()));
        self.0.iter().all(is_somewhere)
    }
}

/// Adds a user unless it is there already.
pub(crate) fn add_distinct(users: &mut Vec<UserRef>, user: &UserRef) {
    if !users.contains(user) {
        users.push(user.clone());
    }
}

/// Returns the users without repetitions, in the order in which they come first.
pub(crate) fn distinct<'a>(users: impl Iterator<Item = &'a UserRef>) -> Vec<UserRef> {
    let mut kept: Vec<UserRef> = Vec::new();
    for user in users {
        add_distinct(&mut kept, user);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_to_be_somewhere_in_whatever_case() {
        let texts = ["Greets NICELY", "A test of manners"];
        assert!(Words::of("nice Manners").are_in(&texts));
        assert!(!Words::of("nice weather").are_in(&texts));
        assert!(Words::of(" ").are_in(&texts));
    }
}
