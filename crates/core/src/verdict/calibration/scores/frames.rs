//! The row of the frames of films: made by `minutia calibrate --film`, not by hand.

use super::ScoreCalibration;

pub(super) const ROW: ScoreCalibration = ScoreCalibration {
    data: "129 films, animations, screen recordings and slide shows of 32 free packages, many of one show or game, and 708 altered copies",
    command: "minutia calibrate --film SETS/*",
    works: 837,
    sets: 129,
    pairs: 505588,
    steps: 4,
    at_least: AT_LEAST,
    slowest: 0.77,
};

#[rustfmt::skip]
const AT_LEAST: &[u64] = &[
        505588, 121, 112, 71, 33, 13, 9, 7, 6, 4, 2, 1, 1, 1, 1, 1, 1, 1, 1,
];
