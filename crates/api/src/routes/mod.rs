//! The endpoints: a folder for each noun, a file for each verb.

use std::time::Duration;

use axum::http::StatusCode;
use forge_app::{AppError, Written};
use forge_domain::asset::{AssetId, AssetVersion};
use forge_domain::fault::Fault;
use forge_domain::tag::{InvalidTagFilter, TagFilter};
use forge_domain::version::{InvalidVersionRange, VersionRange, VersionRef};
use forge_domain::{Direction, ServiceId, Timestamp, UserRef, VersionNumber, parse_duration};
use forge_wire::assets::VersionCreated;
use forge_wire::{parse_rfc3339, rfc3339};
use serde::Deserialize;

use crate::call::invalid_query;
use crate::error::ApiError;
use crate::reply::{self, Answer};

pub(crate) mod agents;
pub(crate) mod api_keys;
pub(crate) mod assets;
pub(crate) mod audit_events;
pub(crate) mod behavior_sets;
pub(crate) mod changes;
pub(crate) mod context_graphs;
pub(crate) mod conversations;
pub(crate) mod items;
pub(crate) mod metrics;
pub(crate) mod models;
pub(crate) mod organizations;
pub(crate) mod personas;
pub(crate) mod roles;
pub(crate) mod scenarios;
pub(crate) mod server;
pub(crate) mod services;
pub(crate) mod temporary_grants;
pub(crate) mod unit_test_set_runs;
pub(crate) mod unit_test_sets;
pub(crate) mod unit_tests;
pub(crate) mod users;
pub(crate) mod version_sets;

/// The path of an agent or a context graph, whatever the operation calls its id.
#[derive(Deserialize)]
pub(crate) struct AssetPath<I> {
    #[serde(
        alias = "agent_id",
        alias = "service_hierarchical_state_machine_id",
        alias = "state_machine_id"
    )]
    pub(crate) id: I,
}

/// The path of a version of an agent or a context graph.
#[derive(Deserialize)]
pub(crate) struct VersionPath<I> {
    #[serde(alias = "agent_id", alias = "service_hierarchical_state_machine_id")]
    pub(crate) id: I,
    pub(crate) version: VersionNumber,
}

impl<I: Into<AssetId>> VersionPath<I> {
    /// Returns the version that the path names.
    pub(crate) fn version_ref(self) -> VersionRef<AssetId> {
        VersionRef {
            id: self.id.into(),
            version: self.version,
        }
    }
}

/// The path of a service.
#[derive(Deserialize)]
pub(crate) struct ServicePath {
    pub(crate) service_id: ServiceId,
}

/// The path of a version set.
///
/// The name is any text: one that cannot be a set's name is one that no set has.
#[derive(Deserialize)]
pub(crate) struct SetPath {
    pub(crate) service_id: ServiceId,
    pub(crate) version_set_name: String,
}

/// The number that a new version is expected to get.
#[derive(Deserialize)]
pub(crate) struct ExpectedVersion {
    #[serde(default)]
    pub(crate) version: Option<VersionNumber>,
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// What a list of versions is asked for.
#[derive(Deserialize)]
pub(crate) struct VersionsQuery {
    #[serde(default)]
    version: Option<String>,
    pub(crate) limit: i64,
    pub(crate) continuation_token: i64,
    sort_by: Vec<String>,
}

impl VersionsQuery {
    /// Returns which versions are wanted.
    pub(crate) fn range(&self) -> Result<VersionRange, ApiError> {
        match &self.version {
            None => Ok(VersionRange::ALL),
            Some(text) => text
                .parse()
                .map_err(|error: InvalidVersionRange| invalid_query("version", &error.to_string())),
        }
    }

    /// Returns `true` if the newest comes first.
    pub(crate) fn is_descending(&self) -> Result<bool, ApiError> {
        let direction = only_sort_key("version", &self.sort_by)?;
        Ok(direction.is_some_and(Direction::is_descending))
    }
}

/// Returns the direction and the field of a sort key such as `-name`.
///
/// A blank stands for a `+` that a client did not escape.
pub(crate) fn sort_key(text: &str) -> Option<(Direction, &str)> {
    match text.split_at_checked(1)? {
        ("-", field) => Some((Direction::Descending, field)),
        ("+" | " ", field) => Some((Direction::Ascending, field)),
        _ => None,
    }
}

/// Returns the direction in which a list is sorted by the only field that it can be sorted by, or `None` if it is not.
pub(crate) fn only_sort_key(field: &str, texts: &[String]) -> Result<Option<Direction>, ApiError> {
    let mut first = None;
    for text in texts {
        match sort_key(text) {
            Some((direction, name)) if name == field => {
                // Only the first counts: a second one has no ties left to break.
                first.get_or_insert(direction);
            }
            _ => {
                let msg = format!("expected `+{field}` or `-{field}`");
                return Err(invalid_query("sort_by", &msg));
            }
        }
    }
    Ok(first)
}

/// Returns the user that a text names as `org_id,user_id`, or `None` if it does not.
pub(crate) fn user_ref(text: &str) -> Option<UserRef> {
    let (organization, user_id) = text.split_once(',')?;
    Some(UserRef {
        org_id: organization.parse().ok()?,
        user_id: user_id.to_owned(),
    })
}

/// Returns a filter on tags from the query parameter of that name.
pub(crate) fn tag_filter(parameter: &str, text: &str) -> Result<TagFilter, ApiError> {
    text.parse()
        .map_err(|error: InvalidTagFilter| invalid_query(parameter, &error.to_string()))
}

/// Returns the duration that the body names.
pub(crate) fn duration(text: &str) -> Result<Duration, ApiError> {
    parse_duration(text).map_err(|error| {
        let loc = vec!["body".into(), "duration".into()];
        ApiError::Invalid(vec![Fault::new(loc, "duration", error.to_string())])
    })
}

/// Returns a continuation token, provided that it can be one.
pub(crate) fn token(token: i64) -> Result<i64, ApiError> {
    if token < 0 {
        return Err(invalid_query("continuation_token", "must be at least 0"));
    }
    Ok(token)
}

/// Returns the moment that a query parameter of that name means.
pub(crate) fn moment(parameter: &str, text: &str) -> Result<Timestamp, ApiError> {
    let msg = "expected a time in RFC 3339 with an offset, such as 2026-11-23T15:29:16Z";
    parse_rfc3339(text).ok_or_else(|| invalid_query(parameter, msg))
}

/// Answers that a version was created.
pub(crate) fn version_created(created: Written<(VersionNumber, Timestamp)>) -> Answer {
    let (version, created_at) = created.value;
    let body = VersionCreated {
        version,
        created_at: rfc3339(created_at),
    };
    Ok(reply::with_sequence(
        reply::json(StatusCode::CREATED, &body)?,
        Some(created.change_number),
    ))
}

/// Builds the answer about one version of an asset.
pub(crate) fn version_instance(
    organization: &forge_domain::OrganizationId,
    id: AssetId,
    version: &AssetVersion,
) -> Result<serde_json::Map<String, serde_json::Value>, ApiError> {
    let instance = forge_wire::assets::version_instance(&forge_wire::assets::VersionParts {
        organization,
        id,
        version: version.version,
        document: &version.document,
        creator: &version.creator,
        created_at: version.created_at,
    });
    instance.map_err(|error| AppError::Internal(Box::new(error)).into())
}
