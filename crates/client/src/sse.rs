//! Server-sent events: from bytes, however they are cut, to messages.

/// What has been said when a message or a comment ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// The id up to which everything has been told, also by what came before.
    pub(crate) id: Option<String>,
    /// The kind of message; nothing of one without content, which only tells the id.
    pub(crate) event: Option<String>,
    /// Its content.
    pub(crate) data: String,
}

/// Reads a stream.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    /// Whether the last byte was a carriage return, whose line feed belongs to it.
    after_return: bool,
    /// Whether a line has ended already: what stands before the first one may be a byte order mark.
    has_begun: bool,
    id: Option<String>,
    event: Option<String>,
    data: Option<String>,
}

impl Parser {
    /// Takes what came, and returns each message that has ended with it.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Vec<Message> {
        let mut messages = Vec::new();
        for &byte in bytes {
            let is_rest_of_return = self.after_return && byte == b'\n';
            self.after_return = byte == b'\r';
            if is_rest_of_return {
                continue;
            }
            if byte == b'\n' || byte == b'\r' {
                let line = std::mem::take(&mut self.line);
                messages.extend(self.line(&String::from_utf8_lossy(&line)));
            } else {
                self.line.push(byte);
            }
        }
        messages
    }

    /// Tells how long the line is whose end has not come yet, with what its message has so far.
    pub(crate) fn held(&self) -> usize {
        self.line.len() + self.data.as_ref().map_or(0, String::len)
    }

    fn line(&mut self, line: &str) -> Option<Message> {
        let line = if self.has_begun {
            line
        } else {
            line.trim_start_matches('\u{feff}')
        };
        self.has_begun = true;
        if line.is_empty() {
            return self.ended();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => self.event = Some(value.to_owned()),
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            // Comments, whose field has no name, and fields that are not known.
            _ => {}
        }
        None
    }

    /// Returns the message that an empty line ends.
    fn ended(&mut self) -> Option<Message> {
        let event = self.event.take();
        match self.data.take() {
            Some(data) => Some(Message {
                id: self.id.clone(),
                event: Some(event.unwrap_or_else(|| "message".to_owned())),
                data,
            }),
            None => self.id.clone().map(|id| Message {
                id: Some(id),
                event: None,
                data: String::new(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = ": connected\nid: 17\n\n\
        id: 18\nevent: change\ndata: {\"name\":\"Größe\"}\n\n\
        : up to date\nid: 19\n\n\
        event: end\ndata: a\ndata:b\ndata\nunknown: x\n\n\
        data: cut o";

    fn message(id: &str, event: Option<&str>, data: &str) -> Message {
        Message {
            id: Some(id.to_owned()),
            event: event.map(str::to_owned),
            data: data.to_owned(),
        }
    }

    fn expected() -> Vec<Message> {
        vec![
            message("17", None, ""),
            message("18", Some("change"), "{\"name\":\"Größe\"}"),
            message("19", None, ""),
            message("19", Some("end"), "a\nb\n"),
        ]
    }

    #[test]
    fn messages_are_the_same_however_the_stream_is_cut() {
        for ending in ["\n", "\r", "\r\n"] {
            let bytes = STREAM.replace('\n', ending).into_bytes();
            for size in 1..=bytes.len() {
                let mut parser = Parser::default();
                let messages: Vec<Message> =
                    bytes.chunks(size).flat_map(|chunk| parser.take(chunk)).collect();
                assert_eq!(messages, expected(), "{size} bytes at a time, {ending:?}");
                assert_eq!(parser.held(), "data: cut o".len());
            }
        }
    }

    #[test]
    fn what_says_nothing_is_no_message() {
        let mut parser = Parser::default();
        assert_eq!(parser.take(b": connected\n\n\n\nevent: x\n\n"), []);
        let messages = parser.take("data: 1\n\n".as_bytes());
        assert_eq!(messages[0].event.as_deref(), Some("message"));
        assert_eq!(messages[0].id, None);
        assert_eq!(Parser::default().take("\u{feff}data: 1\n\n".as_bytes()), messages);
        let id = parser.take(b"id: a\0b\nid: 7\nid: \0\ndata: 2\n\n");
        assert_eq!(id[0].id.as_deref(), Some("7"), "an id with a NUL is none");
    }
}
