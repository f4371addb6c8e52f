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
        1727414, 2172317, 2669785, 3214745, 3802145, 4425204, 5074199, 5736672, 6397487, 7039844, 7651966, 8219144,
        8731430, 9182105, 9573066, 9906577, 10187366, 10418260, 10608730, 10763453, 10889801, 10993421, 11078941,
        11150028, 11210257, 11262167, 11306237, 11344938, 11379667, 11410277, 11437981, 11463549, 11486708, 11507633,
        11527047, 11545109, 11561672, 11577176, 11591802, 11605497,
];
