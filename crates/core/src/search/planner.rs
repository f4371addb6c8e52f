//! Which way is quickest for a segment: by the number of codes and queries, the radius, and how many codes stand near the
//! queries' values in the tables. Every way gives the same hits; only the time depends on what is chosen here.

use minutia_machine::hamming::{self, Found, Window};

use super::brute::Tiles;
use super::lookup::Wanted;
use super::{Settings, Strategy, brute, join, lookup};
use crate::index::{IndexError, MultiIndex, Part};

// Measured at ten million uniform codes on one core of a Zen 5 whose memory others used too, in picoseconds.

/// A value walked or a code compared in a look-up: a cache line that nobody has.
pub(super) const LOOK_UP_PS: u64 = 10_000;
/// A code fetched by a join.
const FETCH_PS: u64 = 8_000;
/// A value that a join compares with.
const JOIN_VALUE_PS: u64 = 4_000;
/// A code that a join compares with.
const JOIN_CODE_PS: u64 = 1_500;
/// A code read from memory and put into columns.
const COLUMN_PS: u64 = 1_500;

/// Pairs of a query and a code, the row, with their distance.
#[derive(Debug)]
pub(super) enum Nearby {
    /// By brute force.
    Tiles(Tiles),
    /// In no particular order.
    List(Vec<Found>),
}

/// Every pair of a query and a code of this segment within the window.
pub(super) fn find(
    part: &Part,
    queries: &[hamming::Code],
    window: Window,
    settings: &Settings,
) -> Result<Nearby, IndexError> {
    let codes = part.segment.codes();
    let brute = |queries: &[hamming::Code]| brute::find(codes, queries, window, settings.level);
    let index = match settings.strategy {
        Strategy::Brute => None,
        _ => part.segment.multi_index()?,
    };
    let Some(index) = index else { return Ok(Nearby::Tiles(brute(queries))) };
    let (near, complements) = wanted(queries, window);
    // A comparison of brute force finds the near and the complement; a look-up finds one of them.
    let compare_ps =
        codes.len() as u64 * u64::from(hamming::picoseconds(settings.level, window.filter_words(settings.level)));
    // The columns are made for all queries that are left to it: however many these are, a query bears at least this share.
    let columns_ps = codes.len() as u64 * COLUMN_PS;
    let most_ps = compare_ps.saturating_add(columns_ps / (queries.len() as u64).max(1));
    let most = most_ps / LOOK_UP_PS / if complements.is_empty() { 1 } else { 2 };

    let mut found = match settings.strategy {
        Strategy::Join => joined(&index, codes, &[&near, &complements], settings),
        Strategy::Lookup => lookup::find(&index, codes, &[near, complements].concat(), u64::MAX, settings.level).0,
        _ if joining_is_quickest(&index, codes, &[&near, &complements], most) => {
            joined(&index, codes, &[&near, &complements], settings)
        }
        _ => {
            let wanted = [near, complements].concat();
            let (mut found, left) = lookup::find(&index, codes, &wanted, most, settings.level);
            let looked_up_ps = left.iter().map(|&(_, touched)| touched).fold(0, u64::saturating_add);
            let looked_up_ps = looked_up_ps.saturating_mul(LOOK_UP_PS);
            let mut queries_left: Vec<u32> = left.iter().map(|&(place, _)| wanted[place].query).collect();
            queries_left.sort_unstable();
            queries_left.dedup();
            // For few queries making the columns may take longer than their look-ups.
            if looked_up_ps <= columns_ps.saturating_add(compare_ps.saturating_mul(queries_left.len() as u64)) {
                let again: Vec<Wanted> = left.iter().map(|&(place, _)| wanted[place]).collect();
                found.extend(lookup::find(&index, codes, &again, u64::MAX, settings.level).0);
            } else if queries_left.len() == queries.len() {
                // None is looked up: tiles need not be made a list.
                return Ok(Nearby::Tiles(brute(queries)));
            } else {
                // Of these queries brute force finds everything, what was looked up already included.
                found.retain(|found| queries_left.binary_search(&found.query).is_err());
                let codes_left: Vec<hamming::Code> =
                    queries_left.iter().map(|&query| queries[query as usize]).collect();
                let rest = brute(&codes_left).list().into_iter();
                found.extend(rest.map(|found| Found { query: queries_left[found.query as usize], ..found }));
            }
            found
        }
    };
    if window.near + window.complement.unwrap_or(0) >= 256 {
        // A code may be near and near the complement: it was met twice.
        found.sort_unstable();
        found.dedup();
    }
    Ok(Nearby::List(found))
}

/// What is wanted near the queries and near their complements.
fn wanted(queries: &[hamming::Code], window: Window) -> (Vec<Wanted>, Vec<Wanted>) {
    let near = (0..).zip(queries).map(|(query, &code)| Wanted { query, code, radius: window.near, complement: false });
    let near: Vec<Wanted> = near.collect();
    let complement = |radius: u32| {
        let of = |wanted: &Wanted| Wanted { code: wanted.code.map(|word| !word), radius, complement: true, ..*wanted };
        near.iter().map(of).collect()
    };
    let complements = window.complement.map(complement).unwrap_or_default();
    (near, complements)
}

fn joined(index: &MultiIndex<'_>, codes: &[hamming::Code], lists: &[&[Wanted]], settings: &Settings) -> Vec<Found> {
    let lists = lists.iter().filter(|wanted| !wanted.is_empty());
    lists
        .flat_map(|wanted| join::find(index, codes, wanted, &join::plan(index, codes, wanted), settings.level))
        .collect()
}

/// True where a join of these lists should take less time than look-ups that touch at most `most` each.
fn joining_is_quickest(index: &MultiIndex<'_>, codes: &[hamming::Code], lists: &[&[Wanted]], most: u64) -> bool {
    let (mut joined_ps, mut otherwise_ps) = (0_u64, 0_u64);
    for wanted in lists.iter().filter(|wanted| !wanted.is_empty()) {
        let fetched_ps = (index.tables().len() * codes.len()) as u64 * FETCH_PS;
        let each_ps = most.saturating_mul(LOOK_UP_PS);
        if fetched_ps > each_ps.saturating_mul(wanted.len() as u64) {
            return false;
        }
        let walk = join::plan(index, codes, wanted);
        joined_ps = joined_ps
            .saturating_add(fetched_ps)
            .saturating_add(walk.values.saturating_mul(JOIN_VALUE_PS))
            .saturating_add(walk.codes.saturating_mul(JOIN_CODE_PS));
        let looked_up_ps = walk.values.saturating_add(walk.codes).saturating_mul(LOOK_UP_PS);
        otherwise_ps = otherwise_ps.saturating_add(looked_up_ps.min(each_ps.saturating_mul(wanted.len() as u64)));
    }
    joined_ps < otherwise_ps
}
