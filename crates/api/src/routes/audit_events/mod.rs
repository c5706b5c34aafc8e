//! The audit log.

use forge_app::audit::SignedCheckpoint;
use forge_wire::audit::CheckpointInstance;

pub(crate) mod export;
pub(crate) mod head;
pub(crate) mod list;

fn checkpoint(signed: &SignedCheckpoint) -> CheckpointInstance {
    CheckpointInstance::new(signed.checkpoint.clone(), signed.signature.clone())
}
