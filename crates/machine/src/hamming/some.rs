//! Distances to rows that stand anywhere: the candidates of a look-up. Nearly every one is a cache line that was never
//! touched before, so the lines are asked for well before they are needed.

use super::{Code, distance};
use crate::Level;
use crate::level::Set;

/// Candidates ahead of the one compared whose row is asked for: enough to keep a core's memory requests in flight.
const AHEAD: usize = 24;

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
}
