//! How many votes cells have, before any are sorted: nearly all are chance, and what cannot be among the fullest is left out.

use minutia_machine::hamming::prefetch;
use minutia_machine::{Level, Work, wide};

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

    /// Asks for a cell's counter, which is soon put up: there are more than a processor has at hand beside what it counts.
    #[inline(always)]
    pub(super) fn ask_for(&self, place: u64) {
        prefetch(&self.counters, self.counter(place));
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

    /// Of a cell and the fuller of its neighbours together.
    #[inline(always)]
    pub(super) fn with_neighbour(&self, place: u64) -> u32 {
        let counter = self.counter(place);
        let beside = match self.counters.get(counter.wrapping_sub(1)..counter + 2) {
            Some(&[before, _, after]) if (1..Counts::BESIDE - 1).contains(&(place % Counts::BESIDE)) => {
                before.max(after).into()
            }
            // Their counters are elsewhere.
            _ => self.of(place.wrapping_sub(1)).max(self.of(place.wrapping_add(1))),
        };
        self.of(place) + beside
    }

    /// The most that so many counters have each.
    pub(super) fn of_many(&self, counters: usize) -> u32 {
        let have = |least: u8| wide(Level::best(), AtLeast { counters: &self.counters, least }) >= counters;
        // Most have next to nothing.
        let mut beyond = 1_u8;
        while beyond < 128 && have(beyond) {
            beyond *= 2;
        }
        let (mut most, mut beyond) =
            if have(beyond) { (beyond, u32::from(u8::MAX) + 1) } else { (beyond / 2, beyond.into()) };
        while u32::from(most) + 1 < beyond {
            let middle = ((u32::from(most) + beyond) / 2) as u8;
            if have(middle) {
                most = middle;
            } else {
                beyond = middle.into();
            }
        }
        most.into()
    }
}

/// How many counters have so much.
struct AtLeast<'c> {
    counters: &'c [u8],
    least: u8,
}

impl Work for AtLeast<'_> {
    type Output = usize;

    #[inline(always)]
    fn run(self) -> usize {
        // In bytes as long as these can hold them: many at a time.
        let of_some =
            |some: &[u8]| some.iter().fold(0_u8, |sum, &count| sum.wrapping_add(u8::from(count >= self.least)));
        self.counters.chunks(224).map(|some| usize::from(of_some(some))).sum()
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
        // A naive twin.
        for counters in [0_usize, 1, 2, 5, 100, 500, 800, 1_000, 1_023, 1_024, 1_025] {
            let mut sorted = counts.counters.clone();
            sorted.sort_unstable_by(|a, b| b.cmp(a));
            let of_many = counters.checked_sub(1).map_or(255, |last| sorted.get(last).map_or(0, |&count| count.into()));
            assert_eq!(counts.of_many(counters), of_many, "{counters}");
        }
    }

    #[test]
    fn the_fuller_neighbour_is_found_where_its_counter_is_elsewhere_too() {
        let mut counts = Counts::of_about(300);
        (0..1_000_u64).for_each(|cell| counts.put(cell * cell % 777));
        for cell in (0..2_000).chain([u64::MAX]) {
            let beside = counts.of(cell.wrapping_sub(1)).max(counts.of(cell.wrapping_add(1)));
            assert_eq!(counts.with_neighbour(cell), counts.of(cell) + beside, "{cell}");
        }
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
