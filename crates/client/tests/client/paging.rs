//! Lists that come in pages.

use crate::scripted::{Server, answer, client, token};

const ID: &str = "0123456789abcdef01234567";

fn service(name: &str) -> String {
    format!(
        r#"{{"id":"{ID}","name":"{name}","is_active":true,"agent_id":"{ID}","later":1.50,"service_hierarchical_state_machine_id":"{ID}"}}"#
    )
}

fn page(names: &[&str], token: &str, extra: &str) -> String {
    let rows: Vec<String> = names.iter().map(|name| service(name)).collect();
    format!(
        r#"{{"services":[{}],"has_more":{},"continuation_token":{token}{extra}}}"#,
        rows.join(","),
        token != "null"
    )
}

#[tokio::test]
async fn all_pages_make_one_document_whose_rows_are_as_they_were_sent() {
    let server = Server::start(vec![
        token("t", 3600),
        answer(200, &page(&["a", "b"], "7", r#","filter_values":{"tags":[]}"#)),
        answer(200, &page(&["c"], "null", r#","filter_values":null"#)),
    ]);
    let client = client(&server.address, 0, None);
    let all = client.services(&[], Some(true)).all().await.unwrap();
    let names: Vec<&str> = all.value.iter().map(|service| service.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert!(!all.has_more);
    assert_eq!(
        all.json.get(),
        page(&["a", "b", "c"], "null", r#","filter_values":{"tags":[]}"#)
    );
    let asked = server.finish();
    assert_eq!(
        asked[1].line,
        "GET /v1/acme/service/?limit=20&continuation_token=0&is_active=true"
    );
    assert_eq!(
        asked[2].line,
        "GET /v1/acme/service/?limit=20&continuation_token=7&is_active=true"
    );
}

#[tokio::test]
async fn a_limit_ends_the_list_and_its_document_says_how_to_go_on() {
    let server = Server::start(vec![token("t", 3600), answer(200, &page(&["a"], "7", ""))]);
    let client = client(&server.address, 0, None);
    let some = client
        .services(&[ID.parse().unwrap()], None)
        .at_most(1)
        .await
        .unwrap();
    assert_eq!((some.value.len(), some.has_more), (1, true));
    assert_eq!(some.json.get(), page(&["a"], "7", ""));
    assert!(
        server.finish()[1]
            .line
            .ends_with(&format!("limit=1&continuation_token=0&id={ID}"))
    );
}
