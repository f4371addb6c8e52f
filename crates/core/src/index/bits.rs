//! Numbers in bits, which are filled from the least significant one of each byte: Elias gamma code for numbers from 1 on, and
//! Golomb-Rice code, whose number of low bits the caller knows.
//!
//! Golomb, "Run-length encodings" (1966); Elias, "Universal codeword sets" (1975).

/// Appends numbers to bytes.
pub(super) struct BitWriter<'o> {
    out: &'o mut Vec<u8>,
    word: u64,
    filled: u32,
}

impl<'o> BitWriter<'o> {
    pub(super) fn new(out: &'o mut Vec<u8>) -> BitWriter<'o> {
        BitWriter { out, word: 0, filled: 0 }
    }

    /// At most 32 bits.
    fn put(&mut self, value: u64, bits: u32) {
        self.word |= value << self.filled;
        self.filled += bits;
        while self.filled >= 8 {
            self.out.push(self.word as u8);
            self.word >>= 8;
            self.filled -= 8;
        }
    }

    fn unary(&mut self, mut zeros: u64) {
        while zeros >= 32 {
            self.put(0, 32);
            zeros -= 32;
        }
        self.put(1 << zeros, zeros as u32 + 1);
    }

    pub(super) fn gamma(&mut self, value: u64) {
        let bits = value.max(1).ilog2();
        self.unary(bits.into());
        self.put(value & ((1 << bits) - 1), bits);
    }

    pub(super) fn rice(&mut self, value: u64, low: u32) {
        self.unary(value >> low);
        self.put(value & ((1 << low) - 1), low);
    }

    pub(super) fn finish(self) {
        if self.filled > 0 {
            self.out.push(self.word as u8);
        }
    }
}

/// Bits of a block; those of the next may follow, and are not read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bits<'b> {
    bytes: &'b [u8],
    at: usize,
    end: usize,
}

impl<'b> Bits<'b> {
    /// The first `count` bits of `bytes`.
    pub(super) fn of(bytes: &'b [u8], count: usize) -> Bits<'b> {
        Bits { bytes, at: 0, end: count }
    }

    /// The next bits, at least 57 of them; zeros after the last byte.
    fn window(&self) -> u64 {
        let byte = self.at / 8;
        let rest = self.bytes.get(byte..).unwrap_or(&[]);
        let word = match rest.first_chunk::<8>() {
            Some(eight) => u64::from_le_bytes(*eight),
            None => rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
        };
        word >> (self.at % 8)
    }

    /// How many bits follow.
    pub(super) fn left(&self) -> usize {
        self.end.saturating_sub(self.at)
    }

    fn skip(&mut self, bits: usize) -> Option<()> {
        self.at += bits;
        (self.at <= self.end).then_some(())
    }

    fn unary(&mut self) -> Option<u64> {
        let mut before = 0;
        loop {
            let zeros = self.window().trailing_zeros();
            if zeros < 57 {
                self.skip(zeros as usize + 1)?;
                return Some(before + u64::from(zeros));
            }
            self.skip(57)?;
            before += 57;
        }
    }

    fn low(&mut self, bits: u32) -> Option<u64> {
        let value = self.window() & ((1 << bits) - 1);
        self.skip(bits as usize)?;
        Some(value)
    }

    pub(super) fn gamma(&mut self) -> Option<u64> {
        let bits = self.unary().filter(|&bits| bits <= 32)? as u32;
        Some(1 << bits | self.low(bits)?)
    }

    pub(super) fn rice(&mut self, low: u32) -> Option<u64> {
        let window = self.window();
        let zeros = window.trailing_zeros();
        // Nearly always the whole number lies in what is at hand.
        if zeros + 1 + low <= 57 {
            self.skip((zeros + 1 + low) as usize)?;
            return Some(u64::from(zeros) << low | window >> (zeros + 1) & ((1 << low) - 1));
        }
        let high = self.unary().filter(|&high| high <= u64::from(u32::MAX))?;
        Some(high << low | self.low(low)?)
    }

    /// Hands over so many numbers in Golomb-Rice code, until one is not taken. Several lie in what is at hand at once.
    pub(super) fn rices(&mut self, low: u32, mut count: u64, mut take: impl FnMut(u64) -> Option<()>) -> Option<()> {
        while count > 0 {
            let (window, mut used) = (self.window(), 0);
            while count > 0 {
                let zeros = (window >> used).trailing_zeros();
                let end = used + zeros + 1 + low;
                if end > 57 {
                    break;
                }
                take(u64::from(zeros) << low | window >> (end - low) & ((1 << low) - 1))?;
                (used, count) = (end, count - 1);
            }
            if used > 0 {
                self.skip(used as usize)?;
            } else {
                take(self.rice(low)?)?;
                count -= 1;
            }
        }
        Some(())
    }

    /// Whether a writer would end here: nothing but the rest of a byte follows.
    pub(super) fn only_zeros_follow(&self) -> bool {
        let left = self.end - self.at;
        left < 8 && self.window() & ((1 << left) - 1) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_out_as_they_were_written() {
        for low in [0, 1, 7, 13, 32] {
            // Some take more bits than are at hand at once.
            let numbers: Vec<u64> = (0..400_u64)
                .map(|n| (((n * n * 2_654_435_761) >> (n % 29)) % (1 << low)) + ((n % 7 / 5 * n % 90) << low))
                .collect();
            let mut bytes = Vec::new();
            let mut writer = BitWriter::new(&mut bytes);
            numbers.iter().for_each(|&number| writer.rice(number, low));
            writer.gamma(77);
            writer.finish();
            let mut bits = Bits::of(&bytes, 8 * bytes.len());
            let mut read = Vec::new();
            let all = numbers.len() as u64;
            let mut take = |number| {
                read.push(number);
                (read.len() < 300).then_some(())
            };
            assert_eq!((bits.rices(low, 299, &mut take), bits.rices(low, all - 299, &mut take)), (Some(()), None));
            assert_eq!(read, numbers[..300], "{low}");
            let mut bits = Bits::of(&bytes, 8 * bytes.len());
            assert_eq!(bits.rices(low, all, |_| Some(())).and_then(|()| bits.gamma()), Some(77), "{low}");
            // One more is not there.
            assert_eq!(Bits::of(&bytes, 8 * bytes.len()).rices(low, all + 90, |_| Some(())), None, "{low}");
        }
    }
}
