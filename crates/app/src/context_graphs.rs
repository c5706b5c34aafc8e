//! Versions of context graphs.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use forge_domain::asset::AssetKind;
use forge_domain::context_graph::rules::{self, Referenced};
use forge_domain::context_graph::{ContextGraphDocument, StateNames};
use forge_domain::fault::Fault;
use forge_domain::version::next_version;
use forge_domain::{Timestamp, VersionNumber};
use forge_store::{Asset, Tx};

use crate::assets::{
    authorize_new_version, authorize_some_new_version, authorize_some_read, find_named, insert_version,
};
use crate::{App, AppError, Caller, Written, commit};

const KIND: AssetKind = AssetKind::ContextGraph;

/// Creates the next version of a context graph.
pub async fn create_version(
    app: &App,
    caller: &Caller,
    id: &str,
    expected: Option<VersionNumber>,
    document: &ContextGraphDocument,
) -> Result<Written<(VersionNumber, Timestamp)>, AppError> {
    authorize_some_new_version(caller, KIND)?;
    check_document(document)?;
    let mut tx = app.write(caller).await?;
    let (graph, version) = check(app, &mut tx, caller, id, expected, document).await?;
    let text = serde_json::to_string(document).map_err(|error| AppError::Internal(Box::new(error)))?;
    insert_version(&mut tx, caller, KIND, &graph, version, text).await?;
    let created_at = tx.changed_at();
    commit(tx, (version, created_at)).await
}

/// Checks everything that [`create_version`] checks and stores nothing.
pub async fn dry_run_version(
    app: &App,
    caller: &Caller,
    id: &str,
    expected: Option<VersionNumber>,
    document: &ContextGraphDocument,
) -> Result<(), AppError> {
    authorize_some_new_version(caller, KIND)?;
    check_document(document)?;
    let mut tx = app.store.read().await?;
    check(app, &mut tx, caller, id, expected, document)
        .await
        .map(drop)
}

fn check_document(document: &ContextGraphDocument) -> Result<(), AppError> {
    let faults = rules::check(document);
    if faults.is_empty() {
        return Ok(());
    }
    Err(AppError::Invalid(
        faults.into_iter().map(|fault| fault.inside("body")).collect(),
    ))
}

async fn check(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    id: &str,
    expected: Option<VersionNumber>,
    document: &ContextGraphDocument,
) -> Result<(Asset, VersionNumber), AppError> {
    let graph = authorize_new_version(tx, caller, KIND, id).await?;
    if !document.references.is_empty() {
        authorize_some_read(caller, KIND)?;
    }
    if let Some(tool) = document.tools().find(|tool| !app.catalogues.tools.contains(tool)) {
        return Err(AppError::NotFound(format!(
            "there is no tool {tool} in this installation"
        )));
    }
    let faults = reference_faults(tx, caller, document).await?;
    if !faults.is_empty() {
        let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
        return Err(AppError::Refused(texts.join("; ")));
    }
    let version = next_version(graph.latest_version, expected)?;
    Ok((graph, version))
}

async fn reference_faults(
    tx: &mut Tx,
    caller: &Caller,
    document: &ContextGraphDocument,
) -> Result<Vec<Fault>, AppError> {
    // Several names may stand for the same version; it is read once.
    let mut known = HashMap::new();
    for (id, number) in document.references.values() {
        if let Entry::Vacant(place) = known.entry((*id, *number)) {
            place.insert(referenced(tx, caller, &id.to_string(), *number).await?);
        }
    }
    let look_up = |id, number| {
        known
            .get(&(id, number))
            .cloned()
            .unwrap_or(Referenced::NoSuchGraph)
    };
    Ok(rules::check_references(document, look_up))
}

async fn referenced(tx: &mut Tx, caller: &Caller, id: &str, number: i64) -> Result<Referenced, AppError> {
    // Whoever lets conversations enter a graph gets to know what is in it.
    let Some(graph) = find_named(tx, caller, KIND, id).await? else {
        return Ok(Referenced::NoSuchGraph);
    };
    if graph.is_deprecated {
        return Ok(Referenced::Deprecated);
    }
    let Ok(number) = VersionNumber::try_from(number) else {
        return Ok(Referenced::NoSuchVersion);
    };
    let Some(version) = tx.find_version(&caller.organization, KIND, id, number).await? else {
        return Ok(Referenced::NoSuchVersion);
    };
    if let Some(yank) = tx.find_yank(&caller.organization, KIND, id, number).await? {
        return Ok(Referenced::Yanked(yank.reason));
    }
    let names = StateNames::of_stored(version.document.get());
    let names = names.map_err(|error| AppError::Internal(Box::new(error)))?;
    Ok(Referenced::Version(Arc::new(names)))
}
