//! How much likelier what coincides is in a copy than in other music of those notes.

use std::ops::Range;

use super::Window;
use super::fit::Fit;
use super::points::{PITCH_TOLERANCE, Point, Reference, TIME_TOLERANCE};

/// Over this time and pitch to each side is counted what had to be expected: 1 s, an octave.
pub(super) const AROUND_TIME: f32 = 688.0;
const AROUND_PITCH: f32 = 240.0;
/// Peaks that stand for what was not seen.
const PRIOR: f32 = 0.5;
/// The least and the most that is expected.
pub(super) const EXPECTED: Range<f32> = 0.004..0.4;
/// What is alike in music is more than is counted around an alignment.
const UNSEEN: f32 = 1.25;

/// Shares of the query's peaks that a copy may keep, by their rank, eight at a time: where hardly anything was done to it;
/// through noise and in rooms, which leave what stands out most; the same, worse; and under other sound, which stands out
/// itself; and that, worse. As measured on true alignments of altered excerpts.
const KEPT: [[f32; 10]; 5] = [
    [0.70, 0.60, 0.50, 0.38, 0.18, 0.06, 0.03, 0.02, 0.01, 0.005],
    [0.42, 0.28, 0.20, 0.14, 0.09, 0.06, 0.04, 0.03, 0.02, 0.01],
    [0.20, 0.14, 0.10, 0.07, 0.05, 0.035, 0.025, 0.015, 0.01, 0.005],
    [0.22, 0.25, 0.27, 0.27, 0.26, 0.23, 0.18, 0.12, 0.09, 0.06],
    [0.11, 0.12, 0.13, 0.13, 0.13, 0.12, 0.09, 0.06, 0.05, 0.03],
];
const KEPT_RANKS: u8 = 8;
/// The most that one coincidence says.
const MOST_SAID: f32 = 4.0;
/// Peaks within 23 ms are of one event; each counts less than the one before, down to the least.
const EVENT: f32 = 16.0;
const EVENT_DECLINE: f32 = 0.8;
const EVENT_LEAST: f32 = 0.3;
/// What a peak of the query says where the reference has ended.
const BEYOND: f32 = -0.05;

/// What one peak of the query tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) time: f32,
    /// Place in [`KEPT`].
    rank: u8,
    pub(super) coincides: bool,
    /// How likely that was without a copy, by pitch, beat and rhythm; negative where the reference has no sound.
    pub(super) expected: f32,
    /// By pitch alone: tells where a copy begins and ends, once it is known to be one.
    pub(super) usual: f32,
}

pub(super) fn tell(window: &Window<'_>, reference: &Reference, begin: f32, fit: Fit) -> Vec<Told> {
    let beyond = |place: Point| place.time < begin || place.time > reference.end;
    let query = window.peaks.iter().zip(&window.points);
    query
        .map(|(peak, &point)| {
            let rank = (peak.rank / KEPT_RANKS).min(KEPT[0].len() as u8 - 1);
            let place = fit.apply(point);
            if beyond(place) {
                return Told { time: point.time, rank, coincides: false, expected: -1.0, usual: -1.0 };
            }
            let (coincides, expected, usual) = expect(reference, place);
            Told { time: point.time, rank, coincides, expected, usual }
        })
        .collect()
}

/// Whether a peak of the reference lies at `place`, and how likely that is by what lies around: the density of peaks there,
/// times how much more often than that the pitch is heard, times how much more than that happens at the time; and without
/// the last.
fn expect(reference: &Reference, place: Point) -> (bool, f32, f32) {
    let (mut coincides, mut all, mut at_pitch, mut at_time) = (false, 0.0_f32, 0.0_f32, 0.0_f32);
    for other in reference.between(place.time - AROUND_TIME, place.time + AROUND_TIME) {
        let (time, pitch) = ((other.time - place.time).abs(), (other.pitch - place.pitch).abs());
        if pitch > AROUND_PITCH {
            continue;
        }
        if pitch <= PITCH_TOLERANCE && time <= TIME_TOLERANCE {
            coincides = true;
            continue;
        }
        all += 1.0;
        at_pitch += f32::from(u8::from(pitch <= PITCH_TOLERANCE));
        at_time += f32::from(u8::from(time <= TIME_TOLERANCE + 4.0));
    }
    // Most octaves around reach beyond the band: 400 of 480 steps.
    let usual_at_pitch = all * 2.0 * PITCH_TOLERANCE / 400.0;
    let usual_at_time = all * 2.0 * (TIME_TOLERANCE + 4.0) / (2.0 * AROUND_TIME);
    let density = usual_at_pitch * (2.0 * TIME_TOLERANCE + 4.0) / (2.0 * AROUND_TIME);
    let more = |seen: f32, usual: f32| ((seen + PRIOR) / (usual + PRIOR)).max(0.7);
    let by_pitch = density.max(EXPECTED.start) * more(at_pitch, usual_at_pitch);
    let expected = by_pitch * more(at_time, usual_at_time);
    let clamp = |expected: f32| expected.clamp(EXPECTED.start, EXPECTED.end);
    (coincides, clamp(expected), clamp(by_pitch))
}

/// The stretch of the query that says most for a copy, and how much; `None` where nothing does.
pub(super) fn best_stretch(told: &[Told], expected: fn(&Told) -> f32) -> Option<(f32, Range<usize>)> {
    let mut best: Option<(f32, Range<usize>)> = None;
    for kept in KEPT {
        let (mut sum, mut start) = (0.0_f32, 0);
        let (mut event, mut weight) = (f32::MIN, 1.0_f32);
        for (place, one) in told.iter().enumerate() {
            if one.time - event > EVENT {
                (event, weight) = (one.time, 1.0);
            } else {
                weight = (weight * EVENT_DECLINE).max(EVENT_LEAST);
            }
            let expected = expected(one);
            sum += if expected < 0.0 {
                BEYOND
            } else {
                let expected = expected * UNSEEN;
                let kept = kept[one.rank as usize];
                let likely = kept + (1.0 - kept) * expected;
                let said = if one.coincides {
                    libm::logf(likely / expected).min(MOST_SAID)
                } else {
                    libm::logf((1.0 - likely) / (1.0 - expected))
                };
                weight * said
            };
            if sum <= 0.0 {
                (sum, start) = (0.0, place + 1);
            } else if best.as_ref().is_none_or(|(most, _)| sum > *most) {
                best = Some((sum, start..place + 1));
            }
        }
    }
    best
}
