//! The table of algorithms. A new one is a file and a row; its number is on disk and never used again for another.
//!
//! Numbers given so far: 1 `pdq`, 2 `pdq-512`, 3 `pdq-area`, 4 `mean-64`, 5 `gradient-64`, 6 `double-gradient-40`,
//! 7 `vertical-gradient-64`, 8 `blockhash-64`, 9 `dct-mean-64`, 10 `chromaprint`, 11 `landmarks`. The classic ones (4 to 9)
//! are rows where the feature `image` is on; a build without it leaves their numbers empty. Pictures have a code each, and
//! [`ALGORITHMS`] can make it; sound is a run of items, so that its algorithms (10 and 11) stand in a table apart,
//! [`AUDIO_ALGORITHMS`], with numbers and names from the same stock. docs/ALGORITHMS.md has a section for each.

use minutia_media::Picture;

#[cfg(feature = "image")]
use super::classic;
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
    /// Whether it defines a quality, 0..=100.
    pub has_quality: bool,
    /// Makes the code of an upright picture, and its quality where the algorithm defines one.
    pub code: fn(&Picture) -> (Code, Option<u8>),
}

/// One row of [`AUDIO_ALGORITHMS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioAlgorithm {
    /// Its number on disk.
    pub id: AlgorithmId,
    /// Its name on the command line and in records.
    pub name: &'static str,
    /// What it is, in a line, with its source.
    pub about: &'static str,
}

impl AlgorithmId {
    /// `pdq`: what most hash lists hold.
    pub const PDQ: AlgorithmId = AlgorithmId(1);
    /// `pdq-512`.
    pub const PDQ_512: AlgorithmId = AlgorithmId(2);
    /// `pdq-area`: what scans use.
    pub const PDQ_AREA: AlgorithmId = AlgorithmId(3);
    /// `chromaprint`: what lists of sound hold.
    pub const CHROMAPRINT: AlgorithmId = AlgorithmId(10);
    /// `landmarks`: what scans of sound use.
    pub const LANDMARKS: AlgorithmId = AlgorithmId(11);

    /// The hexadecimal digits of a code that carry meaning: what hash lists print of it.
    pub fn digits(self, code: &Code) -> String {
        let mut digits = code.to_string();
        digits.truncate(self.digit_count());
        digits
    }

    /// How many those are: all 64 where the algorithm is not known here.
    pub(crate) fn digit_count(self) -> usize {
        self.row().map_or(Code::BITS, |row| row.bits).div_ceil(4) as usize
    }

    /// The algorithm in whose space the codes lie: `pdq-area` for the dialects of PDQ, whose codes of one picture are a few
    /// bits apart; itself for every other.
    #[must_use]
    pub fn space(self) -> AlgorithmId {
        let dialects = [AlgorithmId::PDQ, AlgorithmId::PDQ_512, AlgorithmId::PDQ_AREA];
        if dialects.contains(&self) { AlgorithmId::PDQ_AREA } else { self }
    }

    /// True where distances between codes of the two mean something.
    pub fn compares_with(self, other: AlgorithmId) -> bool {
        self.space() == other.space()
    }

    /// Its name, whether it is of pictures or of sound, if this build knows it.
    pub fn name(self) -> Option<&'static str> {
        self.row().map(|row| row.name).or_else(|| self.audio_row().map(|row| row.name))
    }

    /// The number of this name, whether it is of pictures or of sound.
    pub fn of_name(name: &str) -> Option<AlgorithmId> {
        let audio = || AUDIO_ALGORITHMS.iter().find(|row| row.name == name).map(|row| row.id);
        AlgorithmId::named(name).map(|row| row.id).or_else(audio)
    }

    /// The row of sound of this number.
    pub fn audio_row(self) -> Option<&'static AudioAlgorithm> {
        AUDIO_ALGORITHMS.iter().find(|row| row.id == self)
    }

    /// The row of pictures of this name.
    pub fn named(name: &str) -> Option<&'static Algorithm> {
        ALGORITHMS.iter().find(|row| row.name == name)
    }

    /// The row of pictures of this number, if this build knows it.
    pub fn row(self) -> Option<&'static Algorithm> {
        ALGORITHMS.iter().find(|row| row.id == self)
    }
}

/// Every image algorithm of this build.
pub const ALGORITHMS: &[Algorithm] = &[
    Algorithm {
        id: AlgorithmId::PDQ,
        name: "pdq",
        bits: 256,
        about: "PDQ on the full-size picture, as python-threatexchange and pip pdqhash compute it (Meta, 2019)",
        has_quality: true,
        code: |picture| {
            let hash = pdq(picture);
            (hash.code, Some(hash.quality))
        },
    },
    Algorithm {
        id: AlgorithmId::PDQ_512,
        name: "pdq-512",
        bits: 256,
        about: "PDQ after nearest-neighbour sampling to 512x512, as the C++ tool computes it (Meta, 2019)",
        has_quality: true,
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
        has_quality: true,
        code: |picture| {
            let (code, quality) = pdq_area(picture);
            (code, Some(quality))
        },
    },
    #[cfg(feature = "image")]
    Algorithm {
        id: AlgorithmId(4),
        name: "mean-64",
        bits: 64,
        about: "luma at 8x8 against its mean; as image_hasher, 8x8, Lanczos3, MsbFirst (Krawetz, 2011)",
        has_quality: false,
        code: |picture| (classic::mean(picture), None),
    },
    #[cfg(feature = "image")]
    Algorithm {
        id: AlgorithmId(5),
        name: "gradient-64",
        bits: 64,
        about: "luma at 9x8 along its rows; as image_hasher, near imagehash dhash (Krawetz, 2013)",
        has_quality: false,
        code: |picture| (classic::gradient(picture), None),
    },
    #[cfg(feature = "image")]
    Algorithm {
        id: AlgorithmId(6),
        name: "double-gradient-40",
        bits: 40,
        about: "luma at 5x5 along its rows, then its columns; as image_hasher (Krawetz, 2013)",
        has_quality: false,
        code: |picture| (classic::double_gradient(picture), None),
    },
    #[cfg(feature = "image")]
    Algorithm {
        id: AlgorithmId(7),
        name: "vertical-gradient-64",
        bits: 64,
        about: "luma at 8x9 down its columns, column by column; as image_hasher (Krawetz, 2013)",
        has_quality: false,
        code: |picture| (classic::vertical_gradient(picture), None),
    },
    #[cfg(feature = "image")]
    Algorithm {
        id: AlgorithmId(8),
        name: "blockhash-64",
        bits: 64,
        about: "8x8 block sums against the median of their band; as image_hasher (Yang, Gu and Niu, 2006)",
        has_quality: false,
        code: |picture| (classic::blockhash(picture), None),
    },
    #[cfg(feature = "image")]
    Algorithm {
        id: AlgorithmId(9),
        name: "dct-mean-64",
        bits: 64,
        about: "8x8 lowest frequencies of luma at 16x16 against their mean; as image_hasher (Krawetz, 2011)",
        has_quality: false,
        code: |picture| (classic::dct_mean(picture), None),
    },
];

/// Every audio algorithm of this build.
pub const AUDIO_ALGORITHMS: &[AudioAlgorithm] = &[
    AudioAlgorithm {
        id: AlgorithmId::CHROMAPRINT,
        name: "chromaprint",
        about: "32 bits of harmony each 124 ms; Chromaprint algorithm 2, as fpcalc computes it (Lalinsky, 2011)",
    },
    AudioAlgorithm {
        id: AlgorithmId::LANDMARKS,
        name: "landmarks",
        about: "peaks of the spectrum, compared in pairs under changes of speed and pitch; used by scans",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_name_stand_for_one_algorithm() {
        for row in ALGORITHMS {
            assert_eq!(ALGORITHMS.iter().filter(|other| other.id == row.id).count(), 1, "{}", row.name);
            assert_eq!(ALGORITHMS.iter().filter(|other| other.name == row.name).count(), 1, "{}", row.name);
            assert_eq!(row.id.row().map(|found| found.name), Some(row.name));
            assert!(row.bits <= Code::BITS && row.bits.is_multiple_of(8), "{}", row.name);
        }
        for row in AUDIO_ALGORITHMS {
            assert_eq!(AUDIO_ALGORITHMS.iter().filter(|other| other.id == row.id).count(), 1, "{}", row.name);
            assert!(row.id.row().is_none() && AlgorithmId::named(row.name).is_none(), "{}", row.name);
            assert_eq!((row.id.name(), AlgorithmId::of_name(row.name)), (Some(row.name), Some(row.id)));
        }
        assert_eq!(AlgorithmId::PDQ.name(), Some("pdq"));
        assert_eq!((AlgorithmId(0).name(), AlgorithmId::of_name("nothing")), (None, None));
        assert_eq!(ALGORITHMS.len(), if cfg!(feature = "image") { 9 } else { 3 });
    }

    #[test]
    fn bits_without_meaning_are_zero() {
        let noise = |n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8;
        let sizes = [(1, 1), (1, 40), (40, 1), (3, 5), (8, 8), (64, 64), (97, 61)];
        let mut seen = [0_u8; 32];
        for row in ALGORITHMS {
            for (width, height) in sizes {
                let pixels = (0..width * height * 3).map(noise).collect();
                let picture = minutia_media::Rgb::new(width, height, pixels).map(Picture::Rgb).unwrap();
                let (code, quality) = (row.code)(&picture);
                assert!(code.0[row.bits as usize / 8..].iter().all(|&byte| byte == 0), "{} {code}", row.name);
                assert!(quality.is_none_or(|quality| quality <= 100), "{}", row.name);
                seen.iter_mut().zip(code.0).for_each(|(all, byte)| *all |= byte);
            }
        }
        assert!(seen.iter().all(|&byte| byte != 0), "{seen:?}");
    }
}
