//! ASF by the objects of its header (Advanced Systems Format Specification 01.20.06, Microsoft, 2012).

use super::{Listed, Sort, le32, le64, read};
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

/// `5FBF03B5-A92E-11CF-8EE3-00C00C205365` (3.4), and what stands before the objects in it.
const EXTENSION: [u8; 16] =
    [0xb5, 0x03, 0xbf, 0x5f, 0x2e, 0xa9, 0xcf, 0x11, 0x8e, 0xe3, 0x00, 0xc0, 0x0c, 0x20, 0x53, 0x65];
const EXTENSION_BYTES: u64 = 46;
/// `B7DC0791-A9B7-11CF-8EE6-00C00C205365` (3.3), and what they hold: `BC19EFC0-5B4D-11CF-A8FD-00805F5C442B` and
/// `F8699E40-5B4D-11CF-A8FD-00805F5C442B`.
const STREAM: [u8; 16] =
    [0x91, 0x07, 0xdc, 0xb7, 0xb7, 0xa9, 0xcf, 0x11, 0x8e, 0xe6, 0x00, 0xc0, 0x0c, 0x20, 0x53, 0x65];
const PICTURES: [u8; 16] =
    [0xc0, 0xef, 0x19, 0xbc, 0x4d, 0x5b, 0xcf, 0x11, 0xa8, 0xfd, 0x00, 0x80, 0x5f, 0x5c, 0x44, 0x2b];
const SOUND: [u8; 16] =
    [0x40, 0x9e, 0x69, 0xf8, 0x4d, 0x5b, 0xcf, 0x11, 0xa8, 0xfd, 0x00, 0x80, 0x5f, 0x5c, 0x44, 0x2b];
/// Content encryption `2211B3FB-BD23-11D2-B4B7-00A0C955FC6E`, extended `298AE614-2622-4C17-B935-DAE07EE9289C`, and advanced
/// `43058533-6981-49E6-9B74-AD12CB86D58C`.
const ENCRYPTIONS: [[u8; 16]; 3] = [
    [0xfb, 0xb3, 0x11, 0x22, 0x23, 0xbd, 0xd2, 0x11, 0xb4, 0xb7, 0x00, 0xa0, 0xc9, 0x55, 0xfc, 0x6e],
    [0x14, 0xe6, 0x8a, 0x29, 0x22, 0x26, 0x17, 0x4c, 0xb9, 0x35, 0xda, 0xe0, 0x7e, 0xe9, 0x28, 0x9c],
    [0x33, 0x85, 0x05, 0x43, 0x81, 0x69, 0xe6, 0x49, 0x9b, 0x74, 0xad, 0x12, 0xcb, 0x86, 0xd5, 0x8c],
];

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
    Ok(objects(source)?.into_iter().find_map(|(found, at)| (found == *kind).then_some(at)))
}

/// The header's objects, with where they begin, and those of its extension.
fn objects(source: &Source) -> Result<Vec<([u8; 16], u64)>, Problem> {
    let end = le64(&read(source, 0, 24)?, 16).unwrap_or(0);
    let (mut at, mut found) = (HEADER_BYTES, Vec::new());
    for _ in 0..MOST_OBJECTS {
        let head = read(source, at, 24)?;
        let (Some(&kind), Some(size)) = (head.first_chunk::<16>(), le64(&head, 16)) else { break };
        if at >= end {
            break;
        }
        found.push((kind, at));
        // It is gone into.
        let bytes = if kind == EXTENSION { EXTENSION_BYTES } else { size.max(24) };
        at = at.saturating_add(bytes);
    }
    Ok(found)
}

/// The streams, where the header says that they are encrypted or one of them is. A signature locks nothing.
pub(super) fn locked(source: &Source) -> Result<Vec<Listed>, Problem> {
    let objects = objects(source)?;
    let is_encrypted = objects.iter().any(|(kind, _)| ENCRYPTIONS.contains(kind));
    let mut streams = Vec::new();
    for (_, at) in objects.iter().filter(|(kind, _)| *kind == STREAM) {
        let stream = read(source, *at, 74)?;
        let flags = stream.get(72..74).map_or(0, |flags| u16::from_le_bytes([flags[0], flags[1]]));
        let sort = match stream.get(24..40) {
            Some(kind) if kind == PICTURES => Sort::Picture,
            Some(kind) if kind == SOUND => Sort::Sound,
            _ => Sort::Other,
        };
        streams.push((sort, flags));
    }
    let is_marked = |&(_, flags): &(Sort, u16)| flags & 0x8000 != 0;
    let by_stream = streams.iter().any(is_marked);
    if !is_encrypted && !by_stream {
        return Ok(Vec::new());
    }
    let listed = streams.iter().map(|stream| Listed {
        number: u64::from(stream.1 & 0x7f),
        sort: stream.0,
        codec: "",
        locked_by: (is_marked(stream) || !by_stream).then(|| "Windows Media DRM".to_owned()),
    });
    Ok(listed.collect())
}
