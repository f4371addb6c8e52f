//! Search: which references are within a radius of which queries. Exact: every strategy gives the same hits in the same
//! order.

mod brute;
mod lookup;

use minutia_machine::Level;
use minutia_machine::hamming::{self, Found, Window};
use rayon::prelude::*;

use self::lookup::Wanted;

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
        let found = find(part, &queries, window, settings)?;
        expand(part, &found, &places, within, &mut hits)?;
    }
    hits.par_sort_unstable();
    Ok(hits)
}

/// Nanoseconds that a value walked or a code compared in a look-up take, most of them spent on memory.
const LOOK_UP_NS: u64 = 4;
/// Picoseconds to read a code from memory and put it into columns.
const COLUMN_PS: u64 = 1500;

/// Every pair of a query and a code of this segment within the window, in no particular order.
fn find(part: &Part, queries: &[hamming::Code], window: Window, settings: &Settings) -> Result<Vec<Found>, IndexError> {
    let codes = part.segment.codes();
    let brute = |queries: &[hamming::Code]| brute::find(codes, queries, window, settings.level);
    let index = match settings.strategy {
        Strategy::Brute => None,
        Strategy::Lookup | Strategy::Planned => part.segment.multi_index()?,
    };
    let Some(index) = index else { return Ok(brute(queries)) };

    let near = |(query, &code): (usize, &hamming::Code)| Wanted {
        query: query as u32,
        code,
        radius: window.near,
        complement: false,
    };
    let mut wanted: Vec<Wanted> = queries.iter().enumerate().map(near).collect();
    if let Some(radius) = window.complement {
        let complements = (0..wanted.len()).map(|place| Wanted {
            code: wanted[place].code.map(|word| !word),
            radius,
            complement: true,
            ..wanted[place]
        });
        let complements: Vec<Wanted> = complements.collect();
        wanted.extend(complements);
    }
    // One comparison of brute force finds the near and the complement; a look-up finds one of them.
    let compare_ps = codes.len() as u64 * u64::from(hamming::picoseconds(settings.level, window.filter_words()));
    let looks = if window.complement.is_some() { 2 } else { 1 };
    let most = match settings.strategy {
        Strategy::Lookup => u64::MAX,
        _ => compare_ps / (looks * 1000 * LOOK_UP_NS),
    };
    let (mut found, mut left) = lookup::find(&index, codes, &wanted, most, settings.level);
    if !left.is_empty() {
        // The columns are made for all that is left: for few queries that may be more than their look-ups.
        let looked_up_ps =
            left.iter().fold(0_u64, |sum, (_, touched)| sum.saturating_add(*touched)).saturating_mul(1000 * LOOK_UP_NS);
        let mut queries_left: Vec<u32> = left.iter().map(|&(place, _)| wanted[place].query).collect();
        queries_left.sort_unstable();
        queries_left.dedup();
        let compared_ps =
            (codes.len() as u64 * COLUMN_PS).saturating_add((queries_left.len() as u64).saturating_mul(compare_ps));
        if looked_up_ps <= compared_ps {
            let again: Vec<Wanted> = left.drain(..).map(|(place, _)| wanted[place]).collect();
            found.extend(lookup::find(&index, codes, &again, u64::MAX, settings.level).0);
        } else {
            // Of a query whose complement is left alone, the near codes are found twice.
            found.retain(|found| queries_left.binary_search(&found.query).is_err());
            let codes_left: Vec<hamming::Code> = queries_left.iter().map(|&query| queries[query as usize]).collect();
            found.extend(
                brute(&codes_left)
                    .into_iter()
                    .map(|found| Found { query: queries_left[found.query as usize], ..found }),
            );
        }
    }
    if window.near + window.complement.unwrap_or(0) >= 256 {
        // A code may be near and near the complement: it was met twice.
        found.par_sort_unstable();
        found.dedup();
    }
    Ok(found)
}

/// Turns codes that were found into hits on their references.
fn expand(
    part: &Part,
    found: &[Found],
    places: &[(u32, u16)],
    within: Within,
    hits: &mut Vec<Hit>,
) -> Result<(), IndexError> {
    for found in found {
        let (group, view) = places[found.query as usize];
        let from_complement = 256 - found.distance;
        for (complement, distance, radius) in
            [(false, found.distance, Some(within.near)), (true, from_complement, within.complement)]
        {
            if radius.is_some_and(|radius| distance <= radius) {
                part.rows_of(found.row, |reference| {
                    hits.push(Hit { group, view, distance: distance as u16, reference, complement });
                })?;
            }
        }
    }
    Ok(())
}
