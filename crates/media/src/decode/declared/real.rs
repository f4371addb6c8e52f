//! RealMedia by its chunks (RealNetworks, "RealMedia File Format", 1998), whose numbers are big-endian.

use super::read;
use crate::{Problem, Source};

/// The most chunks that are looked at: a header has one for each stream.
const MOST_CHUNKS: u32 = 64;

/// What stands before the packets. ffmpeg counts ten bytes of it twice.
const DATA_HEAD_BYTES: u64 = 18;

/// Bytes that the packets lack. What was streamed says 0.
pub(super) fn missing_bytes(source: &Source) -> Result<u64, Problem> {
    let Some((at, size)) = chunk(source, b"DATA")?.filter(|&(_, size)| size > 0) else { return Ok(0) };
    Ok(Some((at + size).saturating_sub(source.len())).filter(|&missing| missing > DATA_HEAD_BYTES).unwrap_or(0))
}

/// How long it says that it is, in milliseconds.
#[cfg(feature = "audio")]
pub(super) fn length_ms(source: &Source) -> Result<Option<u64>, Problem> {
    let Some((at, _)) = chunk(source, b"PROP")? else { return Ok(None) };
    let duration = read(source, at + 30, 4)?;
    Ok(duration.first_chunk().map(|duration| u64::from(u32::from_be_bytes(*duration))))
}

/// The place and the size of the first chunk of that kind, with its head.
fn chunk(source: &Source, kind: &[u8; 4]) -> Result<Option<(u64, u64)>, Problem> {
    let mut at = 0;
    for _ in 0..MOST_CHUNKS {
        let head = read(source, at, 8)?;
        let Some((name, size)) = head.split_first_chunk::<4>() else { break };
        let size = size.first_chunk().map_or(0, |size| u64::from(u32::from_be_bytes(*size)));
        if name == kind {
            return Ok(Some((at, size)));
        }
        if size < 8 {
            break;
        }
        at += size;
    }
    Ok(None)
}
