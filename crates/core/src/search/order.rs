//! Hits in their order.
//!
//! Where a query has thousands of hits, sorting them costs more than finding them. But distances are few, and brute force
//! meets the codes of a segment in order: counting by distance and then by query, which keeps the order of equals, leaves
//! nothing to compare.

use minutia_machine::hamming::Found;

use super::Hit;

/// Fewer are sorted as they are.
const FEW: usize = 4096;
/// Distances are 0..=256.
const DISTANCES: usize = 257;

/// Puts what was found in one segment in the order of query, distance and row.
pub(super) fn sort_found(found: &mut Vec<Found>, queries: usize) {
    let fields = |found: &Found| (found.query, found.distance, found.row);
    // Counters of queries without anything found must not cost more than what is found.
    if found.len() < FEW || queries > found.len() {
        found.sort_unstable_by_key(fields);
        return;
    }
    let by_distance = counted(found, DISTANCES, |found| found.distance as usize);
    *found = counted(&by_distance, queries, |found| found.query as usize);
    for run in found.chunk_by_mut(|a, b| (a.query, a.distance) == (b.query, b.distance)) {
        if !run.is_sorted_by_key(|found| found.row) {
            run.sort_unstable_by_key(|found| found.row);
        }
    }
}

/// Puts hits in the order of [`Hit`]. Those of one segment, without complements, stand in it already.
pub(super) fn sort_hits(hits: &mut Vec<Hit>, groups: usize) {
    if hits.is_sorted() {
        return;
    }
    if hits.len() < FEW || groups > hits.len() {
        hits.sort_unstable();
        return;
    }
    *hits = counted(hits, groups, |hit| hit.group as usize);
    hits.chunk_by_mut(|a, b| a.group == b.group).for_each(<[Hit]>::sort);
}

/// The items in the order of a key below `keys`, those of equal keys in the order in which they stand.
fn counted<T: Copy>(items: &[T], keys: usize, key: impl Fn(&T) -> usize) -> Vec<T> {
    let mut ends = vec![0_usize; keys + 1];
    for item in items {
        ends[key(item) + 1] += 1;
    }
    for n in 0..keys {
        ends[n + 1] += ends[n];
    }
    let mut sorted = items.to_vec();
    for item in items {
        let place = &mut ends[key(item)];
        sorted[*place] = *item;
        *place += 1;
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(20))]

        #[test]
        fn both_end_in_the_order_of_their_fields(
            seed in 1_u64.., groups in 1..40_u64, views in 1..5_u64, count in 0..3 * FEW, spread in 1..3_u64,
        ) {
            let mut state = seed;
            let mut below = |most: u64| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) % most
            };
            let mut hits: Vec<Hit> = (0..count)
                .map(|n| Hit {
                    group: below(groups) as u32,
                    view: below(views) as u16,
                    distance: below(257) as u16,
                    reference: n as u64 / spread + below(3),
                    complement: below(2) == 1,
                })
                .collect();
            let mut expected = hits.clone();
            expected.sort();
            sort_hits(&mut hits, groups as usize);
            proptest::prop_assert_eq!(&hits, &expected);
            sort_hits(&mut hits, groups as usize);
            proptest::prop_assert_eq!(hits, expected);

            let mut found: Vec<Found> = (0..count)
                .map(|n| Found { query: below(groups) as u32, row: n as u32 + below(3) as u32, distance: below(257) as u32 })
                .collect();
            let mut expected = found.clone();
            expected.sort_by_key(|found| (found.query, found.distance, found.row));
            sort_found(&mut found, groups as usize);
            proptest::prop_assert_eq!(found, expected);
        }
    }
}
