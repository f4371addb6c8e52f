//! The views of a frame: which part of it, how turned. Those of references stand on disk in this order.

use super::super::Dihedral;
use super::vpdq::{listed_set, of_listed_set};

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

/// Which views of the frames of a film to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum FilmViews {
    /// For the index.
    Reference,
    /// For a scan: those that every query is searched by.
    FirstLook,
    /// And those for queries that the first leave unexplained, some 150 altogether.
    BothLooks,
}

impl FilmView {
    /// True for a view that only a query which nothing else explains is searched by.
    #[must_use]
    pub fn is_second_look(&self) -> bool {
        let quarter = !matches!(self.turn, Dihedral::Identity | Dihedral::FlipY);
        let framed = matches!(self.base, FilmBase::Framed(_));
        quarter || self.degrees != 0 || framed || !FIRST_CROPS.contains(&self.crop)
    }
}

const WHOLE: [u16; 4] = [0, 0, 1000, 1000];

/// Parts of the trimmed frame that references have, the frame itself first: what a query may be cut to, and what is left
/// of a frame whose other parts are covered. A query is cut further until it is one of these.
const REFERENCE_CROPS: [[u16; 4]; 8] = [
    WHOLE,
    [50, 50, 950, 950],
    [140, 140, 860, 860],
    [200, 0, 800, 1000],
    [0, 0, 660, 660],
    [340, 0, 1000, 660],
    [0, 340, 660, 1000],
    [340, 340, 1000, 1000],
];

/// Parts that every query is searched by.
const FIRST_CROPS: [[u16; 4]; 7] = [
    WHOLE,
    [60, 60, 940, 940],
    [100, 100, 900, 900],
    [0, 0, 660, 660],
    [340, 0, 1000, 660],
    [0, 340, 660, 1000],
    [340, 340, 1000, 1000],
];

/// Sides of corners of a query that was cut, which are corners of references.
const CORNER_SIDES: [u16; 4] = [890, 820, 760, 705];

/// Two films beside or above each other.
const HALVES: [[u16; 4]; 4] = [[0, 0, 500, 1000], [500, 0, 1000, 1000], [0, 0, 1000, 500], [0, 500, 1000, 1000]];

/// Rectangles that are looked for, and how many of the surest are cut as well.
pub(super) const FRAMED: u8 = 14;
const FRAMED_CUT: u8 = 4;

/// Parts of these: without a rim, and upright strips as references have one.
const FRAMED_CROPS: [[u16; 4]; 5] =
    [[40, 40, 960, 960], [40, 0, 960, 1000], [90, 0, 910, 1000], [135, 0, 865, 1000], [175, 0, 825, 1000]];

/// Small turns that are tried, and the parts that are cut of the turned frame.
const DEGREES: [i8; 4] = [-4, -2, 2, 4];
const TURNED_CROPS: [[u16; 4]; 2] = [[30, 30, 970, 970], [90, 90, 910, 910]];

/// The views of each kind, in the order of the codes; those that are made of one transform stand together.
pub(super) fn views(wanted: FilmViews) -> Vec<FilmView> {
    match wanted {
        FilmViews::Reference => reference_views(),
        FilmViews::FirstLook => query_views().into_iter().filter(|view| !view.is_second_look()).collect(),
        FilmViews::BothLooks => query_views(),
    }
}

fn query_views() -> Vec<FilmView> {
    let mut views = Vec::new();
    let mut add = |base, crop, degrees, turns: &[Dihedral]| {
        views.extend(turns.iter().map(|&turn| FilmView { base, crop, degrees, turn }));
    };
    // PDQ names a mirror by the axis that stays: left and right change places in FlipY.
    let both = &[Dihedral::Identity, Dihedral::FlipY];
    for crop in FIRST_CROPS {
        let turns = if crop == WHOLE || crop == FIRST_CROPS[2] { &Dihedral::ALL[..] } else { both };
        add(FilmBase::Trimmed, crop, 0, turns);
    }
    add(FilmBase::Whole, WHOLE, 0, both);
    for side in CORNER_SIDES {
        for [left, top] in [[0, 0], [1, 0], [0, 1], [1, 1]].map(|at: [u16; 2]| at.map(|at| at * (1000 - side))) {
            add(FilmBase::Trimmed, [left, top, left + side, top + side], 0, both);
        }
    }
    for half in HALVES {
        add(FilmBase::Trimmed, half, 0, both);
    }
    for degrees in DEGREES {
        for crop in TURNED_CROPS {
            add(FilmBase::Trimmed, crop, degrees, both);
        }
    }
    for number in 0..FRAMED {
        add(FilmBase::Framed(number), WHOLE, 0, both);
        for crop in FRAMED_CROPS.into_iter().filter(|_| number < FRAMED_CUT) {
            add(FilmBase::Framed(number), crop, 0, both);
        }
    }
    views
}

/// The number on disk of the set of views that references have. A set that changes is a new number.
pub(crate) const FILM_VIEW_SET: u32 = 1;

/// The views of a set; `None` for one that this build does not know.
pub(crate) fn film_views(set: u32) -> Option<Vec<FilmView>> {
    (set == FILM_VIEW_SET).then(reference_views).or_else(|| of_listed_set(set))
}

/// The number of the set that these views are; `None` where they are none.
pub(crate) fn film_view_set(views: &[FilmView]) -> Option<u32> {
    listed_set(views).or_else(|| (views == reference_views()).then_some(FILM_VIEW_SET))
}

/// The views of references.
fn reference_views() -> Vec<FilmView> {
    let view = |&crop: &[u16; 4]| FilmView { base: FilmBase::Trimmed, crop, degrees: 0, turn: Dihedral::Identity };
    REFERENCE_CROPS.iter().map(view).collect()
}
