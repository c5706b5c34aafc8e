//! `forge asset yank` and `forge asset unyank`

use forge_client::answers::{Asset, Finding};
use forge_domain::asset::AssetKind;
use serde_json::json;

use super::versions::places;
use crate::assets::{self, AssetRef, KindArg, versions_arguments};
use crate::change::{ApplyArgs, Done};
use crate::edit::Edit;
use crate::error::{Exit, Failure, Result};
use crate::plan::FieldEdit;
use crate::session::Session;

/// Declare a version unfit: nothing new may pin it.
///
/// What runs it goes on, and its health says so; the plan tells where that is.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge asset yank agent Mira@2 --reason 'It books on holidays.'\n  \
    forge asset yank agent Mira@2 --reason 'It books on holidays.' --apply"
)]
pub(crate) struct YankArgs {
    /// `agent` or `context-graph`.
    #[arg(value_enum)]
    kind: KindArg,
    /// Name or id, and the version.
    #[arg(value_name = "NAME@VERSION")]
    asset: AssetRef,
    /// Why, for everybody who meets the version.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    change: ApplyArgs,
}

/// Take a yank back: the version may be pinned again.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge asset unyank agent Mira@2\n  forge asset unyank agent Mira@2 --apply"
)]
pub(crate) struct UnyankArgs {
    /// `agent` or `context-graph`.
    #[arg(value_enum)]
    kind: KindArg,
    /// Name or id, and the version.
    #[arg(value_name = "NAME@VERSION")]
    asset: AssetRef,
    #[command(flatten)]
    change: ApplyArgs,
}

pub(super) async fn yank(session: &Session, args: YankArgs) -> Result<Exit> {
    change(
        session,
        args.kind.kind(),
        &args.asset,
        Some(args.reason.trim()),
        &args.change,
    )
    .await
}

pub(super) async fn unyank(session: &Session, args: UnyankArgs) -> Result<Exit> {
    change(session, args.kind.kind(), &args.asset, None, &args.change).await
}

async fn change(
    session: &Session,
    kind: AssetKind,
    wanted: &AssetRef,
    reason: Option<&str>,
    args: &ApplyArgs,
) -> Result<Exit> {
    let client = &session.client;
    let no_version = || {
        let text = format!("`{}` names no version", wanted.name);
        Failure::new(Exit::Usage, text).hint("name it, as in `NAME@2`")
    };
    wanted.version.ok_or_else(no_version)?;
    let (asset, version) = assets::find_ref(client, kind, wanted).await?;
    let version = version.ok_or_else(no_version)?;
    let found = assets::find_content(client, &asset, version.0).await?.version;
    let number = found.version;
    let action = if reason.is_some() { "yank" } else { "unyank" };
    let mut edit = Edit::new(
        session,
        format!("{action} version {number} of {kind} `{}`", asset.name),
        &versions_arguments(kind, &asset.name),
    );
    let before = found
        .yanked
        .as_ref()
        .map(|yank| yank.reason.as_deref().unwrap_or_default());
    if before != reason {
        let field = |name: &str, from, to| FieldEdit::new(name, from, to);
        edit.plan.fields = vec![field("reason", json!(before), json!(reason))];
        if before.is_some() != reason.is_some() {
            let yanked = field("is_yanked", json!(before.is_some()), json!(reason.is_some()));
            edit.plan.fields.insert(0, yanked.called("yanked"));
        }
    }
    if reason.is_some() && before != reason {
        edit.plan.warnings.extend(runs_on(session, &asset, number).await?);
    }
    edit.carry_out(session, args, async || {
        let yanked = client.yank(asset.id, number, found.yanked.as_ref(), reason).await;
        let yanked = yanked.map_err(|error| edit.refused(error))?;
        let state = if yanked.value.is_yanked {
            "yanked"
        } else {
            "not yanked any more"
        };
        Ok(Done::new(
            format!("done: version {number} of {kind} `{}` is {state}", asset.name),
            Some(yanked.json),
        ))
    })
    .await
}

/// Warns of the sets that go on with the version.
async fn runs_on(session: &Session, asset: &Asset, number: i64) -> Result<Option<Finding>> {
    let references = session.client.references(asset.id, number).all().await?.value;
    Ok((!references.is_empty()).then(|| Finding {
        code: "in_use".to_owned(),
        message: format!(
            "what runs the version goes on with it: {}",
            places(&references, "; ")
        ),
        hint: Some("roll those sets back, or promote another version to them".to_owned()),
    }))
}
