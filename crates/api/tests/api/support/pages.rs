//! Lists, read to their end.

use forge_testkit::TestClient;
use serde_json::json;

/// Returns one field of everything that the pages of a list have, page by page; `path` has a query.
pub(crate) async fn pages(client: &TestClient, path: &str, list: &str, field: &str) -> Vec<Vec<String>> {
    let (mut pages, mut token) = (Vec::new(), json!(0));
    loop {
        let page = client.get(&format!("{path}&continuation_token={token}")).await;
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        let rows = page.body[list].as_array().unwrap().iter();
        pages.push(rows.map(|row| row[field].as_str().unwrap().to_owned()).collect());
        token = page.body["continuation_token"].clone();
        assert_eq!(page.body["has_more"], json!(!token.is_null()), "{path}");
        if token.is_null() {
            return pages;
        }
    }
}
