//! Searching film: which registered films a stretch was taken from, where in both, at what speed, how cut and turned.
//!
//! A query is cut into windows. The frames of references that are near one of its frames vote for an alignment of times.
//! The alignments with most votes are followed frame by frame in the views that voted, and the stretches that agree are
//! judged by how much nearer they are than the same stretches a little shifted: a scene that does not change is alike
//! under every alignment, and proves that it is the same scene, not that it is the same recording.

mod alignment;
mod evidence;
mod votes;

use std::ops::Range;

use minutia_machine::Level;
use minutia_machine::hamming::{self, Window};

use super::brute;
use crate::fingerprint::{FilmFingerprint, FilmView};
use crate::index::Films;

use evidence::Stretch;

/// Length of a window and from one to the next, in milliseconds.
const WINDOW_MS: u32 = 40_000;
const WINDOW_STEP_MS: u32 = 20_000;
/// A query up to so long is one window.
const SINGLE_WINDOW_MS: u32 = 60_000;
/// Alignments that are followed, of one window.
const MOST_ALIGNMENTS: usize = 24;
/// Frames within so many bits vote.
const RADIUS: u32 = 63;

/// A stretch of a query that is a stretch of a registered film.
#[derive(Clone, Debug, PartialEq)]
pub struct FilmMatch {
    /// The film, as the segment numbers it.
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

/// Finds stretches of `query` in `films`, in the order of films and of time. With `second_look` also by the views that
/// are there for what nothing else explains.
pub fn find_films(films: &Films<'_>, query: &FilmFingerprint, second_look: bool, level: Level) -> Vec<FilmMatch> {
    let mut found: Vec<Stretch> = Vec::new();
    for window in windows_of(query) {
        let hits = hits(films, query, &window, second_look, level);
        for alignment in votes::alignments(films, &hits, MOST_ALIGNMENTS) {
            evidence::follow(films, query, &window, &alignment, &hits, &mut found);
        }
    }
    let found = evidence::kept(found);
    let matches = found.into_iter().map(|stretch| FilmMatch {
        film: stretch.lane.film,
        query_span_ms: stretch.query_ms.clone(),
        reference_span_ms: stretch.reference_ms.clone(),
        speed: stretch.alignment.speed,
        view: query.views[stretch.lane.query_view as usize],
        reference_view: stretch.lane.reference_view,
        score: stretch.score(),
        frames: stretch.frames,
        distance: stretch.distance,
        nearness: stretch.nearness,
        changes: stretch.changes,
        shifted: stretch.shifted,
        weight: stretch.weight,
        votes: stretch.alignment.votes,
    });
    matches.collect()
}

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
    let mut before: &[crate::fingerprint::Code] = &[];
    for (number, frame) in frames {
        let of_frame = query.codes_of(number);
        // A still says once what it shows, and again each second.
        if of_frame == before && frame.time_ms % 1_000 != 0 {
            continue;
        }
        before = of_frame;
        for (view, code) in of_frame.iter().enumerate() {
            if code.0 != [0; 32] && query.views[view].is_second_look() == second_look {
                codes.push(bytemuck::cast(code.0));
                places.push((number as u32, view as u16, frame.time_ms));
            }
        }
    }
    let found = brute::find(films.codes(), &codes, Window { near: RADIUS, complement: None }, level);
    let hit = |found: hamming::Found| {
        let (query_frame, query_view, query_ms) = places[found.query as usize];
        let (film, reference_frame, reference_view) = films.place(found.row)?;
        let reference_ms = films.frames(film).times[reference_frame as usize];
        let distance = found.distance;
        let reference_view = reference_view as u16;
        films.is_alive(film).then_some(FilmHit {
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
