//! Verification: an alignment is refined on the peaks, and judged by how many of the query's coincide with the reference's.
//!
//! What decides is a likelihood ratio. A peak of the query that coincides speaks for a copy the more the less it had to be
//! expected there anyway; one that does not speaks against. How much had to be expected follows from the reference itself:
//! from how often it has that pitch, from how much happens at that moment (music has its notes on beats), and from the
//! alignments that fit the rhythm nearly as well: what coincides under those too is no sign of a copy. And it speaks for one
//! the more the better the ranks of both agree. The stretch of the query with the greatest sum is the match.

mod closeness;
mod fit;
mod harmony;
mod likelihood;
mod points;
mod ranks;
mod rhythm;

use std::ops::Range;

use self::fit::{Fit, refine};
use self::harmony::harmony;
use self::likelihood::{AROUND_TIME, best_stretch, lasting, tell};
use self::points::{Point, Reference};
use self::ranks::ratios_of;
use self::rhythm::{LAG, allow_for_rhythm, beside_rhythm};
use super::alignment::Alignment;
use crate::fingerprint::{Peak, Zone};
use crate::index::PeakSlice;

/// Pairs of a query's peaks that are counted together.
const PAIRS: Zone = Zone { fan: 14, ..Zone::PAIRS };
/// An alignment that says less for a copy is none, before its rhythm is looked at.
const LEAST_LIKELIHOOD: f32 = 2.0;
/// Music that is alike without being a copy has at most so much closeness a second, under the best alignment that its beat offers.
const USUAL_CLOSENESS: f64 = 2.0;

/// What an alignment came to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Verified {
    pub(super) alignment: Alignment,
    /// Where in the query.
    pub(super) query: Range<u32>,
    pub(super) likelihood: f64,
    /// How much of that nothing which it has beside its rhythm bears out.
    alone: f64,
    beside: Beside,
    pub(super) coinciding: u32,
    pub(super) peaks: u32,
}

/// What an alignment has beside those that its rhythm offers, and beside other places of the recording.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Beside {
    /// How much more coincides in pairs: the deviance of a Poisson count.
    pub(super) contrast: f64,
    /// How much more exactly what coincides does so: the logarithm of a likelihood ratio.
    pub(super) closeness: f64,
    /// How much better harmonies agree: the logarithm of a likelihood ratio.
    pub(super) harmony: f64,
}

impl Beside {
    fn all(self) -> f64 {
        self.contrast + self.closeness + self.harmony
    }
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

    /// What decides, of a match that covers `share` of what a match should.
    ///
    /// Music that is alike reaches some likelihood, and now and then a contrast, a closeness or a harmony beside it, but not all:
    /// so none counts for more than the likelihood allows. What two works share by chance or by a sound of one library is
    /// short, and hardly ever exact. What is played to one beat is a little more exact than its rhythm, all along.
    pub(super) fn score(&self, share: f64) -> f64 {
        let (likelihood, Beside { contrast, closeness, harmony }) = (self.likelihood, self.beside);
        let covered = share * share;
        let seconds = f64::from(self.query.end - self.query.start) * Peak::TIME_UNIT;
        let closeness = (closeness - USUAL_CLOSENESS * seconds).max(0.0);
        // Chance has many short stretches, and one of them is exact.
        let trusted = 1.0 + covered;
        covered * (0.5 * (likelihood + contrast.min(1.5 * likelihood)) + harmony.min(likelihood))
            + 0.25 * trusted * closeness.min(trusted * likelihood)
    }

    /// True where `next`, which starts later, goes on where this ends, or lies in it.
    pub(super) fn continued_by(&self, next: &Verified) -> bool {
        let seam = next.query.start.max(self.query.start).min(self.query.end.max(next.query.start));
        next.query.start <= self.query.end.saturating_add(SEAM)
            && (self.reference_time(seam) - next.reference_time(seam)).abs() <= SEAM_REFERENCE
            && (self.alignment.pitch - next.alignment.pitch).abs() <= SEAM_PITCH
    }

    /// True where `other` is of the same alignment and most of it, or of this, lies in both.
    pub(super) fn same_as(&self, other: &Verified) -> bool {
        let (first, second) = if self.query.start <= other.query.start { (self, other) } else { (other, self) };
        let both = first.query.end.min(second.query.end).saturating_sub(second.query.start);
        let shorter = (self.query.end - self.query.start).min(other.query.end - other.query.start);
        2 * both > shorter && first.continued_by(second)
    }

    /// Takes the stretch of `other` in, and nothing that it says.
    pub(super) fn widen(&mut self, other: &Verified) {
        self.query = self.query.start.min(other.query.start)..self.query.end.max(other.query.end);
    }

    /// What it has beside other alignments.
    pub(super) fn beside(&self) -> Beside {
        self.beside
    }

    pub(super) fn set_beside(&mut self, beside: Beside) {
        self.beside = beside;
        self.alone = (self.likelihood - beside.all()).max(0.0);
    }

    /// Takes in what continues it. What lies in both counts once, and so does what nothing else bears out: where two pieces
    /// have one beat and one drum in common, they have them in every window.
    pub(super) fn join(&mut self, next: &Verified) {
        if next.query.end <= self.query.end {
            if next.score(1.0) > self.score(1.0) {
                (self.likelihood, self.alone, self.beside) = (next.likelihood, next.alone, next.beside);
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
        let alone = next.alone * new;
        self.likelihood += next.likelihood * new - alone.min(self.alone);
        self.alone = self.alone.max(alone);
        self.beside.contrast += next.beside.contrast * new;
        self.beside.closeness += next.beside.closeness * new;
        self.beside.harmony += next.beside.harmony * new;
        self.coinciding += libm::round(f64::from(next.coinciding) * new) as u32;
        self.peaks += libm::round(f64::from(next.peaks) * new) as u32;
    }
}

/// A window of a query, made ready to be verified.
pub(super) struct Window<'q> {
    peaks: &'q [Peak],
    points: Vec<Point>,
    /// Peaks that go together as a landmark, the later ones of each after those of the one before: what coincides in pairs.
    later: Vec<u32>,
    /// Where those of each end.
    ends: Vec<usize>,
}

impl<'q> Window<'q> {
    pub(super) fn new(peaks: &'q [Peak]) -> Window<'q> {
        let origin = peaks.first().map_or(0, |peak| peak.time);
        let point =
            |peak: &Peak| Point { time: (peak.time - origin) as f32, pitch: f32::from(peak.pitch), rank: peak.rank };
        let (mut later, mut ends, mut places) = (Vec::new(), Vec::with_capacity(peaks.len()), Vec::new());
        for anchor in 0..peaks.len() {
            PAIRS.of(peaks, anchor, &mut places);
            later.extend(places.iter().map(|&place| place as u32));
            ends.push(later.len());
        }
        Window { peaks, points: peaks.iter().map(point).collect(), later, ends }
    }

    /// How many pairs there are of peaks at such places: few are, and of the others nothing is looked at.
    fn pairs_of(&self, is_such: impl Fn(usize) -> bool) -> usize {
        let (mut start, mut pairs) = (0, 0);
        for (anchor, &end) in self.ends.iter().enumerate() {
            if is_such(anchor) {
                pairs += self.later[start..end].iter().filter(|&&later| is_such(later as usize)).count();
            }
            start = end;
        }
        pairs
    }

    /// The places of the peaks in a span of the query.
    fn places(&self, span: &Range<u32>) -> Range<usize> {
        let place = |time: u32| self.peaks.partition_point(|peak| peak.time < time);
        place(span.start)..place(span.end)
    }
}

/// Refines `alignment` of a window on the `reference`'s peaks and judges it; `None` where too little coincides. What it
/// has beside others costs more and is found by [`beside`].
pub(super) fn verify(window: &Window<'_>, reference: PeakSlice<'_>, alignment: &Alignment) -> Option<Verified> {
    let (reference, begin, fit, zero) = local(window, reference, alignment)?;
    let fit = refine(&window.points, &reference, fit, alignment.free)?;
    let mut told = tell(window, &reference, begin, fit);
    let ratios = ratios_of(alignment.mix);
    // Rhythm only takes away.
    best_stretch(&told, ratios, |told| told.expected).filter(|(likelihood, _)| *likelihood >= LEAST_LIKELIHOOD)?;
    allow_for_rhythm(&mut told, &window.points, &reference, fit);
    let (likelihood, telling) = best_stretch(&told, ratios, |told| told.expected)?;
    let likelihood = likelihood * lasting(&told[telling]);
    let (_, stretch) = best_stretch(&told, ratios, |told| told.usual)?;
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
        alone: likelihood.into(),
        beside: Beside::default(),
        coinciding: inside.iter().filter(|told| told.coincides).count() as u32,
        peaks: inside.len() as u32,
    })
}

/// What a verified alignment has beside others: of the window on the `reference`'s peaks, and of the items of both.
pub(super) fn beside(
    window: &Window<'_>,
    reference: PeakSlice<'_>,
    [query_items, reference_items]: [&[u32]; 2],
    verified: &Verified,
) -> Beside {
    let (contrast, closeness) = beside_rhythm(window, reference, verified);
    Beside { contrast, closeness, harmony: harmony(query_items, reference_items, verified) }
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
    let local = |peak: Peak| Point {
        time: (f64::from(peak.time) - zero) as f32,
        pitch: f32::from(peak.pitch),
        rank: peak.rank,
    };
    let end = reference.times.last().map_or(0.0, |&time| (f64::from(time) - zero) as f32);
    let fit =
        Fit { speed: alignment.speed as f32, offset: (at(first.time) - zero) as f32, pitch: alignment.pitch as f32 };
    let points: Vec<Point> = near.iter().map(local).collect();
    // An index that was tampered with may have them in any order.
    let sorted = points.is_sorted_by(|a, b| a.time <= b.time);
    sorted.then_some((Reference::new(points, end), -zero as f32, fit, zero))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::{AudioFingerprint, Fingerprint, Mix};
    use crate::index::{Access, Entry, Index, Work, WorkId, Writer};
    use crate::search::sound::{Lane, keep_surest_fit};

    const SAME_TIME: Alignment =
        Alignment { track: 0, mix: Mix::Mid, speed: 1.0, offset: 0.0, pitch: 0.0, free: false, votes: 9.0, rival: 0.0 };

    /// The likelihood of two recordings that have 24 peaks in common, `apart` units one after the other, and 200 that they have not.
    fn likelihood(apart: u32) -> f64 {
        let peaks = |seed: u32| -> Vec<Peak> {
            let other = |n: u32| Peak {
                time: (n * 353 + seed * 170) % 9_000,
                pitch: ((n * 577 + seed * 800) % 1_600) as u16,
                rank: 9,
            };
            let common = (0..24_u32).map(|n| Peak { time: 3_000 + n * apart, pitch: (60 * n + 31) as u16, rank: 2 });
            let mut peaks: Vec<Peak> = common.chain((1..=200).map(other)).collect();
            peaks.sort();
            peaks
        };
        let mid = peaks(0);
        let reference =
            AudioFingerprint { duration_ms: 14_000, content_ms: 14_000, mid: peaks(1), ..AudioFingerprint::default() };
        let directory = tempfile::tempdir().unwrap();
        let mut writer = Writer::open(directory.path()).unwrap();
        let work = Work::new(WorkId::new("W".to_owned()).unwrap());
        let fingerprints = vec![Fingerprint::Audio(reference)];
        writer
            .add(Entry { work, source_name: "w".to_owned(), source_digest: None, fingerprints, thumbnail: None })
            .unwrap();
        writer.commit().unwrap();
        let index = Index::open(directory.path(), Access::InMemory).unwrap();
        let sounds = index.sounds().unwrap();
        let verified = verify(&Window::new(&mid), sounds[0].1.peaks(0, Mix::Mid), &SAME_TIME);
        verified.map_or(-1.0, |verified| verified.likelihood)
    }

    #[test]
    fn one_stroke_that_two_recordings_share_says_next_to_nothing() {
        let [stroke, roll, tune] = [1, 6, 60].map(likelihood);
        assert!(stroke > 0.0 && 5.0 * stroke < roll, "{stroke} {roll}");
        assert!(tune > roll);
    }

    fn verified(likelihood: f64, contrast: f64, closeness: f64) -> Verified {
        let mut verified = Verified {
            alignment: SAME_TIME,
            query: 0..5_512,
            likelihood,
            alone: likelihood,
            beside: Beside::default(),
            coinciding: 20,
            peaks: 40,
        };
        verified.set_beside(Beside { contrast, closeness, harmony: 0.0 });
        verified
    }

    #[test]
    fn what_nothing_bears_out_counts_once_in_neighbouring_windows() {
        let joined = |parts: &[Verified]| {
            let mut whole = parts[0].clone();
            for (number, next) in (1..).zip(&parts[1..]) {
                whole.join(&Verified { query: 5_512 * number..5_512 * (number + 1), ..next.clone() });
            }
            (whole.likelihood, whole.query.end)
        };
        let [alike, exact, one] = [verified(6.0, 0.0, 0.0), verified(6.0, 4.0, 5.0), verified(6.0, 0.0, 2.0)];
        assert_eq!(joined(&[alike.clone(), alike.clone(), alike.clone()]), (6.0, 3 * 5_512));
        assert_eq!(joined(&[exact.clone(), exact.clone(), alike.clone()]), (18.0, 3 * 5_512));
        let mut harmonic = alike.clone();
        harmonic.set_beside(Beside { harmony: 6.0, ..Beside::default() });
        assert_eq!(joined(&[harmonic.clone(), harmonic.clone(), alike.clone()]), (18.0, 3 * 5_512));
        let mut whole = harmonic.clone();
        whole.join(&Verified { query: 5_512..2 * 5_512, ..harmonic });
        assert_eq!(whole.beside().harmony, 12.0);
        // Two of each are borne out, and of the other four the most that one has.
        assert_eq!(joined(&[one.clone(), one.clone(), one.clone()]), (10.0, 3 * 5_512));
        assert_eq!(joined(&[one, alike, exact]), (14.0, 3 * 5_512));
    }

    #[test]
    fn what_lies_mostly_in_another_of_its_alignment_is_the_same() {
        let part = |query: Range<u32>, offset: f64| Verified {
            query,
            alignment: Alignment { offset, ..SAME_TIME },
            ..verified(6.0, 0.0, 0.0)
        };
        let whole = part(0..6_000, 0.0);
        for (other, same) in [
            (part(100..900, 20.0), true),
            (part(1_000..9_000, -20.0), true),
            // Windows that follow each other share half.
            (part(3_000..9_000, 0.0), false),
            (part(100..900, 700.0), false),
            (part(6_000..6_900, 0.0), false),
        ] {
            assert_eq!((whole.same_as(&other), other.same_as(&whole)), (same, same), "{:?}", other.query);
        }
    }

    #[test]
    fn what_is_fitted_twice_says_what_the_surest_says() {
        let lane = Lane { track: 0, query_mix: Mix::Mid, reference_mix: Mix::Mid };
        let part = |query: Range<u32>, likelihood: f64| (lane, Verified { query, ..verified(likelihood, 0.0, 0.0) });
        let elsewhere = part(12_000..20_000, 3.0);
        let mut found = vec![part(0..6_000, 2.0), part(500..6_500, 9.0), elsewhere.clone(), part(1_000..2_000, 4.0)];
        keep_surest_fit(&mut found);
        assert_eq!(found, [part(0..6_500, 9.0), elsewhere]);
    }

    #[test]
    fn nothing_beside_the_likelihood_decides_alone() {
        let alike = verified(4.0, 1e6, 1e6);
        assert_eq!(alike.score(1.0), verified(4.0, 6.0, 16.0 + 8.0).score(1.0));
        assert!(alike.score(1.0) < verified(40.0, 0.0, 0.0).score(1.0));
        assert!(verified(40.0, 0.0, 40.0).score(1.0) > verified(40.0, 0.0, 0.0).score(1.0));
        let harmonic = |likelihood: f64, harmony: f64| {
            let mut verified = verified(likelihood, 0.0, 0.0);
            verified.set_beside(Beside { harmony, ..Beside::default() });
            [0.3, 1.0].map(|share| verified.score(share))
        };
        assert_eq!(harmonic(4.0, 1e6), harmonic(4.0, 4.0));
        let ([short, long], [less, _]) = (harmonic(8.0, 6.0), harmonic(8.0, 0.0));
        assert!(long == 10.0 && short < 1.0 && less < short);
        // Eight seconds that are as exact as what is played to one beat are no sign of a copy.
        assert_eq!(verified(40.0, 0.0, 15.9).score(1.0), verified(40.0, 0.0, 0.0).score(1.0));
        // What is short counts by how exact it is.
        let (exact, inexact) = (verified(40.0, 20.0, 60.0), verified(40.0, 20.0, 0.0));
        assert!(inexact.score(0.3) < 0.1 * inexact.score(1.0) && exact.score(0.3) > 0.2 * exact.score(1.0));
        // But no more than so: chance has many short stretches.
        let [short, long] = [0.3, 1.0].map(|share| verified(40.0, 0.0, 1e6).score(share));
        assert!(short < 0.25 * long, "{short} {long}");
    }
}
