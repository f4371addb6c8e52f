//! The compressed form of Chromaprint items, as `fpcalc`, AcoustID and MusicBrainz exchange it.
//!
//! A byte for the algorithm, three for the number of items, highest first. Of each item what differs from the one before: for
//! each bit that does, from the lowest, how many places above the last, in three bits; then a zero. Where that is 7 or more,
//! 7 stands there, and the rest in five bits behind all of the three. Both runs are filled from the lowest bit of a byte and
//! end on a whole one. As text it is in the alphabet of base64 that is safe in URLs, without padding (RFC 4648, 2006).

use std::fmt;

/// The byte that stands for algorithm 2, the one that is made here and everywhere by default.
pub const CHROMAPRINT_2: u8 = 1;
/// As many items as three bytes can count.
const MOST_ITEMS: usize = (1 << 24) - 1;
/// A difference of places that needs more than three bits.
const EXCEPTIONAL: u32 = 7;

/// What is wrong with a compressed fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CompressedError {
    /// A byte that is not of the alphabet.
    NotBase64 {
        /// Its place in the text, from 0.
        place: usize,
    },
    /// Less than the four bytes before the items.
    NoHeader {
        /// Bytes there are.
        found: usize,
    },
    /// It ends before its items do.
    Short {
        /// Items that it says it has.
        expected: u32,
        /// Items that are whole.
        found: u32,
    },
    /// An item says that a bit differs which it has not.
    NoSuchBit {
        /// Its number, from 0.
        item: u32,
    },
}

impl CompressedError {
    /// A word for each that does not change.
    pub fn code(&self) -> &'static str {
        match self {
            CompressedError::NotBase64 { .. } => "chromaprint-not-base64",
            CompressedError::NoHeader { .. } => "chromaprint-no-header",
            CompressedError::Short { .. } => "chromaprint-short",
            CompressedError::NoSuchBit { .. } => "chromaprint-no-such-bit",
        }
    }
}

impl fmt::Display for CompressedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CompressedError::NotBase64 { place } => {
                write!(f, "expected a fingerprint in URL-safe base64, found another character at {place}")
            }
            CompressedError::NoHeader { found } => {
                write!(f, "expected a compressed fingerprint of at least 4 bytes, found {found}")
            }
            CompressedError::Short { expected, found } => {
                write!(f, "expected {expected} items in a compressed fingerprint, found the end after {found}")
            }
            CompressedError::NoSuchBit { item } => {
                write!(f, "expected items of 32 bits, found a higher one in item {item}")
            }
        }
    }
}

impl std::error::Error for CompressedError {}

/// The compressed form of items; of more than 16,777,215 (24 days) the first so many.
///
/// ```
/// use minutia::fingerprint::{CHROMAPRINT_2, compress, decompress};
///
/// let bytes = compress(&[7, 7], CHROMAPRINT_2);
/// assert_eq!(bytes, [1, 0, 0, 2, 0b0100_1001, 0]);
/// assert_eq!(decompress(&bytes)?, (CHROMAPRINT_2, vec![7, 7]));
/// # Ok::<(), minutia::fingerprint::CompressedError>(())
/// ```
#[must_use]
pub fn compress(items: &[u32], algorithm: u8) -> Vec<u8> {
    let items = &items[..items.len().min(MOST_ITEMS)];
    let count = (items.len() as u32).to_be_bytes();
    let mut bytes = vec![algorithm, count[1], count[2], count[3]];
    let mut places = Packer::new(3);
    let mut rests = Packer::new(5);
    let mut before = 0;
    for &item in items {
        let mut differing = item ^ before;
        let mut last = 0;
        while differing != 0 {
            let place = differing.trailing_zeros() + 1;
            differing &= differing - 1;
            places.put((place - last).min(EXCEPTIONAL));
            if place - last >= EXCEPTIONAL {
                rests.put(place - last - EXCEPTIONAL);
            }
            last = place;
        }
        places.put(0);
        before = item;
    }
    bytes.extend(places.finish());
    bytes.extend(rests.finish());
    bytes
}

/// The algorithm and the items of a compressed fingerprint. What stands behind them is passed over, as the reference does.
///
/// # Errors
///
/// Where it is shorter than its number of items needs, or no compressed fingerprint. Nothing is allocated before the bytes
/// for it are there: at most 11 bytes for each.
pub fn decompress(bytes: &[u8]) -> Result<(u8, Vec<u32>), CompressedError> {
    let Some((&[algorithm, high, middle, low], packed)) = bytes.split_first_chunk::<4>() else {
        return Err(CompressedError::NoHeader { found: bytes.len() });
    };
    let count = u32::from_be_bytes([0, high, middle, low]);
    // First the places, which tell how many there are of the rests, and where those begin.
    let (mut ended, mut exceptional, mut values) = (0, 0_usize, 0_usize);
    let mut places = Unpacker::new(packed, 3);
    while ended < count {
        let Some(place) = places.next() else { return Err(CompressedError::Short { expected: count, found: ended }) };
        values += 1;
        ended += u32::from(place == 0);
        exceptional += usize::from(place == EXCEPTIONAL);
    }
    let rests = &packed[(values * 3).div_ceil(8)..];
    if rests.len() * 8 < exceptional * 5 {
        return Err(CompressedError::Short { expected: count, found: 0 });
    }
    let mut rests = Unpacker::new(rests, 5);
    let mut items = Vec::with_capacity(count as usize);
    let (mut item, mut last) = (0_u32, 0_u32);
    for mut place in Unpacker::new(packed, 3).take(values) {
        if place == 0 {
            items.push(item);
            last = 0;
            continue;
        }
        if place == EXCEPTIONAL {
            place += rests.next().unwrap_or(0);
        }
        last += place;
        if last > 32 {
            return Err(CompressedError::NoSuchBit { item: items.len() as u32 });
        }
        item ^= 1 << (last - 1);
    }
    Ok((algorithm, items))
}

/// The compressed form as text.
///
/// ```
/// use minutia::fingerprint::{CHROMAPRINT_2, compress_to_text, decompress_text};
///
/// let text = compress_to_text(&[627_964_279; 3], CHROMAPRINT_2);
/// assert_eq!(text, "AQAAA0mUaEkSRZEGAA");
/// assert_eq!(decompress_text(&text)?, (CHROMAPRINT_2, vec![627_964_279; 3]));
/// # Ok::<(), minutia::fingerprint::CompressedError>(())
/// ```
#[must_use]
pub fn compress_to_text(items: &[u32], algorithm: u8) -> String {
    let bytes = compress(items, algorithm);
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let word = group.iter().chain([&0; 2]).take(3).fold(0, |word, &byte| word << 8 | u32::from(byte));
        for digit in 0..=group.len() {
            text.push(char::from(ALPHABET[(word >> (18 - 6 * digit) & 63) as usize]));
        }
    }
    text
}

/// The algorithm and the items of a compressed fingerprint in text; padding behind it is passed over.
///
/// # Errors
///
/// Where it is no base64 of the alphabet for URLs, or as [`decompress`].
pub fn decompress_text(text: &str) -> Result<(u8, Vec<u32>), CompressedError> {
    let digits = text.trim_end_matches('=').as_bytes();
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 3);
    for (number, group) in digits.chunks(4).enumerate() {
        let mut word = 0;
        for (place, &digit) in group.iter().enumerate() {
            let value = VALUES[usize::from(digit)];
            if value == NO_DIGIT {
                return Err(CompressedError::NotBase64 { place: number * 4 + place });
            }
            word |= u32::from(value) << (18 - 6 * place);
        }
        // Two digits hold a byte, three two, four three; one alone holds none.
        bytes.extend_from_slice(&word.to_be_bytes()[1..group.len().max(1)]);
    }
    decompress(&bytes)
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const NO_DIGIT: u8 = 255;
const VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < 64 {
        values[ALPHABET[digit] as usize] = digit as u8;
        digit += 1;
    }
    values
};

/// Values of few bits, from the lowest bit of each byte on.
struct Packer {
    bits: u32,
    held: u32,
    filled: u32,
    bytes: Vec<u8>,
}

impl Packer {
    fn new(bits: u32) -> Packer {
        Packer { bits, held: 0, filled: 0, bytes: Vec::new() }
    }

    fn put(&mut self, value: u32) {
        self.held |= value << self.filled;
        self.filled += self.bits;
        while self.filled >= 8 {
            self.bytes.push(self.held as u8);
            self.held >>= 8;
            self.filled -= 8;
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.filled > 0 {
            self.bytes.push(self.held as u8);
        }
        self.bytes
    }
}

/// Reads them: whole ones alone.
struct Unpacker<'a> {
    bits: u32,
    held: u32,
    filled: u32,
    bytes: std::slice::Iter<'a, u8>,
}

impl Unpacker<'_> {
    fn new(bytes: &[u8], bits: u32) -> Unpacker<'_> {
        Unpacker { bits, held: 0, filled: 0, bytes: bytes.iter() }
    }
}

impl Iterator for Unpacker<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        while self.filled < self.bits {
            self.held |= u32::from(*self.bytes.next()?) << self.filled;
            self.filled += 8;
        }
        let value = self.held & ((1 << self.bits) - 1);
        self.held >>= self.bits;
        self.filled -= self.bits;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_cut_short_is_told() {
        let items = [3_707_512_163, 3_703_317_537, 3_720_098_848, 1, u32::MAX, 0, 1 << 31];
        let bytes = compress(&items, CHROMAPRINT_2);
        for length in 0..bytes.len() {
            let error = decompress(&bytes[..length]).unwrap_err();
            assert!(
                matches!(error, CompressedError::NoHeader { .. } | CompressedError::Short { .. }),
                "{length}: {error}"
            );
        }
        assert_eq!(decompress(&bytes), Ok((CHROMAPRINT_2, items.to_vec())));
    }

    #[test]
    fn a_bit_that_no_item_has_is_told() {
        // 7 and 31 more: place 38.
        assert_eq!(decompress(&[1, 0, 0, 1, 7, 31]), Err(CompressedError::NoSuchBit { item: 0 }));
        assert_eq!(decompress(&[1, 0, 0, 1, 7, 24]), Ok((1, vec![1 << 30])));
        assert_eq!(decompress(&[1, 0, 0, 1, 7, 25]), Ok((1, vec![1 << 31])));
        assert_eq!(decompress(&[1, 0, 0, 1, 7, 26]), Err(CompressedError::NoSuchBit { item: 0 }));
    }

    #[test]
    fn text_that_is_no_base64_is_told() {
        for (text, expected) in [
            ("AQAAA0mUaEkSRZEGAA==", Ok(3)),
            ("AQAA+0mUaEkSRZEGAA", Err(CompressedError::NotBase64 { place: 4 })),
            ("AQAAAé", Err(CompressedError::NotBase64 { place: 5 })),
            ("", Err(CompressedError::NoHeader { found: 0 })),
            ("AQAA", Err(CompressedError::NoHeader { found: 3 })),
            ("AQAAA", Err(CompressedError::NoHeader { found: 3 })),
            ("AQAAAA", Ok(0)),
            ("AQ__________", Err(CompressedError::Short { expected: 1_048_575, found: 0 })),
        ] {
            assert_eq!(decompress_text(text).map(|(_, items)| items.len()), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn items_come_back(items in proptest::collection::vec(any::<u32>(), 0..40), algorithm: u8) {
            prop_assert_eq!(decompress(&compress(&items, algorithm)), Ok((algorithm, items.clone())));
            prop_assert_eq!(decompress_text(&compress_to_text(&items, algorithm)), Ok((algorithm, items)));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok((algorithm, items)) = decompress(&bytes) {
                prop_assert_eq!(decompress(&compress(&items, algorithm)), Ok((algorithm, items)));
            }
        }
    }
}
