//! The scan with AVX-512 and VPOPCNTDQ: 16 rows a register, several queries against each block while it is loaded.

use std::arch::x86_64::*;

use super::portable::{check, word_of};
use super::{Code, Columns, Found, LANES, Window};
use crate::Level;
use crate::level::Set;

pub(super) fn scan(
    level: Level,
    columns: &Columns,
    rows: &[Code],
    queries: &[Code],
    window: Window,
    found: &mut Vec<Found>,
) {
    assert_eq!(level.0, Set::Avx512, "the dispatch gives every level its own kernel");
    // Queries at once: as many as leave room in 32 registers for their words, the block's words and the sums.
    // SAFETY: a `Level` of this set is only made where the processor was found to have its instructions.
    #[allow(unsafe_code)]
    unsafe {
        match columns.per_row {
            1 => each::<1, 6>(columns, rows, queries, window, found),
            2 => each::<2, 6>(columns, rows, queries, window, found),
            3 => each::<3, 6>(columns, rows, queries, window, found),
            4 => each::<4, 4>(columns, rows, queries, window, found),
            5 => each::<5, 4>(columns, rows, queries, window, found),
            6 => each::<6, 3>(columns, rows, queries, window, found),
            7 => each::<7, 2>(columns, rows, queries, window, found),
            _ => each::<8, 2>(columns, rows, queries, window, found),
        }
    }
}

/// All queries, `AT_ONCE` together and the rest one by one, over columns of `WORDS` words.
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512vpopcntdq,avx2,popcnt")]
fn each<const WORDS: usize, const AT_ONCE: usize>(
    columns: &Columns,
    rows: &[Code],
    queries: &[Code],
    window: Window,
    found: &mut Vec<Found>,
) {
    let (groups, rest) = queries.as_chunks::<AT_ONCE>();
    for (group, queries) in groups.iter().enumerate() {
        some::<WORDS, AT_ONCE>(columns, rows, queries, group * AT_ONCE, window, found);
    }
    for (number, query) in rest.iter().enumerate() {
        some::<WORDS, 1>(columns, rows, &[*query], groups.len() * AT_ONCE + number, window, found);
    }
}

/// These queries, the first of which is number `first`.
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512vpopcntdq,avx2,popcnt")]
fn some<const WORDS: usize, const QUERIES: usize>(
    columns: &Columns,
    rows: &[Code],
    queries: &[Code; QUERIES],
    first: usize,
    window: Window,
    found: &mut Vec<Found>,
) {
    let (start, end) = window.gap(WORDS);
    let near = _mm512_set1_epi32(start as i32);
    let width = _mm512_set1_epi32((end - start) as i32);
    let mut words = [[_mm512_setzero_si512(); WORDS]; QUERIES];
    for (words, query) in words.iter_mut().zip(queries) {
        for (at, word) in words.iter_mut().enumerate() {
            *word = _mm512_set1_epi32(word_of(query, at) as i32);
        }
    }
    let (blocks, _) = columns.words.as_chunks::<LANES>();
    let (blocks, _) = blocks.as_chunks::<WORDS>();
    for (place, block) in blocks.iter().enumerate() {
        let mut passed = [0_u16; QUERIES];
        let mut any = 0;
        for (passed, words) in passed.iter_mut().zip(&words) {
            let mut sum = _mm512_setzero_si512();
            for (column, word) in block.iter().zip(words) {
                // SAFETY: `column` is 16 words of 32 bits, and the load asks for no alignment.
                #[allow(unsafe_code)]
                let column = unsafe { _mm512_loadu_si512(column.as_ptr().cast()) };
                sum = _mm512_add_epi32(sum, _mm512_popcnt_epi32(_mm512_xor_si512(column, *word)));
            }
            // Outside start..end, by one unsigned comparison.
            *passed = _mm512_cmpge_epu32_mask(_mm512_sub_epi32(sum, near), width);
            any |= *passed;
        }
        if any != 0 {
            verify(&passed, queries, first, place, rows, window, found);
        }
    }
}

/// The whole distance of the rows of a block that passed the filter.
#[cold]
#[inline(never)]
#[target_feature(enable = "popcnt")]
fn verify<const QUERIES: usize>(
    passed: &[u16; QUERIES],
    queries: &[Code; QUERIES],
    first: usize,
    place: usize,
    rows: &[Code],
    window: Window,
    found: &mut Vec<Found>,
) {
    for (number, (&passed, query)) in passed.iter().zip(queries).enumerate() {
        let mut left = passed;
        while left != 0 {
            check(first + number, query, place * LANES + left.trailing_zeros() as usize, rows, window, found);
            left &= left - 1;
        }
    }
}
