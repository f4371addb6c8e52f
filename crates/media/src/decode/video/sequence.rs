//! What AV1 declares of its pictures before the first of them: the sequence header, as far as the size (AV1 Bitstream &
//! Decoding Process Specification, version 1.0.0 with errata 1, 2019).

/// The header of an AV1 sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sequence {
    /// 0 for at most half as much colour as luma in all, 1 and 2 for as much as luma in each of two planes.
    pub(super) profile: u32,
    /// The largest picture, in pixels.
    pub(super) size_px: (u32, u32),
}

/// The sequence headers among the units of a sample (5.3.1), as far as those can be told apart. One that ends too early is
/// left out.
pub(super) fn sequences(sample: &[u8]) -> Vec<Sequence> {
    const SEQUENCE_HEADER: u8 = 1;
    let mut found = Vec::new();
    let mut rest = sample;
    while let Some((kind, body, behind)) = unit(rest) {
        if kind == SEQUENCE_HEADER {
            found.extend(sequence(&mut Bits { data: body, at: 0 }));
        }
        rest = behind;
    }
    found
}

/// The kind and the body of the first unit, and what stands behind it.
fn unit(data: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&first, mut rest) = data.split_first()?;
    let (extended, sized) = (first & 4 != 0, first & 2 != 0);
    rest = rest.get(usize::from(extended)..)?;
    let mut size = rest.len() as u64;
    if sized {
        size = 0;
        // Seven bits a byte, the lowest first; the top bit says that more follow (4.10.5).
        for place in 0..8 {
            let (&byte, behind) = rest.split_first()?;
            rest = behind;
            size |= u64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                break;
            }
        }
    }
    let (body, behind) = rest.split_at_checked(usize::try_from(size).ok()?)?;
    Some((first >> 3 & 15, body, behind))
}

/// 5.5.1, to the size.
fn sequence(bits: &mut Bits<'_>) -> Option<Sequence> {
    let profile = bits.take(3)?;
    let _still = bits.take(1)?;
    if bits.flag()? {
        let _level = bits.take(5)?;
    } else {
        operating_points(bits)?;
    }
    let (wide, high) = (bits.take(4)? + 1, bits.take(4)? + 1);
    Some(Sequence { profile, size_px: (bits.take(wide)? + 1, bits.take(high)? + 1) })
}

/// Clocks, buffers and levels: nothing of it is used here.
fn operating_points(bits: &mut Bits<'_>) -> Option<()> {
    let mut delay_bits = None;
    if bits.flag()? {
        bits.take(32)?;
        bits.take(32)?;
        if bits.flag()? {
            // As many bits as there are zeros before the first one.
            let mut zeros = 0;
            while !bits.flag()? {
                zeros += 1;
            }
            bits.take(zeros)?;
        }
        if bits.flag()? {
            delay_bits = Some(bits.take(5)? + 1);
            bits.take(32)?;
            bits.take(10)?;
        }
    }
    let display_delays = bits.flag()?;
    for _ in 0..=bits.take(5)? {
        bits.take(12)?;
        if bits.take(5)? > 7 {
            bits.take(1)?;
        }
        if let Some(delay_bits) = delay_bits
            && bits.flag()?
        {
            bits.take(delay_bits)?;
            bits.take(delay_bits)?;
            bits.take(1)?;
        }
        if display_delays && bits.flag()? {
            bits.take(4)?;
        }
    }
    Some(())
}

struct Bits<'a> {
    data: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// The next `count` bits, of which the last 32 are kept, the highest first.
    fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0_u32;
        for _ in 0..count {
            let byte = self.data.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    fn flag(&mut self) -> Option<bool> {
        Some(self.take(1)? == 1)
    }
}
