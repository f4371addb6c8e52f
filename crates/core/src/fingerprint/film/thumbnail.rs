//! What frames of a query look like in small, from which a search cuts parts that have no codes.

use minutia_media::Luma;

use super::super::image::has_content;
use super::super::pdq;
use super::super::region::{Part, values};
use super::super::{Code, Dihedral};
use super::perspective::squeezed_turned_values;
use super::{FilmBase, FilmView};

/// What a frame looks like in small, or a picture that was found in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Thumbnail {
    /// The number of the frame among those of the fingerprint.
    pub frame: u32,
    /// What it is of.
    pub base: FilmBase,
    /// Width by height of that, in hundredths; 100 where it is not known.
    pub shape: u16,
    /// [`Thumbnail::SIDE`] rows of as many levels, whatever the shape of the frame.
    pub levels: Vec<u8>,
}

impl Thumbnail {
    /// Levels along each side.
    pub const SIDE: usize = pdq::SIDE;
    /// The most of one frame: itself, its sharp part, and the surest rectangles and slanted pictures.
    pub const MOST: usize = 2 + 2 * Thumbnail::MOST_FOUND as usize;

    /// Pictures found in a frame of which there are thumbnails: the surest of each kind.
    const MOST_FOUND: u8 = 2;

    /// Whether there are thumbnails of what a view shows.
    pub(super) fn is_of(view: &FilmView) -> bool {
        let base = match view.base {
            FilmBase::Trimmed | FilmBase::Sharp => true,
            FilmBase::Framed(picture) | FilmBase::Slanted(picture) => picture < Thumbnail::MOST_FOUND,
            FilmBase::Whole => false,
        };
        base && view.is_narrow()
    }

    /// Of a base by its 64x64 values; of which frame it is is still to be told.
    pub(super) fn of(base: FilmBase, shape: u16, values: &[f32]) -> Thumbnail {
        Thumbnail { frame: 0, base, shape, levels: values.iter().map(|value| value.round() as u8).collect() }
    }

    pub(super) fn of_frame(&self, frame: u32) -> Thumbnail {
        Thumbnail { frame, ..self.clone() }
    }
}

/// A part of thumbnails.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ThumbnailPart {
    /// Left, top, right and bottom, in parts of the thumbnail; what lies beyond is as its edge.
    pub(crate) edges: [f32; 4],
    /// How far it is turned about its middle before that, clockwise.
    pub(crate) degrees: f32,
    pub(crate) turn: Dihedral,
}

impl ThumbnailPart {
    /// The code of that part, nearly as one is that is cut from the frame; `None` where there is nothing to see, and of levels that
    /// are not as many as a thumbnail has.
    pub(crate) fn code(&self, thumbnail: &Thumbnail) -> Option<Code> {
        let side = Thumbnail::SIDE as u32;
        let plane = Luma::new(side, side, thumbnail.levels.clone())?;
        let [left, top, right, bottom] = self.edges.map(|edge| edge * Thumbnail::SIDE as f32);
        let part = Part { left, top, right, bottom };
        let values = match self.degrees {
            0.0 => values(&plane, part),
            degrees => squeezed_turned_values(&plane, part, degrees, f32::from(thumbnail.shape.max(1)) / 100.0),
        };
        let low = pdq::transform(&values);
        has_content(&low).then(|| pdq::code(&pdq::turned(&low, self.turn)))
    }
}
