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

use minutia_machine::Level;
use minutia_machine::hamming::{self, Found, Window};

pub use chroma::{Alignment, align};
pub use film::{FilmMatch, FilmSearch, FramePair, find_films};
pub use sound::{SoundMatch, SoundSearch};

use crate::fingerprint::Code;
use crate::index::{Index, IndexError, Part};

/// The views of one picture: codes that are compared with the same references, together.
#[derive(Clone, Copy, Debug)]
pub struct QueryGroup<'a> {
    /// Their codes, at most 65,536.
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

/// A reference within the radius of a query. Hits are ordered by group, view, distance, reference, complement: by the
/// order of the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hit {
    /// Place of the group among the queries.
    pub group: u32,
    /// Place of the view in its group.
    pub view: u16,
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
/// [`IndexError::TooLarge`] for more groups or views than a hit can number, [`IndexError::Damaged`] where the index turns
/// out to be.
pub fn search(
    groups: &[QueryGroup<'_>],
    index: &Index,
    within: Within,
    settings: &Settings,
) -> Result<Vec<Hit>, IndexError> {
    let most_views = 1 << 16;
    if groups.iter().any(|group| group.views.len() > most_views) {
        return Err(IndexError::TooLarge { what: "views in a query", most: most_views as u64 });
    }
    let views =
        groups.iter().enumerate().flat_map(|(group, views)| (0..views.views.len()).map(move |view| (group, view)));
    let places: Vec<(u32, u16)> = views.map(|(group, view)| (group as u32, view as u16)).collect();
    if u32::try_from(places.len().max(groups.len())).is_err() {
        return Err(IndexError::TooLarge { what: "queries", most: u32::MAX.into() });
    }
    let queries: Vec<hamming::Code> =
        groups.iter().flat_map(|group| group.views).map(|code| bytemuck::cast(code.0)).collect();
    let window = Window { near: within.near.min(256), complement: within.complement.map(|far| far.min(256)) };
    let mut hits = Vec::new();
    for part in index.parts() {
        let mut found = planner::find(part, &queries, window, settings)?;
        order::sort_found(&mut found, queries.len());
        expand(part, &found, &places, within, &mut hits)?;
    }
    order::sort_hits(&mut hits, groups.len());
    Ok(hits)
}

/// Every pair of one of `queries` and one of `codes` of which one, or its complement, is within `radius` of the other, in no
/// particular order: with the distance of the codes as they are.
pub(crate) fn among(codes: &[hamming::Code], queries: &[hamming::Code], radius: u32, level: Level) -> Vec<Found> {
    brute::find(codes, queries, Window { near: radius, complement: Some(radius) }, level)
}

/// Turns codes that were found into hits on their references.
fn expand(
    part: &Part,
    found: &[Found],
    places: &[(u32, u16)],
    within: Within,
    hits: &mut Vec<Hit>,
) -> Result<(), IndexError> {
    hits.reserve(found.len());
    let references = part.segment.references();
    for found in found {
        let (group, view) = places[found.query as usize];
        let from_complement = 256 - found.distance;
        for (complement, distance, radius) in
            [(false, found.distance, Some(within.near)), (true, from_complement, within.complement)]
        {
            if radius.is_some_and(|radius| distance <= radius) {
                for reference in references.of(found.row)? {
                    if part.is_alive(reference)? {
                        let reference = part.number_of(reference);
                        hits.push(Hit { group, view, distance: distance as u16, reference, complement });
                    }
                }
            }
        }
    }
    Ok(())
}
