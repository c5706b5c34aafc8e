//! Names in indexes, and looking for them.

use std::fmt::Display;
use std::str::FromStr;

use forge_domain::name::spellings;
use sha2::{Digest as _, Sha256};

use crate::StoreError;
use crate::row::Value;
use crate::statement::Statement;
use crate::tx::Tx;

/// Returns what stands for a name in an index: SHA-256, in hex.
pub(crate) fn hash(name: &str) -> String {
    forge_domain::hex(&Sha256::digest(name.as_bytes()))
}

impl Tx {
    /// Returns the id of a thing of that name, however it is spelled, unless it is the one left out.
    ///
    /// The statement binds the name's hash after the scope.
    pub(crate) async fn namesake<I>(
        &mut self,
        statement: &Statement,
        scope: Vec<Value>,
        name: &str,
        except: Option<I>,
    ) -> Result<Option<I>, StoreError>
    where
        I: FromStr<Err: Display> + PartialEq,
    {
        for spelling in spellings(name) {
            let mut args = scope.clone();
            args.push(hash(&spelling).into());
            let found = self.optional(statement, args, |row| row.parse("id")).await?;
            if found.is_some() && found != except {
                return Ok(found);
            }
        }
        Ok(None)
    }
}
