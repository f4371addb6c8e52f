//! The definition of the scan in plain Rust.

use super::{Code, Columns, Found, LANES, Window, distance};

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
                    check(number, query, place * LANES + lane, rows, window, found);
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
