//! Calibration of sound and film: how often a stretch of a work scores as high as a copy against an unrelated one.
//!
//! The unit is a window of a query against one track or film: whatever the alignment, mix, view, speed and pitch.

use super::{Tail, root};

mod frames;
mod landmarks;
mod measure;
mod measured;

pub use measure::{PARTS, ScoreHistogram, ScorePair};
pub use measured::{
    FILM_WINDOW_MS, FilmSample, SOUND_STEP_MS, SOUND_WINDOW_MS, SoundSample, measure_films, measure_sound,
};

/// What is known of the scores of unrelated works. Higher is surer.
#[derive(Clone, Copy, Debug)]
pub struct ScoreCalibration {
    /// The works that were measured, in words.
    pub data: &'static str,
    /// The command that made the row.
    pub command: &'static str,
    /// How many works: recordings or films.
    pub works: u64,
    /// In how many sets; works of one set were not compared with each other.
    pub sets: u64,
    /// How many pairs of a window and a work of different sets.
    pub pairs: u64,
    /// Entries of `at_least` a point of score.
    pub steps: u32,
    /// `at_least[s]` is the number of pairs that score `s / steps` or more; scores above the last are extrapolated.
    pub at_least: &'static [u64],
    /// The tail is never believed to fall faster than by this factor a step: what is alike is rare, and then scores as it
    /// likes.
    pub slowest: f64,
}

/// The row of landmarks. Nine of its pairs have 3 and more, four have 4, and the highest 5.0: two MIDI pieces through one soundfont. Its tail is believed to fall by 0.53 a point, as what is found falsely of altered excerpts does, much of it between
/// pieces of one game, which a calibration never pairs (docs/ACCURACY.md).
pub const SOUND_CALIBRATION: &ScoreCalibration = &landmarks::ROW;

/// The row of the frames of films. Its tail falls by 0.78 a quarter of a point from the score that 33 of its pairs have to the
/// highest, a pair of two moments of one board game. The same films sampled at other moments, and judged by builds before, had tails that fell
/// by 0.73 to 0.81; 0.77 is between the two.
pub const FILM_CALIBRATION: &ScoreCalibration = &frames::ROW;

impl ScoreCalibration {
    /// Below this many observed pairs the count is extrapolated instead of believed, as for pictures; and where fewer pairs
    /// have a score at all, as many are assumed.
    pub const FEWEST: u64 = super::Calibration::FEWEST;

    /// Over this many steps the decline is measured that extrapolation continues.
    const SLOPE_SPAN: usize = 6;

    /// The share of unrelated pairs that score `score` or more; scores are rounded down to steps.
    #[must_use]
    pub fn tail(&self, score: f64) -> Tail {
        // What is rarer was not observed often enough to be believed.
        let share = |s: usize| self.at_least[s].max(Self::FEWEST) as f64 / self.pairs as f64;
        let asked = (score.max(0.0) * f64::from(self.steps)) as usize;
        // Below the least score that a search reports the row says how many pairs have a stretch in common, not how scores fall.
        let reported = self.at_least.get(1).copied().unwrap_or(0);
        let least = self.at_least.iter().rposition(|&n| n == reported).unwrap_or(0);
        let anchor = self.at_least.iter().rposition(|&n| n >= Self::FEWEST).unwrap_or(0).max(least);
        if asked <= anchor {
            return Tail { probability: share(asked), extrapolated: self.at_least[asked] < Self::FEWEST };
        }
        let near = anchor.saturating_sub(Self::SLOPE_SPAN).max(least);
        let decline = if near < anchor { root(share(anchor) / share(near), anchor - near) } else { 0.0 };
        let decline = decline.max(self.slowest);
        let mut probability = share(anchor);
        for _ in anchor..asked.min(10_000) {
            probability *= decline;
        }
        Tail { probability, extrapolated: true }
    }

    /// The least step at which at most `allowed` false matches are expected among so many comparisons.
    #[must_use]
    pub fn threshold(&self, comparisons: u64, allowed: f64) -> f64 {
        let score = |step: u32| f64::from(step) / f64::from(self.steps);
        let expected = |step: u32| self.tail(score(step)).probability * comparisons as f64;
        score((0..10_000).find(|&step| expected(step) <= allowed).unwrap_or(10_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [&ScoreCalibration; 2] = [SOUND_CALIBRATION, FILM_CALIBRATION];

    #[test]
    fn rows_are_cumulative_and_name_their_data() {
        for row in ROWS {
            assert!(row.at_least.iter().rev().is_sorted() && row.at_least[0] == row.pairs);
            assert!(row.pairs > 100_000 && row.sets > 1 && !row.data.is_empty() && !row.command.is_empty());
            let tails: Vec<f64> = (0..400).map(|s| row.tail(f64::from(s) / 4.0).probability).collect();
            assert!(tails.iter().rev().is_sorted(), "a greater score is never more frequent");
        }
    }

    #[test]
    fn fewer_pairs_than_are_believed_count_as_so_many() {
        let row = ScoreCalibration { at_least: &[367_869, 14, 14, 14, 5, 2], slowest: 0.5, ..*SOUND_CALIBRATION };
        let few = ScoreCalibration::FEWEST as f64 / row.pairs as f64;
        assert_eq!([0.5, 1.0, 3.9].map(|score| row.tail(score).probability), [1.0, few, few]);
        assert_eq!([0.5, 1.0, 3.9, 4.0].map(|score| row.tail(score).extrapolated), [false, true, true, true]);
        assert_eq!([4.0, 5.0, 9.0].map(|score| row.tail(score).probability), [0.5, 0.25, 1.0 / 64.0].map(|s| s * few));
    }

    #[test]
    fn thresholds_keep_what_is_allowed() {
        for row in ROWS {
            for (comparisons, allowed) in [(1_000, 1e-2), (1_000, 1e-4), (1_000_000, 1e-4)] {
                let threshold = row.threshold(comparisons, allowed);
                assert!(row.tail(threshold).probability * comparisons as f64 <= allowed);
                let below = threshold - 1.0 / f64::from(row.steps);
                assert!(row.tail(below).probability * comparisons as f64 > allowed);
            }
        }
    }
}
