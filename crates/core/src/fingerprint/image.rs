//! The image fingerprint: PDQ codes of several views of one picture.
//!
//! A *view* is a region (whole, border trimmed, a crop) in one of the eight dihedral positions. References keep their
//! regions as they are; queries are turned all eight ways, which one DCT gives.

use minutia_media::{Orientation, Picture};

use super::Code;

/// Everything kept of one picture.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ImageFingerprint {
    /// Frame number in the file, 0 for stills.
    pub frame: u32,
    /// Presentation time of the frame in milliseconds, 0 for stills.
    pub time_ms: u64,
    /// Width of the upright picture in pixels.
    pub width: u32,
    /// Height of the upright picture in pixels.
    pub height: u32,
    /// How the pixels were stored.
    pub orientation: Orientation,
    /// The views, whole picture first; empty where nothing is worth comparing.
    pub views: Vec<View>,
}

/// One view and its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct View {
    /// Which part of the picture.
    pub region: Region,
    /// How that part was turned before hashing.
    pub turn: Dihedral,
    /// Its `pdq-512` code.
    pub code: Code,
    /// Its PDQ quality, 0..=100.
    pub quality: u8,
}

/// A rectangle of the upright picture, in 1/10000 of its width and height, half open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Region {
    /// How it was chosen.
    pub kind: RegionKind,
    /// Left edge.
    pub left: u16,
    /// Top edge.
    pub top: u16,
    /// Right edge.
    pub right: u16,
    /// Bottom edge.
    pub bottom: u16,
}

/// How a region was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum RegionKind {
    /// The whole picture.
    Whole,
    /// Without its uniform border.
    Trimmed,
    /// A fixed crop.
    Crop,
}

/// The eight positions of a rectangle, in the order in which PDQ's reference prints its dihedral hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Dihedral {
    /// As it is.
    #[default]
    Identity,
    /// Turned by 90 degrees, as PDQ's reference turns it.
    Rotate90,
    /// Turned by 180 degrees.
    Rotate180,
    /// Turned by 270 degrees.
    Rotate270,
    /// Mirrored along x.
    FlipX,
    /// Mirrored along y.
    FlipY,
    /// Mirrored along the main diagonal.
    FlipPlus1,
    /// Mirrored along the other diagonal.
    FlipMinus1,
}

impl Dihedral {
    /// All eight, in order.
    pub const ALL: [Dihedral; 8] = [
        Dihedral::Identity,
        Dihedral::Rotate90,
        Dihedral::Rotate180,
        Dihedral::Rotate270,
        Dihedral::FlipX,
        Dihedral::FlipY,
        Dihedral::FlipPlus1,
        Dihedral::FlipMinus1,
    ];
}

/// Which views to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Views {
    /// For the index: all regions of references, as they are.
    Reference,
    /// For a scan: the regions of queries, each in eight positions.
    Query,
}

/// Makes the fingerprint of an upright picture that was stored as `orientation` says.
pub fn fingerprint_image(picture: &Picture, orientation: Orientation, views: Views) -> ImageFingerprint {
    let _ = views;
    ImageFingerprint {
        frame: 0,
        time_ms: 0,
        width: picture.width(),
        height: picture.height(),
        orientation,
        views: Vec::new(),
    }
}
