//! Flash video by what stands in `onMetaData` (Adobe Flash Video File Format Specification 10.1, E.5), and by its first and last
//! tags.

use super::read;
use crate::{Problem, Source};

/// How far into a file its own description is looked for.
const HEAD_BYTES: usize = 64 << 10;
/// What stands before the body of a tag: kind, size, time, stream.
const TAG_BYTES: u64 = 11;

/// Bytes that the file lacks by its description, else by its first tag.
pub(super) fn missing_bytes(source: &Source) -> Result<u64, Problem> {
    let head = source.head(HEAD_BYTES)?;
    let first_end = first_tag_end(&head).unwrap_or(0);
    if first_end > source.len() {
        let whole = number(&head, "filesize").map_or(first_end, |bytes| bytes as u64);
        return Ok(whole.max(first_end) - source.len());
    }
    let missing = number(&head, "filesize").map_or(0, |bytes| (bytes as u64).saturating_sub(source.len()));
    // Tools that write a description into a file count it twice.
    let is_whole = missing <= first_end && ends_with_a_tag(source)?;
    Ok(if is_whole { 0 } else { missing })
}

#[cfg(feature = "audio")]
pub(super) fn length_ms(source: &Source) -> Result<Option<u64>, Problem> {
    Ok(number(&source.head(HEAD_BYTES)?, "duration").map(|seconds| (seconds * 1_000.0) as u64))
}

/// Where the first tag ends: a file that is shorter was cut off within it.
fn first_tag_end(head: &[u8]) -> Option<u64> {
    let start = u32::from_be_bytes(*head.get(5..)?.first_chunk()?);
    // The length of what would be before it, and its kind.
    let size = head.get(usize::try_from(start).ok()?.checked_add(5)?..)?.first_chunk::<3>()?;
    Some(u64::from(start) + 4 + TAG_BYTES + be24(*size))
}

/// Whether the last four bytes are the length of a tag that stands before them.
fn ends_with_a_tag(source: &Source) -> Result<bool, Problem> {
    let Some(end) = source.len().checked_sub(4) else { return Ok(false) };
    let length = read(source, end, 4)?.first_chunk().map_or(0, |length| u64::from(u32::from_be_bytes(*length)));
    let Some(at) = end.checked_sub(length).filter(|_| length >= TAG_BYTES) else { return Ok(false) };
    let tag = read(source, at, 4)?;
    let size = tag.get(1..).and_then(|size| size.first_chunk::<3>()).map(|size| be24(*size));
    Ok(size == Some(length - TAG_BYTES))
}

/// A number of `onMetaData`, which is the first tag where there is one, by its name.
fn number(head: &[u8], name: &str) -> Option<f64> {
    const SCRIPT: u8 = 18;
    let start = u32::from_be_bytes(*head.get(5..)?.first_chunk()?);
    let tag = head.get(usize::try_from(start).ok()?.checked_add(4)?..)?;
    let size = usize::try_from(be24(*tag.get(1..)?.first_chunk()?)).ok()?;
    let body = tag.get(TAG_BYTES as usize..).filter(|_| tag[0] & 0x1f == SCRIPT)?;
    let body = &body[..body.len().min(size)];
    // The name behind its length, and the mark of a number.
    let key = [&[0, u8::try_from(name.len()).ok()?], name.as_bytes(), &[0]].concat();
    let at = body.windows(key.len()).position(|window| window == key)? + key.len();
    let number = f64::from_be_bytes(*body.get(at..)?.first_chunk()?);
    (number > 0.0 && number < (1_u64 << 53) as f64).then_some(number)
}

fn be24([high, middle, low]: [u8; 3]) -> u64 {
    u64::from(u32::from_be_bytes([0, high, middle, low]))
}
