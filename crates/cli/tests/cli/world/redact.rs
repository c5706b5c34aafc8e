//! Replacing what differs from run to run.

/// Replaces places, ids, keys, hashes and times by words.
pub(super) fn all(text: &str, places: &[(String, &str)]) -> String {
    let mut text = text.to_owned();
    for (found, word) in places {
        text = text.replace(found, word);
    }
    let words = |line: &str| tokens(line).into_iter().map(word).collect::<String>();
    let lines: Vec<String> = text.split('\n').map(|line| ago(&words(line))).collect();
    lines.join("\n")
}

/// Splits a text into runs of what ids and times are made of, and everything between them.
fn tokens(line: &str) -> Vec<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '.');
    let mut tokens = Vec::new();
    let mut start = 0;
    let mut was_part = None;
    for (position, c) in line.char_indices() {
        if was_part.is_some_and(|was_part| was_part != is_part(c)) {
            tokens.push(&line[start..position]);
            start = position;
        }
        was_part = Some(is_part(c));
    }
    tokens.push(&line[start..]);
    tokens
}

fn word(token: &str) -> String {
    // The full stop of a sentence belongs to nothing.
    if let Some(token) = token.strip_suffix('.') {
        return format!("{}.", word(token));
    }
    let is_hex = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let bytes = token.as_bytes();
    let is_time = bytes.len() == 24 && bytes[10] == b'T' && bytes[23] == b'Z' && bytes[13] == b':';
    let is_key = bytes.len() == 36 && [8, 13, 18, 23].iter().all(|&dash| bytes[dash] == b'-');
    match token.len() {
        24 if is_time => "TIME".to_owned(),
        24 if is_hex(token) => "ID".to_owned(),
        36 if is_key => "KEY".to_owned(),
        64 if is_hex(token) => "DIGEST".to_owned(),
        _ => token.to_owned(),
    }
}

/// Everything in a test was done just now.
fn ago(line: &str) -> String {
    let mut words: Vec<&str> = line.split(' ').collect();
    while let Some(position) = words.windows(3).position(|three| {
        three[0].parse::<u32>().is_ok()
            && (three[1].starts_with("second") || three[1].starts_with("minute"))
            && three[2] == "ago"
    }) {
        words.splice(position..position + 3, ["just", "now"]);
    }
    words.join(" ")
}

/// Creates every gap of a table two blanks wide: columns are as wide as what was replaced in them.
pub(super) fn alignment(text: &str) -> String {
    let mut aligned = String::new();
    let mut blanks = 0;
    for c in text.chars() {
        if c == ' ' {
            blanks += 1;
            continue;
        }
        aligned.push_str(&" ".repeat(std::mem::take(&mut blanks).min(2)));
        aligned.push(c);
    }
    aligned
}
