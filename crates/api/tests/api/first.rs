use forge_testkit::both_engines;

both_engines! {
    async fn a_service_starts_with_edge_and_release(server: TestServer) {
        let service = server.service(2).await;
        let sets = server.admin().get(&format!("service/{service}/version_sets/")).await;
        assert_eq!(sets.status, 200);
        let names: Vec<&str> =
            sets.body["version_sets"].as_array().unwrap().iter().map(|set| set["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["edge", "release"]);
        assert_eq!(sets.body["version_sets"][0]["resolved"]["agent_version_number"], 2);
    }
}
