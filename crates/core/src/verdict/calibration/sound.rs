//! Calibration of sound: how often a stretch of a recording scores as high as a copy against an unrelated one.
//!
//! The unit is a window of a query, as it is searched, against one track: whatever the alignment, mix, speed and pitch.

use super::{Tail, root};

mod landmarks;
mod measure;

pub use measure::{
    HIGHEST_SOUND, SOUND_PARTS, SOUND_STEP_MS, SOUND_WINDOW_MS, SoundHistogram, SoundPair, SoundSample, measure_sound,
};

/// What is known of the scores of unrelated recordings. Higher is surer.
#[derive(Clone, Copy, Debug)]
pub struct SoundCalibration {
    /// The recordings that were measured, in words.
    pub data: &'static str,
    /// The command that made the row.
    pub command: &'static str,
    /// How many recordings.
    pub recordings: u64,
    /// In how many sets; recordings of one set were not compared with each other.
    pub sets: u64,
    /// How many pairs of a window and a track of different sets.
    pub pairs: u64,
    /// `at_least[s]` is the number of pairs that score `s` or more; scores above the last are extrapolated.
    pub at_least: &'static [u64],
}

/// The row of landmarks.
pub const SOUND_CALIBRATION: &SoundCalibration = &landmarks::ROW;

impl SoundCalibration {
    /// Below this many observed pairs the count is extrapolated instead of believed, as for pictures.
    pub const FEWEST: u64 = super::Calibration::FEWEST;

    /// Over this many points the decline is measured that extrapolation continues.
    const SLOPE_SPAN: usize = 6;

    /// The share of unrelated pairs that score `score` or more; scores are rounded down to whole ones.
    #[must_use]
    pub fn tail(&self, score: f64) -> Tail {
        let share = |s: usize| self.at_least[s] as f64 / self.pairs as f64;
        let asked = score.max(0.0) as usize;
        let anchor = self.at_least.iter().rposition(|&n| n >= Self::FEWEST).unwrap_or(0);
        if asked <= anchor {
            return Tail { probability: share(asked), extrapolated: false };
        }
        let near = anchor.saturating_sub(Self::SLOPE_SPAN);
        let decline = root(share(anchor) / share(near), (anchor - near).max(1));
        let decline = decline.max(Self::SLOWEST);
        let mut probability = share(anchor);
        for _ in anchor..asked.min(10_000) {
            probability *= decline;
        }
        Tail { probability, extrapolated: true }
    }

    /// The tail is never believed to fall faster than by 0.35 a point: so it falls from the score that 48 pairs of the row have
    /// to the highest, since music that is alike is rare and then scores as it likes.
    const SLOWEST: f64 = 0.65;

    /// The least whole score at which at most `allowed` false matches are expected among so many comparisons.
    #[must_use]
    pub fn threshold(&self, comparisons: u64, allowed: f64) -> f64 {
        let expected = |score: u32| self.tail(f64::from(score)).probability * comparisons as f64;
        f64::from((0..10_000).find(|&score| expected(score) <= allowed).unwrap_or(10_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_is_cumulative_and_names_its_data() {
        let row = SOUND_CALIBRATION;
        assert!(row.at_least.iter().rev().is_sorted() && row.at_least[0] <= row.pairs);
        assert!(row.pairs > 100_000 && !row.data.is_empty() && !row.command.is_empty());
        let tails: Vec<f64> = (0..100).map(|s| row.tail(f64::from(s)).probability).collect();
        assert!(tails.iter().rev().is_sorted(), "a greater score is never more frequent");
    }

    #[test]
    fn thresholds_keep_what_is_allowed() {
        let row = SOUND_CALIBRATION;
        for (comparisons, allowed) in [(1_000, 1e-2), (1_000, 1e-4), (1_000_000, 1e-4)] {
            let threshold = row.threshold(comparisons, allowed);
            assert!(row.tail(threshold).probability * comparisons as f64 <= allowed);
            assert!(row.tail(threshold - 1.0).probability * comparisons as f64 > allowed);
        }
    }
}
