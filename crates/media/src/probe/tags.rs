//! ID3v2 tags (<https://id3.org/id3v2.4.0-structure>): they stand before the sound and say nothing about it.

#[cfg(feature = "audio")]
use super::frames;
use super::{Format, PROBE_BYTES, SIGNS, container};
use crate::{Problem, Source};

/// The most tags in a row.
const MAX_TAGS: u32 = 8;

/// How far behind the tags sound may begin: taggers leave room, and encoders begin with half a frame.
const MAX_GAP_BYTES: usize = 64 << 10;

/// What stands behind the tags: sound that is known by its first bytes. Whatever else is there, only MPEG audio is tagged
/// so.
pub(super) fn look_behind(source: &Source) -> Result<Format, Problem> {
    Ok(first_sound(source)?.map_or(Format::Mp3, |(format, _)| format))
}

/// Where the sound of a file begins that the probe recognised as `format`.
///
/// # Errors
/// [`Problem::Damaged`] where there is none behind its tags, [`Problem::Io`].
#[cfg(feature = "audio")]
pub(crate) fn behind_tags(source: &Source, format: Format) -> Result<u64, Problem> {
    let head = source.head(PROBE_BYTES)?;
    if !head.starts_with(b"ID3") {
        let begins_behind = matches!(format, Format::Mp3 | Format::Aac) && container::mpeg_audio(&head) != Some(format);
        let behind = if begins_behind { frames::look(source)? } else { None };
        return Ok(behind.filter(|(found, _)| *found == format).map_or(0, |(_, at)| at));
    }
    let found = first_sound(source)?.filter(|(found, _)| *found == format);
    found.map(|(_, at)| at).ok_or_else(|| Problem::Damaged { detail: "no sound behind its tags".to_owned() })
}

fn first_sound(source: &Source) -> Result<Option<(Format, u64)>, Problem> {
    let mut at = 0;
    for _ in 0..MAX_TAGS {
        let mut tag = [0; 10];
        if source.read_at(at, &mut tag)? < tag.len() || !tag.starts_with(b"ID3") {
            break;
        }
        let size = tag[6..].iter().fold(0, |size, &byte| size << 7 | u64::from(byte & 0x7f));
        let footer = if tag[5] & 0x10 != 0 { 10 } else { 0 };
        at += 10 + size + footer;
    }
    let mut bytes = vec![0; MAX_GAP_BYTES + PROBE_BYTES];
    let read = source.read_at(at, &mut bytes)?;
    bytes.truncate(read);
    // What has a signature stands right behind the tag.
    let tagged = [
        Format::Flac,
        Format::Wav,
        Format::Aiff,
        Format::Ogg,
        Format::Ac3,
        Format::Dts,
        Format::WavPack,
        Format::Tta,
        Format::Musepack,
        Format::Musepack7,
    ];
    if let Some((_, format)) = SIGNS.iter().find(|(sign, format)| tagged.contains(format) && sign.fits(&bytes)) {
        return Ok(Some((*format, at)));
    }
    if container::ape(&bytes) {
        return Ok(Some((Format::Ape, at)));
    }
    for gap in 0..bytes.len().min(MAX_GAP_BYTES) {
        if let Some(format) = container::mpeg_audio(&bytes[gap..]) {
            return Ok(Some((format, at + gap as u64)));
        }
    }
    Ok(None)
}
