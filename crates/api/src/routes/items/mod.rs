//! What the endpoints of dynamic behavior sets, metrics, personas and scenarios have in common.

mod filter;
pub(crate) mod list;
pub(crate) mod list_versions;
pub(crate) mod search;

use forge_domain::OrganizationId;
use forge_domain::item::Item;
use forge_wire::items::ItemAnswers;

pub(crate) use filter::CreatorForm;

fn instances<D: ItemAnswers>(organization: &OrganizationId, items: Vec<Item<D>>) -> Vec<D::Instance> {
    let instance = |item| D::instance(organization, item);
    items.into_iter().map(instance).collect()
}
