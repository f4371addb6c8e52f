//! A code: 256 bits that stand for a picture, compared by Hamming distance.

use std::fmt;
use std::str::FromStr;

/// A fixed-width code of up to 256 bits, in the byte order in which it is printed (PDQ: most significant word first).
/// Algorithms with fewer bits leave the rest zero, so that distances stay right.
///
/// ```
/// # use minutia::fingerprint::Code;
/// let code: Code = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6339c4e9c9b22".parse()?;
/// assert_eq!(code.distance(&code.complement()), 256);
/// # Ok::<(), minutia::fingerprint::ParseCodeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Code(pub [u8; 32]);

impl Code {
    /// Bits in a code.
    pub const BITS: u32 = 256;

    /// The number of bits that differ, 0..=256.
    pub fn distance(&self, other: &Code) -> u32 {
        self.0.iter().zip(&other.0).map(|(a, b)| (a ^ b).count_ones()).sum()
    }

    /// Every bit flipped: the PDQ code of the picture's negative.
    #[must_use]
    pub fn complement(&self) -> Code {
        Code(self.0.map(|b| !b))
    }
}

/// Text that is not a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseCodeError {
    /// Characters found.
    pub found_len: usize,
}

impl fmt::Display for ParseCodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected 64 hexadecimal digits, found {} characters that are not all such digits", self.found_len)
    }
}

impl std::error::Error for ParseCodeError {}

impl FromStr for Code {
    type Err = ParseCodeError;

    fn from_str(text: &str) -> Result<Code, ParseCodeError> {
        let error = ParseCodeError { found_len: text.chars().count() };
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(error);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let (Some(high), Some(low)) = (char::from(pair[0]).to_digit(16), char::from(pair[1]).to_digit(16)) else {
                return Err(error);
            };
            *byte = (high * 16 + low) as u8;
        }
        Ok(Code(bytes))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // At once: lists and records print millions.
        let nibbles = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let mut digits = [0; 64];
        for (digit, nibble) in digits.iter_mut().zip(nibbles) {
            *digit = b"0123456789abcdef"[usize::from(nibble)];
        }
        f.write_str(str::from_utf8(&digits).unwrap_or_default())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({self})")
    }
}
