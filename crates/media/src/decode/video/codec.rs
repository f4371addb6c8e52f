//! The codecs whose pictures are decoded in this process.

use super::{Selection, h264};
use crate::{Limits, Luma, Problem};

/// A codec that is decoded here.
#[derive(Clone, Copy, Debug)]
pub struct Codec {
    /// Its name, as [`Film::codec`](super::Film::codec) has it.
    pub name: &'static str,
    /// Which decoder it is, with its version, as [`Decoded::decoder`](super::Decoded::decoder) has it.
    pub decoder: &'static str,
    /// Begins with the configuration that the container holds, empty where it holds none.
    pub(super) begin: fn(&[u8], Selection, &Limits) -> Begun,
}

/// Every codec that this build decodes.
pub const CODECS: &[Codec] = &[
    h264::CODEC,
    #[cfg(feature = "av1")]
    super::av1::CODEC,
];

/// A decoder, or why there is none for this track.
pub(super) type Begun = Result<Box<dyn Decoder>, Failed>;

/// A decoder of one track's samples.
pub(super) trait Decoder {
    /// Decodes what one sample holds: a picture, rarely none or two. The error comes with the pictures that were complete
    /// before it.
    fn decode(&mut self, sample: &[u8]) -> (Vec<Luma>, Result<(), Failed>);

    /// How many frames may be decoded before one that is shown earlier.
    fn reordered(&self) -> usize;
}

/// Why a sample gave no picture.
#[derive(Debug)]
pub(super) enum Failed {
    /// This one alone.
    Sample(String),
    /// This stream is not decoded here: the variant's name.
    Unsupported(String),
    /// All that follows.
    Fatal(Problem),
}
