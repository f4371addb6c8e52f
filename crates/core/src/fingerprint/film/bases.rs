//! What the views of a shot's frames are parts of, and the values of those parts.

use minutia_media::Luma;

use super::super::image::part;
use super::super::region::{Part, values};
use super::super::trim::Rect;
use super::frames::rectangles;
use super::perspective::{Corners, slanted_values, turned_values};
use super::plane::Plane;
use super::sharp::sharp_part;
use super::slanted::slanted_parts;
use super::steady::{Screen, screens};
use super::views::{FRAMED, FilmBase, FilmView, SLANTED};

/// Slanted pictures that are found in the mean of frames, before these are held still.
pub(super) const SLANTED_FOUND: usize = 6;

/// What views of the frames of a shot are parts of.
pub(super) struct Bases {
    trimmed: Rect,
    framed: Vec<Rect>,
    sharp: Option<Rect>,
    slanted: Vec<Screen>,
}

impl Bases {
    pub(super) fn of(
        planes: &[&Plane],
        lumas: &[&Luma],
        trimmed: Rect,
        for_second_look: bool,
        of_group: &[Corners],
    ) -> Bases {
        if !for_second_look {
            return Bases { trimmed, framed: Vec::new(), sharp: None, slanted: Vec::new() };
        }
        let framed = rectangles(planes, FRAMED.into());
        // Before a border of one colour everything is sharper than what surrounds it.
        let sharp = sharp_part(lumas).filter(|sharp| !sharp.is_about(trimmed));
        let mut candidates = slanted_parts(planes, SLANTED_FOUND);
        candidates.extend_from_slice(of_group);
        let slanted = screens(lumas, &candidates, SLANTED.into());
        Bases { trimmed, framed, sharp, slanted }
    }

    /// Width by height of what a base is, in hundredths; of what is brought to a rectangle nobody knows.
    pub(super) fn shape(&self, base: FilmBase) -> u16 {
        let rect = match base {
            FilmBase::Framed(picture) => self.framed.get(usize::from(picture)),
            FilmBase::Sharp => self.sharp.as_ref(),
            FilmBase::Trimmed | FilmBase::Whole => Some(&self.trimmed),
            FilmBase::Slanted(_) => None,
        };
        let shape = |rect: &Rect| 100 * (rect.right - rect.left) / (rect.bottom - rect.top).max(1);
        rect.map_or(100, |rect| shape(rect).clamp(1, usize::from(u16::MAX)) as u16)
    }

    /// The 64x64 values of a view of the shot's frame of that number among those of steps; `None` where there is no such part.
    /// Of a frame between steps nobody knows where a slanted picture is.
    pub(super) fn values(&self, number: Option<usize>, plane: &Plane, view: &FilmView) -> Option<Vec<f32>> {
        let base = match view.base {
            FilmBase::Trimmed => self.trimmed,
            FilmBase::Whole => Some(Rect::of(&plane.luma)).filter(|&whole| whole != self.trimmed)?,
            FilmBase::Framed(picture) => *self.framed.get(usize::from(picture))?,
            FilmBase::Sharp => self.sharp?,
            FilmBase::Slanted(picture) => {
                let screen = self.slanted.get(usize::from(picture))?;
                let crop = screen.part(view.crop.map(|thousandths| f32::from(thousandths) / 1000.0));
                return Some(slanted_values(plane, screen.corners.get(number?)?, crop));
            }
        };
        let part = cut(part(base), view.crop);
        let part = match view.strip {
            Some(place) => strip(part, place)?,
            None => part,
        };
        Some(match view.degrees {
            0 => values(&plane.luma, part),
            degrees => turned_values(plane, part, degrees.into()),
        })
    }
}

/// The upright strip of a part, `None` where the part is not wide enough, or so wide that it is no part of a wider film.
fn strip(part: Part, place: i8) -> Option<Part> {
    /// A hundredth of the height beyond the part is still in it.
    const BEYOND: f32 = 0.015;
    /// Width over height of the widest query that is looked at in strips, and of films that are cut to strips.
    const WIDEST: f32 = 2.6;
    let (width, height) = (part.right - part.left, part.bottom - part.top);
    let half = height * f32::from(FilmView::STRIP_WIDTH) / 200.0;
    let middle = (part.left + part.right) / 2.0 + height * f32::from(place) / 100.0;
    let (left, right) = (middle - half, middle + half);
    let beyond = BEYOND * height;
    if width > WIDEST * height || left < part.left - beyond || right > part.right + beyond {
        return None;
    }
    Some(Part { left: left.max(part.left), right: right.min(part.right), ..part })
}

fn cut(part: Part, crop: [u16; 4]) -> Part {
    let (width, height) = (part.right - part.left, part.bottom - part.top);
    let at = |start: f32, side: f32, thousandths: u16| start + side * f32::from(thousandths) / 1000.0;
    Part {
        left: at(part.left, width, crop[0]),
        top: at(part.top, height, crop[1]),
        right: at(part.left, width, crop[2]),
        bottom: at(part.top, height, crop[3]),
    }
}
