//! Fields that null erases.

use serde::{Deserialize, Deserializer};

#[expect(clippy::option_option, reason = "absent, null and a value mean three things")]
/// Reads a field that null erases and `{}` leaves as it is.
pub(crate) fn erasable<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<String>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Text(String),
        NotSet {},
    }
    Ok(match Option::<Given>::deserialize(deserializer)? {
        None => Some(None),
        Some(Given::Text(text)) => Some(Some(text)),
        Some(Given::NotSet {}) => None,
    })
}
