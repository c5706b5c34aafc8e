//! What Anthropic's models know of, by their names.

/// A model of Anthropic's.
///
/// One whose name says nothing is taken for an old one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claude<'m> {
    name: &'m str,
    family: Family,
    /// As in `claude-opus-4-8`.
    version: (u32, u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Opus,
    Sonnet,
    Haiku,
    /// Fable and Mythos, which know everything.
    Newest,
    Other,
}

impl<'m> Claude<'m> {
    pub(super) fn named(name: &'m str) -> Self {
        // Others who serve them write something before it.
        let own = name.split_once("claude-").map_or("", |(_, own)| own);
        let mut parts = own.split('-');
        let family = match parts.next() {
            _ if name.contains("fable") || name.contains("mythos") => Family::Newest,
            Some("opus") => Family::Opus,
            Some("sonnet") => Family::Sonnet,
            Some("haiku") => Family::Haiku,
            _ => Family::Other,
        };
        // What has more digits is a day.
        let mut number = || {
            let part = parts.next().filter(|part| part.len() <= 2)?;
            part.parse().ok()
        };
        let version = number().map_or((0, 0), |major| (major, number().unwrap_or(0)));
        Self {
            name,
            family,
            version,
        }
    }

    fn is_since(&self, opus: (u32, u32), sonnet: (u32, u32)) -> bool {
        match self.family {
            Family::Opus => self.version >= opus,
            Family::Sonnet => self.version >= sonnet,
            Family::Haiku => self.version >= (5, 0),
            Family::Newest => true,
            Family::Other => false,
        }
    }

    /// Returns `true` if it takes a word for how much it thinks.
    pub(super) fn knows_effort(&self) -> bool {
        self.is_since((4, 5), (4, 6))
    }

    pub(super) fn knows_max(&self) -> bool {
        self.is_since((4, 6), (4, 6))
    }

    pub(super) fn knows_xhigh(&self) -> bool {
        self.is_since((4, 7), (5, 0))
    }

    /// Returns `true` if it takes a budget as an advice only.
    pub(super) fn decides_how_to_think(&self) -> bool {
        self.is_since((4, 6), (4, 6))
    }

    /// Returns `true` if it thinks unless it is told not to.
    ///
    /// The newest ones cannot be told.
    pub(super) fn thinks_unasked(&self) -> bool {
        self.family != Family::Newest && self.is_since((5, 0), (5, 0))
    }

    /// Returns how long its answers can be, thoughts and all.
    pub(super) fn most_tokens(&self) -> u32 {
        let has = |part: &str| self.name.contains(part);
        match self.family {
            Family::Newest => 128_000,
            Family::Haiku if self.version >= (5, 0) => 128_000,
            Family::Opus if self.version >= (4, 8) => 128_000,
            Family::Opus if self.version >= (4, 5) => 64_000,
            Family::Opus if self.version >= (4, 0) => 32_000,
            Family::Opus if self.version >= (3, 0) => 4096,
            Family::Other if has("claude-3-5") => 8192,
            Family::Other if has("3-opus") || has("3-haiku") => 4096,
            _ => 64_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_a_model_knows() {
        for (name, effort, max, xhigh, unasked, tokens) in [
            ("claude-opus-5", true, true, true, true, 128_000),
            ("claude-opus-4-8", true, true, true, false, 128_000),
            ("us.anthropic.claude-opus-4-7-v1", true, true, true, false, 64_000),
            ("claude-opus-4-6", true, true, false, false, 64_000),
            ("claude-opus-4-5-20251101", true, false, false, false, 64_000),
            ("claude-opus-4-20250514", false, false, false, false, 32_000),
            ("claude-sonnet-5", true, true, true, true, 64_000),
            ("claude-sonnet-4-6", true, true, false, false, 64_000),
            ("claude-sonnet-4-5-20250929", false, false, false, false, 64_000),
            ("claude-haiku-5", true, true, true, true, 128_000),
            ("claude-haiku-4-5", false, false, false, false, 64_000),
            ("claude-fable-1", true, true, true, false, 128_000),
            ("claude-3-5-haiku-20241022", false, false, false, false, 8192),
            ("claude-3-opus-20240229", false, false, false, false, 4096),
            ("care-7b", false, false, false, false, 64_000),
        ] {
            let claude = Claude::named(name);
            assert_eq!(
                (
                    claude.knows_effort(),
                    claude.knows_max(),
                    claude.knows_xhigh(),
                    claude.thinks_unasked(),
                    claude.most_tokens()
                ),
                (effort, max, xhigh, unasked, tokens),
                "{name}"
            );
        }
    }
}
