//! Elementary streams of H.264 (ITU-T H.264, annex B) and HEVC (ITU-T H.265, annex B): units behind start codes, without a
//! container. Files of other kinds hold start codes, so what stands behind them has to be a description of pictures in which every
//! field is possible, and the next description has to name it: a row of units up to the first of a picture.

use super::Format;

/// The most units before the first of a picture, and zeros before the first unit.
const MOST_UNITS: usize = 64;
const MOST_ZEROS: usize = 64;
/// The most bytes of a description, without those that keep start codes apart.
const MAX_BYTES: usize = 1_024;

/// What stream begins here, if any.
pub(super) fn look(head: &[u8]) -> Option<Format> {
    // Most files are told by their first bytes.
    let zeros = head.iter().take(MOST_ZEROS).take_while(|&&byte| byte == 0).count();
    if zeros < 2 || head.get(zeros) != Some(&1) {
        return None;
    }
    let units = || Units { rest: &head[zeros + 1..] }.take(MOST_UNITS);
    if is_h264(units()) {
        Some(Format::H264)
    } else if is_hevc(units()) {
        Some(Format::Hevc)
    } else {
        None
    }
}

/// Units, from behind the first start code on; the last may be cut.
struct Units<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Units<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.windows(3).position(|part| part == [0, 0, 1]);
        let (unit, rest) = end.map_or((self.rest, &[][..]), |end| (&self.rest[..end], &self.rest[end + 3..]));
        self.rest = rest;
        Some(unit)
    }
}

/// A sequence and a picture of it are described before the first slice (7.3.1, 7.4.1.2.3).
fn is_h264<'a>(units: impl Iterator<Item = &'a [u8]>) -> bool {
    let (mut sequences, mut pictures) = (Vec::new(), 0);
    for unit in units {
        let Some((&header, body)) = unit.split_first() else { return false };
        let is_reference = header & 0x60 != 0;
        match (header & 0x1f, is_reference) {
            _ if header & 0x80 != 0 => return false,
            (7, true) => match h264_sequence(body) {
                Some(id) => sequences.push(id),
                None => return false,
            },
            (8, true) => {
                let mut bits = Bits::of(body);
                let of = bits.number().filter(|&id| id < 256).and_then(|_| bits.number());
                if !of.is_some_and(|of| sequences.contains(&of)) {
                    return false;
                }
                pictures += 1;
            }
            // A delimiter says which kinds of slices follow.
            (9, false) if body.first().is_some_and(|byte| byte & 0x1f == 0x10) => {}
            // What is said beside the pictures, and what extends a sequence.
            (6, false) | (13 | 15, true) => {}
            (1 | 5, _) => break,
            _ => return false,
        }
    }
    pictures > 0
}

/// The number of a sequence whose description this is (7.3.2.1.1, A.2, A.3).
fn h264_sequence(body: &[u8]) -> Option<u32> {
    const PROFILES: [u32; 16] = [44, 66, 77, 83, 86, 88, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244];
    /// Those that say how colours are sampled.
    const PLAIN: [u32; 3] = [66, 77, 88];
    const LEVELS: [u32; 20] = [9, 10, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51, 52, 60, 61, 62];
    let mut bits = Bits::of(body);
    let profile = bits.take(8)?;
    let reserved = bits.take(8)? & 3;
    let level = bits.take(8)?;
    let id = bits.number()?;
    if !PROFILES.contains(&profile) || reserved != 0 || !LEVELS.contains(&level) || id > 31 {
        return None;
    }
    if !PLAIN.contains(&profile) {
        let chroma = bits.number()?;
        if chroma > 3 || chroma == 3 && bits.take(1)? > 1 || bits.number()? > 6 || bits.number()? > 6 {
            return None;
        }
        bits.take(1)?;
        if bits.take(1)? == 1 {
            // Matrices are passed over, and what is behind them is believed.
            return Some(id);
        }
    }
    let order = bits.number().filter(|&bits| bits <= 12).and_then(|_| bits.number())?;
    match order {
        0 if bits.number()? <= 12 => {}
        1 => return Some(id),
        2 => {}
        _ => return None,
    }
    let references = bits.number()?;
    bits.take(1)?;
    let (width, height) = (bits.number()?, bits.number()?);
    (references <= 16 && width < 1_056 && height < 1_056).then_some(id)
}

/// Layers, a sequence and a picture of it are described before the first slice (7.3.1, 7.4.2.4.4).
fn is_hevc<'a>(units: impl Iterator<Item = &'a [u8]>) -> bool {
    let (mut layers, mut sequences, mut pictures) = (Vec::new(), Vec::new(), 0);
    for unit in units {
        let Some((&[first, second], body)) = unit.split_first_chunk::<2>() else { return false };
        // The base layer, and of descriptions the lowest of its parts.
        let (kind, base) = (first >> 1, first & 0x81 == 0 && second == 1);
        let described = match kind {
            32 => hevc_layers(body).map(|id| layers.push(id)),
            33 => hevc_sequence(body, &layers).map(|id| sequences.push(id)),
            34 => {
                let mut bits = Bits::of(body);
                let of = bits.number().filter(|&id| id < 64).and_then(|_| bits.number());
                of.filter(|of| sequences.contains(of)).map(|_| pictures += 1)
            }
            35 | 39 => Some(()),
            0..=31 => break,
            _ => None,
        };
        if described.is_none() || !base {
            return false;
        }
    }
    pictures > 0
}

/// The number of a description of layers (7.3.2.1), which has 16 bits that are all set.
fn hevc_layers(body: &[u8]) -> Option<u32> {
    let mut bits = Bits::of(body);
    let id = bits.take(4)?;
    let (base, layers, parts) = (bits.take(2)?, bits.take(6)?, bits.take(3)?);
    bits.take(1)?;
    (base == 3 && layers < 63 && parts < 7 && bits.take(16)? == 0xffff).then_some(id)
}

/// The number of a sequence whose description this is (7.3.2.2, 7.3.3).
fn hevc_sequence(body: &[u8], layers: &[u32]) -> Option<u32> {
    let mut bits = Bits::of(body);
    let (of, parts) = (bits.take(4)?, bits.take(3)?);
    bits.take(1)?;
    let (space, _tier, profile) = (bits.take(2)?, bits.take(1)?, bits.take(5)?);
    if !layers.contains(&of) || parts > 6 || space != 0 || !(1..=11).contains(&profile) {
        return None;
    }
    // What it is compatible with, what it may not use, and the level.
    for count in [32, 32, 16, 8] {
        bits.take(count)?;
    }
    let present: Vec<u32> = (0..parts).map(|_| bits.take(2)).collect::<Option<_>>()?;
    if parts > 0 {
        bits.take(2 * (8 - parts))?;
    }
    for part in present {
        for _ in 0..if part & 2 != 0 { 11 } else { 0 } + (part & 1) {
            bits.take(8)?;
        }
    }
    let (id, chroma) = (bits.number()?, bits.number()?);
    if id > 15 || chroma > 3 || chroma == 3 && bits.take(1)? > 1 {
        return None;
    }
    let (width, height) = (bits.number()?, bits.number()?);
    (1..=16_888).contains(&width).then_some(id).filter(|_| (1..=16_888).contains(&height))
}

/// Bits of a description, highest first.
struct Bits {
    bytes: Vec<u8>,
    at: usize,
}

impl Bits {
    /// Without the bytes that keep start codes apart (H.264 7.4.1, HEVC 7.4.2).
    fn of(body: &[u8]) -> Bits {
        let mut bytes = Vec::new();
        let mut zeros = 0;
        for &byte in body.iter().take(MAX_BYTES) {
            if zeros >= 2 && byte == 3 {
                zeros = 0;
                continue;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            bytes.push(byte);
        }
        Bits { bytes, at: 0 }
    }

    /// The next `count` bits, at most 32.
    fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0_u32;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    /// An Exp-Golomb number (9.1 of H.264).
    fn number(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.take(1)? == 0 {
            zeros += 1;
            if zeros > 20 {
                return None;
            }
        }
        Some((1 << zeros) - 1 + self.take(zeros)?)
    }
}
