//! Files that are cut, changed or lie about their size: always an answer, never a panic, nothing allocated on trust.

use super::samples::{all, chunk, encoded, flat_jpeg, scene};
use super::*;

/// Small limits, so that a flipped size byte costs nothing where it passes.
fn small() -> Limits {
    Limits {
        pixels: 1 << 20,
        side_px: 1 << 14,
        animation_pixels: 1 << 21,
        frames: 50,
        decoder_bytes: 16 << 20,
        ..Limits::default()
    }
}

/// Any answer will do, but there must be one; a source that lost its signature is no media.
fn answered(bytes: &[u8], what: &str) {
    for channels in [Channels::Luma, Channels::Rgb] {
        match frames(bytes, channels, &small()) {
            Ok((frames, _)) => assert!(!frames.is_empty(), "{what}: neither a frame nor a problem"),
            Err(problem) => assert!(!problem.to_string().is_empty()),
        }
    }
}

#[test]
fn every_sample_cut_at_every_length_has_an_answer() {
    let mut cut = 0;
    for (name, bytes) in all() {
        let (whole, decoded) = frames(&bytes, Channels::Luma, &small()).unwrap();
        assert_eq!(decoded.problems, [], "{name}");
        for length in 0..bytes.len() {
            answered(&bytes[..length], &format!("{name} cut to {length}"));
            // What is half there is never taken for whole in silence, unless only an ending mark is missing.
            if let Ok((frames, decoded)) = frames(&bytes[..length], Channels::Luma, &small())
                && length < bytes.len() * 3 / 4
            {
                let silent = decoded.problems.is_empty() && frames.len() == whole.len();
                assert!(!silent, "{name} cut to {length} of {} was taken for whole", bytes.len());
            }
            cut += 1;
        }
    }
    assert!(cut > 5_000, "{cut} cuts");
}

#[test]
fn every_sample_with_a_changed_byte_has_an_answer() {
    let mut changed = 0;
    for (name, bytes) in all() {
        // Headers byte by byte, the rest here and there.
        let places = (0..bytes.len()).filter(|place| *place < 200 || place % 7 == 0);
        for place in places {
            for flip in [0x01, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[place] ^= flip;
                answered(&bytes, &format!("{name} with byte {place} changed by {flip:#x}"));
                changed += 1;
            }
        }
    }
    assert!(changed > 5_000, "{changed} changes");
}

/// The limit that ends `bytes`, by its name, and what it allows and finds.
fn limit(bytes: &[u8], limits: &Limits) -> (&'static str, u64, u64) {
    match frames(bytes, Channels::Luma, limits) {
        Err(Problem::Limit { limit, allowed, found }) => (limit.name(), allowed, found),
        other => panic!("a limit expected, {other:?} found"),
    }
}

/// A PNG that declares this size and holds next to nothing.
fn declared(width: u32, height: u32) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 0, 0, 0, 0]].concat();
    let data = [0x78, 0x9c, 0x63, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01];
    [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", &header), &chunk(b"IDAT", &data), &chunk(b"IEND", &[])].concat()
}

#[test]
fn a_size_beyond_the_limits_is_refused_by_the_limits_name() {
    let limits = Limits::default();
    assert_eq!(limit(&declared(60_000, 60_000), &limits), ("pixels", 256_000_000, 3_600_000_000));
    assert_eq!(limit(&declared(300_000, 2), &limits), ("side_px", 1 << 18, 300_000));
    // One row is more than the decoder may hold: it says so before the size is known here.
    assert_eq!(limit(&declared(u32::MAX >> 1, 1), &limits).0, "decoder_bytes");
    assert_eq!(limit(&declared(20_000, 12_000), &limits), ("decoder_bytes", 384 << 20, 480_000_000));
    // Every format declares its size somewhere: the same picture under limits that are less than it.
    for (name, bytes) in all() {
        let (frames, _) = frames(&bytes, Channels::Luma, &limits).unwrap();
        let (width, height) = (frames[0].picture.width(), frames[0].picture.height());
        let pixels = u64::from(width * height);
        let few = Limits { pixels: pixels - 1, ..limits };
        assert_eq!(limit(&bytes, &few), ("pixels", pixels - 1, pixels), "{name}");
        let narrow = Limits { side_px: width.max(height) - 1, ..limits };
        assert_eq!(limit(&bytes, &narrow).0, "side_px", "{name}");
        let poor = Limits { decoder_bytes: pixels / 2, ..limits };
        assert_eq!(limit(&bytes, &poor).0, "decoder_bytes", "{name}");
        let short = Limits { file_bytes: bytes.len() as u64 - 1, ..limits };
        assert_eq!(limit(&bytes, &short), ("file_bytes", bytes.len() as u64 - 1, bytes.len() as u64), "{name}");
    }
}

#[test]
fn an_animation_stops_at_its_limits_with_what_was_read() {
    let mut met = 0;
    for (name, bytes) in samples::animations(&[1, 2, 3, 4], &[10; 4]) {
        let check = |limits: Limits, name_of_limit: &str| {
            let (frames, decoded) = frames(&bytes, Channels::Luma, &limits).unwrap();
            assert_eq!(frames.len(), 2, "{name}");
            match &decoded.problems[..] {
                [Problem::Limit { limit, .. }] => assert_eq!(limit.name(), name_of_limit, "{name}"),
                other => panic!("{name}: {other:?}"),
            }
        };
        check(Limits { frames: 2, ..Limits::default() }, "frames");
        check(Limits { animation_pixels: 2 * 48, ..Limits::default() }, "animation_pixels");
        met += 1;
    }
    assert_eq!(met, 3);
}

#[test]
fn a_picture_of_no_size_is_damaged() {
    let check = |bytes: &[u8], name: &str| match frames(bytes, Channels::Luma, &Limits::default()) {
        Err(Problem::Damaged { .. }) => {}
        other => panic!("{name}: {other:?}"),
    };
    check(&declared(0, 10), "PNG without width");
    check(&declared(10, 0), "PNG without height");
    check(b"GIF89a\0\0\0\0\0\0\0;", "GIF");
    check(b"P5\n0 0\n255\n", "PNM");
    let mut qoi = encoded(&DynamicImage::from(scene(4, 4)), ImageFormat::Qoi);
    qoi[4..12].fill(0);
    check(&qoi, "QOI");
    let mut bmp = encoded(&DynamicImage::from(scene(4, 4)), ImageFormat::Bmp);
    bmp[18..26].fill(0);
    check(&bmp, "BMP");
    let mut jpeg = flat_jpeg(&[90], None);
    let size = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap() + 5;
    jpeg[size + 2..size + 4].fill(0);
    check(&jpeg, "JPEG without width");
}

#[test]
fn a_jpeg_that_was_cut_keeps_the_rows_that_were_read() {
    let bytes = encoded(&DynamicImage::from(scene(256, 256)), ImageFormat::Jpeg);
    let (frames, decoded) = frames(&bytes[..bytes.len() / 2], Channels::Luma, &Limits::default()).unwrap();
    assert_eq!((frames[0].picture.width(), frames[0].picture.height()), (256, 256));
    assert_eq!(decoded.problems.len(), 1);
    let (rows, of) = decoded.partial_rows.unwrap();
    assert!((64..200).contains(&rows) && of == 256, "{rows} of {of}");
}
