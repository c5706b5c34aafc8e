//! The API over its router, on both engines. Every answer is held against the contract by the client.

mod first;
