//! Distances to some of the rows: candidates of a look-up, which stand anywhere, and rows in buckets. Nearly every
//! candidate is a cache line that was never touched before, so the lines are asked for well before they are needed.

use std::ops::Range;

use super::{Code, distance};
use crate::Level;
use crate::level::Set;

/// Candidates ahead of the one compared whose row is asked for: enough to keep a core's memory requests in flight.
const AHEAD: usize = 32;
/// Rows that are written down before those that are near are looked at again: 2 KiB.
const BATCH: usize = 256;
/// Rows found from which on one that is near is no exception.
const MANY: usize = 64;

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

/// Rows that were met in another way already: those that differ from the query in fewer than `fewer` of these bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Met {
    /// The bits.
    pub bits: Code,
    /// One more than the most in which such a row differs.
    pub fewer: u32,
}

/// Which rows are compared.
#[derive(Clone, Debug)]
pub enum Rows<'a> {
    /// Those of these places, which may stand anywhere.
    Listed(&'a [u32]),
    /// Neighbours.
    Run(Range<u32>),
}

/// Appends to `found` each of `some` of the rows that is at most `near` away from `query` and that is none of `met`, in
/// their order: its place above 32 bits of its distance. Places past the end have no row.
///
/// Where the neighbours of a query are many, every second candidate may be one and no branch can be guessed: once `found`
/// holds some, every candidate is written down and only those that are near count.
pub fn scan_new(
    level: Level,
    rows: &[Code],
    some: Rows<'_>,
    query: &Code,
    near: u32,
    met: &[Met],
    found: &mut Vec<u64>,
) {
    match level.0 {
        Set::Portable => new_plain(rows, some, query, near, met, found),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a `Level` of these sets is only made where the processor was found to have POPCNT.
        #[allow(unsafe_code)]
        Set::Avx2 | Set::Avx512 => unsafe { new_with_popcnt(rows, some, query, near, met, found) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "popcnt")]
fn new_with_popcnt(rows: &[Code], some: Rows<'_>, query: &Code, near: u32, met: &[Met], found: &mut Vec<u64>) {
    new_plain(rows, some, query, near, met, found);
}

/// The definition, compiled once for each set.
#[inline(always)]
fn new_plain(rows: &[Code], some: Rows<'_>, query: &Code, near: u32, met: &[Met], found: &mut Vec<u64>) {
    match some {
        Rows::Listed(list) => {
            list.iter().take(AHEAD).for_each(|&row| prefetch(rows, row as usize));
            for (place, batch) in list.chunks(BATCH).enumerate() {
                let later = list.get(place * BATCH + AHEAD..).unwrap_or(&[]);
                let batch = batch.iter().enumerate().filter_map(|(place, &row)| {
                    if let Some(&later) = later.get(place) {
                        prefetch(rows, later as usize);
                    }
                    Some((row, rows.get(row as usize)?))
                });
                batch_plain(batch, rows, query, near, met, found);
            }
        }
        Rows::Run(run) => {
            let end = (run.end as usize).min(rows.len());
            for start in (run.start as usize..end).step_by(BATCH) {
                let batch = rows[start..end.min(start + BATCH)].iter().zip(start as u32..);
                batch_plain(batch.map(|(code, row)| (row, code)), rows, query, near, met, found);
            }
        }
    }
}

/// At most `BATCH` rows with their places.
#[inline(always)]
fn batch_plain<'r>(
    batch: impl Iterator<Item = (u32, &'r Code)>,
    rows: &[Code],
    query: &Code,
    near: u32,
    met: &[Met],
    found: &mut Vec<u64>,
) {
    let mut kept = [0_u64; BATCH + 1];
    let mut count = 0;
    let packed = |row: u32, distance: u32| u64::from(row) << 32 | u64::from(distance);
    if found.len() < MANY {
        for (row, code) in batch {
            let distance = distance(query, code);
            if distance <= near {
                kept[count.min(BATCH)] = packed(row, distance);
                count += 1;
            }
        }
    } else {
        for (row, code) in batch {
            let distance = distance(query, code);
            kept[count.min(BATCH)] = packed(row, distance);
            count += usize::from(distance <= near);
        }
    }
    // A loop and no iterator that is handed over: what is not inlined here would count bits without the instruction.
    for &kept in &kept[..count.min(BATCH)] {
        let Some(code) = rows.get((kept >> 32) as usize) else { continue };
        let mut is_met = false;
        for met in met {
            let differ = |word: usize| ((code[word] ^ query[word]) & met.bits[word]).count_ones();
            if differ(0) + differ(1) + differ(2) + differ(3) < met.fewer {
                is_met = true;
                break;
            }
        }
        if !is_met {
            found.push(kept);
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
    fn rows_are_new_that_are_near_and_were_not_met() {
        let rows: Vec<Code> = (0..1000_u64).map(|row| [row, !row, row << 7, row % 3]).collect();
        let list: Vec<u32> = [999, 3, 3, 1000, u32::MAX, 0, 50].into_iter().cycle().take(900).chain(100..700).collect();
        let query = [3, !0, 3 << 7, 1];
        let all = Met { bits: [!0; 4], fewer: 6 };
        let first = Met { bits: [0xff, 0, 0, 0], fewer: 2 };
        let nothing = Met { bits: [!0; 4], fewer: 0 };
        for near in [0, 5, 14, 256] {
            for met in [&[][..], &[first], &[nothing, all, first]] {
                for run in [None, Some(0..1000), Some(17..1300), Some(Range { start: 990, end: 20 }), Some(1200..1300)]
                {
                    let places: Vec<u32> = run.clone().map_or(list.clone(), Iterator::collect);
                    let mut expected = Vec::new();
                    for row in places {
                        let Some(code) = rows.get(row as usize) else { continue };
                        let differ = |bits: &Code| {
                            (0..4).map(|at| ((code[at] ^ query[at]) & bits[at]).count_ones()).sum::<u32>()
                        };
                        if differ(&[!0; 4]) <= near && met.iter().all(|met| differ(&met.bits) >= met.fewer) {
                            expected.push(u64::from(row) << 32 | u64::from(differ(&[!0; 4])));
                        }
                    }
                    for level in Level::all_here() {
                        let mut found = Vec::new();
                        let some = run.clone().map_or(Rows::Listed(&list), Rows::Run);
                        scan_new(level, &rows, some, &query, near, met, &mut found);
                        assert_eq!(found, expected, "{} {near} {run:?}", level.name());
                    }
                }
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
