//! `forge service list`

use std::str::FromStr;

use forge_client::ServiceFilter;
use forge_client::answers::Service;
use forge_domain::asset::AssetKind;
use forge_domain::tag::TagFilter;

use super::state;
use super::tag_arg::{shown, tags_of};
use crate::assets::AssetNames;
use crate::error::{Exit, Result};
use crate::lookup::set_order;
use crate::session::Session;

/// List services.
///
/// Tells their agent, their context graph and the names of their sets.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge service list --active\n  forge service list --tag team:care --sort -name\n  \
    forge service list --json\n\n\
    In a pipe, each line has: id, name, `active` or `inactive`, agent, context graph, sets, tags, description."
)]
pub(crate) struct Args {
    /// Only services in which conversations may start.
    #[arg(long, conflicts_with = "inactive")]
    active: bool,
    /// Only the others.
    #[arg(long)]
    inactive: bool,
    /// Only services with this tag: KEY:VALUE, `KEY:*` for any value, `KEY:` for none. Repeated, all must match.
    #[arg(long = "tag", value_name = "KEY:VALUE", value_parser = tag_filter)]
    tags: Vec<String>,
    /// Sort by `name` or `active`, with `-` before it the other way round. Repeated, later ones break ties.
    #[arg(long, value_name = "FIELD", allow_hyphen_values = true)]
    sort: Vec<SortArg>,
}

fn tag_filter(text: &str) -> std::result::Result<String, String> {
    match text.parse::<TagFilter>() {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// A field to sort by, in the form of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SortArg(String);

impl FromStr for SortArg {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (sign, name) = match text.strip_prefix('-') {
            Some(name) => ('-', name),
            None => ('+', text.strip_prefix('+').unwrap_or(text)),
        };
        match name {
            "name" => Ok(Self(format!("{sign}name"))),
            "active" => Ok(Self(format!("{sign}is_active"))),
            _ => Err("services are sorted by `name`, `-name`, `active` or `-active`".to_owned()),
        }
    }
}

pub(crate) async fn run(session: &Session, args: Args) -> Result<Exit> {
    let (ui, client) = (&session.ui, &session.client);
    let is_filtered = args.active || args.inactive || !args.tags.is_empty();
    let filter = ServiceFilter {
        is_active: (args.active || args.inactive).then_some(args.active),
        tags: args.tags,
        sort_by: args.sort.into_iter().map(|sort| sort.0).collect(),
        ..ServiceFilter::default()
    };
    let page = client.find_services(filter).all().await?;
    if ui.json {
        ui.document(&page.json)?;
        return Ok(Exit::Ok);
    }
    let services = &page.value;
    let agents = services.iter().map(|service| service.agent_id.into());
    let agents = AssetNames::fetch(client, AssetKind::Agent, agents.collect()).await?;
    let graphs = services.iter().map(|service| service.context_graph_id.into());
    let graphs = AssetNames::fetch(client, AssetKind::ContextGraph, graphs.collect()).await?;
    let agent = |service: &Service| agents.name(service.agent_id);
    let graph = |service: &Service| graphs.name(service.context_graph_id);
    let sets = |service: &Service| {
        let mut names: Vec<&str> = service.version_sets.keys().map(String::as_str).collect();
        names.sort_by_key(|name| set_order(name));
        names.join(" ")
    };
    ui.rows(
        services,
        ["service", "state", "agent", "context graph", "sets", "tags"],
        |service| {
            [
                service.name.clone(),
                state(service.is_active).to_owned(),
                agent(service),
                graph(service),
                sets(service),
                shown(&tags_of(&service.tags)),
            ]
        },
        |service| {
            [
                service.id.to_string(),
                service.name.clone(),
                state(service.is_active).to_owned(),
                agent(service),
                graph(service),
                sets(service),
                shown(&tags_of(&service.tags)),
                service.description.clone(),
            ]
        },
    )?;
    if services.is_empty() {
        ui.note(if is_filtered {
            "there is no such service that you may see"
        } else {
            "there is no service yet that you may see; `forge service create` makes one"
        });
    }
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minus_sorts_the_other_way_round() {
        let sort = |text: &str| text.parse::<SortArg>().map(|sort| sort.0);
        assert_eq!(sort("name"), Ok("+name".to_owned()));
        assert_eq!(sort("-active"), Ok("-is_active".to_owned()));
        assert!(sort("id").is_err());
    }
}
