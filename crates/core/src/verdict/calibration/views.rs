//! The row of `pdq-area`: made by `minutia calibrate`, not by hand.

use super::Calibration;
use crate::fingerprint::AlgorithmId;

pub(super) const ROW: Calibration = Calibration {
    algorithm: AlgorithmId::PDQ_AREA,
    data: "photographs, paintings, textures, game art and clip art of 28 collections that have nothing to do with each other, none of them in the development set",
    command: "minutia calibrate SETS/*",
    pictures: 3596,
    sets: 28,
    pairs: 12047456,
    within: WITHIN,
};

#[rustfmt::skip]
const WITHIN: &[u64] = &[
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 3, 3, 4, 5, 5, 7, 8, 11, 13, 18, 31, 50, 72, 115, 188, 305, 492, 833, 1413,
        2495, 4356, 7616, 13051, 22222, 37425, 61796, 99928, 157800, 242931, 362961, 526424, 740631, 1010990, 1340514,
        1727414, 2172317, 2669786, 3214747, 3802148, 4425209, 5074210, 5736683, 6397506, 7039877, 7652004, 8219185,
        8731490, 9182173, 9573144, 9906641, 10187424, 10418307, 10608769, 10763481, 10889824, 10993438, 11078955,
        11150035, 11210264, 11262176, 11306246, 11344943, 11379672, 11410281, 11437985, 11463552, 11486710, 11507634,
        11527048, 11545110, 11561673, 11577175, 11591803, 11605497,
];
