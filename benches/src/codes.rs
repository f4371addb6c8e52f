//! Codes in large numbers, for benches of the index. All are a function of their arguments: no file is needed, and no two
//! runs differ.

use minutia::fingerprint::Code;

/// Numbers that only look random (xorshift64*, Vigna 2014).
#[derive(Clone, Debug)]
pub struct Numbers(u64);

impl Numbers {
    /// A sequence of its own for each seed.
    pub fn new(seed: u64) -> Numbers {
        let mut numbers = Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..8 {
            numbers.next();
        }
        numbers
    }

    /// The next 64 bits.
    #[allow(clippy::should_implement_trait, reason = "a sequence without an end")]
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number from 0 to `end`, without it.
    pub fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// Every bit as likely set as not.
    pub fn code(&mut self) -> Code {
        let mut bytes = [0; 32];
        for eight in bytes.as_chunks_mut::<8>().0 {
            *eight = self.next().to_le_bytes();
        }
        Code(bytes)
    }

    /// The code with up to `most` bits flipped: any number of them as likely, a bit at most once.
    pub fn near(&mut self, code: &Code, most: u64) -> Code {
        let mut near = *code;
        let mut left = self.below(most + 1);
        while left > 0 {
            let bit = self.below(256) as usize;
            let flipped = near.0[bit / 8] ^ 1 << (bit % 8);
            if (flipped ^ code.0[bit / 8]) >> (bit % 8) & 1 == 1 {
                near.0[bit / 8] = flipped;
                left -= 1;
            }
        }
        near
    }
}

/// Uniform codes.
pub fn uniform(seed: u64, count: usize) -> Vec<Code> {
    let mut numbers = Numbers::new(seed);
    (0..count).map(|_| numbers.code()).collect()
}

/// Codes near those of `from`, up to `most` bits away, each code about as often.
pub fn near(seed: u64, count: usize, from: &[Code], most: u64) -> Vec<Code> {
    let mut numbers = Numbers::new(seed);
    (0..count)
        .map(|_| {
            let place = numbers.below(from.len() as u64) as usize;
            numbers.near(&from[place], most)
        })
        .collect()
}

/// Clusters as film and news pictures make them: the k-th largest has 1 / k of the codes of the largest (Zipf), its codes
/// up to 16 bits from its centre, and every second code is of no cluster.
pub fn zipf(seed: u64, count: usize, clusters: usize) -> Vec<Code> {
    let mut numbers = Numbers::new(seed);
    let centres: Vec<Code> = (0..clusters).map(|_| numbers.code()).collect();
    let mut total = 0.0;
    let ends: Vec<f64> = (1..=clusters)
        .map(|rank| {
            total += 1.0 / rank as f64;
            total
        })
        .collect();
    (0..count)
        .map(|_| {
            if numbers.below(2) == 0 {
                return numbers.code();
            }
            let at = numbers.below(1 << 53) as f64 / (1_u64 << 53) as f64 * total;
            let cluster = ends.partition_point(|&end| end < at).min(clusters - 1);
            numbers.near(&centres[cluster], 16)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corpora_are_what_they_say_and_the_same_every_time() {
        let codes = uniform(1, 1000);
        assert_eq!(codes, uniform(1, 1000));
        let ones: u32 = codes.iter().map(|code| code.distance(&Code([0; 32]))).sum();
        assert!((126_000..130_000).contains(&ones), "{ones}");
        let near = near(2, 1000, &codes[..1], 31);
        let distances: Vec<u32> = near.iter().map(|code| code.distance(&codes[0])).collect();
        assert!(distances.iter().max() == Some(&31) && distances.contains(&0));
        let clustered = zipf(3, 10_000, 100);
        assert_eq!(clustered, zipf(3, 10_000, 100));
        let neighbours = |a: &Code| clustered.iter().filter(|b| a.distance(b) <= 32).count();
        let largest = clustered.iter().take(200).map(neighbours).max();
        assert!(largest.is_some_and(|count| count > 500), "{largest:?}");
    }
}
