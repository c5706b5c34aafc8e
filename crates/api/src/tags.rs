//! Entity tags, as they come back through proxies.

/// What proxies that compress answers put at the end of the tag inside its quotes.
const CODINGS: [&str; 4] = ["-gzip", "-br", "-zstd", "-deflate"];

/// Returns what an entity tag says.
///
/// A proxy that compresses an answer calls the tag weak (`W/"2"`) or marks it (`"2-gzip"`); what it stands for is the
/// same.
pub(crate) fn opaque(tag: &str) -> &str {
    let tag = tag.trim();
    let text = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
    let plain = CODINGS.iter().find_map(|coding| text.strip_suffix(coding));
    // Some put two lines there.
    plain.map_or(text, |plain| plain.trim_end_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_proxy_makes_of_a_tag_says_the_same() {
        for tag in [
            r#""2""#,
            r#"W/"2""#,
            r#" "2-gzip""#,
            r#"W/"2-br" "#,
            r#""2--gzip""#,
            r#""2-zstd""#,
            "2",
        ] {
            assert_eq!(opaque(tag), "2", "{tag}");
        }
        for other in [r#""2-x""#, r#""-2""#, "w/2", ""] {
            assert_ne!(opaque(other), "2", "{other}");
        }
    }
}
