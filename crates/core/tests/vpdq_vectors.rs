//! vPDQ against the reference implementation's own hashes of whole films, frame by frame: two of `testdata/video/vpdq` always,
//! and all six of the folder of vectors where MINUTIA_VECTORS names it.

// What a test needs and does not get fails the test; what could not be run is told.
#![allow(clippy::unwrap_used, clippy::print_stdout)]
#![cfg(all(feature = "image", feature = "video"))]

use std::fs;
use std::path::{Path, PathBuf};

use minutia::fingerprint::{Code, VpdqFrame};
use minutia::media::{Ffmpeg, Limits, Source, probe};
use minutia::scan::read_vpdq;

/// Films, their frames, and how many of these have a quality of 80 or more. Darker ones fade to black, where the reference's
/// codes are noise: those of FFmpeg 5.1.9 on another machine differ by up to 70 bits.
const BUNDLED: [(&str, usize, usize); 2] = [("doorknob-hd-no-bar", 120, 28), ("test-padded-dimensions", 150, 150)];
const FURTHER: [(&str, usize, usize); 4] = [
    ("chair-20-sd-bar", 614, 614),
    ("chair-22-with-small-logo-bar", 673, 673),
    ("pattern-hd-no-bar", 206, 205),
    ("pattern-sd-grey-bar", 206, 206),
];

/// How many bits frames may differ by on average: over all films, and over the bundled ones, which happen to be the farthest:
/// where colours are too strong for RGB the reference cuts them off, which luma alone does not know.
const MEAN: f64 = 1.0;
const MEAN_OF_BUNDLED: f64 = 1.5;

fn bundled() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/video/vpdq")
}

fn installed() -> Option<Ffmpeg> {
    ["/usr/bin/ffmpeg", "/usr/local/bin/ffmpeg"].into_iter().find_map(|at| Ffmpeg::at(Path::new(at)).ok())
}

/// A film's frames as the reference wrote them.
fn expected(file: &Path) -> Vec<VpdqFrame> {
    let frame = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        VpdqFrame {
            time_ms: (cells[3].parse::<f64>().unwrap() * 1_000.0).round() as u32,
            number: cells[0].parse().unwrap(),
            quality: cells[1].parse().unwrap(),
            code: cells[2].parse::<Code>().unwrap(),
        }
    };
    fs::read_to_string(file).unwrap().lines().map(frame).collect()
}

/// Compares every frame of some films; the films as they were read.
fn check(
    folder: &Path,
    films: &[(&str, usize, usize)],
    most_mean: f64,
    ffmpeg: Option<&Ffmpeg>,
) -> Vec<Vec<VpdqFrame>> {
    let (mut read, mut sum, mut count) = (Vec::new(), 0, 0);
    for &film in films {
        let (found, bits, met) = compared(folder, film, ffmpeg);
        read.push(found);
        (sum, count) = (sum + bits, count + met);
    }
    let mean = f64::from(sum) / f64::from(count);
    println!("{} films: of {count} frames mean {mean:.2} bits", films.len());
    assert!(mean <= most_mean, "mean {mean:.2}");
    read
}

/// Compares every frame of a film: the film, how many bits its clear frames differ by, and how many these are.
fn compared(
    folder: &Path,
    (name, frames, clear): (&str, usize, usize),
    ffmpeg: Option<&Ffmpeg>,
) -> (Vec<VpdqFrame>, u32, u32) {
    let source = Source::from_file(fs::File::open(folder.join(format!("{name}.mp4"))).unwrap()).unwrap();
    let format = probe(&source).unwrap();
    let (found, decoded) = read_vpdq(&source, format, &Limits::default(), true, ffmpeg).unwrap();
    assert_eq!((&decoded.problems[..], decoded.to_the_end), (&[][..], true), "{name}");
    let expected = expected(&folder.join(format!("{name}.txt")));
    assert_eq!((found.len(), expected.len()), (frames, frames), "{name}");
    let (mut bits, mut most, mut met, mut dark) = (0, 0, 0, 0);
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!((found.number, found.time_ms), (expected.number, expected.time_ms), "{name}");
        assert!(found.quality.abs_diff(expected.quality) <= 1, "{name} {found:?} {expected:?}");
        let distance = found.code.distance(&expected.code);
        if expected.quality < 80 {
            dark = dark.max(distance);
            continue;
        }
        (bits, most, met) = (bits + distance, most.max(distance), met + 1);
    }
    let mean = f64::from(bits) / f64::from(met);
    println!("{name}: {frames} frames, of {met} mean {mean:.2} bits, at most {most}; of darker ones at most {dark}");
    assert!(most <= 6, "{name}: at most {most}");
    assert_eq!(met, clear as u32, "{name}");
    (found, bits, met)
}

#[test]
fn frames_are_the_references_within_a_few_bits() {
    check(&bundled(), &BUNDLED, MEAN_OF_BUNDLED, None);
}

#[test]
fn the_program_gives_the_same_frames() {
    let Some(ffmpeg) = installed() else {
        println!("the_program_gives_the_same_frames: not run (no ffmpeg)");
        return;
    };
    assert_eq!(
        check(&bundled(), &BUNDLED, MEAN_OF_BUNDLED, Some(&ffmpeg)),
        check(&bundled(), &BUNDLED, MEAN_OF_BUNDLED, None)
    );
}

#[test]
fn one_frame_a_second_is_the_first_of_each() {
    let folder = bundled();
    let source = Source::from_file(fs::File::open(folder.join("test-padded-dimensions.mp4")).unwrap()).unwrap();
    let format = probe(&source).unwrap();
    let (found, _) = read_vpdq(&source, format, &Limits::default(), false, None).unwrap();
    let told: Vec<(u64, u32)> = found.iter().map(|frame| (frame.number, frame.time_ms)).collect();
    assert_eq!(told, [(0, 0), (30, 1_000), (60, 2_000), (90, 3_000), (120, 4_000)]);
}

#[test]
fn every_film_of_the_vectors_agrees() {
    let Some(folder) = std::env::var_os("MINUTIA_VECTORS").map(PathBuf::from) else {
        println!("skipped: MINUTIA_VECTORS is not set; {} further films were not compared", FURTHER.len());
        return;
    };
    check(&folder.join("vpdq"), &[&BUNDLED[..], &FURTHER[..]].concat(), MEAN, installed().as_ref());
}
