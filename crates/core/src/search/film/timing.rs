//! When: an alignment that frames agree along is fitted again to the frames that are nearest alone.
//!
//! Votes know time to their cell, and many frames near each other vote for all of the times between them. Of a frame of the
//! reference the frames of the query around its place are ever farther away on both sides of where it was: the middle of
//! the dip is told more finely than frames are sampled.

use minutia_machine::hamming::distance;

use super::alignment::Alignment;
use super::lanes::{Lane, reference_code};
use super::query::Query;
use crate::index::FilmFrames;

/// Frames of the query that are looked at to each side of the nearest: how deep the dip is.
const BESIDE: usize = 2;
/// Frames of the query within so many milliseconds of where the alignment has them may be the nearest.
const REACH_MS: f64 = 640.0;
/// A dip that is less deep, in bits, says nothing, and one that is deeper than this no more.
const LEAST_DEPTH: f64 = 4.0;
const MOST_DEPTH: f64 = 32.0;
/// A sample beside the nearest that is farther is of another shot, and says nothing of how far away its time is. Where all frames
/// are samples, those on both sides no further apart than so many milliseconds, the nearest is the very frame.
const OTHER_SHOT: f64 = 90.0;
const FRAME_BY_FRAME_MS: f64 = 100.0;
/// Tolerances of the fit, in milliseconds of the query, round by round.
const TOLERANCES_MS: [f64; 4] = [500.0, 300.0, 180.0, 120.0];
/// Fewer dips than this fit nothing, and fewer than that no speed.
const FEWEST: usize = 3;
const FEWEST_FOR_SPEED: usize = 5;
/// Speeds that films are played at: their own, and those of cinema as television and of television as cinema. One is kept
/// where the fit does not speak against it by so many standard errors, which are at least so much by the root of the dips.
const PLAIN_SPEEDS: [(f64, f64); 3] = [(1.0, 3.0), (25.0 / 24.0, 1.5), (24.0 / 25.0, 1.5)];
const LEAST_ERROR: f64 = 0.012;

/// The middle of a dip: a time of the query that is a time of the reference.
#[derive(Clone, Copy, Debug)]
struct Dip {
    query_ms: f64,
    reference_ms: f64,
    weight: f64,
}

/// The alignment fitted to the dips at the steps of a stretch: time and frame of the reference, and the views that are
/// compared. `None` where too few have one.
pub(super) fn refined(
    frames: &FilmFrames<'_>,
    query: &Query<'_>,
    alignment: &Alignment,
    steps: impl Iterator<Item = (f64, usize, Lane)>,
) -> Option<Alignment> {
    let dips = steps.filter_map(|(reference_ms, frame, lane)| dip(frames, query, alignment, reference_ms, frame, lane));
    fit(alignment, &dips.collect::<Vec<Dip>>())
}

fn dip(
    frames: &FilmFrames<'_>,
    query: &Query<'_>,
    alignment: &Alignment,
    reference_ms: f64,
    frame: usize,
    lane: Lane,
) -> Option<Dip> {
    let reference = reference_code(frames, frame, lane.reference_view)?;
    let at = alignment.query_ms(reference_ms);
    let time = |place: usize| f64::from(query.frames()[place].time_ms);
    let bits = |place: usize| Some(f64::from(distance(&query.code(place, lane.query_view)?, reference)));
    let near = query.frames().partition_point(|frame| f64::from(frame.time_ms) < at - REACH_MS);
    let beyond = query.frames().partition_point(|frame| f64::from(frame.time_ms) <= at + REACH_MS);
    let measured: Vec<(usize, f64)> = (near.saturating_sub(BESIDE)..(beyond + BESIDE).min(query.frames().len()))
        .filter_map(|place| Some((place, bits(place)?)))
        .collect();
    let inside = measured.iter().enumerate().filter(|(_, (place, _))| (near..beyond).contains(place));
    let (middle, &(_, least)) = inside.min_by(|(_, a), (_, b)| a.1.total_cmp(&b.1))?;
    let most = |side: &[(usize, f64)]| side.iter().map(|side| side.1).fold(f64::MIN, f64::max);
    let (from, to) = (middle.checked_sub(BESIDE)?, middle + BESIDE);
    let brim = most(measured.get(from..middle)?).min(most(measured.get(middle + 1..=to)?));
    let depth = brim - least;
    if depth < LEAST_DEPTH {
        return None;
    }
    // On both sides of its own place a frame is the farther the longer ago: two slopes of one steepness, which the three
    // nearest samples tell where they meet.
    let (before, after) = (measured[middle - 1], measured[middle + 1]);
    let is_other_shot = before.1.max(after.1) > OTHER_SHOT;
    if is_other_shot && time(after.0) - time(before.0) > FRAME_BY_FRAME_MS {
        return None;
    }
    let steepness = before.1.max(after.1) - least;
    let beyond = if is_other_shot { 0.0 } else { ((before.1 - after.1) / (2.0 * steepness)).clamp(-0.5, 0.5) };
    let (here, next) = (time(measured[middle].0), time(if beyond < 0.0 { before.0 } else { after.0 }));
    let query_ms = here + (next - here) * beyond.abs();
    let weight = depth.min(MOST_DEPTH) / MOST_DEPTH;
    Some(Dip { query_ms, reference_ms, weight: weight * weight })
}

/// A line through the dips by least squares, with shrinking tolerance.
fn fit(alignment: &Alignment, dips: &[Dip]) -> Option<Alignment> {
    let mut line = *alignment;
    for tolerance in TOLERANCES_MS {
        let rest = |dip: &Dip| dip.reference_ms - line.reference_ms(dip.query_ms);
        let near: Vec<&Dip> = dips.iter().filter(|dip| rest(dip).abs() < tolerance * line.speed).collect();
        if near.len() < FEWEST {
            return None;
        }
        let sum: f64 = near.iter().map(|dip| dip.weight).sum();
        let mean = |of: fn(&Dip) -> f64| near.iter().map(|dip| dip.weight * of(dip)).sum::<f64>() / sum;
        let (x, y) = (mean(|dip| dip.query_ms), mean(|dip| dip.reference_ms));
        let (mut across, mut along) = (0.0, 0.0);
        for dip in &near {
            across += dip.weight * (dip.query_ms - x) * (dip.query_ms - x);
            along += dip.weight * (dip.query_ms - x) * (dip.reference_ms - y);
        }
        if near.len() >= FEWEST_FOR_SPEED && across > 0.0 {
            let speed = (along / across).clamp(0.6, 1.7);
            let squares = near.iter().map(|dip| {
                let rest = dip.reference_ms - y - speed * (dip.query_ms - x);
                dip.weight * rest * rest
            });
            let error = libm::sqrt(squares.sum::<f64>() / across / (near.len() - 2) as f64)
                .max(LEAST_ERROR / libm::sqrt(near.len() as f64));
            let plain = PLAIN_SPEEDS.into_iter().find(|(plain, errors)| (speed - plain).abs() < errors * error);
            line.speed = plain.map_or(speed, |(plain, _)| plain);
        }
        line.offset = y - line.speed * x;
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_fitted_through_dips_and_past_what_lies_beside_it() {
        for (round, &speed) in [1.0, 25.0 / 24.0, 0.93, 1.11].iter().enumerate() {
            let mut state = round as u64 + 5;
            let mut below = |most: u64| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                ((state >> 33) % most) as f64
            };
            let dips: Vec<Dip> = (0..24_u32)
                .map(|number| {
                    let query_ms = f64::from(number) * 400.0;
                    let beside = if number % 5 == 2 { 260.0 } else { 0.0 };
                    let reference_ms = speed * query_ms + 5_120.0 + below(60) - 30.0 + beside;
                    Dip { query_ms, reference_ms, weight: 0.2 + below(80) / 100.0 }
                })
                .collect();
            let before = Alignment { film: 3, speed: speed + 0.015, offset: 5_060.0, votes: 9.0 };
            let line = fit(&before, &dips).unwrap();
            assert!((line.speed - speed).abs() < 0.003, "{speed}: {line:?}");
            let apart = line.reference_ms(4_800.0) - (speed * 4_800.0 + 5_120.0);
            assert!(apart.abs() < 20.0 && (line.film, line.votes) == (3, 9.0), "{speed}: {apart}");
            assert_eq!(fit(&before, &dips[..FEWEST - 1]), None);
        }
    }
}
