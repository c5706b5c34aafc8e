use super::*;

fn values(prefix: &str, who: &str) -> BTreeMap<String, String> {
    let value = |field: &str| (format!("{prefix}{field}"), format!("{who}-{field}"));
    FIELDS.into_iter().map(value).collect()
}

fn places(variables: BTreeMap<String, String>, folder: &Path) -> Places {
    let configuration = folder.join("config");
    std::fs::create_dir_all(&configuration).unwrap();
    Places {
        variables,
        folders: Folders {
            working: folder.to_owned(),
            configuration: Some(configuration),
            cache: None,
        },
    }
}

fn write(path: &Path, values: &BTreeMap<String, String>) {
    let lines: Vec<String> = values
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    std::fs::write(path, lines.join("\n")).unwrap();
}

/// Tells whose credentials are found, all of them.
#[track_caller]
fn who(places: &Places, option: Option<&str>) -> String {
    let credentials = places.find(option).unwrap().credentials;
    let all = [
        credentials.base_url,
        credentials.organization_id,
        credentials.user_id,
        credentials.api_key_id,
        credentials.api_key,
    ];
    let names: BTreeSet<&str> = all.iter().map(|value| value.split('-').next().unwrap()).collect();
    assert_eq!(names.len(), 1, "values of two sources are mixed");
    names.first().unwrap().to_string()
}

#[test]
fn a_profile_that_is_named_wins_over_every_variable() {
    let folder = tempfile::tempdir().unwrap();
    let mut variables = values("FORGE_", "forge");
    variables.extend(values("AMIGO_", "amigo"));
    variables.insert(NAMING.to_owned(), "other".to_owned());
    let places = places(variables, folder.path());
    write(
        &folder.path().join("config/.env.staging"),
        &values("FORGE_", "config"),
    );
    assert_eq!(who(&places, Some("staging")), "config");
    write(&folder.path().join(".env.staging"), &values("AMIGO_", "working"));
    assert_eq!(
        who(&places, Some("staging")),
        "working",
        "the working directory comes first"
    );
}

#[test]
fn a_profile_that_is_named_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let places = places(values("FORGE_", "forge"), folder.path());
    write(&folder.path().join(".env.prod"), &values("FORGE_", "prod"));
    write(
        &folder.path().join("config/.env.default"),
        &values("FORGE_", "default"),
    );
    std::fs::write(folder.path().join(".env.local"), "OTHER=1").unwrap();
    for name in ["staging", "local"] {
        let failure = places.find(Some(name)).unwrap_err();
        assert_eq!(failure.exit, Exit::NotPermitted);
        let message = failure.message.unwrap();
        for part in [
            format!("there is no profile `{name}`"),
            folder.path().join(format!(".env.{name}")).display().to_string(),
            folder
                .path()
                .join(format!("config/.env.{name}"))
                .display()
                .to_string(),
        ] {
            assert!(message.contains(&part), "{part} is not in {message}");
        }
        assert_eq!(failure.hints[0], "the profiles are `default`, `prod`");
    }
    assert_eq!(places.find(Some("")).unwrap_err().exit, Exit::Usage);
}

#[test]
fn without_a_name_the_variables_are_used_and_then_the_default_profile() {
    let folder = tempfile::tempdir().unwrap();
    let mut places = places(BTreeMap::new(), folder.path());
    assert_eq!(places.find(None).unwrap_err().exit, Exit::NotPermitted);
    write(
        &folder.path().join("config/.env.default"),
        &values("FORGE_", "default"),
    );
    assert_eq!(who(&places, None), "default");
    places.variables = values("AMIGO_", "amigo");
    assert_eq!(who(&places, None), "amigo");
    places.variables.extend(values("FORGE_", "amigo"));
    assert_eq!(who(&places, None), "amigo", "both say the same");
}

#[test]
fn a_variable_that_names_a_profile_and_variables_that_name_a_server_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join(".env.staging"), &values("FORGE_", "staging"));
    let naming = || [(NAMING.to_owned(), "staging".to_owned())];
    let mut places = places(naming().into(), folder.path());
    assert_eq!(who(&places, None), "staging");
    for prefix in PREFIXES {
        for field in FIELDS {
            // One of them is enough.
            let variable = format!("{prefix}{field}");
            places.variables = naming().into();
            places.variables.insert(variable.clone(), "x".to_owned());
            let failure = places.find(None).unwrap_err();
            assert_eq!(failure.exit, Exit::NotPermitted);
            let message = failure.message.unwrap();
            assert!(
                message.contains(NAMING) && message.contains(&variable),
                "{message}"
            );
            assert_eq!(who(&places, Some("staging")), "staging");
        }
    }
    places.variables = [(NAMING.to_owned(), "nosuch".to_owned())].into();
    let message = places.find(None).unwrap_err().message.unwrap();
    assert!(message.contains("there is no profile `nosuch`"), "{message}");
}

#[test]
fn sources_are_never_mixed() {
    let folder = tempfile::tempdir().unwrap();
    for field in FIELDS {
        let mut variables = values("FORGE_", "variable");
        variables.extend(values("AMIGO_", "variable"));
        variables.remove(&format!("FORGE_{field}"));
        let failure = places(variables, folder.path()).find(None).unwrap_err();
        assert_eq!(failure.exit, Exit::NotPermitted);
        assert!(
            failure
                .message
                .unwrap()
                .ends_with(&format!(" lack FORGE_{field}"))
        );
    }
    let mut half = values("FORGE_", "file");
    half.remove("FORGE_API_KEY");
    write(&folder.path().join(".env.staging"), &half);
    let failure = places(BTreeMap::new(), folder.path())
        .find(Some("staging"))
        .unwrap_err();
    assert!(failure.message.unwrap().ends_with(" lack FORGE_API_KEY"));
}

#[test]
fn two_prefixes_that_name_two_servers_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for field in FIELDS {
        let mut all = values("AMIGO_", "a");
        all.extend(values("FORGE_", "a"));
        assert_eq!(who(&places(all.clone(), folder.path()), None), "a");
        all.insert(format!("AMIGO_{field}"), "b".to_owned());
        write(&folder.path().join(".env.two"), &all);
        for (variables, name) in [(all, None), (BTreeMap::new(), Some("two"))] {
            let failure = places(variables, folder.path()).find(name).unwrap_err();
            assert_eq!(failure.exit, Exit::NotPermitted);
            let message = failure.message.unwrap();
            for name in [format!("FORGE_{field}"), format!("AMIGO_{field}")] {
                assert!(message.contains(&name), "{name} is not in {message}");
            }
        }
    }
}

#[test]
fn what_is_no_file_is_told_and_never_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let places = places(BTreeMap::new(), folder.path());
    write(
        &folder.path().join("config/.env.gone"),
        &values("FORGE_", "config"),
    );
    std::os::unix::fs::symlink("nowhere", folder.path().join(".env.gone")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.path().join(".env.zero")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(folder.path().join(".env.pipe"))
        .status();
    assert!(made.unwrap().success());
    for (name, fault) in [
        ("gone", "it is a link to nothing"),
        ("zero", "it is a pipe, a device or a socket, not a file"),
        ("pipe", "it is a pipe, a device or a socket, not a file"),
    ] {
        let message = places.find(Some(name)).unwrap_err().message.unwrap();
        let path = folder.path().join(format!(".env.{name}"));
        assert_eq!(message, format!("{}: {fault}", path.display()));
    }
    // Whoever mistypes a name is told of the others, without a look into what has no end.
    let failure = places.find(Some("gine")).unwrap_err();
    assert_eq!(failure.hints[0], "there is the profile `gone`");
}

#[test]
fn a_file_may_begin_with_a_byte_order_mark() {
    let folder = tempfile::tempdir().unwrap();
    let text: String = FIELDS.map(|field| format!("FORGE_{field}=file-x\r\n")).concat();
    std::fs::write(folder.path().join(".env.staging"), format!("\u{feff}{text}")).unwrap();
    let places = places(BTreeMap::new(), folder.path());
    assert_eq!(who(&places, Some("staging")), "file");
}

#[test]
fn a_name_cannot_lead_out_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let failure = places(BTreeMap::new(), folder.path())
        .find(Some("../x"))
        .unwrap_err();
    assert_eq!(failure.exit, Exit::Usage);
}
