//! Films in hash lists: frames as vPDQ hashes them, each with quality, code and time.
//!
//! Read are the lines that ThreatExchange's tools write (`frame,quality,hash,seconds` of `vpdq-hash-video`, and
//! `hash,quality,seconds` of its Python module), the text that python-threatexchange has for a film (a JSON array of the latter;
//! before 2023 an object of frames by their numbers), and rows and objects of one frame each, as Minutia writes them.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::{self, BufRead};

use minutia::fingerprint::{Code, VpdqFrame};
use minutia::index::{Entry, Identifier, WorkId};
use serde_json::{Map, Value};

use super::fields::{self, Field, shown};
use super::text::Text;
use super::{ListedWork, Read, Wrong};
use crate::convert::hex;

/// The name of this kind of hash in lists, in small letters.
pub(super) const NAME: &str = "vpdq";

/// Frames of a film: all, or some of them.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedFilm {
    /// The line that they stand on, from 1.
    pub line: u64,
    /// The work, whose id is the list's id, else the file's name.
    pub work: ListedWork,
    /// Whether the list has an id or a file's name. Where it has neither the id is made of the codes: `vpdq-` and 16 hexadecimal
    /// digits.
    pub named: bool,
    /// The film that they were made of.
    pub file: Option<String>,
    /// BLAKE3 of that film.
    pub digest: Option<[u8; 32]>,
    /// The frames, in the list's order.
    pub frames: Vec<VpdqFrame>,
    /// `None` where these are all of the film's frames. Else the line that the film's list begins on, 0 where that is not
    /// told: frames that follow each other belong to one film where this, work, file and digest are the same.
    pub part_of: Option<u64>,
}

impl ListedFilm {
    /// Whether `next`, which follows in the list, has more frames of this film.
    pub fn goes_on_with(&self, next: &ListedFilm) -> bool {
        let id = |film: &ListedFilm| film.named.then(|| film.work.id.clone());
        self.part_of.is_some()
            && (self.part_of, &self.file, self.digest) == (next.part_of, &next.file, next.digest)
            && id(self) == id(next)
    }
}

/// The id of a film that has no other: the same wherever the same codes stand.
pub fn id_of_frames(frames: &[VpdqFrame]) -> String {
    let mut digest = blake3::Hasher::new();
    for frame in frames {
        digest.update(&frame.code.0);
    }
    format!("{NAME}-{}", &digest.finalize().to_hex()[..16])
}

/// A frame as the reference's tool writes it, without a line end: its number, quality, code, and seconds to a thousandth.
///
/// ```
/// use minutia::fingerprint::{Code, VpdqFrame};
/// use minutia_report::lists::vpdq_line;
///
/// let frame = VpdqFrame { time_ms: 1_033, number: 31, quality: 98, code: Code([0xab; 32]) };
/// assert_eq!(vpdq_line(&frame), format!("31,98,{},1.033", "ab".repeat(32)));
/// ```
pub fn vpdq_line(frame: &VpdqFrame) -> String {
    let VpdqFrame { time_ms, number, quality, code } = frame;
    format!("{number},{quality},{code},{}.{:03}", time_ms / 1_000, time_ms % 1_000)
}

/// The films of a registered file, each with its stream's number and its frames.
pub fn films(entry: &Entry) -> impl Iterator<Item = (u32, Vec<VpdqFrame>)> {
    entry.fingerprints.iter().filter_map(|fingerprint| fingerprint.film()).map(|film| (film.stream, film.listed()))
}

/// A frame of a registered film as a row of [`COLUMNS`](super::COLUMNS), without a line end.
pub fn vpdq_row(entry: &Entry, frame: &VpdqFrame) -> String {
    let work = ListedWork::from(entry.work.clone());
    let identifiers = work.identifiers.iter().flatten().map(Identifier::to_string).collect::<Vec<_>>().join(" ");
    let text = |text: &Option<String>| super::write::cell(text.as_deref().unwrap_or(""));
    let cells: [String; fields::COLUMNS.len()] = [
        frame.code.to_string(),
        super::write::cell(work.id.as_str()),
        text(&work.holder),
        frame.quality.to_string(),
        NAME.to_owned(),
        text(&work.title),
        super::write::cell(&identifiers),
        text(&work.territory),
        text(&work.window),
        work.policy.map_or("", |policy| policy.name()).to_owned(),
        super::write::cell(&entry.source_name),
        entry.source_digest.map_or_else(String::new, |digest| hex(&digest)),
        frame.number.to_string(),
        frame.time_ms.to_string(),
        String::new(),
    ];
    cells.join(",")
}

/// Whether a list that begins with this line is one film's: a line a frame.
pub(super) fn is_line(first: &str) -> bool {
    of_line(first).is_some_and(|frame| frame.is_ok())
}

/// Reads one line of such a list; false at the end.
pub(super) fn read<R: BufRead>(text: &mut Text<R>, ready: &mut VecDeque<Read>) -> io::Result<bool> {
    let Some(line) = text.line()? else { return Ok(false) };
    let number = line.number;
    let frame = match line.text {
        Ok(text) if text.trim().is_empty() || text.starts_with('#') => return Ok(true),
        Ok(text) => of_line(&text).unwrap_or_else(|| Err(expected(&text))),
        Err(message) => Err(message),
    };
    let none = |_: Field| None;
    ready.push_back(match frame {
        Ok(frame) => film(number, vec![frame], Some(1), none),
        Err(message) => Read::Wrong(Wrong { line: number, message }),
    });
    Ok(true)
}

/// What the fields of a row or an object of this kind make up: one frame, or a film as one text.
pub(super) fn of_fields<'a>(line: u64, get: &impl Fn(Field) -> Option<Cow<'a, str>>) -> Read {
    let hash = get(Field::Hash).unwrap_or_default();
    let hash = hash.trim();
    if hash.starts_with(['[', '{']) {
        return of_text(line, hash, get);
    }
    let frame = || {
        let seconds = get(Field::Seconds).map(|text| milliseconds(text.trim())).transpose()?;
        let time_ms = match seconds {
            Some(time_ms) => time_ms,
            None => match fields::number(get, Field::Time, u32::MAX.into())? {
                Some(time_ms) => time_ms as u32,
                None => return Err("expected for a frame of a film its seconds, found none".to_owned()),
            },
        };
        Ok(VpdqFrame {
            time_ms,
            number: fields::number(get, Field::Frame, u32::MAX.into())?.unwrap_or(0),
            quality: fields::number(get, Field::Quality, 100)?.map_or(100, |quality| quality as u8),
            code: code(hash)?,
        })
    };
    match frame() {
        Ok(frame) => film(line, vec![frame], Some(0), get),
        Err(message) => Read::Wrong(Wrong { line, message }),
    }
}

/// A film as python-threatexchange has it: an array of frames as text, or an object of frames by their numbers.
pub(super) fn of_text<'a>(line: u64, text: &str, get: impl Fn(Field) -> Option<Cow<'a, str>>) -> Read {
    let wrong = |message| Read::Wrong(Wrong { line, message });
    let frames = match serde_json::from_str(text) {
        Ok(Value::Array(frames)) => frames
            .iter()
            .zip(0..)
            .map(|(frame, place)| {
                let text = frame.as_str().unwrap_or_default();
                let numbered = |frame| VpdqFrame { number: place, ..frame };
                of_line(text).unwrap_or_else(|| Err(expected(text))).map(numbered)
            })
            .collect(),
        Ok(Value::Object(frames)) => by_number(&frames),
        Ok(_) => Err(format!("expected the frames of a film, found {}", shown(text))),
        Err(error) => Err(format!("expected the frames of a film as JSON, found {} ({error})", shown(text))),
    };
    match frames {
        Ok(frames) if frames.is_empty() => wrong("expected at least one frame of a film, found none".to_owned()),
        Ok(frames) => film(line, frames, None, get),
        Err(message) => wrong(message),
    }
}

/// Whether an object holds the frames of a film by their numbers.
pub(super) fn is_by_number(object: &Map<String, Value>) -> bool {
    let is_frame = |value: &Value| value.as_object().is_some_and(|frame| frame.contains_key("hash"));
    !object.is_empty() && object.iter().all(|(key, value)| key.parse::<u32>().is_ok() && is_frame(value))
}

pub(super) fn by_number(frames: &Map<String, Value>) -> Result<Vec<VpdqFrame>, String> {
    let mut read = Vec::with_capacity(frames.len());
    for (key, frame) in frames {
        let number = key.parse::<u32>().map_err(|_| format!("expected the number of a frame, found {}", shown(key)))?;
        let value = |name| frame.get(name).map(plain).unwrap_or_default();
        let quality = value("quality");
        read.push(VpdqFrame {
            time_ms: milliseconds(&value("timestamp"))?,
            number: number.into(),
            quality: quality_of(&quality)?,
            code: code(&value("hash"))?,
        });
    }
    read.sort_by_key(|frame| frame.number);
    Ok(read)
}

/// Whether a text in an array of texts is a frame.
pub(super) fn of_element(line: u64, begun: u64, place: u64, text: &str) -> Option<Read> {
    let none = |_: Field| None;
    Some(match of_line(text)? {
        Ok(frame) => film(line, vec![VpdqFrame { number: place, ..frame }], Some(begun), none),
        Err(message) => Read::Wrong(Wrong { line, message }),
    })
}

/// A frame as a line: `frame,quality,hash,seconds`, or `hash,quality,seconds`, which has no number. `None` for what is
/// nothing of the kind.
fn of_line(line: &str) -> Option<Result<VpdqFrame, String>> {
    let cells: Vec<&str> = line.split(',').map(str::trim).collect();
    let (number, quality, hash, seconds) = match cells[..] {
        [number, quality, hash, seconds] => (number, quality, hash, seconds),
        [hash, quality, seconds] => ("0", quality, hash, seconds),
        _ => return None,
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A hash with an id and something behind it is a row of another list.
    let alike = digits(number) && digits(quality) && seconds.contains('.') && hash.len() == 64;
    alike.then(|| {
        let found = || format!("expected the number of a frame, found {}", shown(number));
        Ok(VpdqFrame {
            time_ms: milliseconds(seconds)?,
            number: number.parse::<u32>().map_err(|_| found())?.into(),
            quality: quality_of(quality)?,
            code: code(hash)?,
        })
    })
}

fn expected(found: &str) -> String {
    format!(
        "expected a frame of a film, for example `0,100,` and 64 hexadecimal digits and `,0.000`, found {}",
        shown(found)
    )
}

fn quality_of(text: &str) -> Result<u8, String> {
    let quality = text.parse().ok().filter(|&quality: &u8| quality <= 100);
    quality.ok_or_else(|| format!("expected for quality a number from 0 to 100, found {}", shown(text)))
}

fn code(text: &str) -> Result<Code, String> {
    text.parse().map_err(|_| format!("expected 64 hexadecimal digits of {NAME}, found {}", shown(text)))
}

/// Seconds as text to milliseconds, which 32 bits hold up to 49 days.
fn milliseconds(text: &str) -> Result<u32, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.0..4_294_967.0).contains(seconds));
    let milliseconds = seconds.map(|seconds| (seconds * 1_000.0).round() as u32);
    milliseconds.ok_or_else(|| format!("expected seconds from 0 to 4294966, found {}", shown(text)))
}

fn plain(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => text.into(),
        other => other.to_string().into(),
    }
}

fn film<'a>(
    line: u64,
    frames: Vec<VpdqFrame>,
    part_of: Option<u64>,
    get: impl Fn(Field) -> Option<Cow<'a, str>>,
) -> Read {
    let file = get(Field::File);
    let id = get(Field::Id).or_else(|| file.clone());
    let named = id.is_some();
    let made = || {
        Ok(ListedFilm {
            line,
            work: fields::work(&id.unwrap_or_else(|| id_of_frames(&frames).into()), &get)?,
            named,
            file: file.map(Cow::into_owned),
            digest: get(Field::Digest).map(|text| fields::digest(&text)).transpose()?,
            frames,
            part_of,
        })
    };
    made().map_or_else(|message| Read::Wrong(Wrong { line, message }), |film| Read::Film(Box::new(film)))
}

impl ListedFilm {
    /// Gives frames that have no name that of their list, where it can be an id.
    pub(super) fn name(&mut self, list: &str) {
        if let (false, Some(_), Some(id)) = (self.named, self.part_of, WorkId::new(list)) {
            self.work.id = id;
            self.file = Some(list.to_owned());
            self.named = true;
        }
    }
}

#[cfg(test)]
mod tests;
