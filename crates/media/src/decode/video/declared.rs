//! How long files of containers say they are that are not demuxed here: AVI by its chunks (OpenDML AVI File Format Extensions,
//! 1996), ASF by its file properties (Advanced Systems Format, 2004, 3.2), Flash video by what stands in `onMetaData` (Adobe Flash
//! Video File Format 10.1, E.5).

use super::demux::read;
use crate::{Format, Problem, Source};

/// How far into a file its own description is looked for.
const HEAD_BYTES: usize = 64 << 10;
/// The most chunks of a long AVI, each of a gigabyte.
const MOST_CHUNKS: u32 = 4_096;
/// What ASF calls its file properties: `8CABDCA1-A947-11CF-8EE4-00C00C205365`.
const FILE_PROPERTIES: [u8; 16] =
    [0xa1, 0xdc, 0xab, 0x8c, 0x47, 0xa9, 0xcf, 0x11, 0x8e, 0xe4, 0x00, 0xc0, 0x0c, 0x20, 0x53, 0x65];

/// How many bytes the file is shorter than it says; 0 where it does not tell, as recordings that were never closed do not.
pub(super) fn missing_bytes(source: &Source, format: Format) -> Result<u64, Problem> {
    let declared = match format {
        Format::Avi => return missing_of_avi(source),
        Format::Asf => asf(&read(source, 0, HEAD_BYTES)?),
        Format::Flv => flv(&read(source, 0, HEAD_BYTES)?),
        _ => None,
    };
    Ok(declared.map_or(0, |declared| declared.saturating_sub(source.len())))
}

fn missing_of_avi(source: &Source) -> Result<u64, Problem> {
    let mut at = 0;
    for _ in 0..MOST_CHUNKS {
        let head = read(source, at, 8)?;
        let Some((b"RIFF", size)) = head.split_first_chunk::<4>() else { return Ok(0) };
        let size = size.first_chunk::<4>().map_or(0, |size| u32::from_le_bytes(*size));
        // What was never closed says nothing, or as much as there is room for.
        if size == 0 || size >= u32::MAX - 0xffff {
            return Ok(0);
        }
        let end = at + 8 + u64::from(size);
        if end > source.len() {
            return Ok(end - source.len());
        }
        at = end + end % 2;
    }
    Ok(0)
}

fn asf(head: &[u8]) -> Option<u64> {
    let place = head.windows(16).position(|part| part == FILE_PROPERTIES)?;
    let object = &head[place..];
    let size = u64::from_le_bytes(*object.get(40..)?.first_chunk()?);
    let flags = u32::from_le_bytes(*object.get(88..)?.first_chunk()?);
    // Of a broadcast the size means nothing.
    (flags & 1 == 0).then_some(size)
}

fn flv(head: &[u8]) -> Option<u64> {
    // The name behind its length, and that a number follows.
    const KEY: &[u8] = b"\0\x08filesize\0";
    let Some(place) = head.windows(KEY.len()).position(|part| part == KEY) else { return first_tag_of_flv(head) };
    let size = f64::from_be_bytes(*head.get(place + KEY.len()..)?.first_chunk()?);
    (size >= 0.0 && size < (1_u64 << 53) as f64).then_some(size as u64)
}

/// Where the first tag ends: a file that is shorter was cut off within it.
fn first_tag_of_flv(head: &[u8]) -> Option<u64> {
    let start = u32::from_be_bytes(*head.get(5..)?.first_chunk()?);
    // The size of what would be before it, and its kind.
    let size = head.get(usize::try_from(start).ok()?.checked_add(5)?..)?.first_chunk::<3>()?;
    Some(u64::from(start) + 15 + u64::from(u32::from_be_bytes([0, size[0], size[1], size[2]])))
}
