//! The views of a frame: which part of it, how turned. Those of references stand on disk in this order.

use super::super::Dihedral;

/// What a view is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum FilmBase {
    /// The frame without the border that the frames of its shot share.
    Trimmed,
    /// The whole frame.
    Whole,
    /// A rectangle bounded by edges that stay where they are: a picture in a picture, a filmed screen. The surest has the
    /// lowest number.
    Framed(u8),
}

/// One view of each frame of a film.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FilmView {
    /// What it is a part of.
    pub base: FilmBase,
    /// Which part: left, top, right, bottom in 1/1000 of the base.
    pub crop: [u16; 4],
    /// By how many degrees the part is turned clockwise before it is cut.
    pub degrees: i8,
    /// The position in which it was hashed.
    pub turn: Dihedral,
}

impl FilmView {
    /// True for a view that only a query which nothing else explains is searched by.
    #[must_use]
    pub fn is_second_look(&self) -> bool {
        let quarter = !matches!(self.turn, Dihedral::Identity | Dihedral::FlipX);
        quarter || self.degrees != 0 || matches!(self.base, FilmBase::Framed(_)) || !FIRST_CROPS.contains(&self.crop)
    }
}

const WHOLE: [u16; 4] = [0, 0, 1000, 1000];

/// Parts of the trimmed frame that references have, the frame itself first: what a query may be cut to, and what is left
/// of a frame whose other parts are covered.
pub(super) const REFERENCE_CROPS: [[u16; 4]; 7] = [
    WHOLE,
    [50, 50, 950, 950],
    [100, 100, 900, 900],
    [0, 0, 720, 720],
    [280, 0, 1000, 720],
    [0, 280, 720, 1000],
    [280, 280, 1000, 1000],
];

/// Parts that every query is searched by.
const FIRST_CROPS: [[u16; 4]; 6] =
    [WHOLE, [100, 100, 900, 900], [0, 0, 720, 720], [280, 0, 1000, 720], [0, 280, 720, 1000], [280, 280, 1000, 1000]];

/// Corners, for queries that are cut to other corners than references have.
const CORNER_SIDES: [u16; 3] = [940, 860, 790];

/// Rectangles that are looked for.
pub(super) const FRAMED: u8 = 12;

/// Small turns that are tried.
const DEGREES: [i8; 4] = [-5, -2, 2, 5];

/// The number on disk of the set of views that references have. A set that changes is a new number.
pub(crate) const FILM_VIEW_SET: u32 = 1;

/// The views of that set; `None` for one that this build does not know.
pub(crate) fn film_views(set: u32) -> Option<Vec<FilmView>> {
    (set == FILM_VIEW_SET).then(reference_views)
}

/// The views of references.
pub(super) fn reference_views() -> Vec<FilmView> {
    let view = |&crop| FilmView { base: FilmBase::Trimmed, crop, degrees: 0, turn: Dihedral::Identity };
    REFERENCE_CROPS.iter().map(view).collect()
}

/// The views of queries; those that are made of one transform stand together.
pub(super) fn query_views() -> Vec<FilmView> {
    let mut views = Vec::new();
    let mut add = |base, crop, degrees, turns: &[Dihedral]| {
        views.extend(turns.iter().map(|&turn| FilmView { base, crop, degrees, turn }));
    };
    let both = &[Dihedral::Identity, Dihedral::FlipX];
    for crop in FIRST_CROPS {
        let turns = if crop == WHOLE || crop == FIRST_CROPS[1] { &Dihedral::ALL[..] } else { both };
        add(FilmBase::Trimmed, crop, 0, turns);
    }
    add(FilmBase::Whole, WHOLE, 0, both);
    for side in CORNER_SIDES {
        for [left, top] in [[0, 0], [1, 0], [0, 1], [1, 1]].map(|at: [u16; 2]| at.map(|at| at * (1000 - side))) {
            add(FilmBase::Trimmed, [left, top, left + side, top + side], 0, both);
        }
    }
    for degrees in DEGREES {
        add(FilmBase::Trimmed, [80, 80, 920, 920], degrees, both);
    }
    for number in 0..FRAMED {
        add(FilmBase::Framed(number), WHOLE, 0, both);
    }
    views
}
