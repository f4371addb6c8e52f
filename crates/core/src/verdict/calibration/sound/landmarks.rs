//! The row of `landmarks`: made by `minutia calibrate --sound`, not by hand.

use super::SoundCalibration;

pub(super) const ROW: SoundCalibration = SoundCalibration {
    data: "to be measured",
    command: "minutia calibrate --sound SETS/*",
    recordings: 1,
    sets: 1,
    pairs: 1_000_000,
    at_least: AT_LEAST,
};

#[rustfmt::skip]
const AT_LEAST: &[u64] = &[
    900000, 800000, 600000, 400000, 200000, 100000, 50000, 20000, 8000, 3000, 1200, 500, 200, 100, 50, 30, 20, 12,
];
