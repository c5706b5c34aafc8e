//! The orders of the list of services, and its pages.

use std::cmp::Ordering;

use forge_testkit::both_engines;
use serde_json::json;

use super::{Row, create, new_body, pages, rows_with_ties, with};

/// Returns every order that can be asked for; the default one first.
fn orders() -> Vec<Vec<&'static str>> {
    let (names, activities) = (["+name", "-name"], ["+is_active", "-is_active"]);
    let mut orders = vec![vec![]];
    orders.extend(names.iter().chain(&activities).map(|key| vec![*key]));
    for (name, activity) in names
        .iter()
        .flat_map(|name| activities.iter().map(move |activity| (*name, *activity)))
    {
        orders.extend([vec![name, activity], vec![activity, name]]);
    }
    orders.push(vec!["-name", "+is_active", "+name"]);
    orders
}

/// Returns the ids in the order asked for; equal rows stay in order of creation.
fn sorted<'r>(rows: impl Iterator<Item = &'r Row>, order: &[&str]) -> Vec<&'r str> {
    let mut rows: Vec<&Row> = rows.collect();
    rows.sort_by(|left, right| {
        let by_key = |key: &&str| {
            let (sign, field) = key.split_at(1);
            let ordering = if field == "name" {
                left.name.cmp(right.name)
            } else {
                left.is_active.cmp(&right.is_active)
            };
            if sign == "-" { ordering.reverse() } else { ordering }
        };
        order
            .iter()
            .map(by_key)
            .find(|ordering| ordering.is_ne())
            .unwrap_or(Ordering::Equal)
    });
    rows.into_iter().map(|row| row.id.as_str()).collect()
}

fn order_query(order: &[&str]) -> String {
    let keys: Vec<String> = order
        .iter()
        .map(|key| format!("&sort_by={}", key.replace('+', "%2B")))
        .collect();
    keys.concat()
}

#[both_engines]
async fn every_order_and_page_size_gives_every_service_once(server: TestServer) {
    let rows = rows_with_ties(&server).await;
    for order in orders() {
        let expected = sorted(rows.iter(), &order);
        for limit in [1, 2, 3, 9, 20] {
            let pages = pages(server.admin(), &order_query(&order), limit).await;
            assert_eq!(pages.len(), rows.len().div_ceil(limit), "{order:?}");
            assert_eq!(pages.concat(), expected, "{order:?}, {limit} a page");
        }
    }
}

#[both_engines]
async fn filtered_lists_are_paged_in_every_order_too(server: TestServer) {
    type Filter = (String, fn(&Row) -> bool);
    let rows = rows_with_ties(&server).await;
    let all_ids: Vec<String> = rows.iter().rev().map(|row| format!("&id={}", row.id)).collect();
    let all_ids = all_ids.concat();
    let filters: [Filter; 5] = [
        ("&is_active=true".to_owned(), |row| row.is_active),
        ("&is_active=false".to_owned(), |row| !row.is_active),
        ("&tags=letter:b".to_owned(), |row| row.name.to_lowercase() == "b"),
        (all_ids.clone(), |_| true),
        (format!("{all_ids}&is_active=false&tags=letter:a"), |row| {
            !row.is_active && row.name == "a"
        }),
    ];
    for order in orders() {
        for (filter, keep) in &filters {
            let expected = sorted(rows.iter().filter(|row| keep(row)), &order);
            let pages = pages(server.admin(), &format!("{}{filter}", order_query(&order)), 2).await;
            assert_eq!(pages.concat(), expected, "{order:?} with {filter}");
            assert_eq!(pages.len(), expected.len().div_ceil(2), "{order:?} with {filter}");
        }
    }
}

#[both_engines]
async fn a_service_created_while_a_list_is_read_moves_no_other(server: TestServer) {
    let rows = rows_with_ties(&server).await;
    let first = server.admin().get("service/?sort_by=-name&limit=4").await;
    let token = &first.body["continuation_token"];
    create(
        &server,
        with(new_body(&server, "zz").await, &json!({"is_active": false})),
    )
    .await;
    let second = server
        .admin()
        .get(&format!(
            "service/?sort_by=-name&limit=20&continuation_token={token}"
        ))
        .await;
    let found = [&first, &second]
        .map(|page| page.body["services"].as_array().unwrap().clone())
        .concat();
    let found: Vec<&str> = found.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(found, sorted(rows.iter(), &["-name"]));
}
