//! Reading in process: what becomes of stills, animations, damaged and foreign files.
#![cfg(feature = "image")]
// What a test needs and does not get fails the test.
#![allow(clippy::unwrap_used)]

use std::io::Cursor;
use std::time::Duration;

use image::codecs::gif::GifEncoder;
use image::{Delay, DynamicImage, Frame, ImageFormat, Rgb, RgbImage, RgbaImage};
use minutia::fingerprint::{Fingerprint, ImageFingerprint};
use minutia::media::{Problem, Source};
use minutia::scan::{InProcess, Item, Reader, Request, Tiers};

/// Scene number `n`: scenes differ in every view.
fn scene(n: u32, width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let wave = |k: u32| ((x * (5 + n) + y * (k + n)) as f32 / 70.0).sin().mul_add(100.0, 128.0) as u8;
        Rgb([3, 11, 23].map(wave))
    })
}

fn encoded(picture: RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(picture).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A GIF of these frames, 50 ms each.
fn animation(frames: impl IntoIterator<Item = RgbaImage>) -> Vec<u8> {
    shown(frames, 50)
}

/// A GIF of these frames, each shown so long.
fn shown(frames: impl IntoIterator<Item = RgbaImage>, delay_ms: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let delay = Delay::from_saturating_duration(Duration::from_millis(delay_ms));
    let frames = frames.into_iter().map(|picture| Frame::from_parts(picture, 0, 0, delay));
    GifEncoder::new_with_speed(&mut bytes, 30).encode_frames(frames).unwrap();
    bytes
}

fn scenes(numbers: &[u32]) -> Vec<u8> {
    animation(numbers.iter().map(|&n| DynamicImage::from(scene(n, 160, 120)).into_rgba8()))
}

fn read(bytes: &[u8], request: &Request) -> Result<Item, Problem> {
    let mut items = Vec::new();
    InProcess.read(&Source::from_bytes(bytes.to_vec()), request, &mut |item| items.push(item))?;
    assert_eq!(items.len(), 1, "an image is one item");
    Ok(items.remove(0))
}

fn images(item: &Item) -> Vec<&ImageFingerprint> {
    item.fingerprints.iter().filter_map(Fingerprint::image).collect()
}

#[test]
fn a_still_is_one_item_with_one_fingerprint() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png] {
        let item = read(&encoded(scene(0, 300, 200), format), &Request::query()).unwrap();
        assert_eq!(item.format.unwrap().row().name, if format == ImageFormat::Jpeg { "JPEG" } else { "PNG" });
        let image = images(&item)[0];
        assert_eq!((image.width, image.height, image.frame, image.time_ms), (300, 200, 0, 0));
        assert_eq!((item.coverage.frames_read, item.coverage.frames_kept, item.coverage.partial_rows), (1, 1, None));
        assert_eq!((item.fingerprints.len(), item.preview, item.problems.len(), item.member.len()), (1, None, 0, 0));
    }
}

#[test]
fn of_an_animation_each_distinct_frame_is_kept_once() {
    let item = read(&scenes(&[0, 1, 0, 0, 1, 7]), &Request::query()).unwrap();
    let kept: Vec<(u32, u64)> = images(&item).iter().map(|image| (image.frame, image.time_ms)).collect();
    assert_eq!(kept, [(0, 0), (1, 50), (5, 250)]);
    assert_eq!((item.coverage.frames_read, item.coverage.frames_kept), (6, 3));
    assert_eq!(item.problems, []);
}

#[test]
fn an_animation_of_a_second_is_a_film_too() {
    let pictures = |numbers: &[u32]| -> Vec<RgbaImage> {
        numbers.iter().map(|&n| DynamicImage::from(scene(n, 160, 120)).into_rgba8()).collect()
    };
    let film = |bytes: &[u8], request: &Request| {
        let item = read(bytes, request).unwrap();
        assert_eq!(item.coverage.film.is_some(), item.fingerprints.iter().any(|print| print.film().is_some()));
        let coverage = item.coverage.film.clone();
        item.fingerprints.into_iter().find_map(|print| print.film().cloned().zip(coverage.clone()))
    };
    let (print, coverage) = film(&shown(pictures(&[0, 1, 2]), 400), &Request::query()).unwrap();
    assert_eq!((print.duration_ms, print.width, print.height), (1_200, 160, 120));
    // Every quarter of a second what begins within it, told by when it does, and where nothing does what is on screen.
    assert_eq!(print.frames.iter().map(|frame| frame.time_ms).collect::<Vec<_>>(), [0, 400, 500, 800, 1_000]);
    let code = |frame: usize| print.codes_of(frame)[0];
    assert!(code(1) == code(2) && code(3) == code(4));
    assert!(code(0).distance(&code(1)) > 60 && code(2).distance(&code(3)) > 60);
    assert_eq!((coverage.frames_read, coverage.decoded_ms, coverage.to_the_end), (3, 1_200, true));
    assert!(coverage.second_look && coverage.decoder.starts_with("image ") && coverage.codec == "GIF");
    let (print, _) = film(&shown(pictures(&[0, 1, 2]), 400), &Request::reference()).unwrap();
    assert!(print.is_reference() && print.frames.len() == 3, "{:?}", print.frames);

    // A delay of nothing is shown for a tenth of a second.
    assert_eq!(film(&shown(pictures(&[0; 11]), 0), &Request::query()).unwrap().0.duration_ms, 1_100);
    // Too short, a still, and a still that is shown for long.
    assert_eq!(film(&shown(pictures(&[0, 1]), 490), &Request::query()), None);
    assert_eq!(film(&shown(pictures(&[0]), 5_000), &Request::query()), None);
    assert_eq!(film(&encoded(scene(0, 300, 200), ImageFormat::Png), &Request::query()), None);
    // Cut short.
    let whole = shown(pictures(&[0, 1, 2, 3, 4]), 400);
    assert!(!film(&whole[..whole.len() - 200], &Request::query()).unwrap().1.to_the_end);
}

#[test]
fn an_animation_that_claims_to_last_for_days_is_a_film_of_twenty_minutes() {
    let pictures = (0..40).map(|n| DynamicImage::from(scene(n % 3, 40, 30)).into_rgba8());
    let item = read(&shown(pictures, 655_350), &Request::query()).unwrap();
    assert_eq!((item.coverage.frames_read, item.problems.len()), (40, 0));
    let coverage = item.coverage.film.unwrap();
    assert_eq!((coverage.frames_read, coverage.decoded_ms, coverage.to_the_end), (2, 1_200_000, false));
    let film = item.fingerprints.iter().find_map(Fingerprint::film).unwrap();
    // A long still is sampled forty times.
    assert_eq!((film.duration_ms, film.frames.len()), (1_200_000, 80));
}

#[test]
fn an_animation_with_a_changed_byte_or_cut_short_is_a_film_as_far_as_it_can_be_read() {
    let pictures = (0..3).map(|n| DynamicImage::from(scene(n, 64, 48)).into_rgba8());
    let whole = shown(pictures, 500);
    let mut films = 0;
    for place in (0..whole.len()).step_by(29) {
        let mut changed = whole.clone();
        changed[place] ^= 0x55;
        for bytes in [&changed[..], &whole[..place]] {
            for request in [Request::query(), Request::reference()] {
                let Ok(item) = read(bytes, &request) else { continue };
                let Some(film) = item.fingerprints.iter().find_map(Fingerprint::film) else { continue };
                films += 1;
                assert!(film.duration_ms <= 1_200_000 && film.frames.len() <= 120, "{place}: {film:?}");
                assert_eq!(film.frames.len() * film.views.len(), film.codes.len());
            }
        }
    }
    assert!(films > 100, "only {films}");
}

#[test]
fn a_blank_animation_keeps_one_blank_frame() {
    let grey = |value| RgbaImage::from_pixel(40, 30, image::Rgba([value, value, value, 255]));
    let item = read(&animation([0, 90, 200].map(grey)), &Request::query()).unwrap();
    assert_eq!((item.coverage.frames_read, item.coverage.frames_kept), (3, 1));
    assert!(images(&item)[0].views.is_empty());
}

#[test]
fn what_was_read_before_the_damage_counts() {
    let whole = scenes(&[0, 1, 2, 3]);
    let mut counts = Vec::new();
    for end in (0..whole.len()).step_by(101) {
        match read(&whole[..end], &Request::query()) {
            Ok(item) => {
                counts.push(item.coverage.frames_read);
                assert!(item.coverage.frames_read == 4 || !item.problems.is_empty(), "cut at {end}: {item:?}");
            }
            Err(problem) => assert!(counts.is_empty(), "cut at {end}, after {counts:?}: {problem}"),
        }
    }
    counts.dedup();
    assert!(counts.is_sorted() && counts.contains(&1) && counts.contains(&3), "{counts:?}");
}

#[test]
fn limits_of_an_animation_keep_what_was_read() {
    let mut request = Request::query();
    request.limits.frames = 2;
    let item = read(&scenes(&[0, 1, 2]), &request).unwrap();
    assert_eq!(item.coverage.frames_kept, 2);
    assert!(matches!(item.problems[..], [Problem::Limit { .. }]), "{:?}", item.problems);
}

#[test]
fn a_preview_is_small_coloured_and_changes_no_code() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png] {
        let bytes = encoded(scene(0, 300, 200), format);
        let plain = read(&bytes, &Request::query()).unwrap();
        let item = read(&bytes, &Request { preview_px: Some(64), ..Request::query() }).unwrap();
        assert_eq!(item.fingerprints, plain.fingerprints);
        let preview = item.preview.unwrap();
        assert_eq!((preview.width, preview.height), (64, 42));
        let decoded = image::load_from_memory(&preview.jpeg).unwrap();
        assert_eq!((decoded.width(), decoded.height()), (64, 42));
        assert!(decoded.to_rgb8().pixels().any(|pixel| pixel.0[0].abs_diff(pixel.0[2]) > 40), "colours");
    }
}

#[test]
fn a_preview_alone_makes_no_codes() {
    let request = Request { tiers: Tiers { codes: false, landmarks: false }, preview_px: Some(32), ..Request::query() };
    let item = read(&encoded(scene(0, 50, 50), ImageFormat::Png), &request).unwrap();
    assert_eq!((item.fingerprints.len(), item.coverage.frames_read), (0, 1));
    assert!(item.preview.is_some());
}

#[test]
fn what_cannot_be_read_is_an_error_with_its_reason() {
    let check = |bytes: &[u8], code: &str| assert_eq!(read(bytes, &Request::query()).unwrap_err().code(), code);
    check(b"", "not_media");
    check(b"plain text", "not_media");
    check(b"\x89PNG\r\n\x1a\n", "damaged");
    check(b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00", "damaged");
    check(b"MThd\x00\x00\x00\x06", "unsupported");
}

#[test]
#[cfg(feature = "audio")]
fn every_sound_track_of_a_film_is_heard() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/audio/formats/two-languages.mkv");
    let item = read(&std::fs::read(path).unwrap(), &Request::query()).unwrap();
    let sound = item.coverage.sound.unwrap();
    assert_eq!((sound.tracks, sound.tracks_read), (2, 2));
    let heard: Vec<_> = item.fingerprints.iter().filter_map(Fingerprint::audio).collect();
    assert_eq!(heard.iter().map(|audio| audio.stream).collect::<Vec<_>>(), [0, 1]);
    assert!(heard.iter().all(|audio| (1_100..1_300).contains(&audio.duration_ms) && !audio.mid.is_empty()));
    assert_ne!(heard[0].mid, heard[1].mid);
}
