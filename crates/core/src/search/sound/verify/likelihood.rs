//! How much likelier what coincides is in a copy than in other music of those notes.

use std::ops::Range;

use minutia_machine::{Level, Work, wide};

use super::Window;
use super::fit::Fit;
use super::points::{EIGHT, PITCH_TOLERANCE, Point, Reference, TIME_TOLERANCE};
use super::ranks::{Classes, PAIRS, PATTERNS, Ratios, classes};
use crate::search::sound::logarithm::ln;

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
/// with noise and in rooms, which leave what stands out most; under crowds and under a voice, which stand out themselves. As
/// measured on true alignments of altered excerpts. Of which rank the others are says [`ranks`](super::ranks).
pub(super) const KEPT: [[f32; 10]; PATTERNS] = [
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
/// Of what a pattern keeps at least so much has to coincide.
const LEAST_MET: f32 = 0.5;
/// What speaks for a copy lasts so long at least: 0.4 s. What coincides at one moment alone is a sound that both have, be it
/// one beat of a drum.
const MOMENT: f32 = 276.0;
/// What a peak of the query says where the reference has ended.
const BEYOND: f32 = -0.05;

/// What one peak of the query tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) time: f32,
    /// Place in [`KEPT`].
    rank: u8,
    pub(super) coincides: bool,
    /// Where it does, the classes of both ranks.
    pub(super) classes: Classes,
    /// And how much oftener than by chance that rank was to be expected by rhythm, 1 and more.
    pub(super) ranks_expected: f32,
    /// How likely that was without a copy, by pitch, beat and rhythm; negative where the reference has no sound.
    pub(super) expected: f32,
    /// By pitch alone: tells where a copy begins and ends, once it is known to be one.
    pub(super) usual: f32,
}

pub(super) fn tell(window: &Window<'_>, reference: &Reference, begin: f32, fit: Fit) -> Vec<Told> {
    let mut told = Vec::with_capacity(window.points.len());
    wide(Level::best(), Tell { window, reference, begin, fit, told: &mut told });
    told
}

/// [`tell`].
struct Tell<'a> {
    window: &'a Window<'a>,
    reference: &'a Reference,
    begin: f32,
    fit: Fit,
    told: &'a mut Vec<Told>,
}

impl Work for Tell<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Tell { window, reference, begin, fit, told } = self;
        let Reference { points, times, pitches, end } = reference;
        // Places come in order, and so does what lies around them.
        let (mut first, mut last) = (0, 0);
        for (peak, &point) in window.peaks.iter().zip(&window.points) {
            let rank = (peak.rank / KEPT_RANKS).min(KEPT[0].len() as u8 - 1);
            let place = fit.apply(point);
            if place.time < begin || place.time > *end {
                told.push(Told {
                    time: point.time,
                    rank,
                    coincides: false,
                    classes: 0,
                    ranks_expected: 1.0,
                    expected: -1.0,
                    usual: -1.0,
                });
                continue;
            }
            while times.get(first).is_some_and(|&time| time < place.time - AROUND_TIME) {
                first += 1;
            }
            last = last.max(first);
            while times.get(last).is_some_and(|&time| time <= place.time + AROUND_TIME) {
                last += 1;
            }
            // Some that come later are looked at with the last.
            let eights = first..first + (last - first).next_multiple_of(EIGHT);
            let around = count(&times[eights.clone()], &pitches[eights], place);
            let nearest = if around.coinciding == 0 { None } else { nearest(&points[first..last], place) };
            let (expected, usual) = expect(&around);
            let classes = nearest.map_or(0, |nearest| classes(peak.rank, nearest.rank));
            let coincides = nearest.is_some();
            told.push(Told { time: point.time, rank, coincides, classes, ranks_expected: 1.0, expected, usual });
        }
    }
}

/// Peaks of a reference around a place.
struct Around {
    coinciding: i32,
    /// All others, and of these those of its pitch, and those at its time.
    all: i32,
    at_pitch: i32,
    at_time: i32,
}

/// Of whole eights of peaks, none of which comes too early.
#[inline(always)]
fn count(times: &[f32], pitches: &[f32], place: Point) -> Around {
    let until = place.time + AROUND_TIME;
    let [mut coinciding, mut all, mut at_pitch, mut at_time] = [[0_i32; EIGHT]; 4];
    for (times, pitches) in times.as_chunks::<EIGHT>().0.iter().zip(pitches.as_chunks::<EIGHT>().0) {
        for n in 0..EIGHT {
            let (time, pitch) = ((times[n] - place.time).abs(), (pitches[n] - place.pitch).abs());
            let is_at_pitch = pitch <= PITCH_TOLERANCE;
            let coincides = is_at_pitch & (time <= TIME_TOLERANCE);
            let other = (pitch <= AROUND_PITCH) & (times[n] <= until) & !coincides;
            coinciding[n] = coinciding[n].wrapping_add(i32::from(coincides));
            all[n] = all[n].wrapping_add(i32::from(other));
            at_pitch[n] = at_pitch[n].wrapping_add(i32::from(other & is_at_pitch));
            at_time[n] = at_time[n].wrapping_add(i32::from(other & (time <= TIME_TOLERANCE + 4.0)));
        }
    }
    let sum = |counts: [i32; EIGHT]| counts.into_iter().fold(0, i32::wrapping_add);
    Around { coinciding: sum(coinciding), all: sum(all), at_pitch: sum(at_pitch), at_time: sum(at_time) }
}

/// Of those that coincide with one at a place the nearest, as how much later and higher it is.
fn nearest(points: &[Point], place: Point) -> Option<Point> {
    let mut nearest = None::<Point>;
    for rest in points.iter().map(|other| other.from(place)) {
        let coincides = rest.pitch.abs() <= PITCH_TOLERANCE && rest.time.abs() <= TIME_TOLERANCE;
        if coincides && nearest.is_none_or(|nearest| rest.length() < nearest.length()) {
            nearest = Some(rest);
        }
    }
    nearest
}

/// How likely a peak was at a place by what lies around: the density of peaks there, times how much more often than that the
/// pitch is heard, times how much more than that happens at the time; and without the last.
#[inline(always)]
fn expect(around: &Around) -> (f32, f32) {
    let [all, at_pitch, at_time] = [around.all, around.at_pitch, around.at_time].map(|count| count as f32);
    // Most octaves around reach beyond the band: 400 of 480 steps.
    let usual_at_pitch = all * 2.0 * PITCH_TOLERANCE / 400.0;
    let usual_at_time = all * 2.0 * (TIME_TOLERANCE + 4.0) / (2.0 * AROUND_TIME);
    let density = usual_at_pitch * (2.0 * TIME_TOLERANCE + 4.0) / (2.0 * AROUND_TIME);
    let more = |seen: f32, usual: f32| ((seen + PRIOR) / (usual + PRIOR)).max(0.7);
    let by_pitch = density.max(EXPECTED.start) * more(at_pitch, usual_at_pitch);
    let expected = by_pitch * more(at_time, usual_at_time);
    let clamp = |expected: f32| expected.clamp(EXPECTED.start, EXPECTED.end);
    (clamp(expected), clamp(by_pitch))
}

/// The stretch of the query that says most for a copy, and how much; `None` where nothing does.
pub(super) fn best_stretch(
    told: &[Told],
    ratios: &Ratios,
    expected: impl Fn(&Told) -> f32,
) -> Option<(f32, Range<usize>)> {
    let expected: Vec<f32> = told.iter().map(expected).collect();
    let weights = weights(told);
    let mut said = vec![0.0; told.len()];
    let mut best: Option<(f32, Range<usize>)> = None;
    for (kept, ratios) in KEPT.iter().zip(ratios) {
        wide(Level::best(), Say { told, expected: &expected, weights: &weights, kept, ratios, said: &mut said });
        let (mut sum, mut start) = (0.0_f32, 0);
        let (mut met, mut to_meet) = (0.0_f32, 0.0_f32);
        for (place, (one, said)) in told.iter().zip(&said).enumerate() {
            if expected[place] >= 0.0 {
                met += f32::from(u8::from(one.coincides));
                to_meet += kept[one.rank as usize];
            }
            sum += said;
            if sum <= 0.0 {
                (sum, start) = (0.0, place + 1);
                (met, to_meet) = (0.0, 0.0);
            } else if met >= LEAST_MET * to_meet && best.as_ref().is_none_or(|(most, _)| sum > *most) {
                best = Some((sum, start..place + 1));
            }
        }
    }
    best
}

/// How much each peak counts: of one event each less than the one before.
fn weights(told: &[Told]) -> Vec<f32> {
    let (mut event, mut weight) = (f32::MIN, 1.0_f32);
    let weights = told.iter().map(|one| {
        if one.time - event > EVENT {
            (event, weight) = (one.time, 1.0);
        } else {
            weight = (weight * EVENT_DECLINE).max(EVENT_LEAST);
        }
        weight
    });
    weights.collect()
}

/// What each peak says for a copy that keeps so much.
struct Say<'a> {
    told: &'a [Told],
    expected: &'a [f32],
    weights: &'a [f32],
    kept: &'a [f32; 10],
    ratios: &'a [f32; PAIRS],
    said: &'a mut [f32],
}

impl Work for Say<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Say { told, expected, weights, kept, ratios, said } = self;
        // How much likelier each is in a copy, all of them before any logarithm.
        for ((said, one), &expected) in said.iter_mut().zip(told).zip(expected) {
            let expected = expected * UNSEEN;
            let kept = kept[usize::from(one.rank)];
            *said = if expected < 0.0 {
                1.0
            } else if one.coincides {
                // In a copy with ranks like these, and by chance with any; those that rhythm offers as well say nothing.
                let ratio = ratios[usize::from(one.classes)];
                let ratio = (ratio / one.ranks_expected).max(ratio.min(1.0));
                (kept * ratio + (1.0 - kept) * expected) / expected
            } else {
                let likely = kept + (1.0 - kept) * expected;
                (1.0 - likely) / (1.0 - expected)
            };
        }
        for ((said, &expected), &weight) in said.iter_mut().zip(expected).zip(weights) {
            // What does not coincide says less than nothing.
            let likelier = ln(*said).min(MOST_SAID);
            *said = if expected < 0.0 { BEYOND } else { weight * likelier };
        }
    }
}

/// How much a stretch counts, 0 to 1: less than all where it is over in a moment.
pub(super) fn lasting(stretch: &[Told]) -> f32 {
    let lasts = stretch.first().zip(stretch.last()).map_or(0.0, |(first, last)| last.time - first.time);
    (lasts / MOMENT).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::super::points::Cursor;
    use super::super::ranks::ratios_of;
    use super::*;
    use crate::fingerprint::{Mix, Peak};

    /// A peak of that time and rank, which had to be expected at one place in twenty, and may coincide with one of `other` rank.
    fn told(time: f32, rank: u8, other: Option<u8>) -> Told {
        Told {
            time,
            rank: rank / KEPT_RANKS,
            coincides: other.is_some(),
            classes: other.map_or(0, |other| classes(rank, other)),
            ranks_expected: 1.0,
            expected: 0.05,
            usual: 0.05,
        }
    }

    /// What lies around a place and the nearest that coincides, one after another.
    fn one_by_one(reference: &Reference, place: Point) -> (Option<Point>, Around) {
        let (mut nearest, mut around) = (None::<Point>, Around { coinciding: 0, all: 0, at_pitch: 0, at_time: 0 });
        for other in reference.between(&mut Cursor::default(), place.time - AROUND_TIME, place.time + AROUND_TIME) {
            let (time, pitch) = ((other.time - place.time).abs(), (other.pitch - place.pitch).abs());
            if pitch <= PITCH_TOLERANCE && time <= TIME_TOLERANCE {
                around.coinciding += 1;
                let rest = other.from(place);
                nearest = nearest.filter(|nearest| nearest.length() <= rest.length()).or(Some(rest));
            } else if pitch <= AROUND_PITCH {
                around.all += 1;
                around.at_pitch += i32::from(pitch <= PITCH_TOLERANCE);
                around.at_time += i32::from(time <= TIME_TOLERANCE + 4.0);
            }
        }
        (nearest, around)
    }

    #[test]
    fn what_is_told_side_by_side_is_what_is_told_one_by_one() {
        let noise = |n: u32| n.wrapping_mul(2_654_435_761) >> 8;
        let peaks = |seed: u32, count: u32| -> Vec<Peak> {
            let peak = |n: u32| Peak {
                time: noise(n + seed) % 9_000,
                pitch: (400 + noise(n + 7 * seed) % 500) as u16,
                rank: (n % 30) as u8,
            };
            let mut peaks: Vec<Peak> = (0..count).map(peak).collect();
            peaks.sort();
            peaks
        };
        let (query, other) = (peaks(1, 900), peaks(500, 800));
        let window = Window::new(&query);
        let point = |peak: &Peak| Point { time: peak.time as f32, pitch: f32::from(peak.pitch), rank: peak.rank };
        let reference = Reference::new(other.iter().map(point).collect(), 8_000.0);
        let (mut coinciding, mut beyond) = (0, 0);
        for fit in [
            Fit { speed: 1.0, offset: -300.0, pitch: 0.0 },
            Fit { speed: 1.0427, offset: 17.25, pitch: -14.5 },
            Fit { speed: 0.5, offset: 4_000.0, pitch: 240.0 },
        ] {
            let told = tell(&window, &reference, 100.0, fit);
            assert_eq!(told.len(), window.points.len());
            for (told, &point) in told.iter().zip(&window.points) {
                let place = fit.apply(point);
                if !(100.0..=8_000.0).contains(&place.time) {
                    assert!(!told.coincides && told.expected < 0.0 && told.usual < 0.0);
                    beyond += 1;
                    continue;
                }
                let (nearest, around) = one_by_one(&reference, place);
                assert_eq!((told.expected, told.usual), expect(&around));
                let classes_of = nearest.map_or(0, |nearest| classes(point.rank, nearest.rank));
                assert_eq!((told.coincides, told.classes), (nearest.is_some(), classes_of));
                coinciding += u32::from(told.coincides);
            }
        }
        assert!(coinciding > 30 && beyond > 100, "{coinciding} {beyond}");
    }

    fn most_said(told: &[Told], mix: Mix) -> f32 {
        best_stretch(told, ratios_of(mix), |told| told.expected).map_or(0.0, |(sum, _)| sum)
    }

    #[test]
    fn a_moment_counts_by_how_long_it_lasts() {
        let stretch = |times: &[f32]| -> Vec<Told> { times.iter().map(|&time| told(time, 0, Some(0))).collect() };
        assert_eq!([lasting(&stretch(&[])), lasting(&stretch(&[50.0]))], [0.0; 2]);
        assert_eq!(lasting(&stretch(&[50.0, 60.0, 119.0])), 0.25);
        assert_eq!([lasting(&stretch(&[50.0, 326.0])), lasting(&stretch(&[50.0, 60.0, 9_000.0]))], [1.0; 2]);
    }

    #[test]
    fn of_what_a_copy_keeps_half_has_to_coincide() {
        // Of peaks of that rank the patterns keep 0.12 and more; what coincides had hardly to be expected.
        let one_in = |nth: u32, peaks: u32| -> f32 {
            let told = |number: u32| Told {
                expected: EXPECTED.start,
                ..told(40.0 * number as f32, 12, number.is_multiple_of(nth).then_some(12))
            };
            most_said(&(0..peaks).map(told).collect::<Vec<_>>(), Mix::Mid)
        };
        // One in twenty may be so by chance, and says no more the longer it goes on.
        assert_eq!(one_in(20, 2_000), one_in(20, 200));
        assert!(one_in(7, 2_000) > 5.0 * one_in(7, 200));
    }

    #[test]
    fn what_coincides_says_more_where_ranks_agree() {
        // Every third peak coincides, with one of that rank.
        let said = |rank_of: fn(u8) -> u8| {
            let told = |number: u32| {
                let rank = (number % 32) as u8;
                told(40.0 * number as f32, rank, number.is_multiple_of(3).then_some(rank_of(rank)))
            };
            let told: Vec<Told> = (0..300).map(told).collect();
            Mix::ALL.map(|mix| most_said(&told, mix))
        };
        let [mid, _] = said(|rank| rank);
        let [turned, _] = said(|rank| 31 - rank);
        assert!(mid > 3.0 * turned && turned > 0.0, "{mid} {turned}");
        // Of a side mix the ranks below 12 are kept.
        let [_, side] = said(|rank| rank.min(11));
        let [_, turned] = said(|rank| 11 - rank.min(11));
        assert!(side > 1.5 * turned && turned > 0.0, "{side} {turned}");
    }
}
