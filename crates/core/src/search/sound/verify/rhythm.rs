//! What an alignment has beside those that fit the rhythm nearly as well: beats and bars again.

use super::closeness::{Rests, closeness};
use super::fit::Fit;
use super::likelihood::{EXPECTED, Told};
use super::points::{Cursor, PITCH_TOLERANCE, Point, Reference};
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
const LAG_PITCHES: f32 = 8.0;
const LAG_BINS: usize = 256;
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
    let mut cursors = [Cursor::default(); LAGS];
    for (one, &point) in told.iter_mut().zip(query).filter(|(one, _)| one.coincides) {
        let place = fit.apply(point);
        let (mut also, mut alike) = (0.0_f32, 0.0_f32);
        for (&lag, cursor) in lags.iter().zip(&mut cursors) {
            if let Some(nearest) = reference.nearest(cursor, Point { time: place.time + lag, ..place }) {
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
        let mut cursor = Cursor::default();
        let nearest: Vec<Option<Point>> =
            window.points.iter().map(|&point| reference.nearest(&mut cursor, fit.apply(point))).collect();
        nearest[inside.clone()].iter().flatten().for_each(|&rest| rests.count(rest));
        window.pairs_of(|place| nearest[place].is_some()) as f64
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
    let pitches = Pitches::of(&reference.points);
    let (mut cursors, mut near) = ([Cursor::default(); LAG_BINS], vec![0.0; pitches.points.len()]);
    for &point in query {
        let place = fit.apply(point);
        let bin = bin(place.pitch);
        for &apart in pitches.near(bin, &mut cursors[bin], place, &mut near) {
            let cell = ((apart + LAG) / LAG_CELL) as usize;
            counts[cell] += 1;
            sums[cell] += apart;
        }
    }
    let lag = |cell: usize| (cell as f32 + 0.5) * LAG_CELL - LAG;
    // The count above the cell.
    let mut ordered: Vec<u64> = (1..cells)
        .filter(|&cell| lag(cell).abs() > NEAREST_LAG)
        .map(|cell| u64::from(counts[cell] + counts[cell - 1].max(counts[cell + 1])) << 32 | cell as u64)
        .collect();
    ordered.sort_unstable();
    let mut lags: Vec<f32> = Vec::with_capacity(LAGS);
    for cell in ordered.into_iter().rev().map(|counted| counted as u32 as usize) {
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

/// Of which bin a pitch is.
#[inline(always)]
fn bin(pitch: f32) -> usize {
    ((pitch.max(0.0) / LAG_PITCHES) as usize).min(LAG_BINS - 1)
}

/// Points by bins of pitch: most of what is heard within six seconds has another pitch. Each bin has all that can coincide with
/// a pitch in it, sorted by time.
struct Pitches {
    points: Vec<Point>,
    /// Where each bin begins, and where the last ends.
    starts: [usize; LAG_BINS + 1],
}

impl Pitches {
    fn of(points: &[Point]) -> Pitches {
        let bins = |point: &Point| {
            let reach = PITCH_TOLERANCE + 1.0;
            bin(point.pitch - reach)..=bin(point.pitch + reach)
        };
        let mut starts = [0; LAG_BINS + 1];
        for bin in points.iter().flat_map(bins) {
            starts[bin + 1] += 1;
        }
        for bin in 0..LAG_BINS {
            starts[bin + 1] += starts[bin];
        }
        let mut ends = starts;
        let mut all = vec![Point { time: 0.0, pitch: 0.0, rank: 0 }; starts[LAG_BINS]];
        for point in points {
            for bin in bins(point) {
                all[ends[bin]] = *point;
                ends[bin] += 1;
            }
        }
        Pitches { points: all, starts }
    }

    /// How much later than `place`, which is of that bin, others of its pitch are. There is room for as many as there are points.
    #[inline(always)]
    fn near<'n>(&self, bin: usize, cursor: &mut Cursor, place: Point, near: &'n mut [f32]) -> &'n [f32] {
        let points = &self.points[self.starts[bin]..self.starts[bin + 1]];
        let points = &points[cursor.first(points, place.time - LAG)..];
        let mut count = 0;
        // One in three has the pitch, which no processor guesses: each is written, and the next over those that have not.
        for other in points.iter().take_while(|other| other.time <= place.time + LAG) {
            near[count] = other.time - place.time;
            count += usize::from((other.pitch - place.pitch).abs() <= PITCH_TOLERANCE);
        }
        &near[..count]
    }
}
