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

    /// The code that begins with these hexadecimal digits, at most 64, and has zeros behind them; `None` for other bytes.
    pub fn of_digits(digits: &[u8]) -> Option<Code> {
        let mut code = [0; 32];
        if digits.len() > 64 {
            return None;
        }
        // A digit's value is below 16, and one of another byte has high bits: looked at once, for millions in lists.
        let mut all = 0;
        for (byte, pair) in code.iter_mut().zip(digits.chunks(2)) {
            let (high, low) = (DIGITS[usize::from(pair[0])], pair.get(1).map_or(0, |&low| DIGITS[usize::from(low)]));
            all |= high | low;
            *byte = high << 4 | low & 15;
        }
        (all < 16).then_some(Code(code))
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
        Code::of_digits(text.as_bytes())
            .filter(|_| text.len() == 64)
            .ok_or_else(|| ParseCodeError { found_len: text.chars().count() })
    }
}

/// Of each byte the value that it has as a hexadecimal digit; 255 of others.
const DIGITS: [u8; 256] = {
    let mut values = [255; 256];
    let mut digit = 0;
    while digit < 16 {
        values[b"0123456789abcdef"[digit as usize] as usize] = digit;
        values[b"0123456789ABCDEF"[digit as usize] as usize] = digit;
        digit += 1;
    }
    values
};

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
