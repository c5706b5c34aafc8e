//! Whether the server is closed for maintenance.

use forge_store::Tx;

use crate::AppError;

/// The name of the setting that closes the whole server for maintenance, and its value when it does.
pub(crate) const MAINTENANCE: (&str, &str) = ("maintenance", "on");

/// Returns `true` if the whole server is closed for maintenance.
pub(crate) async fn is_server_closed(tx: &mut Tx) -> Result<bool, AppError> {
    Ok(tx.find_setting(MAINTENANCE.0).await?.as_deref() == Some(MAINTENANCE.1))
}
