//! The planes of a sampled frame: one from which views are cut, and smaller ones.

use std::cell::OnceCell;

use minutia_media::{Luma, Picture};

use super::super::region::{reduced, shrunk};

/// The longer side of the small plane.
const LONGEST: usize = 160;

/// A sampled frame. The smaller planes are made when they are first asked for.
#[derive(Debug)]
pub(super) struct Plane {
    /// From which views are cut.
    pub(super) luma: Luma,
    halved: [OnceCell<Luma>; Plane::MOST_HALVED],
    small: OnceCell<Luma>,
}

impl Plane {
    /// How often sides are halved at most.
    pub(super) const MOST_HALVED: usize = 2;

    pub(super) fn of(frame: Luma) -> Plane {
        Plane { luma: reduced(&Picture::Luma(frame)), halved: Default::default(), small: OnceCell::new() }
    }

    /// Width and height in pixels of the plane from which views are cut.
    pub(super) fn size(&self) -> (u32, u32) {
        (self.luma.width(), self.luma.height())
    }

    /// The plane from which views are cut, its sides halved so many times.
    pub(super) fn halved(&self, times: usize) -> &Luma {
        let Some(last) = times.min(Plane::MOST_HALVED).checked_sub(1) else { return &self.luma };
        self.halved[last].get_or_init(|| {
            let (width, height) = self.size();
            shrunk(self.halved(last), (width.max(height) as usize >> times).max(1))
        })
    }

    /// One in which pictures within the frame are looked for.
    pub(super) fn small(&self) -> &Luma {
        self.small.get_or_init(|| shrunk(&self.luma, LONGEST))
    }
}
