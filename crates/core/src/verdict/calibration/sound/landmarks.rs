//! The row of `landmarks`: made by `minutia calibrate --sound`, not by hand.

use super::SoundCalibration;

pub(super) const ROW: SoundCalibration = SoundCalibration {
    data: "music, tracker modules, MIDI renderings and speech of 81 free packages",
    command: "minutia calibrate --sound SETS/*",
    recordings: 383,
    sets: 81,
    pairs: 375835,
    at_least: AT_LEAST,
};

#[rustfmt::skip]
const AT_LEAST: &[u64] = &[
        375835, 455, 455, 455, 328, 157, 69, 33, 14, 10, 8, 6, 5, 4, 3, 3, 2, 2,
];
