//! Verification: an alignment is refined on the peaks, and judged by how many of the query's coincide with the reference's.
//!
//! What decides is a likelihood ratio. A peak of the query that coincides speaks for a copy the more the less it had to be
//! expected there anyway; one that does not speaks against. How much had to be expected follows from the reference itself:
//! from how often it has that pitch, from how much happens at that moment (music has its notes on beats), and from the
//! alignments that fit the rhythm nearly as well: what coincides under those too is no sign of a copy. The stretch of the
//! query with the greatest sum is the match, and that sum its score.

use std::ops::Range;

use super::alignment::Alignment;
use crate::fingerprint::{Peak, Zone};
use crate::index::PeakSlice;

/// Units of time and steps of pitch within which two peaks coincide.
const TIME_TOLERANCE: f32 = 12.8;
const PITCH_TOLERANCE: f32 = 5.0;
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

/// Over this time and pitch to each side is counted what had to be expected: 1 s, an octave.
const AROUND_TIME: f32 = 688.0;
const AROUND_PITCH: f32 = 240.0;
/// Peaks that stand for what was not seen.
const PRIOR: f32 = 0.5;
/// The least and the most that is expected.
const EXPECTED: Range<f32> = 0.004..0.4;
/// Rhythm is looked for so far away, 6 s, but not nearer than 81 ms, in cells of 23 ms; so many alignments of it count.
const LAG: f32 = 4_160.0;
const LAG_CELL: f32 = 16.0;
const NEAREST_LAG: f32 = 56.0;
const LAGS_APART: f32 = 40.0;
const LAGS: usize = 8;
/// It is looked for among pitches of one bin, so many steps wide.
const LAG_PITCHES: f32 = 16.0;
const LAG_BINS: usize = 128;
/// Such alignments weigh as these many, what was expected before as that many.
const LAG_PRIOR: f32 = 4.0;

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
/// Pairs of a query's peaks that are counted together.
const PAIRS: Zone = Zone { fan: 14, ..Zone::PAIRS };
/// What coincides beside an alignment counts by so much more, and so many more.
const CONTRAST_SLACK: f64 = 1.1;
const CONTRAST_PRIOR: f64 = 4.0;
/// Pairs that share a peak are not independent.
const CONTRAST_WEIGHT: f64 = 0.5;
/// There are fewer votes than pairs.
const CONTRAST_VOTES: f64 = 2.0;
const CONTRAST_VOTES_SLACK: f64 = 1.03;
/// An alignment that says less for a copy is none, before its rhythm is looked at.
const LEAST_LIKELIHOOD: f32 = 2.0;
/// What a peak of the query says where the reference has ended.
const BEYOND: f32 = -0.05;

/// What an alignment came to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Verified {
    pub(super) alignment: Alignment,
    /// Where in the query.
    pub(super) query: Range<u32>,
    pub(super) likelihood: f64,
    pub(super) contrast: f64,
    pub(super) coinciding: u32,
    pub(super) peaks: u32,
}

/// Seams of a match in neighbouring windows are at most so far apart in the query (2 s), in the reference (87 ms), and in
/// pitch.
const SEAM: u32 = 1_378;
const SEAM_REFERENCE: f64 = 60.0;
const SEAM_PITCH: f64 = 5.0;

impl Verified {
    /// The time in the reference of a time in the query.
    pub(super) fn reference_time(&self, time: u32) -> f64 {
        self.alignment.speed * f64::from(time) + self.alignment.offset
    }

    /// What decides: both, the contrast up to the likelihood, so that it does not decide alone. It counts for more, since
    /// music that is alike reaches some likelihood and hardly ever a contrast.
    pub(super) fn score(&self) -> f64 {
        0.5 * self.likelihood + 1.5 * self.contrast.min(self.likelihood)
    }

    /// True where `next`, which starts later, goes on where this ends, or lies in it.
    pub(super) fn continued_by(&self, next: &Verified) -> bool {
        let seam = next.query.start.max(self.query.start).min(self.query.end.max(next.query.start));
        next.query.start <= self.query.end.saturating_add(SEAM)
            && (self.reference_time(seam) - next.reference_time(seam)).abs() <= SEAM_REFERENCE
            && (self.alignment.pitch - next.alignment.pitch).abs() <= SEAM_PITCH
    }

    /// Takes in what continues it. What lies in both counts once.
    pub(super) fn join(&mut self, next: &Verified) {
        if next.query.end <= self.query.end {
            if next.score() > self.score() {
                (self.likelihood, self.contrast) = (next.likelihood, next.contrast);
                (self.coinciding, self.peaks) = (next.coinciding, next.peaks);
            }
            return;
        }
        let length = f64::from(next.query.end - next.query.start).max(1.0);
        let shared = f64::from(self.query.end.saturating_sub(next.query.start));
        let new = (1.0 - shared / length).clamp(0.0, 1.0);
        let (start, end) = (self.reference_time(self.query.start), next.reference_time(next.query.end));
        self.query.end = next.query.end;
        let span = f64::from(self.query.end - self.query.start).max(1.0);
        if self.alignment.speed != next.alignment.speed || self.alignment.offset != next.alignment.offset {
            self.alignment.speed = (end - start) / span;
            self.alignment.offset = start - self.alignment.speed * f64::from(self.query.start);
        }
        self.likelihood += next.likelihood * new;
        self.contrast += next.contrast * new;
        self.coinciding += libm::round(f64::from(next.coinciding) * new) as u32;
        self.peaks += libm::round(f64::from(next.peaks) * new) as u32;
    }
}

/// A peak with times and pitches from a local zero, which single precision holds exactly enough.
#[derive(Clone, Copy, Debug)]
struct Point {
    time: f32,
    pitch: f32,
}

/// Reference peaks around an alignment, sorted by time.
struct Reference {
    points: Vec<Point>,
    end: f32,
}

impl Reference {
    /// Those from `from` to `to`, inclusive.
    fn between(&self, from: f32, to: f32) -> impl Iterator<Item = &Point> {
        between(&self.points, from, to)
    }
}

/// Of points sorted by time those from `from` to `to`, inclusive: few, so that their end is not looked for.
fn between(points: &[Point], from: f32, to: f32) -> impl Iterator<Item = &Point> {
    let start = points.partition_point(|point| point.time < from);
    points[start..].iter().take_while(move |point| point.time <= to)
}

/// `reference time = speed * query time + offset`, both from local zeros.
#[derive(Clone, Copy, Debug)]
struct Fit {
    speed: f32,
    offset: f32,
    pitch: f32,
}

impl Fit {
    fn apply(&self, point: Point) -> Point {
        Point { time: self.speed * point.time + self.offset, pitch: point.pitch + self.pitch }
    }
}

/// A window of a query, made ready to be verified.
pub(super) struct Window<'q> {
    peaks: &'q [Peak],
    points: Vec<Point>,
    /// Peaks that go together as a landmark: what coincides in pairs.
    pairs: Vec<(u32, u32)>,
}

impl<'q> Window<'q> {
    pub(super) fn new(peaks: &'q [Peak]) -> Window<'q> {
        let origin = peaks.first().map_or(0, |peak| peak.time);
        let point = |peak: &Peak| Point { time: (peak.time - origin) as f32, pitch: f32::from(peak.pitch) };
        let (mut pairs, mut places) = (Vec::new(), Vec::new());
        for anchor in 0..peaks.len() {
            PAIRS.of(peaks, anchor, &mut places);
            pairs.extend(places.iter().map(|&place| (anchor as u32, place as u32)));
        }
        Window { peaks, points: peaks.iter().map(point).collect(), pairs }
    }
}

/// Refines `alignment` of a window on the `reference`'s peaks and judges it; `None` where too little coincides. What the
/// contrast is costs more and is found by [`contrast`].
pub(super) fn verify(window: &Window<'_>, reference: PeakSlice<'_>, alignment: &Alignment) -> Option<Verified> {
    let (reference, begin, fit, zero) = local(window, reference, alignment)?;
    let fit = refine(&window.points, &reference, fit, alignment.free)?;
    let mut told = tell(window, &reference, begin, fit);
    // Rhythm only takes away.
    best_stretch(&told, |told| told.expected).filter(|(likelihood, _)| *likelihood >= LEAST_LIKELIHOOD)?;
    allow_for_rhythm(&mut told, &window.points, &reference, fit);
    let (likelihood, _) = best_stretch(&told, |told| told.expected)?;
    let (_, stretch) = best_stretch(&told, |told| told.usual)?;
    let inside = &told[stretch.clone()];
    let speed = f64::from(fit.speed);
    let origin = f64::from(window.peaks.first()?.time);
    Some(Verified {
        alignment: Alignment {
            speed,
            offset: zero + f64::from(fit.offset) - speed * origin,
            pitch: f64::from(fit.pitch),
            ..*alignment
        },
        query: window.peaks[stretch.start].time..window.peaks[stretch.end - 1].time + 1,
        likelihood: likelihood.into(),
        contrast: 0.0,
        coinciding: inside.iter().filter(|told| told.coincides).count() as u32,
        peaks: inside.len() as u32,
    })
}

/// The peaks of the reference around an alignment, where the reference begins, the alignment, all from a local zero, and
/// that zero.
fn local(window: &Window<'_>, reference: PeakSlice<'_>, alignment: &Alignment) -> Option<(Reference, f32, Fit, f64)> {
    let (first, last) = window.peaks.first().zip(window.peaks.last())?;
    let at = |time: u32| alignment.speed * f64::from(time) + alignment.offset;
    let zero = libm::floor(at(first.time));
    let reach = f64::from(LAG + AROUND_TIME);
    let clamp = |time: f64| time.clamp(0.0, f64::from(u32::MAX)) as u32;
    let near = reference.span(clamp(at(first.time) - reach)..clamp(at(last.time) + reach));
    let local = |peak: Peak| Point { time: (f64::from(peak.time) - zero) as f32, pitch: f32::from(peak.pitch) };
    let end = reference.times.last().map_or(0.0, |&time| (f64::from(time) - zero) as f32);
    let fit =
        Fit { speed: alignment.speed as f32, offset: (at(first.time) - zero) as f32, pitch: alignment.pitch as f32 };
    let points: Vec<Point> = near.iter().map(local).collect();
    // An index that was tampered with may have them in any order.
    let sorted = points.is_sorted_by(|a, b| a.time <= b.time);
    sorted.then_some((Reference { points, end }, -zero as f32, fit, zero))
}

/// How much more coincides in pairs under an alignment than under the best that its rhythm offers beside it: the deviance
/// of a Poisson count. A copy fits at one place; music that is alike fits at every beat.
pub(super) fn contrast(window: &Window<'_>, reference: PeakSlice<'_>, verified: &Verified) -> f64 {
    let Some((reference, _, fit, _)) = local(window, reference, &verified.alignment) else { return 0.0 };
    let pairs_at = |lag: f32| {
        let coincides: Vec<bool> = window
            .points
            .iter()
            .map(|&point| {
                let place = fit.apply(point);
                let mut near = reference.between(place.time + lag - TIME_TOLERANCE, place.time + lag + TIME_TOLERANCE);
                near.any(|other| (other.pitch - place.pitch).abs() <= PITCH_TOLERANCE)
            })
            .collect();
        let both =
            window.pairs.iter().filter(|&&(first, second)| coincides[first as usize] && coincides[second as usize]);
        both.count() as f64
    };
    let here = pairs_at(0.0);
    let beside = lags(&window.points, &reference, fit).into_iter().map(pairs_at).fold(0.0, f64::max);
    // Alignments beside are found less exactly; and two pairs are always there.
    let usual = beside * CONTRAST_SLACK + CONTRAST_PRIOR;
    // The same of votes, which see the whole track: loops come again later than rhythm is looked for.
    let Alignment { votes, rival, .. } = verified.alignment;
    let by_votes = deviance(votes.into(), f64::from(rival) * CONTRAST_VOTES_SLACK + 1.0) * CONTRAST_VOTES;
    (deviance(here, usual) * CONTRAST_WEIGHT).min(by_votes)
}

/// How much a Poisson count says against what was to be expected; nothing where it is no more.
fn deviance(count: f64, expected: f64) -> f64 {
    if count <= expected { 0.0 } else { count * libm::log(count / expected) - (count - expected) }
}

/// Fits the alignment to the peaks that coincide under it, ever more narrowly.
fn refine(query: &[Point], reference: &Reference, mut fit: Fit, free: bool) -> Option<Fit> {
    let ((mut time_tolerance, mut pitch_tolerance), rounds) =
        if free { (FIRST_TOLERANCE_FREE, ROUNDS_FREE) } else { (FIRST_TOLERANCE, ROUNDS) };
    let mut rests: Vec<(f32, Point)> = Vec::with_capacity(query.len());
    for _ in 0..rounds {
        rests.clear();
        for &point in query {
            let place = fit.apply(point);
            let near = reference.between(place.time - time_tolerance, place.time + time_tolerance);
            let rests_of = near.map(|other| Point { time: other.time - place.time, pitch: other.pitch - place.pitch });
            let rest = rests_of
                .filter(|rest| rest.pitch.abs() <= pitch_tolerance)
                .min_by(|a, b| distance(*a).total_cmp(&distance(*b)));
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

fn distance(rest: Point) -> f32 {
    rest.time.abs() + 1.6 * rest.pitch.abs()
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

/// What one peak of the query tells.
#[derive(Clone, Copy, Debug)]
struct Told {
    time: f32,
    /// Place in [`KEPT`].
    rank: u8,
    coincides: bool,
    /// How likely that was without a copy, by pitch, beat and rhythm; negative where the reference has no sound.
    expected: f32,
    /// By pitch alone: tells where a copy begins and ends, once it is known to be one.
    usual: f32,
}

fn tell(window: &Window<'_>, reference: &Reference, begin: f32, fit: Fit) -> Vec<Told> {
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

/// Raises what had to be expected of the peaks that coincide by what coincides when the alignment is shifted by a beat.
fn allow_for_rhythm(told: &mut [Told], query: &[Point], reference: &Reference, fit: Fit) {
    let lags = lags(query, reference, fit);
    if lags.is_empty() {
        return;
    }
    for (one, &point) in told.iter_mut().zip(query).filter(|(one, _)| one.coincides) {
        let place = fit.apply(point);
        let also = lags.iter().filter(|&&lag| {
            let mut near = reference.between(place.time + lag - TIME_TOLERANCE, place.time + lag + TIME_TOLERANCE);
            near.any(|other| (other.pitch - place.pitch).abs() <= PITCH_TOLERANCE)
        });
        let rhythm = (LAG_PRIOR * one.expected + also.count() as f32) / (LAG_PRIOR + LAGS as f32);
        one.expected = one.expected.max(rhythm.min(EXPECTED.end));
    }
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

/// The stretch of the query that says most for a copy, and how much; `None` where nothing does.
fn best_stretch(told: &[Told], expected: fn(&Told) -> f32) -> Option<(f32, Range<usize>)> {
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
