//! Films with their directory moved to the front.

use std::fs;
use std::ops::ControlFlow;

use super::{DirectoryFirst, Limits, Source, Wanted, decode, fnv, folder, installed};
use crate::Access;

fn in_front(bytes: &[u8]) -> Option<Vec<u8>> {
    let source = Source::from_bytes(bytes.to_vec());
    let film = DirectoryFirst::of(&source).unwrap()?;
    let mut written = Vec::new();
    film.write(&source, &mut written).unwrap();
    Some(written)
}

/// Time and digest of each frame, and how it ended.
fn frames(bytes: Vec<u8>) -> (Vec<(u64, u64)>, String) {
    let source = Source::from_bytes(bytes);
    let format = crate::probe(&source).unwrap();
    let mut frames = Vec::new();
    let done = decode(&source, format, &Wanted::default(), &Limits::default(), &mut |frame| {
        frames.push((frame.pts_us, fnv(frame.luma.pixels())));
        ControlFlow::Continue(())
    });
    (frames, format!("{done:?}"))
}

fn place_of(bytes: &[u8], kind: &[u8]) -> usize {
    bytes.windows(4).position(|four| four == kind).unwrap()
}

#[test]
fn films_are_the_same_with_their_directory_in_front() {
    for name in ["cut.mp4", "interlaced.mp4", "late.mp4", "main.mp4", "open-groups.mp4", "rotated.mov"] {
        let bytes = fs::read(folder().join(name)).unwrap();
        let written = in_front(&bytes).unwrap();
        assert!(place_of(&bytes, b"moov") > place_of(&bytes, b"mdat"), "{name}");
        assert!(place_of(&written, b"moov") < place_of(&written, b"mdat"), "{name}");
        assert_eq!(written.len(), bytes.len(), "{name}");
        let frames = frames(bytes);
        assert!(!frames.0.is_empty() && frames == self::frames(written.clone()), "{name}");
        // What is in front already stays as it is, and fragments are not moved.
        assert_eq!(in_front(&written), Some(written));
    }
    let fragments = fs::read(folder().join("fragments.mp4")).unwrap();
    assert_eq!(in_front(&fragments), Some(fragments.clone()));
    let moov = place_of(&fragments, b"moov") - 4;
    let length = u32::from_be_bytes(fragments[moov..moov + 4].try_into().unwrap()) as usize;
    let behind = [&fragments[..moov], &fragments[moov + length..], &fragments[moov..moov + length]].concat();
    assert_eq!(in_front(&behind), None);
    assert_eq!(in_front(b"nothing of a film"), None);
}

#[test]
fn places_of_32_and_of_64_bits_are_counted_on() {
    let atom = |kind: &[u8; 4], content: &[u8]| [&(content.len() as u32 + 8).to_be_bytes()[..], kind, content].concat();
    let nested = |table: Vec<u8>| {
        let within = |content: Vec<u8>, kind: &[u8; 4]| atom(kind, &content);
        [b"stbl", b"minf", b"mdia", b"trak", b"moov"].into_iter().fold(table, within)
    };
    let table = |kind: &[u8; 4], places: &[u8]| atom(kind, &[&[0, 0, 0, 0, 0, 0, 0, 2][..], places].concat());
    let wide = nested(table(b"co64", &[100_u64.to_be_bytes(), u64::MAX.to_be_bytes()].concat()));
    let film = [atom(b"ftyp", b"isom"), atom(b"mdat", &[7; 200]), wide.clone()].concat();
    let written = in_front(&film).unwrap();
    let moved = (100 + wide.len() as u64).to_be_bytes();
    assert_eq!(written[12 + wide.len() - 16..12 + wide.len()], [moved, u64::MAX.to_be_bytes()].concat());
    let narrow = nested(table(b"stco", &[100_u32.to_be_bytes(), 150_u32.to_be_bytes()].concat()));
    let film = [atom(b"ftyp", b"isom"), atom(b"mdat", &[7; 200]), narrow.clone()].concat();
    let written = in_front(&film).unwrap();
    let moved = [100, 150].map(|place: u32| (place + narrow.len() as u32).to_be_bytes()).concat();
    assert_eq!(written[12 + narrow.len() - 8..12 + narrow.len()], moved);
}

#[test]
fn a_damaged_directory_is_moved_or_not_and_nothing_worse() {
    let whole = fs::read(folder().join("main.mp4")).unwrap();
    let moov = place_of(&whole, b"moov") - 4;
    for at in moov..whole.len() {
        for flip in [1, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] ^= flip;
            let _ = in_front(&bytes);
        }
        let _ = in_front(&whole[..at]);
    }
}

#[test]
fn a_program_that_cannot_go_back_reads_it() {
    let Some(ffmpeg) = installed() else { return };
    let film = fs::read(folder().join("hevc.mp4")).unwrap();
    let moov = place_of(&film, b"moov") - 4;
    // More than the program has at hand to go back in.
    let free = [&(1_u32 << 22).to_be_bytes()[..], b"free", &vec![0; (1 << 22) - 8]].concat();
    let bytes = [&film[..moov], &free, &film[moov..]].concat();
    let decoded = |bytes: &[u8]| {
        let wanted = Wanted::default();
        let (limits, stored) = (Limits::default(), super::super::ffmpeg::Planes::Stored);
        let mut command = ffmpeg.film_command(crate::Format::Mp4, Access::Stream, &wanted, &limits, stored).unwrap();
        let mut child =
            command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let bytes = bytes.to_vec();
        let feeder = std::thread::spawn(move || {
            let _ = std::io::Write::write_all(&mut stdin, &bytes);
        });
        let output = child.wait_with_output().unwrap().stdout;
        feeder.join().unwrap();
        output
    };
    let (as_it_is, in_front) = (decoded(&bytes), decoded(&in_front(&bytes).unwrap()));
    assert!(as_it_is.len() < 1_000 && in_front.len() > 10_000, "{} and {} bytes", as_it_is.len(), in_front.len());
}
