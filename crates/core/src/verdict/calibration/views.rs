//! The row of `pdq-area`: made by `minutia calibrate`, not by hand.

use super::Calibration;
use crate::fingerprint::AlgorithmId;

pub(super) const ROW: Calibration =
    Calibration { algorithm: AlgorithmId::PDQ_AREA, data: "", command: "", pictures: 0, pairs: 1, within: &[1] };
