//! The row of `landmarks`: made by `minutia calibrate --sound`, not by hand.

use super::ScoreCalibration;

pub(super) const ROW: ScoreCalibration = ScoreCalibration {
    data: "music, tracker modules, MIDI renderings and speech of 79 free packages",
    command: "minutia calibrate --sound SETS/*",
    works: 383,
    sets: 79,
    pairs: 367869,
    steps: 1,
    at_least: AT_LEAST,
    slowest: 0.53,
};

#[rustfmt::skip]
const AT_LEAST: &[u64] = &[
        367869, 9, 9, 9, 4, 1,
];
