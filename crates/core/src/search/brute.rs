//! Brute force: every query against every code, tile by tile, so that many queries meet each tile while it is in cache.
//!
//! Where queries have thousands of neighbours, what is found takes longer to write down than to find, most of it the
//! system's time for fresh memory. So a tile gives four bytes for each, and those are put together once.

use minutia_machine::Level;
use minutia_machine::hamming::{Code, Columns, Found, Window, scan};
use rayon::prelude::*;

use super::order::Pairs;

/// Codes in a tile: their columns are at most 32 KiB (64 with AVX2), which stay in the first two levels of cache while all
/// queries pass. With four times as many AVX2 lost a fifth where another thread shared the core.
const TILE: usize = 1 << TILE_BITS;
const TILE_BITS: u32 = 10;
/// Queries that meet a tile in one task. More than this are worth making the tile's columns again, so that another
/// thread can take some where there are few tiles.
const QUERIES: usize = 1 << 10;
/// Distances are 0..=256.
const DISTANCE_BITS: u32 = 9;

/// What was found, tile by tile.
#[derive(Debug)]
pub(super) struct Tiles {
    packed: Vec<Vec<u32>>,
    /// Shares of queries, which meet each tile one after another.
    shares: usize,
}

/// Every pair of a query and a code within the window. A pair's row is the code's number.
pub(super) fn find(codes: &[Code], queries: &[Code], window: Window, level: Level) -> Tiles {
    let words = window.filter_words(level);
    let shares = queries.len().div_ceil(QUERIES);
    let of_task = |(columns, found): &mut (Columns, Vec<Found>), task: usize| {
        let (tile, share) = (task / shares, task % shares);
        let codes = &codes[tile * TILE..codes.len().min((tile + 1) * TILE)];
        let queries = &queries[share * QUERIES..queries.len().min((share + 1) * QUERIES)];
        columns.fill(level, codes, words);
        found.clear();
        scan(level, columns, codes, queries, window, found);
        found.iter().map(pack).collect()
    };
    let tasks = (0..codes.len().div_ceil(TILE) * shares).into_par_iter().with_min_len(4);
    Tiles { packed: tasks.map_init(Default::default, of_task).collect(), shares }
}

impl Tiles {
    /// Everything that was found: of each query by row.
    pub(super) fn list(&self) -> Vec<Found> {
        let mut list = Vec::with_capacity(self.packed.iter().map(Vec::len).sum());
        let _ = self.each(|found| {
            list.push(found);
            Ok::<(), std::convert::Infallible>(())
        });
        list
    }
}

impl Pairs for Tiles {
    /// Of each query by row.
    #[inline(always)]
    fn each<E>(&self, mut each: impl FnMut(Found) -> Result<(), E>) -> Result<(), E> {
        for (task, packed) in self.packed.iter().enumerate() {
            let (first_row, first_query) = (task / self.shares * TILE, task % self.shares * QUERIES);
            for &packed in packed {
                let found = unpack(packed);
                let (query, row) = (found.query | first_query as u32, found.row | first_row as u32);
                each(Found { query, row, ..found })?;
            }
        }
        Ok(())
    }
}

/// What was found in a tile, in four bytes.
fn pack(found: &Found) -> u32 {
    (found.query << TILE_BITS | found.row) << DISTANCE_BITS | found.distance
}

/// And back.
fn unpack(packed: u32) -> Found {
    let (pair, distance) = (packed >> DISTANCE_BITS, packed & ((1 << DISTANCE_BITS) - 1));
    Found { query: pair >> TILE_BITS, row: pair & (TILE as u32 - 1), distance }
}
