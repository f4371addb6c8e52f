//! Distances to some of the rows: candidates of a look-up, which stand anywhere, and rows in buckets. Nearly every
//! candidate is a cache line that was never touched before, so the lines are asked for well before they are needed.

use super::{Code, distance};
use crate::Level;
use crate::level::Set;

/// Candidates ahead of the one compared whose row is asked for: enough to keep a core's memory requests in flight.
const AHEAD: usize = 32;

/// Calls `each` with every one of `candidates` whose row is at most `near` away from `query`, and with that distance, in
/// the order of the candidates. Candidates are places among `rows`; those past the end are none.
pub fn scan_some(
    level: Level,
    rows: &[Code],
    candidates: &[u32],
    query: &Code,
    near: u32,
    mut each: impl FnMut(u32, u32),
) {
    match level.0 {
        Set::Portable => plain(rows, candidates, query, near, &mut each),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a `Level` of these sets is only made where the processor was found to have POPCNT.
        #[allow(unsafe_code)]
        Set::Avx2 | Set::Avx512 => unsafe { with_popcnt(rows, candidates, query, near, &mut each) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "popcnt")]
fn with_popcnt(rows: &[Code], candidates: &[u32], query: &Code, near: u32, each: &mut impl FnMut(u32, u32)) {
    plain(rows, candidates, query, near, each);
}

/// The definition, compiled once for each set.
#[inline(always)]
fn plain(rows: &[Code], candidates: &[u32], query: &Code, near: u32, each: &mut impl FnMut(u32, u32)) {
    candidates.iter().take(AHEAD).for_each(|&row| prefetch(rows, row as usize));
    for (place, &row) in candidates.iter().enumerate() {
        if let Some(&later) = candidates.get(place + AHEAD) {
            prefetch(rows, later as usize);
        }
        if let Some(code) = rows.get(row as usize) {
            let distance = distance(query, code);
            if distance <= near {
                each(row, distance);
            }
        }
    }
}

/// Rows sorted by a value, those of one value together.
#[derive(Clone, Copy, Debug)]
pub struct Buckets<'a> {
    /// The rows.
    pub rows: &'a [Code],
    /// For each value the end of its rows, counted from some start.
    pub ends: &'a [u32],
    /// Where the rows start in that count.
    pub start: u32,
}

/// Calls `each` with every row of the values `value ^ mask` that is at most `near` away from `query`, and with that
/// distance. Values without an end and ends past the rows have none.
pub fn scan_buckets(
    level: Level,
    buckets: Buckets<'_>,
    value: u32,
    masks: &[u32],
    query: &Code,
    near: u32,
    mut each: impl FnMut(u32, u32),
) {
    match level.0 {
        Set::Portable => buckets_plain(buckets, value, masks, query, near, &mut each),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a `Level` of these sets is only made where the processor was found to have POPCNT.
        #[allow(unsafe_code)]
        Set::Avx2 | Set::Avx512 => unsafe { buckets_with_popcnt(buckets, value, masks, query, near, &mut each) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "popcnt")]
fn buckets_with_popcnt(
    buckets: Buckets<'_>,
    value: u32,
    masks: &[u32],
    query: &Code,
    near: u32,
    each: &mut impl FnMut(u32, u32),
) {
    buckets_plain(buckets, value, masks, query, near, each);
}

/// The definition, compiled once for each set.
#[inline(always)]
fn buckets_plain(
    buckets: Buckets<'_>,
    value: u32,
    masks: &[u32],
    query: &Code,
    near: u32,
    each: &mut impl FnMut(u32, u32),
) {
    let Buckets { rows, ends, start } = buckets;
    for mask in masks {
        let value = (value ^ mask) as usize;
        let Some(end) = ends.get(value) else { continue };
        let first = value.checked_sub(1).map_or(start, |before| ends[before]).wrapping_sub(start);
        let last = end.wrapping_sub(start);
        for (place, code) in rows.get(first as usize..last as usize).unwrap_or(&[]).iter().enumerate() {
            let distance = distance(query, code);
            if distance <= near {
                each(first + place as u32, distance);
            }
        }
    }
}

/// Asks for the cache line in which `slice[place]` begins. Changes nothing but the time that reading it takes; a place
/// past the end asks for nothing.
#[inline(always)]
pub fn prefetch<T>(slice: &[T], place: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(value) = slice.get(place) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads nothing and cannot fault; SSE, which it belongs to, is part of every x86-64.
        #[allow(unsafe_code)]
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (slice, place);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_compared_in_their_order_and_those_past_the_end_are_none() {
        let rows: Vec<Code> = (0..100_u64).map(|row| [row, !row, row << 7, 0]).collect();
        let candidates: Vec<u32> = [99, 3, 3, 100, u32::MAX, 0, 50].into_iter().cycle().take(90).collect();
        let query = [3, !0, 3 << 7, 1];
        for near in [0, 5, 256] {
            let mut expected = Vec::new();
            for &row in &candidates {
                if let Some(code) = rows.get(row as usize) {
                    let distance = (0..4).map(|word| (code[word] ^ query[word]).count_ones()).sum::<u32>();
                    if distance <= near {
                        expected.push((row, distance));
                    }
                }
            }
            for level in Level::all_here() {
                let mut found = Vec::new();
                scan_some(level, &rows, &candidates, &query, near, |row, distance| found.push((row, distance)));
                assert_eq!(found, expected, "{}", level.name());
            }
        }
    }

    #[test]
    fn buckets_are_those_of_the_masked_values() {
        let rows: Vec<Code> = (0..40_u64).map(|row| [row, row << 3, 0, 0]).collect();
        let ends: Vec<u32> = (0..8).map(|value| 1000 + 5 * (value + 1)).collect();
        let buckets = Buckets { rows: &rows, ends: &ends, start: 1000 };
        for level in Level::all_here() {
            let mut found = Vec::new();
            scan_buckets(level, buckets, 2, &[0, 1, 7, 8], &rows[11], 256, |row, _| found.push(row));
            assert_eq!(found, [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 25, 26, 27, 28, 29], "{}", level.name());
            let mut near = Vec::new();
            scan_buckets(level, buckets, 2, &[0, 1], &rows[11], 0, |row, distance| near.push((row, distance)));
            assert_eq!(near, [(11, 0)]);
            // By 1 and by more: fuzzing found an overflow at exactly the first.
            for start in [1011, 2000] {
                let damaged = Buckets { start, ..buckets };
                scan_buckets(level, damaged, 2, &[0], &rows[11], 256, |_, _| panic!("ends before the start"));
            }
        }
    }
}
