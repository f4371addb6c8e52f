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
    /// The part that is sharper than what surrounds it: a picture before a blurred copy of itself.
    Sharp,
    /// Four sides that need not be upright: a filmed screen. Brought to a rectangle; the surest has the lowest number.
    Slanted(u8),
}

/// One view of each frame of a film.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FilmView {
    /// What it is a part of.
    pub base: FilmBase,
    /// Which part: left, top, right, bottom in 1/1000 of the base.
    pub crop: [u16; 4],
    /// Where there is a number, of that part only an upright strip of all its height and [`FilmView::STRIP_WIDTH`] as wide,
    /// with its middle so many hundredths of the height to the right of the part's.
    pub strip: Option<i8>,
    /// By how many degrees the part is turned clockwise before it is cut.
    pub degrees: i8,
    /// The position in which it was hashed.
    pub turn: Dihedral,
    /// True where not the part itself is hashed but its frame difference: how it changed in the last
    /// [`FilmFingerprint::MOTION_LAG_MS`](super::FilmFingerprint::MOTION_LAG_MS).
    pub motion: bool,
}

/// Which views of the frames of a film to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum FilmViews {
    /// For the index.
    Reference,
    /// For a scan: those that every query is searched by.
    FirstLook,
    /// And those for queries that the first leave unexplained, some 400 altogether.
    BothLooks,
}

impl FilmView {
    /// True for a view that every frame of a reference has; the others are of those frames alone that are wide.
    pub(crate) fn is_narrow(&self) -> bool {
        (self.crop, self.strip, self.degrees) == (WHOLE, None, 0)
    }

    /// How wide a strip is, in hundredths of its height: narrower than what a film is cut to for a telephone held upright.
    pub const STRIP_WIDTH: u8 = 42;

    /// True for a view that only a query which nothing else explains is searched by.
    #[must_use]
    pub fn is_second_look(&self) -> bool {
        let quarter = !matches!(self.turn, Dihedral::Identity | Dihedral::FlipY);
        let found = matches!(self.base, FilmBase::Framed(_) | FilmBase::Sharp | FilmBase::Slanted(_));
        quarter || self.degrees != 0 || found || self.strip.is_some() || !FIRST_CROPS.contains(&self.crop)
    }

    /// True for a view that each sample of a query has; the others are made of every second one.
    pub(crate) fn is_dense(&self) -> bool {
        !self.is_second_look() || matches!((self.base, self.crop), (FilmBase::Slanted(_), WHOLE))
    }
}

const WHOLE: [u16; 4] = [0, 0, 1000, 1000];

/// Parts of the trimmed frame that references have, the frame itself first: what a query may be cut to, and what is left
/// of a frame whose other parts are covered. A query is cut further until it is one of these. Corners stand a little inside,
/// since who cuts a frame off its centre seldom keeps the very corner. Two that are opposite are enough, since a search fits
/// the rest.
const REFERENCE_CROPS: [[u16; 4]; 4] = [WHOLE, [140, 140, 860, 860], LEFT_ABOVE, RIGHT_BELOW];
const LEFT_ABOVE: [u16; 4] = [CORNER_INSET, CORNER_INSET, CORNER_END, CORNER_END];
const RIGHT_ABOVE: [u16; 4] = [1000 - CORNER_END, CORNER_INSET, 1000 - CORNER_INSET, CORNER_END];
const LEFT_BELOW: [u16; 4] = [CORNER_INSET, 1000 - CORNER_END, CORNER_END, 1000 - CORNER_INSET];
const RIGHT_BELOW: [u16; 4] = [1000 - CORNER_END, 1000 - CORNER_END, 1000 - CORNER_INSET, 1000 - CORNER_INSET];
const CORNER_INSET: u16 = 30;
const CORNER_END: u16 = 690;

/// Strips that references have, beside those.
const REFERENCE_STRIPS: [i8; 3] = [-30, 0, 30];

/// Strips of a query that is narrow enough to be a part of a wide film: from where to where, and how far apart.
const STRIPS: std::ops::RangeInclusive<i8> = -46..=46;
const STRIP_STEP: usize = 2;

/// A tenth less on each side, which is looked for in all positions, as the whole is.
const WITHIN: [u16; 4] = [100, 100, 900, 900];

/// Parts that every query is searched by.
const FIRST_CROPS: [[u16; 4]; 7] =
    [WHOLE, [60, 60, 940, 940], WITHIN, LEFT_ABOVE, RIGHT_ABOVE, LEFT_BELOW, RIGHT_BELOW];

/// Parts near the corners of a query that was cut, which are corners of references: sides, and how far from the corner. Near the
/// two corners that references have not, more is found by them all the same.
const CORNERS: [(u16, &[u16]); 7] =
    [(880, &[0, 40]), (845, &[0, 40]), (810, &[10, 50]), (775, &[20, 50]), (750, &[35]), (725, &[35]), (700, &[35])];

/// Two films beside or above each other.
const HALVES: [[u16; 4]; 4] = [[0, 0, 500, 1000], [500, 0, 1000, 1000], [0, 0, 1000, 500], [0, 500, 1000, 1000]];

/// Rectangles that are looked for, and how many of the surest are cut as well.
pub(super) const FRAMED: u8 = 14;
const FRAMED_CUT: u8 = 4;

/// Part of these without a rim.
const FRAMED_CROP: [u16; 4] = [40, 40, 960, 960];

/// Slanted pictures that are looked for.
pub(super) const SLANTED: u8 = 4;
/// How many of the surest are cut as well, for where their sides are a little off, and the part.
const SLANTED_CUT: u8 = 2;
const SLANTED_CROP: [u16; 4] = [45, 45, 955, 955];

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
    let mut add = |base, crop, strip, degrees, turns: &[Dihedral]| {
        let view = |motion| move |&turn| FilmView { base, crop, strip, degrees, turn, motion };
        views.extend(turns.iter().map(view(false)));
        if has_motion(base, crop, strip) {
            views.extend(turns.iter().map(view(true)));
        }
    };
    // PDQ names a mirror by the axis that stays: left and right change places in FlipY.
    let both = &[Dihedral::Identity, Dihedral::FlipY];
    for crop in FIRST_CROPS {
        let turns = match crop {
            WHOLE | WITHIN => &Dihedral::ALL[..],
            // The corners that references have, and those that are these mirrored.
            LEFT_ABOVE | RIGHT_BELOW => &both[..1],
            LEFT_BELOW | RIGHT_ABOVE => &both[1..],
            _ => both,
        };
        add(FilmBase::Trimmed, crop, None, 0, turns);
    }
    add(FilmBase::Whole, WHOLE, None, 0, both);
    for (side, places) in CORNERS {
        for (&x, &y) in places.iter().flat_map(|x| places.iter().map(move |y| (x, y))) {
            for [left, top] in [[x, y], [1000 - side - x, y], [x, 1000 - side - y], [1000 - side - x, 1000 - side - y]]
            {
                add(FilmBase::Trimmed, [left, top, left + side, top + side], None, 0, &both[..1]);
            }
        }
    }
    for half in HALVES {
        add(FilmBase::Trimmed, half, None, 0, both);
        // A border may be one of the two films' own.
        add(FilmBase::Whole, half, None, 0, both);
    }
    for place in STRIPS.step_by(STRIP_STEP) {
        add(FilmBase::Trimmed, WHOLE, Some(place), 0, both);
        add(FilmBase::Sharp, WHOLE, Some(place), 0, &both[..1]);
    }
    add(FilmBase::Sharp, WHOLE, None, 0, both);
    add(FilmBase::Sharp, FRAMED_CROP, None, 0, both);
    for degrees in DEGREES {
        for crop in TURNED_CROPS {
            add(FilmBase::Trimmed, crop, None, degrees, both);
        }
    }
    for number in 0..FRAMED {
        add(FilmBase::Framed(number), WHOLE, None, 0, both);
        if number < FRAMED_CUT {
            add(FilmBase::Framed(number), FRAMED_CROP, None, 0, both);
        }
    }
    for number in 0..SLANTED {
        let turns = &both[..if number == 0 { 2 } else { 1 }];
        add(FilmBase::Slanted(number), WHOLE, None, 0, turns);
        if number < SLANTED_CUT {
            add(FilmBase::Slanted(number), SLANTED_CROP, None, 0, turns);
        }
    }
    views
}

/// Whether the frame differences of such a part are looked for: those of references are of the whole frame.
fn has_motion(base: FilmBase, crop: [u16; 4], strip: Option<i8>) -> bool {
    let whole = crop == WHOLE || matches!(base, FilmBase::Framed(_) | FilmBase::Slanted(_));
    strip.is_none() && (whole || HALVES.contains(&crop) || crop == TURNED_CROPS[0])
}

/// The number on disk of the set of views that references have. A set that changes is a new number.
pub(crate) const FILM_VIEW_SET: u32 = 5;

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
    let view = |crop, strip, motion| {
        let (base, turn) = (FilmBase::Trimmed, Dihedral::Identity);
        FilmView { base, crop, strip, degrees: 0, turn, motion }
    };
    let narrow = [false, true].map(|motion| view(WHOLE, None, motion));
    let crops = REFERENCE_CROPS[1..].iter().map(|&crop| view(crop, None, false));
    let strips = REFERENCE_STRIPS.iter().map(|&strip| view(WHOLE, Some(strip), false));
    // What seems a border may be a wall or the ground of a game, and seem another in a copy.
    let whole = FilmView { base: FilmBase::Whole, ..narrow[0] };
    narrow.into_iter().chain(crops).chain(strips).chain([whole]).collect()
}
