//! Look-ups in a multi-index: for each query, the values near its own in every table, and the codes that have them.
//!
//! How far each table is walked is decided for each query by how many codes it would bring. Let table *i* be walked to
//! distance t_i (-1: not at all). A code that is not met differs by more than t_i bits in each substring, so by at least
//! the sum of the t_i + 1: where that sum is r + 1, everything within r is met. The sum is spent where it is cheapest, so
//! that a query in a hot value of one table walks the others (Qin et al., "GPH: Similarity Search in Hamming Space",
//! 2018). Where even that costs more than comparing with everything, the query is left to brute force.

use minutia_machine::Level;
use minutia_machine::hamming::{Code, Found, scan_some};
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

/// How far each table is walked for one query: one more than the distance, 0 for a table that is left out.
#[derive(Clone, Copy, Debug, Default)]
struct Walk {
    steps: [u8; MOST_TABLES],
    /// About how many values and codes that touches.
    touched: u64,
}

/// What a thread keeps between queries.
#[derive(Debug, Default)]
struct Scratch {
    /// Masks of so many bits, by bits of the substring and bits set.
    masks: Vec<Vec<Vec<u32>>>,
    values: [u32; MOST_TABLES],
    candidates: Vec<u32>,
    places: Vec<std::ops::Range<usize>>,
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
        let walk = scratch.plan(index.tables(), wanted, codes.len() as u64);
        if walk.touched > most {
            return (found, Some((place, walk.touched)));
        }
        scratch.look_up(index, codes, wanted, &walk, level, &mut found);
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

impl Scratch {
    /// Decides how far each table is walked.
    fn plan(&mut self, tables: &[Table<'_>], wanted: &Wanted, count: u64) -> Walk {
        // Codes at distance 0 and 1 are counted, those further away estimated from them.
        let mut shells = [(0_u64, 0_u64); MOST_TABLES];
        for (value, table) in self.values.iter_mut().zip(tables) {
            *value = table.substring.of(&wanted.code);
            for bit in 0..table.substring.bits {
                table.prefetch_places(*value ^ (1 << bit));
            }
        }
        for ((shell, table), &value) in shells.iter_mut().zip(tables).zip(&self.values) {
            let codes = |value: u32| table.places(value).len() as u64;
            shell.0 = codes(value);
            shell.1 = (0..table.substring.bits).map(|bit| codes(value ^ (1 << bit))).sum();
        }
        let mut walk = Walk::default();
        // What the next step in each table would touch.
        let mut next = [(0_u64, 0_u64); MOST_TABLES];
        for (next, shell) in next.iter_mut().zip(&shells) {
            *next = (1, shell.0);
        }
        for _ in 0..=wanted.radius {
            let open = (0..tables.len()).filter(|&table| u32::from(walk.steps[table]) <= tables[table].substring.bits);
            let Some(table) = open.min_by_key(|&table| next[table].0 + next[table].1) else { break };
            let (values, codes) = next[table];
            walk.touched = walk.touched.saturating_add(values).saturating_add(codes);
            walk.steps[table] += 1;
            let bits = u64::from(tables[table].substring.bits);
            let distance = u64::from(walk.steps[table]);
            if distance > bits {
                // Every value of this table is walked, so every code is met.
                break;
            }
            let values = values.saturating_mul(bits + 1 - distance) / distance;
            let codes = (shells[table].1.saturating_mul(values) / bits).min(count);
            next[table] = (values, codes);
        }
        walk
    }

    fn look_up(
        &mut self,
        index: &MultiIndex<'_>,
        codes: &[Code],
        wanted: &Wanted,
        walk: &Walk,
        level: Level,
        found: &mut Vec<Found>,
    ) {
        let tables = index.tables();
        for (place, table) in tables.iter().enumerate() {
            let value = self.values[place];
            let met_before = |row: u32| {
                tables[..place].iter().enumerate().any(|(before, table)| {
                    let differs = table.substring.of(&codes[row as usize]) ^ self.values[before];
                    differs.count_ones() < u32::from(walk.steps[before])
                })
            };
            let mut compare = |candidates: &mut Vec<u32>| {
                scan_some(level, codes, candidates, &wanted.code, wanted.radius, |row, distance| {
                    if !met_before(row) {
                        let distance = if wanted.complement { 256 - distance } else { distance };
                        found.push(Found { query: wanted.query, row, distance });
                    }
                });
                candidates.clear();
            };
            for distance in 0..u32::from(walk.steps[place]) {
                let masks = masks(&mut self.masks, table.substring.bits, distance);
                for masks in masks.chunks(TOGETHER) {
                    masks.iter().for_each(|mask| table.prefetch_places(value ^ mask));
                    let places = masks.iter().map(|mask| table.places(value ^ mask));
                    self.places.clear();
                    self.places.extend(places.filter(|places| !places.is_empty()).inspect(|p| table.prefetch_codes(p)));
                    for places in self.places.drain(..) {
                        table.codes(places, codes.len(), &mut self.candidates);
                        if self.candidates.len() >= CANDIDATES {
                            compare(&mut self.candidates);
                        }
                    }
                }
            }
            compare(&mut self.candidates);
        }
    }
}

/// The numbers of `bits` bits of which `set` are 1.
fn masks(known: &mut Vec<Vec<Vec<u32>>>, bits: u32, set: u32) -> &[u32] {
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
