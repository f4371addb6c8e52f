//! How exactly what coincides does so: peaks of a copy lie where the original has them, those of other music anywhere
//! within the tolerance.

use super::points::Point;

/// Rests of time and pitch that are told apart, in whole units and steps: those within the tolerance.
const TIMES: usize = 13;
const PITCHES: usize = 6;

/// About how far what coincides lies apart where it is no copy, in thousandths: notes are tuned alike and begin on beats. Smooth
/// curves near what was measured of false alignments that score more than 1; over all pairs of unrelated recordings pitches
/// are spread more widely.
const USUAL_TIMES: [f64; TIMES] = [157.0, 145.0, 131.0, 111.0, 91.0, 75.0, 62.0, 54.0, 47.0, 42.0, 36.0, 31.0, 18.0];
const USUAL_PITCHES: [f64; PITCHES] = [228.0, 219.0, 174.0, 150.0, 121.0, 108.0];
/// Peaks that stand for that beside those which coincide under the rhythm's alignments.
const PRIOR: f64 = 60.0;

/// Of a copy's rests each step has so much of what the one before has: as exact as codecs and noise leave them, and as
/// stretching does.
const DECLINES: [f64; 2] = [0.25, 0.5];
/// And so many of the peaks that coincide do so because it is a copy; the others by chance.
const SHARES: [f64; 4] = [0.15, 0.3, 0.6, 0.9];

/// How many peaks coincide with which rest.
#[derive(Clone, Debug, Default)]
pub(super) struct Rests {
    times: [f64; TIMES],
    pitches: [f64; PITCHES],
}

impl Rests {
    /// Adds a peak that coincides and lies so far from the other.
    pub(super) fn count(&mut self, rest: Point) {
        self.times[(rest.time.abs() as usize).min(TIMES - 1)] += 1.0;
        self.pitches[(rest.pitch.abs() as usize).min(PITCHES - 1)] += 1.0;
    }
}

/// The logarithm of how much likelier the rests `here` are in a copy than in unrelated music, and than under the alignments
/// `beside` it that the rhythm offers, whichever is less.
pub(super) fn closeness(here: &Rests, beside: &Rests) -> f64 {
    says(&here.times, &beside.times, &USUAL_TIMES) + says(&here.pitches, &beside.pitches, &USUAL_PITCHES)
}

fn says<const N: usize>(here: &[f64; N], beside: &[f64; N], usual: &[f64; N]) -> f64 {
    let all: f64 = usual.iter().sum();
    let usual = usual.map(|share| share / all);
    let seen = beside.iter().sum::<f64>() + PRIOR;
    let of_rhythm = std::array::from_fn(|n| (beside[n] + PRIOR * usual[n]) / seen);
    says_more(here, &usual).min(says_more(here, &of_rhythm))
}

/// The same against one distribution of what is no copy; 0 where nothing speaks for one.
fn says_more<const N: usize>(here: &[f64; N], chance: &[f64; N]) -> f64 {
    let mut most = 0.0_f64;
    for decline in DECLINES {
        let mut exact = [1.0; N];
        for n in 1..N {
            exact[n] = exact[n - 1] * decline;
        }
        let all: f64 = exact.iter().sum();
        for share in SHARES {
            let likelier = |n: usize| 1.0 - share + share * exact[n] / all / chance[n];
            most = most.max((0..N).map(|n| here[n] * libm::log(likelier(n))).sum());
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many peaks that lie 0, 1, 2, … units apart, and half as many steps.
    fn rests(counts: &[u32]) -> Rests {
        let mut rests = Rests::default();
        for (far, &count) in counts.iter().enumerate() {
            let rest = Point { time: -(far as f32) - 0.02, pitch: 0.45 * far as f32, rank: 0 };
            (0..count).for_each(|_| rests.count(rest));
        }
        rests
    }

    #[test]
    fn exact_rests_speak_for_a_copy_unless_the_rhythm_is_as_exact() {
        let (exact, spread, none) = (rests(&[60, 8, 4]), rests(&[3; TIMES]), Rests::default());
        assert!(closeness(&exact, &none) > 40.0);
        assert!(closeness(&exact, &spread) > 40.0);
        assert_eq!(closeness(&spread, &none), 0.0);
        let beats = rests(&[600, 80, 40]);
        assert!(closeness(&exact, &beats) < 1.0, "{}", closeness(&exact, &beats));
        assert_eq!(closeness(&none, &none), 0.0);
    }
}
