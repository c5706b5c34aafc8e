//! Finding agents and context graphs, and their versions, by what people call them.

use std::collections::{BTreeSet, HashMap};
use std::str::FromStr;

use forge_client::answers::{Asset, AssetVersion};
use forge_client::{Client, ClientError};
use forge_domain::asset::{AssetId, AssetKind};
use forge_domain::name::is_same;
use forge_domain::numeral::integer;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::error::{Failure, Result};
use crate::finder::{self, Noun, by_name_or_id};
use crate::ui::quoted;

/// How many ids one request names.
const LISTED: usize = 10;

/// What stands beside a version's content and is none of it.
const BESIDE_CONTENT: [&str; 7] = [
    "org_id",
    "agent_id",
    "service_hierarchical_state_machine_id",
    "version",
    "created_at",
    "creator",
    "yanked",
];

/// Which of the two, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum KindArg {
    Agent,
    #[value(alias = "context_graph")]
    ContextGraph,
}

impl KindArg {
    pub(crate) fn kind(self) -> AssetKind {
        match self {
            Self::Agent => AssetKind::Agent,
            Self::ContextGraph => AssetKind::ContextGraph,
        }
    }
}

/// Returns the word of a kind on the command line.
pub(crate) fn word(kind: AssetKind) -> &'static str {
    match kind {
        AssetKind::Agent => "agent",
        AssetKind::ContextGraph => "context-graph",
    }
}

/// Returns the arguments that list the versions.
pub(crate) fn versions_arguments(kind: AssetKind, name: &str) -> String {
    format!("asset versions {} {}", word(kind), quoted(name))
}

/// A version: `3`, `@3`, `latest` or `@latest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct VersionRef(pub(crate) Option<i64>);

impl FromStr for VersionRef {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let bare = text.strip_prefix('@').unwrap_or(text);
        let number = integer(bare).filter(|number| *number > 0);
        match (bare, number) {
            ("latest", _) => Ok(Self(None)),
            (_, Some(number)) => Ok(Self(Some(number))),
            _ => Err(format!("`{text}` is no version; they are 1, 2, 3 … and `latest`")),
        }
    }
}

/// `NAME`, `NAME@N` or `NAME@latest`.
///
/// A name may have an `@` itself; the last one counts, if a version follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AssetRef {
    /// All of it.
    typed: String,
    pub(crate) name: String,
    /// The version, if one was named.
    pub(crate) version: Option<VersionRef>,
}

impl FromStr for AssetRef {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let named = text
            .rsplit_once('@')
            .and_then(|(name, version)| Some((name, version.parse().ok()?)));
        let (name, version) = match named {
            Some((name, version)) => (name, Some(version)),
            None => (text, None),
        };
        if name.is_empty() {
            return Err("the form is NAME, or NAME@VERSION".to_owned());
        }
        Ok(Self {
            typed: text.to_owned(),
            name: name.to_owned(),
            version,
        })
    }
}

/// Finds what `NAME` or `NAME@VERSION` means.
///
/// A name that ends like a version means what is called so, unless there is such a version, too.
pub(crate) async fn find_ref(
    client: &Client,
    kind: AssetKind,
    wanted: &AssetRef,
) -> Result<(Asset, Option<VersionRef>)> {
    let all = client.assets(kind, &[]).all().await?.value;
    choose_ref(&all, kind, wanted)
}

fn choose_ref(all: &[Asset], kind: AssetKind, wanted: &AssetRef) -> Result<(Asset, Option<VersionRef>)> {
    let whole = wanted
        .version
        .and_then(|_| all.iter().find(|asset| is_same(&asset.name, &wanted.typed)));
    match (whole, by_name_or_id(all, &wanted.name)) {
        (Some(whole), Some(part)) => {
            let text = format!(
                "`{}` is the name of the {kind} {}, and a version of `{}`",
                wanted.typed, whole.id, part.name
            );
            Err(Failure::failed(text).hint(format!(
                "name the one that you mean by its id, as in `{}@1`",
                whole.id
            )))
        }
        (Some(whole), None) => Ok((whole.clone(), None)),
        (None, Some(part)) => Ok((part.clone(), wanted.version)),
        (None, None) => Err(not_found(all, kind, &wanted.name)),
    }
}

/// Finds an agent or a context graph by its exact name or its id.
pub(crate) async fn find(client: &Client, kind: AssetKind, wanted: &str) -> Result<Asset> {
    let all = client.assets(kind, &[]).all().await?.value;
    by_name_or_id(&all, wanted)
        .cloned()
        .ok_or_else(|| not_found(&all, kind, wanted))
}

/// Says that there is nothing of a name, and what may have been meant.
pub(crate) fn not_found(all: &[Asset], kind: AssetKind, wanted: &str) -> Failure {
    let names = all.iter().map(|asset| asset.name.as_str());
    finder::not_found(Noun::of_asset(kind), wanted, names)
}

/// The names of agents or context graphs.
///
/// Those that the user may not see are missing.
pub(crate) struct AssetNames(HashMap<AssetId, Asset>);

impl AssetNames {
    pub(crate) async fn fetch(client: &Client, kind: AssetKind, ids: BTreeSet<AssetId>) -> Result<Self> {
        let ids: Vec<AssetId> = ids.into_iter().collect();
        if ids.is_empty() {
            return Ok(Self(HashMap::new()));
        }
        // An address must not become too long: of many, all are fetched.
        let wanted = if ids.len() > LISTED { &[][..] } else { &ids };
        let found = match client.assets(kind, wanted).all().await {
            Ok(found) => found.value,
            Err(ClientError::Forbidden(_)) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        Ok(Self(found.into_iter().map(|asset| (asset.id, asset)).collect()))
    }

    /// Returns all of them.
    pub(crate) fn into_assets(self) -> impl Iterator<Item = Asset> {
        self.0.into_values()
    }

    /// Returns the name, or the id where that is all there is.
    pub(crate) fn name(&self, id: impl Into<AssetId>) -> String {
        let id = id.into();
        self.0
            .get(&id)
            .map_or_else(|| id.to_string(), |asset| asset.name.clone())
    }
}

/// A version, and its content.
pub(crate) struct Content {
    pub(crate) version: AssetVersion,
    pub(crate) document: Map<String, Value>,
}

/// Returns a version, the latest if none is named; `None` if there is no version at all.
pub(crate) async fn try_content(
    client: &Client,
    asset: &Asset,
    version: Option<i64>,
) -> Result<Option<Content>> {
    let page = client.asset_version(asset.id, version).await?;
    let found = page.value.into_iter().zip(page.rows).next();
    found
        .map(|(version, row)| {
            Ok(Content {
                version,
                document: content(&row)?,
            })
        })
        .transpose()
}

/// Returns a version, the latest if none is named.
pub(crate) async fn find_content(client: &Client, asset: &Asset, version: Option<i64>) -> Result<Content> {
    if let Some(found) = try_content(client, asset, version).await? {
        return Ok(found);
    }
    let kind = asset.id.kind();
    let hint = format!(
        "`forge {}` lists those there are",
        versions_arguments(kind, &asset.name)
    );
    Err(match (version, asset.latest_version) {
        (Some(number), Some(latest)) => Failure::failed(format!(
            "{kind} `{}` has no version {number}; the newest is {latest}",
            asset.name
        ))
        .hint(hint),
        _ => Failure::failed(format!("{kind} `{}` has no version yet", asset.name)).hint(format!(
            "`forge asset push {} {}` makes the first one",
            word(kind),
            quoted(&asset.name)
        )),
    })
}

/// Returns the content of a version, without what the list tells beside it.
fn content(row: &RawValue) -> Result<Map<String, Value>> {
    let mut fields: Map<String, Value> = serde_json::from_str(row.get())?;
    without_list_fields(&mut fields);
    Ok(fields)
}

/// Takes out of a document what stands beside the content of a version in lists.
pub(crate) fn without_list_fields(document: &mut Map<String, Value>) {
    for name in BESIDE_CONTENT {
        document.shift_remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finder::tests::agent;

    #[test]
    fn a_version_follows_the_last_at() {
        let parsed = |text: &str| {
            let parsed: AssetRef = text.parse().unwrap();
            (parsed.name, parsed.version.map(|version| version.0))
        };
        let asset = |name: &str, version: Option<Option<i64>>| (name.to_owned(), version);
        assert_eq!(parsed("Mira"), asset("Mira", None));
        assert_eq!(parsed("Mira@3"), asset("Mira", Some(Some(3))));
        assert_eq!(parsed("Mira@latest"), asset("Mira", Some(None)));
        assert_eq!(parsed("me@clinic"), asset("me@clinic", None));
        assert_eq!(parsed("me@clinic@2"), asset("me@clinic", Some(Some(2))));
        assert_eq!(parsed("Mira@0"), asset("Mira@0", None));
        assert!("@3".parse::<AssetRef>().is_err());
        assert_eq!("@3".parse(), Ok(VersionRef(Some(3))));
        assert_eq!("latest".parse(), Ok(VersionRef(None)));
        for bad in ["0", "@", "-1", "x", "+3", "@+3", "03"] {
            assert!(bad.parse::<VersionRef>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_that_ends_like_a_version_is_never_taken_for_one() {
        let [a, b] = ["a", "b"].map(|digit| digit.repeat(24));
        let found = |all: &[Asset], typed: &str| {
            let found = choose_ref(all, AssetKind::Agent, &typed.parse().unwrap());
            found.map(|(asset, version)| (asset.id.to_string(), version.and_then(|version| version.0)))
        };
        let (mira, whole) = (agent(&a, "Mira"), agent(&b, "Mira@3"));
        assert_eq!(
            found(std::slice::from_ref(&mira), "Mira@3").unwrap(),
            (a.clone(), Some(3))
        );
        assert_eq!(
            found(std::slice::from_ref(&whole), "Mira@3").unwrap(),
            (b.clone(), None)
        );
        let both = [mira, whole];
        let failure = found(&both, "Mira@3").unwrap_err();
        assert!(
            failure
                .message
                .unwrap()
                .contains(&format!("`Mira@3` is the name of the agent {b}"))
        );
        assert_eq!(found(&both, "Mira@2").unwrap(), (a.clone(), Some(2)));
        assert_eq!(found(&both, "Mira@3@1").unwrap(), (b.clone(), Some(1)));
        assert_eq!(found(&both, &format!("{b}@1")).unwrap(), (b.clone(), Some(1)));
    }
}
