//! The definition of the scan in plain Rust.

use super::{Code, Columns, Found, LANES, Window, distance, row_of_lane};

pub(super) fn fill(blocks: &[[Code; LANES]], words: usize, columns: &mut [u32]) {
    for (block, columns) in blocks.iter().zip(columns.chunks_exact_mut(LANES * words)) {
        for (word, column) in columns.chunks_exact_mut(LANES).enumerate() {
            for (lane, bits) in column.iter_mut().enumerate() {
                *bits = word_of(&block[row_of_lane(lane)], word);
            }
        }
    }
}

pub(super) fn scan(columns: &Columns, rows: &[Code], queries: &[Code], window: Window, found: &mut Vec<Found>) {
    let words = columns.per_row;
    let (start, end) = window.gap(words);
    for (number, query) in queries.iter().enumerate() {
        for (place, block) in columns.words.chunks_exact(LANES * words).enumerate() {
            let mut partial = [0; LANES];
            for (word, column) in block.chunks_exact(LANES).enumerate() {
                let query = word_of(query, word);
                for (sum, bits) in partial.iter_mut().zip(column) {
                    *sum += (bits ^ query).count_ones();
                }
            }
            for (lane, partial) in partial.iter().enumerate() {
                if !(start..end).contains(partial) {
                    check(number, query, place * LANES + row_of_lane(lane), rows, window, found);
                }
            }
        }
    }
}

/// The `word`th 32-bit word of a code.
pub(super) fn word_of(code: &Code, word: usize) -> u32 {
    (code[word / 2] >> (32 * (word % 2))) as u32
}

/// Looks at the whole of a row that passed the filter. Rows past the end are the last block's padding.
#[inline]
pub(super) fn check(number: usize, query: &Code, row: usize, rows: &[Code], window: Window, found: &mut Vec<Found>) {
    if let Some(code) = rows.get(row) {
        let distance = distance(query, code);
        if window.holds(distance) {
            found.push(Found { query: number as u32, row: row as u32, distance });
        }
    }
}
