//! What is made of the transforms of a frame's parts: the codes of its views, and where a shot begins.

use std::ops::Range;

use super::super::Code;
use super::super::image::{has_content, part, spread};
use super::super::pdq::{self, Low};
use super::super::region::values;
use super::super::trim::Rect;
use super::FilmView;
use super::plane::Plane;

/// Frames that are more bits away from the one before begin a new shot.
const CUT_BITS: u32 = 90;
/// And whose transforms differ by more than this share of both: of a picture in one shade noise decides many bits.
const CUT_SHARE: f32 = 0.5;
/// A difference whose coefficients lie closer to their median than this, on the mean, is noise.
const LEAST_MOTION: f32 = 0.6;

/// A code that stands for nothing to see.
pub(super) const NOTHING: Code = Code([0; 32]);

/// The views that are made of one transform, which stand together.
pub(super) fn parts_of(views: &[FilmView]) -> Vec<Range<usize>> {
    let part_of = |view: &FilmView| (view.base, view.crop, view.strip, view.degrees);
    let mut start = 0;
    let part = |same: &[FilmView]| {
        start += same.len();
        start - same.len()..start
    };
    views.chunk_by(|a, b| part_of(a) == part_of(b)).map(part).collect()
}

/// The codes of the views of some parts of a frame, by their transforms and those of the frame that they have changed from.
pub(super) fn codes(
    now: &[Option<Low>],
    before: Option<&Vec<Option<Low>>>,
    views: &[FilmView],
    parts: &[Range<usize>],
) -> Vec<Code> {
    let mut codes = Vec::with_capacity(parts.iter().map(Range::len).sum());
    for (place, (low, part)) in now.iter().zip(parts).enumerate() {
        let before = before.and_then(|before| before.get(place)?.as_ref());
        let still = low.as_ref().filter(|low| has_content(low));
        let moved = low.as_ref().zip(before).map(|(low, before)| difference(low, before));
        let moved = moved.as_ref().filter(|moved| spread(moved) >= LEAST_MOTION);
        codes.extend(views[part.clone()].iter().map(|view| {
            let low = if view.motion { moved } else { still };
            low.map_or(NOTHING, |low| pdq::code(&pdq::turned(low, view.turn)))
        }));
    }
    codes
}

/// The transform of all of a frame.
pub(super) fn whole(plane: &Plane) -> Low {
    pdq::transform(&values(&plane.luma, part(Rect::of(&plane.luma))))
}

/// Bits between the codes of frames of these transforms.
pub(super) fn bits_apart(before: &Low, now: &Low) -> u32 {
    let code = |low: &Low| if has_content(low) { pdq::code(low) } else { NOTHING };
    code(before).distance(&code(now))
}

/// Whether a new shot begins between frames of these transforms.
pub(super) fn is_cut(before: &Low, now: &Low) -> bool {
    let energy = |low: &Low| low.iter().flatten().map(|value| value * value).sum::<f32>();
    bits_apart(before, now) > CUT_BITS && energy(&difference(before, now)) > CUT_SHARE * (energy(before) + energy(now))
}

/// The transform of the difference, transforms being linear.
fn difference(now: &Low, before: &Low) -> Low {
    let mut difference = *now;
    let both = difference.as_flattened_mut().iter_mut().zip(before.as_flattened());
    both.for_each(|(now, before)| *now -= before);
    difference
}
