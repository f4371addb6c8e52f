//! The classic hashes against `image_hasher` run directly on the same pixels, and against pip `imagehash` where that needs
//! no scaling.
#![cfg(feature = "image")]
// What a test needs and does not get fails the test.
#![allow(clippy::unwrap_used)]

use image::{DynamicImage, GrayImage, RgbImage};
use img_hash::{BitOrder, HashAlg, HasherConfig};
use minutia::fingerprint::{ALGORITHMS, Code};
use minutia::media::{Luma, Picture, Rgb};

/// The rows, and the algorithm of each in `image_hasher`.
const CLASSIC: [(&str, HashAlg, bool); 6] = [
    ("mean-64", HashAlg::Mean, false),
    ("gradient-64", HashAlg::Gradient, false),
    ("double-gradient-40", HashAlg::DoubleGradient, false),
    ("vertical-gradient-64", HashAlg::VertGradient, false),
    ("blockhash-64", HashAlg::Blockhash, false),
    ("dct-mean-64", HashAlg::Mean, true),
];

const SIZES: [(u32, u32); 14] = [
    (1, 1),
    (1, 300),
    (300, 1),
    (2, 2),
    (7, 9),
    (8, 8),
    (9, 8),
    (16, 16),
    (64, 64),
    (61, 97),
    (320, 240),
    (333, 500),
    (1000, 30),
    (1025, 769),
];

/// Waves and noise, other ones for each size.
fn scene(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
        let k = (width % 7 + height % 5) as f32;
        let noise = (x * 7919 + y * 104_729 + width).wrapping_mul(2_654_435_761) >> 27;
        let wave = |a: f32| (128.0 + 90.0 * (u * (3.0 + k + a) + v * (9.0 - a)).sin()) as u8;
        image::Rgb([wave(0.0), wave(2.0), wave(5.0)].map(|value| value.saturating_add(noise as u8)))
    })
}

fn code(name: &str, picture: &Picture) -> Code {
    let row = ALGORITHMS.iter().find(|row| row.name == name).unwrap();
    let (code, quality) = (row.code)(picture);
    assert_eq!(quality, None, "{name} defines no quality");
    code
}

fn grey(width: u32, height: u32, pixels: Vec<u8>) -> Picture {
    Picture::Luma(Luma::new(width, height, pixels).unwrap())
}

/// The crate's own bytes of a whole picture, as its users get them.
fn directly(image: &DynamicImage, algorithm: HashAlg, dct: bool, order: BitOrder) -> Vec<u8> {
    let config = HasherConfig::new().hash_alg(algorithm).bit_order(order);
    let config = if dct { config.preproc_dct() } else { config };
    config.to_hasher().hash_image(image).as_bytes().to_vec()
}

#[test]
fn agree_with_image_hasher_in_both_bit_orders() {
    let mut compared = 0;
    for (width, height) in SIZES {
        let colour = scene(width, height);
        let luma = DynamicImage::from(scene(width, height)).into_luma8();
        let pictures = [
            (Picture::Rgb(Rgb::new(width, height, colour.clone().into_raw()).unwrap()), DynamicImage::from(colour)),
            (grey(width, height, luma.clone().into_raw()), DynamicImage::from(luma)),
        ];
        for (picture, image) in &pictures {
            for (name, algorithm, dct) in CLASSIC {
                let found = code(name, picture);
                let wanted = directly(image, algorithm, dct, BitOrder::MsbFirst);
                assert_eq!(found.0[..wanted.len()], wanted, "{name} of {width}x{height}");
                assert!(found.0[wanted.len()..].iter().all(|&byte| byte == 0));
                // The crate's default order is the same with the bits of each byte turned round.
                let default = directly(image, algorithm, dct, BitOrder::LsbFirst);
                assert_eq!(default.iter().map(|byte| byte.reverse_bits()).collect::<Vec<_>>(), wanted);
                compared += 1;
            }
        }
    }
    assert_eq!(compared, SIZES.len() * 2 * 6);
}

/// Noise whose only statement is that it is the same everywhere: byte `n` is the highest of `n * 2654435761`.
fn noise(width: u32, height: u32) -> GrayImage {
    GrayImage::from_fn(width, height, |x, y| image::Luma([((y * width + x).wrapping_mul(2_654_435_761) >> 24) as u8]))
}

/// Pictures of the very size that is compared need no scaling, and pip `imagehash` 4.3.2 prints the same digits:
/// `dhash(9x8)`, `dhash_vertical(8x9)` transposed, `average_hash(8x8)`.
#[test]
fn agree_with_imagehash_where_nothing_is_scaled() {
    let check = |name: &str, (width, height), expected: &str| {
        let found = code(name, &grey(width, height, noise(width, height).into_raw()));
        assert_eq!(&found.to_string()[..expected.len()], expected, "{name}");
    };
    check("gradient-64", (9, 8), "a54aa44994299225");
    check("vertical-gradient-64", (8, 9), "8000080000400004");
    check("mean-64", (8, 8), "52d2d69694b4b5a5");
}

/// A grey file may be decoded as grey or as colour with three equal channels.
#[test]
fn a_grey_picture_has_the_same_codes_in_colour() {
    let plane = DynamicImage::from(scene(320, 240)).into_luma8().into_raw();
    let spread = plane.iter().flat_map(|&value| [value; 3]).collect();
    let coloured = Picture::Rgb(Rgb::new(320, 240, spread).unwrap());
    for (name, ..) in CLASSIC {
        assert_eq!(code(name, &coloured), code(name, &grey(320, 240, plane.clone())), "{name}");
    }
}
