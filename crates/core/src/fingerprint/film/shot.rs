//! The border that the frames of a shot share.

use minutia_media::Luma;

use super::super::trim::{Rect, flat};

/// What the frames of a shot show without the border that they share: of each side the cut that a quarter of the frames
/// do not reach. One dark frame has a border of its own, and one with lettering in the bars seems to have none.
pub(super) fn trimmed(planes: &[&Luma]) -> Option<Rect> {
    let first = planes.first()?;
    let (width, height) = (first.width() as usize, first.height() as usize);
    let cuts: Vec<Rect> = planes.iter().map(|plane| flat(plane, Rect::of(plane))).collect();
    let quarter = |side: fn(&Rect) -> usize| {
        let mut sides: Vec<usize> = cuts.iter().map(side).collect();
        sides.sort_unstable();
        sides[sides.len() / 4]
    };
    let left = quarter(|rect| rect.left);
    let top = quarter(|rect| rect.top);
    let three_quarters = |side: fn(&Rect) -> usize| {
        let mut sides: Vec<usize> = cuts.iter().map(side).collect();
        sides.sort_unstable_by(|a, b| b.cmp(a));
        sides[sides.len() / 4]
    };
    let right = three_quarters(|rect| rect.right).min(width);
    let bottom = three_quarters(|rect| rect.bottom).min(height);
    Some(Rect { left, top, right, bottom })
}
