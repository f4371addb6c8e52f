//! What containers say of themselves that are not demuxed here, AVI, ASF and Flash video foremost: how long they are, how much of the
//! file should be there, and what locks them. Cheap looks at headers, beside what a program makes of the file: it reads a file that was cut short to where it ends,
//! and says nothing.
//!
//! **What counts as missing** are pictures and sound, down to the byte, and nothing else. A share of the file would not do: a
//! hundredth of a long film is a minute of it. Nor would its length alone: an index that was counted and never written, or a
//! header that was counted twice, takes nothing away. So AVI and ASF are cut short where the list that holds their packets is, and
//! Flash video, which has no such list, where it ends within a tag or lacks more than its own description. MPEG streams, which go
//! on until they stop, are cut short where they end within a packet. What ffmpeg 5.1 writes
//! is as long as it says, to the byte: 102 files in ten codecs of pictures and five of sound, with and without index or padding, and an AVI of
//! four parts with 3.4 GB. What it writes into a pipe says
//! nothing. All 42 streams of packets that it wrote end with one.

mod asf;
mod avi;
mod flv;
mod mpeg;
mod mxf;
mod ps;
mod real;
mod sound;
mod ts;

use crate::{Format, Problem, Source};

/// How many bytes the file is shorter than it says; 0 where it does not tell, as recordings that were never closed do not, and
/// where nothing of the pictures and of the sound is missing.
///
/// # Errors
/// [`Problem::Io`].
pub(super) fn missing_bytes(source: &Source, format: Format) -> Result<u64, Problem> {
    match format {
        Format::Avi => avi::missing_bytes(source),
        Format::Asf => asf::missing_bytes(source),
        Format::Flv => flv::missing_bytes(source),
        Format::MpegTs => mpeg::missing_of_transport_stream(source),
        Format::MpegPs => mpeg::missing_of_program_stream(source),
        Format::RealMedia => real::missing_bytes(source),
        Format::Mxf => mxf::missing_bytes(source),
        Format::Dsf | Format::Dsdiff => sound::missing_bytes(source, format),
        _ => Ok(0),
    }
}

/// What is said of that. A stream of packets tells of the last one alone: how many are missing behind it nobody knows.
pub(super) fn told(format: Format, missing_bytes: u64) -> Option<String> {
    let detail = || format!("the file ends within a packet, of which {missing_bytes} bytes are missing");
    matches!(format, Format::MpegTs | Format::MpegPs).then(detail)
}

/// How long it says that it is, in milliseconds.
///
/// # Errors
/// [`Problem::Io`].
#[cfg(feature = "audio")]
pub(super) fn length_ms(source: &Source, format: Format) -> Result<Option<u64>, Problem> {
    let declared = match format {
        Format::Avi => avi::length_ms(source)?,
        Format::Asf => asf::length_ms(source)?,
        Format::Flv => flv::length_ms(source)?,
        Format::RealMedia => real::length_ms(source)?,
        Format::Ape | Format::Dsf | Format::Tta | Format::WavPack => sound::length_ms(source, format)?,
        _ => None,
    };
    Ok(declared.filter(|&ms| ms > 0))
}

/// A track of a container of which something is locked.
#[cfg_attr(not(feature = "video"), allow(dead_code, reason = "of sound, that it is locked is enough"))]
pub(super) struct Listed {
    /// The container's own number for it.
    pub(super) number: u64,
    pub(super) sort: Sort,
    /// Empty where it is not told.
    pub(super) codec: &'static str,
    /// The scheme that locks it.
    pub(super) locked_by: Option<String>,
}

/// What a track holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Picture,
    Sound,
    Other,
}

/// The tracks of a container in which pictures or sound are locked; none where they are not, as far as is known.
///
/// # Errors
/// [`Problem::Io`].
pub(super) fn locked(source: &Source, format: Format) -> Result<Vec<Listed>, Problem> {
    match format {
        Format::MpegTs => ts::locked(source),
        Format::MpegPs => ps::locked(source),
        Format::Asf => asf::locked(source),
        _ => Ok(Vec::new()),
    }
}

/// Up to `len` bytes from `offset`; fewer at the end of the file.
fn read(source: &Source, offset: u64, len: usize) -> Result<Vec<u8>, Problem> {
    let mut data = vec![0; len];
    let read = source.read_at(offset, &mut data)?;
    data.truncate(read);
    Ok(data)
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

fn le64(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at.checked_add(8)?)?.try_into().ok().map(u64::from_le_bytes)
}
