//! The classic hashes (mean, gradient, double gradient, vertical gradient, blockhash, DCT mean) through `img_hash`, so
//! that lists made by other tools can be matched. Scans do not use them.
//!
//! Each is what `image_hasher` 3 gives for the upright picture as a `DynamicImage` of 8-bit RGB (a grey one as grey) with
//! `hash_size(8, 8)`, `resize_filter(Lanczos3)` and `bit_order(MsbFirst)`: the first bit is the highest of the first byte.
//! docs/ALGORITHMS.md says step by step what that is and which other tools agree.
//!
//! Two things differ from the rest of this room, since the arithmetic is the crate's: the weights of its Lanczos filter
//! come from the platform's `sinf`, so that a bit whose two sides are nearly equal may differ between C libraries; and the
//! colour picture is copied for blockhash, which costs three bytes a pixel beside the picture.
//!
//! Sources: Krawetz, "Looks Like It" (2011) for mean and DCT mean, "Kind of Like That" (2013) for the gradients; Yang, Gu
//! and Niu, "Block Mean Value Based Image Perceptual Hashing" (2006) for blockhash, as blockhash.io defines it.

use image::{DynamicImage, GrayImage, RgbImage};
use img_hash::{BitOrder, FilterType, HashAlg, HasherConfig};
use minutia_media::Picture;

use super::Code;

/// Rows of a colour picture that are made grey at a time.
const BAND_ROWS: usize = 16;

/// A picture of more pixels is not hashed by blockhash, whose block sums are 32 bits wide in the crate: 255 * 3 for each
/// pixel of a sixty-fourth.
const BLOCKHASH_MOST_PIXELS: u64 = 64 * (u32::MAX / (255 * 3)) as u64;

/// `mean-64`: luma at 8x8, a bit where a pixel is at least the mean.
pub(super) fn mean(picture: &Picture) -> Code {
    grey(picture, &hasher(HashAlg::Mean))
}

/// `gradient-64`: luma at 9x8, a bit where a pixel is darker than its right neighbour.
pub(super) fn gradient(picture: &Picture) -> Code {
    grey(picture, &hasher(HashAlg::Gradient))
}

/// `double-gradient-40`: luma at 5x5, the bits of its rows and then those of its columns.
pub(super) fn double_gradient(picture: &Picture) -> Code {
    grey(picture, &hasher(HashAlg::DoubleGradient))
}

/// `vertical-gradient-64`: luma at 8x9, a bit where a pixel is darker than the one below, column after column.
pub(super) fn vertical_gradient(picture: &Picture) -> Code {
    grey(picture, &hasher(HashAlg::VertGradient))
}

/// `blockhash-64`: sums of 8x8 blocks at full size, a bit where a block lies above the median of its band of four rows.
/// All zero for a picture of more than 359 million pixels.
pub(super) fn blockhash(picture: &Picture) -> Code {
    let (width, height) = (picture.width(), picture.height());
    if u64::from(width) * u64::from(height) > BLOCKHASH_MOST_PIXELS {
        return Code([0; 32]);
    }
    let image = match picture {
        Picture::Luma(_) => DynamicImage::ImageLuma8(luma(picture)),
        Picture::Rgb(rgb) => colour(width, rgb.pixels()),
    };
    code(hasher(HashAlg::Blockhash).to_hasher().hash_image(&image).as_bytes())
}

/// `dct-mean-64`: luma at 16x16, its 8x8 lowest frequencies with the constant, a bit where one is at least their mean.
pub(super) fn dct_mean(picture: &Picture) -> Code {
    grey(picture, &hasher(HashAlg::Mean).preproc_dct())
}

fn hasher(algorithm: HashAlg) -> HasherConfig<[u8; 8]> {
    HasherConfig::with_bytes_type()
        .hash_size(8, 8)
        .hash_alg(algorithm)
        .resize_filter(FilterType::Lanczos3)
        .bit_order(BitOrder::MsbFirst)
}

/// The code of an algorithm that looks at luma alone.
fn grey(picture: &Picture, config: &HasherConfig<[u8; 8]>) -> Code {
    // As a `DynamicImage`, which the crate borrows: a `GrayImage` it copies.
    code(config.to_hasher().hash_image(&DynamicImage::ImageLuma8(luma(picture))).as_bytes())
}

/// Luma as the `image` crate makes it of a `DynamicImage` (ITU-R BT.709 weights, rounded): what `image_hasher` sees of a
/// file that its caller opened.
fn luma(picture: &Picture) -> GrayImage {
    let pixels = match picture {
        Picture::Luma(luma) => luma.pixels().to_vec(),
        Picture::Rgb(rgb) => {
            let row_bytes = 3 * rgb.width() as usize;
            let mut grey = Vec::with_capacity(rgb.pixels().len() / 3);
            // In bands, since each is copied; the conversion looks at one pixel at a time.
            for band in rgb.pixels().chunks(row_bytes * BAND_ROWS) {
                grey.extend(colour(rgb.width(), band).into_luma8().into_raw());
            }
            grey
        }
    };
    let plane = GrayImage::from_raw(picture.width(), picture.height(), pixels);
    plane.expect("a plane has one byte for each pixel")
}

/// Whole rows of a colour picture, copied.
fn colour(width: u32, rows: &[u8]) -> DynamicImage {
    let height = rows.len() / (3 * width as usize);
    let copy = RgbImage::from_raw(width, height as u32, rows.to_vec());
    DynamicImage::ImageRgb8(copy.expect("rows have three bytes for each pixel"))
}

/// The crate's bytes at the front, the rest zero.
fn code(bytes: &[u8]) -> Code {
    let mut code = [0; 32];
    code[..bytes.len()].copy_from_slice(bytes);
    Code(code)
}
