//! The scan with AVX-512 and VPOPCNTDQ: 16 rows a register, several queries against each block while it is loaded.

use std::arch::x86_64::*;

use super::portable::{check, word_of};
use super::{AllPassed, BLOCKS, Candidates, Code, Column, Columns, Found, LANES, Passed, Window, rows_of_lanes};
use crate::Level;
use crate::level::Set;

pub(super) fn fill(level: Level, blocks: &[[Code; LANES]], words: usize, columns: &mut [Column]) {
    assert_eq!(level.0, Set::Avx512, "the dispatch gives every level its own kernel");
    // SAFETY: a `Level` of this set is only made where the processor was found to have its instructions.
    #[allow(unsafe_code)]
    unsafe {
        match words {
            1 => turn::<1>(blocks, columns),
            2 => turn::<2>(blocks, columns),
            3 => turn::<3>(blocks, columns),
            4 => turn::<4>(blocks, columns),
            5 => turn::<5>(blocks, columns),
            6 => turn::<6>(blocks, columns),
            7 => turn::<7>(blocks, columns),
            _ => turn::<8>(blocks, columns),
        }
    }
}

/// The columns of whole blocks. A register takes the same half of four rows, each in a lane of 128 bits; four of those
/// are turned, 4 by 4 words in every lane at once.
#[target_feature(enable = "avx512f")]
fn turn<const WORDS: usize>(blocks: &[[Code; LANES]], columns: &mut [Column]) {
    let (columns, _) = columns.as_chunks_mut::<WORDS>();
    for (block, columns) in blocks.iter().zip(columns) {
        let pair = |place: usize| {
            let two: &[Code; 2] = &block.as_chunks::<2>().0[place];
            // SAFETY: two rows are 64 bytes, and the load asks for no alignment.
            #[allow(unsafe_code)]
            unsafe {
                _mm512_loadu_si512(two.as_ptr().cast())
            }
        };
        let low = |k: usize| _mm512_shuffle_i64x2::<0b10_00_10_00>(pair(2 * k), pair(2 * k + 1));
        let high = |k: usize| _mm512_shuffle_i64x2::<0b11_01_11_01>(pair(2 * k), pair(2 * k + 1));
        let mut turned = [_mm512_setzero_si512(); 8];
        turned[..4].copy_from_slice(&turn_four([low(0), low(1), low(2), low(3)]));
        if WORDS > 4 {
            turned[4..].copy_from_slice(&turn_four([high(0), high(1), high(2), high(3)]));
        }
        for word in 0..WORDS {
            // SAFETY: a column is 16 words of 32 bits, and the store asks for no alignment.
            #[allow(unsafe_code)]
            unsafe {
                _mm512_storeu_si512(columns[word].0.as_mut_ptr().cast(), turned[word]);
            }
        }
    }
}

/// 4 by 4 words in every lane of 128 bits.
#[inline]
#[target_feature(enable = "avx512f")]
fn turn_four(rows: [__m512i; 4]) -> [__m512i; 4] {
    let (a, b) = (_mm512_unpacklo_epi32(rows[0], rows[1]), _mm512_unpackhi_epi32(rows[0], rows[1]));
    let (c, d) = (_mm512_unpacklo_epi32(rows[2], rows[3]), _mm512_unpackhi_epi32(rows[2], rows[3]));
    [_mm512_unpacklo_epi64(a, c), _mm512_unpackhi_epi64(a, c), _mm512_unpacklo_epi64(b, d), _mm512_unpackhi_epi64(b, d)]
}

pub(super) fn scan(
    level: Level,
    columns: &Columns,
    rows: &[Code],
    queries: &[Code],
    window: Window,
    found: &mut Vec<Found>,
) {
    assert_eq!(level.0, Set::Avx512, "the dispatch gives every level its own kernel");
    let mut candidates = [0; (BLOCKS + 1) * LANES];
    // Queries at once: as many as leave room in 32 registers for their words, the block's words and the sums.
    // SAFETY: a `Level` of this set is only made where the processor was found to have its instructions.
    #[allow(unsafe_code)]
    unsafe {
        match columns.per_row {
            1 => each::<1, 6>(columns, rows, queries, window, &mut candidates, found),
            2 => each::<2, 6>(columns, rows, queries, window, &mut candidates, found),
            3 => each::<3, 6>(columns, rows, queries, window, &mut candidates, found),
            4 => each::<4, 4>(columns, rows, queries, window, &mut candidates, found),
            5 => each::<5, 4>(columns, rows, queries, window, &mut candidates, found),
            6 => each::<6, 3>(columns, rows, queries, window, &mut candidates, found),
            7 => each::<7, 3>(columns, rows, queries, window, &mut candidates, found),
            _ => each::<8, 3>(columns, rows, queries, window, &mut candidates, found),
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
    candidates: &mut Candidates,
    found: &mut Vec<Found>,
) {
    let (groups, rest) = queries.as_chunks::<AT_ONCE>();
    for (group, queries) in groups.iter().enumerate() {
        let first = group * AT_ONCE;
        if window.complement.is_none() {
            some::<WORDS, AT_ONCE, false>(columns, rows, queries, first, window, candidates, found);
        } else {
            some::<WORDS, AT_ONCE, true>(columns, rows, queries, first, window, candidates, found);
        }
    }
    for (number, query) in rest.iter().enumerate() {
        some::<WORDS, 1, true>(columns, rows, &[*query], groups.len() * AT_ONCE + number, window, candidates, found);
    }
}

/// These queries, the first of which is number `first`. One comparison for all of them tells whether a row of a block passed,
/// which few do; `BOTH` where the complement is wanted too, else what is far need not be told.
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512vpopcntdq,avx2,popcnt")]
fn some<const WORDS: usize, const QUERIES: usize, const BOTH: bool>(
    columns: &Columns,
    rows: &[Code],
    queries: &[Code; QUERIES],
    first: usize,
    window: Window,
    candidates: &mut Candidates,
    found: &mut Vec<Found>,
) {
    let (start, end) = window.gap(WORDS);
    let start_of_all = _mm512_set1_epi32(start as i32);
    let width = _mm512_set1_epi32((end - start) as i32);
    // Of two sums the one that is sooner wanted, and the rows whose sums are.
    let sooner = |a, b| if BOTH { _mm512_max_epu32(a, b) } else { _mm512_min_epu32(a, b) };
    let wanted = |sums| {
        if BOTH { _mm512_cmpge_epu32_mask(sums, width) } else { _mm512_cmplt_epu32_mask(sums, start_of_all) }
    };
    let mut words = [[_mm512_setzero_si512(); WORDS]; QUERIES];
    for (words, query) in words.iter_mut().zip(queries) {
        for (at, word) in words.iter_mut().enumerate() {
            *word = _mm512_set1_epi32(word_of(query, at) as i32);
        }
    }
    let (blocks, _) = columns.words.as_chunks::<WORDS>();
    let mut passed = AllPassed::<QUERIES>::NONE;
    for (chunk, blocks) in blocks.chunks(BLOCKS).enumerate() {
        let mut count = 0;
        for (place, block) in blocks.iter().enumerate() {
            let mut sums = [_mm512_setzero_si512(); QUERIES];
            for (sums, words) in sums.iter_mut().zip(&words) {
                for (column, word) in block.iter().zip(words) {
                    // SAFETY: `column` is 16 words of 32 bits, and the load asks for no alignment.
                    #[allow(unsafe_code)]
                    let column = unsafe { _mm512_loadu_si512(column.0.as_ptr().cast()) };
                    *sums = _mm512_add_epi32(*sums, _mm512_popcnt_epi32(_mm512_xor_si512(column, *word)));
                }
                if BOTH {
                    // What is outside start..end is told by one unsigned comparison.
                    *sums = _mm512_sub_epi32(*sums, start_of_all);
                }
            }
            let soonest = sums[1..].iter().fold(sums[0], |soonest, &sums| sooner(soonest, sums));
            if wanted(soonest) != 0 {
                let lanes = sums.map(wanted);
                passed.0[count] = Passed { place: (chunk * BLOCKS + place) as u32, lanes };
                count += 1;
            }
        }
        if count != 0 {
            look_again(&passed.0[..count], queries, first, rows, window, candidates, found);
        }
    }
}

/// The whole distance of the rows that passed the filter.
#[cold]
#[inline(never)]
#[target_feature(enable = "avx512f,avx512vl,avx512vpopcntdq,avx2,popcnt")]
fn look_again<const QUERIES: usize>(
    passed: &[Passed<QUERIES>],
    queries: &[Code; QUERIES],
    first: usize,
    rows: &[Code],
    window: Window,
    candidates: &mut Candidates,
    found: &mut Vec<Found>,
) {
    let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    for (number, query) in queries.iter().enumerate() {
        let mut count = 0;
        for passed in passed {
            let rows = rows_of_lanes(passed.lanes[number]);
            let numbers = _mm512_add_epi32(lanes, _mm512_set1_epi32((passed.place as usize * LANES) as i32));
            let numbers = _mm512_maskz_compress_epi32(rows, numbers);
            let into: &mut [u32] = &mut candidates[count..count + LANES];
            // SAFETY: there is room for 16 words of 32 bits, and the store asks for no alignment.
            #[allow(unsafe_code)]
            unsafe {
                _mm512_storeu_si512(into.as_mut_ptr().cast(), numbers);
            }
            count += rows.count_ones() as usize;
        }
        check(&candidates[..count], (first + number) as u32, query, rows, window, found);
    }
}
