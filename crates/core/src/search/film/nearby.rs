//! Codes of references near codes of a query, where there are too many of both to compare each with each.
//!
//! The query's codes are put into tables by parts of their bits, and the references' pass through once: each is compared
//! with those codes that have one of its parts. Nothing has to stand beside the references on disk, and the tables grow with
//! the query alone. It is not exact: with parts of 14 bits, as a query of an hour has them, one pair in 180 that differs in
//! 24 bits shares no part, of those that differ in 40 one in six, in 63 seven in ten. A stretch of a film has many frames in
//! many views, so that its votes become fewer and are not lost. Where comparing all is quick, all are compared.
//! Indyk and Motwani, "Approximate nearest neighbors" (1998), with the roles of data and queries changed.

use minutia_machine::Level;
use minutia_machine::hamming::{Code, Found, Window, scan_some};
use rayon::prelude::*;

use super::super::brute;

/// Up to so many comparisons all are made: a few seconds of one core.
const FEW_COMPARISONS: u64 = 20_000_000_000;
/// Codes of a query that one code of a reference is compared with, at most, if bits were independent.
const MOST_COMPARED: usize = 450;
/// Bits of a part, at least and at most.
const PART_BITS: std::ops::RangeInclusive<u32> = 11..=20;
/// Codes of references that a task passes through.
const TILE: usize = 16_384;

/// Pairs of a query and a code that are within `radius` of each other, in no particular order. A pair's row is the code's
/// number.
pub(super) fn find(codes: &[Code], queries: &[Code], radius: u32, level: Level) -> Vec<Found> {
    if (codes.len() as u64).saturating_mul(queries.len() as u64) <= FEW_COMPARISONS {
        return brute::find(codes, queries, Window { near: radius, complement: None }, level).list();
    }
    by_parts(codes, queries, radius, level)
}

fn by_parts(codes: &[Code], queries: &[Code], radius: u32, level: Level) -> Vec<Found> {
    let bits = part_bits(queries.len());
    let tables: Vec<Table> =
        (0..256 / bits).into_par_iter().map(|part| Table::of(queries, part * bits, bits)).collect();
    let tiles = codes.par_chunks(TILE).enumerate();
    let of_tile = |candidates: &mut Vec<u32>, (tile, codes): (usize, &[Code])| {
        let mut found: Vec<Found> = Vec::new();
        for (place, code) in codes.iter().enumerate() {
            // Nothing to see.
            if *code == [0; 4] {
                continue;
            }
            candidates.clear();
            tables.iter().for_each(|table| candidates.extend(table.queries_of(code)));
            let (row, first) = ((tile * TILE + place) as u32, found.len());
            scan_some(level, queries, candidates, code, radius, |query, distance| {
                found.push(Found { query, row, distance });
            });
            // A pair that shares several parts was met as often.
            if found.len() > first + 1 {
                found[first..].sort_unstable();
                let mut kept = first + 1;
                for next in first + 1..found.len() {
                    if found[next] != found[kept - 1] {
                        found[kept] = found[next];
                        kept += 1;
                    }
                }
                found.truncate(kept);
            }
        }
        found
    };
    tiles.map_init(Vec::new, of_tile).flatten_iter().collect()
}

/// As few bits as keep the comparisons down.
fn part_bits(queries: usize) -> u32 {
    let compared = |bits: u32| (256 / bits) as usize * (queries >> bits);
    let (least, most) = (*PART_BITS.start(), *PART_BITS.end());
    PART_BITS.into_iter().find(|&bits| compared(bits) <= MOST_COMPARED).unwrap_or(most).max(least)
}

/// The queries by the value of one part of their bits.
struct Table {
    first_bit: u32,
    mask: u32,
    /// For each value the end of its queries; one more in front.
    ends: Vec<u32>,
    queries: Vec<u32>,
}

impl Table {
    fn of(queries: &[Code], first_bit: u32, bits: u32) -> Table {
        let mask = (1 << bits) - 1;
        let mut ends = vec![0_u32; (1 << bits) + 1];
        for code in queries {
            ends[value(code, first_bit, mask) as usize + 1] += 1;
        }
        for place in 1..ends.len() {
            ends[place] += ends[place - 1];
        }
        let (mut next, mut sorted) = (ends.clone(), vec![0; queries.len()]);
        for (number, code) in (0..).zip(queries) {
            let place = &mut next[value(code, first_bit, mask) as usize];
            sorted[*place as usize] = number;
            *place += 1;
        }
        Table { first_bit, mask, ends, queries: sorted }
    }

    fn queries_of(&self, code: &Code) -> &[u32] {
        let value = value(code, self.first_bit, self.mask) as usize;
        &self.queries[self.ends[value] as usize..self.ends[value + 1] as usize]
    }
}

/// The bits of a code from one on, at most 32 of them.
fn value(code: &Code, first_bit: u32, mask: u32) -> u32 {
    let (word, shift) = ((first_bit / 64) as usize, first_bit % 64);
    let above = if shift == 0 { 0 } else { code.get(word + 1).map_or(0, |next| next << (64 - shift)) };
    (code[word] >> shift | above) as u32 & mask
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(state: &mut u64) -> u64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (*state ^ *state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    #[test]
    fn near_pairs_are_found_nearly_all_and_far_ones_never() {
        let mut state = 1;
        let queries: Vec<Code> = (0..40_000).map(|_| std::array::from_fn(|_| random(&mut state))).collect();
        assert_eq!(part_bits(queries.len()), 11);
        for (bits, least) in [(0, 100), (16, 99), (24, 99), (40, 92)] {
            let codes: Vec<Code> = queries[..1_000]
                .iter()
                .map(|query| {
                    let mut code = *query;
                    for _ in 0..bits {
                        let bit = random(&mut state) % 256;
                        code[bit as usize / 64] ^= 1 << (bit % 64);
                    }
                    code
                })
                .collect();
            let mut found = by_parts(&codes, &queries, 63, Level::best());
            found.sort_unstable();
            assert!(found.windows(2).all(|two| two[0] != two[1]), "once each");
            let own = found.iter().filter(|found| found.query == found.row).count();
            assert!(own >= 10 * least, "{own} of 1000 at {bits}");
            let window = Window { near: 63, complement: None };
            let mut all = brute::find(&codes, &queries, window, Level::best()).list();
            all.sort_unstable();
            assert!(found.iter().all(|found| all.binary_search(found).is_ok()), "each is near");
        }
    }

    #[test]
    fn parts_are_the_bits_of_a_code() {
        let code = [0xfedc_ba98_7654_3210, 0x0123_4567_89ab_cdef, 0, u64::MAX];
        for first in 0..250 {
            let bits = 6.min(256 - first);
            let expected: u32 = (0..bits)
                .map(|bit| ((code[(first + bit) as usize / 64] >> ((first + bit) % 64) & 1) as u32) << bit)
                .sum();
            assert_eq!(value(&code, first, (1 << bits) - 1), expected, "from {first}");
        }
    }

    #[test]
    fn the_bits_of_a_part_grow_with_the_query() {
        let found: Vec<u32> = [0, 30_000, 100_000, 400_000, usize::MAX >> 20].map(part_bits).to_vec();
        assert_eq!(found, [11, 11, 13, 14, 20]);
    }
}
