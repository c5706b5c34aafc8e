//! What a change of a set reads.

use forge_domain::asset::AssetKind;
use forge_domain::{OrganizationId, ServiceId, SetName, VersionNumber};
use forge_testkit::{both_engines, version_set};
use serde_json::json;

#[both_engines]
async fn two_sets_are_read_at_once_deleted_or_not(server: TestServer) {
    let organization: OrganizationId = server.admin().organization.parse().unwrap();
    let service = server.service(1).await;
    let path = format!("service/{service}/version_sets/test/");
    server
        .admin()
        .put(&path, json!({"version_set": version_set(1, None)}))
        .await;
    server.admin().delete(&path).await;
    let service: ServiceId = service.parse().unwrap();
    let name = |name: &str| name.parse::<SetName>().unwrap();
    let mut read = server.app.store.read().await.unwrap();
    for (first, second, expected) in [
        ("release", "edge", vec!["edge", "release"]),
        ("test", "release", vec!["release", "test"]),
        ("release", "release", vec!["release"]),
        ("preview", "edge", vec!["edge"]),
        ("preview", "personal-alex", vec![]),
    ] {
        let names = [&name(first), &name(second)];
        let mut found = read.find_two_sets(&organization, service, names).await.unwrap();
        found.sort_by_key(|set| set.name.to_string());
        let found_names: Vec<&str> = found.iter().map(|set| set.name.as_str()).collect();
        assert_eq!(found_names, expected, "{first} and {second}");
        for set in found {
            let alone = read.find_set(&organization, service, &set.name).await.unwrap();
            assert_eq!(alone, Some(set));
        }
    }
    let stranger: OrganizationId = server.stranger().organization.parse().unwrap();
    let names = [&name("edge"), &name("release")];
    assert_eq!(read.find_two_sets(&stranger, service, names).await.unwrap(), []);
}

#[both_engines]
async fn a_service_is_read_with_what_it_is_bound_to(server: TestServer) {
    let organization: OrganizationId = server.admin().organization.parse().unwrap();
    let id: ServiceId = server.service(3).await.parse().unwrap();
    let mut read = server.app.store.read().await.unwrap();
    let (service, binding) = read.find_bound_service(&organization, id).await.unwrap().unwrap();
    assert_eq!(
        Some(&service),
        read.find_service(&organization, id).await.unwrap().as_ref()
    );
    let alone = read
        .find_binding(&organization, service.agent_id, service.context_graph_id)
        .await;
    assert_eq!(Some(&binding), alone.unwrap().as_ref());
    assert_eq!(binding.agent.id.kind(), AssetKind::Agent);
    assert_eq!(binding.agent.latest.map(VersionNumber::get), Some(3));
    let stranger: OrganizationId = server.stranger().organization.parse().unwrap();
    assert_eq!(read.find_bound_service(&stranger, id).await.unwrap(), None);
}
