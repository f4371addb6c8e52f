//! Brute force: every query against every code, tile by tile, so that many queries meet each tile while it is in cache.

use minutia_machine::Level;
use minutia_machine::hamming::{Code, Columns, Found, Window, scan};
use rayon::prelude::*;

/// Codes in a tile: 128 KiB of them, which stay in the second-level cache beside their columns.
const TILE: usize = 4096;

/// Every pair of a query and a code within the window, in no particular order. A pair's row is the code's number.
pub(super) fn find(codes: &[Code], queries: &[Code], window: Window, level: Level) -> Vec<Found> {
    let words = window.filter_words();
    let of_tile = |columns: &mut Columns, tile: usize, codes: &[Code]| {
        let mut found = Vec::new();
        columns.fill(codes, words);
        scan(level, columns, codes, queries, window, &mut found);
        found.iter_mut().for_each(|found| found.row += (tile * TILE) as u32);
        found
    };
    let tiles = codes.par_chunks(TILE).enumerate();
    tiles.map_init(Columns::default, |columns, (tile, codes)| of_tile(columns, tile, codes)).flatten_iter().collect()
}
