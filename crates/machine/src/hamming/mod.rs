//! Distances between 256-bit codes: many queries against many rows, exactly.
//!
//! Rows stand as [`Columns`]: blocks of 16 rows, and in each block one 32-bit word of all 16 after another, so that a
//! vector register holds 16 partial distances. A distance over some of the words is a lower bound of the whole one (and
//! the words' bits less it one of the complement's), so a kernel looks at the first words of a block alone and leaves the
//! rest to the few rows that pass: how many words is chosen by the radius, since 128 bits pass 2e-9 of unrelated codes at
//! radius 31 and all of them at 84. `portable` is the definition; the others find the same rows.
//!
//! Columns are made of a few thousand rows at a time, as they are needed: that costs about as much as comparing six
//! queries, and leaves the rows whole on disk, where a look-up ([`scan_new`]) wants one of them and touches one cache
//! line for it.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;
mod some;

pub use some::{Buckets, Met, Rows, prefetch, scan_buckets, scan_new, scan_some};

use crate::Level;
use crate::level::Set;

/// 256 bits. Distances do not depend on the order of bytes or words, as long as it is the same for all.
pub type Code = [u64; 4];

/// Rows in a block.
pub const LANES: usize = 16;

/// Which distances are wanted, radii inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Distances of at most this, 0..=256.
    pub near: u32,
    /// And distances to the complement of at most this (so distances of at least 256 less it), where some are wanted.
    pub complement: Option<u32>,
}

/// A row within the window of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Place among the queries.
    pub query: u32,
    /// Place among the rows.
    pub row: u32,
    /// Bits that differ, 0..=256.
    pub distance: u32,
}

/// A 32-bit word of each row of a block. Aligned as a line of the cache, so that no load takes parts of two.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
struct Column([u32; LANES]);

/// Rows in blocks of [`LANES`], column by column; see the module. Within a block the lanes are in the order in which a
/// transposition of 4 by 4 words leaves them; see `row_of_lane`.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    /// In the form that the kernel of `level` takes.
    words: Vec<Column>,
    level: Option<Level>,
    per_row: usize,
    rows: usize,
}

impl Window {
    /// True for a distance that is wanted.
    pub fn holds(&self, distance: u32) -> bool {
        distance <= self.near || self.complement.is_some_and(|far| distance.saturating_add(far) >= 256)
    }

    /// How many 32-bit words a filter should look at: few enough to be quick, enough to reject nearly all unrelated
    /// rows. Over w words unrelated codes differ by 16w bits, give or take sqrt(8w); a word more costs a sixth of the
    /// time, and a block of which any row passes as much as twenty that are rejected, so that about one row in ten
    /// thousand may pass. Measured for every radius named here on uniform codes with AVX-512 and AVX2.
    pub fn filter_words(&self, level: Level) -> usize {
        // Where a word takes longer, a few more rows may pass instead.
        #[cfg(target_arch = "x86_64")]
        let short = if level.0 == Set::Avx2 { 31 } else { 24 };
        #[cfg(not(target_arch = "x86_64"))]
        let short = 24;
        match self.near.max(self.complement.unwrap_or(0)) {
            radius if radius <= short => 3,
            25..=42 => 4,
            43..=56 => 5,
            57..=71 => 6,
            72..=85 => 7,
            _ => 8,
        }
    }

    /// The window as distances over the first `words` words see it: partial distances from `.0` on are too far to be
    /// near, and those below `.1` too near for the complement. Where `.0 >= .1` every row may be wanted.
    fn gap(&self, words: usize) -> (u32, u32) {
        let bits = 32 * words as u32;
        let start = self.near.saturating_add(1).min(bits + 1);
        let end = self.complement.map_or(bits + 1, |far| bits.saturating_sub(far));
        (start, end.max(start))
    }
}

impl Columns {
    /// Puts the first `words` 32-bit words (1..=8) of each of `rows` into columns, in place of what was there.
    pub fn fill(&mut self, level: Level, rows: &[Code], words: usize) {
        let words = words.clamp(1, 8);
        self.per_row = words;
        self.rows = rows.len();
        self.level = Some(level);
        let per_block = words * planes(level);
        // Every word is written below.
        self.words.resize(rows.len().div_ceil(LANES) * per_block, Column::default());
        let (blocks, rest) = rows.as_chunks::<LANES>();
        let (whole, last) = self.words.split_at_mut(blocks.len() * per_block);
        fill_blocks(level, blocks, words, whole);
        if !rest.is_empty() {
            let mut padded = [[0; 4]; LANES];
            padded[..rest.len()].copy_from_slice(rest);
            fill_blocks(level, &[padded], words, last);
        }
    }
}

/// Columns that a word takes: the kernel for AVX2 wants the halves of bytes apart.
fn planes(level: Level) -> usize {
    match level.0 {
        #[cfg(target_arch = "x86_64")]
        Set::Avx2 => 2,
        _ => 1,
    }
}

/// The columns of whole blocks.
fn fill_blocks(level: Level, blocks: &[[Code; LANES]], words: usize, columns: &mut [Column]) {
    match level.0 {
        Set::Portable => portable::fill(blocks, words, columns),
        #[cfg(target_arch = "x86_64")]
        Set::Avx2 => avx2::fill(level, blocks, words, columns),
        #[cfg(target_arch = "x86_64")]
        Set::Avx512 => avx512::fill(level, blocks, words, columns),
    }
}

/// Blocks that a kernel looks at before it looks again at the rows that passed: while it does, branches and registers
/// serve the filter alone.
#[cfg(target_arch = "x86_64")]
const BLOCKS: usize = 64;

/// Rows that passed the filter for one query, and as many places more as are written at once.
#[cfg(target_arch = "x86_64")]
type Candidates = [u32; (BLOCKS + 1) * LANES];

/// A block of which rows passed the filter: its place, and for each query the lanes of those rows.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Passed<const QUERIES: usize> {
    place: u32,
    lanes: [u16; QUERIES],
}

/// The blocks that passed of those looked at together. Its alignment is that of the stack of the function that has it: the
/// words of queries which registers cannot hold stand there, and where these took parts of two lines of the cache, which
/// the depth of calls decided by chance, AVX2 lost a fourth.
#[cfg(target_arch = "x86_64")]
#[repr(align(64))]
struct AllPassed<const QUERIES: usize>([Passed<QUERIES>; BLOCKS]);

#[cfg(target_arch = "x86_64")]
impl<const QUERIES: usize> AllPassed<QUERIES> {
    const NONE: AllPassed<QUERIES> = AllPassed([Passed { place: 0, lanes: [0; QUERIES] }; BLOCKS]);
}

/// The row within its block that stands in a lane, and the lane that a row stands in.
#[inline]
const fn row_of_lane(lane: usize) -> usize {
    4 * (lane % 4) + lane / 4
}

/// The set of rows of a set of lanes, a bit each: 4 by 4 bits turned (Warren, "Hacker's Delight", 2012, 7-3). Rows that
/// pass are looked at in their order, so that what is found of a query stands in order too.
#[cfg(target_arch = "x86_64")]
const fn rows_of_lanes(lanes: u16) -> u16 {
    let swap = (lanes ^ (lanes >> 3)) & 0x0a0a;
    let lanes = lanes ^ swap ^ (swap << 3);
    let swap = (lanes ^ (lanes >> 6)) & 0x00cc;
    lanes ^ swap ^ (swap << 6)
}

/// About how many picoseconds a comparison over so many first words takes, for those who must choose between ways to
/// search. Measured on one core of a Zen 5 at 4 GHz with 240 queries at a time, none of which were near.
pub fn picoseconds(level: Level, words: usize) -> u32 {
    let by_words = match level.0 {
        Set::Portable => [1200, 2400, 3700, 4700, 5800, 7000, 8100, 9100],
        #[cfg(target_arch = "x86_64")]
        Set::Avx2 => [75, 140, 203, 240, 311, 391, 470, 551],
        #[cfg(target_arch = "x86_64")]
        Set::Avx512 => [25, 35, 46, 56, 68, 82, 96, 112],
    };
    by_words[words.clamp(1, 8) - 1]
}

/// Bits in which two codes differ.
#[inline]
pub fn distance(a: &Code, b: &Code) -> u32 {
    (a[0] ^ b[0]).count_ones() + (a[1] ^ b[1]).count_ones() + (a[2] ^ b[2]).count_ones() + (a[3] ^ b[3]).count_ones()
}

/// Appends to `found` every pair of one of `queries` and one of `rows` whose distance is in `window`. Of each query the
/// rows are in their order; the queries are in none (levels differ in it). `columns` are those of `rows`.
///
/// # Panics
/// Where `columns` were filled from another number of rows or for another level, or a place needs more than 32 bits.
pub fn scan(level: Level, columns: &Columns, rows: &[Code], queries: &[Code], window: Window, found: &mut Vec<Found>) {
    assert_eq!(columns.rows, rows.len(), "columns of other rows");
    assert_eq!(columns.level, Some(level), "columns for another level");
    assert!(u32::try_from(rows.len()).is_ok() && u32::try_from(queries.len()).is_ok(), "places fit 32 bits");
    if rows.is_empty() || queries.is_empty() {
        return;
    }
    match level.0 {
        Set::Portable => portable::scan(columns, rows, queries, window, found),
        #[cfg(target_arch = "x86_64")]
        Set::Avx2 => avx2::scan(level, columns, rows, queries, window, found),
        #[cfg(target_arch = "x86_64")]
        Set::Avx512 => avx512::scan(level, columns, rows, queries, window, found),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Codes near a few centres, their complements and copies: what real indexes are made of.
    fn codes(seed: u64, count: usize) -> Vec<Code> {
        let mut state = seed | 1;
        let mut next = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.wrapping_mul(0x2545_f491_4f6c_dd1d)
        };
        let centres: [Code; 3] = std::array::from_fn(|_| std::array::from_fn(|_| next()));
        (0..count)
            .map(|_| {
                let choice = next();
                let mut code = match choice % 5 {
                    0 => std::array::from_fn(|_| next()),
                    1 => centres[0].map(|word| !word),
                    _ => centres[(choice % 3) as usize],
                };
                for _ in 0..(choice >> 8) % 100 {
                    let bit = next() % 256;
                    code[(bit / 64) as usize] ^= 1 << (bit % 64);
                }
                code
            })
            .collect()
    }

    fn by_hand(rows: &[Code], queries: &[Code], window: Window) -> Vec<Found> {
        let mut found = Vec::new();
        for (query, a) in queries.iter().enumerate() {
            for (row, b) in rows.iter().enumerate() {
                let distance = (0..256).filter(|bit| (a[bit / 64] ^ b[bit / 64]) >> (bit % 64) & 1 == 1).count() as u32;
                if distance <= window.near || window.complement.is_some_and(|far| 256 - distance <= far) {
                    found.push(Found { query: query as u32, row: row as u32, distance });
                }
            }
        }
        found
    }

    #[test]
    fn every_level_of_this_processor_finds_what_counting_bits_one_by_one_finds() {
        let levels = Level::all_here();
        let mut runner =
            proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(if cfg!(miri) { 3 } else { 150 }));
        let (few_rows, most_rows, most_queries) = if cfg!(miri) { (20_usize, 21, 3_usize) } else { (70, 1_300, 9) };
        // Seldom more rows than a kernel looks at before it looks again at those that passed.
        let rows = prop_oneof![9 => 0..few_rows, 1 => few_rows..most_rows];
        let cases = (any::<u64>(), rows, 0..most_queries, 0..=256_u32, proptest::option::of(0..=256_u32), 0..=8_usize);
        runner
            .run(&cases, |(seed, row_count, query_count, near, complement, words)| {
                let rows = codes(seed, row_count);
                let queries = codes(seed, row_count + query_count).split_off(row_count);
                let window = Window { near, complement };
                let expected = by_hand(&rows, &queries, window);
                let mut columns = Columns::default();
                for level in &levels {
                    columns.fill(*level, &rows, if words == 0 { window.filter_words(*level) } else { words });
                    let mut found = Vec::new();
                    scan(*level, &columns, &rows, &queries, window, &mut found);
                    // Stable: of each query the rows are in their order already.
                    found.sort_by_key(|found| found.query);
                    prop_assert_eq!(&found, &expected, "{}", level.name());
                }
                Ok(())
            })
            .unwrap();
        let names: Vec<&str> = levels.iter().map(|level| level.name()).collect();
        println!("hamming: {} levels ran here: {}", levels.len(), names.join(", "));
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn lanes_turn_into_their_rows() {
        for lanes in (0..=u16::MAX).step_by(if cfg!(miri) { 997 } else { 1 }) {
            let rows = (0..LANES).filter(|lane| lanes >> lane & 1 == 1);
            let rows = rows.fold(0, |rows, lane| rows | 1 << row_of_lane(lane));
            assert_eq!(rows_of_lanes(lanes), rows, "{lanes:016b}");
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "arithmetic alone, a hundred million times")]
    fn the_filter_never_rejects_what_is_wanted() {
        for near in 0..=256 {
            for complement in std::iter::once(None).chain((0..=256).map(Some)) {
                let window = Window { near, complement };
                for words in 1..=8 {
                    let (start, end) = window.gap(words);
                    let bits = 32 * words as u32;
                    for partial in start..end.min(bits + 1) {
                        // The nearest and the farthest that a row of this partial distance can be.
                        assert!(!window.holds(partial) && !window.holds(partial + 256 - bits), "{window:?} {partial}");
                    }
                }
            }
        }
    }
}
