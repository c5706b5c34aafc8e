//! What a model thinks before it answers, where its server leaves that in the text of the answer.
//!
//! A thought is nobody's business: it is not told, not kept, and no part of an answer. It stands at the beginning of an
//! answer, between two marks; some servers keep the first one to themselves. Between other words such marks are words: a text
//! may well be about them. Each text is judged by itself: nothing that was said in one changes how another is read.

mod fence;
mod filter;
mod mark;

use fence::{fence, without_blanks};
pub(crate) use filter::{Filter, ThoughtsWereSpoken, spoken_in};
#[cfg(test)]
pub(crate) use mark::MARKS;
pub(crate) use mark::Mark;
use mark::mark_at_the_beginning;

/// Returns the place in an answer from which on it is a thought without end: that of the first mark outside of what is
/// solid, or the end of the answer.
pub(crate) fn unended_thought_in(answer: &str, is_solid: impl Fn(usize) -> bool) -> usize {
    let places = Mark::paired().flat_map(|mark| mark.openings(answer));
    places
        .map(|open| open.start)
        .filter(|place| !is_solid(*place))
        .min()
        .unwrap_or(answer.len())
}

/// The answer had no beginning: all of it is a thought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NothingButThoughts;

/// Returns the answer in a complete text: what follows its thoughts.
///
/// Places in `solid` are looked over: marks in there are a part of what is said.
pub(crate) fn answer_in(text: &str, is_solid: impl Fn(usize) -> bool) -> Result<&str, NothingButThoughts> {
    let last_end = Mark::paired().flat_map(|mark| {
        let closings = mark.closings(text);
        closings.map(move |close| (close.start, mark.end_of(&close)))
    });
    let last_end = last_end
        .filter(|(place, _)| !is_solid(*place))
        .map(|(_, end)| end);
    let mut rest = &text[last_end.max().unwrap_or(0)..];
    loop {
        rest = without_blanks(rest);
        let inside = &rest[fence(rest).len()..];
        let Some((thought, mark)) = [rest, inside]
            .into_iter()
            .find_map(|text| Some((text, mark_at_the_beginning(text)?)))
        else {
            return Ok(rest);
        };
        let end = mark.end_in(thought).ok_or(NothingButThoughts)?;
        rest = &thought[end..];
    }
}

#[cfg(test)]
mod tests {
    use super::mark::{FINAL, MOST_ATTRIBUTES};
    use super::*;

    /// Lets a text through in pieces of so many characters.
    fn said_in_pieces(text: &str, size: usize) -> Result<String, ThoughtsWereSpoken> {
        let characters: Vec<char> = text.chars().collect();
        let mut filter = Filter::default();
        let mut said = String::new();
        for piece in characters.chunks(size) {
            said.push_str(&filter.push(&piece.iter().collect::<String>())?);
        }
        said.push_str(&filter.finish());
        Ok(said)
    }

    fn whole(text: &str) -> Result<&str, NothingButThoughts> {
        answer_in(text, |_| false)
    }

    #[test]
    fn every_mark_keeps_thoughts_back_however_the_text_is_cut_in_pieces() {
        for mark in MARKS {
            let Mark { open, close, .. } = mark;
            let rest = if close == FINAL { "<|message|>" } else { "" };
            let text = format!("\n {open}secret <plan>, [more]{close}{rest}Hi <b>.");
            for size in 1..text.chars().count() {
                assert_eq!(
                    said_in_pieces(&text, size).as_deref(),
                    Ok("Hi <b>."),
                    "{open} {size}"
                );
            }
            let loud = text.to_ascii_uppercase();
            let is_heard = mark.is_bare() || said_in_pieces(&loud, 3).as_deref() == Ok("HI <B>.");
            assert!(is_heard, "{open}");
            assert_eq!(whole(&text), Ok("Hi <b>."), "{open}");
            let unended = format!("{open}secret plan: Hi");
            assert_eq!(said_in_pieces(&unended, 2).as_deref(), Ok(""), "{open}");
            assert_eq!(whole(&unended), Err(NothingButThoughts), "{open}");
        }
    }

    #[test]
    fn what_nobody_sees_before_a_thought_does_not_make_it_speech() {
        for before in [
            "\u{feff}",
            "\u{200b}",
            " \u{feff}\n",
            "\u{2060}\u{200d}\u{ad} \u{200e}",
        ] {
            let text = format!("{before}<think>secret</think>Hi.");
            assert_eq!(said_in_pieces(&text, 2).as_deref(), Ok("Hi."), "{before:?}");
            assert_eq!(whole(&format!("{before}<think>secret")), Err(NothingButThoughts));
        }
    }

    #[test]
    fn channels_before_the_final_one_are_thoughts() {
        let text = "<|channel|>analysis<|message|>They greet.<|end|><|start|>assistant<|channel|>final \
                    <|constrain|>json<|message|>{\"choice\": 1}";
        assert_eq!(said_in_pieces(text, 1).as_deref(), Ok("{\"choice\": 1}"));
        assert_eq!(whole(text), Ok("{\"choice\": 1}"));
    }

    #[test]
    fn several_thoughts_in_a_row_are_kept_back() {
        let text = "<think></think>\n<thinking>a</thinking> Hi";
        assert_eq!(said_in_pieces(text, 1).as_deref(), Ok(" Hi"));
        assert_eq!(whole(text), Ok("Hi"));
    }

    #[test]
    fn marks_between_words_are_words() {
        for text in [
            "I think so.",
            "<b>Hi</b>",
            "<",
            "<thi",
            "< think>Hi",
            "Write <think> before a thought and </think> after it.",
            "[THINKING] of you",
            "The mark `<think>` begins it.",
        ] {
            for size in [1, 2, 100] {
                assert_eq!(said_in_pieces(text, size).as_deref(), Ok(text), "{size}");
            }
        }
    }

    #[test]
    fn a_text_that_begins_within_a_thought_is_heard_from_its_end_on() {
        let mark = Mark::that_opens("<think>").unwrap();
        for (text, expected) in [
            ("I should say hi.</think>\nHi.", "\nHi."),
            ("a</think><think>b</think>Hi.", "Hi."),
            ("<think>a</think>Hi.", "Hi."),
            ("What does <think> mean?</think>Hi.", "Hi."),
            ("</reasoning> or </thinking>?</THINK >Hi.", "Hi."),
            (
                "They ask about marks.</think>You write <think> before and </think> after it.",
                "You write <think> before and </think> after it.",
            ),
            ("I should say hi, but nobody ended that.", ""),
        ] {
            for size in [1, 3, 100] {
                let characters: Vec<char> = text.chars().collect();
                let mut filter = Filter::within(mark);
                let mut said = String::new();
                for piece in characters.chunks(size) {
                    said.push_str(&filter.push(&piece.iter().collect::<String>()).unwrap());
                }
                said.push_str(&filter.finish());
                assert_eq!(said, expected, "{text} {size}");
            }
        }
        assert_eq!(Mark::that_opens("<|channel|>final"), None);
        assert_eq!(Mark::that_opens("analysis"), None);
    }

    #[test]
    fn a_tag_may_have_blanks_and_attributes() {
        for text in [
            "<think >secret</think>Hi.",
            "<think effort=\"high\">secret</think >Hi.",
            "<THINK\n>secret</Think\t>Hi.",
            "<Reasoning lang='en' n=1 >secret</reasoning>Hi.",
            "<reflection>secret</reflection><scratchpad>more</scratchpad>Hi.",
        ] {
            for size in 1..text.len() {
                assert_eq!(said_in_pieces(text, size).as_deref(), Ok("Hi."), "{text} {size}");
            }
            assert_eq!(whole(text), Ok("Hi."), "{text}");
            assert!(
                said_in_pieces(&format!("a {text}"), 3).is_ok(),
                "between words: {text}"
            );
        }
        let long = format!("<think {}>Hi.", "x".repeat(MOST_ATTRIBUTES));
        assert_eq!(
            said_in_pieces(&long, 7).as_deref(),
            Ok(&*long),
            "nobody waits for ever"
        );
        assert_eq!(said_in_pieces("so </think >Hi.", 3), Err(ThoughtsWereSpoken));
    }

    #[test]
    fn a_thought_in_a_code_fence_is_one() {
        for (text, expected) in [
            ("```\n<think>secret</think>\n```\nHi.", "\nHi."),
            ("```\n<think>secret</think>\nHi.\n```", "```\n\nHi.\n```"),
            ("~~~xml\n <thinking>secret</thinking>\n~~~\nHi.", "\nHi."),
            ("```<think>secret</think>```", ""),
            (
                "```\n<think>a</think>\n```\n```\n<think>b</think>\n```\nHi.",
                "\nHi.",
            ),
            (
                "```\n<think>a</think>\n```python\nx = 1\n```",
                "```python\nx = 1\n```",
            ),
            ("```\n<think>secret", ""),
            ("```\nx = 1\n```", "```\nx = 1\n```"),
            ("```\n<b>Hi</b>", "```\n<b>Hi</b>"),
            (
                "`<think>` begins it, `</think>` ends it.",
                "`<think>` begins it, `</think>` ends it.",
            ),
            ("``", "``"),
        ] {
            for size in 1..=text.len() {
                let said = said_in_pieces(text, size);
                assert_eq!(
                    said.as_deref().map(str::trim),
                    Ok(expected.trim()),
                    "{text} {size}"
                );
            }
        }
        assert_eq!(whole("```json\n<think>{\"choice\": 1}"), Err(NothingButThoughts));
    }

    #[test]
    fn letters_that_are_no_word_begin_the_thoughts_of_gpt_oss() {
        for (text, expected) in [
            ("analysisThe user greets.assistantfinalHi.", "Hi."),
            (
                "analysiswe greet.assistantanalysisor not?assistantfinal Hi.",
                " Hi.",
            ),
            ("analysisThe user greets.", ""),
            ("analysis of your data: fine", "analysis of your data: fine"),
            ("Analysis: fine", "Analysis: fine"),
            ("an assistant", "an assistant"),
            ("analysis", "analysis"),
        ] {
            for size in 1..text.len() {
                assert_eq!(
                    said_in_pieces(text, size).as_deref(),
                    Ok(expected),
                    "{text} {size}"
                );
            }
        }
        assert_eq!(whole("analysisMaybe {1}.assistantfinal{0}"), Ok("{0}"));
    }

    #[test]
    fn an_end_without_a_beginning_makes_all_before_it_a_thought() {
        for text in [
            "maybe not</think>Hi",
            "<think>a</think>b</THINK>Hi",
            "x<|channel|>final<|message|>Hi",
        ] {
            for size in [1, 3, 100] {
                assert_eq!(said_in_pieces(text, size), Err(ThoughtsWereSpoken), "{text}");
            }
            assert_eq!(whole(text), Ok("Hi"), "{text}");
        }
        let solid = |place| place < 20;
        assert_eq!(
            answer_in("a part of it</think>, is it?", solid),
            Ok("a part of it</think>, is it?")
        );
    }
}
