//! Look-ups in a multi-index: for each query, the values near its own in every table, and the codes that have them.
//!
//! How far each table is walked is decided for each query by how many codes it would bring. Let table *i* be walked to
//! distance t_i (-1: not at all). A code that is not met differs by more than t_i bits in each substring, so by at least
//! the sum of the t_i + 1: where that sum is r + 1, everything within r is met. The sum is spent where it is cheapest, so
//! that a query in a hot value of one table walks the others (Qin et al., "GPH: Similarity Search in Hamming Space",
//! 2018). Where even that costs more than comparing with everything, the query is left to brute force.

use std::ops::Range;

use minutia_machine::Level;
use minutia_machine::hamming::{Code, Found, prefetch, scan_some};
use rayon::prelude::*;

use crate::index::{MOST_TABLES, MultiIndex, Table};

/// Values that are asked for together.
const TOGETHER: usize = 256;
/// Candidates that are compared together.
const CANDIDATES: usize = 2048;

/// What one query is looked up for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// Place among the queries.
    pub(super) query: u32,
    /// The code whose neighbours are wanted: the query's, or its complement.
    pub(super) code: Code,
    /// Distances of at most this.
    pub(super) radius: u32,
    /// The code is the query's complement.
    pub(super) complement: bool,
}

/// How far tables are walked.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Walk {
    /// For each table one more than the distance, 0 for a table that is left out.
    pub(super) steps: [u8; MOST_TABLES],
    /// About how many values that touches.
    pub(super) values: u64,
    /// And about how many codes.
    pub(super) codes: u64,
}

/// Numbers of so many bits, by bits and bits set.
pub(super) type Masks = Vec<Vec<Vec<u32>>>;

/// What a thread keeps between queries.
#[derive(Debug, Default)]
struct Scratch {
    masks: Masks,
    /// Tables, and places of codes in them.
    places: Vec<(usize, Range<usize>)>,
    candidates: Vec<u32>,
    /// Tables, and ends of their codes among the candidates.
    ends: Vec<(usize, usize)>,
}

/// A query that is being looked up.
struct LookUp<'a> {
    tables: &'a [Table<'a>],
    codes: &'a [Code],
    wanted: &'a Wanted,
    walk: &'a Walk,
    level: Level,
}

/// Looks up those of `wanted` that touch at most `most` values and codes; the others are given back by their place in
/// `wanted`, with the number that each would touch.
pub(super) fn find(
    index: &MultiIndex<'_>,
    codes: &[Code],
    wanted: &[Wanted],
    most: u64,
    level: Level,
) -> (Vec<Found>, Vec<(usize, u64)>) {
    let one = |scratch: &mut Scratch, place: usize, wanted: &Wanted| {
        let mut found = Vec::new();
        let shells = shells(index.tables(), &wanted.code);
        let walk = walk(index.tables(), &shells, 1, wanted.radius, codes.len() as u64);
        let touched = walk.values.saturating_add(walk.codes);
        if touched > most {
            return (found, Some((place, touched)));
        }
        LookUp { tables: index.tables(), codes, wanted, walk: &walk, level }.run(scratch, &mut found);
        (found, None)
    };
    let each = wanted.par_iter().enumerate().with_min_len(8);
    each.map_init(Scratch::default, |scratch, (place, wanted)| one(scratch, place, wanted))
        .fold_chunks(
            64,
            || (Vec::new(), Vec::new()),
            |(mut all, mut left), (found, given_back)| {
                all.extend(found);
                left.extend(given_back);
                (all, left)
            },
        )
        .reduce(
            || (Vec::new(), Vec::new()),
            |(mut all, mut left), (found, given_back)| {
                all.extend(found);
                left.extend(given_back);
                (all, left)
            },
        )
}

/// Decides how far each table is walked for `queries` queries, which have `shells` codes at distance 0 and 1 of their
/// values in each table, summed over them; codes further away are estimated from those.
pub(super) fn walk(tables: &[Table<'_>], shells: &[(u64, u64)], queries: u64, radius: u32, count: u64) -> Walk {
    let mut walk = Walk::default();
    // What the next step in each table would touch.
    let mut next = [(0_u64, 0_u64); MOST_TABLES];
    for (next, shell) in next.iter_mut().zip(shells) {
        *next = (queries, shell.0);
    }
    for _ in 0..=radius {
        let open = (0..tables.len()).filter(|&table| u32::from(walk.steps[table]) <= tables[table].substring.bits);
        let Some(table) = open.min_by_key(|&table| next[table].0.saturating_add(next[table].1)) else { break };
        let (values, codes) = next[table];
        walk.values = walk.values.saturating_add(values);
        walk.codes = walk.codes.saturating_add(codes);
        walk.steps[table] += 1;
        let bits = u64::from(tables[table].substring.bits);
        let distance = u64::from(walk.steps[table]);
        if distance > bits {
            // Every value of this table is walked, so every code is met.
            break;
        }
        let values = values.saturating_mul(bits + 1 - distance) / distance;
        let codes = (shells[table].1.saturating_mul(values / queries.max(1)) / bits).min(count.saturating_mul(queries));
        next[table] = (values, codes);
    }
    walk
}

/// The codes at distance 0 and 1 of a code's value in each table.
pub(super) fn shells(tables: &[Table<'_>], code: &Code) -> [(u64, u64); MOST_TABLES] {
    let mut shells = [(0, 0); MOST_TABLES];
    for table in tables {
        let value = table.substring.of(code);
        (0..table.substring.bits).for_each(|bit| table.prefetch_places(value ^ (1 << bit)));
    }
    for (shell, table) in shells.iter_mut().zip(tables) {
        let value = table.substring.of(code);
        let codes = |value: u32| table.places(value).len() as u64;
        shell.0 = codes(value);
        shell.1 = (0..table.substring.bits).map(|bit| codes(value ^ (1 << bit))).sum();
    }
    shells
}

impl LookUp<'_> {
    /// Meets the codes of all values within the walk. Each step is taken for many values, of several tables where these
    /// have few, before the next one: what it asks the memory for is there when the next one needs it.
    fn run(&self, scratch: &mut Scratch, found: &mut Vec<Found>) {
        for (number, table) in self.tables.iter().enumerate() {
            let value = table.substring.of(&self.wanted.code);
            for distance in 0..u32::from(self.walk.steps[number]) {
                for masks in masks(&mut scratch.masks, table.substring.bits, distance).chunks(TOGETHER) {
                    masks.iter().for_each(|mask| table.prefetch_places(value ^ mask));
                    let places = masks.iter().map(|mask| table.places(value ^ mask));
                    let places = places.filter(|places| !places.is_empty()).inspect(|p| table.prefetch_codes(p));
                    scratch.places.extend(places.map(|places| (number, places)));
                    if scratch.places.len() >= TOGETHER {
                        self.gather(&mut scratch.places, &mut scratch.candidates, &mut scratch.ends, found);
                    }
                }
            }
        }
        self.gather(&mut scratch.places, &mut scratch.candidates, &mut scratch.ends, found);
        self.compare(&mut scratch.candidates, &mut scratch.ends, found);
    }

    /// Turns places into candidates, and compares these where they are many.
    fn gather(
        &self,
        places: &mut Vec<(usize, Range<usize>)>,
        candidates: &mut Vec<u32>,
        ends: &mut Vec<(usize, usize)>,
        found: &mut Vec<Found>,
    ) {
        for (number, places) in places.drain(..) {
            let before = candidates.len();
            self.tables[number].codes(places, self.codes.len(), candidates);
            candidates[before..].iter().take(CANDIDATES).for_each(|&row| prefetch(self.codes, row as usize));
            match ends.last_mut() {
                Some((table, end)) if *table == number => *end = candidates.len(),
                _ => ends.push((number, candidates.len())),
            }
            if candidates.len() >= CANDIDATES {
                self.compare(candidates, ends, found);
            }
        }
    }

    fn compare(&self, candidates: &mut Vec<u32>, ends: &mut Vec<(usize, usize)>, found: &mut Vec<Found>) {
        let LookUp { tables, codes, wanted, walk, level } = *self;
        let mut start = 0;
        for (number, end) in ends.drain(..) {
            scan_some(level, codes, &candidates[start..end], &wanted.code, wanted.radius, |row, distance| {
                if !met_before(&tables[..number], walk, &wanted.code, &codes[row as usize]) {
                    let distance = if wanted.complement { 256 - distance } else { distance };
                    found.push(Found { query: wanted.query, row, distance });
                }
            });
            start = end;
        }
        candidates.clear();
    }
}

/// True for a code that one of these tables met already.
#[cold]
pub(super) fn met_before(tables: &[Table<'_>], walk: &Walk, query: &Code, code: &Code) -> bool {
    tables
        .iter()
        .zip(walk.steps)
        .any(|(table, steps)| (table.substring.of(query) ^ table.substring.of(code)).count_ones() < u32::from(steps))
}

/// The numbers of `bits` bits of which `set` are 1.
pub(super) fn masks(known: &mut Masks, bits: u32, set: u32) -> &[u32] {
    let (bits, set) = (bits as usize, set as usize);
    if known.len() <= bits {
        known.resize_with(bits + 1, Vec::new);
    }
    let of_bits = &mut known[bits];
    while of_bits.len() <= set {
        let mut masks = Vec::new();
        match of_bits.last() {
            None => masks.push(0),
            // One bit more, above those that are set: every number once.
            Some(fewer) => {
                for &mask in fewer {
                    let above = 32 - u32::leading_zeros(mask);
                    masks.extend((above..bits as u32).map(|bit| mask | 1 << bit));
                }
            }
        }
        of_bits.push(masks);
    }
    &of_bits[set]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mask_comes_once() {
        let mut known = Vec::new();
        for bits in [1, 5, 11] {
            let mut all: Vec<u32> = Vec::new();
            for set in 0..=bits {
                let some = masks(&mut known, bits, set);
                assert!(some.iter().all(|mask| mask.count_ones() == set));
                all.extend(some);
            }
            all.sort_unstable();
            assert_eq!(all, (0..1 << bits).collect::<Vec<u32>>());
        }
    }
}
