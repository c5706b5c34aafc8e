//! Profiles: where the server is, and who signs in there.
//!
//! The five values come from one source and are never mixed, so that no key is ever sent to a server that it does not
//! belong to. Variables win over files.

mod dotenv;
mod folders;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use forge_client::Credentials;

use crate::error::{Exit, Failure, Result};

pub(crate) use dotenv::write as file_text;
pub(crate) use folders::Folders;

/// The name of the profile that is used when none is named.
pub(crate) const DEFAULT: &str = "default";
/// What variables, and the lines of files, begin with; the first that is there counts.
const PREFIXES: [&str; 2] = ["FORGE_", "AMIGO_"];
/// How they go on.
const FIELDS: [&str; 5] = ["BASE_URL", "ORGANIZATION_ID", "USER_ID", "API_KEY_ID", "API_KEY"];

/// Where a profile comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// Variables with this prefix.
    Variables(&'static str),
    /// A file.
    File(PathBuf),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variables(prefix) => write!(f, "the variables {prefix}…"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A profile.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) credentials: Credentials,
    pub(crate) source: Source,
    /// A file that was named and is not used, because variables win.
    pub(crate) passed_over: Option<PathBuf>,
}

/// Where profiles are looked for.
pub(crate) struct Places {
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) folders: Folders,
}

impl Places {
    /// The process's environment, its working directory and its user's folders.
    pub(crate) fn of_process() -> Self {
        // A variable that is no text cannot be one of ours.
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self {
            variables: std::env::vars_os()
                .filter_map(text)
                .filter(|(_, value)| !value.is_empty())
                .collect(),
            folders: Folders::of_process(),
        }
    }

    /// Finds the profile of this name; nothing means the default one.
    pub(crate) fn find(&self, name: Option<&str>) -> Result<Profile> {
        let name = name.filter(|name| !name.is_empty());
        let file = self.file(name.unwrap_or(DEFAULT))?;
        if let Some((credentials, prefix)) = read(&self.variables, |missing, prefix| {
            incomplete(&format!("the variables {prefix}…"), missing, prefix).hint(
                "set all five, or none of them to use a file; a server that `forge serve` runs on this machine is at \
                 http://127.0.0.1:8787",
            )
        })? {
            return Ok(Profile {
                credentials,
                source: Source::Variables(prefix),
                passed_over: file.filter(|_| name.is_some()),
            });
        }
        let Some(path) = file else {
            return Err(not_signed_in(name));
        };
        let credentials = read_file(&path)?.ok_or_else(|| incomplete_file(&path, &FIELDS, PREFIXES[0]))?;
        Ok(Profile {
            credentials,
            source: Source::File(path),
            passed_over: None,
        })
    }

    /// Returns the whole set of variables, if there is one.
    pub(crate) fn variables(&self) -> Result<Option<Credentials>> {
        let found = read(&self.variables, |missing, prefix| {
            incomplete(&format!("the variables {prefix}…"), missing, prefix)
                .hint("set all five, or give `forge auth login` the values as options")
        })?;
        Ok(found.map(|(credentials, _)| credentials))
    }

    /// Returns the file of a profile: in the working directory, else in the user's configuration.
    fn file(&self, name: &str) -> Result<Option<PathBuf>> {
        check_name(name)?;
        let folders = [
            Some(self.folders.working.clone()),
            self.folders.configuration.clone(),
        ];
        let paths = folders.into_iter().flatten().map(|folder| path_in(&folder, name));
        Ok(paths.into_iter().find(|path| path.is_file()))
    }
}

fn not_signed_in(name: Option<&str>) -> Failure {
    let message = match name {
        Some(name) => format!(
            "not signed in: there is no `.env.{name}`, here or in your configuration, and no variables are set"
        ),
        None => "not signed in".to_owned(),
    };
    let login = match name {
        Some(name) => format!("forge auth login --env {name}"),
        None => "forge auth login".to_owned(),
    };
    let variables = FIELDS.map(|field| format!("FORGE_{field}")).join(", ");
    Failure::new(Exit::NotPermitted, message)
        .hint(format!("run `{login}`, or set {variables}"))
        .hint("`forge init` and `forge admin key create` print these, but for the server's address")
}

/// Makes sure that a name can be part of a file's name.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.chars().all(is_fine) && !name.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Usage,
        format!("`{name}` is no name of a profile: it has letters, digits, `-`, `_` and `.` only"),
    ))
}

/// Returns the file of a profile in a folder.
pub(crate) fn path_in(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!(".env.{name}"))
}

/// Reads the file of a profile; nothing if it has no value of one.
pub(crate) fn read_file(path: &Path) -> Result<Option<Credentials>> {
    let place = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::failed(format!("cannot read {place}: {error}")))?;
    let values = dotenv::parse(&text).map_err(|fault| Failure::failed(format!("{place}: {fault}")))?;
    let found = read(&values, |missing, prefix| incomplete_file(path, missing, prefix))?;
    Ok(found.map(|(credentials, _)| credentials))
}

fn incomplete_file(path: &Path, missing: &[&str], prefix: &str) -> Failure {
    incomplete(&format!("the lines of {}", path.display()), missing, prefix)
        .hint("`forge auth login` writes a whole profile")
}

fn incomplete(place: &str, missing: &[&str], prefix: &str) -> Failure {
    let missing: Vec<String> = missing.iter().map(|field| format!("{prefix}{field}")).collect();
    Failure::new(
        Exit::NotPermitted,
        format!("not signed in: {place} lack {}", missing.join(", ")),
    )
}

/// Reads credentials of one prefix; nothing if there is no value of any prefix.
fn read(
    values: &BTreeMap<String, String>,
    incomplete: impl Fn(&[&str], &'static str) -> Failure,
) -> Result<Option<(Credentials, &'static str)>> {
    for prefix in PREFIXES {
        let value = |field: &str| {
            values
                .get(&format!("{prefix}{field}"))
                .filter(|value| !value.is_empty())
        };
        let missing: Vec<&str> = FIELDS
            .into_iter()
            .filter(|field| value(field).is_none())
            .collect();
        if missing.len() == FIELDS.len() {
            continue;
        }
        if !missing.is_empty() {
            return Err(incomplete(&missing, prefix));
        }
        let text = |field: &str| value(field).cloned().unwrap_or_default();
        let credentials = Credentials {
            base_url: text("BASE_URL"),
            organization_id: text("ORGANIZATION_ID"),
            user_id: text("USER_ID"),
            api_key_id: text("API_KEY_ID"),
            api_key: text("API_KEY"),
        };
        return Ok(Some((credentials, prefix)));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn variables_win_over_the_working_directory_and_that_over_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let mut places = places(BTreeMap::new(), folder.path());
        let who = |places: &Places, name: Option<&str>| {
            let profile = places.find(name).unwrap();
            profile.credentials.user_id.split('-').next().unwrap().to_owned()
        };
        write(
            &folder.path().join("config/.env.staging"),
            &values("FORGE_", "config"),
        );
        assert_eq!(who(&places, Some("staging")), "config");
        write(&folder.path().join(".env.staging"), &values("AMIGO_", "working"));
        assert_eq!(who(&places, Some("staging")), "working");
        assert_eq!(places.find(None).unwrap_err().exit, Exit::NotPermitted);
        write(
            &folder.path().join("config/.env.default"),
            &values("FORGE_", "default"),
        );
        assert_eq!(who(&places, None), "default");
        places.variables = values("AMIGO_", "amigo");
        assert_eq!(who(&places, Some("staging")), "amigo");
        places.variables.extend(values("FORGE_", "forge"));
        assert_eq!(who(&places, Some("staging")), "forge");
        let profile = places.find(Some("staging")).unwrap();
        assert_eq!(profile.passed_over, Some(folder.path().join(".env.staging")));
        assert_eq!(
            who(&places, Some("no-such-file")),
            "forge",
            "without a file, the variables are used"
        );
    }

    #[test]
    fn sources_are_never_mixed() {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join(".env.staging"), &values("FORGE_", "file"));
        for field in FIELDS {
            let mut variables = values("FORGE_", "variable");
            variables.extend(values("AMIGO_", "amigo"));
            variables.remove(&format!("FORGE_{field}"));
            let failure = places(variables, folder.path())
                .find(Some("staging"))
                .unwrap_err();
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
    fn a_name_cannot_lead_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let failure = places(BTreeMap::new(), folder.path())
            .find(Some("../x"))
            .unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
    }
}
