//! The row of the frames of films: made by `minutia calibrate --film`, not by hand.

use super::ScoreCalibration;

pub(super) const ROW: ScoreCalibration = ScoreCalibration {
    data: "",
    command: "minutia calibrate --film SETS/*",
    works: 0,
    sets: 0,
    pairs: 1,
    steps: 4,
    at_least: AT_LEAST,
    slowest: 0.7,
};

#[rustfmt::skip]
const AT_LEAST: &[u64] = &[
        1,
];
