//! What containers say of their sound that a program decodes: how long it is, and how much of the file should be there. Cheap
//! looks at headers, beside what a program makes of the file: it reads a file that was cut short to where it ends, and says
//! nothing.

use super::{caf, matroska, mp4, riff};
use crate::{Format, Problem, Source};

/// What a container says of its sound. What is not known is 0, `None` or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// The length, in milliseconds.
    pub ms: Option<u64>,
    /// Sound tracks.
    pub tracks: u32,
    /// The codec of the first, where nothing here decodes it.
    pub codec: String,
    /// Bytes that should be behind the end of the file.
    pub missing_bytes: u64,
}

/// How much of a header is looked at.
const HEAD_BYTES: usize = 64 << 10;

/// Adds to `declared` what a header says.
///
/// # Errors
/// [`Problem::Io`].
pub(super) fn add(source: &Source, format: Format, declared: &mut Declared) -> Result<(), Problem> {
    let whole = match format {
        Format::Mp4 | Format::M4a => source.len().saturating_add(mp4::told(source)?.missing_bytes),
        Format::Caf => source.len().saturating_add(caf::told(source)?.missing_bytes),
        Format::Matroska => matroska::end(source)?,
        Format::Wav => riff::end(source)?,
        Format::Aiff => form_end(&source.head(8)?, false),
        Format::Au => au_end(&source.head(12)?),
        Format::Avi => {
            let head = source.head(HEAD_BYTES)?;
            declared.ms = avi_ms(&head);
            form_end(&head, true)
        }
        Format::Asf => {
            let head = source.head(HEAD_BYTES)?;
            let (bytes, ms) = asf(&head).unwrap_or((0, 0));
            declared.ms = Some(ms).filter(|&ms| ms > 0);
            bytes
        }
        Format::Flv => {
            let head = source.head(HEAD_BYTES)?;
            declared.ms = flv_number(&head, "duration").map(|seconds| (seconds * 1_000.0) as u64).filter(|&ms| ms > 0);
            flv_number(&head, "filesize").map_or(0, |bytes| bytes as u64)
        }
        _ => 0,
    };
    let missing = whole.saturating_sub(source.len());
    // Some writers count their headers twice, or an index that they left out.
    declared.missing_bytes = if missing > whole / 100 { missing } else { 0 };
    Ok(())
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

fn le64(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at.checked_add(8)?)?.try_into().ok().map(u64::from_le_bytes)
}

/// Where a RIFF or FORM ends; 0 where it does not say. Of an AVI of more than a gigabyte, the first part.
fn form_end(head: &[u8], little_endian: bool) -> u64 {
    let Some(size) = le32(head, 4) else { return 0 };
    let size = if little_endian { size } else { size.swap_bytes() };
    // Written where nobody could go back to the header.
    if size == 0 || size == u32::MAX { 0 } else { u64::from(size) + 8 }
}

/// Where the sound of a Sun file ends: behind the header, whose length comes first.
fn au_end(head: &[u8]) -> u64 {
    let field = |at| le32(head, at).map_or(0, u32::swap_bytes);
    if field(8) == u32::MAX { 0 } else { u64::from(field(4)) + u64::from(field(8)) }
}

/// The shorter of what the header of the file and that of its first sound track say (AVI RIFF File Reference, Microsoft): some
/// writers count sound of changing bit rates in other units, and files of several parts count the frames of the first.
fn avi_ms(head: &[u8]) -> Option<u64> {
    let (mut at, mut by_file, mut by_track) = (12_usize, None, None);
    while let (Some(kind), Some(size)) = (head.get(at..at.checked_add(4)?), le32(head, at.checked_add(4)?)) {
        let body = at + 8;
        match kind {
            // Lists are gone into.
            b"LIST" => {
                if head.get(body..body + 4) == Some(b"movi") {
                    break;
                }
                at = body + 4;
                continue;
            }
            b"avih" => {
                let (frame_us, frames) = (u64::from(le32(head, body)?), u64::from(le32(head, body + 16)?));
                by_file = Some(frame_us.saturating_mul(frames) / 1_000);
            }
            b"strh" if by_track.is_none() && head.get(body..body + 4) == Some(b"auds") => {
                let field = |at: usize| le32(head, body + at).map(u64::from);
                let (scale, rate, length) = (field(20)?, field(24)?, field(32)?);
                by_track = length.saturating_mul(scale).saturating_mul(1_000).checked_div(rate);
            }
            _ => {}
        }
        at = body.checked_add(usize::try_from(size).ok()?)?.checked_add(size as usize & 1)?;
    }
    by_track.into_iter().chain(by_file).filter(|&ms| ms > 0).min()
}

/// Bytes and milliseconds by the file properties (ASF Specification 01.20.06, 3.2). `None` where there are none, or where they
/// are those of a broadcast.
fn asf(head: &[u8]) -> Option<(u64, u64)> {
    const FILE_PROPERTIES: [u8; 16] =
        [0xa1, 0xdc, 0xab, 0x8c, 0x47, 0xa9, 0xcf, 0x11, 0x8e, 0xe4, 0x00, 0xc0, 0x0c, 0x20, 0x53, 0x65];
    // Behind the header's own 30 bytes.
    let mut at = 30_usize;
    loop {
        let id = head.get(at..at.checked_add(16)?)?;
        let size = usize::try_from(le64(head, at + 16)?).ok()?;
        if id == FILE_PROPERTIES {
            let is_broadcast = le32(head, at + 88)? & 1 != 0;
            // Preroll is counted into the play duration.
            let ms = (le64(head, at + 64)? / 10_000).saturating_sub(le64(head, at + 80)?);
            return (!is_broadcast).then_some((le64(head, at + 40)?, ms));
        }
        at = at.checked_add(size.max(24))?;
    }
}

/// A number of `onMetaData` (Adobe Flash Video File Format Specification 10.1, E.5), by its name.
fn flv_number(head: &[u8], name: &str) -> Option<f64> {
    // A script tag comes first.
    if head.get(13)? & 0x1f != 18 {
        return None;
    }
    let size = usize::from(*head.get(14)?) << 16 | usize::from(*head.get(15)?) << 8 | usize::from(*head.get(16)?);
    let body = head.get(24..)?;
    let body = &body[..body.len().min(size)];
    // Length, name, and the mark of a number.
    let key = [&[0, u8::try_from(name.len()).ok()?], name.as_bytes(), &[0]].concat();
    let at = body.windows(key.len()).position(|window| window == key)? + key.len();
    let number = f64::from_be_bytes(body.get(at..at + 8)?.try_into().ok()?);
    (number.is_finite() && number > 0.0).then_some(number)
}
