//! Decoding as a caller sees it: known pixels encoded by other code, and what is done about everything else.

mod damage;
mod samples;

use image::codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder};
use image::{DynamicImage, ExtendedColorType, ImageEncoder, ImageFormat, RgbImage};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::*;
use crate::{FORMATS, Kind, Luma, Rgb, probe};
use samples::{encoded, flat_jpeg, scene};

/// The frames of `bytes`, whose format the probe must recognise.
fn frames(bytes: &[u8], channels: Channels, limits: &Limits) -> Result<(Vec<Frame>, Decoded), Problem> {
    let source = Source::from_bytes(bytes.to_vec());
    let mut frames = Vec::new();
    let decoded = decode(&source, probe(&source)?, channels, limits, &mut |frame| {
        frames.push(frame);
        ControlFlow::Continue(())
    })?;
    assert_eq!(decoded.frames as usize, frames.len());
    Ok((frames, decoded))
}

/// The only frame of a still without problems, in colour.
fn still(bytes: &[u8]) -> Rgb {
    let (mut frames, decoded) = frames(bytes, Channels::Rgb, &Limits::default()).unwrap();
    assert_eq!((frames.len(), decoded.problems, decoded.partial_rows), (1, vec![], None));
    match frames.remove(0).picture {
        Picture::Rgb(rgb) => rgb,
        Picture::Luma(luma) => panic!("colour was asked for, {luma:?} came"),
    }
}

fn luma_of(bytes: &[u8]) -> Luma {
    let (mut frames, _) = frames(bytes, Channels::Luma, &Limits::default()).unwrap();
    match frames.remove(0).picture {
        Picture::Luma(luma) => luma,
        Picture::Rgb(rgb) => panic!("luma was asked for, {rgb:?} came"),
    }
}

/// ITU-R BT.601 in real numbers: within half a step of what stands in the fixed-point code.
fn assert_luma(found: &Luma, rgb: &[u8]) {
    for (value, pixel) in found.pixels().iter().zip(rgb.as_chunks::<3>().0) {
        let [r, g, b] = pixel.map(f64::from);
        let exact = 0.299 * r + 0.587 * g + 0.114 * b;
        assert!((f64::from(*value) - exact).abs() < 0.51, "{pixel:?} has luma {exact}, found {value}");
    }
}

#[test]
fn lossless_formats_give_their_pixels_back() {
    use ImageFormat::*;
    let picture = scene(37, 23);
    let mut met = 0;
    for format in [Png, Gif, WebP, Tiff, Bmp, Ico, Pnm, Tga, Qoi] {
        // Few colours: a palette holds them all.
        let few = RgbImage::from_fn(37, 23, |x, y| image::Rgb([(x / 4 * 25) as u8, (y / 4 * 40) as u8, 7]));
        let picture = if format == Gif { &few } else { &picture };
        let bytes = encoded(&DynamicImage::from(picture.clone()), format);
        let found = still(&bytes);
        assert_eq!((found.width(), found.height()), (37, 23), "{format:?}");
        assert!(found.pixels() == picture.as_raw(), "{format:?}");
        assert_luma(&luma_of(&bytes), picture.as_raw());
        met += 1;
    }
    let decodable = FORMATS.iter().filter(|row| unsupported_hint(row.format).is_none()).count();
    assert_eq!(met + 1, decodable, "these and JPEG are all that is decoded");
}

#[test]
fn a_jpeg_is_near_its_pixels_and_its_luma_is_its_own() {
    let picture = scene(64, 48);
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 95).encode_image(&picture).unwrap();
    let found = still(&bytes);
    let mean =
        |a: &[u8], b: &[u8]| a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / a.len() as f64;
    assert!(mean(found.pixels(), picture.as_raw()) < 6.0, "{}", mean(found.pixels(), picture.as_raw()));
    let grey: Vec<u8> = picture.pixels().map(|pixel| convert::luma(pixel.0)).collect();
    assert!(mean(luma_of(&bytes).pixels(), &grey) < 3.0);
}

/// The decoder's vector code against its plain code: what a picture is must not depend on the processor.
#[test]
fn jpegs_are_the_same_pixels_on_every_processor() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/image");
    let mut files: Vec<_> = ["reference", "seized/DCIM/100MEDIA", "seized/Pictures", "seized/Recovered"]
        .iter()
        .flat_map(|name| std::fs::read_dir(format!("{folder}/{name}")).unwrap())
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap_or_default())
        .filter(|bytes| bytes.starts_with(&[0xff, 0xd8]))
        .collect();
    files.push(encoded(&scene(333, 211).into(), ImageFormat::Jpeg));
    let mut compared = 0;
    for bytes in &files {
        for colour in [ColorSpace::Luma, ColorSpace::RGB] {
            let pixels = [true, false].map(|vectors| {
                let options = DecoderOptions::default().set_use_unsafe(vectors).jpeg_set_out_colorspace(colour);
                JpegDecoder::new_with_options(ZCursor::new(bytes), options).decode().ok()
            });
            assert_eq!(pixels[0], pixels[1], "{colour:?} of a file of {} bytes", bytes.len());
            compared += usize::from(pixels[0].is_some());
        }
    }
    assert!(compared >= 20, "only {compared} pictures were compared");
}

/// Flat JPEGs of one block a component, whose stored values are known to the step (T.81; T.871 for YCbCr; Adobe's
/// technical note 5116 for the marker, under which CMYK is stored inverted). Pillow 13 shows the same colours.
#[test]
fn jpeg_colour_models_give_the_colours_that_they_store() {
    let check = |components: &[u8], adobe: Option<u8>, expected: [u8; 3]| {
        let bytes = flat_jpeg(components, adobe);
        let found = still(&bytes);
        assert_eq!((found.width(), found.height()), (8, 8));
        for pixel in found.pixels().as_chunks::<3>().0 {
            let near = pixel.iter().zip(expected).all(|(&a, b)| a.abs_diff(b) <= 2);
            assert!(near, "{components:?} under Adobe {adobe:?}: {expected:?} expected, {pixel:?} found");
        }
        let luma = luma_of(&bytes).pixels()[0];
        assert!(luma.abs_diff(convert::luma(expected)) <= 2, "{components:?}: luma {luma}");
    };
    check(&[90], None, [90, 90, 90]);
    // Y, Cb, Cr of a strong red.
    check(&[76, 85, 255], None, [254, 0, 0]);
    check(&[76, 85, 255], Some(1), [254, 0, 0]);
    // Red, green, blue themselves.
    check(&[200, 100, 50], Some(0), [200, 100, 50]);
    // Inverted CMYK: c * k / 255.
    check(&[200, 100, 50, 255], Some(0), [200, 100, 50]);
    check(&[200, 100, 50, 128], Some(0), [100, 50, 25]);
    check(&[200, 100, 50, 128], None, [100, 50, 25]);
    // YCCK: YCbCr of 255 less the inverted CMY, and inverted K.
    check(&[128, 128, 128, 255], Some(2), [127, 127, 127]);
    check(&[76, 85, 255, 128], Some(2), [1, 128, 128]);
}

#[test]
fn alpha_is_laid_over_white() {
    let check = |pixel: [u8; 4], expected: [u8; 3]| {
        let image = image::RgbaImage::from_pixel(5, 4, image::Rgba(pixel));
        for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Tiff, ImageFormat::Tga, ImageFormat::Qoi] {
            let bytes = encoded(&DynamicImage::from(image.clone()), format);
            assert_eq!(still(&bytes).pixels()[..3], expected, "{pixel:?} in {format:?}");
            assert_eq!(luma_of(&bytes).pixels()[0], convert::luma(expected), "{pixel:?} in {format:?}");
        }
    };
    check([10, 20, 30, 255], [10, 20, 30]);
    check([10, 20, 30, 0], [255, 255, 255]);
    // 10 * 0.2 + 255 * 0.8 and so on.
    check([10, 20, 30, 51], [206, 208, 210]);
    let grey = image::GrayAlphaImage::from_pixel(3, 3, image::LumaA([100, 51]));
    assert_eq!(still(&encoded(&DynamicImage::from(grey), ImageFormat::Png)).pixels()[..3], [224; 3]);
}

#[test]
fn sixteen_bits_are_narrowed_to_the_nearest() {
    // 257 steps of sixteen bits are one of eight.
    let check = |value: u16, expected: u8| {
        let grey = image::ImageBuffer::from_pixel(3, 2, image::Luma([value]));
        let colour = image::ImageBuffer::from_pixel(3, 2, image::Rgb([value; 3]));
        let opaque = image::ImageBuffer::from_pixel(3, 2, image::Rgba([value, value, value, u16::MAX]));
        let images =
            [DynamicImage::ImageLuma16(grey), DynamicImage::ImageRgb16(colour), DynamicImage::ImageRgba16(opaque)];
        for image in images {
            for format in [ImageFormat::Png, ImageFormat::Tiff] {
                let found = still(&encoded(&image, format));
                assert_eq!(found.pixels()[..3], [expected; 3], "{value} as {:?} in {format:?}", image.color());
            }
        }
    };
    check(0, 0);
    check(128, 0);
    check(129, 1);
    check(257, 1);
    check(0x8080, 0x80);
    check(65_407, 255);
    check(65_406, 254);
    check(u16::MAX, 255);
}

/// A big-endian TIFF header with one entry: orientation (0x0112), SHORT, one value.
fn exif(value: u8) -> Vec<u8> {
    [&b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"[..], &[value, 0, 0, 0, 0, 0, 0]].concat()
}

#[test]
fn exif_orientation_is_honoured_and_told() {
    // A dark quarter at the top left; where it stands upright for each value: 90 degrees clockwise bring it to the top
    // right, and so on (CIPA DC-008, 4.6.4 A).
    let stored = RgbImage::from_fn(32, 16, |x, y| image::Rgb([if x < 16 && y < 8 { 20 } else { 230 }; 3]));
    let corners = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0), (1, 0), (1, 1), (0, 1)];
    for (value, corner) in (1..=8_u8).zip(corners) {
        let turned = value >= 5;
        let mut files = vec![Vec::new(), Vec::new(), Vec::new()];
        let mut jpeg = JpegEncoder::new_with_quality(&mut files[0], 95);
        jpeg.set_exif_metadata(exif(value)).unwrap();
        jpeg.encode_image(&stored).unwrap();
        let mut png = PngEncoder::new(&mut files[1]);
        png.set_exif_metadata(exif(value)).unwrap();
        png.write_image(&stored, 32, 16, ExtendedColorType::Rgb8).unwrap();
        let mut webp = WebPEncoder::new_lossless(&mut files[2]);
        webp.set_exif_metadata(exif(value)).unwrap();
        webp.write_image(&stored, 32, 16, ExtendedColorType::Rgb8).unwrap();
        for bytes in files {
            for channels in [Channels::Luma, Channels::Rgb] {
                let (frames, _) = frames(&bytes, channels, &Limits::default()).unwrap();
                assert_eq!(frames[0].orientation, Orientation::from_exif(value.into()));
                let (width, height) = if turned { (16, 32) } else { (32, 16) };
                let picture = &frames[0].picture;
                assert_eq!((picture.width(), picture.height()), (width, height), "EXIF {value}");
                let (pixels, step) = match picture {
                    Picture::Luma(luma) => (luma.pixels(), 1),
                    Picture::Rgb(rgb) => (rgb.pixels(), 3),
                };
                for (right, down) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                    let (x, y) = (width / 4 + right * width / 2, height / 4 + down * height / 2);
                    let dark = pixels[(y * width + x) as usize * step] < 128;
                    assert_eq!(dark, (right, down) == corner, "EXIF {value}, quarter {right} {down}");
                }
            }
        }
    }
}

#[test]
fn a_colour_profile_changes_no_pixel() {
    let picture = scene(20, 10);
    let plain = encoded(&DynamicImage::from(picture.clone()), ImageFormat::Png);
    for profile in [vec![0; 128], b"no profile at all".to_vec()] {
        let mut files = vec![Vec::new(), Vec::new()];
        let mut png = PngEncoder::new(&mut files[0]);
        png.set_icc_profile(profile.clone()).unwrap();
        png.write_image(&picture, 20, 10, ExtendedColorType::Rgb8).unwrap();
        let mut webp = WebPEncoder::new_lossless(&mut files[1]);
        webp.set_icc_profile(profile.clone()).unwrap();
        webp.write_image(&picture, 20, 10, ExtendedColorType::Rgb8).unwrap();
        for bytes in files {
            assert!(bytes.len() > 100 && still(&bytes) == still(&plain));
        }
        let jpeg = |profile: Option<Vec<u8>>| {
            let mut bytes = Vec::new();
            let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 90);
            profile.into_iter().for_each(|profile| encoder.set_icc_profile(profile).unwrap());
            encoder.encode_image(&picture).unwrap();
            bytes
        };
        assert_eq!(still(&jpeg(Some(profile))), still(&jpeg(None)));
    }
}

#[test]
fn animations_give_every_frame_with_its_time() {
    let shades = [20_u8, 120, 220];
    let times = [0, 50, 150];
    for (name, bytes) in samples::animations(&shades, &[50, 100, 80]) {
        let (frames, decoded) = frames(&bytes, Channels::Luma, &Limits::default()).unwrap();
        assert_eq!(decoded.problems, [], "{name}");
        let found: Vec<(u32, u64, u8)> = frames
            .iter()
            .map(|frame| match &frame.picture {
                Picture::Luma(luma) => (frame.number, frame.time_ms, luma.pixels()[0]),
                Picture::Rgb(_) => panic!("luma was asked for"),
            })
            .collect();
        assert_eq!(frames.iter().map(|frame| frame.duration_ms).collect::<Vec<_>>(), [50, 100, 80], "{name}");
        let expected: Vec<(u32, u64, u8)> = (0..3).map(|n| (n as u32, times[n], shades[n])).collect();
        assert_eq!(found, expected, "{name}");
        // Whoever has seen enough breaks off.
        let source = Source::from_bytes(bytes);
        let format = probe(&source).unwrap();
        let first = decode(&source, format, Channels::Luma, &Limits::default(), &mut |_| ControlFlow::Break(()));
        assert_eq!(first.unwrap().frames, 1, "{name}");
    }
}

#[test]
fn delays_that_no_viewer_keeps_are_those_that_are_shown() {
    for (name, bytes) in samples::animations(&[20, 120, 220], &[0, 10, 20]) {
        let (frames, _) = frames(&bytes, Channels::Luma, &Limits::default()).unwrap();
        let found: Vec<(u64, u64)> = frames.iter().map(|frame| (frame.time_ms, frame.duration_ms)).collect();
        assert_eq!(found, [(0, 100), (100, 100), (200, 20)], "{name}");
    }
}

#[test]
fn the_recorded_version_is_the_one_that_is_built() {
    let lock = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
    let lock = std::fs::read_to_string(lock).unwrap();
    let (name, version) = ANIMATION_DECODER.split_once(' ').unwrap();
    assert!(lock.contains(&format!("name = \"{name}\"\nversion = \"{version}\"\n")), "{ANIMATION_DECODER}");
}

#[test]
fn what_is_named_but_not_decoded_says_so() {
    let mut met = 0;
    for row in FORMATS.iter().filter(|row| unsupported_hint(row.format).is_some()) {
        let source = Source::from_bytes(vec![0; 10]);
        let found = decode(&source, row.format, Channels::Luma, &Limits::default(), &mut |_| panic!("a frame"));
        match found {
            Err(Problem::Unsupported { format, hint }) => {
                assert_eq!(format, row.name);
                assert_eq!(hint.contains("PNG"), row.kind == Kind::Image, "{format}: {hint}");
            }
            other => panic!("{}: {other:?}", row.name),
        }
        met += 1;
    }
    assert_eq!(met, FORMATS.len() - 10);
    for name in ["AVIF", "HEIC", "JPEG XL", "JPEG 2000", "SVG", "Photoshop document", "camera raw"] {
        assert!(FORMATS.iter().any(|row| row.name == name && unsupported_hint(row.format).is_some()), "{name}");
    }
}
