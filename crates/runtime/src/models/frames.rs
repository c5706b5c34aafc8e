//! Cuts what a provider streams into frames, none of which is longer than may be held.
//!
//! Of an event (`text/event-stream`), only its data matter: what it is about, they say themselves. Servers are taken as they
//! are: a last event need not be ended, and what nobody sees at the beginning of a line is looked over. What would be lost
//! in silence otherwise may have been a part of an answer.

/// The most bytes of a line, and of the data of an event.
pub(super) const MOST_FRAME_BYTES: usize = 1 << 20;

/// What a stream is cut into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// Server-sent events.
    Events,
    /// A frame a line.
    Lines,
}

/// A line or an event is too long, or no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable;

/// What has come of a stream and is no whole frame yet.
#[derive(Debug)]
pub(super) struct Frames {
    cut: Cut,
    line: Vec<u8>,
    /// The data of an event that has not ended.
    data: Option<String>,
    /// Whether a line ended with CR, which LF may follow.
    is_after_return: bool,
}

impl Frames {
    pub(super) fn new(cut: Cut) -> Self {
        Self {
            cut,
            line: Vec::new(),
            data: None,
            is_after_return: false,
        }
    }

    /// Takes the next bytes, and hands on each frame that they end.
    pub(super) fn push(&mut self, bytes: &[u8], mut frame: impl FnMut(&str)) -> Result<(), Unreadable> {
        for line in bytes.split_inclusive(|byte| matches!(byte, b'\r' | b'\n')) {
            let (rest, end) = match line {
                [rest @ .., end @ (b'\r' | b'\n')] => (rest, Some(*end)),
                rest => (rest, None),
            };
            let is_after_return = std::mem::replace(&mut self.is_after_return, end == Some(b'\r'));
            if is_after_return && line == b"\n" {
                continue;
            }
            if self.line.len() + rest.len() > MOST_FRAME_BYTES {
                return Err(Unreadable);
            }
            self.line.extend_from_slice(rest);
            if end.is_some() {
                self.end_line(&mut frame)?;
            }
        }
        Ok(())
    }

    /// Says that nothing follows, and hands on the frame that nobody ended.
    pub(super) fn finish(mut self, mut frame: impl FnMut(&str)) -> Result<(), Unreadable> {
        self.end_line(&mut frame)?;
        if let Some(data) = self.data {
            frame(&data);
        }
        Ok(())
    }

    fn end_line(&mut self, frame: &mut impl FnMut(&str)) -> Result<(), Unreadable> {
        let line = std::mem::take(&mut self.line);
        let line = std::str::from_utf8(&line).map_err(|_| Unreadable)?;
        let line = line.trim_start_matches('\u{feff}');
        match self.cut {
            Cut::Lines => frame(line),
            Cut::Events if line.is_empty() => {
                if let Some(data) = self.data.take() {
                    frame(&data);
                }
            }
            Cut::Events => {
                let line = line.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
                if let Some(more) = line.strip_prefix("data:") {
                    return self.add(more.trim());
                }
                // What looks like data and is nothing else is judged as such.
                let is_other = [":", "event", "id", "retry"]
                    .iter()
                    .any(|other| line.starts_with(other));
                if !is_other && line.contains('{') {
                    return self.add(line);
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, more: &str) -> Result<(), Unreadable> {
        match &mut self.data {
            None => self.data = Some(more.to_owned()),
            Some(data) if data.len() + more.len() < MOST_FRAME_BYTES => {
                data.push('\n');
                data.push_str(more);
            }
            Some(_) => return Err(Unreadable),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the frames of a text that comes in pieces of so many bytes.
    fn frames(cut: Cut, text: &[u8], size: usize) -> Result<Vec<String>, Unreadable> {
        let mut found = Vec::new();
        let mut frames = Frames::new(cut);
        for piece in text.chunks(size) {
            frames.push(piece, |frame| found.push(frame.to_owned()))?;
        }
        frames.finish(|frame| found.push(frame.to_owned()))?;
        found.retain(|frame| !frame.is_empty());
        Ok(found)
    }

    #[test]
    fn events_end_at_empty_lines_however_lines_end_and_wherever_the_stream_is_cut() {
        for text in [
            "data: {\"ä\": 1}\n\ndata:two\n\n",
            "data: {\"ä\": 1}\r\n\r\ndata:two\r\n\r\n",
            "data: {\"ä\": 1}\r\rdata:two\r\r",
            "data: {\"ä\": 1}\r\n\ndata:two\r\n",
            "event: x\nid: 1\ndata: {\"ä\": 1}\n\n: a comment\n\n\n\ndata:two",
            "\u{feff}data: {\"ä\": 1}\n\n\u{feff}\u{feff}data:two\n\n",
            "  data: {\"ä\": 1}  \n\n\t\u{feff}data:two\n\n",
        ] {
            for size in 1..=text.len() {
                let found = frames(Cut::Events, text.as_bytes(), size);
                let expected = ["{\"ä\": 1}".to_owned(), "two".to_owned()];
                assert_eq!(found.as_deref(), Ok(&expected[..]), "{text:?} {size}");
            }
        }
    }

    #[test]
    fn the_data_of_an_event_may_have_several_lines() {
        let text = b"data: {\ndata: \"a\": 1\nretry: 5\ndata: }\n\ndatas: no\nnodata: no\n\n";
        for size in [1, 3, 100] {
            assert_eq!(frames(Cut::Events, text, size).unwrap(), ["{\n\"a\": 1\n}"]);
        }
    }

    #[test]
    fn what_looks_like_data_is_not_lost() {
        for line in ["{\"error\": 1}", "\u{200b}data: {}", "Data: {}", "datum: {"] {
            let text = format!("{line}\n\n: a comment with {{\n\nevent: {{\nid: {{\nretry: {{\n\n");
            assert_eq!(frames(Cut::Events, text.as_bytes(), 5).unwrap(), [line]);
        }
    }

    #[test]
    fn lines_are_frames_where_the_protocol_has_lines() {
        for text in [
            "{\"a\": 1}\n{}\n",
            "{\"a\": 1}\r\n\r\n{}",
            "\u{feff}{\"a\": 1}\r\u{feff}{}\n",
        ] {
            for size in [1, 2, 100] {
                let found = frames(Cut::Lines, text.as_bytes(), size).unwrap();
                assert_eq!(found, ["{\"a\": 1}", "{}"], "{text:?}");
            }
        }
    }

    #[test]
    fn nothing_grows_without_end() {
        let most = "x".repeat(MOST_FRAME_BYTES - 6);
        let longest = format!("data: {most}");
        assert_eq!(frames(Cut::Events, longest.as_bytes(), 1 << 16).unwrap(), [most]);
        for text in [
            format!("{longest}x"),
            format!("{longest}\n{longest}"),
            "data: x\n".repeat(MOST_FRAME_BYTES),
            format!("{longest}x\n\n"),
        ] {
            for cut in [Cut::Events, Cut::Lines] {
                if cut == Cut::Events || !text.contains('\n') {
                    assert_eq!(frames(cut, text.as_bytes(), 1 << 16), Err(Unreadable));
                }
            }
        }
        let mut frames = Frames::new(Cut::Lines);
        let endless = (0..2 * MOST_FRAME_BYTES / 1024)
            .map(|_| frames.push(&[b'x'; 1024], |_| {}))
            .position(|pushed| pushed.is_err());
        assert_eq!(endless, Some(MOST_FRAME_BYTES / 1024));
        assert!(frames.line.capacity() <= 2 * MOST_FRAME_BYTES);
    }

    #[test]
    fn what_is_no_text_is_no_frame() {
        assert_eq!(frames(Cut::Events, b"data: \xff\n\n", 3), Err(Unreadable));
        assert_eq!(
            frames(Cut::Lines, b"{\"a\": \"\xc3", 3),
            Err(Unreadable),
            "cut within a character"
        );
    }
}
