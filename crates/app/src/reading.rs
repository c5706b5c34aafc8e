//! Reading contents of versions for those who run on them.

use std::sync::Arc;

use forge_domain::asset::AssetVersion;
use serde::de::DeserializeOwned;

use crate::snapshot::{Documents, Size, VersionKey, parsed_bytes};
use crate::{AppError, aside};

/// Reads the text of a version, unless somebody else did meanwhile, and remembers what it says.
///
/// Large ones are read one after the other.
pub(crate) async fn read<T: DeserializeOwned + Send + Sync + 'static>(
    known: &Documents<T>,
    key: VersionKey,
    version: Arc<AssetVersion>,
) -> Result<(Arc<T>, Size), AppError> {
    let text = version.document.get().len();
    let _reading = if text > aside::LARGE {
        Some(known.reading.lock().await)
    } else {
        None
    };
    if let Some(found) = known.find_with_size(&key) {
        return Ok(found);
    }
    let work = move || {
        let document = version.document.get();
        let memory = parsed_bytes(document);
        serde_json::from_str(document).map(|read| (read, Size { text, memory }))
    };
    let (document, size) = aside::run(text, work)
        .await
        .map_err(|error| AppError::Internal(Box::new(error)))?;
    let document = Arc::new(document);
    known.keep(key, &document, size);
    Ok((document, size))
}
