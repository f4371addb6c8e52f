//! Calibration: how often two *unrelated* pictures score as low as a copy.
//!
//! The unit is a pair of pictures, not a pair of codes: the score of a pair is the least over all views of one against
//! all views of the other, turned, cropped, trimmed and complemented, exactly as a scan compares them. Views of
//! one picture are far from independent; counting pairs of pictures leaves nothing to assume about them. The tail times
//! the number of registered pictures is the number of unrelated references expected to score as low by chance.
//!
//! Scores of sound and film have rows of their own; see [`ScoreCalibration`].
//!
//! Rows are made by `minutia calibrate` from pictures known to be unrelated, never by hand.

mod measure;
mod scores;
mod views;

pub use measure::{HIGHEST, Histogram, Pair, Sample, measure};
pub use scores::{
    FILM_CALIBRATION, FILM_WINDOW_MS, FilmSample, PARTS, SOUND_CALIBRATION, SOUND_STEP_MS, SOUND_WINDOW_MS,
    ScoreCalibration, ScoreHistogram, ScorePair, SoundSample, measure_films, measure_sound,
};

use crate::fingerprint::AlgorithmId;

/// What is known of one algorithm's scores between unrelated pictures.
#[derive(Clone, Copy, Debug)]
pub struct Calibration {
    /// Whose scores.
    pub algorithm: AlgorithmId,
    /// The pictures that were measured, in words.
    pub data: &'static str,
    /// The command that made the row.
    pub command: &'static str,
    /// How many pictures.
    pub pictures: u64,
    /// In how many sets; pictures of one set were not compared with each other.
    pub sets: u64,
    /// How many ordered pairs of pictures of different sets.
    pub pairs: u64,
    /// `within[s]` is the number of pairs that score `s` or less; the last entry stands for everything beyond it.
    pub within: &'static [u64],
}

/// A probability read off the calibration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tail {
    /// Share of unrelated pairs of pictures with this score or a lower one.
    pub probability: f64,
    /// Fewer than [`Calibration::FEWEST`] pairs were seen there: the value continues the observed decline.
    pub extrapolated: bool,
}

/// The table, one row an algorithm.
pub const CALIBRATIONS: &[Calibration] = &[views::ROW];

impl Calibration {
    /// Below this many observed pairs the count is extrapolated instead of believed: 20 pairs give a 95 % interval of
    /// about 0.6 to 1.5 times the count.
    pub const FEWEST: u64 = 20;

    /// Over this many steps the decline is measured that extrapolation continues.
    const SLOPE_SPAN: usize = 6;

    /// The row for `algorithm`.
    pub fn of(algorithm: AlgorithmId) -> Option<&'static Calibration> {
        CALIBRATIONS.iter().find(|row| row.algorithm == algorithm)
    }

    /// The share of unrelated pairs that score `score` or less; scores are rounded up to whole ones.
    ///
    /// Where fewer than [`Self::FEWEST`] pairs were observed, the last observed decline per point is continued. The tail
    /// of a sum of many bits falls ever faster, so this errs on the side of more expected false matches.
    pub fn tail(&self, score: f64) -> Tail {
        let last = self.within.len() - 1;
        let asked = (score.ceil().max(0.0) as usize).min(last);
        let share = |d: usize| self.within[d] as f64 / self.pairs as f64;
        let anchor = self.within.iter().position(|&n| n >= Self::FEWEST).unwrap_or(last);
        if asked >= anchor {
            return Tail { probability: share(asked), extrapolated: false };
        }
        let far = (anchor + Self::SLOPE_SPAN).min(last);
        let steps = (far - anchor).max(1);
        // The mean decline per point, found without a logarithm: the ratio whose `steps`-th power spans the two counts.
        let decline = root(share(anchor) / share(far), steps);
        let mut probability = share(anchor);
        for _ in asked..anchor {
            probability *= decline;
        }
        Tail { probability, extrapolated: true }
    }

    /// The greatest whole score at which at most `allowed` false matches are expected among `references` unrelated
    /// pictures; `None` where even 0 is too much.
    pub fn threshold(&self, references: u64, allowed: f64) -> Option<u32> {
        (0..self.within.len() as u32).take_while(|&s| self.expected(f64::from(s), references) <= allowed).last()
    }

    /// How many of `references` unrelated pictures are expected to score `score` or less.
    pub fn expected(&self, score: f64, references: u64) -> f64 {
        self.tail(score).probability * references as f64
    }
}

/// The `n`-th root of `x` in 0..=1, by bisection: only multiplications, so the same on every machine.
fn root(x: f64, n: usize) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        let mut power = 1.0;
        for _ in 0..n {
            power *= middle;
        }
        if power < x { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tail that halves with every bit below 40: extrapolation must go on halving.
    #[test]
    fn continues_the_observed_decline() {
        let within: Vec<u64> = (0..=64).map(|d| if d < 30 { 0 } else { 1u64 << (d - 20) }).collect();
        let row = Calibration {
            algorithm: AlgorithmId::PDQ_AREA,
            data: "",
            command: "",
            pictures: 0,
            sets: 0,
            pairs: 1 << 44,
            within: within.leak(),
        };
        assert!(!row.tail(30.0).extrapolated);
        let below = row.tail(24.5);
        assert!(below.extrapolated);
        let exact = 1024.0 / 32.0 / (1u64 << 44) as f64;
        assert!((below.probability / exact - 1.0).abs() < 1e-9, "{} against {exact}", below.probability);
        assert_eq!(row.threshold(1 << 34, 1.0 / 32.0), Some(25));
        assert_eq!(row.threshold(1, 2.0), Some(64));
        assert_eq!(row.threshold(u64::MAX, 1e-9), None);
    }

    #[test]
    fn rows_are_cumulative_and_name_their_data() {
        for row in CALIBRATIONS {
            assert!(row.within.is_sorted(), "{:?}", row.algorithm);
            assert!(*row.within.last().unwrap() <= row.pairs);
            assert!(row.pairs > 1_000_000 && !row.data.is_empty() && !row.command.is_empty());
            let tails: Vec<f64> = (0..row.within.len()).map(|s| row.tail(s as f64).probability).collect();
            assert!(tails.is_sorted(), "a greater score is never rarer");
        }
    }
}
