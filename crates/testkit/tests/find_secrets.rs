//! The last step of `./scripts/test`.

#[test]
#[ignore = "it needs what a run of all other tests has written; ./scripts/test runs it"]
fn nothing_that_the_tests_wrote_holds_a_secret() {
    let folder = std::env::var_os("FORGE_TEST_RECORD_DIR").expect("FORGE_TEST_RECORD_DIR names the folder");
    match forge_testkit::search(folder.as_ref()) {
        Ok(summary) => println!("{summary}: there is none"),
        Err(error) => panic!("{error}"),
    }
}
