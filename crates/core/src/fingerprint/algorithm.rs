//! The table of algorithms. A new one is a file and a row; its number is on disk and never used again for another.

use minutia_media::Picture;

use super::image::pdq_area;
use super::{Code, pdq, pdq_512};

/// The number under which an algorithm stands on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AlgorithmId(pub u16);

/// One row of [`ALGORITHMS`].
#[derive(Clone, Copy)]
pub struct Algorithm {
    /// Its number on disk.
    pub id: AlgorithmId,
    /// Its name on the command line and in records.
    pub name: &'static str,
    /// Bits of its code that carry meaning, from the first; the rest are zero.
    pub bits: u32,
    /// What it is, in a line, with its source.
    pub about: &'static str,
    /// Makes the code of an upright picture, and its quality 0..=100 where the algorithm defines one.
    pub code: fn(&Picture) -> (Code, Option<u8>),
}

impl AlgorithmId {
    /// `pdq-area`: what scans use.
    pub const PDQ_AREA: AlgorithmId = AlgorithmId(3);

    /// The row of this number, if this build knows it.
    pub fn row(self) -> Option<&'static Algorithm> {
        ALGORITHMS.iter().find(|row| row.id == self)
    }
}

/// Every image algorithm of this build.
pub const ALGORITHMS: &[Algorithm] = &[
    Algorithm {
        id: AlgorithmId(1),
        name: "pdq",
        bits: 256,
        about: "PDQ on the full-size picture, as python-threatexchange and pip pdqhash compute it (Meta, 2019)",
        code: |picture| {
            let hash = pdq(picture);
            (hash.code, Some(hash.quality))
        },
    },
    Algorithm {
        id: AlgorithmId(2),
        name: "pdq-512",
        bits: 256,
        about: "PDQ after nearest-neighbour sampling to 512x512, as the C++ tool computes it (Meta, 2019)",
        code: |picture| {
            let hash = pdq_512(picture);
            (hash.code, Some(hash.quality))
        },
    },
    Algorithm {
        id: AlgorithmId::PDQ_AREA,
        name: "pdq-area",
        bits: 256,
        about: "PDQ after averaging to at most 512 pixels a side: within a few bits of pdq, used by scans for every view",
        code: |picture| {
            let (code, quality) = pdq_area(picture);
            (code, Some(quality))
        },
    },
];
