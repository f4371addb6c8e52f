//! Refining an alignment on the peaks that coincide under it.

use super::points::{Cursor, PITCH_TOLERANCE, Point, Reference, TIME_TOLERANCE};

/// How far to start: of an alignment at the query's own speed and pitch, and of any other.
const FIRST_TOLERANCE: (f32, f32) = (32.0, 5.0);
const FIRST_TOLERANCE_FREE: (f32, f32) = (80.0, 7.0);
/// Rounds of refining.
const ROUNDS: usize = 3;
const ROUNDS_FREE: usize = 7;
/// Slopes that are tried to each side in a round.
const SLOPES: i32 = 8;
/// Fewer coincidences than this are nothing.
const FEWEST: f32 = 4.0;

/// `reference time = speed * query time + offset`, both from local zeros.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fit {
    pub(super) speed: f32,
    pub(super) offset: f32,
    pub(super) pitch: f32,
}

impl Fit {
    pub(super) fn apply(&self, point: Point) -> Point {
        Point { time: self.speed * point.time + self.offset, pitch: point.pitch + self.pitch, ..point }
    }
}

/// Fits the alignment to the peaks that coincide under it, ever more narrowly.
pub(super) fn refine(query: &[Point], reference: &Reference, mut fit: Fit, free: bool) -> Option<Fit> {
    let ((mut time_tolerance, mut pitch_tolerance), rounds) =
        if free { (FIRST_TOLERANCE_FREE, ROUNDS_FREE) } else { (FIRST_TOLERANCE, ROUNDS) };
    let mut rests: Vec<(f32, Point)> = Vec::with_capacity(query.len());
    for _ in 0..rounds {
        rests.clear();
        let mut cursor = Cursor::default();
        for &point in query {
            let rest = reference.nearest_within(&mut cursor, fit.apply(point), (time_tolerance, pitch_tolerance));
            rests.extend(rest.map(|rest| (point.time, rest)));
        }
        if (rests.len() as f32) < FEWEST {
            return None;
        }
        let middle = rests.iter().map(|(time, _)| time).sum::<f32>() / rests.len() as f32;
        let span = rests.iter().map(|(time, _)| (time - middle).abs()).fold(8.0, f32::max);
        let width = (time_tolerance * 0.25).max(8.0);
        let (shift, slope) = densest(&rests, middle, span, time_tolerance, width, free);
        let (mut count, mut times, mut shifts, mut squares, mut products, mut pitches) =
            (0.0_f32, 0.0, 0.0, 0.0, 0.0, 0.0);
        for (time, rest) in &rests {
            let time = time - middle;
            if (rest.time - shift - slope * time).abs() <= width {
                count += 1.0;
                times += time;
                shifts += rest.time;
                squares += time * time;
                products += time * rest.time;
                pitches += rest.pitch;
            }
        }
        if count < FEWEST {
            return None;
        }
        let determinant = count * squares - times * times;
        let slope = if free && determinant > 1.0 { (count * products - times * shifts) / determinant } else { 0.0 };
        let shift = (shifts - slope * times) / count;
        fit.speed += slope;
        fit.offset += shift - slope * middle;
        if free {
            fit.pitch += pitches / count;
        }
        time_tolerance = (time_tolerance * 0.55).max(TIME_TOLERANCE + 3.2);
        pitch_tolerance = (pitch_tolerance * 0.85).max(PITCH_TOLERANCE);
    }
    Some(fit)
}

/// The shift, at the middle, and the slope under which most rests lie together.
fn densest(rests: &[(f32, Point)], middle: f32, span: f32, tolerance: f32, width: f32, free: bool) -> (f32, f32) {
    let half = width * 0.5;
    let cells = (2.0 * tolerance / half) as usize + 3;
    let mut counts = vec![0.0_f32; cells + 1];
    let mut best = (0.0_f32, 0.0, 0.0);
    let slopes = if free { SLOPES } else { 0 };
    for number in -slopes..=slopes {
        let slope = number as f32 / SLOPES as f32 * tolerance / span;
        counts.fill(0.0);
        for (time, rest) in rests {
            let place = (rest.time - slope * (time - middle) + tolerance) / half;
            if place >= 0.0 && place < (cells - 1) as f32 {
                let cell = place as usize;
                let beyond = place - cell as f32;
                counts[cell] += 1.0 - beyond;
                counts[cell + 1] += beyond;
            }
        }
        for cell in 1..cells {
            let count = counts[cell] + 0.7 * (counts[cell - 1] + counts[cell + 1]);
            if count > best.0 {
                best = (count, cell as f32 * half - tolerance, slope);
            }
        }
    }
    (best.1, best.2)
}
