//! What holds for every operation on agents and context graphs.

use axum::http::Method;
use forge_domain::access::DefaultRole;
use forge_testkit::both_engines;
use serde_json::json;

use super::{KINDS, UNKNOWN};

#[both_engines]
async fn every_operation_asks_who_calls_what_they_may_and_what_it_is_about(server: TestServer) {
    let user = server.user(DefaultRole::User).await;
    let nowhere = server.admin().in_organization("no-such-organization");
    for kind in KINDS {
        let id = kind.with_versions(server.admin(), 1).await;
        for (method, path, body) in kind.operations(&id) {
            let anonymous = server
                .admin()
                .anonymous()
                .send(method.clone(), &path, body.clone())
                .await;
            assert_eq!(anonymous.status, 401, "{method} {path}");
            let forbidden = user.send(method.clone(), &path, body.clone()).await;
            if method == Method::GET && path == kind.path {
                assert!(forbidden.shows_nothing(), "{method} {path}: {}", forbidden.body);
            } else {
                assert_eq!(forbidden.status, 403, "{method} {path}");
                assert!(
                    forbidden.detail().contains("`Organization:"),
                    "{}",
                    forbidden.detail()
                );
            }
            assert_eq!(
                nowhere.send(method.clone(), &path, body).await.status,
                404,
                "{method} {path}"
            );
        }
        for (method, path, body) in kind.operations_on(UNKNOWN) {
            let unknown = server.admin().send(method.clone(), &path, body.clone()).await;
            assert_eq!(unknown.status, 404, "{method} {path}");
            assert!(unknown.detail().contains(UNKNOWN), "{}", unknown.detail());
            assert_eq!(
                user.send(method.clone(), &path, body).await.status,
                403,
                "{method} {path}"
            );
        }
        for malformed in [
            "x",
            &UNKNOWN[1..],
            &UNKNOWN.to_uppercase(),
            &format!("{UNKNOWN}f"),
            "%20",
        ] {
            for (method, path, body) in kind.operations_on(malformed) {
                let refused = server.admin().send(method.clone(), &path, body).await;
                assert_eq!(refused.status, 422, "{method} {path}");
                assert!(refused.faults()[0].starts_with("path."), "{}", refused.body);
            }
        }
        assert_eq!(
            kind.names(server.admin(), "").await,
            ["versioned"],
            "nothing was created"
        );
    }
}

#[both_engines]
async fn failures_come_in_the_documented_order(server: TestServer) {
    let user = server.user(DefaultRole::User).await;
    let nowhere = server.admin().anonymous().in_organization("no-such-organization");
    for kind in KINDS {
        let malformed = || json!({"background": 7, "states": 7});
        for (client, id, body, status) in [
            (&nowhere, "x", malformed(), 404),
            (&server.admin().anonymous(), "x", malformed(), 401),
            (&user, "x", malformed(), 403),
            (&user, UNKNOWN, (kind.version)(), 403),
            (server.admin(), "x", malformed(), 422),
            (server.admin(), UNKNOWN, malformed(), 422),
            (server.admin(), UNKNOWN, (kind.version)(), 404),
        ] {
            let answer = client.post(&format!("{}?version=9", kind.one(id)), body).await;
            assert_eq!(answer.status, status, "{}", answer.body);
        }
    }
}

#[both_engines]
async fn another_organizations_are_not_there(server: TestServer) {
    for kind in KINDS {
        let id = kind.with_versions(server.admin(), 1).await;
        assert!(kind.rows(server.stranger(), "").await.is_empty());
        assert!(kind.rows(server.stranger(), &format!("id={id}")).await.is_empty());
        let unknown = kind.operations_on(UNKNOWN);
        for ((method, path, body), (_, other, _)) in kind.operations_on(&id).into_iter().zip(unknown) {
            let hidden = server.stranger().send(method.clone(), &path, body.clone()).await;
            assert_eq!(hidden.status, 404, "{method} {path}");
            let unknown = server.stranger().send(method, &other, body).await;
            assert_eq!(hidden.detail().replace(&id, UNKNOWN), unknown.detail());
        }
        let expected = json!({"id": id, "name": "versioned", "deprecated": false, "latest_version": 1});
        assert_eq!(kind.rows(server.admin(), "").await, [expected]);
    }
}

#[both_engines]
async fn every_path_works_with_and_without_a_slash_at_its_end(server: TestServer) {
    let admin = server.admin();
    for kind in KINDS {
        let body = |name: &str| json!({kind.name_field: name});
        let without = admin.post(kind.path, body("a")).await.id();
        let with = admin.post(&format!("{}/", kind.path), body("b")).await.id();
        for slash in ["", "/"] {
            assert_eq!(admin.get(&format!("{}{slash}", kind.path)).await.status, 200);
            let one = format!("{}/{without}{slash}", kind.path);
            assert_eq!(admin.post(&one, (kind.version)()).await.status, 201);
            assert_eq!(
                admin
                    .get(&format!("{}/{without}/version{slash}", kind.path))
                    .await
                    .status,
                200
            );
        }
        assert_eq!(
            admin.delete(&format!("{}/{without}", kind.path)).await.status,
            200
        );
        assert_eq!(admin.delete(&format!("{}/{with}/", kind.path)).await.status, 200);
    }
}

#[both_engines]
async fn the_change_number_rises_by_one_with_each_write_and_with_nothing_else(server: TestServer) {
    for kind in KINDS {
        let created = kind.create(server.admin(), "x").await;
        let (id, start) = (created.id(), created.sequence().unwrap());
        assert_eq!(
            kind.add_version(server.admin(), &id).await.sequence(),
            Some(start + 1)
        );
        assert_eq!(server.admin().get(kind.path).await.sequence(), None);
        assert_eq!(kind.create(server.admin(), "x").await.sequence(), None);
        assert_eq!(
            server
                .admin()
                .post(&(kind.one(&id) + "?version=9"), (kind.version)())
                .await
                .status,
            409
        );
        assert_eq!(kind.create(server.stranger(), "x").await.status, 201);
        assert_eq!(
            kind.add_version(server.admin(), &id).await.sequence(),
            Some(start + 2)
        );
        assert_eq!(
            server.admin().delete(&kind.one(&id)).await.sequence(),
            Some(start + 3)
        );
    }
}
