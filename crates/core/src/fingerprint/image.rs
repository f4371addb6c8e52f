//! The image fingerprint: PDQ codes of several views of one picture.
//!
//! A *view* is a region (whole, border trimmed, a crop) in one of the eight dihedral positions. References keep their
//! regions as they are; queries are turned all eight ways, which one transform gives. All regions are cut from one plane
//! of at most 512 pixels a side, in which each pixel is the mean of those that it stands for: nearest-neighbour sampling,
//! as `pdq-512` has it, costs a point of recall on large pictures.

use minutia_media::{Orientation, Picture};

use super::Code;
use super::pdq::{self, Low};
use super::region::{Part, plain_rim, reduced, values};
use super::trim::{Border, Rect, edges, flat};

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
    /// Its code.
    pub code: Code,
    /// Its PDQ quality, 0..=100. Recorded, not judged by: codes of low quality still find their copies.
    pub quality: u8,
    /// How much of its rim is one shade, 0..=255 of 255.
    pub plain_rim: u8,
}

/// A rectangle of the upright picture, in 1/10000 of its width and height, rounded, half open.
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
    /// Without its flat border.
    Trimmed,
    /// Bounded by straight edges, and without a flat border inside them.
    Framed,
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

/// A crop of the trimmed picture, in 1/1000 of its width and height.
struct Crop {
    left: u16,
    top: u16,
    right: u16,
    bottom: u16,
}

const fn crop(left: u16, top: u16, right: u16, bottom: u16) -> Crop {
    Crop { left, top, right, bottom }
}

/// Crops of queries, beside the whole, the trimmed and the framed picture: against a rim (frames too thin to see, a turn by
/// a degree or two), and against bands above and below or beside.
const QUERY_CROPS: [Crop; 3] = [crop(30, 30, 970, 970), crop(0, 150, 1000, 850), crop(150, 0, 850, 1000)];

/// Crops of references, beside the whole and the trimmed picture: what a query may be cut to. Chosen one by one, the most
/// useful first, among the products of 22 spans along each axis.
const REFERENCE_CROPS: [Crop; 30] = [
    crop(50, 50, 950, 950),
    crop(0, 0, 900, 1000),
    crop(100, 0, 1000, 1000),
    crop(0, 0, 1000, 900),
    crop(0, 100, 1000, 1000),
    crop(0, 0, 800, 1000),
    crop(200, 0, 1000, 1000),
    crop(0, 0, 1000, 800),
    crop(0, 200, 1000, 1000),
    crop(25, 25, 975, 975),
    crop(150, 0, 850, 1000),
    crop(0, 150, 1000, 850),
    crop(0, 0, 950, 1000),
    crop(50, 0, 1000, 1000),
    crop(0, 0, 1000, 950),
    crop(0, 50, 1000, 1000),
    crop(75, 0, 925, 1000),
    crop(0, 75, 1000, 925),
    crop(0, 0, 600, 1000),
    crop(400, 0, 1000, 1000),
    crop(0, 0, 1000, 600),
    crop(0, 400, 1000, 1000),
    crop(0, 0, 700, 1000),
    crop(300, 0, 1000, 1000),
    crop(0, 0, 1000, 700),
    crop(0, 300, 1000, 1000),
    crop(0, 0, 500, 1000),
    crop(500, 0, 1000, 1000),
    crop(0, 0, 1000, 500),
    crop(0, 500, 1000, 1000),
];

/// A region whose coefficients lie closer to their median than this, on the mean, is blank: its bits are rounding noise.
const LEAST_SPREAD: f32 = 0.3;

/// Makes the fingerprint of an upright picture that was stored as `orientation` says. It has no views where the picture is
/// blank.
pub fn fingerprint_image(picture: &Picture, orientation: Orientation, views: Views) -> ImageFingerprint {
    let plane = reduced(picture);
    let whole = Rect::of(&plane);
    let trimmed = flat(&plane, whole, Border::OF_PICTURES);
    let mut parts = vec![(RegionKind::Whole, part(whole))];
    let mut add = |kind, new: Part| {
        if parts.iter().all(|(_, known)| *known != new) {
            parts.push((kind, new));
        }
    };
    add(RegionKind::Trimmed, part(trimmed));
    let crops: &[Crop] = match views {
        Views::Reference => &REFERENCE_CROPS,
        Views::Query => {
            add(RegionKind::Framed, part(flat(&plane, edges(&plane), Border::OF_PICTURES)));
            &QUERY_CROPS
        }
    };
    for crop in crops {
        add(RegionKind::Crop, cut(part(trimmed), crop));
    }

    let turns: &[Dihedral] = if views == Views::Query { &Dihedral::ALL } else { &Dihedral::ALL[..1] };
    let mut made = Vec::with_capacity(parts.len() * turns.len());
    for (kind, part) in parts {
        let values = values(&plane, part);
        let low = pdq::transform(&values);
        if !has_content(&low) {
            continue;
        }
        let region = region(kind, part, plane.width() as f32, plane.height() as f32);
        let (quality, plain_rim) = (pdq::quality(&values), plain_rim(&values));
        made.extend(turns.iter().map(|&turn| {
            let code = pdq::code(&pdq::turned(&low, turn));
            View { region, turn, code, quality, plain_rim }
        }));
    }
    ImageFingerprint {
        frame: 0,
        time_ms: 0,
        width: picture.width(),
        height: picture.height(),
        orientation,
        views: made,
    }
}

/// The code of the whole picture as [`fingerprint_image`] makes it, and its quality.
pub(super) fn pdq_area(picture: &Picture) -> (Code, u8) {
    let plane = reduced(picture);
    let values = values(&plane, part(Rect::of(&plane)));
    (pdq::code(&pdq::transform(&values)), pdq::quality(&values))
}

pub(super) fn part(rect: Rect) -> Part {
    let Rect { left, top, right, bottom } = rect;
    Part { left: left as f32, top: top as f32, right: right as f32, bottom: bottom as f32 }
}

fn cut(part: Part, crop: &Crop) -> Part {
    let (width, height) = (part.right - part.left, part.bottom - part.top);
    let at = |start: f32, side: f32, thousandths: u16| start + side * f32::from(thousandths) / 1000.0;
    Part {
        left: at(part.left, width, crop.left),
        top: at(part.top, height, crop.top),
        right: at(part.left, width, crop.right),
        bottom: at(part.top, height, crop.bottom),
    }
}

fn region(kind: RegionKind, part: Part, width: f32, height: f32) -> Region {
    let of = |value: f32, side: f32| ((value / side * 10_000.0 + 0.5) as u16).min(10_000);
    Region {
        kind,
        left: of(part.left, width),
        top: of(part.top, height),
        right: of(part.right, width),
        bottom: of(part.bottom, height),
    }
}

/// False for a blank region: its bits are rounding noise.
pub(super) fn has_content(low: &Low) -> bool {
    spread(low) >= LEAST_SPREAD
}

/// The mean distance of the coefficients from their median.
pub(super) fn spread(low: &Low) -> f32 {
    let mut values: Vec<f32> = low.iter().flatten().copied().collect();
    let middle = values.len() / 2 - 1;
    let median = *values.select_nth_unstable_by(middle, f32::total_cmp).1;
    low.iter().flatten().map(|value| (value - median).abs()).sum::<f32>() / values.len() as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use minutia_media::Luma;

    /// Smooth and irregular, so that every position has its own code.
    fn scene(width: u32, height: u32) -> Picture {
        let pixels = (0..height)
            .flat_map(|y| (0..width).map(move |x| (x as f32 / width as f32, y as f32 / height as f32)))
            .map(|(x, y)| {
                let waves = (x * 9.0 + y * 2.0).sin() + (y * 13.0 - x * 5.0).cos() + (x * y * 31.0).sin();
                (128.0 + 40.0 * waves) as u8
            })
            .collect();
        Picture::Luma(Luma::new(width, height, pixels).unwrap())
    }

    fn distance(a: &View, b: &View) -> u32 {
        a.code.distance(&b.code)
    }

    #[test]
    fn a_reference_has_one_position_and_a_query_eight() {
        let picture = scene(300, 200);
        let reference = fingerprint_image(&picture, Orientation::Upright, Views::Reference);
        assert!(reference.views.iter().all(|view| view.turn == Dihedral::Identity));
        assert_eq!(reference.views.len(), 1 + REFERENCE_CROPS.len(), "no border, so trimmed is whole");
        let query = fingerprint_image(&picture, Orientation::Upright, Views::Query);
        assert_eq!(query.views.len() % 8, 0);
        assert_eq!(query.views[0].code, reference.views[0].code);
    }

    #[test]
    fn a_negative_has_the_complement() {
        let picture = scene(300, 200);
        let Picture::Luma(luma) = &picture else { unreachable!() };
        let negative = luma.pixels().iter().map(|&value| 255 - value).collect();
        let negative = Picture::Luma(Luma::new(300, 200, negative).unwrap());
        let a = fingerprint_image(&picture, Orientation::Upright, Views::Query);
        let b = fingerprint_image(&negative, Orientation::Upright, Views::Query);
        // The median of an even number of values is the lower one: one bit may stay.
        assert!(a.views[0].code.distance(&b.views[0].code.complement()) <= 2);
    }

    #[test]
    fn a_larger_copy_has_nearly_the_same_code() {
        let small = fingerprint_image(&scene(240, 160), Orientation::Upright, Views::Reference);
        let large = fingerprint_image(&scene(1500, 1000), Orientation::Upright, Views::Query);
        assert!(distance(&small.views[0], &large.views[0]) <= 8);
    }

    #[test]
    fn a_blank_picture_has_no_views() {
        let blank = Picture::Luma(Luma::new(100, 80, vec![255; 8000]).unwrap());
        assert!(fingerprint_image(&blank, Orientation::Upright, Views::Query).views.is_empty());
    }
}
