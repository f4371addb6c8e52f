//! Formats that need more than bytes at an offset: ISO media brands, headers whose fields must agree, MPEG sync.

use super::{Format, annexb, packets};
use crate::{Problem, Source};

/// ISO base media files by their brands (ISO 14496-12, and the registries of HEIF and AVIF).
pub(super) fn ftyp(head: &[u8]) -> Option<Format> {
    if head.get(4..8)? != b"ftyp" {
        return match head.get(4..8)? {
            // QuickTime files from before `ftyp`.
            b"moov" | b"mdat" if box_size(head).is_some_and(|size| matches!(size, 1 | 8..)) => Some(Format::Mp4),
            // Words, too: letters before them would be a size of 512 MiB and more.
            b"wide" | b"free" | b"skip" if box_size(head).is_some_and(|size| matches!(size, 8..0x2000_0000)) => {
                Some(Format::Mp4)
            }
            _ => None,
        };
    }
    let size = u32::from_be_bytes(head.get(..4)?.try_into().ok()?) as usize;
    let brands = head.get(8..size.clamp(8, head.len())).unwrap_or(&[]);
    // The major brand, then (after the minor version) the compatible ones.
    let all = || brands.chunks_exact(4).enumerate().filter(|(place, _)| *place != 1).map(|(_, brand)| brand);
    let any = |names: &[&[u8; 4]]| all().any(|brand| names.iter().any(|name| brand == *name));
    if any(&[b"avif", b"avis"]) {
        Some(Format::Avif)
    } else if any(&[b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"]) {
        Some(Format::Heic)
    } else if any(&[b"crx "]) {
        Some(Format::RawCamera)
    } else if any(&[b"M4A ", b"M4B ", b"M4P "]) {
        Some(Format::M4a)
    } else {
        Some(Format::Mp4)
    }
}

fn box_size(head: &[u8]) -> Option<u32> {
    head.first_chunk().map(|size| u32::from_be_bytes(*size))
}

/// Whether a head is that of a format.
type Fits = fn(&[u8]) -> bool;

/// Headers without a signature of their own, strictest first.
const HEADERS: &[(Fits, Format)] = &[
    (pnm, Format::Pnm),
    (bmp, Format::Bmp),
    (ico, Format::Ico),
    (packets::begin, Format::MpegTs),
    (gsm, Format::Gsm),
    (ape, Format::Ape),
    (tracker_module, Format::TrackerModule),
    (shockwave_flash, Format::ShockwaveFlash),
    (sgi, Format::Sgi),
    (pcx, Format::Pcx),
];

/// What is told by a header whose fields agree.
pub(super) fn structured(head: &[u8], source: &Source) -> Result<Option<Format>, Problem> {
    let by_header = HEADERS.iter().find(|(fits, _)| fits(head)).map(|(_, format)| *format);
    match by_header.or_else(|| mpeg_audio(head)).or_else(|| annexb::look(head)) {
        Some(format) => Ok(Some(format)),
        None => Ok(tga(head, source)?.then_some(Format::Tga)),
    }
}

/// The key of a partition of MXF (SMPTE 377-1, 7.1), as far as all kinds have it.
pub(super) const MXF_PARTITION: &[u8] = b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01\x01\x02";

/// Monkey's Audio by its name and its version, 3.50 to 4.99: words begin with the same letters.
pub(super) fn ape(head: &[u8]) -> bool {
    let version = head.get(4..6).map_or(0, |version| u16::from_le_bytes([version[0], version[1]]));
    head.starts_with(b"MAC ") && (3_500..5_000).contains(&version)
}

/// First packets of picture streams in Ogg: Theora, VP8, Dirac, and OGM's "video" (Xiph.org, "Ogg codec mapping").
const OGG_PICTURES: [&[u8]; 4] = [b"\x80theora", b"OVP80", b"BBCD\0", b"\x01video\0"];

/// Ogg with pictures. The pages that begin its streams come first, each with one packet that says what the stream is (RFC
/// 3533, section 4): without a look at these every film in Ogg would be a recording.
pub(super) fn ogg_film(head: &[u8]) -> bool {
    const HEADER: usize = 27;
    const BEGINS_STREAM: u8 = 2;
    let mut at = 0;
    while let Some(page) = head.get(at..).filter(|page| page.len() >= HEADER && page.starts_with(b"OggS")) {
        let segments = usize::from(page[26]);
        let (Some(lengths), true) = (page.get(HEADER..HEADER + segments), page[5] & BEGINS_STREAM != 0) else { break };
        let packet = page.get(HEADER + segments..).unwrap_or(&[]);
        if OGG_PICTURES.iter().any(|sign| packet.starts_with(sign)) {
            return true;
        }
        at += HEADER + segments + lengths.iter().map(|&length| usize::from(length)).sum::<usize>();
    }
    false
}

fn pnm(head: &[u8]) -> bool {
    matches!(
        head,
        [b'P', b'1'..=b'7', b' ' | b'\t' | b'\r' | b'\n', b'0'..=b'9' | b'#' | b' ' | b'\t' | b'\r' | b'\n' | b'W', ..]
    )
}

fn bmp(head: &[u8]) -> bool {
    let header_size = head.get(14..18).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    head.starts_with(b"BM") && matches!(header_size, Some(12 | 16 | 40 | 52 | 56 | 64 | 108 | 124))
}

/// ICO and CUR: the first entry must point behind the directory.
fn ico(head: &[u8]) -> bool {
    let (Some(&[0, 0, 1 | 2, 0, low, high]), Some(entry)) = (head.first_chunk::<6>(), head.get(6..22)) else {
        return false;
    };
    let count = u32::from(u16::from_le_bytes([low, high]));
    let offset = u32::from_le_bytes([entry[12], entry[13], entry[14], entry[15]]);
    count > 0 && entry[3] == 0 && offset >= 6 + 16 * count
}

/// Modules of ImpulseTracker, which need a program of a version 1 or 2, of ScreamTracker 3, and of ProTracker and its kin, whose mark stands behind 31 samples that have each a finetune of four
/// bits and a volume up to 64.
fn tracker_module(head: &[u8]) -> bool {
    const NAME: usize = 20;
    const SAMPLE: usize = 30;
    const SAMPLES: usize = 31;
    let impulse_tracker = head.starts_with(b"IMPM") && matches!(head.get(43), Some(1 | 2));
    let scream_tracker = head.get(28) == Some(&0x1a) && head.get(44..48) == Some(b"SCRM");
    let marked = matches!(
        head.get(1080..1084),
        Some(
            b"M.K."
                | b"M!K!"
                | b"FLT4"
                | b"FLT8"
                | b"CD81"
                | b"OKTA"
                | [b'1'..=b'9', b'C', b'H', b'N']
                | [b'1'..=b'3', b'0'..=b'9', b'C', b'H' | b'N']
        )
    );
    let mut samples = head.get(NAME..NAME + SAMPLES * SAMPLE).unwrap_or(&[]).chunks_exact(SAMPLE);
    impulse_tracker || scream_tracker || marked && samples.all(|sample| sample[24] < 16 && sample[25] <= 64)
}

/// Shockwave Flash by its name and version, up to 50, and a length that holds a header (Adobe, "SWF File Format Specification 19", 2013).
/// Letters would be a length of 512 MiB and more.
fn shockwave_flash(head: &[u8]) -> bool {
    let Some(&[b'F' | b'C' | b'Z', b'W', b'S', 1..=50, a, b, c, d]) = head.first_chunk::<8>() else { return false };
    (21..1 << 29).contains(&u32::from_le_bytes([a, b, c, d]))
}

/// SGI pictures: plain or run-length coded, 1 or 2 bytes a channel, 1 to 3 dimensions, and a reserved word of zeros (Silicon Graphics,
/// "The SGI Image File Format", 1.00).
fn sgi(head: &[u8]) -> bool {
    matches!(head, [0x01, 0xda, 0 | 1, 1 | 2, 0, 1..=3, ..]) && head.get(20..24) == Some(&[0; 4])
}

/// PCX: a version, run lengths, bits a plane, a rectangle that is not turned inside out, and at most four planes of lines that
/// are wide enough (ZSoft, "Technical Reference Manual", 1991).
fn pcx(head: &[u8]) -> bool {
    let Some(&[0x0a, 0 | 2..=5, 1, bits @ (1 | 2 | 4 | 8), ..]) = head.first_chunk::<128>() else { return false };
    let word = |at: usize| u32::from(u16::from_le_bytes([head[at], head[at + 1]]));
    let (left, top, right, bottom, line) = (word(4), word(6), word(8), word(10), word(66));
    left <= right
        && top <= bottom
        && head[64] == 0
        && (1..=4).contains(&head[65])
        && line * 8 >= (right - left + 1) * u32::from(bits)
}

/// Bytes of a frame of GSM 06.10, 20 ms, and the four bits that each begins with (RFC 3551, section 4.5.8.1).
const GSM_FRAME: usize = 33;
const GSM_MAGIC: u8 = 0xd;
/// A file of fewer frames, 0.24 s, is not told from other bytes.
const GSM_FEWEST: usize = 12;

/// GSM 06.10 without a container: nothing but frames as far as looked, of which the last may be cut short. Every frame
/// begins with the same four bits, which chance gives to so many in one of 2^48 files. Tables and pictures of one colour
/// repeat bytes at a distance that divides a frame, which a frame's codes of 2 to 7 bits do not.
fn gsm(head: &[u8]) -> bool {
    let repeats = |period: usize| head.iter().zip(&head[period..]).all(|(byte, next)| byte == next);
    head.len() >= GSM_FEWEST * GSM_FRAME
        && head.iter().step_by(GSM_FRAME).all(|byte| byte >> 4 == GSM_MAGIC)
        && ![1, 3, 11].into_iter().any(repeats)
}

/// MPEG audio and ADTS: two frame headers in a row, the second where the first says.
pub(super) fn mpeg_audio(head: &[u8]) -> Option<Format> {
    let &[0xff, second, third, _, fifth, sixth, ..] = head else { return None };
    if second & 0xf6 == 0xf0 {
        let length = (usize::from(head[3]) & 3) << 11 | usize::from(fifth) << 3 | usize::from(sixth) >> 5;
        let next = head.get(length..length + 2)?;
        return (length > 7 && next[0] == 0xff && next[1] & 0xf6 == 0xf0).then_some(Format::Aac);
    }
    let length = mpeg_frame_bytes(second, third)?;
    let next = head.get(length..length + 2)?;
    (next[0] == 0xff && next[1] == second).then_some(Format::Mp3)
}

/// The length of the frame whose header has these bytes behind its first.
pub(super) fn mpeg_frame_bytes(second: u8, third: u8) -> Option<usize> {
    const V1: [[usize; 16]; 3] = [
        [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448, 0],
        [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 0],
        [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0],
    ];
    const V2: [[usize; 16]; 3] = [
        [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256, 0],
        [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0],
        [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0],
    ];
    if second & 0xe0 != 0xe0 || second & 0x06 == 0 || second & 0x18 == 0x08 {
        return None;
    }
    let layer = 3 - usize::from(second >> 1 & 3); // 0 is layer I
    let version_1 = second >> 3 & 3 == 3;
    let rate_kbps = if version_1 { V1 } else { V2 }[layer][usize::from(third >> 4)];
    let sample_rate_hz = match (second >> 3 & 3, third >> 2 & 3) {
        (3, n @ 0..=2) => [44_100, 48_000, 32_000][usize::from(n)],
        (2, n @ 0..=2) => [22_050, 24_000, 16_000][usize::from(n)],
        (0, n @ 0..=2) => [11_025, 12_000, 8_000][usize::from(n)],
        _ => return None,
    };
    let padding = usize::from(third >> 1 & 1);
    let bytes = match layer {
        0 => (12_000 * rate_kbps / sample_rate_hz + padding) * 4,
        1 => 144_000 * rate_kbps / sample_rate_hz + padding,
        _ => (if version_1 { 144_000 } else { 72_000 }) * rate_kbps / sample_rate_hz + padding,
    };
    (bytes > 4).then_some(bytes)
}

/// Truevision TGA has no signature at the start: version 2 files end in one, the others must have a header in which
/// every field is possible.
fn tga(head: &[u8], source: &Source) -> Result<bool, Problem> {
    let Some(h) = head.first_chunk::<18>() else { return Ok(false) };
    let (map, kind) = (h[1], h[2]);
    let mapped = matches!(kind, 1 | 9);
    let kinds = matches!(kind, 1 | 2 | 3 | 9 | 10 | 11) && (mapped == (map == 1)) && map <= 1;
    let depth = h[16];
    let depths = match kind {
        1 | 9 => matches!(depth, 8 | 16) && matches!(h[7], 15 | 16 | 24 | 32),
        2 | 10 => matches!(depth, 15 | 16 | 24 | 32),
        _ => matches!(depth, 8 | 16),
    };
    let (width, height) = (u16::from_le_bytes([h[12], h[13]]), u16::from_le_bytes([h[14], h[15]]));
    if !(kinds && depths && width > 0 && height > 0 && h[17] & 0xc0 == 0) {
        return Ok(false);
    }
    let mut footer = [0; 26];
    let footer_at = source.len().saturating_sub(26);
    let read = source.read_at(footer_at, &mut footer)?;
    if read == 26 && footer[8..] == *b"TRUEVISION-XFILE.\0" {
        return Ok(true);
    }
    // Without the footer: no colour map where none is declared, and an uncompressed picture must fit the file.
    let map_bytes =
        if map == 1 { u64::from(u16::from_le_bytes([h[5], h[6]])) * u64::from(h[7]).div_ceil(8) } else { 0 };
    let pixels = u64::from(width) * u64::from(height) * u64::from(depth).div_ceil(8);
    let needs = 18 + u64::from(h[0]) + map_bytes + if kind < 8 { pixels } else { 0 };
    Ok((map == 1 || h[3..8] == [0; 5]) && source.len() >= needs && h[17] & 0x0f <= 8)
}
