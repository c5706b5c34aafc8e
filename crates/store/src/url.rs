//! Where a store is.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

use crate::OpenError;

/// Where a store is.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// In a folder, as an embedded SQLite database.
    Folder(PathBuf),
    /// In a PostgreSQL database.
    Postgres(String),
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreUrl({self})")
    }
}

impl fmt::Display for StoreUrl {
    /// Writes where the store is, without any password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::Postgres(url) => match PgConnectOptions::from_str(url) {
                Ok(options) => {
                    let database = options.get_database().unwrap_or_default();
                    write!(
                        f,
                        "postgres://{}:{}/{database}",
                        options.get_host(),
                        options.get_port()
                    )
                }
                Err(_) => f.write_str("postgres://…"),
            },
        }
    }
}

impl FromStr for StoreUrl {
    type Err = OpenError;

    /// Reads `postgres://…`, `postgresql://…` or `sqlite://FOLDER`.
    fn from_str(text: &str) -> Result<Self, OpenError> {
        match text.split_once("://") {
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(text.to_owned())),
            Some(("sqlite", folder)) if !folder.is_empty() => Ok(Self::Folder(folder.into())),
            Some((scheme, _)) => Err(OpenError::UnknownScheme(scheme.to_owned())),
            None => Err(OpenError::UnknownScheme(String::new())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_schemes_are_accepted() {
        assert_eq!(
            "sqlite:///var/forge".parse::<StoreUrl>().unwrap(),
            StoreUrl::Folder("/var/forge".into())
        );
        for good in ["postgres://localhost/forge", "postgresql://u:p@db:1/x"] {
            assert!(
                matches!(good.parse::<StoreUrl>(), Ok(StoreUrl::Postgres(_))),
                "{good}"
            );
        }
        for bad in [
            "mysql://localhost/forge",
            "postgres",
            "",
            "sqlite://",
            "/var/forge",
        ] {
            assert!(
                matches!(bad.parse::<StoreUrl>(), Err(OpenError::UnknownScheme(_))),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let url: StoreUrl = "postgres://forge:hunter2@db:5432/prod".parse().unwrap();
        assert_eq!(url.to_string(), "postgres://db:5432/prod");
        assert_eq!(format!("{url:?}"), "StoreUrl(postgres://db:5432/prod)");
    }
}
