//! Reading what models answer: tolerant of what stands around an answer, exact in what it means.

use std::ops::Range;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::json::Unambiguous;
use crate::text::harmless;
use crate::thought::{NothingButThoughts, answer_in, unended_thought_in};

/// Why an answer that is a thought from beginning to end cannot be used.
pub(crate) const ONLY_THOUGHTS: &str = "it has thoughts, but nothing after them";

/// Reads a JSON object, also one inside a code fence or between other text.
///
/// Of several, the last one that fits counts: models reason first. What stands in the thoughts of a model does not
/// count at all.
pub(crate) fn object<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let text = harmless(text);
    let (objects, is_broken) = objects_in(&text);
    let is_inside = |place: usize| objects.iter().any(|(range, _)| range.contains(&place));
    let answer = answer_in(&text, is_inside).map_err(|NothingButThoughts| ONLY_THOUGHTS.to_owned())?;
    let begins_at = text.len() - answer.len();
    // A thought that has no end may try out other answers.
    let ends_at = begins_at + unended_thought_in(answer, |place| is_inside(begins_at + place));
    let mut reason = None;
    for (range, read) in objects.into_iter().rev() {
        if range.start < begins_at {
            break;
        }
        if range.start >= ends_at {
            continue;
        }
        // Nobody knows which of the two is meant, nor whether another object before it would count.
        let value = read.0.ok_or("an object in it has a key twice")?;
        match serde_json::from_value(value) {
            Ok(object) => return Ok(object),
            Err(error) => {
                reason.get_or_insert_with(|| forge_domain::shortened(&error.to_string()).into_owned());
            }
        }
    }
    Err(reason.unwrap_or_else(|| {
        if is_broken {
            "its JSON is broken".to_owned()
        } else {
            "there is no JSON object in it".to_owned()
        }
    }))
}

/// Reads a text: what a model thought before it is no part of it.
pub(crate) fn text(text: &str) -> Result<String, String> {
    let text = harmless(text);
    let answer = crate::thought::spoken_in(&text);
    // Nobody has heard it yet.
    let answer = answer.or_else(|_| answer_in(&text, |_| false).map(str::to_owned));
    let answer = answer.map_err(|NothingButThoughts| ONLY_THOUGHTS.to_owned())?;
    if answer.trim().is_empty() && !text.trim().is_empty() {
        return Err(ONLY_THOUGHTS.to_owned());
    }
    Ok(answer.trim().to_owned())
}

/// Finds all JSON objects that are in no other one, each with its place; and whether there was one that is broken.
///
/// What is broken may be read more than once, each brace in it may begin an object. An answer that makes that much work is
/// none.
fn objects_in(text: &str) -> (Vec<(Range<usize>, Unambiguous)>, bool) {
    let mut found = Vec::new();
    let mut is_broken = false;
    let mut may_be_read = text.len() * 8;
    let mut from = 0;
    while let Some(start) = text[from..].find('{').map(|place| from + place) {
        let rest = &text[start..];
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Unambiguous>();
        match values.next() {
            Some(Ok(value)) => {
                from = start + values.byte_offset();
                found.push((start..from, value));
            }
            broken => {
                is_broken = true;
                from = start + 1;
                let read = broken.map_or(rest.len(), |broken| match broken {
                    Err(error) if error.line() == 1 => error.column(),
                    _ => rest.len(),
                });
                match may_be_read.checked_sub(read) {
                    Some(left) => may_be_read = left,
                    None => return (Vec::new(), true),
                }
            }
        }
    }
    (found, is_broken)
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
            "Well {so} I think: {\"choice\": 2}, no doubt.",
            r#"{"why": "because"} {"choice": "2"}"#,
            r#"{"choice": "2"} {"why": "because"}"#,
            r#"{"choice": "Yes"}"#,
        ] {
            assert_eq!(choice(text, &["no", "yes"], false), Ok(Some(1)), "{text}");
        }
    }

    #[test]
    fn what_is_thought_after_an_answer_does_not_change_it() {
        for thought in [
            "\n<think>hmm, or {\"choice\": 1}",
            "\n<think>hmm, or {\"choice\": 1} after all",
            " <reasoning>{\"choice\": 1}",
            " [THINK]{\"choice\": 1}",
        ] {
            let text = format!("{{\"choice\": 0}}{thought}");
            assert_eq!(choice(&text, &["bye"], true), Ok(None), "{text}");
        }
        for unended in [
            "\u{feff}<think>{\"choice\": 1}",
            "```json\n<think>{\"choice\": 1}",
        ] {
            assert!(choice(unended, &["bye"], true).is_err(), "{unended}");
        }
        let quoted = r#"{"why": "it said <think> twice", "choice": 1}"#;
        assert_eq!(
            choice(quoted, &["bye"], true),
            Ok(Some(0)),
            "a mark in a text is a text"
        );
    }

    #[test]
    fn of_several_objects_that_fit_the_last_one_counts() {
        let text = "I considered {\"choice\": 1} first. Final answer: {\"choice\": 0}";
        assert_eq!(choice(text, &["bye"], true), Ok(None));
        let unended = "{\"choice\": 2} or {\"choice\": 1";
        assert_eq!(
            choice(unended, &["no", "yes"], false),
            Ok(Some(1)),
            "a part of one is none"
        );
    }

    #[test]
    fn an_object_that_says_two_things_is_no_answer() {
        for text in [
            r#"{"choice": 0, "choice": 1}"#,
            r#"{"choice": 1, "choice": 1}"#,
            r#"{"choice": 0} {"choice": 1, "choice": 0}"#,
            r#"{"choice": 0, "why": {"choice": 1, "choice": 0}}"#,
            r#"{"choice": 0, "choice\u0000": 1}"#,
            r#"{"choice": 0, "choice": 1, "x": {"choice": 1}}"#,
        ] {
            let error = choice(text, &["bye"], true).unwrap_err();
            assert_eq!(error, "an object in it has a key twice", "{text}");
        }
        let considered = r#"{"choice": 0, "choice": 1}? {"choice": 1}"#;
        assert_eq!(
            choice(considered, &["bye"], true),
            Ok(Some(0)),
            "the last one counts"
        );
    }

    #[test]
    fn what_a_model_thinks_does_not_count() {
        for text in [
            r#"<think effort="high">{"choice": 1}</think >{"choice": 0}"#,
            r#"<reflection>{"choice": 1}</reflection>{"choice": 0}"#,
            r#"analysisMaybe {"choice": 1}.assistantfinal{"choice": 0}"#,
            r#"<think>The exit would be {"choice": 1}, but the user did not say bye.</think>{"choice": 0}"#,
            r#"maybe {"choice": 1} no.</think>{"choice": 0}"#,
            r#"<think>{"choice": 1}</think> or </think> {"choice": 0}"#,
            r#"<|channel|>analysis<|message|>{"choice": 1}<|end|><|start|>assistant<|channel|>final<|message|>{"choice": 0}"#,
            r#"[THINK]{"choice": 1} is {it}[/THINK]```json
               {"choice": 0}```"#,
        ] {
            assert_eq!(choice(text, &["bye"], true), Ok(None), "{text}");
        }
        for text in [
            r#"<think>{"choice": 1}"#,
            r#"<think>{"choice": 1}</think>"#,
            r#"{"choice": 1}</think>I would say none."#,
            r#"<think>a</think><think>{"choice": 1}"#,
            r#"<|channel|>commentary<|message|>{"choice": 1}<|call|>"#,
            r#"<think >{"choice": 1}"#,
            r#"analysisMaybe {"choice": 1}."#,
            r#"{"choice": 0, "choice": 1}"#,
        ] {
            assert!(choice(text, &["bye"], true).is_err(), "{text}");
        }
        assert_eq!(
            choice("<think>{\"choice\": 1}", &["bye"], true),
            Err(ONLY_THOUGHTS.to_owned())
        );
    }

    #[test]
    fn marks_of_thoughts_inside_an_answer_are_a_part_of_it() {
        let text = r#"<think>hm</think>{"message": "Write </think> after it, {\"choice\": 1}"}"#;
        let message = json!({"message": "Write </think> after it, {\"choice\": 1}"});
        assert_eq!(object(text), Ok(message));
        let thought = r#"{"message": "a </think> b"} no.</think>{"message": "c"}"#;
        assert_eq!(object(thought), Ok(json!({"message": "c"})));
    }

    #[test]
    fn a_text_begins_after_the_thoughts() {
        for said in [
            "Hi.",
            "<think>a</think> Hi.\n",
            "a </think>Hi.",
            "<think>a</think>b</think>Hi.",
        ] {
            assert_eq!(text(said).as_deref(), Ok("Hi."), "{said}");
        }
        assert_eq!(
            text("Use <think> and </think>.").as_deref(),
            Ok("Use <think> and </think>.")
        );
        assert_eq!(text("<think>a"), Err(ONLY_THOUGHTS.to_owned()));
        assert_eq!(text(" "), Ok(String::new()));
    }

    #[test]
    fn control_characters_are_left_out_of_what_was_read() {
        let read: Value = object("{\"a\": \"b\\u0000c\\u001b\", \"d\\u0000\": [\"\\u009b\\n\"]}").unwrap();
        assert_eq!(read, json!({"a": "bc", "d": ["\n"]}));
        assert_eq!(object::<Value>("{\"a\0\": 1}"), Ok(json!({"a": 1})));
        assert!(object::<Value>(r#"{"a": "\ud800"}"#).is_err());
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
        assert!(object::<Value>(&"{\"a\":".repeat(20_000)).is_err());
        assert!(object::<Value>(&"{\"a\":\n[".repeat(20_000)).is_err());
        assert_eq!(object::<Value>("x {} y"), Ok(json!({})));
        let formulas = format!(
            "<think>{}</think>{{\"choice\": 1}}",
            "\\frac{a}{b}\n".repeat(5000)
        );
        assert_eq!(object(&formulas), Ok(json!({"choice": 1})));
    }
}
