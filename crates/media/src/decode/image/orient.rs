//! Turning pictures upright.

use crate::{Luma, Orientation, Picture, Rgb};

/// Tiles of this side are turned one after the other, so that rows of both pictures stay in the cache.
const TILE: usize = 32;

/// The upright picture of one that is stored as `orientation` says.
pub fn upright(picture: Picture, orientation: Orientation) -> Picture {
    if orientation == Orientation::Upright {
        return picture;
    }
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let swaps = matches!(
        orientation,
        Orientation::Transpose | Orientation::Rotate90 | Orientation::Transverse | Orientation::Rotate270
    );
    let (to_width, to_height) =
        if swaps { (picture.height(), picture.width()) } else { (picture.width(), picture.height()) };
    match picture {
        Picture::Luma(luma) => {
            let turned = turn(luma.pixels().as_chunks::<1>().0, width, height, orientation);
            Luma::new(to_width, to_height, turned).map(Picture::Luma)
        }
        Picture::Rgb(rgb) => {
            let turned = turn(rgb.pixels().as_chunks::<3>().0, width, height, orientation);
            Rgb::new(to_width, to_height, turned).map(Picture::Rgb)
        }
    }
    .expect("turning keeps the number of pixels")
}

fn turn<const C: usize>(from: &[[u8; C]], width: usize, height: usize, orientation: Orientation) -> Vec<u8> {
    let mut to = vec![[0; C]; from.len()];
    for top in (0..height).step_by(TILE) {
        for left in (0..width).step_by(TILE) {
            for y in top..(top + TILE).min(height) {
                for x in left..(left + TILE).min(width) {
                    let (fx, fy) = (width - 1 - x, height - 1 - y);
                    let place = match orientation {
                        Orientation::Upright => y * width + x,
                        Orientation::FlipX => y * width + fx,
                        Orientation::Rotate180 => fy * width + fx,
                        Orientation::FlipY => fy * width + x,
                        Orientation::Transpose => x * height + y,
                        Orientation::Rotate90 => x * height + fy,
                        Orientation::Transverse => fx * height + fy,
                        Orientation::Rotate270 => fx * height + y,
                    };
                    to[place] = from[y * width + x];
                }
            }
        }
    }
    to.into_flattened()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The picture `1 2 3 / 4 5 6` and what a viewer makes of it for each EXIF value (CIPA DC-008, 4.6.4 A).
    #[test]
    fn each_exif_value_turns_as_the_standard_says() {
        let expected: [(u16, u32, [u8; 6]); 8] = [
            (1, 3, [1, 2, 3, 4, 5, 6]),
            (2, 3, [3, 2, 1, 6, 5, 4]),
            (3, 3, [6, 5, 4, 3, 2, 1]),
            (4, 3, [4, 5, 6, 1, 2, 3]),
            (5, 2, [1, 4, 2, 5, 3, 6]),
            (6, 2, [4, 1, 5, 2, 6, 3]),
            (7, 2, [6, 3, 5, 2, 4, 1]),
            (8, 2, [3, 6, 2, 5, 1, 4]),
        ];
        for (value, width, pixels) in expected {
            let stored = Picture::Luma(Luma::new(3, 2, vec![1, 2, 3, 4, 5, 6]).unwrap());
            let Picture::Luma(found) = upright(stored, Orientation::from_exif(value)) else { unreachable!() };
            assert_eq!((found.width(), found.pixels()), (width, &pixels[..]), "EXIF {value}");
        }
    }
}
