//! Previews: small JPEG pictures for people.

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};

use crate::{Picture, Problem};

/// The longest side of a preview in pixels.
pub const PREVIEW_MAX_PX: u16 = 512;

const QUALITY: u8 = 80;

/// A JPEG of `picture` whose longer side is at most `max_px` (itself at most [`PREVIEW_MAX_PX`]); width, height, bytes.
/// Each pixel is the mean of those that it stands for.
///
/// # Errors
/// [`Problem::Crashed`] should the encoder refuse; it is given nothing that it could refuse.
pub fn preview(picture: &Picture, max_px: u16) -> Result<(u32, u32, Vec<u8>), Problem> {
    let (width, height) = (picture.width(), picture.height());
    let longest = u32::from(max_px.clamp(1, PREVIEW_MAX_PX)).min(width.max(height));
    let scaled = |side: u32| {
        let to = u64::from(side) * u64::from(longest) / u64::from(width.max(height));
        to.max(1) as u32
    };
    let (to_width, to_height) = (scaled(width), scaled(height));
    let (pixels, colour) = match picture {
        Picture::Luma(luma) => {
            let small = shrink(luma.pixels().as_chunks::<1>().0, (width, height), (to_width, to_height));
            (small, ExtendedColorType::L8)
        }
        Picture::Rgb(rgb) => {
            let small = shrink(rgb.pixels().as_chunks::<3>().0, (width, height), (to_width, to_height));
            (small, ExtendedColorType::Rgb8)
        }
    };
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .write_image(&pixels, to_width, to_height, colour)
        .map_err(|error| Problem::Crashed { detail: format!("encoding a preview: {error}") })?;
    Ok((to_width, to_height, jpeg))
}

fn shrink<const C: usize>(from: &[[u8; C]], size: (u32, u32), to: (u32, u32)) -> Vec<u8> {
    let span = |n: u32, of: u32, side: u32| {
        let start = u64::from(n) * u64::from(side) / u64::from(of);
        let end = u64::from(n + 1) * u64::from(side) / u64::from(of);
        start as usize..(end.max(start + 1)) as usize
    };
    let mut out = Vec::with_capacity(to.0 as usize * to.1 as usize * C);
    for y in 0..to.1 {
        for x in 0..to.0 {
            let (rows, columns) = (span(y, to.1, size.1), span(x, to.0, size.0));
            let count = (rows.len() * columns.len()) as u64;
            let mut sums = [0_u64; C];
            for row in rows {
                for pixel in &from[row * size.0 as usize..][columns.clone()] {
                    sums.iter_mut().zip(pixel).for_each(|(sum, &value)| *sum += u64::from(value));
                }
            }
            out.extend(sums.map(|sum| ((sum + count / 2) / count) as u8));
        }
    }
    out
}
