//! Searching film: which registered films a stretch was taken from, where in both, at what speed, how cut and turned.
//!
//! A query is cut into windows. The frames of references that are near one of its frames vote for an alignment of times.
//! The alignments with most votes are followed frame by frame in the views that voted, and the stretches that agree are
//! judged by how much nearer they are than the same stretches a little shifted: a scene that does not change is alike
//! under every alignment, and proves that it is the same scene, not that it is the same recording.

mod alignment;
mod backwards;
mod beside;
mod evidence;
mod fitted;
mod follow;
mod lanes;
mod nearby;
mod query;
mod rarity;
mod runs;
mod sparse;
mod steps;
mod timing;
mod votes;

use std::ops::Range;

use minutia_machine::Level;
use minutia_machine::hamming;

use crate::fingerprint::{FilmFingerprint, FilmView};
use crate::index::{Films, Index, IndexError};

use evidence::Stretch;
use follow::Following;

pub use sparse::FramePair;

/// Length of a window and from one to the next, in milliseconds.
const WINDOW_MS: u32 = 40_000;
const WINDOW_STEP_MS: u32 = 20_000;
/// Of a query so much is looked up at once.
const MOST_SEARCHED_MS: u32 = 3_600_000;
/// What stays in a query is looked up again after so long: a second, less what a frame may begin late.
const SAID_AGAIN_MS: u32 = 800;
/// A query up to so long is one window.
const SINGLE_WINDOW_MS: u32 = 60_000;
/// Alignments that are followed, of one window.
const MOST_ALIGNMENTS: usize = 24;
/// Frames within so many bits vote.
const RADIUS: u32 = 63;

/// A stretch of a query that is a stretch of a registered film.
#[derive(Clone, Debug, PartialEq)]
pub struct FilmMatch {
    /// The segment of the index, and the film in it, as [`Index::film`] takes them.
    pub segment: usize,
    /// The film.
    pub film: u32,
    /// Where in the query, in milliseconds.
    pub query_span_ms: Range<u64>,
    /// Where in the reference, in milliseconds.
    pub reference_span_ms: Range<u64>,
    /// Seconds of the reference in a second of the query.
    pub speed: f64,
    /// The view of the query that agrees.
    pub view: FilmView,
    /// And the number of the reference's.
    pub reference_view: u32,
    /// What decides. Higher is surer.
    pub score: f64,
    /// True where frames change and change alike; a scene that hardly changes may be another recording of it.
    pub same_recording: bool,
    /// Frames that were compared.
    pub frames: u32,
    /// Their mean distance in bits.
    pub distance: f64,
    /// Sum over frames of nearness, weighed by novelty and rarity.
    pub nearness: f64,
    /// Sum over frames of how much nearer they are than shifted ones.
    pub changes: f64,
    /// The mean distance of shifted frames in bits.
    pub shifted: f64,
    /// Sum of the weights.
    pub weight: f64,
    /// Votes for the alignment.
    pub votes: f64,
}

/// The films of an index, ready to be searched.
///
/// ```
/// # use minutia::fingerprint::{FilmFingerprinter, FilmViews};
/// # use minutia::index::{Access, Index, Writer};
/// # use minutia::search::FilmSearch;
/// # let directory = std::env::temp_dir().join(format!("minutia-film-example-{}", std::process::id()));
/// # Writer::open(&directory)?.commit()?;
/// let index = Index::open(&directory, Access::Mapped)?;
/// let search = FilmSearch::new(&index)?;
/// let query = FilmFingerprinter::new(0, FilmViews::BothLooks).finish();
/// assert_eq!(search.find(&query, 0.0), []);
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FilmSearch<'i> {
    films: Vec<(usize, Films<'i>)>,
    level: Level,
}

impl<'i> FilmSearch<'i> {
    /// Opens the films of `index`.
    ///
    /// # Errors
    /// [`IndexError::Damaged`].
    pub fn new(index: &'i Index) -> Result<FilmSearch<'i>, IndexError> {
        Ok(FilmSearch { films: index.films()?, level: Level::best() })
    }

    /// Films that stand in no index, as segment 0.
    #[must_use]
    pub fn of_films(films: Films<'i>) -> FilmSearch<'i> {
        FilmSearch { films: vec![(0, films)], level: Level::best() }
    }

    /// Finds the stretches of `query` that score at least `least_score`, by segment and film and in order of time.
    ///
    /// The views for a second look are searched by where the first leave something of the query unexplained.
    #[must_use]
    pub fn find(&self, query: &FilmFingerprint, least_score: f64) -> Vec<FilmMatch> {
        self.find_by(query, query, least_score)
    }

    /// As [`FilmSearch::find`], for a query that is too long for a second look: of it the first views are searched by, and of
    /// its `beginning`, which has them, those for a second look.
    #[must_use]
    pub fn find_long(&self, query: &FilmFingerprint, beginning: &FilmFingerprint, least_score: f64) -> Vec<FilmMatch> {
        self.find_by(query, beginning, least_score)
    }

    fn find_by(&self, query: &FilmFingerprint, again: &FilmFingerprint, least_score: f64) -> Vec<FilmMatch> {
        let mut first: Vec<FilmMatch> = Vec::new();
        for (segment, films) in &self.films {
            let found = find_films(films, query, false, self.level).into_iter();
            first.extend(found.map(|found| FilmMatch { segment: *segment, ..found }));
        }
        let is_explained = |film: &FilmFingerprint| {
            explained_ms(&first, film.duration_ms) as f64 >= ENOUGH_SHARE * film.duration_ms as f64
        };
        if is_explained(query) || is_explained(again) {
            first.retain(|found| found.score >= least_score);
            return first;
        }
        for (segment, films) in &self.films {
            let found = find_films(films, again, true, self.level).into_iter();
            first.extend(found.map(|found| FilmMatch { segment: *segment, ..found }));
        }
        first.retain(|found| found.score >= least_score);
        surest(first)
    }
}

impl FilmSearch<'_> {
    /// As [`FilmSearch::find`], for a query of key frames alone: it has no frames between, by which a full search goes. With
    /// the stretches come, of each film, the nearest single frames, by segment, film and distance.
    #[must_use]
    pub fn find_key_frames(&self, query: &FilmFingerprint, least_score: f64) -> (Vec<FilmMatch>, Vec<FramePair>) {
        let (mut all, mut pairs): (Vec<FilmMatch>, Vec<FramePair>) = Default::default();
        for (segment, films) in &self.films {
            let found = sparse::find(films, query, self.level);
            pairs.extend(found.pairs.into_iter().map(|pair| FramePair { segment: *segment, ..pair }));
            let stretches = evidence::kept(found.stretches).into_iter();
            all.extend(stretches.map(|stretch| FilmMatch { segment: *segment, ..matched(stretch, sparse::score) }));
        }
        all.retain(|found| found.score >= least_score);
        (all, pairs)
    }
}

/// A query of which so much is explained by a score like this is not looked at again.
const ENOUGH_SHARE: f64 = 0.8;
const ENOUGH_SCORE: f64 = 12.0;

/// How much of the query up to a time sure matches lie over, in milliseconds.
fn explained_ms(found: &[FilmMatch], until_ms: u64) -> u64 {
    let sure = found.iter().filter(|found| found.score >= ENOUGH_SCORE);
    let mut spans: Vec<&Range<u64>> = sure.map(|found| &found.query_span_ms).collect();
    spans.sort_by_key(|span| (span.start, span.end));
    let (mut end, mut covered) = (0, 0);
    for span in spans {
        covered += span.end.min(until_ms).saturating_sub(span.start.max(end));
        end = end.max(span.end);
    }
    covered
}

/// Of matches with one film over the same part of the query the surest.
fn surest(mut found: Vec<FilmMatch>) -> Vec<FilmMatch> {
    found.sort_by(|a, b| {
        let start = |found: &FilmMatch| (found.query_span_ms.start, found.reference_span_ms.start, found.view);
        let preference = |found: &FilmMatch| evidence::preference(found.score, found.speed);
        let by_score = preference(b).total_cmp(&preference(a));
        (a.segment, a.film).cmp(&(b.segment, b.film)).then(by_score).then(start(a).cmp(&start(b)))
    });
    let mut kept: Vec<FilmMatch> = Vec::new();
    for next in found {
        let of_film = kept.iter().rev().take_while(|other| (other.segment, other.film) == (next.segment, next.film));
        if !evidence::is_covered(&next.query_span_ms, of_film.map(|other| &other.query_span_ms)) {
            kept.push(next);
        }
    }
    kept.sort_by_key(|found| (found.segment, found.film, found.query_span_ms.start, found.reference_span_ms.start));
    kept
}

/// Finds stretches of `query` in the films of one segment, in the order of films and of time: by the views that every
/// query is searched by, or by those for a second look. The matches name segment 0.
fn find_films(films: &Films<'_>, query: &FilmFingerprint, second_look: bool, level: Level) -> Vec<FilmMatch> {
    let mut found: Vec<Stretch> = Vec::new();
    let (mut all, mut searched) = (Vec::new(), 0..0);
    for window in windows_of(query) {
        // Many windows at once: they overlap, and many codes share a pass over the references.
        if window.end > searched.end {
            searched = window.start..window.end.max(window.start.saturating_add(MOST_SEARCHED_MS));
            all = hits(films, query, &searched, second_look, level);
        }
        let hits: Vec<FilmHit> = all.iter().filter(|hit| window.contains(&hit.query_ms)).copied().collect();
        let mut following = Following::new(films, query, window, hits);
        for alignment in votes::alignments(films, following.hits(), MOST_ALIGNMENTS) {
            found.extend(following.follow(&alignment));
        }
    }
    evidence::kept(found).into_iter().map(|stretch| matched(stretch, Stretch::score)).collect()
}

/// A stretch as a match of segment 0.
fn matched(stretch: Stretch, score: fn(&Stretch) -> f64) -> FilmMatch {
    FilmMatch {
        segment: 0,
        film: stretch.lane.film,
        query_span_ms: stretch.query_ms.clone(),
        reference_span_ms: stretch.reference_ms.clone(),
        speed: stretch.alignment.speed,
        view: stretch.view,
        reference_view: stretch.lane.reference_view,
        score: score(&stretch),
        same_recording: stretch.changes >= LEAST_CHANGES,
        frames: stretch.frames,
        distance: stretch.distance,
        nearness: stretch.nearness,
        changes: stretch.changes,
        shifted: stretch.shifted,
        weight: stretch.weight,
        votes: stretch.alignment.votes,
    }
}

/// Changes that show the same recording.
const LEAST_CHANGES: f64 = 1.5;
/// A frame of a reference near a frame of the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct FilmHit {
    film: u32,
    query_frame: u32,
    reference_frame: u32,
    distance: u32,
    query_view: u16,
    reference_view: u16,
    /// Times of both in milliseconds.
    query_ms: u32,
    reference_ms: u32,
}

/// Everything near the frames of a window, sorted.
fn hits(
    films: &Films<'_>,
    query: &FilmFingerprint,
    window: &Range<u32>,
    second_look: bool,
    level: Level,
) -> Vec<FilmHit> {
    let (mut codes, mut places) = (Vec::<hamming::Code>::new(), Vec::new());
    let inside = |time: u32| window.contains(&time);
    let frames = query.frames.iter().enumerate().filter(|(_, frame)| inside(frame.time_ms));
    let mut said: (&[crate::fingerprint::Code], u32) = (&[], 0);
    for (number, frame) in frames {
        let of_frame = query.codes_of(number);
        // A still says once what it shows, and again each second.
        if of_frame == said.0 && frame.time_ms.saturating_sub(said.1) < SAID_AGAIN_MS {
            continue;
        }
        said = (of_frame, frame.time_ms);
        for (view, code) in of_frame.iter().enumerate() {
            if code.0 != [0; 32] && query.views[view].is_second_look() == second_look {
                codes.push(bytemuck::cast(code.0));
                places.push((number as u32, view as u16, frame.time_ms));
            }
        }
    }
    let found = nearby::find(films.codes(), &codes, RADIUS, level);
    // Where an index is large, all that is near one of its codes stands together.
    let mut last = (0, films.place(0));
    let hit = |found: hamming::Found| {
        let (query_frame, query_view, query_ms) = places[found.query as usize];
        if last.0 != found.row {
            last = (found.row, films.place(found.row));
        }
        let (film, reference_frame, reference_view) = last.1?;
        let frames = films.frames(film);
        let reference_ms = frames.times[reference_frame as usize];
        let distance = found.distance;
        // A frame and a frame difference are alike by chance alone.
        let same_kind = query.views[query_view as usize].motion == frames.is_motion(reference_view as usize);
        let reference_view = reference_view as u16;
        (films.is_alive(film) && same_kind).then_some(FilmHit {
            film,
            query_frame,
            reference_frame,
            distance,
            query_view,
            reference_view,
            query_ms,
            reference_ms,
        })
    };
    let mut hits: Vec<FilmHit> = found.into_iter().filter_map(hit).collect();
    hits.sort_unstable();
    hits
}

/// The windows that a query is searched by.
fn windows_of(query: &FilmFingerprint) -> Vec<Range<u32>> {
    let length = query.frames.last().map_or(0, |frame| frame.time_ms.saturating_add(1));
    if length <= SINGLE_WINDOW_MS {
        return std::iter::once(0..length).collect();
    }
    let starts = (0..length.saturating_sub(WINDOW_MS - WINDOW_STEP_MS)).step_by(WINDOW_STEP_MS as usize);
    starts.map(|start| start..start.saturating_add(WINDOW_MS).min(length)).collect()
}
