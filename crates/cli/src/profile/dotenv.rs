//! The lines of `.env` files: `NAME=VALUE`, with `#` before comments. Nothing in a value is replaced by anything else.

use std::collections::BTreeMap;

/// Reads the lines. Those of other programs are among them.
pub(super) fn parse(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut values = BTreeMap::new();
    for (position, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, value)) = line.split_once('=') else {
            return Err(format!("line {} is not of the form NAME=VALUE", position + 1));
        };
        values.insert(name.trim().to_owned(), unquoted(value.trim()).to_owned());
    }
    Ok(values)
}

fn unquoted(value: &str) -> &str {
    ['"', '\'']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(value)
}

/// Returns the lines of a profile, which a shell can read, too.
pub(crate) fn write(credentials: &forge_client::Credentials) -> String {
    let values = [
        ("BASE_URL", &credentials.base_url),
        ("ORGANIZATION_ID", &credentials.organization_id),
        ("USER_ID", &credentials.user_id),
        ("API_KEY_ID", &credentials.api_key_id),
        ("API_KEY", &credentials.api_key),
    ];
    let line = |(name, value): (&str, &String)| format!("FORGE_{name}='{value}'\n");
    values.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_shells_read_them() {
        let values = parse("# mine\n\nexport A=1\n B = 'x y' \nC=\"#1$A\"\nD=a=b\nE=\n").unwrap();
        let expected = [("A", "1"), ("B", "x y"), ("C", "#1$A"), ("D", "a=b"), ("E", "")];
        assert_eq!(values, expected.map(|(n, v)| (n.to_owned(), v.to_owned())).into());
        assert_eq!(
            parse("A=1\nnonsense").unwrap_err(),
            "line 2 is not of the form NAME=VALUE"
        );
    }
}
