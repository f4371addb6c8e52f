//! The score of two views: their distance in bits, and what must be added because a code says little.
//!
//! Distances of informative codes of unrelated pictures do not fall below 80 bits in tens of millions of pairs, but a
//! disc on a plain ground comes within 30 bits of any other disc. What such codes share is that their bits are not
//! independent: neighbouring frequencies agree. The *redundancy* of a code measures that from its bits alone, is the same
//! for all eight positions and the negative, and so needs no room in the index. The constants were found on altered copies
//! of the development set (seeds 1 to 3); what they find on others is in `docs/ACCURACY.md`.

use crate::fingerprint::Code;

/// Rows, and bits a row, of a code as a matrix of frequencies.
const SIDE: usize = 16;

/// How far the bits of a code predict one another: the sum over all shifts of the 16x16 matrix of signs against itself of
/// the squared autocorrelation, in units in which a matrix of independent signs has 1 on the mean and a constant one has
/// about 112.
pub fn redundancy(code: &Code) -> f64 {
    // Past the last row stand empty ones, so that any four rows from any on fit a word, a row a lane of 16 bits.
    let mut rows = [0_u16; 2 * SIDE];
    for (n, row) in rows[..SIDE].iter_mut().enumerate() {
        *row = u16::from_be_bytes([code.0[2 * n], code.0[2 * n + 1]]);
    }
    let four = |rows: &[u16], first: usize| (0..4).fold(0, |word, n| word | u64::from(rows[first + n]) << (16 * n));
    let mut sum = 0_u64;
    for down in 0..SIDE {
        let there: [u16; SIDE] = std::array::from_fn(|n| if n + down < SIDE { u16::MAX } else { 0 });
        let words: [[u64; 3]; 4] =
            std::array::from_fn(|n| [four(&rows, 4 * n), four(&rows, 4 * n + down), four(&there, 4 * n)]);
        for across in -(SIDE as i32 - 1)..SIDE as i32 {
            // A shift and its opposite have the same correlation: count one of each pair twice.
            if down == 0 && across <= 0 {
                continue;
            }
            let kept = SIDE as u32 - across.unsigned_abs();
            // The lowest bits of every lane: what a shift brings in from the next lane is above them.
            let mask = ((1_u64 << kept) - 1) * 0x0001_0001_0001_0001;
            let differ: u32 = words
                .iter()
                .map(|&[upper, lower, there]| {
                    let (a, b) = if across >= 0 { (upper >> across, lower) } else { (upper, lower >> -across) };
                    ((a ^ b) & mask & there).count_ones()
                })
                .sum();
            let overlap = i64::from(kept) * (SIDE - down) as i64;
            let correlation = overlap - 2 * i64::from(differ);
            sum += 2 * (correlation * correlation) as u64;
        }
    }
    sum as f64 / 65_536.0
}

/// What is known of a query's view beside its code.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Penalty {
    redundancy: f64,
    plain_rim: f64,
}

impl Penalty {
    /// For a query's view with this code and this share of its rim in one shade (0..=255 of 255).
    pub fn of(code: &Code, plain_rim: u8) -> Penalty {
        Penalty { redundancy: redundancy(code), plain_rim: f64::from(plain_rim) / 255.0 }
    }

    /// The redundancy of the query's code.
    pub fn redundancy(&self) -> f64 {
        self.redundancy
    }

    /// The score of a pair at `distance_bits` from a reference's code of the given redundancy; lower is surer.
    pub fn score(&self, distance_bits: u32, reference_redundancy: f64) -> f64 {
        let distance = f64::from(distance_bits) + 20.0 * self.plain_rim;
        let (query, reference) = (self.redundancy, reference_redundancy);
        let both = distance + 3.0 * (query + reference) + 1.5 * query * reference;
        let sum = distance + 4.0 * (query + reference) + 18.0;
        both.min(sum)
    }

    /// The greatest distance at which a score of at most `score` is possible; `None` where none is.
    pub fn radius(&self, score: f64) -> Option<u32> {
        let left = score - 20.0 * self.plain_rim - (3.0 * self.redundancy).min(4.0 * self.redundancy + 18.0);
        (left >= 0.0).then_some(left.min(256.0) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(bit: impl Fn(usize, usize) -> bool) -> Code {
        let mut bytes = [0; 32];
        for n in (0..256).filter(|n| bit(n / 16, n % 16)) {
            bytes[n / 8] |= 0x80 >> (n % 8);
        }
        Code(bytes)
    }

    /// The definition, term by term.
    fn naive(code: &Code) -> f64 {
        let sign = |i: i32, j: i32| -> i64 {
            let inside = (0..16).contains(&i) && (0..16).contains(&j);
            let n = (i * 16 + j) as usize;
            if !inside {
                0
            } else if code.0[n / 8] & (0x80 >> (n % 8)) != 0 {
                1
            } else {
                -1
            }
        };
        let mut sum = 0;
        for k in -15..16 {
            for l in -15..16 {
                let a: i64 = (0..256).map(|n| sign(n / 16, n % 16) * sign(n / 16 + k, n % 16 + l)).sum();
                if (k, l) != (0, 0) {
                    sum += a * a;
                }
            }
        }
        sum as f64 / 65_536.0
    }

    proptest::proptest! {
        #[test]
        fn redundancy_is_its_definition_and_knows_no_position(bytes in proptest::array::uniform32(0_u8..)) {
            let code = Code(bytes);
            proptest::prop_assert_eq!(redundancy(&code), naive(&code));
            proptest::prop_assert_eq!(redundancy(&code), redundancy(&code.complement()));
        }

        #[test]
        fn the_radius_is_never_too_small(bytes in proptest::array::uniform32(0_u8..), rim in 0_u8.., score in 0.0..120.0) {
            let penalty = Penalty::of(&Code(bytes), rim);
            let beyond = penalty.radius(score).map_or(0, |radius| radius + 1);
            for reference in [0.0, 0.5, 1.0, 10.0] {
                proptest::prop_assert!(penalty.score(beyond, reference) > score);
            }
        }
    }

    #[test]
    fn patterns_are_redundant() {
        let constant = redundancy(&code(|_, _| true));
        let stripes = redundancy(&code(|_, j| j % 2 == 0));
        let mixed = redundancy(&code(|i, j| (i * 7919 + j * 104_729 + i * i * j * 31 + i * j * j * 17) % 257 % 2 == 0));
        assert!(constant > 100.0 && stripes > 100.0 && mixed < 4.0, "{constant} {stripes} {mixed}");
    }
}
