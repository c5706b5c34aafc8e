//! Finding things by words.

/// The most words of a query that count; what comes after them is not looked for.
const MOST_TERMS: usize = 16;

/// How much of a word is enough to look for it in a database, in characters.
const LONGEST_BEGINNING: usize = 100;

/// The words that somebody looks for, in lower case, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchTerms(Vec<String>);

impl SearchTerms {
    /// Takes the words out of a query.
    pub fn new(query: &str) -> Self {
        let mut terms: Vec<String> = Vec::new();
        for word in query.split_whitespace().map(str::to_lowercase) {
            if terms.len() < MOST_TERMS && !terms.contains(&word) {
                terms.push(word);
            }
        }
        Self(terms)
    }

    /// Returns the beginning of the word that the fewest things are likely to have; none if nothing is looked for.
    pub fn rarest(&self) -> Option<&str> {
        // Of equally long words the first.
        let longest = self.0.iter().rev().max_by_key(|term| term.chars().count())?;
        let end = longest.char_indices().nth(LONGEST_BEGINNING);
        Some(end.map_or(longest, |(end, _)| &longest[..end]))
    }

    /// Returns how well a thing fits, given its name and text in lower case, or nothing if a word is in neither.
    ///
    /// A name counts more than a text, and a whole word more than a part of one.
    pub fn relevance(&self, name: &str, text: &str) -> Option<u32> {
        let mut total = 0;
        for term in &self.0 {
            let score = 4 * occurrence(name, term) + occurrence(text, term);
            if score == 0 {
                return None;
            }
            total += score;
        }
        Some(total)
    }

    /// Returns `true` if every word is in a thing's name or in its text, in whatever case.
    pub fn are_in(&self, name: &str, text: &str) -> bool {
        self.relevance(&name.to_lowercase(), &text.to_lowercase())
            .is_some()
    }
}

/// Returns 2 for a whole word, 1 for a part of one, 0 for none.
fn occurrence(text: &str, term: &str) -> u32 {
    let ends_word = |character: Option<char>| character.is_none_or(|character| !character.is_alphanumeric());
    let mut best = 0;
    for (start, found) in text.match_indices(term) {
        let before = text[..start].chars().next_back();
        let after = text[start + found.len()..].chars().next();
        if ends_word(before) && ends_word(after) {
            return 2;
        }
        best = 1;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_must_be_in_the_name_or_in_the_text() {
        let terms = SearchTerms::new("  Angry CUSTOMER angry ");
        assert_eq!(terms, SearchTerms(vec!["angry".into(), "customer".into()]));
        assert!(
            terms
                .relevance("angry man", "a customer of long standing")
                .is_some()
        );
        assert_eq!(terms.relevance("angry man", "of long standing"), None);
        assert_eq!(SearchTerms::new(" ").rarest(), None);
        assert_eq!(terms.rarest(), Some("customer"));
        assert_eq!(
            SearchTerms::new(&"é".repeat(500)).rarest(),
            Some("é".repeat(100).as_str())
        );
    }

    #[test]
    fn where_nothing_is_ranked_the_case_does_not_matter() {
        let (name, text) = ("Greets NICELY", "A test of manners");
        assert!(SearchTerms::new("nice Manners").are_in(name, text));
        assert!(!SearchTerms::new("nice weather").are_in(name, text));
        assert!(SearchTerms::new(" ").are_in(name, text));
    }

    #[test]
    fn names_count_more_than_texts_and_words_more_than_parts() {
        let terms = SearchTerms::new("care");
        let scores = [
            ("care", ""),
            ("careful", ""),
            ("x", "care"),
            ("x", "careful"),
            ("x", "y"),
        ]
        .map(|(name, text)| terms.relevance(name, text));
        assert_eq!(scores, [Some(8), Some(4), Some(2), Some(1), None]);
        assert_eq!(SearchTerms::new("été").relevance("l'été", "").unwrap(), 8);
    }

    #[test]
    fn a_query_of_many_words_is_cut() {
        let many: Vec<String> = (0..100).map(|number| format!("w{number}")).collect();
        assert_eq!(SearchTerms::new(&many.join(" ")).0.len(), MOST_TERMS);
    }
}
