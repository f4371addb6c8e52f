//! Look-ups in a multi-index: for each query, the values near its own in every table, and the codes that have them.
//!
//! How far each table is walked is decided for each query by how many codes it would bring. Let table *i* be walked to
//! distance t_i (-1: not at all). A code that is not met differs by more than t_i bits in each substring, so by at least
//! the sum of the t_i + 1: where that sum is r + 1, everything within r is met. The sum is spent where it is cheapest, so
//! that a query in a hot value of one table walks the others (Qin et al., "GPH: Similarity Search in Hamming Space",
//! 2018). Where even that costs more than comparing with everything, the query is left to brute force.
//!
//! A query amid a large cluster meets it in most tables, and step by step it cannot be seen that a table walked a few steps
//! further has the whole cluster once, where many tables have half of it each. For such a query the codes are counted value
//! by value before they are met, and the sum is spent at the least cost of all ways to spend it.

use std::ops::Range;

use minutia_machine::Level;
use minutia_machine::hamming::{Code, Found, Met, Rows, prefetch, scan_new};
use rayon::prelude::*;

use super::order;
use super::planner::LOOK_UP_PS as LONE_PS;
use crate::index::{MOST_BITS, MOST_TABLES, MultiIndex, Table};

/// Values that are asked for together.
const TOGETHER: usize = 256;
/// Candidates that are compared together.
const CANDIDATES: usize = 2048;
/// Codes of one value from which on they are compared as they stand in the table.
const LONG: usize = 32;
/// Codes that a walk would meet from which on it is decided by counting.
const MANY: u64 = 8_192;
/// Of so many codes that would be met without counting, as many values are counted as make up one.
const COUNTED_SHARE: u64 = 32;
/// Distances in each table from which on counting tells a cheaper walk from a dearer one.
const LEAST_COUNTED: u32 = 3;

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
    /// How many of these are of each table.
    met: [u64; MOST_TABLES],
}

/// Numbers of so many bits, by bits and bits set.
pub(super) type Masks = Vec<Vec<Vec<u32>>>;

/// What a thread keeps between queries.
#[derive(Debug, Default)]
struct Scratch {
    masks: Masks,
    /// Places of tables in the order, and places of codes in them.
    places: Vec<(usize, Range<usize>)>,
    candidates: Vec<u32>,
    /// Places of tables in the order, and ends of their codes among the candidates.
    ends: Vec<(usize, usize)>,
    /// Codes that were found, above 32 bits of their distance.
    found: Vec<u64>,
    spare: Vec<u64>,
}

/// A query that is being looked up.
struct LookUp<'a> {
    tables: &'a [Table<'a>],
    codes: &'a [Code],
    wanted: &'a Wanted,
    /// The tables that are walked, those first that meet most: what another met already is then seen at once.
    order: &'a [usize],
    /// For each of them what it meets.
    met: &'a [Met],
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
        let tables = index.tables();
        let shells = shells(tables, &wanted.code);
        let mut walk = walk(tables, &shells, 1, wanted.radius, codes.len() as u64);
        let mut touched = walk.values.saturating_add(walk.codes);
        // Counting may save no more than is spent without it: the walk, or what brute force takes.
        let spent = walk.codes.min(most);
        if walk.codes >= MANY
            && let Some(counted) = counted(tables, wanted, spent, &mut scratch.masks)
        {
            (walk, touched) = counted;
        }
        if touched > most {
            return (Vec::new(), vec![(place, touched)]);
        }
        let mut order: Vec<usize> = (0..tables.len()).filter(|&table| walk.steps[table] > 0).collect();
        order.sort_by_key(|&table| std::cmp::Reverse(walk.met[table]));
        let met = |&table: &usize| Met { bits: tables[table].substring.mask(), fewer: walk.steps[table].into() };
        let met: Vec<Met> = order.iter().map(met).collect();
        LookUp { tables, codes, wanted, order: &order, met: &met, walk: &walk, level }.run(scratch);
        // Their references stand in their order: asked for in it, they are neighbours in memory.
        order::sort_rows(&mut scratch.found, &mut scratch.spare, codes.len());
        let found = scratch.found.drain(..).map(|packed| {
            let (row, distance) = ((packed >> 32) as u32, packed as u32);
            let distance = if wanted.complement { 256 - distance } else { distance };
            Found { query: wanted.query, row, distance }
        });
        (found.collect(), Vec::new())
    };
    let each = wanted.par_iter().enumerate().with_min_len(8);
    let none = || (Vec::new(), Vec::new());
    each.map_init(Scratch::default, |scratch, (place, wanted)| one(scratch, place, wanted))
        .fold_chunks(64, none, |all, one| (joined(all.0, one.0), joined(all.1, one.1)))
        .reduce(none, |all, more| (joined(all.0, more.0), joined(all.1, more.1)))
}

/// Both lists, one after the other. The only one that is not empty is not copied.
fn joined<T>(mut all: Vec<T>, mut more: Vec<T>) -> Vec<T> {
    if all.is_empty() {
        return more;
    }
    all.append(&mut more);
    all
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
        walk.met[table] = walk.met[table].saturating_add(codes);
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

/// The cheapest walk for a query among so many codes near its values, by counting them, and about what it costs, in values
/// and codes that stand alone. `None` where that would go too far: `spent` is touched without it.
fn counted(tables: &[Table<'_>], wanted: &Wanted, spent: u64, known: &mut Masks) -> Option<(Walk, u64)> {
    let most = spent / COUNTED_SHARE;
    let (mut values, mut distances) = (0_u64, 0_u32);
    while distances <= wanted.radius.min(MOST_BITS) {
        let more = |table: &Table<'_>| masks(known, table.substring.bits, distances).len() as u64;
        values += tables.iter().map(more).sum::<u64>();
        if values > most {
            break;
        }
        distances += 1;
    }
    if distances < LEAST_COUNTED {
        return None;
    }
    let steps = wanted.radius as usize + 1;
    // For every sum of steps the least cost of the tables so far, and how many steps the last of them takes in that.
    let mut least = vec![u64::MAX; steps + 1];
    least[0] = 0;
    let mut taken = vec![vec![0_u8; steps + 1]; tables.len()];
    let mut met = vec![vec![0_u64]; tables.len()];
    for ((table, taken), met) in tables.iter().zip(&mut taken).zip(&mut met) {
        let value = table.substring.of(&wanted.code);
        let (mut costs, mut cost, mut codes) = (vec![0], 0_u64, 0_u64);
        for distance in 0..distances {
            for masks in masks(known, table.substring.bits, distance).chunks(TOGETHER) {
                masks.iter().for_each(|mask| table.prefetch_places(value ^ mask));
                for mask in masks {
                    let here = table.places(value ^ mask).len() as u64;
                    // A damaged table may say anything.
                    codes = codes.saturating_add(here);
                    cost = cost.saturating_add(cost_of_a_value(table.is_first(), here));
                }
            }
            costs.push(cost);
            met.push(codes);
        }
        let before = least.clone();
        for (sum, (least, taken)) in least.iter_mut().zip(taken).enumerate() {
            *least = u64::MAX;
            for (step, cost) in costs.iter().enumerate().take(sum + 1) {
                let cost = before[sum - step].saturating_add(*cost);
                if cost < *least {
                    (*least, *taken) = (cost, step as u8);
                }
            }
        }
    }
    let mut walk = Walk::default();
    let mut left = steps;
    for table in (0..tables.len()).rev() {
        walk.steps[table] = taken[table][left];
        walk.met[table] = met[table][usize::from(taken[table][left])];
        left -= usize::from(taken[table][left]);
    }
    (least[steps] < u64::MAX).then_some((walk, least[steps] / LONE_PS))
}

/// Picoseconds for a value that has so many codes. The lone ones of a value are cache lines that nobody has; those of a long
/// list come in their order, and in the first table they are neighbours.
fn cost_of_a_value(first: bool, codes: u64) -> u64 {
    match codes {
        0 => 4_000,
        _ if first => LONE_PS + codes * 2_000,
        _ if codes < LONG as u64 => 4_000 + (1 + codes) * 8_000,
        _ => 3 * LONE_PS + codes * 3_000,
    }
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
    fn run(&self, scratch: &mut Scratch) {
        let Scratch { masks: known, places: waiting, candidates, ends, found, .. } = scratch;
        for (number, &table) in self.order.iter().enumerate() {
            let (steps, table) = (self.walk.steps[table], &self.tables[table]);
            let value = table.substring.of(&self.wanted.code);
            for distance in 0..steps.into() {
                for masks in masks(known, table.substring.bits, distance).chunks(TOGETHER) {
                    masks.iter().for_each(|mask| table.prefetch_places(value ^ mask));
                    for mask in masks {
                        let places = table.places(value ^ mask);
                        if places.len() >= LONG {
                            self.compare(number, table.rows(places), found);
                        } else if !places.is_empty() {
                            table.prefetch_codes(&places);
                            waiting.push((number, places));
                        }
                    }
                    if waiting.len() >= TOGETHER {
                        self.gather(waiting, candidates, ends, found);
                    }
                }
            }
        }
        self.gather(waiting, candidates, ends, found);
        self.compare_all(candidates, ends, found);
    }

    /// Turns places into candidates, and compares these where they are many.
    fn gather(
        &self,
        places: &mut Vec<(usize, Range<usize>)>,
        candidates: &mut Vec<u32>,
        ends: &mut Vec<(usize, usize)>,
        found: &mut Vec<u64>,
    ) {
        for (number, places) in places.drain(..) {
            let before = candidates.len();
            self.tables[self.order[number]].codes(places, self.codes.len(), candidates);
            candidates[before..].iter().for_each(|&row| prefetch(self.codes, row as usize));
            match ends.last_mut() {
                Some((table, end)) if *table == number => *end = candidates.len(),
                _ => ends.push((number, candidates.len())),
            }
            if candidates.len() >= CANDIDATES {
                self.compare_all(candidates, ends, found);
            }
        }
    }

    fn compare_all(&self, candidates: &mut Vec<u32>, ends: &mut Vec<(usize, usize)>, found: &mut Vec<u64>) {
        let mut start = 0;
        for (number, end) in ends.drain(..) {
            self.compare(number, Rows::Listed(&candidates[start..end]), found);
            start = end;
        }
        candidates.clear();
    }

    /// Compares these rows of the table at this place in the order.
    fn compare(&self, number: usize, rows: Rows<'_>, found: &mut Vec<u64>) {
        scan_new(self.level, self.codes, rows, &self.wanted.code, self.wanted.radius, &self.met[..number], found);
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
