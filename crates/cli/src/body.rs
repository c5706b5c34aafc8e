//! Bodies of requests, checked by the contract before anything is planned with them.

use forge_contract::contract;
use forge_domain::fault::Fault;
use serde_json::Value;

use crate::error::{Failure, Result};

/// Reads the body of a request as the server would; fails with every fault that its contract finds.
pub(crate) fn read_body(operation: &str, body: Value) -> std::result::Result<Value, Vec<String>> {
    let operation = contract()
        .operation(operation)
        .ok_or_else(|| vec![format!("the contract has no operation {operation}")])?;
    let text = |fault: &Fault| fault.to_string().replacen("body.", "", 1);
    operation
        .read_body(body)
        .map_err(|faults| faults.iter().map(text).collect())
}

/// Ensures that the contract admits a body, before anything is planned with it.
pub(crate) fn check_body(operation: &str, body: Value) -> Result<()> {
    let Err(faults) = read_body(operation, body) else {
        return Ok(());
    };
    let mut failure = Failure::failed("it cannot be like this; nothing was changed");
    failure.details = faults;
    Err(failure)
}
