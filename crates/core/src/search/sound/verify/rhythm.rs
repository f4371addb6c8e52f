//! What an alignment has beside those that fit the rhythm nearly as well: beats and bars again.

use super::closeness::{Rests, closeness};
use super::fit::Fit;
use super::likelihood::{EXPECTED, Told};
use super::points::{PITCH_TOLERANCE, Point, Reference, between};
use super::ranks::{chance_of, classes};
use super::{Verified, Window, local};
use crate::index::PeakSlice;
use crate::search::sound::alignment::Alignment;

/// Rhythm is looked for so far away, 6 s, but not nearer than 81 ms, in cells of 23 ms; so many alignments of it count.
pub(super) const LAG: f32 = 4_160.0;
const LAG_CELL: f32 = 16.0;
const NEAREST_LAG: f32 = 56.0;
const LAGS_APART: f32 = 40.0;
const LAGS: usize = 8;
/// It is looked for among pitches of one bin, so many steps wide.
const LAG_PITCHES: f32 = 16.0;
const LAG_BINS: usize = 128;
/// Such alignments weigh as these many, what was expected before as that many.
const LAG_PRIOR: f32 = 4.0;
/// Of the ranks that coincide under such alignments, what is usual weighs as these many.
const RANKS_PRIOR: f32 = 8.0;

/// What coincides beside an alignment counts by so much more, and so many more.
const CONTRAST_SLACK: f64 = 1.1;
const CONTRAST_PRIOR: f64 = 4.0;
/// Pairs that share a peak are not independent.
const CONTRAST_WEIGHT: f64 = 0.5;
/// There are fewer votes than pairs.
const CONTRAST_VOTES: f64 = 2.0;
const CONTRAST_VOTES_SLACK: f64 = 1.03;

/// Raises what had to be expected of the peaks that coincide by what coincides when the alignment is shifted by a beat, and what
/// of their ranks by the ranks that it then has.
pub(super) fn allow_for_rhythm(told: &mut [Told], query: &[Point], reference: &Reference, fit: Fit) {
    let lags = lags(query, reference, fit);
    if lags.is_empty() {
        return;
    }
    for (one, &point) in told.iter_mut().zip(query).filter(|(one, _)| one.coincides) {
        let place = fit.apply(point);
        let (mut also, mut alike) = (0.0_f32, 0.0_f32);
        for &lag in &lags {
            if let Some(nearest) = reference.nearest(Point { time: place.time + lag, ..place }) {
                also += 1.0;
                alike += f32::from(u8::from(classes(point.rank, nearest.rank) == one.classes));
            }
        }
        let rhythm = (LAG_PRIOR * one.expected + also) / (LAG_PRIOR + LAGS as f32);
        one.expected = one.expected.max(rhythm.min(EXPECTED.end));
        let by_chance = chance_of(one.classes);
        one.ranks_expected = ((RANKS_PRIOR * by_chance + alike) / (RANKS_PRIOR + also) / by_chance).max(1.0);
    }
}

/// The contrast and the closeness of an alignment beside those that its rhythm offers: a copy fits at one place, music that is
/// alike at every beat.
pub(super) fn beside_rhythm(window: &Window<'_>, reference: PeakSlice<'_>, verified: &Verified) -> (f64, f64) {
    let Some((reference, _, fit, _)) = local(window, reference, &verified.alignment) else { return (0.0, 0.0) };
    let inside = window.places(&verified.query);
    let (mut here, mut beside) = (Rests::default(), Rests::default());
    let pairs_at = |lag: f32, rests: &mut Rests| {
        let fit = Fit { offset: fit.offset + lag, ..fit };
        let nearest = |&point: &Point| reference.nearest(fit.apply(point));
        let nearest: Vec<Option<Point>> = window.points.iter().map(nearest).collect();
        nearest[inside.clone()].iter().flatten().for_each(|&rest| rests.count(rest));
        let coincides = |place: u32| nearest[place as usize].is_some();
        window.pairs.iter().filter(|&&(first, second)| coincides(first) && coincides(second)).count() as f64
    };
    let pairs_here = pairs_at(0.0, &mut here);
    let lags = lags(&window.points, &reference, fit);
    let pairs_beside = lags.into_iter().map(|lag| pairs_at(lag, &mut beside)).fold(0.0, f64::max);
    // Alignments beside are found less exactly; and two pairs are always there.
    let usual = pairs_beside * CONTRAST_SLACK + CONTRAST_PRIOR;
    // The same of votes, which see the whole track: loops come again later than rhythm is looked for.
    let Alignment { votes, rival, .. } = verified.alignment;
    let by_votes = deviance(votes.into(), f64::from(rival) * CONTRAST_VOTES_SLACK + 1.0) * CONTRAST_VOTES;
    let contrast = (deviance(pairs_here, usual) * CONTRAST_WEIGHT).min(by_votes);
    (contrast, closeness(&here, &beside))
}

/// How much a Poisson count says against what was to be expected; nothing where it is no more.
fn deviance(count: f64, expected: f64) -> f64 {
    if count <= expected { 0.0 } else { count * libm::log(count / expected) - (count - expected) }
}

/// By how much the alignment can be shifted so that again many peaks of one pitch coincide: beats and bars.
fn lags(query: &[Point], reference: &Reference, fit: Fit) -> Vec<f32> {
    let cells = (2.0 * LAG / LAG_CELL) as usize + 2;
    let (mut counts, mut sums) = (vec![0_u32; cells + 1], vec![0.0_f32; cells + 1]);
    // Most of what is heard within six seconds has another pitch: each bin has all that can coincide with a pitch in it.
    let bin = |pitch: f32| ((pitch.max(0.0) / LAG_PITCHES) as usize).min(LAG_BINS - 1);
    let mut bins: Vec<Vec<Point>> = vec![Vec::new(); LAG_BINS];
    for &point in &reference.points {
        let reach = PITCH_TOLERANCE + 1.0;
        bins[bin(point.pitch - reach)..=bin(point.pitch + reach)].iter_mut().for_each(|bin| bin.push(point));
    }
    for &point in query {
        let place = fit.apply(point);
        for other in between(&bins[bin(place.pitch)], place.time - LAG, place.time + LAG) {
            if (other.pitch - place.pitch).abs() <= PITCH_TOLERANCE {
                let cell = ((other.time - place.time + LAG) / LAG_CELL) as usize;
                counts[cell] += 1;
                sums[cell] += other.time - place.time;
            }
        }
    }
    let lag = |cell: usize| (cell as f32 + 0.5) * LAG_CELL - LAG;
    let mut ordered: Vec<(u32, usize)> = (1..cells)
        .filter(|&cell| lag(cell).abs() > NEAREST_LAG)
        .map(|cell| (counts[cell] + counts[cell - 1].max(counts[cell + 1]), cell))
        .collect();
    ordered.sort_unstable_by(|a, b| b.cmp(a));
    let mut lags: Vec<f32> = Vec::with_capacity(LAGS);
    for (_, cell) in ordered {
        if lags.len() == LAGS {
            break;
        }
        // Where what lies in the cell and its fuller neighbour has its middle.
        let neighbour = if counts[cell - 1] > counts[cell + 1] { cell - 1 } else { cell + 1 };
        let lag = (sums[cell] + sums[neighbour]) / (counts[cell] + counts[neighbour]).max(1) as f32;
        if lags.iter().all(|other| (other - lag).abs() > LAGS_APART) {
            lags.push(lag);
        }
    }
    lags
}
