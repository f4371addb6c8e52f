//! What was found in the order of hits.
//!
//! Where a query has thousands of hits, sorting them costs more than finding them. But distances are few, and brute force
//! meets the codes of a segment in order: counting by query and then by distance, which keeps the order of equals, leaves
//! nothing to compare.

use std::ops::Range;

use minutia_machine::hamming::Found;

use super::Hit;

/// Fewer of one query are sorted as they are.
const FEW: usize = 64;
/// From so many rows on they are sorted digit by digit.
const MANY: usize = 1024;
/// Of rows, 24 bits number those of sixteen million codes.
const DIGIT_BITS: u32 = 12;
const DIGITS: usize = 1 << DIGIT_BITS;
/// Distances are 0..=256.
const DISTANCES: usize = 257;

/// What was found, in runs: rows that are near one query, one after another.
pub(super) trait Runs {
    /// Names a run.
    type Run: Copy + Default;

    /// Calls `each` with every run and its query.
    fn each_run(&self, each: impl FnMut(u32, Self::Run));

    /// The rows of a run and their distances.
    fn rows(&self, run: Self::Run) -> impl Iterator<Item = (u32, u32)>;
}

/// The references of rows. No closure: what is handed over is not inlined where bits are counted by an instruction.
pub(super) trait ReferencesOf {
    type Error;

    /// Those of one row.
    fn of(&self, row: u32) -> Result<Range<u32>, Self::Error>;
}

/// The references of what was found, query by query.
#[derive(Debug)]
pub(super) struct ByQuery<'f, F: Runs> {
    found: &'f F,
    /// For each query the end of its runs.
    ends: Vec<usize>,
    /// Those of each query in the order in which they were found.
    runs: Vec<F::Run>,
}

impl<'f, F: Runs> ByQuery<'f, F> {
    /// What was found near so many queries.
    pub(super) fn of(found: &'f F, queries: usize) -> ByQuery<'f, F> {
        let mut ends = vec![0_usize; queries + 1];
        found.each_run(|query, _| ends[query as usize + 1] += 1);
        for query in 0..queries {
            ends[query + 1] += ends[query];
        }
        let mut runs = vec![F::Run::default(); ends[queries]];
        found.each_run(|query, run| {
            // The start of a query becomes its end.
            let place = &mut ends[query as usize];
            runs[*place] = run;
            *place += 1;
        });
        ByQuery { found, ends, runs }
    }

    /// Calls `each` with every query of which something was found and with the distances of what `references` has of its
    /// rows, above 32 bits of each reference, in their order.
    #[inline(always)]
    pub(super) fn each_query<R: ReferencesOf>(
        &self,
        references: &R,
        mut each: impl FnMut(u32, &[u64]) -> Result<(), R::Error>,
    ) -> Result<(), R::Error> {
        let (mut list, mut sorted) = (Vec::new(), Vec::new());
        let mut start = 0;
        for (&end, query) in self.ends.iter().zip(0..) {
            list.clear();
            for &run in &self.runs[start..end] {
                for (row, distance) in self.found.rows(run) {
                    let references = references.of(row)?;
                    list.extend(references.map(|reference| u64::from(distance) << 32 | u64::from(reference)));
                }
            }
            start = end;
            if !list.is_empty() {
                sorted.resize(list.len(), 0);
                sort_into(&mut sorted, &list);
                each(query, &sorted)?;
            }
        }
        Ok(())
    }
}

impl Runs for Vec<Found> {
    /// Where it starts and ends.
    type Run = (usize, usize);

    fn each_run(&self, mut each: impl FnMut(u32, (usize, usize))) {
        let mut start = 0;
        for run in self.chunk_by(|a, b| a.query == b.query) {
            each(run[0].query, (start, start + run.len()));
            start += run.len();
        }
    }

    #[inline(always)]
    fn rows(&self, (start, end): (usize, usize)) -> impl Iterator<Item = (u32, u32)> {
        self[start..end].iter().map(|found| (found.row, found.distance))
    }
}

/// Puts what was found near a query in order over `sorted`, which is as long.
fn sort_into(sorted: &mut [u64], found: &[u64]) {
    let distance = |packed: u64| (packed >> 32) as usize;
    let mut places = [0_u32; DISTANCES + 1];
    let (mut before, mut in_order) = (0, found.len() >= FEW);
    if in_order {
        for &packed in found {
            in_order &= before <= packed as u32;
            before = packed as u32;
            places[distance(packed) + 1] += 1;
        }
    }
    if !in_order {
        sorted.copy_from_slice(found);
        sorted.sort_unstable();
        return;
    }
    for distance in 0..DISTANCES {
        places[distance + 1] += places[distance];
    }
    for &packed in found {
        let place = &mut places[distance(packed)];
        sorted[*place as usize] = packed;
        *place += 1;
    }
}

/// Puts rows, above 32 bits of their distance, in order; they are numbers below `end`. `spare` holds as many meanwhile.
///
/// From the lowest digit on, keeping the order of equals (Knuth, "The Art of Computer Programming", volume 3, 5.2.5), which for
/// thousands takes a fraction of the time of comparing them.
pub(super) fn sort_rows(rows: &mut Vec<u64>, spare: &mut Vec<u64>, end: usize) {
    if rows.len() < MANY {
        rows.sort_unstable();
        return;
    }
    let bits = usize::BITS - end.leading_zeros();
    for digit in 0..bits.div_ceil(DIGIT_BITS) {
        let digit = |row: u64| (row >> (32 + digit * DIGIT_BITS)) as usize % DIGITS;
        let mut places = vec![0_u32; DIGITS];
        rows.iter().for_each(|&row| places[digit(row)] += 1);
        let mut start = 0;
        for place in &mut places {
            (*place, start) = (start, start + *place);
        }
        spare.resize(rows.len(), 0);
        for &row in rows.iter() {
            let place = &mut places[digit(row)];
            spare[*place as usize] = row;
            *place += 1;
        }
        std::mem::swap(rows, spare);
    }
}

/// Puts hits in their order: those of each segment are by query, and without complements in order.
pub(super) fn sort_hits(hits: &mut [Hit]) {
    // Stable, which finds the runs that are in order.
    if !hits.is_sorted() {
        hits.sort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(40))]

        #[test]
        fn rows_come_in_order(seed in 1_u64.., count in 0..5_000_usize, bits in 1..=32_u32) {
            let end = 1_usize << bits;
            let row = |place: usize| (place as u64 + 1).wrapping_mul(seed | 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - bits);
            let mut rows: Vec<u64> = (0..count.min(end)).map(|place| row(place) << 32 | place as u64).collect();
            rows.sort_by_key(|row| row >> 32);
            rows.dedup_by_key(|row| *row >> 32);
            let expected = rows.clone();
            rows.sort_by_key(|row| row.wrapping_mul(seed | 1));
            let mut spare = vec![7; 3];
            sort_rows(&mut rows, &mut spare, end);
            proptest::prop_assert_eq!(rows, expected);
        }

        #[test]
        fn references_come_by_query_distance_and_number(
            seed in 1_u64.., queries in 1..40_u64, count in 0..8_000_u32, in_order in proptest::bool::ANY, distances in 1..=257_u64,
        ) {
            let mut state = seed;
            let mut below = |most: u64| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) % most
            };
            let mut found: Vec<Found> = (0..count)
                .map(|row| Found { query: below(queries) as u32, row, distance: below(distances) as u32 })
                .collect();
            if !in_order {
                found.sort_by_key(|found| found.row % 7);
            }
            // Each row has up to two references.
            struct UpToTwo;
            impl ReferencesOf for UpToTwo {
                type Error = ();
                fn of(&self, row: u32) -> Result<Range<u32>, ()> {
                    Ok(2 * row..2 * row + row % 3)
                }
            }
            let mut expected = Vec::new();
            for found in &found {
                expected.extend(UpToTwo.of(found.row).unwrap().map(|reference| (found.query, found.distance, reference)));
            }
            expected.sort_unstable();
            let mut all = Vec::new();
            let _ = ByQuery::of(&found, queries as usize).each_query(&UpToTwo, |query, found| {
                all.extend(found.iter().map(|packed| (query, (packed >> 32) as u32, *packed as u32)));
                Ok::<(), ()>(())
            });
            proptest::prop_assert_eq!(all, expected);
        }
    }
}
