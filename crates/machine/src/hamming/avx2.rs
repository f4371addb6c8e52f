//! The scan with AVX2: 8 rows a register; bits are counted four at a time through a table in a register (Mula, "Faster
//! Population Counts Using AVX2 Instructions", 2016), and the counts of all words of a row are added as bytes first. The
//! table takes half a byte, so columns hold the lower and the upper halves of bytes apart: taking them apart is then done
//! once for each row, and not for each comparison, which saves two of eight instructions.

use std::arch::x86_64::*;

use super::portable::{check, word_of};
use super::{AllPassed, BLOCKS, Candidates, Code, Column, Columns, Found, LANES, Passed, Window, rows_of_lanes};
use crate::Level;
use crate::level::Set;

pub(super) fn fill(level: Level, blocks: &[[Code; LANES]], words: usize, columns: &mut [Column]) {
    assert_eq!(level.0, Set::Avx2, "the dispatch gives every level its own kernel");
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

/// The columns of whole blocks, of each word the lower halves of its bytes and then the upper ones: four times, the halves
/// of four rows are turned, 4 by 4 words.
#[target_feature(enable = "avx2")]
fn turn<const WORDS: usize>(blocks: &[[Code; LANES]], columns: &mut [Column]) {
    let (columns, _) = columns.as_chunks_mut::<2>();
    let (columns, _) = columns.as_chunks_mut::<WORDS>();
    let low = _mm_set1_epi8(0x0f);
    for (block, columns) in blocks.iter().zip(columns) {
        for lanes in 0..4 {
            for half in 0..WORDS.div_ceil(4) {
                let row = |k: usize| {
                    let half: &[u64; 2] = &block[4 * k + lanes].as_chunks::<2>().0[half];
                    // SAFETY: two words of 64 bits, and the load asks for no alignment.
                    #[allow(unsafe_code)]
                    unsafe {
                        _mm_loadu_si128(half.as_ptr().cast())
                    }
                };
                let turned = turn_four([row(0), row(1), row(2), row(3)]);
                for (column, turned) in columns.iter_mut().skip(4 * half).zip(turned) {
                    let halves = [_mm_and_si128(turned, low), _mm_and_si128(_mm_srli_epi16::<4>(turned), low)];
                    for (plane, bits) in column.iter_mut().zip(halves) {
                        let four = &mut plane.0.as_chunks_mut::<4>().0[lanes];
                        // SAFETY: four words of 32 bits, and the store asks for no alignment.
                        #[allow(unsafe_code)]
                        unsafe {
                            _mm_storeu_si128(four.as_mut_ptr().cast(), bits);
                        }
                    }
                }
            }
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn turn_four(rows: [__m128i; 4]) -> [__m128i; 4] {
    let (a, b) = (_mm_unpacklo_epi32(rows[0], rows[1]), _mm_unpackhi_epi32(rows[0], rows[1]));
    let (c, d) = (_mm_unpacklo_epi32(rows[2], rows[3]), _mm_unpackhi_epi32(rows[2], rows[3]));
    [_mm_unpacklo_epi64(a, c), _mm_unpackhi_epi64(a, c), _mm_unpacklo_epi64(b, d), _mm_unpackhi_epi64(b, d)]
}

pub(super) fn scan(
    level: Level,
    columns: &Columns,
    rows: &[Code],
    queries: &[Code],
    window: Window,
    found: &mut Vec<Found>,
) {
    assert_eq!(level.0, Set::Avx2, "the dispatch gives every level its own kernel");
    let mut candidates = [0; (BLOCKS + 1) * LANES];
    // SAFETY: a `Level` of this set is only made where the processor was found to have its instructions.
    #[allow(unsafe_code)]
    unsafe {
        match columns.per_row {
            1 => each::<1, 3>(columns, rows, queries, window, &mut candidates, found),
            2 => each::<2, 3>(columns, rows, queries, window, &mut candidates, found),
            3 => each::<3, 3>(columns, rows, queries, window, &mut candidates, found),
            4 => each::<4, 2>(columns, rows, queries, window, &mut candidates, found),
            5 => each::<5, 2>(columns, rows, queries, window, &mut candidates, found),
            6 => each::<6, 2>(columns, rows, queries, window, &mut candidates, found),
            7 => each::<7, 2>(columns, rows, queries, window, &mut candidates, found),
            _ => each::<8, 2>(columns, rows, queries, window, &mut candidates, found),
        }
    }
}

/// All queries, `AT_ONCE` together and the rest one by one, over columns of `WORDS` words.
#[target_feature(enable = "avx2,popcnt")]
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
        some::<WORDS, AT_ONCE>(columns, rows, queries, group * AT_ONCE, window, candidates, found);
    }
    for (number, query) in rest.iter().enumerate() {
        some::<WORDS, 1>(columns, rows, &[*query], groups.len() * AT_ONCE + number, window, candidates, found);
    }
}

/// These queries, the first of which is number `first`.
#[target_feature(enable = "avx2,popcnt")]
fn some<const WORDS: usize, const QUERIES: usize>(
    columns: &Columns,
    rows: &[Code],
    queries: &[Code; QUERIES],
    first: usize,
    window: Window,
    candidates: &mut Candidates,
    found: &mut Vec<Found>,
) {
    let (start, end) = window.gap(WORDS);
    // Distances are at most 256, so signed comparisons will do: outside start..end is below start or above end - 1.
    let near = _mm256_set1_epi32(start as i32);
    let far = _mm256_set1_epi32(end as i32 - 1);
    let table = _mm256_setr_epi8(
        0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
    );
    let mut words = [[[_mm256_setzero_si256(); 2]; WORDS]; QUERIES];
    for (words, query) in words.iter_mut().zip(queries) {
        for (at, planes) in words.iter_mut().enumerate() {
            let word = word_of(query, at);
            planes[0] = _mm256_set1_epi32((word & 0x0f0f_0f0f) as i32);
            planes[1] = _mm256_set1_epi32((word >> 4 & 0x0f0f_0f0f) as i32);
        }
    }
    let (blocks, _) = columns.words.as_chunks::<2>();
    let (blocks, _) = blocks.as_chunks::<WORDS>();
    let mut passed = AllPassed::<QUERIES>::NONE;
    for (chunk, blocks) in blocks.chunks(BLOCKS).enumerate() {
        let mut count = 0;
        for (place, block) in blocks.iter().enumerate() {
            let mut lanes = [0_u16; QUERIES];
            let mut any = 0;
            for half in [0, 1] {
                for (lanes, words) in lanes.iter_mut().zip(&words) {
                    let mut bytes = _mm256_setzero_si256();
                    for (column, word) in block.iter().zip(words) {
                        for (plane, query) in column.iter().zip(word) {
                            let (halves, _) = plane.0.as_chunks::<8>();
                            // SAFETY: a half is 8 words of 32 bits, and the load asks for no alignment.
                            #[allow(unsafe_code)]
                            let plane = unsafe { _mm256_loadu_si256(halves[half].as_ptr().cast()) };
                            let counts = _mm256_shuffle_epi8(table, _mm256_xor_si256(plane, *query));
                            bytes = _mm256_add_epi8(bytes, counts);
                        }
                    }
                    // A byte holds at most 8 * 8 bits: pairs of bytes, then pairs of those, fit.
                    let pairs = _mm256_maddubs_epi16(bytes, _mm256_set1_epi8(1));
                    let sums = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
                    let outside = _mm256_or_si256(_mm256_cmpgt_epi32(near, sums), _mm256_cmpgt_epi32(sums, far));
                    let outside = _mm256_movemask_ps(_mm256_castsi256_ps(outside)) as u16;
                    *lanes |= outside << (8 * half);
                    any |= outside;
                }
            }
            if any != 0 {
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
#[target_feature(enable = "popcnt")]
fn look_again<const QUERIES: usize>(
    passed: &[Passed<QUERIES>],
    queries: &[Code; QUERIES],
    first: usize,
    rows: &[Code],
    window: Window,
    candidates: &mut Candidates,
    found: &mut Vec<Found>,
) {
    for (number, query) in queries.iter().enumerate() {
        let mut count = 0;
        for passed in passed {
            let mut left = rows_of_lanes(passed.lanes[number]);
            while left != 0 {
                candidates[count] = passed.place * LANES as u32 + left.trailing_zeros();
                count += 1;
                left &= left - 1;
            }
        }
        check(&candidates[..count], (first + number) as u32, query, rows, window, found);
    }
}
