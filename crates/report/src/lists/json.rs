//! JSON: objects, one a line, in an array, or alone; or an array of hashes. Objects are cut out of the list byte by byte,
//! so that an array of any length is read without being held, and what is wrong ends one object.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::{self, BufRead};

use minutia::fingerprint::Algorithm;
use serde_json::{Map, Value};

use super::fields::{self, Field, shown};
use super::text::Text;
use super::{MOST_BYTES, Read, Wrong, vpdq};

/// Where in a list of objects the reader is.
#[derive(Default)]
pub(super) struct Json {
    /// Arrays that are open.
    pub(super) depth: u64,
    /// Whether each object is a line of its own; known from the first.
    lines: Option<bool>,
    /// Where the outermost array that is open begins, and texts in it so far.
    array: (u64, u64),
}

impl Json {
    /// Reads one object; false at the end.
    pub(super) fn read<R: BufRead>(
        &mut self,
        text: &mut Text<R>,
        default: &'static Algorithm,
        ready: &mut VecDeque<Read>,
    ) -> io::Result<bool> {
        let line = text.number();
        let wrong = |message| Read::Wrong(Wrong { line, message });
        let Some(byte) = text.byte()? else {
            if self.depth > 0 {
                ready.push_back(wrong("expected `]`, found the end of the list: it was cut short".to_owned()));
            }
            return Ok(false);
        };
        match byte {
            b'[' => {
                if self.depth == 0 {
                    self.array = (line, 0);
                }
                self.depth += 1;
            }
            b']' if self.depth > 0 => self.depth -= 1,
            b'{' | b'"' => match self.cut(byte, text, MOST_BYTES)? {
                Err(message) => ready.push_back(wrong(message)),
                Ok(value) => match serde_json::from_slice(&value) {
                    Ok(Value::Object(object)) => of_object(line, &object, default, ready),
                    Ok(Value::String(hash)) => {
                        let get = |field| (field == Field::Hash).then(|| hash.as_str().into());
                        let (begun, place) = self.array;
                        let frame = vpdq::of_element(line, begun, place, &hash);
                        ready.push_back(frame.unwrap_or_else(|| fields::read(line, default, get)));
                        self.array.1 += 1;
                    }
                    Ok(_) => {}
                    Err(error) => {
                        let found = shown(&String::from_utf8_lossy(&value));
                        ready.push_back(wrong(format!("expected an object of JSON, found {found} ({error})")));
                    }
                },
            },
            _ if byte.is_ascii_whitespace() || byte == b',' => {}
            _ => {
                text.skip_line()?;
                let found = shown(&char::from(byte).to_string());
                ready.push_back(wrong(format!("expected an object of JSON, found {found}")));
            }
        }
        Ok(true)
    }

    /// The bytes of the object or text that begins with `first`, or what is wrong with it. What is longer than `most` is
    /// passed over.
    pub(super) fn cut<R: BufRead>(
        &mut self,
        first: u8,
        text: &mut Text<R>,
        most: usize,
    ) -> io::Result<Result<Vec<u8>, String>> {
        let begun = text.number();
        let mut bytes = vec![first];
        let (mut open, mut length) = (u64::from(first == b'{'), 1);
        let (mut in_text, mut escaped) = (first == b'"', false);
        while open > 0 || in_text {
            let Some(byte) = text.byte()? else {
                return Ok(
                    Err("expected the end of an object, found the end of the list: it was cut short".to_owned()),
                );
            };
            length += 1;
            if length <= most {
                bytes.push(byte);
            }
            match byte {
                // Texts hold no line feeds, and where each object has its line, objects hold none either: what comes next
                // is read as if nothing had happened.
                b'\n' if in_text || self.lines == Some(true) => {
                    let found = shown(String::from_utf8_lossy(&bytes).trim_end());
                    return Ok(Err(format!("expected an object to end before its line does, found {found}")));
                }
                _ if escaped => escaped = false,
                b'\\' if in_text => escaped = true,
                b'"' => in_text = !in_text,
                b'{' if !in_text => open += 1,
                b'}' if !in_text => open -= 1,
                _ => {}
            }
        }
        self.lines.get_or_insert(self.depth == 0 && text.number() == begun);
        if length > most {
            return Ok(Err(format!("expected an object of at most {most} bytes, found {length}")));
        }
        Ok(Ok(bytes))
    }
}

/// What an object holds.
fn of_object(line: u64, object: &Map<String, Value>, default: &'static Algorithm, ready: &mut VecDeque<Read>) {
    match object.get("record").and_then(Value::as_str) {
        // An export's: what is known of a work stands before its hashes.
        Some("work") => return ready.push_back(work(line, object)),
        Some("file" | "film") => return,
        _ => {}
    }
    let get = |field| value(object, field);
    if vpdq::is_by_number(object) {
        let text = |frames: &Map<String, Value>| Value::Object(frames.clone()).to_string();
        return ready.push_back(vpdq::of_text(line, &text(object), |_| None));
    }
    // A bank's content has a hash of each kind, and the bank is who holds it.
    if let Some(Value::Object(signals)) = object.get("signals") {
        let bank = object.get("bank").and_then(|bank| bank.get("name")).and_then(Value::as_str);
        for (name, hash) in signals {
            ready.push_back(fields::read(line, default, |field| match field {
                Field::Hash => Some(text(hash)),
                Field::Algorithm => Some(name.into()),
                Field::Holder => get(field).or_else(|| bank.map(Into::into)),
                _ => get(field),
            }));
        }
        return;
    }
    // A name of a kind before each hash, as the hashing interface answers.
    let kinds = object.iter().filter(|(name, value)| {
        let is_kind = fields::algorithm(name).is_some() || fields::is_other_signal(name) || fields::is_vpdq(name);
        value.is_string() && is_kind
    });
    let kinds: Vec<_> = kinds.collect();
    if get(Field::Hash).is_none() && !kinds.is_empty() {
        for (name, hash) in kinds {
            ready.push_back(fields::read(line, default, |field| match field {
                Field::Hash => Some(text(hash)),
                Field::Algorithm => Some(name.into()),
                _ => get(field),
            }));
        }
        return;
    }
    ready.push_back(fields::read(line, default, get));
}

fn work(line: u64, object: &Map<String, Value>) -> Read {
    let get = |field| value(object, field).filter(|text| !text.is_empty());
    let id = get(Field::Id).unwrap_or_default();
    fields::work(&id, get)
        .map_or_else(|message| Read::Wrong(Wrong { line, message }), |work| Read::Work(Box::new(work)))
}

/// The value of a field, as text.
fn value(object: &Map<String, Value>, field: Field) -> Option<Cow<'_, str>> {
    let (_, names) = fields::NAMES.iter().find(|(of, _)| *of == field)?;
    let value = names.iter().find_map(|name| object.get(*name).filter(|value| !value.is_null()))?;
    match (field, value) {
        (Field::Region, Value::Array(sides)) => {
            let kind = object.get("region_kind").map_or("whole".into(), text);
            Some(format!("{kind} {}", sides.iter().map(text).collect::<Vec<_>>().join(" ")).into())
        }
        (_, Value::Array(values)) => Some(values.iter().map(text).collect::<Vec<_>>().join(" ").into()),
        (_, Value::Object(_)) => None,
        (_, value) => Some(text(value)),
    }
}

fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => text.into(),
        other => other.to_string().into(),
    }
}
