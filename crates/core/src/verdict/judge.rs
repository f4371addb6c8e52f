//! The judge: from a distance to a level, with the numbers that decided.

use super::Level;
use super::calibration::Calibration;

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

/// The greatest distances of the two levels, inclusive, in bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Thresholds {
    /// Up to here a finding is a `match`; `None` where no distance is rare enough for an index of this size.
    pub match_bits: Option<u32>,
    /// Up to here it is `possible`.
    pub possible_bits: Option<u32>,
}

/// What one distance means in an index of a given size.
#[derive(Clone, Copy, Debug)]
pub struct Judge {
    calibration: &'static Calibration,
    references: u64,
    thresholds: Thresholds,
}

impl Judge {
    /// For an index of `references` pictures, by `calibration`.
    pub fn new(calibration: &'static Calibration, references: u64, allowed: Allowed) -> Judge {
        let references = references.max(1);
        let match_bits = calibration.threshold(references, allowed.at_match);
        let possible_bits = calibration.threshold(references, allowed.at_possible.max(allowed.at_match));
        Judge { calibration, references, thresholds: Thresholds { match_bits, possible_bits } }
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

    /// The level of a pair at `distance_bits`, and the threshold that it kept; `None` beyond both.
    pub fn level(&self, distance_bits: u32) -> Option<(Level, u32)> {
        let keeps = |threshold: Option<u32>| threshold.filter(|&bits| distance_bits <= bits);
        keeps(self.thresholds.match_bits)
            .map(|bits| (Level::Match, bits))
            .or_else(|| keeps(self.thresholds.possible_bits).map(|bits| (Level::Possible, bits)))
    }

    /// How many unrelated pictures of this index are expected as near as `distance_bits`, and whether the calibration's
    /// data reach that far.
    pub fn expected_false_matches(&self, distance_bits: u32) -> (f64, bool) {
        let tail = self.calibration.tail(distance_bits);
        (tail.probability * self.references as f64, tail.extrapolated)
    }
}

/// `1 - min(1, expected)`: documented as no posterior probability, since it knows nothing of how likely a copy was.
pub(crate) fn confidence(expected_false_matches: f64) -> f64 {
    1.0 - expected_false_matches.min(1.0)
}
