//! Fingerprints: what is kept of a piece of media, and the table of the algorithms that make it.
//!
//! There is no trait over fingerprints: images are compared, sound and film are *aligned*. Three concrete kinds stand
//! in one closed enum at the rim; the fixed-width [`Code`] is shared below.

mod algorithm;
mod audio;
#[cfg(feature = "image")]
mod classic;
mod code;
mod image;
mod pdq;
mod region;
mod smooth;
mod trim;

pub use algorithm::{ALGORITHMS, AUDIO_ALGORITHMS, Algorithm, AlgorithmId, AudioAlgorithm};
pub use audio::{
    AudioFingerprint, CHROMAPRINT_2, Chromaprint, CompressedError, Mix, Peak, chromaprint, compress, compress_to_text,
    decompress, decompress_text, simhash,
};
pub use code::{Code, ParseCodeError};
pub use image::{Dihedral, ImageFingerprint, Region, RegionKind, View, Views, fingerprint_image};
pub use pdq::{DihedralHash, Hash as PdqHash, pdq, pdq_512, pdq_512_dihedral, pdq_dihedral};

/// What is kept of one piece of media. Closed on purpose: matching a new kind is new code, not a new row.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Fingerprint {
    /// A picture, or one frame of an animation.
    Image(ImageFingerprint),
}
