//! Searching by key frames: single frames of a query, one in some seconds, of which neighbours are not known.
//!
//! A key frame that is near a frame of a reference says at once where it lies on the line of times, to half a second. The
//! line with most such frames around a window is taken, those on it are taken out, and so on. Along a line each key frame
//! is compared with what the reference shows then, beside what it shows a little earlier and later, as in a full search;
//! encoders put a key frame where a scene begins, so that a handful are of as many scenes and tell more than neighbours do.

use std::ops::Range;

use minutia_machine::Level;
use minutia_machine::hamming::distance;

use super::alignment::Alignment;
use super::beside::SHIFTS_MS;
use super::evidence::{Stretch, change, worth};
use super::lanes::{Lane, reference_code, voted};
use super::query::Query;
use super::rarity::Rarity;
use super::runs::runs;
use super::steps::{BIAS, NEW_BITS};
use super::{FilmHit, hits};
use crate::fingerprint::FilmFingerprint;
use crate::index::{FilmFrames, Films};

/// Length of a window and from one to the next, in milliseconds.
const WINDOW_MS: u32 = 240_000;
const WINDOW_STEP_MS: u32 = 180_000;
/// A hit is on a line that passes it by no more: a reference's frame is known to half a second.
const NEAR_MS: f64 = 600.0;
/// Hits of one film and window from which lines are drawn, the nearest first, and lines that are followed.
const MOST_ENDS: usize = 48;
const MOST_LINES: usize = 6;
/// Alignments that are followed, of one window over all films.
const MOST_ALIGNMENTS: usize = 24;
/// Two frames nearer in time than this say little about speed.
const LEAST_APART_MS: f64 = 8_000.0;
/// Speeds that are looked at.
const SPEEDS: Range<f64> = 0.6..1.7;
/// Speeds that are taken for one where the hits do not speak against it: as it is, and between 24 and 25 frames a second.
const PLAIN: [f64; 3] = [1.0, 25.0 / 24.0, 24.0 / 25.0];
/// Frames of a reference so far around the time of a key frame are compared with it: not every frame has every view.
const BEFORE_MS: f64 = 1_000.0;
const AFTER_MS: f64 = 500.0;
/// Pairs of views that are followed.
const MOST_LANES: usize = 5;
/// A stretch is worth at least this.
const LEAST_NEARNESS: f64 = 0.5;
/// A stretch of fewer frames counts by its share of so many.
const FEWEST_FRAMES: f64 = 3.0;
/// What a key frame that is like the one before counts.
const LEAST_WEIGHT: f64 = 0.15;

/// What is found by key frames in the films of one segment.
pub(super) struct Found {
    /// Of each film the nearest pairs of frames, by film and distance.
    pub(super) pairs: Vec<FramePair>,
    pub(super) stretches: Vec<Stretch>,
}

/// A key frame of a query near a frame of a registered film.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FramePair {
    /// The segment of the index, and the film in it, as [`Index::film`](crate::index::Index::film) takes them.
    pub segment: usize,
    /// The film.
    pub film: u32,
    /// Place among the frames of the query.
    pub query_frame: u32,
    /// Place among its views.
    pub query_view: u32,
    /// Place among the frames that are kept of the film.
    pub reference_frame: u32,
    /// Place among the views of references.
    pub reference_view: u32,
    /// Bits that differ.
    pub distance: u32,
}

/// Of each film so many pairs are told.
const MOST_PAIRS: usize = 8;

/// The nearest pairs of each film.
fn pairs(hits: &[FilmHit]) -> Vec<FramePair> {
    let mut pairs = Vec::new();
    for of_film in hits.chunk_by(|a, b| a.film == b.film) {
        let mut nearest: Vec<&FilmHit> = of_film.iter().collect();
        nearest.sort_by_key(|hit| (hit.distance, **hit));
        pairs.extend(nearest.into_iter().take(MOST_PAIRS).map(|hit| FramePair {
            segment: 0,
            film: hit.film,
            query_frame: hit.query_frame,
            query_view: hit.query_view.into(),
            reference_frame: hit.reference_frame,
            reference_view: hit.reference_view.into(),
            distance: hit.distance,
        }));
    }
    pairs
}

/// What a query of key frames has in common with films.
pub(super) fn find(films: &Films<'_>, query: &FilmFingerprint, level: Level) -> Found {
    let mut found = Vec::new();
    let length = query.frames.last().map_or(0, |frame| frame.time_ms.saturating_add(1));
    let parts = (0..length).step_by(super::MOST_SEARCHED_MS as usize);
    let mut hits: Vec<FilmHit> = parts
        .flat_map(|start| hits(films, query, &(start..start.saturating_add(super::MOST_SEARCHED_MS)), false, level))
        .collect();
    hits.sort_unstable();
    let rarity = Rarity::of(&hits, &query.views);
    let mut followed: Vec<Alignment> = Vec::new();
    for start in (0..length).step_by(WINDOW_STEP_MS as usize) {
        let window = start..start.saturating_add(WINDOW_MS);
        for alignment in lines(&hits, &window, &rarity) {
            // A line that was followed from the window before goes through this one too.
            let same = |other: &Alignment| {
                let apart = |at: u32| (other.reference_ms(at.into()) - alignment.reference_ms(at.into())).abs();
                other.film == alignment.film && apart(window.start) < NEAR_MS && apart(window.end) < NEAR_MS
            };
            if !followed.iter().any(same) {
                followed.push(alignment);
                follow(films, &Query::of(query), &alignment, &hits, &rarity, &mut found);
            }
        }
    }
    Found { pairs: pairs(&hits), stretches: found }
}

/// The lines through most hits of a window, those of each film apart.
fn lines(hits: &[FilmHit], window: &Range<u32>, rarity: &Rarity) -> Vec<Alignment> {
    let mut found = Vec::new();
    for of_film in hits.chunk_by(|a, b| a.film == b.film) {
        // Of one pair of frames the nearest views, and of the frames of a reference that stand beside each other the first.
        let inside = of_film.iter().filter(|hit| window.contains(&hit.query_ms));
        let mut points: Vec<Point> = Vec::new();
        for hit in inside {
            let last = points
                .last_mut()
                .filter(|last| (last.frame, last.reference_frame) == (hit.query_frame, hit.reference_frame));
            let weight = f64::from(super::RADIUS + 1 - hit.distance) / f64::from(super::RADIUS + 1)
                * rarity.of_view(hit.query_frame as usize, hit.query_view.into());
            match last {
                Some(last) => last.weight = last.weight.max(weight),
                None => points.push(Point {
                    frame: hit.query_frame,
                    reference_frame: hit.reference_frame,
                    x: hit.query_ms.into(),
                    y: hit.reference_ms.into(),
                    weight,
                }),
            }
        }
        // A key frame that is like many frames of a film says little about when.
        for same in points.chunk_by_mut(|a, b| a.frame == b.frame) {
            let share = 1.0 / (same.len() as f64).sqrt();
            same.iter_mut().for_each(|point| point.weight *= share);
        }
        for _ in 0..MOST_LINES {
            let Some(line) = best_line(of_film[0].film, &points) else { break };
            points.retain(|point| (point.y - line.reference_ms(point.x)).abs() > NEAR_MS);
            found.push(line);
        }
    }
    found.sort_by(|a, b| b.votes.total_cmp(&a.votes).then(a.film.cmp(&b.film)).then(a.offset.total_cmp(&b.offset)));
    found.truncate(MOST_ALIGNMENTS);
    found
}

/// A key frame near a frame of a reference.
#[derive(Clone, Copy, Debug)]
struct Point {
    frame: u32,
    reference_frame: u32,
    x: f64,
    y: f64,
    weight: f64,
}

/// The line with most weight of points near it, of each key frame the nearest.
fn best_line(film: u32, points: &[Point]) -> Option<Alignment> {
    let mut ends: Vec<&Point> = points.iter().collect();
    ends.sort_by(|a, b| b.weight.total_cmp(&a.weight).then(a.x.total_cmp(&b.x)).then(a.y.total_cmp(&b.y)));
    ends.truncate(MOST_ENDS);
    let mut best: Option<Alignment> = None;
    let mut consider = |speed: f64, through: &Point, worth: f64| {
        let line = Alignment { film, speed, offset: through.y - speed * through.x, votes: 0.0 };
        let votes = worth * votes_of(&line, points);
        if best.is_none_or(|best| votes > best.votes) {
            best = Some(Alignment { votes, ..line });
        }
    };
    for (place, a) in ends.iter().enumerate() {
        PLAIN.iter().for_each(|&speed| consider(speed, a, 1.0));
        for b in &ends[place + 1..] {
            let (dx, dy) = (b.x - a.x, b.y - a.y);
            if dx.abs() >= LEAST_APART_MS && SPEEDS.contains(&(dy / dx)) {
                // Any two points have a line, so one that is not plain is worth less.
                consider(dy / dx, a, 0.85);
            }
        }
    }
    let best = best?;
    Some(Alignment { votes: best.votes, ..fitted(best, points) })
}

fn votes_of(line: &Alignment, points: &[Point]) -> f64 {
    let of_frame = |same: &[Point]| {
        let near = same.iter().filter(|point| (point.y - line.reference_ms(point.x)).abs() <= NEAR_MS);
        near.map(|point| point.weight).fold(0.0, f64::max)
    };
    points.chunk_by(|a, b| a.frame == b.frame).map(of_frame).sum()
}

/// The line as the points near it say, by least squares; its speed where they are too few or too close to say.
fn fitted(line: Alignment, points: &[Point]) -> Alignment {
    let near: Vec<&Point> = points.iter().filter(|p| (p.y - line.reference_ms(p.x)).abs() <= NEAR_MS).collect();
    let sum: f64 = near.iter().map(|point| point.weight).sum();
    if sum <= 0.0 {
        return line;
    }
    let mean = |of: fn(&Point) -> f64| near.iter().map(|point| point.weight * of(point)).sum::<f64>() / sum;
    let (x, y) = (mean(|point| point.x), mean(|point| point.y));
    let across: f64 = near.iter().map(|point| point.weight * (point.x - x) * (point.x - x)).sum();
    let along: f64 = near.iter().map(|point| point.weight * (point.x - x) * (point.y - y)).sum();
    let is_plain = PLAIN.iter().any(|plain| (line.speed - plain).abs() < 1e-9);
    let speed = if is_plain || across <= 0.0 { line.speed } else { (along / across).clamp(SPEEDS.start, SPEEDS.end) };
    Alignment { speed, offset: y - speed * x, ..line }
}

/// Nearness and changes. Few frames by their share: what two films share by chance, a logo or a title, is short.
pub(super) fn score(stretch: &Stretch) -> f64 {
    let share = f64::from(stretch.frames) / FEWEST_FRAMES;
    (stretch.nearness + stretch.changes) * share.min(1.0)
}

/// A key frame beside what the reference shows at its time.
#[derive(Clone, Copy, Debug)]
struct Step {
    frame: usize,
    reference_frame: usize,
    reference_ms: f64,
    lane: Lane,
    distance: f64,
    weight: f64,
}

/// Adds the stretches that agree along a line, over the whole query.
fn follow(
    films: &Films<'_>,
    query: &Query<'_>,
    alignment: &Alignment,
    hits: &[FilmHit],
    rarity: &Rarity,
    found: &mut Vec<Stretch>,
) {
    let frames = films.frames(alignment.film);
    let mut lanes = voted(alignment, hits, NEAR_MS);
    lanes.truncate(MOST_LANES);
    let mut steps: Vec<Step> = Vec::new();
    for (number, frame) in query.frames().iter().enumerate() {
        let at = alignment.reference_ms(frame.time_ms.into());
        if at < 0.0 || at >= frames.duration_ms as f64 {
            continue;
        }
        let Some((bits, reference_frame, lane)) = nearest(&frames, query, number, at, &lanes) else { continue };
        let mut step =
            Step { frame: number, reference_frame, reference_ms: at, lane, distance: bits.into(), weight: 1.0 };
        let new = steps.last().map_or(1.0, |before| novelty(&frames, query, before, &step));
        step.weight = new * rarity.of_view(number, step.lane.query_view);
        steps.push(step);
    }
    let values: Vec<f64> = steps.iter().map(value).collect();
    for range in runs(&values, LEAST_NEARNESS, f64::INFINITY) {
        found.extend(judged(&frames, query, alignment, &lanes, &steps[range]));
    }
}

/// The nearest of the reference's frames around a time to a key frame: distance, frame, views.
fn nearest(
    frames: &FilmFrames<'_>,
    query: &Query<'_>,
    frame: usize,
    at_ms: f64,
    lanes: &[Lane],
) -> Option<(u32, usize, Lane)> {
    let last = frame_at(frames.times, at_ms + AFTER_MS)?;
    let first = frame_at(frames.times, at_ms - BEFORE_MS).unwrap_or(0);
    let pairs = (first..=last).flat_map(|place| lanes.iter().map(move |&lane| (place, lane)));
    let compared = pairs.filter_map(|(place, lane)| {
        let reference = reference_code(frames, place, lane.reference_view)?;
        Some((distance(&query.code(frame, lane.query_view)?, reference), place, lane))
    });
    compared.min()
}

/// The frame on screen at a time.
fn frame_at(times: &[u32], ms: f64) -> Option<usize> {
    times.partition_point(|&time| f64::from(time) <= ms).checked_sub(1)
}

/// How much is new since the key frame before, in the reference and in the query: the less of both.
fn novelty(frames: &FilmFrames<'_>, query: &Query<'_>, before: &Step, step: &Step) -> f64 {
    let reference = [before.reference_frame, step.reference_frame].map(|frame| reference_code(frames, frame, 0));
    let query = [before.frame, step.frame].map(|frame| query.code(frame, step.lane.query_view));
    let ([Some(a), Some(b)], [Some(c), Some(d)]) = (reference, query) else { return LEAST_WEIGHT };
    (f64::from(distance(a, b).min(distance(&c, &d))) / NEW_BITS).clamp(LEAST_WEIGHT, 1.0)
}

/// What a key frame adds to a stretch: more the nearer, and less than nothing beyond the bias.
fn value(step: &Step) -> f64 {
    (BIAS - step.distance) / BIAS * step.weight.max(0.3)
}

/// What a run of key frames proves.
fn judged(
    frames: &FilmFrames<'_>,
    query: &Query<'_>,
    alignment: &Alignment,
    lanes: &[Lane],
    steps: &[Step],
) -> Option<Stretch> {
    let (first, last) = (steps.first()?, steps.last()?);
    let (mut nearness, mut changes, mut weight, mut bits) = (0.0, 0.0, 0.0, 0.0);
    let (mut shifted_sum, mut shifted_count) = (0.0, 0.0);
    for step in steps {
        bits += step.distance;
        weight += step.weight;
        nearness += step.weight * worth(step.distance);
        let shifted = SHIFTS_MS.iter().filter_map(|shift| {
            let at = step.reference_ms + shift;
            let inside = at >= 0.0 && at < frames.duration_ms as f64;
            inside.then(|| nearest(frames, query, step.frame, at, lanes)).flatten()
        });
        let mut others: Vec<f64> = shifted.map(|(bits, ..)| f64::from(bits)).collect();
        if others.is_empty() {
            continue;
        }
        others.sort_by(f64::total_cmp);
        let other = others[others.len() / 3].min(BIAS);
        shifted_sum += other;
        shifted_count += 1.0;
        changes += step.weight * change(step.distance, other);
    }
    let mut chosen: Vec<Lane> = steps.iter().map(|step| step.lane).collect();
    chosen.sort_unstable();
    let lane = chosen.chunk_by(|a, b| a == b).max_by_key(|same| same.len()).map_or(first.lane, |same| same[0]);
    // A scene begins with a key frame, and so does the one behind the stretch.
    let start = f64::from(query.frames().get(first.frame)?.time_ms);
    let start = if first.frame == 0 { 0.0 } else { start };
    let next = query.frames().get(last.frame + 1).map_or(query.duration_ms(), |next| next.time_ms.into());
    let start = start.max(alignment.query_ms(0.0));
    let end = next.min(alignment.query_ms(frames.duration_ms as f64)).max(start);
    let span = |from: f64, to: f64| from.max(0.0) as u64..to.max(0.0) as u64;
    Some(Stretch {
        lane,
        view: query.view(lane.query_view),
        alignment: *alignment,
        query_length_ms: query.duration_ms(),
        query_ms: span(start, end),
        reference_ms: span(alignment.reference_ms(start), alignment.reference_ms(end)),
        frames: steps.len() as u32,
        distance: bits / steps.len() as f64,
        nearness,
        changes,
        shifted: if shifted_count > 0.0 { shifted_sum / shifted_count } else { 0.0 },
        weight,
        is_parted: false,
    })
}
