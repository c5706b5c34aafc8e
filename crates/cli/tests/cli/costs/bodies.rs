//! Bodies as bad as a schema admits.

use serde_json::{Map, Value, json};

/// What a body is full of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Items and values of the wrong type, in every list and map.
    Faults,
    /// Keys that are the same, blanks aside.
    RepeatedKeys,
    /// Sound items, all different, in every list and map.
    Distinct,
    /// The same sound item again and again.
    Same,
    /// Lists inside lists, where anything is admitted.
    Deep,
    /// Texts as long as they can be.
    Long,
    /// Fields that nobody knows.
    Unknown,
}

impl Shape {
    pub(super) const ALL: [Self; 7] = [
        Self::Faults,
        Self::RepeatedKeys,
        Self::Distinct,
        Self::Same,
        Self::Deep,
        Self::Long,
        Self::Unknown,
    ];
}

/// Returns a body for a schema of a document, of about that many bytes and never more.
pub(super) fn worst(document: &Value, schema: &Value, shape: Shape, bytes: usize) -> Value {
    let mut room = bytes;
    loop {
        let maker = Maker { document, shape };
        let body = maker.value(schema, room, 0);
        if body.to_string().len() <= bytes {
            return body;
        }
        room = room * 3 / 4;
    }
}

struct Maker<'d> {
    document: &'d Value,
    shape: Shape,
}

impl Maker<'_> {
    /// Returns a value of the schema that takes about that much room; `number` makes it differ from others.
    fn value(&self, schema: &Value, room: usize, number: usize) -> Value {
        if let Some(name) = schema["$ref"]
            .as_str()
            .and_then(|r| r.strip_prefix("#/components/schemas/"))
        {
            return self.value(&self.document["components"]["schemas"][name], room, number);
        }
        if let Some(chosen) = self.alternative(schema) {
            return self.value(chosen, room, number);
        }
        if let Some(constant) = schema.get("const").or(schema["enum"].get(0)) {
            return constant.clone();
        }
        match schema["type"].as_str() {
            Some("object") => self.object(schema, room, number),
            Some("array") if schema["prefixItems"].is_array() => {
                let items = schema["prefixItems"].as_array().unwrap();
                items
                    .iter()
                    .map(|item| self.value(item, room / items.len(), number))
                    .collect()
            }
            Some("array") => self.list(&schema["items"], room),
            Some("string") => self.text(schema, room, number),
            Some("integer" | "number") => json!(number % 10 + 1),
            Some("boolean") => json!(true),
            _ if self.shape == Shape::Deep => deep(room),
            _ => json!(number),
        }
    }

    /// Returns the alternative that has the most in it.
    fn alternative<'s>(&'s self, schema: &'s Value) -> Option<&'s Value> {
        let all = schema["anyOf"].as_array().or(schema["oneOf"].as_array())?;
        let size = |one: &&Value| match one["$ref"]
            .as_str()
            .and_then(|r| r.strip_prefix("#/components/schemas/"))
        {
            Some(name) => self.document["components"]["schemas"][name].to_string().len(),
            None => one.to_string().len(),
        };
        all.iter().max_by_key(size)
    }

    fn object(&self, schema: &Value, room: usize, number: usize) -> Value {
        let mut fields = Map::new();
        if let Some(known) = schema["properties"].as_object() {
            // What holds lists or maps gets the room; the rest is small anyway.
            let room = room / known.len().max(1);
            for (name, field) in known {
                fields.insert(name.clone(), self.value(field, room, number));
            }
        }
        if self.shape == Shape::Unknown && schema["properties"].is_object() {
            for number in 0..room / 20 {
                fields.insert(format!("unknown {number}"), json!(0));
            }
        }
        if schema["additionalProperties"].is_object() {
            self.fill(&mut fields, &schema["additionalProperties"], room);
        } else if !schema["properties"].is_object() {
            fields.insert(
                "any".to_owned(),
                if self.shape == Shape::Deep {
                    deep(room)
                } else {
                    json!(number)
                },
            );
        }
        Value::Object(fields)
    }

    /// Fills a map.
    fn fill(&self, fields: &mut Map<String, Value>, schema: &Value, room: usize) {
        let one = self.value(schema, 64, 0).to_string().len();
        match self.shape {
            Shape::Faults => fields.extend((0..room / 14).map(|number| (number.to_string(), json!([])))),
            Shape::RepeatedKeys => {
                for number in 0..room / 24 {
                    fields.insert(number.to_string(), json!(0));
                    fields.insert(format!("{number} "), json!(0));
                }
            }
            Shape::Distinct | Shape::Same => {
                let value = |number| (format!("k{number}"), self.value(schema, 64, number));
                fields.extend((0..room / (one + 12)).map(value));
            }
            Shape::Deep | Shape::Long | Shape::Unknown => {
                fields.insert("key".to_owned(), self.value(schema, room, 0));
            }
        }
    }

    fn list(&self, items: &Value, room: usize) -> Value {
        let one = self.value(items, 64, 0).to_string().len().max(1);
        match self.shape {
            Shape::Faults => vec![json!([]); room / 3].into(),
            Shape::Same => vec![self.value(items, 64, 0); room / (one + 1)].into(),
            Shape::Distinct => (0..room / (one + 4))
                .map(|number| self.value(items, 64, number))
                .collect(),
            _ => json!([self.value(items, room, 0)]),
        }
    }

    fn text(&self, schema: &Value, room: usize, number: usize) -> Value {
        match schema["format"].as_str() {
            Some("date-time") => return json!("2026-11-27T10:00:00Z"),
            Some("uri") => return json!("https://example.com/"),
            _ => {}
        }
        match schema["pattern"].as_str() {
            Some(pattern) if pattern.contains("24") => json!(format!("{number:024x}")),
            _ if self.shape == Shape::Long => json!("x".repeat(room.saturating_sub(20))),
            _ => json!(format!("t{number}")),
        }
    }
}

/// Returns lists inside lists, as deep as a text of JSON is read, again and again.
fn deep(room: usize) -> Value {
    let one = (0..100).fold(json!(0), |inner, _| json!([inner]));
    vec![one; room / 210 + 1].into()
}
