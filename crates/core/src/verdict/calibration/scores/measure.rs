//! Measuring unrelated works: the histogram from which a row of scores is written.
//!
//! Sets are dealt into parts. A work is cut into windows, and each is searched for in an index of all works of the other
//! parts: the window's own work must not be in that index, since a search that has found the original looks no further.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use rayon::prelude::*;

use crate::fingerprint::Fingerprint;
use crate::index::{Access, Entry, Index, IndexError, Work, WorkId, Writer};

/// Parts that sets are dealt into.
pub const PARTS: u32 = 4;
/// Points from which on scores are counted together.
const HIGHEST: u32 = 200;
/// From this score on a window is told in [`ScorePair::windows`].
const NOTEWORTHY: f64 = 10.0;

/// Scores of pairs of a window and an unrelated work.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreHistogram {
    /// Entries of `at` a point of score.
    pub steps: u32,
    /// `at[s]` is the number of pairs whose greatest score, rounded down, is `s / steps`; the last entry is for all above.
    pub at: Vec<u64>,
    /// The pairs of works with the highest scores, highest first: look at these before believing that they are unrelated.
    pub highest: Vec<ScorePair>,
}

/// The window of one work that is most like another work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScorePair {
    /// Its score.
    pub score: f64,
    /// The place of the work that the window was cut from.
    pub query: usize,
    /// Where in it.
    pub query_ms: u64,
    /// The place of the other work.
    pub reference: usize,
    /// Where in that.
    pub reference_ms: u64,
    /// How many windows of the query score 10 or more against it.
    pub windows: u32,
}

impl ScoreHistogram {
    fn new(steps: u32) -> ScoreHistogram {
        ScoreHistogram { steps, at: vec![0; (HIGHEST * steps) as usize + 1], highest: Vec::new() }
    }

    fn count(&mut self, score: f64) {
        let step = (score.max(0.0) * f64::from(self.steps)) as usize;
        let last = self.at.len() - 1;
        self.at[step.min(last)] += 1;
    }

    /// How many pairs of a window and a work of another set.
    #[must_use]
    pub fn pairs(&self) -> u64 {
        self.at.iter().sum()
    }

    /// `at_least[s]` is the number of pairs that score `s / steps` or more, up to the last step that any has: a row's
    /// [`at_least`](super::ScoreCalibration::at_least).
    #[must_use]
    pub fn at_least(&self) -> Vec<u64> {
        let mut sum = 0;
        let mut at_least: Vec<u64> = self
            .at
            .iter()
            .rev()
            .map(|count| {
                sum += count;
                sum
            })
            .skip_while(|&sum| sum == 0)
            .collect();
        at_least.reverse();
        at_least
    }
}

/// What is found of a window.
pub(super) struct Hit {
    pub(super) score: f64,
    /// Name of the reference.
    pub(super) name: String,
    /// Where in it, in milliseconds.
    pub(super) reference_ms: u64,
}

/// Works to measure by: how they are indexed, cut and searched for.
pub(super) trait Works: Sync {
    /// Entries of the histogram a point of score.
    const STEPS: u32;
    /// A search of an index.
    type Search<'i>: Sync;

    fn count(&self) -> usize;

    /// The set of a work.
    fn set(&self, place: usize) -> u32;

    /// What an index holds of it.
    fn reference(&self, place: usize) -> Fingerprint;

    /// Where its windows start, in milliseconds.
    fn starts(&self, place: usize) -> Vec<u64>;

    fn open<'i>(&self, index: &'i Index) -> Result<Self::Search<'i>, IndexError>;

    /// How many works are compared with.
    fn references(search: &Self::Search<'_>, index: &Index) -> Result<u64, IndexError>;

    /// What is found of a window. `None` where there is hardly anything in the window, which is then not counted.
    fn find(
        &self,
        search: &Self::Search<'_>,
        index: &Index,
        place: usize,
        start_ms: u64,
    ) -> Result<Option<Vec<Hit>>, IndexError>;
}

/// Searches every window of every work for the works of other parts, as a scan does. The `keep` highest pairs of works are
/// listed; `done` is told how many parts were searched for.
///
/// The indexes are made in the directory `scratch`, one after another; nothing else must be in it.
pub(super) fn measure(
    works: &impl Works,
    scratch: &Path,
    keep: usize,
    done: &mut dyn FnMut(usize),
) -> Result<ScoreHistogram, IndexError> {
    let mut total = ScoreHistogram::new(steps_of(works));
    let mut parts: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for place in 0..works.count() {
        parts.entry(works.set(place) % PARTS).or_default().push(place);
    }
    for (number, (&part, places)) in parts.iter().enumerate() {
        let directory = scratch.join("others");
        let others = index_of_others(works, part, &directory)?;
        if let Some(index) = others {
            measure_part(works, places, &index, &mut total)?;
        }
        total.highest.sort_by(highest_first);
        total.highest.truncate(keep);
        done(number + 1);
    }
    Ok(total)
}

fn steps_of<W: Works>(_: &W) -> u32 {
    W::STEPS
}

/// An index of the works of all parts but one, in place of the one before; `None` where there are none. A work is named by
/// its place.
fn index_of_others(works: &impl Works, part: u32, directory: &Path) -> Result<Option<Index>, IndexError> {
    let failed = |error| IndexError::Io { path: directory.to_owned(), during: "removing the index before", error };
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let mut writer = Writer::open(directory)?;
    let mut any = false;
    for place in (0..works.count()).filter(|&place| works.set(place) % PARTS != part) {
        let name = place.to_string();
        let Some(id) = WorkId::new(name.clone()) else { continue };
        any = true;
        writer.add(Entry {
            work: Work::new(id),
            source_name: name,
            source_digest: None,
            fingerprints: vec![works.reference(place)],
            thumbnail: None,
        })?;
    }
    writer.commit()?;
    any.then(|| Index::open(directory, Access::InMemory)).transpose()
}

/// Adds the windows of the works at `places` against `index`.
fn measure_part<W: Works>(
    works: &W,
    places: &[usize],
    index: &Index,
    total: &mut ScoreHistogram,
) -> Result<(), IndexError> {
    let search = works.open(index)?;
    let references = W::references(&search, index)?;
    let starts = |&place: &usize| works.starts(place).into_iter().map(move |start| (place, start));
    let windows: Vec<(usize, u64)> = places.iter().flat_map(starts).collect();
    let found: Result<Vec<Option<Vec<ScorePair>>>, IndexError> = windows
        .par_iter()
        .map(|&(query, query_ms)| {
            let Some(found) = works.find(&search, index, query, query_ms)? else { return Ok(None) };
            let mut best: BTreeMap<usize, ScorePair> = BTreeMap::new();
            for Hit { score, name, reference_ms } in found {
                let Ok(reference) = name.parse() else { continue };
                let windows = u32::from(score >= NOTEWORTHY);
                let pair = ScorePair { score, query, query_ms, reference, reference_ms, windows };
                let known = best.entry(reference).or_insert(pair);
                if pair.score > known.score {
                    *known = pair;
                }
            }
            Ok(Some(best.into_values().collect()))
        })
        .collect();
    let mut pairs: BTreeMap<(usize, usize), ScorePair> = BTreeMap::new();
    for best in found?.into_iter().flatten() {
        // Works that nothing was found of score 0.
        total.at[0] += references.saturating_sub(best.len() as u64);
        for pair in best {
            total.count(pair.score);
            match pairs.get_mut(&(pair.query, pair.reference)) {
                Some(known) => {
                    let windows = known.windows + pair.windows;
                    if pair.score > known.score {
                        *known = pair;
                    }
                    known.windows = windows;
                }
                None => drop(pairs.insert((pair.query, pair.reference), pair)),
            }
        }
    }
    total.highest.extend(pairs.into_values());
    Ok(())
}

fn highest_first(a: &ScorePair, b: &ScorePair) -> std::cmp::Ordering {
    let place = |pair: &ScorePair| (pair.query, pair.reference, pair.query_ms);
    b.score.total_cmp(&a.score).then(place(a).cmp(&place(b)))
}
