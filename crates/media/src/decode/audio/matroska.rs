//! What of Matroska the demuxer keeps to itself: whether tracks are encrypted (RFC 9559, `ContentEncryption`), what a codec is
//! called that it does not know, and where a file ends.

use std::ops::Range;

use crate::{Problem, Source};

/// The most elements that are looked at: sound is described long before.
const MAX_ELEMENTS: u32 = 20_000;

const SEGMENT: u32 = 0x1853_8067;
const CLUSTER: u32 = 0x1f43_b675;
const TRACKS: u32 = 0x1654_ae6b;
const TRACK: u32 = 0xae;
const TRACK_NUMBER: u32 = 0xd7;
const TRACK_TYPE: u32 = 0x83;
const CODEC_ID: u32 = 0x86;
const ENCODINGS: u32 = 0x6d80;
const ENCODING: u32 = 0x6240;
const ENCRYPTION: u32 = 0x5035;

/// Numbers of the tracks that are encrypted.
///
/// # Errors
/// [`Problem::Io`].
pub(super) fn encrypted_tracks(source: &Source) -> Result<Vec<u64>, Problem> {
    Ok(walked(source)?.encrypted)
}

/// Names of codecs by their identifiers, of those that are not decoded here; others are told as they are.
const CODECS: &[(&str, &str)] = &[
    ("A_AC3", "AC-3"),
    ("A_AC4", "AC-4"),
    ("A_ALAC", "ALAC"),
    ("A_ATRAC/AT1", "ATRAC1"),
    ("A_DTS", "DTS"),
    ("A_EAC3", "E-AC-3"),
    ("A_MLP", "MLP"),
    ("A_QUICKTIME", "a codec of QuickTime"),
    ("A_TRUEHD", "TrueHD"),
    ("A_TTA1", "TTA"),
    ("A_WAVPACK4", "WavPack"),
    ("A_MS/ACM", "a codec of Windows"),
];

/// What the first sound track calls its codec.
///
/// # Errors
/// [`Problem::Io`].
pub(super) fn codec(source: &Source) -> Result<Option<String>, Problem> {
    const SOUND: u64 = 2;
    let walk = walked(source)?;
    let Some(id) = walk.codecs.iter().find(|(kind, _)| *kind == SOUND).map(|(_, id)| id.clone()) else {
        return Ok(None);
    };
    let known = CODECS.iter().find(|(known, _)| *known == id).map(|(_, name)| (*name).to_owned());
    Ok((!id.is_empty()).then(|| known.unwrap_or_else(|| format!("codec {}", id.escape_default()))))
}

/// Where the segment ends; 0 where it does not say.
///
/// # Errors
/// [`Problem::Io`].
pub(super) fn end(source: &Source) -> Result<u64, Problem> {
    let mut at = 0;
    for _ in 0..16 {
        let mut head = [0; 12];
        let read = source.read_at(at, &mut head)?;
        let Some((id, id_bytes)) = element_id(&head[..read]) else { break };
        let Some((size, size_bytes)) = number(&head[id_bytes..read]) else { break };
        let end = at.saturating_add((id_bytes + size_bytes) as u64).saturating_add(size);
        if id == SEGMENT {
            return Ok(if size == (1 << (7 * size_bytes)) - 1 { 0 } else { end });
        }
        at = end;
    }
    Ok(0)
}

fn walked(source: &Source) -> Result<Walk<'_>, Problem> {
    let mut walk = Walk { source, left: MAX_ELEMENTS, number: 0, encrypted: Vec::new(), codecs: Vec::new() };
    walk.level(0..source.len(), 0)?;
    Ok(walk)
}

/// The most elements of a streamed file that are stepped over: a day of packets of 20 ms is 4.3 million.
const MAX_STEPS: u32 = 10_000_000;

/// Whether a file ends where an element ends, though its segment or its last cluster has no length: what is streamed (RFC 8794,
/// 6.2, unknown-sized elements) has no other end.
///
/// # Errors
/// [`Problem::Io`].
pub(super) fn ends_with_an_element(source: &Source) -> Result<bool, Problem> {
    let (mut at, mut is_open) = (0, false);
    for _ in 0..MAX_STEPS {
        if at == source.len() {
            return Ok(is_open);
        }
        let mut head = [0; 12];
        let read = source.read_at(at, &mut head)?;
        let Some((id, id_bytes)) = element_id(&head[..read]) else { return Ok(false) };
        let Some((size, size_bytes)) = number(&head[id_bytes..read]) else { return Ok(false) };
        let start = at + (id_bytes + size_bytes) as u64;
        let unknown = size == (1 << (7 * size_bytes)) - 1;
        is_open |= unknown;
        at = match (id, unknown) {
            // What has no length is stepped into.
            (SEGMENT | CLUSTER, true) => start,
            (_, true) => return Ok(false),
            // Whether it is whole is known by its length; a cluster without a length may be inside.
            (SEGMENT, false) if start.saturating_add(size) > source.len() => return Ok(false),
            (SEGMENT, false) => start,
            (_, false) => start.saturating_add(size),
        };
        if at > source.len() {
            return Ok(false);
        }
    }
    Ok(false)
}

struct Walk<'a> {
    source: &'a Source,
    left: u32,
    number: u64,
    encrypted: Vec<u64>,
    /// Of each track what kind it is, and the identifier of its codec.
    codecs: Vec<(u64, String)>,
}

impl Walk<'_> {
    /// Walks the elements of one level; `false` where no more need be looked at.
    fn level(&mut self, range: Range<u64>, depth: u32) -> Result<bool, Problem> {
        let mut at = range.start;
        while at < range.end && self.left > 0 {
            self.left -= 1;
            let mut head = [0; 12];
            let read = self.source.read_at(at, &mut head)?;
            let Some((id, id_bytes)) = element_id(&head[..read]) else { return Ok(true) };
            let Some((size, size_bytes)) = number(&head[id_bytes..read]) else { return Ok(true) };
            let start = at + (id_bytes + size_bytes) as u64;
            // All ones: until the end of what is around.
            let unknown = size == (1 << (7 * size_bytes)) - 1;
            let end = if unknown { range.end } else { start.saturating_add(size).min(range.end) };
            if id == TRACK {
                self.codecs.push((0, String::new()));
            }
            let within = matches!(id, SEGMENT | TRACKS | TRACK | ENCODINGS | ENCODING) && depth < 8;
            if id == CLUSTER || within && !self.level(start..end, depth + 1)? {
                return Ok(false);
            }
            match id {
                TRACK_NUMBER => self.number = self.value(start, end)?,
                TRACK_TYPE => {
                    let kind = self.value(start, end)?;
                    self.codecs.last_mut().into_iter().for_each(|track| track.0 = kind);
                }
                CODEC_ID => {
                    let codec = self.text(start, end)?;
                    self.codecs.last_mut().into_iter().for_each(|track| track.1.clone_from(&codec));
                }
                ENCRYPTION => self.encrypted.push(self.number),
                _ => {}
            }
            at = end;
        }
        Ok(true)
    }

    /// Identifiers are short.
    fn text(&self, start: u64, end: u64) -> Result<String, Problem> {
        let mut bytes = [0; 32];
        let len = usize::try_from(end.saturating_sub(start)).unwrap_or(32).min(32);
        let read = self.source.read_at(start, &mut bytes[..len])?;
        Ok(String::from_utf8_lossy(&bytes[..read]).trim_end_matches('\0').to_owned())
    }

    fn value(&self, start: u64, end: u64) -> Result<u64, Problem> {
        let mut bytes = [0; 8];
        let len = usize::try_from(end.saturating_sub(start)).unwrap_or(8).min(8);
        let read = self.source.read_at(start, &mut bytes[..len])?;
        Ok(bytes[..read].iter().fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }
}

/// An element's identifier, its marker bit included, with its length.
fn element_id(head: &[u8]) -> Option<(u32, usize)> {
    let len = head.first()?.leading_zeros() as usize + 1;
    let bytes = head.get(..len).filter(|_| len <= 4)?;
    Some((bytes.iter().fold(0, |id, &byte| id << 8 | u32::from(byte)), len))
}

/// A size without its marker bit, with its length.
fn number(head: &[u8]) -> Option<(u64, usize)> {
    let first = *head.first()?;
    let len = first.leading_zeros() as usize + 1;
    let bytes = head.get(..len).filter(|_| len <= 8)?;
    let first = u64::from(first) & ((1 << (8 - len)) - 1);
    Some((bytes[1..].iter().fold(first, |value, &byte| value << 8 | u64::from(byte)), len))
}
