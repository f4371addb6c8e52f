//! Recordings that a program decodes, by their headers: DSF (Sony, "DSF File Format Specification" 1.01, 2005), DSDIFF (Philips, 1.5, 2004),
//! True Audio, WavPack (version 4 and 5) and Monkey's Audio (3.98 and later).

use super::le64;
use crate::{Format, Problem, Source};

/// Bytes that a file lacks by its header. A DSDIFF that was never closed says 0.
pub(super) fn missing_bytes(source: &Source, format: Format) -> Result<u64, Problem> {
    let head = source.head(20)?;
    let end = match format {
        Format::Dsf => le64(&head, 12).unwrap_or(0),
        _ => head.get(4..12).map_or(0, |size| size.iter().fold(0, |size, &byte| size << 8 | u64::from(byte))),
    };
    // An outer chunk of DSDIFF does not count its own head.
    let end = if format == Format::Dsf || end == 0 { end } else { end.saturating_add(12) };
    Ok(if end >= 1 << 63 { 0 } else { end.saturating_sub(source.len()) })
}

/// How long it says that it is, in milliseconds.
#[cfg(feature = "audio")]
pub(super) fn length_ms(source: &Source, format: Format) -> Result<Option<u64>, Problem> {
    let head = source.head(256)?;
    let told = match format {
        Format::Dsf => dsf(&head),
        Format::Tta => tta(&head),
        Format::WavPack => wavpack(&head),
        _ => ape(&head),
    };
    Ok(told.and_then(|(samples, rate_hz)| samples.saturating_mul(1_000).checked_div(rate_hz)))
}

/// Samples of a channel, and how many there are in a second.
#[cfg(feature = "audio")]
type Length = Option<(u64, u64)>;

#[cfg(feature = "audio")]
fn number(head: &[u8], at: usize) -> Option<u64> {
    super::le32(head, at).map(u64::from)
}

#[cfg(feature = "audio")]
fn dsf(head: &[u8]) -> Length {
    Some((le64(head, 64)?, number(head, 56)?)).filter(|_| head.get(28..32) == Some(b"fmt "))
}

#[cfg(feature = "audio")]
fn tta(head: &[u8]) -> Length {
    Some((number(head, 14)?, number(head, 10)?)).filter(|_| head.starts_with(b"TTA1"))
}

/// By its first block. What was written into a pipe has a length of all bits.
#[cfg(feature = "audio")]
fn wavpack(head: &[u8]) -> Length {
    const RATES_HZ: [u64; 15] = [
        6_000, 8_000, 9_600, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000,
        192_000,
    ];
    const DSD: u64 = 1 << 31;
    let (samples, flags) = (number(head, 12)?, number(head, 24)?);
    let rate_hz = *RATES_HZ.get((flags >> 23 & 15) as usize)?;
    let is_known = head.starts_with(b"wvpk") && samples < u64::from(u32::MAX) && flags & DSD == 0;
    is_known.then_some((samples, rate_hz))
}

/// The last of its frames has another length.
#[cfg(feature = "audio")]
fn ape(head: &[u8]) -> Length {
    if !head.starts_with(b"MAC ") || number(head, 4)? & 0xffff < 3_980 {
        return None;
    }
    let at = usize::try_from(number(head, 8)?).ok()?.min(1 << 10);
    let (of_frame, of_last, frames) = (number(head, at + 4)?, number(head, at + 8)?, number(head, at + 12)?);
    Some((frames.checked_sub(1)?.saturating_mul(of_frame).saturating_add(of_last), number(head, at + 20)?))
}
