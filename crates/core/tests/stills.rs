//! Pictures beside films, on the repository's photographs: a poster inside of a film, and a frame of a film as a picture.
#![cfg(feature = "image")]
// What a test needs and does not get fails the test.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use minutia::fingerprint::fingerprint_image;
use minutia::fingerprint::{FilmFingerprint, FilmFingerprinter, FilmViews, Fingerprint, ImageFingerprint, Views};
use minutia::index::{Access, Entry, Index, Work, WorkId, Writer};
use minutia::media::decode::image::{Channels, decode};
use minutia::media::{Kind, Limits, Luma, Picture, Source, probe};
use minutia::scan::{Coverage, Examined, Examiner, FilmCoverage, Item, Query};
use minutia::search::Settings;
use minutia::verdict::{Allowed, Evidence, Finding, Level, Outcome};

fn photograph(name: &str) -> Luma {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/image/reference").join(name);
    let source = Source::from_bytes(fs::read(path).unwrap());
    let format = probe(&source).unwrap();
    let mut found = None;
    decode(&source, format, Channels::Luma, &Limits::default(), &mut |frame| {
        found = Some(frame.picture);
        ControlFlow::Break(())
    })
    .unwrap();
    match found.unwrap() {
        Picture::Luma(luma) => luma,
        Picture::Rgb(_) => panic!("luma was asked for"),
    }
}

/// As a frame of a film, 320 x 240: each pixel that of the photograph which lies there.
fn frame(of: &Luma) -> Luma {
    let at = |x: u32, y: u32| of.pixels()[(y * of.height() / 240 * of.width() + x * of.width() / 320) as usize];
    Luma::new(320, 240, (0..320 * 240).map(|n| at(n % 320, n / 320)).collect()).unwrap()
}

/// Each photograph for two seconds, ten frames a second.
fn film(names: &[&str], views: FilmViews) -> FilmFingerprint {
    let mut fingerprinter = FilmFingerprinter::new(0, views);
    for (number, name) in (0..).zip(names) {
        let frame = frame(&photograph(name));
        for tenth in 0..20 {
            fingerprinter.push((number * 20 + tenth) * 100_000, frame.clone());
        }
    }
    fingerprinter.finish()
}

fn picture(name: &str, views: Views) -> ImageFingerprint {
    fingerprint_image(&Picture::Luma(photograph(name)), minutia::media::Orientation::Upright, views)
}

fn index(directory: &Path, prints: Vec<(&str, Fingerprint)>) -> Index {
    let mut writer = Writer::open(directory).unwrap();
    for (name, print) in prints {
        writer
            .add(Entry {
                work: Work::new(WorkId::new(name).unwrap()),
                source_name: name.to_owned(),
                source_digest: None,
                fingerprints: vec![print],
                thumbnail: None,
            })
            .unwrap();
    }
    writer.commit().unwrap();
    Index::open(directory, Access::Mapped).unwrap()
}

fn examined(index: &Index, print: Fingerprint, key_frames: bool) -> Examined {
    let film = print.film().map(|_| FilmCoverage { key_frames, ..FilmCoverage::default() });
    let item = Item {
        coverage: Coverage { film, in_part: key_frames, ..Coverage::default() },
        fingerprints: vec![print],
        ..Item::of(None)
    };
    let examiner = Examiner::new(index, Allowed::default(), Settings::default());
    examiner.examine(&[Query { digest: None, item: &item }]).unwrap().remove(0)
}

/// By a picture's codes, at these places in milliseconds.
#[track_caller]
fn is_at(finding: &Finding, query: Option<(u64, u64)>, reference: Option<(u64, u64)>) {
    assert!(matches!(finding.evidence, Evidence::Code { .. }) && finding.modality == Kind::Image, "{finding:?}");
    let near = |span: &Option<std::ops::Range<u64>>, expected: Option<(u64, u64)>| match (span, expected) {
        (None, None) => true,
        (Some(span), Some((start, end))) => span.start.abs_diff(start) <= 500 && span.end.abs_diff(end) <= 500,
        _ => false,
    };
    assert!(near(&finding.query_span_ms, query) && near(&finding.reference_span_ms, reference), "{finding:?}");
}

const FILM: [&str; 4] = ["astronaut.jpg", "cat.jpg", "coffee.jpg", "moose.jpg"];

#[test]
fn a_registered_picture_is_found_in_a_film_where_it_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let pictures = ["coffee.jpg", "rocket.jpg", "windmill.jpg"];
    let index = index(
        folder.path(),
        pictures.iter().map(|name| (*name, Fingerprint::Image(picture(name, Views::Reference)))).collect(),
    );
    let found = examined(&index, Fingerprint::Film(film(&FILM, FilmViews::BothLooks)), false);
    assert_eq!((found.outcome, found.findings.len()), (Outcome::Match, 1), "{found:?}");
    assert_eq!(found.findings[0].reference_name, "coffee.jpg");
    is_at(&found.findings[0], Some((4_000, 6_000)), None);
    // A hundred comparisons more are a hundred chances more.
    let alone = examined(&index, Fingerprint::Image(picture("coffee.jpg", Views::Query)), false);
    assert!(alone.findings[0].expected_false_matches < found.findings[0].expected_false_matches);

    let others = film(&["astronaut.jpg", "cat.jpg", "moose.jpg"], FilmViews::BothLooks);
    assert_eq!(examined(&index, Fingerprint::Film(others), false).outcome, Outcome::NoMatch);
}

#[test]
fn a_frame_of_a_registered_film_is_found_on_a_disk() {
    let folder = tempfile::tempdir().unwrap();
    let print = Fingerprint::Film(film(&FILM, FilmViews::Reference));
    let other = Fingerprint::Film(film(&["rocket.jpg", "windmill.jpg"], FilmViews::Reference));
    let index = index(folder.path(), vec![("film.mp4", print), ("other.mp4", other)]);
    let found = examined(&index, Fingerprint::Image(picture("cat.jpg", Views::Query)), false);
    assert_eq!((found.outcome, found.findings.len()), (Outcome::Match, 1), "{found:?}");
    assert_eq!(found.findings[0].reference_name, "film.mp4");
    is_at(&found.findings[0], None, Some((2_000, 4_000)));
    let found = examined(&index, Fingerprint::Image(picture("dandelion.jpg", Views::Query)), false);
    assert_eq!(found.outcome, Outcome::NoMatch, "{found:?}");
}

#[test]
fn a_quick_pass_names_a_film_by_one_key_frame_and_is_not_sure() {
    let folder = tempfile::tempdir().unwrap();
    let print = Fingerprint::Film(film(&FILM, FilmViews::Reference));
    let index = index(folder.path(), vec![("film.mp4", print)]);
    let key_frames = |names: &[&str]| {
        let mut fingerprinter = FilmFingerprinter::of_key_frames(0, FilmViews::FirstLook);
        for (number, name) in (0..).zip(names) {
            fingerprinter.push(number * 5_000_000, frame(&photograph(name)));
        }
        Fingerprint::Film(fingerprinter.finish())
    };
    let found = examined(&index, key_frames(&["rocket.jpg", "moose.jpg", "windmill.jpg"]), true);
    assert_eq!((found.outcome, found.findings.len()), (Outcome::Possible, 1), "{found:?}");
    assert_eq!(found.findings[0].level, Level::Possible);
    is_at(&found.findings[0], Some((5_000, 10_000)), Some((6_000, 8_000)));
    let found = examined(&index, key_frames(&["rocket.jpg", "windmill.jpg"]), true);
    assert_eq!(found.outcome, Outcome::Undecided, "{found:?}");
}

#[test]
fn black_frames_and_plain_ones_are_no_pictures() {
    let folder = tempfile::tempdir().unwrap();
    // A fade: soft, and as much like any other as like itself.
    let soft = |x: u32, y: u32| (40 + x / 3 + y / 4) as u8;
    let fade = Luma::new(320, 240, (0..320 * 240).map(|n| soft(n % 320, n / 320)).collect()).unwrap();
    let black = Luma::new(320, 240, vec![16; 320 * 240]).unwrap();
    let of = |views| {
        let mut fingerprinter = FilmFingerprinter::new(0, views);
        for second in 0..12 {
            fingerprinter.push(second * 1_000_000, if second % 4 < 2 { fade.clone() } else { black.clone() });
        }
        fingerprinter.finish()
    };
    let index = index(folder.path(), vec![("fade.mp4", Fingerprint::Film(of(FilmViews::Reference)))]);
    let image = fingerprint_image(&Picture::Luma(fade.clone()), minutia::media::Orientation::Upright, Views::Query);
    assert_eq!(examined(&index, Fingerprint::Image(image), false).findings, [], "a fade");
    let image = fingerprint_image(&Picture::Luma(black.clone()), minutia::media::Orientation::Upright, Views::Query);
    assert_eq!(examined(&index, Fingerprint::Image(image), false).findings, [], "black");
}

/// The photographs are there.
#[test]
fn the_photographs_are_those_that_are_meant() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/image/reference");
    let met = FILM.iter().filter(|name| folder.join(name).is_file()).count();
    assert_eq!(met, 4);
}
