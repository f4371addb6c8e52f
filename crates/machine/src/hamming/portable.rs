//! The definition of the scan in plain Rust.

use super::{Code, Column, Columns, Found, LANES, Window, distance, row_of_lane};

pub(super) fn fill(blocks: &[[Code; LANES]], words: usize, columns: &mut [Column]) {
    for (block, columns) in blocks.iter().zip(columns.chunks_exact_mut(words)) {
        for (word, column) in columns.iter_mut().enumerate() {
            for (lane, bits) in column.0.iter_mut().enumerate() {
                *bits = word_of(&block[row_of_lane(lane)], word);
            }
        }
    }
}

pub(super) fn scan(columns: &Columns, rows: &[Code], queries: &[Code], window: Window, found: &mut Vec<Found>) {
    let words = columns.per_row;
    let (start, end) = window.gap(words);
    let mut candidates = Vec::new();
    for (number, query) in queries.iter().enumerate() {
        candidates.clear();
        for (place, block) in columns.words.chunks_exact(words).enumerate() {
            let mut partial = [0; LANES];
            for (word, column) in block.iter().enumerate() {
                let query = word_of(query, word);
                for (sum, bits) in partial.iter_mut().zip(&column.0) {
                    *sum += (bits ^ query).count_ones();
                }
            }
            let passed = |row: &usize| !(start..end).contains(&partial[row_of_lane(*row)]);
            candidates.extend((0..LANES).filter(passed).map(|row| (place * LANES + row) as u32));
        }
        check(&candidates, number as u32, query, rows, window, found);
    }
}

/// The `word`th 32-bit word of a code.
pub(super) fn word_of(code: &Code, word: usize) -> u32 {
    (code[word / 2] >> (32 * (word % 2))) as u32
}

/// Looks at the whole of rows that passed the filter. Rows past the end are the last block's padding.
///
/// Every candidate is written down and only what is wanted counts: near the radius a branch would be guessed wrongly for
/// every second row.
#[inline(always)]
pub(super) fn check(
    candidates: &[u32],
    number: u32,
    query: &Code,
    rows: &[Code],
    window: Window,
    found: &mut Vec<Found>,
) {
    let (start, end) = window.gap(8);
    let before = found.len();
    found.resize(before + candidates.len(), Found { query: number, row: 0, distance: 0 });
    let places = &mut found[before..];
    let mut kept = 0;
    for &row in candidates {
        let Some(code) = rows.get(row as usize) else { break };
        let distance = distance(query, code);
        places[kept] = Found { query: number, row, distance };
        // Outside start..end, by one comparison.
        kept += usize::from(distance.wrapping_sub(start) >= end - start);
    }
    found.truncate(before + kept);
}
