//! The judge: from a score to a level, with the numbers that decided.

use super::Level;
use super::calibration::{Calibration, FILM_WINDOW_MS, ScoreCalibration};

/// How many false matches an investigator accepts for one examined item, at each level.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Allowed {
    /// For a `match`.
    pub at_match: f64,
    /// For a `possible`, at least as many.
    pub at_possible: f64,
}

impl Default for Allowed {
    /// One false `match` in ten thousand examined items, one false `possible` in a hundred.
    fn default() -> Allowed {
        Allowed { at_match: 1e-4, at_possible: 1e-2 }
    }
}

/// The greatest scores of the two levels, inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Thresholds {
    /// Up to here a finding is a `match`; `None` where no score is rare enough for an index of this size.
    pub match_score: Option<u32>,
    /// Up to here it is `possible`.
    pub possible_score: Option<u32>,
}

/// What one score means in an index of a given size.
#[derive(Clone, Copy, Debug)]
pub struct Judge {
    calibration: &'static Calibration,
    references: u64,
    thresholds: Thresholds,
}

impl Judge {
    /// Thresholds of smaller indexes are those of an index of so many pictures. A calibration is a mean over works, and
    /// few works need not be like the mean: a single one that shows a disc is near every icon that does.
    pub const FEWEST_PICTURES: u64 = 1_000;

    /// For an index of `references` pictures, by `calibration`.
    pub fn new(calibration: &'static Calibration, references: u64, allowed: Allowed) -> Judge {
        let references = references.max(1);
        let threshold = |allowed| calibration.threshold(references.max(Judge::FEWEST_PICTURES), allowed);
        let match_score = threshold(allowed.at_match);
        let possible_score = threshold(allowed.at_possible.max(allowed.at_match));
        Judge { calibration, references, thresholds: Thresholds { match_score, possible_score } }
    }

    /// The row that this judge goes by.
    pub fn calibration(&self) -> &'static Calibration {
        self.calibration
    }

    /// Registered pictures that a query is compared with.
    pub fn references(&self) -> u64 {
        self.references
    }

    /// The thresholds at this index size.
    pub fn thresholds(&self) -> Thresholds {
        self.thresholds
    }

    /// The level of a pair with `score`, and the threshold that it kept; `None` beyond both.
    pub fn level(&self, score: f64) -> Option<(Level, u32)> {
        let keeps = |threshold: Option<u32>| threshold.filter(|&most| score <= f64::from(most));
        keeps(self.thresholds.match_score)
            .map(|most| (Level::Match, most))
            .or_else(|| keeps(self.thresholds.possible_score).map(|most| (Level::Possible, most)))
    }

    /// How many unrelated pictures of this index are expected to score `score` or less, and whether that is beyond the
    /// calibration's data.
    pub fn expected_false_matches(&self, score: f64) -> (f64, bool) {
        let tail = self.calibration.tail(score);
        (tail.probability * self.references as f64, tail.extrapolated)
    }
}

/// What one score of sound means in an index of a given size.
#[derive(Clone, Copy, Debug)]
pub struct SoundJudge {
    calibration: &'static ScoreCalibration,
    tracks: u64,
    allowed: Allowed,
}

impl SoundJudge {
    /// Thresholds of smaller indexes are those of an index of so many tracks: a few works need not be like the mean.
    pub const FEWEST_TRACKS: u64 = 1_000;

    /// For an index of `tracks`, by `calibration`.
    #[must_use]
    pub fn new(calibration: &'static ScoreCalibration, tracks: u64, allowed: Allowed) -> SoundJudge {
        SoundJudge { calibration, tracks: tracks.max(1), allowed }
    }

    /// The row that this judge goes by.
    #[must_use]
    pub fn calibration(&self) -> &'static ScoreCalibration {
        self.calibration
    }

    /// Registered tracks that a query is compared with.
    #[must_use]
    pub fn tracks(&self) -> u64 {
        self.tracks
    }

    /// The least scores of a `match` and of a `possible` for a query of so many windows.
    #[must_use]
    pub fn thresholds(&self, windows: u32) -> (f64, f64) {
        let comparisons = self.tracks.max(Self::FEWEST_TRACKS).saturating_mul(u64::from(windows.max(1)));
        let threshold = |allowed| self.calibration.threshold(comparisons, allowed);
        (threshold(self.allowed.at_match), threshold(self.allowed.at_possible.max(self.allowed.at_match)))
    }

    /// No lower score is a finding, whatever the query.
    #[must_use]
    pub fn least_score(&self) -> f64 {
        self.thresholds(1).1
    }

    /// The level of a stretch with `score`, and the threshold that it kept; `None` below both.
    #[must_use]
    pub fn level(&self, score: f64, windows: u32) -> Option<(Level, f64)> {
        let (at_match, at_possible) = self.thresholds(windows);
        if score >= at_match {
            return Some((Level::Match, at_match));
        }
        (score >= at_possible).then_some((Level::Possible, at_possible))
    }

    /// How many unrelated tracks of this index are expected to score as high against a query of so many windows, and
    /// whether that is beyond the calibration's data.
    #[must_use]
    pub fn expected_false_matches(&self, score: f64, windows: u32) -> (f64, bool) {
        let tail = self.calibration.tail(score);
        (tail.probability * self.tracks as f64 * f64::from(windows.max(1)), tail.extrapolated)
    }
}

/// What one score of a film means in an index of a given size.
#[derive(Clone, Copy, Debug)]
pub struct FilmJudge {
    calibration: &'static ScoreCalibration,
    films: u64,
    allowed: Allowed,
}

impl FilmJudge {
    /// Thresholds of smaller indexes are those of an index of so many films. A few works need not be like the mean, and films
    /// least of all: another moment of the same game or show is nearer than a film that has nothing to do with it.
    pub const FEWEST_FILMS: u64 = 800;

    /// For an index of so many `films`, by `calibration`.
    #[must_use]
    pub fn new(calibration: &'static ScoreCalibration, films: u64, allowed: Allowed) -> FilmJudge {
        FilmJudge { calibration, films: films.max(1), allowed }
    }

    /// The row that this judge goes by.
    #[must_use]
    pub fn calibration(&self) -> &'static ScoreCalibration {
        self.calibration
    }

    /// Registered films that a query is compared with.
    #[must_use]
    pub fn films(&self) -> u64 {
        self.films
    }

    /// The least scores of a `match` and of a `possible` for a query of that length in milliseconds.
    #[must_use]
    pub fn thresholds(&self, query_ms: u64) -> (f64, f64) {
        let comparisons = self.films.max(Self::FEWEST_FILMS).saturating_mul(windows(query_ms));
        let threshold = |allowed| self.calibration.threshold(comparisons, allowed);
        (threshold(self.allowed.at_match), threshold(self.allowed.at_possible.max(self.allowed.at_match)))
    }

    /// No lower score is a finding, whatever the query.
    #[must_use]
    pub fn least_score(&self) -> f64 {
        self.thresholds(0).1
    }

    /// The level of a stretch with `score`, and the threshold that it kept; `None` below both. What may be another
    /// recording of the same scene is no `match`.
    #[must_use]
    pub fn level(&self, score: f64, same_recording: bool, query_ms: u64) -> Option<(Level, f64)> {
        let (at_match, at_possible) = self.thresholds(query_ms);
        if same_recording && score >= at_match {
            return Some((Level::Match, at_match));
        }
        (score >= at_possible).then_some((Level::Possible, at_possible))
    }

    /// How many unrelated films of this index are expected to score as high against a query of that length in
    /// milliseconds, and whether that is beyond the calibration's data.
    #[must_use]
    pub fn expected_false_matches(&self, score: f64, query_ms: u64) -> (f64, bool) {
        let tail = self.calibration.tail(score);
        (tail.probability * self.films as f64 * windows(query_ms) as f64, tail.extrapolated)
    }
}

/// Windows that a row of films counts, in a query of that length.
fn windows(query_ms: u64) -> u64 {
    query_ms.div_ceil(FILM_WINDOW_MS).max(1)
}

/// `1 - min(1, expected)`: documented as no posterior probability, since it knows nothing of how likely a copy was.
pub(crate) fn confidence(expected_false_matches: f64) -> f64 {
    1.0 - expected_false_matches.min(1.0)
}
