//! Files that declare what they do not hold.

use super::*;
use crate::decode::video::h264::{Failed, H264};

fn read(bytes: Vec<u8>) -> Result<Decoded, Problem> {
    let source = Source::from_bytes(bytes);
    let format = crate::probe(&source)?;
    decode(&source, format, &Wanted::default(), &Limits::default(), &mut |_| ControlFlow::Continue(()))
}

/// `baseline.mp4` with other bytes at `at` behind the first box of a name.
fn altered(kind: &[u8], at: usize, with: &[u8]) -> Vec<u8> {
    let mut bytes = fs::read(folder().join("baseline.mp4")).unwrap();
    let place = bytes.windows(4).position(|name| name == kind).unwrap() + 4 + at;
    bytes[place..place + with.len()].copy_from_slice(with);
    bytes
}

#[test]
fn headers_are_not_believed() {
    let check = |bytes: Vec<u8>, word: &str| {
        let done = read(bytes);
        let told = format!("{done:?}");
        assert!(told.contains(word), "{word}: {told}");
    };
    // A hundred hours, of which a second and a half is there: by the edit list, the track and the film.
    check(altered(b"elst", 8, &360_000_000_u32.to_be_bytes()), "the pictures end after 1499 of 360000000 ms");
    // Four billion samples: as many as have sizes, of 4 GiB, and of few bytes.
    check(altered(b"stsz", 8, &[0xff; 4]), "frames: 46");
    check(altered(b"stsz", 4, &[0xff; 8]), "Limit");
    check(altered(b"stsz", 4, &[0, 0, 1, 0x2c, 0xff, 0xff, 0xff, 0xff]), "Damaged");
    // A clock that stands still, and one that ticks four billion times a second.
    check(altered(b"mdhd", 12, &[0; 4]), "Damaged");
    check(altered(b"mdhd", 12, &[0xff; 4]), "out of the order");
    // Frames that last no time, and two billion ticks, behind what the edit list shows.
    check(altered(b"stts", 12, &[0; 4]), "out of the order");
    check(altered(b"stts", 12, &[0x7f; 4]), "frames: 1,");
    // Chunks without samples, behind the end, and in a run that never comes.
    check(altered(b"stsc", 12, &[0; 4]), "has no samples");
    check(altered(b"stco", 8, &[0xff; 4]), "behind the end of the file");
    check(altered(b"stsc", 8, &[0xff; 4]), "has no samples");
    check(altered(b"avcC", 0, &[0; 8]), "Damaged");
    check(altered(b"mdia", 0, &[0xff; 4]), "no picture track");
}

#[test]
fn the_same_bytes_again_and_again_are_no_film() {
    // Every chunk begins where the first does: a film of four times its bytes and a megabyte is believed, not more.
    let bytes = altered(b"stsz", 4, &[&100_000_u32.to_be_bytes()[..], &[0, 0x0f, 0xff, 0xff]].concat());
    assert!(read(bytes).is_err());
}

#[test]
fn locked_tracks_are_protected() {
    let by = |by: &str| Err(Problem::Protected { by: by.to_owned() });
    let bytes = fs::read(folder().join("baseline.mp4")).unwrap();
    let at = bytes.windows(4).position(|kind| kind == b"avc1").unwrap();
    // The first is among the brands.
    let at = at + 4 + bytes[at + 4..].windows(4).position(|kind| kind == b"avc1").unwrap();
    for (kind, scheme) in [(b"drmi", "FairPlay"), (b"encv", "common encryption")] {
        let mut locked = bytes.clone();
        locked[at..at + 4].copy_from_slice(kind);
        assert_eq!(read(locked.clone()), by(scheme));
        if let Some(ffmpeg) = installed() {
            let source = Source::from_bytes(locked);
            let limits = Limits::default();
            let done = ffmpeg.decode_film(&source, Format::Mp4, &Wanted::default(), &limits, &mut |_| {
                panic!("a picture of a locked track")
            });
            assert_eq!(done, by(scheme));
        }
    }
    // EBML: a header, and a segment with a track of pictures that is encrypted.
    let element = |id: &[u8], body: &[u8]| [id, &[0x80 | body.len() as u8], body].concat();
    let encodings = element(&[0x6d, 0x80], &element(&[0x62, 0x40], &element(&[0x50, 0x35], &[])));
    let track =
        [element(&[0xd7], &[1]), element(&[0x83], &[1]), element(&[0x86], b"V_MPEG4/ISO/AVC"), encodings].concat();
    let tracks = element(&[0x16, 0x54, 0xae, 0x6b], &element(&[0xae], &track));
    let segment = element(&[0x18, 0x53, 0x80, 0x67], &tracks);
    assert_eq!(read([element(&[0x1a, 0x45, 0xdf, 0xa3], b""), segment].concat()), by("Matroska encryption"));
}

#[test]
fn films_without_pictures_say_so() {
    let sound = fs::read(folder().join("../../audio/formats/aac.m4a")).unwrap();
    let done = read(sound);
    assert!(
        matches!(&done, Err(Problem::Unsupported { format, .. }) if format.contains("no picture track")),
        "{done:?}"
    );
}

/// Bits, the highest of each byte first.
#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn fixed(mut self, bits: u32, value: u32) -> Bits {
        self.0.extend((0..bits).rev().map(|bit| value >> bit & 1 == 1));
        self
    }

    /// Exponential Golomb code (ISO 14496-10, 9.1).
    fn golomb(self, value: u32) -> Bits {
        let bits = (value + 1).ilog2();
        self.fixed(bits, 0).fixed(bits + 1, value + 1)
    }

    fn bytes(self) -> Vec<u8> {
        self.0
            .chunks(8)
            .map(|bits| bits.iter().enumerate().fold(0, |byte, (at, &bit)| byte | u8::from(bit) << (7 - at)))
            .collect()
    }
}

#[test]
fn the_largest_pictures_cost_nothing() {
    let config = |wide: u32, high: u32| {
        // Baseline, level 6.2, one reference, order of decoding, macroblocks, frames only, no cropping.
        let sps = Bits::default().fixed(8, 0x67).fixed(8, 66).fixed(8, 0).fixed(8, 62).golomb(0).golomb(0).golomb(2);
        let sps = sps.golomb(1).fixed(1, 0).golomb(wide - 1).golomb(high - 1).fixed(4, 0b1100).fixed(1, 1).bytes();
        [&[1, 66, 0, 62, 0xff, 0xe1, 0, sps.len() as u8][..], &sps, &[0]].concat()
    };
    let limits = Limits::default();
    let check = |wide: u32, high: u32, expected: Option<LimitKind>| {
        let found = match H264::new(&config(wide, high), &limits) {
            Ok(_) => None,
            Err(Failed::Fatal(Problem::Limit { limit, .. })) => Some(limit),
            Err(_) => panic!("{wide} x {high}"),
        };
        assert_eq!(found, expected, "{wide} x {high} macroblocks");
    };
    check(120, 68, None);
    check(256, 256, None);
    check(4_096, 4_096, Some(LimitKind::FilmPixels));
    check(1 << 20, 1, Some(LimitKind::Side));
}
