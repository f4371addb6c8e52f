//! Which part of a query exactly it is that a view of a reference shows.
//!
//! The parts of a query that have codes lie some hundredths apart, and a film that was cut is as far from the nearest of them. Where
//! an alignment agrees in such a part, the part is moved, sized, squeezed and, if it is of a turned frame, turned until it is nearest to
//! the reference over the steps of the alignment together, by the thumbnails of the query's frames.

use std::cmp::Ordering;

use minutia_machine::hamming::distance;

use super::alignment::Alignment;
use super::lanes::{Compare, Lane, Lanes, reference_code};
use super::query::{Fitted, Query};
use super::steps::Step;
use crate::fingerprint::{FilmView, Thumbnail, ThumbnailPart};
use crate::index::FilmFrames;

/// Stretches that score so much are worth a fit: less is chance, and more needs none.
const SCORES: std::ops::Range<f64> = 1.0..12.0;
/// Steps that a part is fitted to, at least and at most.
const FEWEST: usize = 2;
const MOST: usize = 10;
/// A thumbnail is of a step within so many milliseconds.
const REACH_MS: f64 = 280.0;
/// By how many thousandths of the frame a part is moved, round by round.
const MOVES: [f32; 4] = [24.0, 12.0, 6.0, 3.0];
/// Of a turned frame a corner is nearer than all of it, by fewer bits than this: it is moved less. All of it is what fits.
const TURNED_BITS: u64 = 8;
/// With each thousandth it is turned by so many degrees to each side: as much as moves its corners by as much.
const TURN: f32 = 0.06;
/// How often it is moved by as many, at most.
const MOST_ROUNDS: usize = 4;
/// A part that is further on the mean, in bits, is not what the reference shows.
const MOST_FAR: u32 = 50;
/// A part that comes nearer by fewer bits a step is left where it is.
const LEAST_GAIN: u32 = 3;
/// Shorter sides than this are no part, and what lies beyond the frame by more is none either, in thousandths.
const LEAST_SIDE: f32 = 200.0;
const BEYOND: f32 = 40.0;

pub(super) fn is_worth_fitting(score: f64) -> bool {
    SCORES.contains(&score)
}

/// What is compared at a step.
#[derive(Clone)]
struct Pair<'q, 'i> {
    thumbnail: &'q Thumbnail,
    reference: &'i [u64; 4],
}

/// The part that is nearest to the reference, from whichever of the lanes is nearest, and the view of the reference. `None` where
/// there is none to begin with, or none that is nearer.
pub(super) fn fitted(
    frames: &FilmFrames<'_>,
    query: &Query<'_>,
    alignment: &Alignment,
    lanes: &Lanes,
    steps: &[Step],
) -> Option<(Fitted, u32)> {
    let begun = |lane: &&Lane| is_part(&query.view(lane.query_view));
    let from = lanes.of_frames().iter().filter(begun).filter_map(|lane| {
        let pairs = pairs(frames, query, alignment, lane, steps);
        let place = Place::of(&query.view(lane.query_view), pairs.first()?.thumbnail.shape);
        (pairs.len() >= FEWEST).then(|| Fit::of(query, *lane, pairs, place))
    });
    let fit = from.min_by(Fit::by_mean)?.moved(query)?;
    let view = query.view(fit.lane.query_view);
    let part = fit.place.part(&view);
    let code = |thumbnail: &Thumbnail| Some((thumbnail.frame, bytemuck::cast(part.code(thumbnail)?.0)));
    let of_base = query.film().thumbnails.iter().filter(|thumbnail| thumbnail.base == view.base);
    let codes = of_base.filter_map(code).collect();
    let view = FilmView { crop: fit.place.crop(), strip: None, degrees: fit.place.degrees.round() as i8, ..view };
    Some((Fitted { from: fit.lane.query_view, view, codes }, fit.lane.reference_view))
}

/// A part that is fitted, from one lane.
#[derive(Clone)]
struct Fit<'q, 'i> {
    lane: Lane,
    pairs: Vec<Pair<'q, 'i>>,
    place: Place,
    /// Bits from the reference, over all steps.
    far: u32,
    /// Whether it is of a turned frame. Who turned nothing is not turned by chance.
    turns: bool,
}

impl<'q, 'i> Fit<'q, 'i> {
    fn of(query: &Query<'_>, lane: Lane, pairs: Vec<Pair<'q, 'i>>, place: Place) -> Fit<'q, 'i> {
        let far = place.far(&pairs, &lane, query);
        Fit { lane, pairs, place, far, turns: query.view(lane.query_view).degrees != 0 }
    }

    /// Which is nearer by the mean over its steps, in whole numbers, what is turned by so many bits more.
    fn by_mean(&self, other: &Fit<'_, '_>) -> Ordering {
        let mean = |fit: &Fit<'_, '_>, other: &Fit<'_, '_>| {
            (u64::from(fit.far) + if fit.turns { 0 } else { TURNED_BITS * fit.pairs.len() as u64 })
                * other.pairs.len() as u64
        };
        mean(self, other).cmp(&mean(other, self)).then(self.lane.cmp(&other.lane))
    }

    /// Moved until it is nearest; `None` where that gains too little.
    fn moved(mut self, query: &Query<'_>) -> Option<Fit<'q, 'i>> {
        let begun = self.far;
        for by in MOVES {
            for _ in 0..MOST_ROUNDS {
                let before = self.far;
                for moved in self.place.moved(by, self.turns) {
                    let far = moved.far(&self.pairs, &self.lane, query);
                    if far < self.far {
                        (self.far, self.place) = (far, moved);
                    }
                }
                if self.far == before {
                    break;
                }
            }
        }
        let steps = self.pairs.len() as u32;
        (self.far <= MOST_FAR * steps && self.far + LEAST_GAIN * steps <= begun).then_some(self)
    }
}

/// Whether a view is a part that can be cut from a thumbnail.
fn is_part(view: &FilmView) -> bool {
    !view.motion
}

/// What is compared along an alignment, at no more than so many steps.
fn pairs<'q, 'i>(
    frames: &FilmFrames<'i>,
    query: &Query<'q>,
    alignment: &Alignment,
    lane: &Lane,
    steps: &[Step],
) -> Vec<Pair<'q, 'i>> {
    let base = query.view(lane.query_view).base;
    let thumbnails: Vec<&Thumbnail> =
        query.film().thumbnails.iter().filter(|thumbnail| thumbnail.base == base).collect();
    let time = |thumbnail: &Thumbnail| {
        query.frames().get(thumbnail.frame as usize).map_or(f64::MAX, |frame| f64::from(frame.time_ms))
    };
    let pair = |step: &Step| {
        step.compared[Compare::Frames as usize]?;
        let reference = reference_code(frames, step.reference_frame, lane.reference_view)?;
        let at = alignment.query_ms(step.reference_ms);
        let near = thumbnails.partition_point(|&thumbnail| time(thumbnail) < at - REACH_MS);
        let within = thumbnails[near..].iter().copied().take_while(|thumbnail| time(thumbnail) <= at + REACH_MS);
        let apart = |thumbnail: &&Thumbnail| (time(thumbnail) - at).abs();
        let thumbnail = within.min_by(|a, b| apart(a).total_cmp(&apart(b)))?;
        Some(Pair { thumbnail, reference })
    };
    let mut all: Vec<Pair<'q, 'i>> = steps.iter().filter_map(pair).collect();
    // A still has one code for many steps.
    all.dedup_by(|a, b| std::ptr::eq(a.reference, b.reference));
    let (count, every) = (all.len(), all.len().div_ceil(MOST).max(1));
    let mut number = 0..count;
    all.retain(|_| number.next().is_some_and(|number| number.is_multiple_of(every)));
    all
}

/// Where a part lies: its middle and its sides, in thousandths of the frame, and how far it is turned about its middle.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Place {
    middle: [f32; 2],
    sides: [f32; 2],
    degrees: f32,
}

impl Place {
    /// Of a view of what has that shape.
    fn of(view: &FilmView, shape: u16) -> Place {
        let [left, top, right, bottom] = view.crop.map(f32::from);
        if let Some(place) = view.strip {
            // Strips tell their places in hundredths of the height.
            let height = 1_000.0 / f32::from(shape.max(1));
            let width = f32::from(FilmView::STRIP_WIDTH) * height;
            return Place { middle: [500.0 + f32::from(place) * height, 500.0], sides: [width, 1_000.0], degrees: 0.0 };
        }
        let middle = [(left + right) / 2.0, (top + bottom) / 2.0];
        Place { middle, sides: [right - left, bottom - top], degrees: view.degrees.into() }
    }

    /// A little to each side, larger and smaller, wider and narrower, and turned if it `turns`; none that is no part of the frame.
    fn moved(self, by: f32, turns: bool) -> impl Iterator<Item = Place> {
        let Place { middle: [x, y], sides: [width, height], degrees } = self;
        let place = |x, y, width, height| Place { middle: [x, y], sides: [width, height], degrees };
        let all = [by, -by].map(|by| {
            let turned = Place { degrees: degrees + TURN * by, ..self };
            let moved = [
                place(x + by, y, width, height),
                place(x, y + by, width, height),
                place(x, y, width + 2.0 * by, height + 2.0 * by),
                place(x, y, width + 2.0 * by, height),
                place(x, y, width, height + 2.0 * by),
            ];
            moved.into_iter().chain(turns.then_some(turned))
        });
        all.into_iter().flatten().filter(Place::is_within)
    }

    fn is_within(&self) -> bool {
        self.middle.iter().zip(&self.sides).all(|(middle, side)| {
            *side >= LEAST_SIDE && middle - side / 2.0 >= -BEYOND && middle + side / 2.0 <= 1_000.0 + BEYOND
        })
    }

    fn edges(&self) -> [f32; 4] {
        let Place { middle: [x, y], sides: [width, height], .. } = self;
        [x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0]
    }

    fn part(&self, view: &FilmView) -> ThumbnailPart {
        ThumbnailPart { edges: self.edges().map(|edge| edge / 1_000.0), degrees: self.degrees, turn: view.turn }
    }

    /// As views tell it.
    fn crop(&self) -> [u16; 4] {
        self.edges().map(|edge| edge.clamp(0.0, 1_000.0).round() as u16)
    }

    /// Bits from the reference, over all steps.
    fn far(&self, pairs: &[Pair<'_, '_>], lane: &Lane, query: &Query<'_>) -> u32 {
        let part = self.part(&query.view(lane.query_view));
        let bits = |pair: &Pair<'_, '_>| {
            let code = part.code(pair.thumbnail).map_or([0; 4], |code| bytemuck::cast(code.0));
            distance(&code, pair.reference)
        };
        pairs.iter().map(bits).sum()
    }
}
