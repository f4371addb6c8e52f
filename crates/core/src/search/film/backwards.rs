//! Parts of a stretch that run backwards. Where a film moves little its frames agree with an alignment all the same.
//!
//! A part that was turned round about some moment shows before it what comes after, and after it what came before: at each of its
//! steps the frame of the query is nearer to the frame that lies as far on the other side of that moment, and what changed
//! is undone.

use std::ops::Range;

use super::alignment::Alignment;
use super::lanes::{Compare, Lanes};
use super::query::Query;
use super::steps::{BITS, STEP_MS, Step};
use crate::fingerprint::FilmFingerprint;
use crate::index::FilmFrames;

/// Steps to each side of the moment that are looked at.
const MOST_STEPS: usize = 8;
/// A pair of steps, as far before the moment as behind it, tells by how many bits they are nearer turned round, beyond so many
/// and up to so many of each.
const SLACK: f64 = 4.0;
const MOST_TOLD: f64 = 32.0;
/// A part is turned round where all its pairs tell so much.
const LEAST_TOLD: f64 = 32.0;

/// The steps of the parts that run backwards, none over another, those that tell most first.
pub(super) fn backwards(
    frames: &FilmFrames<'_>,
    query: &Query<'_>,
    alignment: &Alignment,
    lanes: &Lanes,
    steps: &[Step],
) -> Vec<Range<usize>> {
    let turned = Turned { frames, query, alignment, lanes, steps };
    // The moments are the steps and the middles between two.
    let mut found: Vec<(f64, Range<usize>)> =
        (1..2 * steps.len().max(1) - 1).filter_map(|moment| turned.about(moment)).collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.start.cmp(&b.1.start)));
    let mut kept: Vec<Range<usize>> = Vec::new();
    for (_, part) in found {
        if kept.iter().all(|other| part.end <= other.start || other.end <= part.start) {
            kept.push(part);
        }
    }
    kept
}

struct Turned<'a, 'i> {
    frames: &'a FilmFrames<'i>,
    query: &'a Query<'a>,
    alignment: &'a Alignment,
    lanes: &'a Lanes,
    steps: &'a [Step],
}

impl Turned<'_, '_> {
    /// The part about a moment, in half steps, that tells most that it was turned round, and how much; `None` where it is too
    /// little.
    fn about(&self, moment: usize) -> Option<(f64, Range<usize>)> {
        let (mut told, mut best) = (0.0, (LEAST_TOLD, 0..0));
        let nearest = moment.div_ceil(2) + usize::from(moment.is_multiple_of(2));
        for later in (nearest..self.steps.len()).take(MOST_STEPS) {
            let Some(earlier) = moment.checked_sub(later) else { break };
            // Steps may be missing.
            let apart = self.steps[later].reference_ms - self.steps[earlier].reference_ms;
            if (apart - (later - earlier) as f64 * STEP_MS).abs() > 1.0 {
                break;
            }
            let pair = self.nearer(later, earlier) + self.nearer(earlier, later);
            told += pair + self.undone(later, earlier);
            if told > best.0 {
                best = (told, earlier..later + 1);
            }
        }
        (best.1.end > 0).then_some(best)
    }

    /// By how many bits the frame at a step is nearer to that of another.
    fn nearer(&self, step: usize, other: usize) -> f64 {
        let query_ms = self.alignment.query_ms(self.steps[step].reference_ms);
        let Some(own) = self.steps[step].compared[Compare::Frames as usize] else { return 0.0 };
        let frame = self.steps[other].reference_frame;
        let turned = self.lanes.compared(Compare::Frames, self.frames, frame, self.query, query_ms).min();
        turned.map_or(0.0, |(bits, ..)| told(own.distance, bits.into()))
    }

    /// How much better the change up to a step is undone by that which the reference has up to a second behind the other.
    fn undone(&self, step: usize, other: usize) -> f64 {
        let query_ms = self.alignment.query_ms(self.steps[step].reference_ms);
        let lag = f64::from(FilmFingerprint::MOTION_LAG_MS);
        let behind_ms = self.steps[other].reference_ms + lag;
        // The frame a second before has to be turned round as well.
        if behind_ms > self.steps[step].reference_ms + 1.0 {
            return 0.0;
        }
        let Some(own) = self.steps[step].compared[Compare::Differences as usize] else { return 0.0 };
        let Some(frame) = self.frames.at(behind_ms) else { return 0.0 };
        let undone = self.lanes.compared(Compare::Differences, self.frames, frame, self.query, query_ms).max();
        undone.map_or(0.0, |(bits, ..)| told(own.distance, BITS - f64::from(bits)))
    }
}

/// What it tells that something is so far turned round, and not so far as it stands.
fn told(own: f64, turned: f64) -> f64 {
    (own - turned - SLACK).clamp(-MOST_TOLD, MOST_TOLD)
}
