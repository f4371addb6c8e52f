//! What of Matroska the demuxer keeps to itself: whether tracks are encrypted (RFC 9559, `ContentEncryption`), and whether a file
//! that was streamed is whole.

use std::ops::Range;

use crate::{Problem, Source};

/// The most elements that are looked at: sound is described long before.
const MAX_ELEMENTS: u32 = 20_000;

const SEGMENT: u32 = 0x1853_8067;
const CLUSTER: u32 = 0x1f43_b675;
const TRACKS: u32 = 0x1654_ae6b;
const TRACK: u32 = 0xae;
const TRACK_NUMBER: u32 = 0xd7;
const ENCODINGS: u32 = 0x6d80;
const ENCODING: u32 = 0x6240;
const ENCRYPTION: u32 = 0x5035;

/// Numbers of the tracks that are encrypted.
///
/// # Errors
/// [`Problem::Io`].
pub(super) fn encrypted_tracks(source: &Source) -> Result<Vec<u64>, Problem> {
    let mut walk = Walk { source, left: MAX_ELEMENTS, number: 0, encrypted: Vec::new() };
    walk.level(0..source.len(), 0)?;
    Ok(walk.encrypted)
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
            let within = matches!(id, SEGMENT | TRACKS | TRACK | ENCODINGS | ENCODING) && depth < 8;
            if id == CLUSTER || within && !self.level(start..end, depth + 1)? {
                return Ok(false);
            }
            match id {
                TRACK_NUMBER => self.number = self.value(start, end)?,
                ENCRYPTION => self.encrypted.push(self.number),
                _ => {}
            }
            at = end;
        }
        Ok(true)
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
