//! Streams of frames without a container that begin behind something else: half a frame where a recording was cut out of a
//! broadcast, zeros, a byte too many. Looked for where nothing else was recognised.
//!
//! Each frame says where the next one is, so that a row of them is no accident: of random bytes, one file in 10^14 has eight
//! headers of MPEG audio that agree, at any of the places looked at.

use super::{Format, container, packets};
use crate::{Problem, Source};

/// How far into a file a stream may begin.
const MAX_GAP_BYTES: usize = 64 << 10;
/// The longest row: eight frames of ADTS.
const MAX_ROW_BYTES: usize = 64 << 10;
/// Frames in a row, at the least.
const FRAMES: usize = 8;

/// A header: the frame's length in bytes, and what must be alike in each.
type Header = fn(&[u8]) -> Option<(usize, u32)>;

const STREAMS: &[(Header, Format)] = &[
    (mpeg, Format::Mp3),
    (adts, Format::Aac),
    (ac3, Format::Ac3),
    (dts, Format::Dts),
    (program_stream, Format::MpegPs),
];

/// The stream that begins first, and where.
///
/// # Errors
/// [`Problem::Io`].
pub(super) fn look(source: &Source) -> Result<Option<(Format, u64)>, Problem> {
    let bytes = source.head(MAX_GAP_BYTES + MAX_ROW_BYTES)?;
    for at in 0..bytes.len().min(MAX_GAP_BYTES) {
        let rest = &bytes[at..];
        let found = match rest[0] {
            0xff | 0x0b | 0x7f | 0 => STREAMS.iter().find(|(header, _)| row(rest, *header)).map(|(_, format)| *format),
            0x47 => packets::stand(rest).then_some(Format::MpegTs),
            // Something else may stand before the first partition, as far as is looked here (SMPTE 377-1, 6.5).
            0x06 => mxf_header(rest).then_some(Format::Mxf),
            _ => None,
        };
        if let Some(format) = found {
            return Ok(Some((format, at as u64)));
        }
    }
    Ok(None)
}

/// Whether frames follow each other from here on. A header is not met again within its frame: pictures of one colour and
/// tables repeat what may look like one.
fn row(mut rest: &[u8], header: Header) -> bool {
    let mut first = None;
    for _ in 0..FRAMES {
        let Some((length, alike)) = header(rest) else { return false };
        if alike != *first.get_or_insert(alike) {
            return false;
        }
        let Some((frame, behind)) = rest.split_at_checked(length) else { return false };
        if frame[1..].windows(3).any(|window| window == &frame[..3]) && alike != ANY {
            return false;
        }
        rest = behind;
    }
    true
}

/// What is alike where nothing need be.
const ANY: u32 = u32::MAX;

/// MPEG audio (ISO 11172-3, 2.4.1.3): version, layer, checksum and rate stay; bit rate and mode may change.
fn mpeg(rest: &[u8]) -> Option<(usize, u32)> {
    let &[0xff, second, third, ..] = rest else { return None };
    let length = container::mpeg_frame_bytes(second, third)?;
    Some((length, u32::from(second) << 8 | u32::from(third & 0x0c)))
}

/// ADTS (ISO 14496-3, 1.A.2.2): 28 bits stay.
fn adts(rest: &[u8]) -> Option<(usize, u32)> {
    let &[0xff, second, third, fourth, fifth, sixth, ..] = rest else { return None };
    // The last four of 16 rates are none.
    if second & 0xf6 != 0xf0 || third >> 2 & 0xf > 12 {
        return None;
    }
    let length = (usize::from(fourth) & 3) << 11 | usize::from(fifth) << 3 | usize::from(sixth) >> 5;
    (length > 7).then_some((length, u32::from(second) << 16 | u32::from(third) << 8 | u32::from(fourth & 0xf0)))
}

/// AC-3 and E-AC-3 (ATSC A/52:2018, 5.3 and annex E): the rate and the kind of stream stay.
fn ac3(rest: &[u8]) -> Option<(usize, u32)> {
    const KBPS: [usize; 19] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640];
    let &[0x0b, 0x77, third, fourth, fifth, sixth, ..] = rest else { return None };
    let stream = sixth >> 3;
    if stream > 10 {
        let length = ((usize::from(third) & 7) << 8 | usize::from(fourth)) * 2 + 2;
        return (stream <= 16 && length > 6).then_some((length, u32::from(stream) << 8 | u32::from(fifth >> 6)));
    }
    let kbps = *KBPS.get(usize::from(fifth & 0x3f) / 2)?;
    let words = match fifth >> 6 {
        0 => kbps * 2,
        1 => kbps * 320 / 147 + usize::from(fifth & 1),
        2 => kbps * 3,
        _ => return None,
    };
    Some((2 * words, u32::from(stream) << 8 | u32::from(fifth >> 6)))
}

/// DTS (ETSI TS 102 114, 5.4), big-endian words of 16 bits.
fn dts(rest: &[u8]) -> Option<(usize, u32)> {
    let &[0x7f, 0xfe, 0x80, 0x01, _, sixth, seventh, eighth, ..] = rest else { return None };
    let length = (usize::from(sixth) & 3) << 12 | usize::from(seventh) << 4 | usize::from(eighth) >> 4;
    (length >= 95).then_some((length + 1, 0))
}

/// MPEG program streams (ISO 13818-1, 2.5.3.3): pack headers and packets.
fn program_stream(rest: &[u8]) -> Option<(usize, u32)> {
    let &[0, 0, 1, kind, fifth, sixth, ..] = rest else { return None };
    let length = match kind {
        0xba if fifth & 0xc4 == 0x44 => 14 + usize::from(*rest.get(13)? & 7),
        0xba if fifth & 0xf1 == 0x21 => 12,
        0xbb..=0xef => 6 + (usize::from(fifth) << 8 | usize::from(sixth)),
        _ => return None,
    };
    (length > 6).then_some((length, ANY))
}

/// A partition that begins an MXF file (SMPTE 377-1, 7.1): lists of signatures have its key too, but not what it says: version 1, and
/// that it is the first, at 0 from what stands before it.
fn mxf_header(rest: &[u8]) -> bool {
    let Some(&[1..=4, 0, length, ref behind @ ..]) = rest.strip_prefix(container::MXF_PARTITION) else { return false };
    let more = if length & 0x80 == 0 { 0 } else { usize::from(length & 0x7f) };
    let Some(fields) = behind.get(more..).and_then(|fields| fields.first_chunk::<16>()) else { return false };
    fields[..2] == [0, 1] && fields[8..] == [0; 8]
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::super::probe;
    use super::*;

    /// Bytes without order.
    fn noise(length: usize, seed: u64) -> Vec<u8> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        (0..length).map(|_| next()).collect()
    }

    fn file(name: &str) -> Vec<u8> {
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/audio/formats").join(name)).unwrap()
    }

    fn found(bytes: &[u8]) -> Option<Format> {
        probe(&Source::from_bytes(bytes.to_vec())).ok()
    }

    #[test]
    fn a_stream_is_found_behind_a_byte_zeros_and_half_a_frame() {
        let streams = [
            ("mp2.mp2", Format::Mp3),
            ("mp3-untagged.mp3", Format::Mp3),
            ("mp3.mp3", Format::Mp3),
            ("aac.aac", Format::Aac),
            ("ac3.ac3", Format::Ac3),
            ("eac3.eac3", Format::Ac3),
            ("dts.dts", Format::Dts),
            ("mp2.mpg", Format::MpegPs),
            ("mp2.ts", Format::MpegTs),
        ];
        for (name, format) in streams {
            let whole = file(name);
            assert_eq!(found(&whole), Some(format), "{name}");
            for junk in [vec![b'x'], vec![0], vec![0; 5_000], noise(777, 3), noise(20_000, 4)] {
                assert_eq!(found(&[&junk[..], &whole].concat()), Some(format), "{name} behind {} bytes", junk.len());
            }
            if name != "mp2.mpg" {
                assert_eq!(found(&whole[101..]), Some(format), "{name} from within");
            }
            assert_eq!(found(&[&noise(70_000, 5)[..], &whole].concat()), None, "{name} deep inside");
        }
    }

    #[test]
    fn other_bytes_are_no_stream() {
        for seed in 0..50 {
            let bytes = noise(150_000, seed);
            assert_eq!(look(&Source::from_bytes(bytes)).unwrap(), None, "{seed}");
        }
        // One colour, whatever it is, in pixels of three and of four bytes, and with something between.
        for second in 0..=255 {
            for third in (0..=255).step_by(5) {
                for pixel in [&[0xff, second, third][..], &[0xff, second, third, 0xff], &[0xff, second, third, 0, 7]] {
                    let bytes = pixel.repeat(4_000 / pixel.len());
                    assert_eq!(look(&Source::from_bytes(bytes)).unwrap(), None, "{pixel:x?}");
                }
            }
        }
        for byte in [0, 0x0b, 0x47, 0x7f, 0xff] {
            assert_eq!(look(&Source::from_bytes(vec![byte; 150_000])).unwrap(), None);
        }
        let text = "7 GB of mp3, \u{ff}\u{fb} and \u{b}w\n".repeat(5_000);
        assert!(matches!(probe(&Source::from_bytes(text.into_bytes())), Err(Problem::NotMedia { .. })));
        // A single frame, or some that do not follow each other.
        let mp3 = file("mp3-untagged.mp3");
        let scattered: Vec<u8> =
            mp3.chunks(300).flat_map(|part| part.iter().copied().chain(noise(50, 9))).take(60_000).collect();
        assert_eq!(look(&Source::from_bytes(scattered[1..].to_vec())).unwrap(), None);
    }
}
