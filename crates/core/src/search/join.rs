//! A join of many queries with a multi-index: instead of every query walking the tables, every table is walked once.
//!
//! A table is cut into blocks of neighbouring values that hold a few hundred codes. Those are fetched once and compared
//! with all queries whose value is near one of the block's: the queries are sorted by the same values, so they are those
//! of the few blocks whose number differs in few bits. What is random in memory is then one pass over the codes for each
//! table, whatever the number of queries.

use minutia_machine::Level;
use minutia_machine::hamming::{Buckets, Code, Found, prefetch, scan_buckets};
use rayon::prelude::*;

use super::lookup::{Masks, Walk, Wanted, masks, met_before, shells, walk};
use crate::index::{MultiIndex, Table};

/// Codes that a block should hold: their 16 KiB and the queries' codes stay in the first-level caches.
const BLOCK: u64 = 512;
/// Queries that stand for all when the walk is decided.
const SAMPLE: usize = 256;
/// Codes ahead of the one fetched that are asked for.
const AHEAD: usize = 32;

/// A query in the order of its values in a table.
#[derive(Clone, Copy, Debug)]
struct Sorted {
    value: u32,
    place: u32,
    code: Code,
}

/// What a thread keeps between blocks.
#[derive(Debug, Default)]
struct Scratch {
    numbers: Vec<u32>,
    codes: Vec<Code>,
}

/// How far to walk the tables for all of these queries, which have one radius; values and codes are those of all.
pub(super) fn plan(index: &MultiIndex<'_>, codes: &[Code], wanted: &[Wanted]) -> Walk {
    let Some(radius) = wanted.iter().map(|wanted| wanted.radius).max() else { return Walk::default() };
    let tables = index.tables();
    let step = wanted.len().div_ceil(SAMPLE).max(1);
    let mut sums = vec![(0_u64, 0_u64); tables.len()];
    let mut sampled = 0;
    for wanted in wanted.iter().step_by(step) {
        sampled += 1;
        for (sum, shell) in sums.iter_mut().zip(shells(tables, &wanted.code)) {
            sum.0 = sum.0.saturating_add(shell.0);
            sum.1 = sum.1.saturating_add(shell.1);
        }
    }
    let mut walk = walk(tables, &sums, sampled, radius, codes.len() as u64);
    let all = |sum: u64| sum / sampled * wanted.len() as u64;
    (walk.values, walk.codes) = (all(walk.values), all(walk.codes));
    walk
}

/// Every code within the radius of one of these queries, in no particular order.
pub(super) fn find(index: &MultiIndex<'_>, codes: &[Code], wanted: &[Wanted], walk: &Walk, level: Level) -> Vec<Found> {
    let tables = index.tables();
    let walked = (0..tables.len()).filter(|&table| walk.steps[table] > 0);
    walked.flat_map(|table| join(tables, table, codes, wanted, walk, level)).collect()
}

fn join(
    tables: &[Table<'_>],
    number: usize,
    codes: &[Code],
    wanted: &[Wanted],
    walk: &Walk,
    level: Level,
) -> Vec<Found> {
    let table = &tables[number];
    let bits = table.substring.bits;
    let furthest = u32::from(walk.steps[number]) - 1;
    let values_in_a_block = (BLOCK << bits) / (codes.len() as u64).max(1);
    let low = values_in_a_block.max(1).ilog2().min(bits);
    let high = bits - low;

    let mut sorted: Vec<Sorted> = (0..)
        .zip(wanted)
        .map(|(place, wanted)| Sorted { value: table.substring.of(&wanted.code), place, code: wanted.code })
        .collect();
    sorted.par_sort_unstable_by_key(|query| (query.value, query.place));
    let mut starts = vec![0_u32; (1 << high) + 1];
    for query in &sorted {
        starts[(query.value >> low) as usize + 1] += 1;
    }
    for block in 1..starts.len() {
        starts[block] += starts[block - 1];
    }
    // Blocks by the bits in which their numbers differ, and for each distance the values that are left to reach.
    let mut known = Masks::new();
    let near_blocks: Vec<Vec<u32>> =
        (0..=furthest.min(high)).map(|distance| masks(&mut known, high, distance).to_vec()).collect();
    let reach: Vec<Vec<u32>> = (0..=furthest.min(low))
        .scan(Vec::new(), |all: &mut Vec<u32>, distance| {
            all.extend_from_slice(masks(&mut known, low, distance));
            Some(all.clone())
        })
        .collect();

    let one = |scratch: &mut Scratch, block: u32| {
        let mut found = Vec::new();
        let (start, ends) = table.block(block << low, 1 << low);
        let end = ends.last().copied().unwrap_or(start);
        let queries = |mask: u32| {
            let block = (block ^ mask) as usize;
            &sorted[starts[block] as usize..starts[block + 1] as usize]
        };
        let met = near_blocks.iter().any(|masks| masks.iter().any(|&mask| !queries(mask).is_empty()));
        if !met || start >= end {
            return found;
        }
        scratch.fetch(table, start as usize..end as usize, codes);
        let buckets = Buckets { rows: &scratch.codes, ends, start };
        for (distance, masks) in near_blocks.iter().enumerate() {
            let Some(left) = (furthest as usize).checked_sub(distance) else { break };
            let Some(reach) = reach.get(left.min(reach.len() - 1)) else { break };
            for query in masks.iter().flat_map(|&mask| queries(mask)) {
                let wanted = &wanted[query.place as usize];
                let value = query.value & ((1 << low) - 1);
                scan_buckets(level, buckets, value, reach, &query.code, wanted.radius, |row, distance| {
                    let code = &scratch.codes[row as usize];
                    if !met_before(&tables[..number], walk, &query.code, code) {
                        let distance = if wanted.complement { 256 - distance } else { distance };
                        found.push(Found { query: wanted.query, row: scratch.numbers[row as usize], distance });
                    }
                });
            }
        }
        found
    };
    (0..1_u32 << high).into_par_iter().with_min_len(16).map_init(Scratch::default, one).flatten_iter().collect()
}

impl Scratch {
    /// Fetches the codes at these places of a table, and their numbers.
    fn fetch(&mut self, table: &Table<'_>, places: std::ops::Range<usize>, codes: &[Code]) {
        self.numbers.clear();
        table.codes(places, codes.len(), &mut self.numbers);
        self.codes.clear();
        for (place, &number) in self.numbers.iter().enumerate() {
            if let Some(&later) = self.numbers.get(place + AHEAD) {
                prefetch(codes, later as usize);
            }
            // A number past the end is damage, which verification reports: nothing is near it but its own complement.
            self.codes.push(codes.get(number as usize).copied().unwrap_or_default());
        }
    }
}
