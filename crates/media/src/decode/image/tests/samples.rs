//! Files made on the spot, small, each of a known content: by the `image` crate's encoders where it has them, byte by byte
//! where it has none (animated PNG and WebP, JPEG in Adobe's colour models).

use std::io::Cursor;
use std::time::Duration;

use image::codecs::gif::GifEncoder;
use image::{Delay, DynamicImage, Frame, GrayImage, ImageFormat, RgbImage, Rgba, RgbaImage};

/// Waves in three colours.
pub(super) fn scene(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let wave = |k: u32| ((x * 5 + y * k) as f32 / 17.0).sin().mul_add(100.0, 128.0) as u8;
        image::Rgb([3, 7, 11].map(wave))
    })
}

pub(super) fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    // QOI and Targa encoders take what they are given; the others are given the same.
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// One of each format that is decoded, stills and animations, with its name.
pub(super) fn all() -> Vec<(&'static str, Vec<u8>)> {
    use ImageFormat::*;
    let image = DynamicImage::from(scene(24, 18));
    let stills = [("png", Png), ("gif", Gif), ("webp", WebP), ("tiff", Tiff), ("bmp", Bmp), ("ico", Ico), ("pnm", Pnm)];
    let more = [("tga", Tga), ("qoi", Qoi), ("jpeg", Jpeg)];
    let mut all: Vec<_> =
        stills.into_iter().chain(more).map(|(name, format)| (name, encoded(&image, format))).collect();
    all.push(("grey png", encoded(&DynamicImage::from(image.to_luma8()), Png)));
    all.push(("png of 16 bits", encoded(&DynamicImage::from(image.to_rgba16()), Png)));
    all.push(("cmyk jpeg", flat_jpeg(&[200, 100, 50, 128], Some(0))));
    all.extend(animations(&[20, 120, 220], &[50, 100, 80]));
    all
}

/// GIF, PNG and WebP of flat grey frames of 8x6 pixels, shown for `delays_ms`.
pub(super) fn animations(shades: &[u8], delays_ms: &[u16]) -> [(&'static str, Vec<u8>); 3] {
    let frames: Vec<(u8, u16)> = shades.iter().copied().zip(delays_ms.iter().copied()).collect();
    [("animated gif", gif(&frames)), ("animated png", apng(&frames)), ("animated webp", webp(&frames))]
}

fn gif(frames: &[(u8, u16)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    for &(shade, delay) in frames {
        let picture = RgbaImage::from_pixel(8, 6, Rgba([shade, shade, shade, 255]));
        let delay = Delay::from_saturating_duration(Duration::from_millis(delay.into()));
        encoder.encode_frame(Frame::from_parts(picture, 0, 0, delay)).unwrap();
    }
    drop(encoder);
    bytes
}

/// The chunks of stills, put together as the APNG specification says.
fn apng(frames: &[(u8, u16)]) -> Vec<u8> {
    let still =
        |shade| encoded(&DynamicImage::from(GrayImage::from_pixel(8, 6, image::Luma([shade]))), ImageFormat::Png);
    let first = still(frames[0].0);
    // Signature and IHDR.
    let mut bytes = first[..33].to_vec();
    let count = (frames.len() as u32).to_be_bytes();
    bytes.extend(chunk(b"acTL", &[count, [0; 4]].concat()));
    let mut sequence = 0_u32;
    let mut next = || {
        sequence += 1;
        (sequence - 1).to_be_bytes()
    };
    for (number, &(shade, delay)) in frames.iter().enumerate() {
        let [delay_high, delay_low] = delay.to_be_bytes();
        let control = [
            &next()[..],
            &[0, 0, 0, 8, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0],
            &[delay_high, delay_low, 3, 232, 0, 0], // delay in 1/1000 s; no disposal, no blending
        ];
        bytes.extend(chunk(b"fcTL", &control.concat()));
        let still = still(shade);
        let data = png_chunk(&still, b"IDAT");
        match number {
            0 => bytes.extend(chunk(b"IDAT", data)),
            _ => bytes.extend(chunk(b"fdAT", &[&next()[..], data].concat())),
        }
    }
    bytes.extend(chunk(b"IEND", &[]));
    bytes
}

/// The content of the first chunk of this name.
fn png_chunk<'b>(png: &'b [u8], name: &[u8; 4]) -> &'b [u8] {
    let mut rest = &png[8..];
    loop {
        let (head, tail) = rest.split_at(8);
        let length = u32::from_be_bytes(head[..4].try_into().unwrap()) as usize;
        if head[4..] == name[..] {
            return &tail[..length];
        }
        rest = &tail[length + 4..];
    }
}

/// A PNG chunk: length, name, content, checksum.
pub(super) fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let named = [&name[..], content].concat();
    [&(content.len() as u32).to_be_bytes()[..], &named, &crc32(&named).to_be_bytes()].concat()
}

/// The checksum of PNG (ISO 15948, annex D), a bit at a time.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = !0_u32;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

/// The lossless bitstreams of stills in a container with an animation header (RFC 9649).
fn webp(frames: &[(u8, u16)]) -> Vec<u8> {
    // Flags: animation. Canvas 8x6, each less one, 24 bits.
    let mut content = riff(b"VP8X", &[2, 0, 0, 0, 7, 0, 0, 5, 0, 0]);
    content.extend(riff(b"ANIM", &[0; 6]));
    for &(shade, delay) in frames {
        let picture = RgbImage::from_pixel(8, 6, image::Rgb([shade; 3]));
        let still = encoded(&DynamicImage::from(picture), ImageFormat::WebP);
        let [low, high] = delay.to_le_bytes();
        // Place 0 0, size 8x6 less one, duration, flags.
        let header = [0, 0, 0, 0, 0, 0, 7, 0, 0, 5, 0, 0, low, high, 0, 2];
        content.extend(riff(b"ANMF", &[&header[..], &still[12..]].concat()));
    }
    riff(b"RIFF", &[&b"WEBP"[..], &content].concat())
}

fn riff(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let padding = &[0][..content.len() % 2];
    [&name[..], &(content.len() as u32).to_le_bytes(), content, padding].concat()
}

/// An 8x8 baseline JPEG of one block for each component, all of whose samples have the component's value: a quantiser of
/// eight makes a step of the constant coefficient a step of the samples. With Adobe's marker of this transform.
pub(super) fn flat_jpeg(components: &[u8], adobe: Option<u8>) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8];
    let mut segment = |marker: u8, content: &[u8]| {
        bytes.extend([0xff, marker]);
        bytes.extend((content.len() as u16 + 2).to_be_bytes());
        bytes.extend(content);
    };
    if let Some(transform) = adobe {
        segment(0xee, &[&b"Adobe\0\x64\0\0\0\0"[..], &[transform]].concat());
    }
    segment(0xdb, &[&[0][..], &[8; 64]].concat());
    let count = components.len() as u8;
    let sampled = |n: u8| [n, 0x11, 0];
    segment(0xc0, &[&[8, 0, 8, 0, 8, count][..], &(1..=count).flat_map(sampled).collect::<Vec<_>>()].concat());
    // Constants: the twelve sizes have codes of four bits, in order.
    let lengths = [0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    segment(0xc4, &[&[0][..], &lengths, &(0..12).collect::<Vec<_>>()].concat());
    // The rest: nothing but the end of the block, in one bit.
    segment(0xc4, &[&[0x10, 1][..], &[0; 15], &[0]].concat());
    let scanned = |n: u8| [n, 0];
    segment(0xda, &[&[count][..], &(1..=count).flat_map(scanned).collect::<Vec<_>>(), &[0, 63, 0]].concat());
    let mut bits = String::new();
    for &value in components {
        let constant = i32::from(value) - 128;
        let size = 32 - constant.unsigned_abs().leading_zeros();
        let magnitude = if constant < 0 { constant + (1 << size) - 1 } else { constant };
        bits += &format!("{size:04b}");
        if size > 0 {
            bits += &format!("{magnitude:0width$b}", width = size as usize);
        }
        bits.push('0');
    }
    while !bits.len().is_multiple_of(8) {
        bits.push('1');
    }
    for byte in bits.as_bytes().chunks(8) {
        let byte = byte.iter().fold(0, |byte, bit| byte << 1 | (bit - b'0'));
        bytes.push(byte);
        if byte == 0xff {
            bytes.push(0);
        }
    }
    bytes.extend([0xff, 0xd9]);
    bytes
}
