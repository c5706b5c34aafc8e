//! Who may do what, as tables that people read: a change of rights shows up in them.
//!
//! `UPDATE_GOLDEN=1 cargo test -p forge-domain matrix` writes them anew.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;

use super::{
    Asked, Attributes, CHANGEABLE_ATTRIBUTES, Condition, DefaultRole, Grant, Need, OPERATIONS, Permission,
    allows,
};

/// What conditions are tried on: an attribute that has the value, one that has another, and one that is absent.
const VALUE: &str = "a";

/// Holds a text against a file, or writes the file.
#[track_caller]
fn golden(path: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let advice = "run `UPDATE_GOLDEN=1 cargo test -p forge-domain matrix` and look at what changed";
    assert!(committed == text, "{} is out of date; {advice}", path.display());
}

fn short(role: DefaultRole) -> &'static str {
    let name = role.name().strip_prefix("Default").unwrap();
    name.strip_suffix("Role").unwrap()
}

fn word(is_allowed: bool) -> &'static str {
    if is_allowed { "yes" } else { "-" }
}

/// Returns a line of cells, padded so that columns stand below one another.
fn line(first: &str, cells: &[&str]) -> String {
    let cells = cells
        .iter()
        .fold(String::new(), |line, cell| format!("{line} {cell:<18}"));
    format!("{first:<76}{cells}").trim_end().to_owned() + "\n"
}

/// Returns every default role against every permission, without and with each condition on each attribute.
fn matrix() -> String {
    let mut text = String::from("What each default role may do.\n\n");
    text += &line("", &DefaultRole::ALL.map(short));
    for permission in Permission::ALL {
        let allowed =
            DefaultRole::ALL.map(|role| word(allows(&role.grants(), *permission, &Attributes::default())));
        text += &line(permission.name(), &allowed);
    }
    text += "\nWhat a grant with one condition allows on a thing with that attribute, another one, or none of it.\n\n";
    text += &line("", &["the same", "another", "absent"]);
    let value = || json!(VALUE);
    let conditions = [
        ("Equals a", Condition::Equals { value: value() }),
        ("NotEquals a", Condition::NotEquals { value: value() }),
        (
            "In a",
            Condition::In {
                values: vec![value()],
            },
        ),
        ("In nothing", Condition::In { values: Vec::new() }),
    ];
    for permission in Permission::ALL {
        for attribute in permission.attributes() {
            for (name, condition) in &conditions {
                let grants = [Grant {
                    permission_name: permission.name().to_owned(),
                    conditions: [((*attribute).to_owned(), condition.clone())]
                        .into_iter()
                        .collect(),
                }];
                let things = [
                    Attributes::default().with(attribute, VALUE),
                    Attributes::default().with(attribute, "b"),
                    Attributes::default(),
                ];
                let allowed = things.map(|thing| word(allows(&grants, *permission, &thing)));
                text += &line(&format!("{} {attribute} {name}", permission.name()), &allowed);
            }
        }
    }
    text
}

/// Returns the page of the documentation.
fn page() -> String {
    let mut text = String::from(
        "# Permissions\n\n\
        Generated from the code; a test keeps it up to date. What grants and conditions mean is in [the\n\
        API](api.md#permissions).\n\n\
        | permission | attributes | User | Administrator | AmigoAdministrator | SuperAdministrator |\n\
        |---|---|---|---|---|---|\n",
    );
    for permission in Permission::ALL {
        let attributes: Vec<String> = permission
            .attributes()
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        write!(text, "| `{}` | {} |", permission.name(), attributes.join(", ")).unwrap();
        for role in DefaultRole::ALL {
            let is_allowed = allows(&role.grants(), *permission, &Attributes::default());
            text += if is_allowed { " yes |" } else { " |" };
        }
        text += "\n";
    }
    text += "\nThe full name of a role is `Default…Role`, such as `DefaultUserRole`.\n\n";
    for role in DefaultRole::ALL {
        writeln!(text, "- `{}`: {}", role.name(), role.description()).unwrap();
    }
    text + &changes() + &operations()
}

/// Returns the table of what changes what conditions are about.
fn changes() -> String {
    let mut text = String::from(
        "\n## What changes what conditions are about\n\n\
        Every other attribute is what it is for as long as the thing exists. Whoever changes one of these gains nothing\n\
        by it: where a permission on the thing, or on what belongs to it, would come to them by the new value that they\n\
        do not have by the old one, the change is a 403 that names the permission.\n\n\
        | attribute | of | changed by | permissions |\n\
        |---|---|---|---|\n",
    );
    for attribute in CHANGEABLE_ATTRIBUTES {
        let permissions: Vec<String> = attribute
            .permissions()
            .map(|permission| format!("`{}`", permission.name()))
            .collect();
        let permissions = permissions.join(", ");
        writeln!(
            text,
            "| `{}` | {} | {} | {permissions} |",
            attribute.name, attribute.of, attribute.operation
        )
        .unwrap();
    }
    text
}

/// Returns the table of what each operation asks.
fn operations() -> String {
    let mut text = String::from(
        "\n## What each operation asks\n\n\
        A caller who has a permission on nothing at all is refused (403) before anything is looked up. Of a list, the\n\
        rows that the caller may not see are left out. Whoever names a thing in another one needs the permission on it,\n\
        too; what they may not have is answered like what is not there\n\
        ([ADR 0028](adr/0028-a-reference-takes-a-right.md)). Operations that hand out rights also\n\
        [compare roles](adr/0012-comparing-privileges.md).\n\n\
        Whoever may change a version set is told by its plan what it pins and would pin, and why it is held: nobody should\n\
        change what they cannot see changing. Whoever may see a set is told the name of the set that it was promoted from.\n\n\
        | operation | permission | on | asked |\n\
        |---|---|---|---|\n",
    );
    for operation in OPERATIONS {
        if operation.needs.is_empty() {
            writeln!(text, "| {} | | | only roles are compared |", operation.id).unwrap();
        }
        for Need {
            permission,
            on,
            asked,
        } in operation.needs
        {
            let asked = match asked {
                Asked::Always => "always".to_owned(),
                Asked::Rows => "for each row".to_owned(),
                Asked::When(condition) => format!("if {condition}"),
                Asked::Shows(what) => format!("to be told {what}"),
            };
            writeln!(
                text,
                "| {} | `{}` | {on} | {asked} |",
                operation.id,
                permission.name()
            )
            .unwrap();
        }
    }
    text
}

#[test]
fn each_operation_is_listed_once() {
    let mut ids: Vec<&str> = OPERATIONS.iter().map(|operation| operation.id).collect();
    ids.sort_unstable();
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn the_matrix_is_what_was_agreed() {
    golden("src/access/matrix.txt", &matrix());
}

#[test]
fn the_documentation_is_up_to_date() {
    golden("../../docs/permissions.md", &page());
}
