//! Reading what models answer: tolerant of what stands around an answer, exact in what it means.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads a JSON object, also one inside a code fence or between other text. Of several, the first that fits counts.
pub(crate) fn object<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let mut reason = "there is no JSON object in it".to_owned();
    let mut rest = text;
    let mut tried = 0;
    while let Some(start) = rest.find('{') {
        rest = &rest[start..];
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let mut skip = 1;
        if let Some(Ok(value)) = values.next() {
            match serde_json::from_value(value) {
                Ok(object) => return Ok(object),
                Err(error) => reason = forge_domain::shortened(&error.to_string()).into_owned(),
            }
            skip = values.byte_offset();
        } else if tried == 0 {
            "its JSON is broken".clone_into(&mut reason);
        }
        tried += 1;
        // An answer that is nothing but braces must not keep anybody busy.
        if tried == 20 {
            break;
        }
        rest = &rest[skip..];
    }
    Err(reason)
}

/// Reads which of some options was chosen: its index, or nothing for number 0, which only some questions admit.
pub(crate) fn choice(text: &str, options: &[&str], may_be_none: bool) -> Result<Option<usize>, String> {
    #[derive(Deserialize)]
    struct Chosen {
        choice: Value,
    }
    let Chosen { choice } = object(text)?;
    let number = match &choice {
        Value::Null => Some(0),
        Value::Number(number) => number.as_u64(),
        Value::String(text) => {
            let text = text.trim();
            let named = options
                .iter()
                .position(|option| option.eq_ignore_ascii_case(text));
            named.map(|index| index as u64 + 1).or_else(|| text.parse().ok())
        }
        _ => None,
    };
    let least = u64::from(!may_be_none);
    let most = options.len() as u64;
    match number {
        Some(0) if may_be_none => Ok(None),
        Some(number) if (1..=most).contains(&number) => Ok(usize::try_from(number - 1).ok()),
        _ => Err(format!("`choice` must be a whole number from {least} to {most}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_found_in_fences_and_between_words() {
        for text in [
            r#"{"choice": 2}"#,
            "```json\n{\"choice\": 2}\n```",
            "Well {so} I think: {\"choice\": 2}. Or {\"choice\": 1}?",
            r#"{"why": "because"} {"choice": "2"}"#,
            r#"{"choice": "Yes"}"#,
        ] {
            assert_eq!(choice(text, &["no", "yes"], false), Ok(Some(1)), "{text}");
        }
    }

    #[test]
    fn what_is_no_option_is_refused() {
        for text in [
            "2",
            "",
            "{",
            r#"{"choice": 3}"#,
            r#"{"choice": -1}"#,
            r#"{"choice": 1.5}"#,
            r#"{"choice": "maybe"}"#,
            r#"{"choice": 0}"#,
            r#"{"choice": [1]}"#,
            r#"{"choose": 1}"#,
        ] {
            assert!(choice(text, &["no", "yes"], false).is_err(), "{text}");
        }
        assert_eq!(choice(r#"{"choice": 0}"#, &["no"], true), Ok(None));
        assert_eq!(choice(r#"{"choice": null}"#, &["no"], true), Ok(None));
    }

    #[test]
    fn nothing_but_braces_is_given_up() {
        assert!(object::<Value>(&"{".repeat(100_000)).is_err());
        assert_eq!(object::<Value>("x {} y"), Ok(json!({})));
    }
}
