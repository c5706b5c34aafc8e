//! Organizations and their users, roles, keys and grants.

pub mod api_keys;
pub mod organizations;
pub mod roles;
pub mod temporary_grants;
pub mod users;
