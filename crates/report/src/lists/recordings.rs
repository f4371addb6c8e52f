//! Lists of recordings: what `fpcalc -json` and `fpcalc -raw -json` print, and dumps in the manner of AcoustID's.
//!
//! JSON objects, one a line, in an array, or alone. Read are `fingerprint`, as compressed text or as an array of items (signed
//! or not), and, where they are there, `duration` (or `length`) in seconds, `id` (or `track_id`) and `file` (or `path`);
//! everything else is passed over. Such a list is hostile input like any other: whatever its bytes are, reading goes on behind
//! what is wrong, and no more than an object of [`MOST_BYTES`] is held.

use std::fmt;
use std::io::{self, BufRead};

use minutia::fingerprint::{CHROMAPRINT_2, compress_to_text, decompress_text};
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use super::Wrong;
use super::fields::shown;
use super::json::Json;
use super::text::Text;
use crate::escape;

/// The longest object that is read, in bytes: as text about 40 hours, as an array more than 20.
pub const MOST_BYTES: usize = 8 << 20;

/// What stood in a list.
#[derive(Clone, Debug, PartialEq)]
pub enum Read {
    /// A recording.
    Recording(Box<Recording>),
    /// Something sound that is no recording, such as the pictures of a film; with the name of its kind.
    Other(String),
    /// What could not be read.
    Wrong(Wrong),
}

/// One recording of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// The line that its object begins on, from 1; 0 for what does not come from a list.
    pub line: u64,
    /// Chromaprint items.
    pub items: Vec<u32>,
    /// The algorithm's byte: [`CHROMAPRINT_2`] of nearly all, and where items stand in an array, which does not say it.
    pub algorithm: u8,
    /// Length of the recording in milliseconds, which may be more than its items cover; where the list says it.
    pub duration_ms: Option<u64>,
    /// Its id, where the list has one.
    pub id: Option<String>,
    /// The file that it was made of, where the list says it.
    pub file: Option<String>,
}

/// A recording as `fpcalc -json` prints it, and behind that id and file, where it has them. Safe to print; no line feed.
///
/// ```
/// use minutia_report::lists::recordings::{Recording, line};
///
/// let items = vec![627_964_279; 3];
/// let recording = Recording { items, algorithm: 1, duration_ms: Some(3_041), ..Recording::default() };
/// assert_eq!(line(&recording), r#"{"duration": 3.04, "fingerprint": "AQAAA0mUaEkSRZEGAA"}"#);
/// ```
pub fn line(recording: &Recording) -> String {
    let hundredths = recording.duration_ms.map(|ms| ms / 10 + u64::from(ms % 10 >= 5)).unwrap_or_default();
    let fingerprint = compress_to_text(&recording.items, recording.algorithm);
    let mut out =
        format!("{{\"duration\": {}.{:02}, \"fingerprint\": \"{fingerprint}\"", hundredths / 100, hundredths % 100);
    for (name, value) in [("id", &recording.id), ("file", &recording.file)] {
        if let Some(value) = value.as_ref().and_then(|value| escape::json(value).ok()) {
            out.push_str(&format!(", \"{name}\": {value}"));
        }
    }
    out.push('}');
    out
}

/// Reads a list, one recording after the other.
///
/// ```
/// use minutia_report::lists::recordings::{Read, Reader};
///
/// let list = "{\"duration\": 3.04, \"fingerprint\": \"AQAAA0mUaEkSRZEGAA\"}\n{\"fingerprint\": 7}\n";
/// let read: Vec<Read> = Reader::new(list.as_bytes()).collect::<Result<_, _>>()?;
/// assert!(matches!(&read[0], Read::Recording(recording) if recording.items == [627_964_279; 3]));
/// assert!(matches!(&read[1], Read::Wrong(wrong) if wrong.line == 2));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Reader<R> {
    text: Text<R>,
    json: Json,
    begun: bool,
    ended: bool,
}

impl<R: BufRead> Reader<R> {
    /// A reader of the list `from`.
    pub fn new(from: R) -> Reader<R> {
        Reader { text: Text::new(from), json: Json::default(), begun: false, ended: false }
    }

    fn read(&mut self) -> io::Result<Option<Read>> {
        if !self.begun {
            self.begun = true;
            // Passes over a byte order mark.
            self.text.first()?;
        }
        loop {
            let line = self.text.number();
            let wrong = |message| Ok(Some(Read::Wrong(Wrong { line, message })));
            let Some(byte) = self.text.byte()? else {
                self.ended = true;
                if self.json.depth > 0 {
                    return wrong("expected `]`, found the end of the list: it was cut short".to_owned());
                }
                return Ok(None);
            };
            match byte {
                b'[' => self.json.depth += 1,
                b']' if self.json.depth > 0 => self.json.depth -= 1,
                b'{' => {
                    return match self.json.cut(byte, &mut self.text, MOST_BYTES)? {
                        Ok(object) => Ok(Some(of_object(line, &object))),
                        Err(message) => wrong(message),
                    };
                }
                _ if byte.is_ascii_whitespace() || byte == b',' => {}
                _ => {
                    self.text.skip_line()?;
                    return wrong(format!(
                        "expected an object of JSON, found {}",
                        shown(&char::from(byte).to_string())
                    ));
                }
            }
        }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = io::Result<Read>;

    fn next(&mut self) -> Option<io::Result<Read>> {
        if self.ended {
            return None;
        }
        let read = self.read();
        self.ended |= read.is_err();
        read.transpose()
    }
}

/// What an object holds.
fn of_object(line: u64, object: &[u8]) -> Read {
    let wrong = |message| Read::Wrong(Wrong { line, message });
    if let Ok(Kind { algorithm, fingerprint: None }) = serde_json::from_slice(object) {
        return Read::Other(algorithm);
    }
    let object: Object = match serde_json::from_slice(object) {
        Ok(object) => object,
        Err(error) => {
            let found = shown(&String::from_utf8_lossy(object));
            let said = escape::text(&error.to_string());
            return wrong(format!("expected a recording with its `fingerprint`, found {found} ({said})"));
        }
    };
    let (algorithm, items) = match object.fingerprint {
        Fingerprint::Items(items) => (CHROMAPRINT_2, items),
        Fingerprint::Text(text) => match decompress_text(&text) {
            Ok(read) => read,
            Err(error) => return wrong(error.to_string()),
        },
    };
    let duration_ms = match object.duration {
        // A hundred years are no recording.
        Some(seconds) if !(0.0..4e9).contains(&seconds) => {
            return wrong(format!("expected a duration in seconds, found {seconds}"));
        }
        duration => duration.map(|seconds| (seconds * 1000.0).round() as u64),
    };
    let (id, file) = (object.id.map(|Name(name)| name), object.file);
    Read::Recording(Box::new(Recording { line, items, algorithm, duration_ms, id, file }))
}

/// What `minutia fingerprint --json` prints of a film beside its sound: an algorithm and no fingerprint.
#[derive(serde::Deserialize)]
struct Kind {
    algorithm: String,
    fingerprint: Option<serde::de::IgnoredAny>,
}

#[derive(serde::Deserialize)]
struct Object {
    fingerprint: Fingerprint,
    #[serde(default, alias = "length")]
    duration: Option<f64>,
    #[serde(default, alias = "track_id")]
    id: Option<Name>,
    #[serde(default, alias = "path")]
    file: Option<String>,
}

/// A text, or a number as text.
struct Name(String);

/// Read without a value for each item between: those would take eight times the room.
enum Fingerprint {
    Text(String),
    Items(Vec<u32>),
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Name, D::Error> {
        struct Names;
        impl Visitor<'_> for Names {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Name, E> {
                Ok(Name(text.to_owned()))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Name, E> {
                Ok(Name(number.to_string()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Name, E> {
                Ok(Name(number.to_string()))
            }
        }
        from.deserialize_any(Names)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Fingerprint, D::Error> {
        struct Fingerprints;
        impl<'de> Visitor<'de> for Fingerprints {
            type Value = Fingerprint;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a compressed fingerprint or an array of items of 32 bits")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Fingerprint, E> {
                Ok(Fingerprint::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Fingerprint, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element::<i64>()? {
                    // PostgreSQL has signed items, and fpcalc -signed prints them.
                    let signed = || i32::try_from(item).map(i32::cast_unsigned);
                    let item = u32::try_from(item).or_else(|_| signed());
                    items.push(item.map_err(|_| A::Error::custom("an item of more than 32 bits"))?);
                }
                Ok(Fingerprint::Items(items))
            }
        }
        from.deserialize_any(Fingerprints)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What fpcalc 1.5.1 printed of `test_44100_2.wav` of Chromaprint's test data, cut to 3.5 seconds: as text, raw, signed.
    const FPCALC: [&str; 3] = [
        r#"{"duration": 3.50, "fingerprint": "AQAAB0mSRJKSJEmUKAmOG4f5Qy8eACMsAUoE"}"#,
        r#"{"duration": 3.50, "fingerprint": [4152350079,4152350591,4152358911,4152227839,4118410719,4118664669,4110276061]}"#,
        r#"{"duration": 3.50, "fingerprint": [-142617217,-142616705,-142608385,-142739457,-176556577,-176302627,-184691235]}"#,
    ];

    fn read(list: impl AsRef<[u8]>) -> Vec<Read> {
        Reader::new(list.as_ref()).collect::<io::Result<_>>().unwrap()
    }

    fn recordings(list: &str) -> Vec<Recording> {
        let recording = |read| match read {
            Read::Recording(recording) => *recording,
            other => panic!("{other:?}"),
        };
        read(list).into_iter().map(recording).collect()
    }

    #[test]
    fn what_fpcalc_prints_is_read_and_written_again() {
        let [text, raw, signed] = FPCALC.map(|object| recordings(object).remove(0));
        assert_eq!((text.items.len(), text.duration_ms, text.algorithm), (7, Some(3_500), CHROMAPRINT_2));
        assert_eq!((&text, &text), (&raw, &signed));
        assert_eq!(line(&text), FPCALC[0]);
    }

    #[test]
    fn dumps_are_read() {
        let list = "\u{feff}[{\"id\": 17, \"fingerprint\": [1, -1, 4294967295], \"length\": 230, \"created\": \"2011\"},\n\
             {\"track_id\": \"9ff43b6a\", \"fingerprint\": \"AQAAAQE\", \"file\": \"a\\u202eb.mp3\", \"x\": {\"y\": [{}]}}]";
        let found = recordings(list);
        assert_eq!((found[0].id.as_deref(), &found[0].items[..]), (Some("17"), &[1, u32::MAX, u32::MAX][..]));
        assert_eq!((found[0].line, found[0].duration_ms), (1, Some(230_000)));
        assert_eq!((found[1].id.as_deref(), found[1].line, &found[1].items[..]), (Some("9ff43b6a"), 2, &[1][..]));
        let again = line(&found[1]);
        assert_eq!(again, r#"{"duration": 0.00, "fingerprint": "AQAAAQE", "id": "9ff43b6a", "file": "a\u202eb.mp3"}"#);
        assert_eq!(recordings(&again)[0].file, found[1].file);
    }

    #[test]
    fn reading_goes_on_behind_what_is_wrong() {
        let good = r#"{"fingerprint": "AQAAAQE"}"#;
        for (bad, message) in [
            ("nonsense", "expected an object of JSON, found n"),
            (r#"{"duration": 3}"#, "missing field `fingerprint`"),
            (r#"{"fingerprint": "AQAA/w"}"#, "URL-safe base64, found another character at 4"),
            (
                r#"{"fingerprint": "AQ____"}"#,
                "expected 1048575 items in a compressed fingerprint, found the end after 0",
            ),
            (r#"{"fingerprint": [4294967296]}"#, "an item of more than 32 bits"),
            (r#"{"fingerprint": [0.5]}"#, "invalid type: floating point `0.5`"),
            (r#"{"fingerprint": [], "duration": -1}"#, "expected a duration in seconds, found -1"),
            (r#"{"fingerprint": "#, "expected an object to end before its line does"),
        ] {
            let found = read(format!("{good}\n{bad}\n{good}\n"));
            let [Read::Recording(_), Read::Wrong(wrong), Read::Recording(last)] = &found[..] else {
                panic!("{bad}: {found:?}");
            };
            assert!(wrong.line == 2 && wrong.message.contains(message), "{bad}: {wrong:?}");
            assert_eq!(last.line, 3);
        }
        let cut = read("[{\"fingerprint\": \"AQAAAQE\"},");
        assert!(matches!(&cut[..], [Read::Recording(_), Read::Wrong(wrong)] if wrong.message.contains("cut short")));
    }

    #[test]
    fn an_object_that_is_too_long_is_passed_over() {
        let list = format!("{{\"fingerprint\": [{}1]}}\n{{\"fingerprint\": [1]}}", "1,".repeat(MOST_BYTES / 2));
        let found = read(list);
        assert!(matches!(&found[0], Read::Wrong(wrong) if wrong.message.contains("at most 8388608 bytes")));
        assert!(matches!(&found[1], Read::Recording(recording) if recording.line == 2));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(mut list in proptest::collection::vec(any::<u8>(), 0..80), at in 0_usize..60) {
            read(&list);
            let mut sound = FPCALC[0].as_bytes().to_vec();
            sound.splice(at..at, list.drain(..));
            for read in read(sound) {
                if let Read::Wrong(wrong) = read {
                    prop_assert!(!wrong.message.chars().any(escape::is_unsafe), "{}", wrong.message);
                }
            }
        }
    }
}
