//! Which part of a query exactly it is that a view of a reference shows.
//!
//! The parts of a query that have codes lie some hundredths apart, and a film that was cut is as far from the nearest of them. Where
//! an alignment agrees in such a part, the part is moved, sized and squeezed until it is nearest to the reference over the steps of the
//! alignment together, by the thumbnails of the query's frames.

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
        (pairs.len() >= FEWEST).then(|| (place.far(&pairs, lane, query), pairs, *lane, place))
    });
    // By the mean over their steps, in whole numbers.
    let (far, pairs, lane, mut place) = from.min_by(|a, b| {
        let by_mean = (u64::from(a.0) * b.1.len() as u64).cmp(&(u64::from(b.0) * a.1.len() as u64));
        by_mean.then(a.2.cmp(&b.2))
    })?;
    let mut least = far;
    for by in MOVES {
        for _ in 0..MOST_ROUNDS {
            let before = least;
            for moved in place.moved(by) {
                let far = moved.far(&pairs, &lane, query);
                if far < least {
                    (least, place) = (far, moved);
                }
            }
            if least == before {
                break;
            }
        }
    }
    let steps = pairs.len() as u32;
    if least > MOST_FAR * steps || least + LEAST_GAIN * steps > far {
        return None;
    }
    let view = query.view(lane.query_view);
    let part = place.part(&view);
    let code = |thumbnail: &Thumbnail| Some((thumbnail.frame, bytemuck::cast(part.code(thumbnail)?.0)));
    let of_base = query.film().thumbnails.iter().filter(|thumbnail| thumbnail.base == view.base);
    let codes = of_base.filter_map(code).collect();
    let view = FilmView { crop: place.crop(), strip: None, ..view };
    Some((Fitted { from: lane.query_view, view, codes }, lane.reference_view))
}

/// Whether a view is an upright part, which can be cut from a thumbnail.
fn is_part(view: &FilmView) -> bool {
    (view.degrees, view.motion) == (0, false)
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

/// Where a part lies: its middle and its sides, in thousandths of the frame.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Place {
    middle: [f32; 2],
    sides: [f32; 2],
}

impl Place {
    /// Of a view of what has that shape.
    fn of(view: &FilmView, shape: u16) -> Place {
        let [left, top, right, bottom] = view.crop.map(f32::from);
        if let Some(place) = view.strip {
            // Strips tell their places in hundredths of the height.
            let height = 1_000.0 / f32::from(shape.max(1));
            let width = f32::from(FilmView::STRIP_WIDTH) * height;
            return Place { middle: [500.0 + f32::from(place) * height, 500.0], sides: [width, 1_000.0] };
        }
        Place { middle: [(left + right) / 2.0, (top + bottom) / 2.0], sides: [right - left, bottom - top] }
    }

    /// A little to each side, larger and smaller, wider and narrower; none that is no part of the frame.
    fn moved(self, by: f32) -> impl Iterator<Item = Place> {
        let Place { middle: [x, y], sides: [width, height] } = self;
        let place = |x, y, width, height| Place { middle: [x, y], sides: [width, height] };
        let all = [by, -by].map(|by| {
            [
                place(x + by, y, width, height),
                place(x, y + by, width, height),
                place(x, y, width + 2.0 * by, height + 2.0 * by),
                place(x, y, width + 2.0 * by, height),
                place(x, y, width, height + 2.0 * by),
            ]
        });
        all.into_iter().flatten().filter(Place::is_within)
    }

    fn is_within(&self) -> bool {
        self.middle.iter().zip(&self.sides).all(|(middle, side)| {
            *side >= LEAST_SIDE && middle - side / 2.0 >= -BEYOND && middle + side / 2.0 <= 1_000.0 + BEYOND
        })
    }

    fn edges(&self) -> [f32; 4] {
        let Place { middle: [x, y], sides: [width, height] } = self;
        [x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0]
    }

    fn part(&self, view: &FilmView) -> ThumbnailPart {
        ThumbnailPart { edges: self.edges().map(|edge| edge / 1_000.0), turn: view.turn }
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
