//! The format chunk of a WAV file, looked at before the demuxer, whose arithmetic overflows on impossible ones; and where its
//! sound ends.

use std::ops::Range;

use super::limited::check_shape;
use super::window::Told;
use crate::{Limits, Problem, Source};

/// The most chunks before the format.
const MAX_CHUNKS: u32 = 64;

/// Refuses channels, rates and widths that no recording has.
///
/// # Errors
/// [`Problem::Damaged`], [`Problem::Limit`], [`Problem::Io`].
pub(super) fn check_format(source: &Source, limits: &Limits) -> Result<(), Problem> {
    let mut at = 12;
    for _ in 0..MAX_CHUNKS {
        let mut head = [0; 24];
        let read = source.read_at(at, &mut head)?;
        let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        if read == head.len() && head.starts_with(b"fmt ") {
            let channels = u16::from_le_bytes([head[10], head[11]]);
            let rate_hz = u32::from_le_bytes([head[12], head[13], head[14], head[15]]);
            let bits = u16::from_le_bytes([head[22], head[23]]);
            if bits > 64 {
                return Err(Problem::Damaged { detail: format!("samples of {bits} bits") });
            }
            return check_shape(rate_hz, channels.into(), limits);
        }
        at += 8 + u64::from(size) + u64::from(size & 1);
    }
    Ok(())
}

/// What SoX writes for a length that it does not know, less what is no whole block.
const SOX_UNKNOWN: u32 = 0x7fff_f000;

/// Names of codecs by their number (Microsoft, `mmreg.h`), of those that the demuxer does not know.
const CODECS: &[(u16, &str)] = &[
    (0x0010, "OKI ADPCM"),
    (0x0022, "TrueSpeech"),
    (0x0031, "GSM 06.10"),
    (0x0040, "G.721 ADPCM"),
    (0x0042, "G.723"),
    (0x0045, "G.726"),
    (0x0050, "MP2"),
    (0x0055, "MP3"),
    (0x0064, "G.726"),
    (0x0092, "AC-3 (S/PDIF)"),
    (0x00ff, "AAC"),
    (0x0130, "ACELP"),
    (0x0160, "Windows Media Audio 1"),
    (0x0161, "Windows Media Audio 2"),
    (0x0162, "Windows Media Audio Professional"),
    (0x0270, "ATRAC3"),
    (0x2000, "AC-3"),
    (0x2001, "DTS"),
    (0x674f, "Vorbis"),
    (0x706d, "AAC"),
    (0xf1ac, "FLAC"),
];

/// What the file calls its codec.
///
/// # Errors
/// [`Problem::Io`].
pub(super) fn codec(source: &Source) -> Result<Option<String>, Problem> {
    let Some(chunk) = chunk(source, *b"fmt ")? else { return Ok(None) };
    let mut head = [0; 26];
    let read = source.read_at(chunk.start, &mut head)?;
    let number = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
    // An extensible format has its number first in an identifier.
    let number = if number(0) == 0xfffe && read == head.len() { number(24) } else { number(0) };
    let known = CODECS.iter().find(|(known, _)| *known == number).map(|(_, name)| (*name).to_owned());
    Ok(Some(known.unwrap_or_else(|| format!("codec 0x{number:04x}"))))
}

/// Where the data ends; 0 where that is not known.
///
/// # Errors
/// [`Problem::Io`].
pub(super) fn end(source: &Source) -> Result<u64, Problem> {
    Ok(match chunk(source, *b"data")? {
        Some(data) if !told(source)?.is_open => data.end,
        _ => 0,
    })
}

/// The body of the first chunk of that kind, as it is declared.
fn chunk(source: &Source, kind: [u8; 4]) -> Result<Option<Range<u64>>, Problem> {
    let mut at = 12;
    for _ in 0..MAX_CHUNKS {
        let mut head = [0; 8];
        if source.read_at(at, &mut head)? < head.len() {
            break;
        }
        let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        let start = at + 8;
        if head.starts_with(&kind) {
            return Ok(Some(start..start + u64::from(size)));
        }
        at = start + u64::from(size) + u64::from(size & 1);
    }
    Ok(None)
}

/// What is told of a file that was written where nobody could go back to its header: into a pipe, or by a recorder that lost
/// its power. Its length is 0, or the largest that there is.
///
/// # Errors
/// [`Problem::Io`].
pub(super) fn told(source: &Source) -> Result<Told, Problem> {
    let mut at = 12;
    let mut block_bytes = 1;
    for _ in 0..MAX_CHUNKS {
        let mut head = [0; 24];
        let read = source.read_at(at, &mut head)?;
        if read < 8 {
            break;
        }
        let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        if head.starts_with(b"fmt ") && read == head.len() {
            block_bytes = u32::from(u16::from_le_bytes([head[20], head[21]])).max(1);
        }
        if head.starts_with(b"data") {
            let by_sox = size <= SOX_UNKNOWN && size > SOX_UNKNOWN.saturating_sub(block_bytes);
            let short = at.saturating_add(8).saturating_add(size.into()) > source.len();
            // An empty chunk with nothing behind it is empty.
            let is_open = size == u32::MAX || by_sox && short || size == 0 && source.len() > at + 8;
            let unknown = u32::MAX.to_le_bytes().to_vec();
            let replaced = if is_open { vec![(4, unknown.clone()), (at + 4, unknown)] } else { Vec::new() };
            return Ok(Told { replaced, missing_bytes: 0, is_open });
        }
        at += 8 + u64::from(size) + u64::from(size & 1);
    }
    Ok(Told::default())
}
