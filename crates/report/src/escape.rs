//! Escaping: names chosen by those who are being investigated must not drive a terminal, forge a line or turn text around.
//!
//! For people, [`name`] and [`text`] write every character that is invisible or moves something as an escape. For
//! machines, [`json`] writes the same characters as `\uXXXX`: the value stays what it is, and printing the line is safe.

use std::fmt::Write as _;
use std::io;

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter};

/// True for characters that do not simply show themselves: controls, line and paragraph separators, directional marks and
/// embeddings, zero-width and filler characters, tags (Unicode 16, general categories Cc, Cf, Zl, Zp and the default
/// ignorable fillers).
pub fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{600}'..='\u{605}'
                | '\u{61c}'
                | '\u{6dd}'
                | '\u{70f}'
                | '\u{890}'..='\u{891}'
                | '\u{8e2}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{110bd}'
                | '\u{110cd}'
                | '\u{13430}'..='\u{1343f}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// `text` for a terminal, on one line. A backslash is doubled, so that two different texts never look the same.
///
/// ```
/// assert_eq!(minutia_report::escape::text("a\u{202e}gpj.exe\n"), r"a\u{202e}gpj.exe\n");
/// ```
pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push(&mut out, text);
    out
}

/// A file's name or path for a terminal, whatever bytes it is made of; those that are no UTF-8 become `\xNN`.
pub fn name(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        push(&mut out, chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a string does not fail.
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

fn push(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if !is_unsafe(character) => out.push(character),
            _ if character.is_ascii() => {
                let _ = write!(out, "\\x{:02x}", u32::from(character));
            }
            _ => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
            }
        }
    }
}

/// `value` as one line of JSON in which every unsafe character is an escape.
///
/// # Errors
/// As `serde_json`: for maps whose keys are no strings.
pub fn json<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<String> {
    let mut out = Vec::with_capacity(512);
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, Safe))?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

struct Safe;

impl Formatter for Safe {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut plain = 0;
        for (place, character) in fragment.char_indices().filter(|&(_, character)| is_unsafe(character)) {
            writer.write_all(&fragment.as_bytes()[plain..place])?;
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            plain = place + character.len_utf8();
        }
        writer.write_all(&fragment.as_bytes()[plain..])
    }

    fn write_char_escape<W: ?Sized + io::Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        serde_json::ser::CompactFormatter.write_char_escape(writer, escape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_on_one_line_and_told_apart() {
        let check = |bytes: &[u8], expected: &str| assert_eq!(name(bytes), expected);
        check(b"plain name.jpg", "plain name.jpg");
        check("grüße 写真 🎞.png".as_bytes(), "grüße 写真 🎞.png");
        check(b"two\nlines\r\t", r"two\nlines\r\t");
        check(b"two\\nlines", r"two\\nlines");
        check(b"\x1b[2J\x07\x7f", r"\x1b[2J\x07\x7f");
        check("\u{9b}31m".as_bytes(), r"\u{9b}31m");
        check(b"caf\xe9.jpg", r"caf\xe9.jpg");
        check(b"cut \xf0\x9f\x8e", r"cut \xf0\x9f\x8e");
        check("\u{202e}gpj.exe\u{2066}\u{feff}".as_bytes(), r"\u{202e}gpj.exe\u{2066}\u{feff}");
        check(b"", "");
    }

    proptest::proptest! {
        /// Whatever the bytes: nothing unsafe is left, and what was escaped can be told apart.
        #[test]
        fn nothing_unsafe_is_left(a in proptest::collection::vec(0_u8.., 0..40), b in proptest::collection::vec(0_u8.., 0..40)) {
            let (shown_a, shown_b) = (name(&a), name(&b));
            proptest::prop_assert!(!shown_a.chars().any(is_unsafe));
            proptest::prop_assert_eq!(a == b, shown_a == shown_b);
        }

        #[test]
        fn json_is_safe_and_loses_nothing(value in ".*") {
            let line = json(&value).unwrap();
            proptest::prop_assert!(!line.chars().any(is_unsafe));
            let back: String = serde_json::from_str(&line).unwrap();
            proptest::prop_assert_eq!(back, value);
        }
    }

    #[test]
    fn json_escapes_what_serde_json_leaves() {
        let line = json("\u{7f}\u{9b}\u{202e}\u{e0041}\n\"").unwrap();
        assert_eq!(line, r#""\u007f\u009b\u202e\udb40\udc41\n\"""#);
    }
}
