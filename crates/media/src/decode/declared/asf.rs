//! ASF by the objects of its header (Advanced Systems Format Specification 01.20.06, Microsoft, 2012).

use super::{le32, le64, read};
use crate::{Problem, Source};

/// The most objects of a header that are looked at.
const MOST_OBJECTS: u32 = 1_000;
/// What stands before a header's own objects: identifier, size, number of objects, two reserved bytes.
const HEADER_BYTES: u64 = 30;
/// `8CABDCA1-A947-11CF-8EE4-00C00C205365` (3.2).
const FILE_PROPERTIES: [u8; 16] =
    [0xa1, 0xdc, 0xab, 0x8c, 0x47, 0xa9, 0xcf, 0x11, 0x8e, 0xe4, 0x00, 0xc0, 0x0c, 0x20, 0x53, 0x65];
/// `75B22636-668E-11CF-A6D9-00AA0062CE6C` (5.1).
const DATA: [u8; 16] = [0x36, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11, 0xa6, 0xd9, 0x00, 0xaa, 0x00, 0x62, 0xce, 0x6c];

/// Bytes that the file lacks by its properties; 0 where all of its packets are there.
pub(super) fn missing_bytes(source: &Source) -> Result<u64, Problem> {
    let Some(properties) = properties(source)? else { return Ok(0) };
    let missing = properties.file_bytes.saturating_sub(source.len());
    let has_packets = missing > 0 && packets_end(source)?.is_some_and(|end| end <= source.len());
    Ok(if has_packets { 0 } else { missing })
}

#[cfg(feature = "audio")]
pub(super) fn length_ms(source: &Source) -> Result<Option<u64>, Problem> {
    Ok(properties(source)?.map(|properties| properties.ms))
}

struct Properties {
    file_bytes: u64,
    #[cfg(feature = "audio")]
    ms: u64,
}

/// `None` where there are none, or where they are those of a broadcast, which mean nothing.
fn properties(source: &Source) -> Result<Option<Properties>, Problem> {
    let Some(at) = object(source, &FILE_PROPERTIES)? else { return Ok(None) };
    let object = read(source, at, 92)?;
    let told = || {
        let is_broadcast = le32(&object, 88)? & 1 != 0;
        Some(Properties {
            file_bytes: le64(&object, 40)?,
            // Preroll is counted into the play duration.
            #[cfg(feature = "audio")]
            ms: (le64(&object, 64)? / 10_000).saturating_sub(le64(&object, 80)?),
        })
        .filter(|_| !is_broadcast)
    };
    Ok(told())
}

/// Where the data object ends, which stands behind the header; `None` where the file ends before it begins.
fn packets_end(source: &Source) -> Result<Option<u64>, Problem> {
    let Some(at) = le64(&read(source, 0, 24)?, 16) else { return Ok(None) };
    let head = read(source, at, 24)?;
    let size = le64(&head, 16).filter(|_| head.starts_with(&DATA));
    Ok(size.map(|size| at.saturating_add(size)))
}

/// Where the header's object of that kind begins.
fn object(source: &Source, kind: &[u8; 16]) -> Result<Option<u64>, Problem> {
    let end = le64(&read(source, 0, 24)?, 16).unwrap_or(0);
    let mut at = HEADER_BYTES;
    for _ in 0..MOST_OBJECTS {
        let head = read(source, at, 24)?;
        let Some(size) = le64(&head, 16).filter(|_| at < end) else { break };
        if head.starts_with(kind) {
            return Ok(Some(at));
        }
        at = at.saturating_add(size.max(24));
    }
    Ok(None)
}
