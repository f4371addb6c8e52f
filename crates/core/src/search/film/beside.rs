//! What an alignment has beside it: how near shifted frames of the reference come.

use super::alignment::Alignment;
use super::lanes::{Compare, Lanes};
use super::query::Query;
use super::steps::Step;
use crate::index::FilmFrames;

/// Shifts of the reference that an alignment is set beside.
pub(super) const SHIFTS_MS: [f64; 12] =
    [-6_500.0, -4_500.0, -3_000.0, -2_000.0, -1_500.0, -1_000.0, 1_000.0, 1_500.0, 2_000.0, 3_000.0, 4_500.0, 6_500.0];
/// And nearer ones, under which what runs backwards agrees.
const NEAR_SHIFTS_MS: [f64; 4] = [-750.0, -500.0, 500.0, 750.0];
/// Frames nearer in time are nearer anyway, by so many bits.
const NEAR_SLACK: f64 = 4.0;
/// A step that is farther than a shifted one, by more than so many bits and so much of that one's distance, speaks against the
/// alignment.
const CONTRARY_BITS: f64 = 12.0;
const CONTRARY_SHARE: f64 = 0.25;
/// A step that is nearer than shifted ones by so many bits tells that an alignment goes on, if it tells more than this.
const TOLD_BITS: f64 = 24.0;
const UNTOLD: f64 = 0.1;
/// A stretch goes on over steps that tell at least so much together, until so much was lost.
const LEAST_GAIN: f64 = 1.0;
const MOST_UNTOLD: f64 = 1.5;

/// What shifted frames of the reference come to at a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beside {
    /// The distance that a third of the far ones is below.
    pub(super) usual: f64,
    /// The least of all.
    pub(super) least: f64,
}

/// Of frames and of frame differences, where the step compares them.
pub(super) fn besides(
    frames: &FilmFrames<'_>,
    query: &Query<'_>,
    alignment: &Alignment,
    lanes: &Lanes,
    step: &Step,
) -> [Option<Beside>; 2] {
    let query_ms = alignment.query_ms(step.reference_ms);
    Compare::BOTH.map(|compare| {
        step.compared[compare as usize]?;
        let shifted = |shift: &f64| {
            let at = step.reference_ms + shift;
            if at < 0.0 || at >= frames.duration_ms as f64 {
                return None;
            }
            let frame = frames.at(at)?;
            // Shifted frames have the same choice as aligned ones, or all would seem to agree best where they were looked for.
            // Views that the shifted frame has not: the frame before that has them is near enough in time.
            let nearest = |frame| lanes.compared(compare, frames, frame, query, query_ms).min();
            let (bits, ..) = nearest(frame).into_iter().chain(nearest(frames.wider(frame))).min()?;
            Some(f64::from(bits))
        };
        let mut others: Vec<f64> = SHIFTS_MS.iter().filter_map(shifted).collect();
        others.sort_by(f64::total_cmp);
        let usual = *others.get(others.len() / 3)?;
        let near = NEAR_SHIFTS_MS.iter().filter_map(shifted).fold(f64::MAX, f64::min) + NEAR_SLACK;
        let least = others.first().copied()?.min(near);
        Some(Beside { usual, least })
    })
}

/// True for a step that agrees better under a shift, in all that is compared.
pub(super) fn is_contrary(step: &Step, beside: &[Option<Beside>; 2]) -> bool {
    let mut both = step.compared.iter().zip(beside).filter_map(|(compared, beside)| compared.zip(*beside)).peekable();
    both.peek().is_some()
        && both
            .all(|(compared, beside)| compared.distance - beside.least > CONTRARY_BITS + CONTRARY_SHARE * beside.least)
}

/// What a step tells where an alignment is sure by what is beside it: how much nearer it is than shifted ones, however far.
pub(super) fn tells(step: &Step, beside: &[Option<Beside>; 2]) -> f64 {
    let compared = step.compared.iter().zip(beside).filter_map(|(compared, beside)| compared.zip(*beside));
    let (sum, count) = compared.fold((0.0, 0.0), |(sum, count), (compared, beside)| {
        (sum + ((beside.usual - compared.distance) / TOLD_BITS).clamp(-1.0, 1.0), count + 1.0)
    });
    if count > 0.0 { sum / count - UNTOLD } else { -UNTOLD }
}

/// How many of the steps from a stretch on still tell that the alignment goes on: as many as tell most together.
pub(super) fn gained<'t>(tells: impl Iterator<Item = &'t f64>) -> usize {
    let (mut sum, mut best) = (0.0, (LEAST_GAIN, 0));
    for (place, tell) in tells.enumerate() {
        sum += tell;
        if sum > best.0 {
            best = (sum, place + 1);
        } else if sum < best.0 - MOST_UNTOLD {
            break;
        }
    }
    best.1
}
