//! Creating agents and context graphs.

use forge_testkit::both_engines;
use serde_json::json;

use super::KINDS;

#[both_engines]
async fn a_new_one_has_a_name_and_no_version(server: TestServer) {
    for kind in KINDS {
        let id = kind.create(server.admin(), "Mira").await.id();
        assert!(
            id.len() == 24
                && id
                    .bytes()
                    .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)),
            "{id}"
        );
        let rows = kind.rows(server.admin(), "").await;
        assert_eq!(
            rows,
            [json!({"id": id, "name": "Mira", "deprecated": false, "latest_version": null})]
        );
    }
}

#[both_engines]
async fn names_are_stripped_and_have_at_most_256_characters(server: TestServer) {
    let long = "é".repeat(256);
    for kind in KINDS {
        for name in ["  Mira \n", &format!("\t{long} ")] {
            assert_eq!(kind.create(server.admin(), name).await.status, 201);
        }
        assert_eq!(kind.names(server.admin(), "").await, ["Mira", &long]);
        let place = format!("body.{}", kind.name_field);
        for (body, fault) in [
            (json!({kind.name_field: format!("{long}é")}), "string_too_long"),
            (json!({kind.name_field: " \t\n"}), "string_too_short"),
            (json!({kind.name_field: null}), "type"),
            (json!({}), "missing"),
        ] {
            let refused = server.admin().post(kind.path, body).await;
            assert_eq!(refused.status, 422);
            assert_eq!(refused.faults(), [format!("{place}: {fault}")]);
        }
    }
}

#[both_engines]
async fn names_are_unique_in_an_organization_deprecated_ones_included(server: TestServer) {
    for kind in KINDS {
        let id = kind.create(server.admin(), "Mira").await.id();
        for name in ["Mira", " Mira "] {
            let refused = kind.create(server.admin(), name).await;
            assert_eq!(refused.status, 409);
            assert!(refused.detail().contains("`Mira`"), "{}", refused.detail());
        }
        assert_eq!(server.admin().delete(&kind.one(&id)).await.status, 200);
        assert_eq!(kind.create(server.admin(), "Mira").await.status, 409);
        assert_eq!(kind.create(server.admin(), "mira").await.status, 201);
        assert_eq!(kind.create(server.stranger(), "Mira").await.status, 201);
    }
}
