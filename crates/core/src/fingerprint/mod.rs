//! Fingerprints: what is kept of a piece of media, and the table of the algorithms that make it.
//!
//! There is no trait over fingerprints: images are compared, sound and film are *aligned*. Three concrete kinds stand
//! in one closed enum at the rim; the fixed-width [`Code`] is shared below.

mod algorithm;
mod audio;
#[cfg(feature = "image")]
mod classic;
mod code;
mod film;
mod image;
mod pdq;
mod region;
mod smooth;
mod trim;

pub use algorithm::{ALGORITHMS, AUDIO_ALGORITHMS, Algorithm, AlgorithmId, AudioAlgorithm};
pub use audio::{
    AudioFingerprint, AudioFingerprinter, CHROMAPRINT_2, CONSTELLATION_KEY_BITS, CONSTELLATION_PLACE_BITS, Chromaprint,
    CompressedError, Mix, PAIR_KEY_BITS, Peak, chromaprint, compress, compress_to_text, constellations, decompress,
    decompress_text, pairs, simhash,
};
pub(crate) use audio::{
    CONSTELLATION_RANK, PAIR_GAP_STEP, PAIR_PITCH_STEP, Zone, constellation_key, constellation_steps,
    constellations_of, nearest, pair_key,
};
pub use code::{Code, ParseCodeError};
#[cfg(test)]
pub(crate) use film::FILM_VIEW_SET;
pub(crate) use film::ThumbnailPart;
pub use film::{
    FilmBase, FilmFingerprint, FilmFingerprinter, FilmFrame, FilmView, FilmViews, Thumbnail, VpdqFrame, vpdq,
};
pub(crate) use film::{film_view_set, film_views, is_listed_set, narrow_views};
pub use image::{Dihedral, ImageFingerprint, Region, RegionKind, View, Views, fingerprint_image};
pub use pdq::{DihedralHash, Hash as PdqHash, pdq, pdq_512, pdq_512_dihedral, pdq_dihedral};

/// What is kept of one piece of media. Closed on purpose: matching a new kind is new code, not a new row.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Fingerprint {
    /// A picture, or one frame of an animation.
    Image(ImageFingerprint),
    /// A sound recording: one audio stream of a file.
    Audio(AudioFingerprint),
    /// A film: the picture of one video stream of a file.
    Film(FilmFingerprint),
}

impl Fingerprint {
    /// The picture, if it is one.
    #[must_use]
    pub fn image(&self) -> Option<&ImageFingerprint> {
        match self {
            Fingerprint::Image(image) => Some(image),
            Fingerprint::Audio(_) | Fingerprint::Film(_) => None,
        }
    }

    /// The sound recording, if it is one.
    #[must_use]
    pub fn audio(&self) -> Option<&AudioFingerprint> {
        match self {
            Fingerprint::Audio(audio) => Some(audio),
            Fingerprint::Image(_) | Fingerprint::Film(_) => None,
        }
    }

    /// The film, if it is one.
    #[must_use]
    pub fn film(&self) -> Option<&FilmFingerprint> {
        match self {
            Fingerprint::Film(film) => Some(film),
            Fingerprint::Image(_) | Fingerprint::Audio(_) => None,
        }
    }

    /// True where there is too little content to compare: no view of a picture says anything, hardly a second of a
    /// recording does, or no frame of a film.
    #[must_use]
    pub fn says_too_little(&self) -> bool {
        match self {
            Fingerprint::Image(image) => image.views.is_empty(),
            Fingerprint::Audio(audio) => audio.content_ms < AudioFingerprint::LEAST_CONTENT_MS,
            Fingerprint::Film(film) => film.codes.iter().all(|code| code.0 == [0; 32]),
        }
    }
}
