//! Colours.

/// What a piece of text is, for those who see colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Nothing special.
    None,
    /// A heading.
    Strong,
    /// What went wrong.
    Error,
    /// What to think twice about.
    Warning,
    /// What to do.
    Hint,
    /// What is new.
    Added,
    /// What is gone.
    Removed,
}

impl Style {
    /// Returns the text with the codes of its colour.
    pub(crate) fn paint(self, text: &str) -> String {
        let code = match self {
            Self::None => return text.to_owned(),
            Self::Strong => "1",
            Self::Error => "1;31",
            Self::Warning => "1;33",
            Self::Hint => "36",
            Self::Added => "32",
            Self::Removed => "31",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}
