//! What containers say of their sound that a program decodes: how long it is, whether it is locked, and how much of the file should be there. Cheap
//! looks at headers, beside what a program makes of the file: it reads a file that was cut short to where it ends, and says
//! nothing.

use super::{caf, matroska, mp4, riff};
use crate::decode::declared as containers;
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
    /// The scheme that locks the first, where nothing here demuxes the container.
    pub locked_by: Option<String>,
}

/// So much is missing where a header was counted twice, as some writers of plain samples do: 44 bytes in the commonest form of
/// WAV, more in others. It is a tenth of a second at most.
const HEADER_BYTES: u64 = 128;

/// Adds to `declared` what a header says.
///
/// # Errors
/// [`Problem::Io`].
pub(super) fn add(source: &Source, format: Format, declared: &mut Declared) -> Result<(), Problem> {
    declared.missing_bytes = match format {
        Format::Mp4 | Format::M4a => mp4::told(source)?.missing_bytes,
        Format::Caf => caf::told(source)?.missing_bytes,
        Format::Matroska => matroska::end(source)?.saturating_sub(source.len()),
        Format::Wav => behind_headers(riff::end(source)?, source),
        Format::Aiff => behind_headers(form_end(&source.head(8)?), source),
        Format::Au => behind_headers(au_end(&source.head(12)?), source),
        _ => {
            declared.ms = containers::length_ms(source, format)?.or(declared.ms);
            let locked = containers::locked(source, format)?;
            let first = locked.into_iter().find(|track| track.sort == containers::Sort::Sound);
            declared.locked_by = first.and_then(|track| track.locked_by);
            containers::missing_bytes(source, format)?
        }
    };
    Ok(())
}

/// What is missing of a file that should end there.
fn behind_headers(end: u64, source: &Source) -> u64 {
    Some(end.saturating_sub(source.len())).filter(|&missing| missing > HEADER_BYTES).unwrap_or(0)
}

fn be32(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |field| u32::from_be_bytes(*field))
}

/// Where a FORM ends; 0 where it does not say.
fn form_end(head: &[u8]) -> u64 {
    let size = be32(head, 4);
    // Written where nobody could go back to the header.
    if size == 0 || size == u32::MAX { 0 } else { u64::from(size) + 8 }
}

/// Where the sound of a Sun file ends: behind the header, whose length comes first.
fn au_end(head: &[u8]) -> u64 {
    let size = be32(head, 8);
    if size == u32::MAX { 0 } else { u64::from(be32(head, 4)) + u64::from(size) }
}
