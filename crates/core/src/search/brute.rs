//! Brute force: every query against every code, tile by tile, so that many queries meet each tile while it is in cache.

use minutia_machine::Level;
use minutia_machine::hamming::{Code, Columns, Found, Window, scan};
use rayon::prelude::*;

/// Codes in a tile: their columns are at most 32 KiB (64 with AVX2), which stay in the first two levels of cache while all
/// queries pass. With four times as many AVX2 lost a fifth where another thread shared the core.
const TILE: usize = 1024;
/// Queries that meet a tile in one task. More than this are worth making the tile's columns again, so that another
/// thread can take some where there are few tiles.
const QUERIES: usize = 1024;

/// Every pair of a query and a code within the window, in no particular order. A pair's row is the code's number.
pub(super) fn find(codes: &[Code], queries: &[Code], window: Window, level: Level) -> Vec<Found> {
    let words = window.filter_words(level);
    let of_tile = |columns: &mut Columns, tile: usize, share: usize| {
        let mut found = Vec::new();
        let codes = &codes[tile * TILE..codes.len().min((tile + 1) * TILE)];
        let queries = &queries[share * QUERIES..queries.len().min((share + 1) * QUERIES)];
        columns.fill(level, codes, words);
        scan(level, columns, codes, queries, window, &mut found);
        for found in &mut found {
            found.row += (tile * TILE) as u32;
            found.query += (share * QUERIES) as u32;
        }
        found
    };
    let shares = queries.len().div_ceil(QUERIES);
    let tasks = (0..codes.len().div_ceil(TILE) * shares).into_par_iter().with_min_len(4);
    tasks
        .map_init(Columns::default, |columns, task| of_tile(columns, task / shares, task % shares))
        .flatten_iter()
        .collect()
}
