//! Where the sound of a Core Audio file ends (Apple, "Core Audio Format Specification 1.0", 2006). The demuxer refuses a
//! file whose data chunk does.

use super::window::Told;
use crate::{Problem, Source};

/// The most chunks that are looked at.
const MAX_CHUNKS: u32 = 1_000;

/// What is told of a file whose data is cut short, or has no length.
///
/// # Errors
/// [`Problem::Io`].
pub(super) fn told(source: &Source) -> Result<Told, Problem> {
    const DATA_UNTIL_THE_END: i64 = -1;
    let mut at = 8;
    for _ in 0..MAX_CHUNKS {
        let mut head = [0; 12];
        if source.read_at(at, &mut head)? < head.len() {
            break;
        }
        let size = head.last_chunk().map_or(0, |size| i64::from_be_bytes(*size));
        let start = at + 12;
        if head.starts_with(b"data") {
            let is_open = size == DATA_UNTIL_THE_END;
            let there = source.len().saturating_sub(start);
            let missing_bytes = u64::try_from(size).unwrap_or(0).saturating_sub(there);
            let replace = is_open || missing_bytes > 0;
            let replaced = if replace { vec![(at + 4, there.to_be_bytes().to_vec())] } else { Vec::new() };
            return Ok(Told { replaced, missing_bytes, is_open });
        }
        let Some(next) = u64::try_from(size).ok().and_then(|size| start.checked_add(size)) else { break };
        if next > source.len() {
            break;
        }
        at = next;
    }
    Ok(Told::default())
}
