//! Where things stand in a list, by what they are: as a hash map whose keys stay in the list.
//!
//! Ten million works would have their ids twice, and each hashed several times, where a map had them as keys.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Places by hashes. Two things of one hash stand under that and the next.
#[derive(Debug)]
pub(super) struct Places {
    places: HashMap<u64, u32, BuildHasherDefault<AsItIs>>,
    /// Nobody knows it who could choose what is put here.
    seed: u64,
}

impl Default for Places {
    fn default() -> Places {
        Places { places: HashMap::default(), seed: RandomState::new().hash_one(0) }
    }
}

impl Places {
    /// The hash of what has these bytes.
    pub(super) fn hash(&self, bytes: &[u8]) -> u64 {
        xxh3_64_with_seed(bytes, self.seed)
    }

    /// Where that stands of which `is` is true.
    pub(super) fn find(&self, mut hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        loop {
            let place = *self.places.get(&hash)?;
            if is(place) {
                return Some(place);
            }
            hash = hash.wrapping_add(1);
        }
    }

    /// Says that it stands at `place` now; where it stood before.
    pub(super) fn put(&mut self, mut hash: u64, place: u32, is: impl Fn(u32) -> bool) -> Option<u32> {
        loop {
            let slot = self.places.entry(hash).or_insert(place);
            if *slot == place || is(*slot) {
                let before = std::mem::replace(slot, place);
                return (before != place).then_some(before);
            }
            hash = hash.wrapping_add(1);
        }
    }
}

/// Takes a hash for a hash.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.0 = self.0.wrapping_mul(31).wrapping_add(byte.into()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_one_hash_is_told_apart() {
        let texts = ["a", "b", "c", "a", "c"];
        let mut places = Places::default();
        // All of one hash, and beside them those of the next.
        let before: Vec<_> = (0..)
            .zip(texts)
            .map(|(at, text)| places.put(u64::MAX, at, |other| texts[other as usize] == text))
            .collect();
        assert_eq!(before, [None, None, None, Some(0), Some(2)]);
        let at = |text| places.find(u64::MAX, |other| texts[other as usize] == text);
        assert_eq!(["a", "b", "c", "d"].map(at), [Some(3), Some(1), Some(4), None]);
        assert_eq!(places.find(5, |_| true), None);
        assert_ne!(places.hash(b"a"), Places::default().hash(b"a"), "the seed is made anew");
    }
}
