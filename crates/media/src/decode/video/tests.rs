//! Film decoding, frame by frame beside what ffmpeg decoded when the test media were made (`testdata/video/frames.txt`), over
//! files that declare what they do not hold, and over damage.

#[cfg(feature = "av1")]
mod av1;
mod damage;
mod directory;
mod hostile;
mod made;

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::{Ffmpeg, LimitKind, Orientation};

const AV1: Option<&str> = if cfg!(feature = "av1") { None } else { Some("AV1") };

/// Each file of `testdata/video/formats`, and the codec that is not decoded here.
const FORMATS: &[(&str, Option<&str>)] = &[
    ("av1-ten-bit.webm", AV1),
    ("av1-twelve-bit.mkv", AV1),
    ("av1.mp4", AV1),
    ("baseline.mp4", None),
    ("cut.mp4", None),
    ("fragments.mp4", None),
    ("hevc.mp4", Some("HEVC")),
    ("high.mkv", None),
    ("interlaced.mp4", None),
    ("late.mp4", None),
    ("live.mkv", None),
    ("lossless.mp4", Some("lossless")),
    ("main.mp4", None),
    ("mpeg2.ts", Some("transport")),
    ("mpeg4.avi", Some("AVI")),
    ("open-groups.mp4", None),
    ("rotated.mov", None),
    ("ten-bit.mkv", None),
    ("tracks.mkv", None),
    ("varied.mkv", None),
    ("vp9.webm", Some("VP9")),
];

/// A frame as the truth tells it: size, time, whether it is a key frame, digest.
type Told = (String, u64, bool, u64);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/video/formats")
}

fn source(name: &str) -> Source {
    Source::from_file(fs::File::open(folder().join(name)).unwrap()).unwrap()
}

fn installed() -> Option<Ffmpeg> {
    let found = ["/usr/bin/ffmpeg", "/usr/local/bin/ffmpeg"].into_iter().find_map(|at| Ffmpeg::at(Path::new(at)).ok());
    if found.is_none() {
        println!("films for ffmpeg: not run (it is not installed)");
    }
    found
}

fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

fn truth(name: &str) -> Vec<Told> {
    let text = fs::read_to_string(folder().join("../frames.txt")).unwrap();
    let of = text.lines().map(|line| line.split(' ').collect::<Vec<_>>()).filter(|words| words[0] == name);
    of.map(|words| {
        (words[1].to_owned(), words[2].parse().unwrap(), words[3] == "1", u64::from_str_radix(words[4], 16).unwrap())
    })
    .collect()
}

/// What is decoded, by ffmpeg where it is given. Where the decoder does not tell key frames, none is one.
fn decoded(name: &str, wanted: &Wanted, ffmpeg: Option<&Ffmpeg>) -> (Result<Decoded, Problem>, Vec<Told>) {
    let source = source(name);
    let format = crate::probe(&source).unwrap();
    let mut told = Vec::new();
    let limits = Limits::default();
    let mut sink = |frame: Frame| {
        let size = format!("{}x{}", frame.luma.width(), frame.luma.height());
        told.push((size, frame.pts_us, frame.key.unwrap_or(false), fnv(frame.luma.pixels())));
        ControlFlow::Continue(())
    };
    let done = match ffmpeg {
        Some(ffmpeg) => ffmpeg.decode_film(&source, format, wanted, &limits, &mut sink),
        None => decode(&source, format, wanted, &limits, &mut sink),
    };
    (done, told)
}

fn without_keys(frames: &[Told]) -> Vec<(u64, u64)> {
    frames.iter().map(|(_, pts_us, _, digest)| (*pts_us, *digest)).collect()
}

#[test]
fn every_frame_is_ffmpegs_at_its_time() {
    let mut met: Vec<String> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    met.sort();
    assert_eq!(met, FORMATS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    let ffmpeg = installed();
    for (name, unsupported) in FORMATS {
        let expected = truth(name);
        assert!(expected.len() >= 10, "{name}");
        let (done, frames) = decoded(name, &Wanted::default(), None);
        match unsupported {
            Some(word) => {
                assert!(matches!(&done, Err(Problem::Unsupported { format, .. }) if format.contains(word)), "{done:?}");
            }
            None => {
                let done = done.unwrap_or_else(|problem| panic!("{name}: {problem}"));
                assert_eq!((&done.problems[..], done.to_the_end), (&[][..], true), "{name}");
                assert_eq!(frames, expected, "{name}");
                assert_eq!(done.frames, expected.len() as u64, "{name}");
                let declared = done.film.declared_ms.map(|ms| ms.abs_diff(done.last_us.unwrap() / 1_000));
                assert!(declared.is_none_or(|off| off < 200), "{name}: {:?}", done.film);
            }
        }
        let Some(ffmpeg) = &ffmpeg else { continue };
        let (done, frames) = decoded(name, &Wanted::default(), Some(ffmpeg));
        assert_eq!(done.unwrap().problems, [], "{name}");
        assert_eq!(without_keys(&frames), without_keys(&expected), "{name} by {}", ffmpeg.decoder());
    }
}

#[test]
fn key_frames_are_those_of_the_whole() {
    let wanted = Wanted { selection: Selection::KeyFrames, ..Wanted::default() };
    let ffmpeg = installed();
    for (name, unsupported) in FORMATS {
        let mut expected = truth(name);
        expected.retain(|(_, _, key, _)| *key);
        if unsupported.is_none() {
            let (done, frames) = decoded(name, &wanted, None);
            assert_eq!(done.unwrap().problems, [], "{name}");
            assert_eq!(frames, expected, "{name}");
        }
        // Without the frames between them ffmpeg takes key frames of open groups for out of order.
        if let Some(ffmpeg) = ffmpeg.as_ref().filter(|_| *name != "open-groups.mp4") {
            let (_, frames) = decoded(name, &wanted, Some(ffmpeg));
            assert_eq!(without_keys(&frames), without_keys(&expected), "{name} by {}", ffmpeg.decoder());
        }
    }
}

#[test]
fn rates_and_spans_choose_the_same_frames_whoever_decodes() {
    let ffmpeg = installed();
    let wants = [
        Wanted { rate_fps: Some(2), ..Wanted::default() },
        Wanted { rate_fps: Some(7), ..Wanted::default() },
        Wanted { rate_fps: Some(10_000), ..Wanted::default() },
        Wanted { span_us: Some(600_000..1_000_000), ..Wanted::default() },
        Wanted { span_us: Some(1_033_333..1_033_334), rate_fps: Some(0), ..Wanted::default() },
        Wanted { span_us: Some(90_000_000..91_000_000), ..Wanted::default() },
    ];
    for (name, unsupported) in FORMATS {
        for wanted in &wants {
            let span = wanted.span_us.clone().unwrap_or(0..u64::MAX);
            let mut part = None;
            let mut expected = without_keys(&truth(name));
            expected.retain(|(pts_us, _)| span.contains(pts_us));
            expected.retain(|(pts_us, _)| {
                wanted.rate_fps.is_none_or(|rate| {
                    let this = Some((pts_us + Wanted::EARLY_US) * u64::from(rate.max(1)) / 1_000_000);
                    std::mem::replace(&mut part, this) != this
                })
            });
            if unsupported.is_none() {
                let (done, frames) = decoded(name, wanted, None);
                assert_eq!(done.unwrap().problems, [], "{name}, {wanted:?}");
                assert_eq!(without_keys(&frames), expected, "{name}, {wanted:?}");
            }
            // A program takes its time to start: one film of each clock.
            let few = ["main.mp4", "varied.mkv", "mpeg2.ts"].contains(name);
            if let Some(ffmpeg) = ffmpeg.as_ref().filter(|_| few) {
                let (_, frames) = decoded(name, wanted, Some(ffmpeg));
                assert_eq!(without_keys(&frames), expected, "{name}, {wanted:?} by {}", ffmpeg.decoder());
            }
        }
    }
}

#[test]
fn sparse_films_have_fewer_frames_at_the_same_times() {
    let wanted = Wanted { selection: Selection::Sparse, ..Wanted::default() };
    for name in ["main.mp4", "high.mkv"] {
        let times: Vec<u64> = truth(name).iter().map(|(_, pts_us, ..)| *pts_us).collect();
        for ffmpeg in [None, installed()] {
            let (done, frames) = decoded(name, &wanted, ffmpeg.as_ref());
            assert_eq!(done.unwrap().problems, [], "{name}");
            assert!(frames.iter().all(|(_, pts_us, ..)| times.contains(pts_us)), "{name}");
            // The part that nothing refers to differs by encoder; these have a third of it and more.
            let least = times.len() / 4;
            assert!((least..times.len() * 3 / 4 + 1).contains(&frames.len()), "{name}: {}", frames.len());
            if ffmpeg.is_none() {
                let whole = truth(name);
                assert!(frames.iter().all(|frame| whole.contains(frame)), "{name}");
            }
        }
    }
}

#[test]
fn tracks_are_listed_and_chosen() {
    let film = describe(&source("tracks.mkv"), Format::Matroska, 1).unwrap();
    let kinds: Vec<TrackKind> = film.tracks.iter().map(|track| track.kind).collect();
    use TrackKind::{Attachment, Picture, Sound, Subtitle};
    assert_eq!(kinds, [Sound, Picture, Picture, Subtitle, Attachment]);
    assert_eq!((film.codec.as_str(), film.width, film.height), ("H.264", 318, 180));
    assert_eq!((film.tracks[0].codec.as_str(), film.tracks[3].language.as_str()), ("AAC", "eng"));
    assert_eq!((film.tracks[4].codec.as_str(), film.tracks[4].name.as_str()), ("text/plain", "note.txt"));
    let second = Wanted { track: Some(1), ..Wanted::default() };
    let digests = |frames: &[Told]| frames.iter().map(|frame| frame.3).collect::<Vec<_>>();
    for ffmpeg in [None, installed()] {
        let (_, frames) = decoded("tracks.mkv", &second, ffmpeg.as_ref());
        assert_eq!(digests(&frames), digests(&truth("baseline.mp4")));
        let third = Wanted { track: Some(2), ..Wanted::default() };
        let (done, frames) = decoded("tracks.mkv", &third, ffmpeg.as_ref());
        assert!(done.is_err() && frames.is_empty(), "{done:?}");
    }
    let check = |name: &str, expected: Orientation| {
        let film = describe(&source(name), Format::Mp4, 0).unwrap();
        assert_eq!(film.orientation, expected, "{name}");
    };
    check("main.mp4", Orientation::Upright);
    // `ffmpeg -i rotated.mov` turns the picture by 90 degrees against the clock.
    check("rotated.mov", Orientation::Rotate270);
}

#[test]
fn a_sink_that_breaks_off_gets_no_more() {
    for ffmpeg in [None, installed()] {
        let (source, mut frames) = (source("main.mp4"), 0);
        let mut sink = |_| {
            frames += 1;
            ControlFlow::Break(())
        };
        let (wanted, limits) = (Wanted::default(), Limits::default());
        let done = match &ffmpeg {
            Some(ffmpeg) => ffmpeg.decode_film(&source, Format::Mp4, &wanted, &limits, &mut sink),
            None => decode(&source, Format::Mp4, &wanted, &limits, &mut sink),
        };
        let done = done.unwrap();
        assert_eq!((frames, done.frames, done.to_the_end, &done.problems[..]), (1, 1, false, &[][..]));
    }
}

#[test]
fn limits_keep_what_was_read_until_then() {
    let check = |limits: Limits, ffmpeg: Option<&Ffmpeg>, expected: Result<u64, LimitKind>| {
        let source = source("main.mp4");
        let (wanted, mut sink) = (Wanted::default(), |_| ControlFlow::Continue(()));
        let done = match ffmpeg {
            Some(ffmpeg) => ffmpeg.decode_film(&source, Format::Mp4, &wanted, &limits, &mut sink),
            None => decode(&source, Format::Mp4, &wanted, &limits, &mut sink),
        };
        match (done, expected) {
            (Ok(done), Ok(frames)) => {
                assert_eq!(done.frames, frames);
                assert!(matches!(done.problems[..], [Problem::Limit { .. }]), "{done:?}");
            }
            (Err(Problem::Limit { limit, .. }), Err(expected)) => assert_eq!(limit, expected),
            (done, expected) => panic!("{done:?} instead of {expected:?}"),
        }
    };
    let seconds = Limits { film_seconds: 1, ..Limits::default() };
    let frames = Limits { film_frames: 10, ..Limits::default() };
    let within = truth("main.mp4").iter().filter(|(_, pts_us, ..)| *pts_us <= 1_000_000).count() as u64;
    check(seconds, None, Ok(within));
    check(Limits { film_pixels: 318 * 180, ..Limits::default() }, None, Err(LimitKind::FilmPixels));
    check(Limits { side_px: 300, ..Limits::default() }, None, Err(LimitKind::Side));
    check(Limits { decoder_bytes: 100_000, ..Limits::default() }, None, Err(LimitKind::DecoderBytes));
    if let Some(ffmpeg) = installed() {
        check(seconds, Some(&ffmpeg), Ok(within));
        check(frames, Some(&ffmpeg), Ok(10));
        check(Limits { side_px: 300, ..Limits::default() }, Some(&ffmpeg), Err(LimitKind::Side));
    }
}

#[test]
fn recorded_versions_are_those_that_are_built() {
    let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock")).unwrap();
    for codec in CODECS {
        let (name, version) = codec.decoder.split_once(' ').unwrap();
        assert!(lock.contains(&format!("name = \"{name}\"\nversion = \"{version}\"\n")), "{codec:?}");
    }
}
