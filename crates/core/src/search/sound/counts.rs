//! How many votes cells have, before any are sorted: nearly all are chance, and what cannot be among the fullest is left out.

/// Counters that several cells share, so that no cell has more votes than are counted.
pub(super) struct Counts {
    counters: Vec<u8>,
    bits: u32,
}

impl Counts {
    /// Cells that are neighbours have counters that are neighbours.
    const BESIDE: u64 = 64;
    /// At most a megabyte, which processors have at hand.
    const MOST_BITS: u32 = 20;

    /// For about so many votes.
    pub(super) fn of_about(votes: u64) -> Counts {
        let bits = (votes.max(1).ilog2() + 2).clamp(Counts::BESIDE.ilog2() + 1, Counts::MOST_BITS);
        Counts { counters: vec![0; 1 << bits], bits }
    }

    /// How many counters there are, and which of them is a cell's.
    pub(super) fn len(&self) -> usize {
        self.counters.len()
    }

    #[inline(always)]
    pub(super) fn counter(&self, place: u64) -> usize {
        let spread = (place / Counts::BESIDE).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - self.bits);
        (spread - spread % Counts::BESIDE + place % Counts::BESIDE) as usize
    }

    #[inline(always)]
    pub(super) fn put(&mut self, place: u64) {
        let counter = self.counter(place);
        if let Some(count) = self.counters.get_mut(counter) {
            *count = count.saturating_add(1);
        }
    }

    /// Of a cell, 255 for more.
    #[inline(always)]
    pub(super) fn of(&self, place: u64) -> u32 {
        self.counters.get(self.counter(place)).map_or(0, |&count| count.into())
    }

    /// The most that so many counters have each.
    pub(super) fn of_many(&self, counters: usize) -> u32 {
        let mut with = [0_usize; 256];
        self.counters.iter().for_each(|&count| with[usize::from(count)] += 1);
        let mut so_many = 0;
        for count in (0..256).rev() {
            so_many += with[count];
            if so_many >= counters {
                return count as u32;
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_has_more_than_is_counted() {
        let mut counts = Counts::of_about(500);
        // Cell 7 has 300, the others one each: more cells than counters.
        (0..20_000_u64).chain(std::iter::repeat_n(7, 299)).for_each(|cell| counts.put(cell));
        assert_eq!((counts.of(7), counts.len()), (255, 1 << 10));
        assert!((0..20_000).all(|cell| counts.of(cell) >= 1));
        assert_eq!((counts.of_many(1), counts.of_many(2_000)), (255, 0));
        let usual = counts.of_many(500);
        assert!((15..=25).contains(&usual), "{usual}");
    }

    #[test]
    fn neighbours_have_counters_side_by_side() {
        let counts = Counts::of_about(1 << 17);
        let apart = |cell: u64| counts.counter(cell + 1).abs_diff(counts.counter(cell));
        assert!((0..640).all(|cell| cell % 64 == 63 || apart(cell) == 1));
        let of: std::collections::BTreeSet<usize> = (0..64_000).map(|cell| counts.counter(cell)).collect();
        assert!(of.len() > 40_000, "{}", of.len());
    }
}
