//! Reading answers, never without end.

use crate::HttpError;
use crate::http::Response;

/// What was read of an answer.
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    /// How long it might have been at most, if it was longer and is not whole.
    pub(crate) is_longer_than: Option<usize>,
}

/// Reads so many bytes of an answer at most.
pub(crate) async fn read(mut response: Response, longest: usize) -> Result<Body, HttpError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = longest - bytes.len();
        if chunk.len() > room {
            bytes.extend_from_slice(&chunk[..room]);
            return Ok(Body {
                bytes,
                is_longer_than: Some(longest),
            });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Body {
        bytes,
        is_longer_than: None,
    })
}
