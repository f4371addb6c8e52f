//! Steps along an alignment: what is compared at each, and what it adds to a stretch.

use std::ops::Range;

use minutia_machine::hamming::distance;

use super::alignment::Alignment;
use super::lanes::{Compare, Lane, Lanes, reference_code};
use super::query::Query;
use super::rarity::Rarity;
use crate::fingerprint::FilmFingerprint;
use crate::index::FilmFrames;

/// From one comparison to the next, in milliseconds of the reference.
pub(super) const STEP_MS: f64 = FilmFingerprint::REFERENCE_STEP_MS as f64;
/// Distances below this speak for a copy, above against.
pub(super) const BIAS: f64 = 84.0;
/// Bits of a code.
pub(super) const BITS: f64 = 256.0;
/// What a frame that is like the one before counts.
pub(super) const LEAST_WEIGHT: f64 = 0.15;
/// And what it counts where stretches are bounded.
const LEAST_VALUE: f64 = 0.3;
/// Bits between frames that are new to each other.
pub(super) const NEW_BITS: f64 = 24.0;

/// A comparison along an alignment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) reference_ms: f64,
    pub(super) reference_frame: usize,
    /// In the order of [`Compare::BOTH`].
    pub(super) compared: [Option<Compared>; 2],
}

/// The nearest of what was compared at a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compared {
    pub(super) query_frame: usize,
    pub(super) lane: Lane,
    pub(super) distance: f64,
    pub(super) weight: f64,
}

/// Compares along an alignment, a step of the reference after the other.
pub(super) fn steps(
    frames: &FilmFrames<'_>,
    query: &Query<'_>,
    window: &Range<u32>,
    alignment: &Alignment,
    lanes: &Lanes,
    rarity: &Rarity,
) -> Vec<Step> {
    let from = alignment.reference_ms(f64::from(window.start) - lanes.reach_ms).max(0.0);
    let to = alignment.reference_ms(f64::from(window.end) + lanes.reach_ms).min(frames.duration_ms as f64);
    let (first, last) = (libm::ceil(from / STEP_MS) as i64, libm::floor(to / STEP_MS) as i64);
    let mut steps: Vec<Step> = Vec::new();
    for number in first..=last {
        let reference_ms = number as f64 * STEP_MS;
        let query_ms = alignment.query_ms(reference_ms);
        let Some(reference_frame) = frames.at(reference_ms) else { continue };
        let compared = Compare::BOTH.map(|compare| {
            let nearest = lanes.compared(compare, frames, reference_frame, query, query_ms).min();
            let (bits, query_frame, lane) = nearest?;
            let before = steps.iter().rev().find_map(|step: &Step| Some((step, step.compared[compare as usize]?)));
            let new = before.map_or(1.0, |(step, before)| {
                let view = if compare == Compare::Frames { 0 } else { lane.reference_view };
                let reference =
                    [step.reference_frame, reference_frame].map(|frame| reference_code(frames, frame, view));
                let of_query = [before.query_frame, query_frame];
                novelty(reference, of_query.map(|frame| query.code(frame, lane.query_view)))
            });
            let weight = new * rarity.of_view(query_frame, query.origin(lane.query_view));
            Some(Compared { query_frame, lane, distance: bits.into(), weight })
        });
        if compared.iter().any(Option::is_some) {
            steps.push(Step { reference_ms, reference_frame, compared });
        }
    }
    steps
}

/// How much is new since the step before, in the reference and in the query: the less of both. Every frame of a reference has the
/// first view, and where it stays the same the others do.
fn novelty(reference: [Option<&[u64; 4]>; 2], query: [Option<[u64; 4]>; 2]) -> f64 {
    let ([Some(a), Some(b)], [Some(c), Some(d)]) = (reference, query) else { return LEAST_WEIGHT };
    let bits = distance(a, b).min(distance(&c, &d));
    (f64::from(bits) / NEW_BITS).clamp(LEAST_WEIGHT, 1.0)
}

/// What a step adds to a stretch: more the nearer, and less than nothing beyond the bias. What differs in motion alone may be the
/// same frames with noise, and what differs but for the motion may be covered, so the better of both counts.
pub(super) fn value(step: &Step) -> f64 {
    let value = |compared: &Compared| (BIAS - compared.distance) / BIAS * compared.weight.max(LEAST_VALUE);
    step.compared.iter().flatten().map(value).fold(f64::MIN, f64::max)
}
