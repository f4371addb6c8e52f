//! Search: which references are within a radius of which queries. Exact: every strategy gives the same hits in the same
//! order. Sound is aligned apart: [`align`].

mod brute;
mod chroma;
mod film;
mod join;
mod lookup;
mod order;
mod planner;
mod sound;

use std::ops::Range;

use minutia_machine::hamming::{self, Found, Window};
use minutia_machine::{Level, Work, wide};
use order::{ByQuery, ReferencesOf, Runs};
use planner::Nearby;

pub use chroma::{Alignment, align};
pub use film::{FilmMatch, FilmSearch, FramePair};
pub use sound::{SoundMatch, SoundSearch};

use crate::fingerprint::Code;
use crate::index::{Index, IndexError, Part, References};

/// The views of one picture: codes that are compared with the same references, together.
#[derive(Clone, Copy, Debug)]
pub struct QueryGroup<'a> {
    /// Their codes.
    pub views: &'a [Code],
}

/// Which distances count, in bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Within {
    /// References at most this far away, 0..=256.
    pub near: u32,
    /// And references whose complement is at most this far away (the picture's negative), where wanted.
    pub complement: Option<u32>,
}

/// How to search. The hits do not depend on it.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The instructions to use.
    pub level: Level,
    /// The way to find what is near.
    pub strategy: Strategy,
}

/// A way to find what is near.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// Whichever is expected to be quickest for each segment and query.
    #[default]
    Planned,
    /// Compare every query with every code.
    Brute,
    /// Look up every query in the segment's multi-index; brute force where a segment has none.
    Lookup,
    /// Join all queries with the segment's multi-index at once; brute force where a segment has none.
    Join,
}

impl Default for Settings {
    /// The fastest instructions that this machine has, and whichever strategy is expected to be quickest.
    fn default() -> Settings {
        Settings { level: Level::best(), strategy: Strategy::default() }
    }
}

/// A reference within the radius of a query. Hits are ordered by query, distance, reference, complement: by the order of
/// the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hit {
    /// Place of the view among those of all groups: the first view of a group follows the last of the one before.
    pub query: u32,
    /// Bits that differ; from the query's complement, where `complement`.
    pub distance: u16,
    /// The reference's number; see [`Index::reference`].
    pub reference: u64,
    /// The query's complement is near: one picture is the other's negative. Where both are near there are two hits.
    pub complement: bool,
}

/// Finds every reference of `index` that is `within` reach of a view of `groups`, in the order of [`Hit`].
///
/// Takes the threads of the current rayon pool where the work is worth it. The memory needed is that of the hits.
///
/// # Errors
/// [`IndexError::TooLarge`] for more views than a hit can number, [`IndexError::Damaged`] where the index turns out to be.
pub fn search(
    groups: &[QueryGroup<'_>],
    index: &Index,
    within: Within,
    settings: &Settings,
) -> Result<Vec<Hit>, IndexError> {
    let queries: Vec<hamming::Code> =
        groups.iter().flat_map(|group| group.views).map(|code| bytemuck::cast(code.0)).collect();
    if u32::try_from(queries.len()).is_err() {
        return Err(IndexError::TooLarge { what: "queries", most: u32::MAX.into() });
    }
    let window = Window { near: within.near.min(256), complement: within.complement.map(|far| far.min(256)) };
    let mut hits = Vec::new();
    for part in index.parts() {
        let found = planner::find(part, &queries, window, settings)?;
        expand(part, &found, queries.len(), within, settings.level, &mut hits)?;
    }
    // Those of one segment, without complements, are in order already.
    if index.parts().len() > 1 || within.complement.is_some() {
        order::sort_hits(&mut hits);
    }
    Ok(hits)
}

/// Every pair of one of `queries` and one of `codes` of which one, or its complement, is within `radius` of the other, in no
/// particular order: with the distance of the codes as they are.
pub(crate) fn among(codes: &[hamming::Code], queries: &[hamming::Code], radius: u32, level: Level) -> Vec<Found> {
    brute::find(codes, queries, Window { near: radius, complement: Some(radius) }, level).list()
}

/// Turns codes that were found near so many queries into hits on their references, by query, distance and reference.
fn expand(
    part: &Part,
    found: &Nearby,
    queries: usize,
    within: Within,
    level: Level,
    hits: &mut Vec<Hit>,
) -> Result<(), IndexError> {
    match found {
        Nearby::Tiles(tiles) => wide(level, Expand { part, found: ByQuery::of(tiles, queries), within, hits }),
        Nearby::List(list) => wide(level, Expand { part, found: ByQuery::of(list, queries), within, hits }),
    }
}

impl<B: AsRef<[u8]>> ReferencesOf for References<'_, B> {
    type Error = IndexError;

    #[inline(always)]
    fn of(&self, row: u32) -> Result<Range<u32>, IndexError> {
        References::of(self, row)
    }
}

/// Which references are those of a code takes counting bits, for which processors have an instruction that not all of them
/// have.
struct Expand<'a, F: Runs> {
    part: &'a Part,
    found: ByQuery<'a, F>,
    within: Within,
    hits: &'a mut Vec<Hit>,
}

impl<F: Runs> Work for Expand<'_, F> {
    type Output = Result<(), IndexError>;

    #[inline(always)]
    fn run(self) -> Result<(), IndexError> {
        let Expand { part, found, within, hits } = self;
        let references = part.segment.references();
        let (first, plain) = (part.first_row, part.dead.is_empty() && within.complement.is_none());
        let each = |query: u32, found: &[u64]| {
            let hit = |distance: u64, reference: u32, complement| Hit {
                query,
                distance: distance as u16,
                reference: first + u64::from(reference),
                complement,
            };
            if plain {
                hits.extend(found.iter().map(|&packed| hit(packed >> 32, packed as u32, false)));
                return Ok(());
            }
            for &packed in found {
                let (distance, reference) = (packed >> 32, packed as u32);
                if !part.is_alive(reference)? {
                    continue;
                }
                if distance <= within.near.into() {
                    hits.push(hit(distance, reference, false));
                }
                if within.complement.is_some_and(|far| 256 - distance <= far.into()) {
                    hits.push(hit(256 - distance, reference, true));
                }
            }
            Ok(())
        };
        found.each_query(&references, each)
    }
}
