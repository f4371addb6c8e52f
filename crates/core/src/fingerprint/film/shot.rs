//! The border that the frames of a shot share.

use minutia_media::Luma;

use super::super::trim::{Border, Rect, flat};

/// What the frames of a shot show without the border that they share: of each side the cut that a quarter of the frames
/// do not reach. One dark frame has a border of its own, and one with lettering in the bars seems to have none.
pub(super) fn trimmed(planes: &[&Luma]) -> Option<Rect> {
    let first = planes.first()?;
    let (width, height) = (first.width() as usize, first.height() as usize);
    let cuts: Vec<Rect> = planes.iter().map(|plane| flat(plane, Rect::of(plane), border_of(plane))).collect();
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

/// The border of a film is of one colour within this share of the range of what a frame shows, in percent, and within no less
/// than so many levels: what is pale is no border, and the same is cut of a copy with less contrast.
const RANGE_PERCENT: i32 = 16;
const LEAST_TOLERANCE: i32 = 3;
/// Of a frame's levels such a part, in percent, may lie outside its range on each side.
const OUTSIDE_PERCENT: usize = 5;
/// Levels are means of squares with such a side in pixels.
const SQUARE: usize = 8;
/// The edge of a border, in percent of its length.
const EDGE_PERCENT: usize = 30;

fn border_of(plane: &Luma) -> Border {
    let width = plane.width() as usize;
    let rows = plane.pixels().chunks_exact(width * SQUARE);
    let mean = |rows: &[u8], column: usize| {
        let lines = rows.chunks_exact(width).flat_map(|row| &row[column * SQUARE..][..SQUARE]);
        lines.map(|&level| i32::from(level)).sum::<i32>() / (SQUARE * SQUARE) as i32
    };
    let mut means: Vec<i32> = rows.flat_map(|rows| (0..width / SQUARE).map(move |column| mean(rows, column))).collect();
    means.sort_unstable();
    let outside = means.len() * OUTSIDE_PERCENT / 100;
    let most = Border::OF_PICTURES.tolerance;
    let tolerance = match (means.get(outside), means.iter().nth_back(outside)) {
        (Some(least), Some(greatest)) => ((greatest - least) * RANGE_PERCENT / 100).clamp(LEAST_TOLERANCE, most),
        _ => most,
    };
    Border { tolerance, edge_percent: EDGE_PERCENT }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `picture` gives from row 30 on, below a border of one level.
    fn below(border: u8, picture: impl Fn(usize, usize) -> u8) -> Luma {
        let pixels = (0..120 * 160).map(|n| (n % 160, n / 160));
        let pixels = pixels.map(|(x, y)| if y < 30 { border } else { picture(x, y) }).collect();
        Luma::new(160, 120, pixels).unwrap()
    }

    fn patches(x: usize, y: usize) -> u8 {
        (60 + (x / 11 * 53 + y / 9 * 97) % 150) as u8
    }

    /// A sky that comes down to a hill.
    fn hill(x: usize, y: usize) -> u8 {
        if y < 110 - x.abs_diff(80) { 200 } else { patches(x, y) }
    }

    #[test]
    fn a_border_has_an_edge_and_a_sky_has_none() {
        for border in [16, 90, 235] {
            let found = trimmed(&[&below(border, patches)]).unwrap();
            assert!((30..=32).contains(&found.top), "{found:?}");
            assert_eq!((found.left, found.right, found.bottom), (0, 160, 120));
        }
        assert_eq!(trimmed(&[&below(200, hill)]).unwrap().top, 0);
        let dark = below(16, |x, y| if hill(x, y) == 200 { 16 } else { patches(x, y) });
        assert!(trimmed(&[&dark]).unwrap().top >= 30, "black may always be a bar");
    }

    #[test]
    fn what_is_dark_with_shades_is_no_border() {
        // Too dark for an edge to be asked for, and within what is allowed of a picture: the range alone tells.
        let level = |x: usize, y: usize| if y < 30 { patches(x, y) / 8 + 2 } else { patches(x, y) / 4 };
        let dusk = Luma::new(160, 120, (0..120 * 160).map(|n| level(n % 160, n / 160)).collect()).unwrap();
        assert_eq!(trimmed(&[&dusk]), Some(Rect::of(&dusk)));
    }
}
