//! From what decoders give to the two kinds of picture: 8 bits a channel, no alpha, luma or RGB.

use image::{ColorType, DynamicImage};

use super::Channels;
use crate::{Luma, Picture, Problem, Rgb};

/// The colour under transparent pixels: white, as pages and viewers show them.
pub const BACKGROUND: [u8; 3] = [255, 255, 255];

/// Luma of an RGB pixel by ITU-R BT.601 weights in 16-bit fixed point, rounded: 0 to 255, grey stays what it is.
pub(super) fn luma([r, g, b]: [u8; 3]) -> u8 {
    const R: u32 = 19_595;
    const G: u32 = 38_470;
    const B: u32 = 7_471; // the three sum to 65,536
    ((R * u32::from(r) + G * u32::from(g) + B * u32::from(b) + 32_768) >> 16) as u8
}

/// `value` over `under` with `alpha` of 255, rounded.
pub(super) fn over(value: u8, under: u8, alpha: u8) -> u8 {
    let (value, under, alpha) = (u32::from(value), u32::from(under), u32::from(alpha));
    ((value * alpha + under * (255 - alpha) + 127) / 255) as u8
}

pub(super) fn narrow(value: u16) -> u8 {
    ((u32::from(value) + 128) / 257) as u8
}

/// A decoded image as the caller wants it. Consumes its buffer, so that two pictures are held at most.
pub(super) fn picture(image: DynamicImage, channels: Channels) -> Result<Picture, Problem> {
    let (width, height) = (image.width(), image.height());
    let luma_of = |pixels| Luma::new(width, height, pixels).map(Picture::Luma);
    let rgb_of = |pixels| Rgb::new(width, height, pixels).map(Picture::Rgb);
    let made = match (image, channels) {
        (DynamicImage::ImageLuma8(image), Channels::Luma) => luma_of(image.into_raw()),
        (DynamicImage::ImageRgb8(image), Channels::Rgb) => rgb_of(image.into_raw()),
        (image, Channels::Luma) => luma_of(each(&image, |pixel, out| out.push(luma(pixel)))?),
        (image, Channels::Rgb) => rgb_of(each(&image, |pixel, out| out.extend(pixel))?),
    };
    made.ok_or_else(|| Problem::Damaged { detail: format!("the decoder gave no {width}x{height} picture") })
}

/// Walks the pixels of `image` as opaque RGB.
fn each(image: &DynamicImage, mut push: impl FnMut([u8; 3], &mut Vec<u8>)) -> Result<Vec<u8>, Problem> {
    let pixels = image.width() as usize * image.height() as usize;
    let mut out = Vec::with_capacity(pixels * 3);
    let flat = |pixel: [u8; 4]| -> [u8; 3] { std::array::from_fn(|c| over(pixel[c], BACKGROUND[c], pixel[3])) };
    match image {
        DynamicImage::ImageLuma8(image) => image.as_raw().iter().for_each(|&l| push([l; 3], &mut out)),
        DynamicImage::ImageLumaA8(image) => {
            image.as_raw().as_chunks::<2>().0.iter().for_each(|&[l, a]| push(flat([l, l, l, a]), &mut out));
        }
        DynamicImage::ImageRgb8(image) => image.as_raw().as_chunks::<3>().0.iter().for_each(|&p| push(p, &mut out)),
        DynamicImage::ImageRgba8(image) => {
            image.as_raw().as_chunks::<4>().0.iter().for_each(|&p| push(flat(p), &mut out));
        }
        DynamicImage::ImageLuma16(image) => image.as_raw().iter().for_each(|&l| push([narrow(l); 3], &mut out)),
        DynamicImage::ImageLumaA16(image) => image.as_raw().as_chunks::<2>().0.iter().for_each(|&[l, a]| {
            push(flat([narrow(l), narrow(l), narrow(l), narrow(a)]), &mut out);
        }),
        DynamicImage::ImageRgb16(image) => {
            image.as_raw().as_chunks::<3>().0.iter().for_each(|p| push(p.map(narrow), &mut out));
        }
        DynamicImage::ImageRgba16(image) => {
            image.as_raw().as_chunks::<4>().0.iter().for_each(|p| push(flat(p.map(narrow)), &mut out));
        }
        other => return Err(unsupported_colour(other.color())),
    }
    Ok(out)
}

pub(super) fn unsupported_colour(colour: ColorType) -> Problem {
    Problem::Unsupported {
        format: format!("pixels of the type {colour:?}"),
        hint: "convert the picture to 8 or 16 bits a channel".to_owned(),
    }
}
