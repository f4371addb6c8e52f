//! AVI by its chunks (AVI RIFF File Reference, Microsoft; OpenDML AVI File Format Extensions, 1996).

use super::{le32, read};
use crate::{Problem, Source};

/// The most parts of a long AVI, each of a gigabyte.
const MOST_PARTS: u32 = 4_096;
/// The most chunks of a part before its list of packets.
const MOST_CHUNKS: u32 = 256;

/// Bytes by which the part is short in which the file ends; 0 where all of that part's packets are there.
pub(super) fn missing_bytes(source: &Source) -> Result<u64, Problem> {
    let mut at = 0;
    for _ in 0..MOST_PARTS {
        let head = read(source, at, 8)?;
        let Some(size) = part_bytes(&head) else { return Ok(0) };
        let end = at + 8 + u64::from(size);
        if end > source.len() {
            let has_packets = packets_end(source, at, end)?.is_some_and(|packets| packets <= source.len());
            return Ok(if has_packets { 0 } else { end - source.len() });
        }
        at = end + end % 2;
    }
    Ok(0)
}

/// The size of a part whose head this is. What was never closed says nothing, or as much as there is room for.
fn part_bytes(head: &[u8]) -> Option<u32> {
    le32(head, 4).filter(|&size| head.starts_with(b"RIFF") && size != 0 && size < u32::MAX - 0xffff)
}

/// Where the list of packets ends in the part `at..end`; `None` where the file ends before it begins.
fn packets_end(source: &Source, at: u64, end: u64) -> Result<Option<u64>, Problem> {
    let mut at = at + 12;
    for _ in 0..MOST_CHUNKS {
        let head = read(source, at, 12)?;
        let Some(size) = le32(&head, 4) else { return Ok(None) };
        let behind = at + 8 + u64::from(size);
        if head.starts_with(b"LIST") && head.ends_with(b"movi") {
            // A list that was never closed goes on to the end.
            return Ok(Some(if size == 0 { end } else { behind.min(end) }));
        }
        at = behind + u64::from(size & 1);
    }
    Ok(None)
}

/// The shorter of what the header of the file and that of its first sound track say: some writers count sound of changing bit
/// rates in other units. Files of several parts count the frames of the first in one place, and all in another. What
/// was never closed has no length, or one of months.
#[cfg(feature = "audio")]
pub(super) fn length_ms(source: &Source) -> Result<Option<u64>, Problem> {
    Ok(told(&source.head(64 << 10)?))
}

#[cfg(feature = "audio")]
fn told(head: &[u8]) -> Option<u64> {
    part_bytes(head)?;
    let (mut at, mut frame_us, mut frames, mut by_track) = (12_usize, 0, 0, None);
    while let (Some(kind), Some(size)) = (head.get(at..at.checked_add(4)?), le32(head, at.checked_add(4)?)) {
        let body = at + 8;
        let field = |at: usize| le32(head, body + at).map(u64::from);
        match kind {
            // Lists are gone into.
            b"LIST" => {
                if head.get(body..body + 4) == Some(b"movi") {
                    break;
                }
                at = body + 4;
                continue;
            }
            b"avih" => (frame_us, frames) = (field(0)?, field(16)?),
            b"dmlh" => frames = frames.max(field(0)?),
            b"strh" if by_track.is_none() && head.get(body..body + 4) == Some(b"auds") => {
                let (scale, rate, length) = (field(20)?, field(24)?, field(32)?);
                by_track = length.saturating_mul(scale).saturating_mul(1_000).checked_div(rate);
            }
            _ => {}
        }
        at = body.checked_add(usize::try_from(size).ok()?)?.checked_add(size as usize & 1)?;
    }
    let by_file = frame_us.saturating_mul(frames) / 1_000;
    by_track.into_iter().chain([by_file]).filter(|&ms| ms > 0).min()
}
