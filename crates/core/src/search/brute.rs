//! Brute force: every query against every code, tile by tile, so that many queries meet each tile while it is in cache.
//!
//! Where queries have thousands of neighbours, what is found takes longer to write down than to find, most of it the
//! system's time for fresh memory. So a tile gives four bytes for each, and those are put together once.

use minutia_machine::Level;
use minutia_machine::hamming::{Code, Columns, Found, Window, scan};
use rayon::prelude::*;

use super::order::Runs;

/// Codes in a tile: their columns are at most 32 KiB (64 with AVX2), which stay in the first two levels of cache while all
/// queries pass. With four times as many AVX2 lost a fifth where another thread shared the core.
const TILE: usize = 1 << 10;
/// Queries that meet a tile in one task. More than this are worth making the tile's columns again, so that another
/// thread can take some where there are few tiles.
const QUERIES: usize = 1 << 10;
/// Distances are 0..=256.
const DISTANCE_BITS: u32 = 9;

/// What was found, tile by tile.
#[derive(Debug)]
pub(super) struct Tiles {
    tasks: Vec<Task>,
    /// Shares of queries, which meet each tile one after another.
    shares: usize,
}

/// What a share of the queries found in a tile.
#[derive(Debug, Default)]
struct Task {
    /// Rows of the tile above [`DISTANCE_BITS`] of their distance, those of a query together and in order.
    packed: Vec<u32>,
    /// Queries, counted from the first of the share, and where what they found ends.
    runs: Vec<(u32, u32)>,
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
        Task::of(found)
    };
    let tasks = (0..codes.len().div_ceil(TILE) * shares).into_par_iter().with_min_len(4);
    Tiles { tasks: tasks.map_init(Default::default, of_task).collect(), shares }
}

impl Task {
    fn of(found: &[Found]) -> Task {
        let packed = found.iter().map(|found| found.row << DISTANCE_BITS | found.distance).collect();
        let mut runs = Vec::new();
        let mut end = 0;
        for run in found.chunk_by(|a, b| a.query == b.query) {
            end += run.len() as u32;
            runs.push((run[0].query, end));
        }
        Task { packed, runs }
    }
}

impl Tiles {
    /// Everything that was found: of each query by row.
    pub(super) fn list(&self) -> Vec<Found> {
        let mut list = Vec::with_capacity(self.tasks.iter().map(|task| task.packed.len()).sum());
        self.each_run(|query, run| {
            list.extend(self.rows(run).map(|(row, distance)| Found { query, row, distance }));
        });
        list
    }
}

/// A run of a task.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Run {
    task: u32,
    start: u32,
    end: u32,
}

/// Those of each query by row.
impl Runs for Tiles {
    type Run = Run;

    fn each_run(&self, mut each: impl FnMut(u32, Run)) {
        for (number, task) in self.tasks.iter().enumerate() {
            let first_query = (number % self.shares * QUERIES) as u32;
            let mut start = 0;
            for &(query, end) in &task.runs {
                each(first_query + query, Run { task: number as u32, start, end });
                start = end;
            }
        }
    }

    #[inline(always)]
    fn rows(&self, run: Run) -> impl Iterator<Item = (u32, u32)> {
        let first_row = (run.task as usize / self.shares * TILE) as u32;
        let packed = &self.tasks[run.task as usize].packed[run.start as usize..run.end as usize];
        packed.iter().map(move |&packed| (first_row + (packed >> DISTANCE_BITS), packed & ((1 << DISTANCE_BITS) - 1)))
    }
}
