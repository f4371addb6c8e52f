//! Files that declare what they do not hold.

use super::*;
use crate::decode::video::codec::Failed;

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
pub(super) struct Bits(Vec<bool>);

impl Bits {
    pub(super) fn fixed(mut self, bits: u32, value: u32) -> Bits {
        self.0.extend((0..bits).rev().map(|bit| value >> bit & 1 == 1));
        self
    }

    /// Exponential Golomb code (ISO 14496-10, 9.1).
    fn golomb(self, value: u32) -> Bits {
        let bits = (value + 1).ilog2();
        self.fixed(bits, 0).fixed(bits + 1, value + 1)
    }

    pub(super) fn bytes(self) -> Vec<u8> {
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
        let found = match (h264::CODEC.begin)(&config(wide, high), Selection::All, &limits) {
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

/// An element of Matroska: an identifier, a length of four bytes, and what is in it.
fn element(id: &[u8], body: &[u8]) -> Vec<u8> {
    [id, &(0x1000_0000 | body.len() as u32).to_be_bytes(), body].concat()
}

/// A Matroska file of one segment.
fn matroska(segment: &[u8]) -> Vec<u8> {
    [element(&[0x1a, 0x45, 0xdf, 0xa3], b""), element(&[0x18, 0x53, 0x80, 0x67], segment)].concat()
}

/// A picture track of H.264, with this configuration and what else.
fn picture_track(config: &[u8], more: &[u8]) -> Vec<u8> {
    let parts = [
        element(&[0xd7], &[1]),
        element(&[0x83], &[1]),
        element(&[0x86], b"V_MPEG4/ISO/AVC"),
        element(&[0x63, 0xa2], config),
        more.to_vec(),
    ];
    element(&[0x16, 0x54, 0xae, 0x6b], &element(&[0xae], &parts.concat()))
}

#[test]
fn the_largest_film_costs_nothing() {
    // 65,536 x 65,536 pixels, and one picture of a few bytes.
    let sps = Bits::default().fixed(8, 0x67).fixed(8, 66).fixed(8, 0).fixed(8, 62).golomb(0).golomb(0).golomb(2);
    let sps = sps.golomb(1).fixed(1, 0).golomb(4_095).golomb(4_095).fixed(4, 0b1100).fixed(1, 1).bytes();
    let config = [&[1, 66, 0, 62, 0xff, 0xe1, 0, sps.len() as u8][..], &sps, &[0]].concat();
    let size = [element(&[0xb0], &[0xff, 0xff]), element(&[0xba], &[0xff, 0xff])].concat();
    let block = element(&[0xa3], &[0x81, 0, 0, 0x80, 0, 0, 0, 2, 0x65, 0x88]);
    let cluster = element(&[0x1f, 0x43, 0xb6, 0x75], &[element(&[0xe7], &[0]), block].concat());
    let done = read(matroska(&[picture_track(&config, &element(&[0xe0], &size)), cluster].concat()));
    assert!(matches!(done, Err(Problem::Limit { limit: LimitKind::FilmPixels, .. })), "{done:?}");
    // A container that lies about a real stream is not asked.
    let bytes = altered(b"tkhd", 76, &[0xff; 8]);
    assert_eq!(read(bytes).unwrap().frames, 46);
}

#[test]
fn ten_thousand_frames_a_second_are_as_many_as_are_wanted() {
    let bytes = fs::read(folder().join("baseline.mp4")).unwrap();
    let at = bytes.windows(4).position(|name| name == b"stts").unwrap() + 4;
    let ticks = u32::from_be_bytes(bytes[at + 12..at + 16].try_into().unwrap());
    let bytes = altered(b"mdhd", 12, &(ticks * 10_000).to_be_bytes());
    let source = Source::from_bytes(bytes);
    let eight = Wanted { rate_fps: Some(8), ..Wanted::default() };
    for (wanted, expected) in [(Wanted::default(), 46), (eight, 1)] {
        let mut times = Vec::new();
        let done = decode(&source, Format::Mp4, &wanted, &Limits::default(), &mut |frame| {
            times.push(frame.pts_us);
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(done.frames, expected, "{done:?}");
        assert!(times.iter().all(|&time| time <= 4_600), "{times:?}");
    }
}

#[test]
fn times_that_leap_keep_their_order() {
    let whole = fs::read(folder().join("live.mkv")).unwrap();
    let clusters: Vec<usize> = (0..whole.len()).filter(|&at| whole[at..].starts_with(b"\x1f\x43\xb6\x75")).collect();
    // The time of a cluster stands first in it.
    let time = whole[clusters[1]..].windows(1).position(|id| id == [0xe7]).unwrap() + clusters[1];
    let bytes = usize::from(whole[time + 1] & 0x7f);
    for leap in [0x00, 0x7f, 0xff] {
        let mut film = whole.clone();
        film[time + 2..time + 2 + bytes].fill(leap);
        let (mut last, mut frames) = (None, 0);
        let source = Source::from_bytes(film);
        let done = decode(&source, Format::Matroska, &Wanted::default(), &Limits::default(), &mut |frame| {
            assert!(last.is_none_or(|last| frame.pts_us > last), "{leap}");
            (last, frames) = (Some(frame.pts_us), frames + 1);
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(done.frames, frames);
        assert!(frames > 5, "{leap}: {done:?}");
        let told = |problem: &Problem| matches!(problem, Problem::Damaged { .. } | Problem::Limit { .. });
        assert!(done.problems.iter().any(told), "{leap}: {done:?}");
    }
}

#[test]
fn what_is_in_other_files_is_not_looked_for() {
    // QuickTime: the pictures are elsewhere.
    let flags = fs::read(folder().join("baseline.mp4")).unwrap().windows(4).position(|name| name == b"url ").is_some();
    assert!(flags, "a data reference");
    let done = read(altered(b"url ", 0, &[0, 0, 0, 0]));
    assert!(
        matches!(&done, Err(Problem::Unsupported { format, .. }) if format.contains("in another file")),
        "{done:?}"
    );
    // Matroska: segments before and behind this, a chapter of another, by name and by number.
    let info = [
        element(&[0x73, 0xa4], &[1; 16]),
        element(&[0x3c, 0xb9, 0x23], &[2; 16]),
        element(&[0x3c, 0x83, 0xab], b"/etc/hostname"),
        element(&[0x3e, 0xb9, 0x23], &[3; 16]),
        element(&[0x3e, 0x83, 0xbb], b"next.mkv"),
    ];
    let chapter = element(&[0xb6], &[element(&[0x91], &[0]), element(&[0x6e, 0x67], &[3; 16])].concat());
    let edition = element(&[0x45, 0xb9], &[element(&[0x45, 0xdd], &[1]), chapter].concat());
    let linked = [element(&[0x15, 0x49, 0xa9, 0x66], &info.concat()), element(&[0x10, 0x43, 0xa7, 0x70], &edition)];
    let whole = fs::read(folder().join("live.mkv")).unwrap();
    let begin = whole.windows(4).position(|id| id == b"\x18\x53\x80\x67").unwrap();
    // Its segment has no length, of eight bytes.
    let mut film = whole[..begin + 12].to_vec();
    film.extend(linked.concat());
    film.extend(&whole[begin + 12..]);
    let done = read(film).unwrap();
    assert_eq!((done.frames, &done.problems[..]), (truth("live.mkv").len() as u64, &[][..]));
}

#[test]
fn who_locks_a_film_is_named() {
    let bytes = fs::read(folder().join("baseline.mp4")).unwrap();
    let at = bytes.windows(4).position(|kind| kind == b"avc1").unwrap();
    let at = at + 4 + bytes[at + 4..].windows(4).position(|kind| kind == b"avc1").unwrap();
    let mut locked = bytes.clone();
    locked[at..at + 4].copy_from_slice(b"encv");
    // In the place of the film's user data, which is long enough for two systems.
    let moov = locked.windows(4).position(|kind| kind == b"moov").unwrap();
    let length = u32::from_be_bytes(locked[moov - 4..moov].try_into().unwrap()) as usize;
    let system = |id: [u8; 16]| [&[0, 0, 0, 32][..], b"pssh", &[0; 4], &id, &[0; 4]].concat();
    let widevine = 0xedef_8ba9_79d6_4ace_a3c8_27dc_d51d_21ed_u128.to_be_bytes();
    let boxes = [system(widevine), system([7; 16]), system(widevine)].concat();
    let end = moov - 4 + length;
    locked.splice(end..end, boxes.iter().copied());
    locked[moov - 4..moov].copy_from_slice(&((length + boxes.len()) as u32).to_be_bytes());
    let by = "common encryption, for Widevine, system 07070707070707070707070707070707";
    assert_eq!(read(locked.clone()), Err(Problem::Protected { by: by.to_owned() }));
    let film = describe(&Source::from_bytes(locked), Format::Mp4, 0).unwrap();
    assert_eq!(film.tracks[0].locked_by.as_deref(), Some(by));
    // Matroska says what encrypts.
    let encryption = element(&[0x50, 0x35], &element(&[0x47, 0xe1], &[5]));
    let encodings = element(&[0x6d, 0x80], &element(&[0x62, 0x40], &encryption));
    let done = read(matroska(&picture_track(&[1], &encodings)));
    assert_eq!(done, Err(Problem::Protected { by: "Matroska encryption by AES".to_owned() }));
}

/// Each packet of a track marked as locked, and where `scrambled` what it carries changed.
fn locked_stream(mut bytes: Vec<u8>, scrambled: bool) -> Vec<u8> {
    let mut state = 7_u32;
    for packet in bytes.chunks_exact_mut(188) {
        let number = u16::from_be_bytes([packet[1] & 0x1f, packet[2]]);
        if !(0x100..0x1000).contains(&number) {
            continue;
        }
        let start = if packet[3] & 0x20 != 0 { 5 + usize::from(packet[4]) } else { 4 };
        packet[3] |= 0x80;
        for byte in packet.iter_mut().skip(start).filter(|_| scrambled) {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte ^= (state >> 24) as u8;
        }
    }
    bytes
}

#[test]
fn locked_transport_streams_are_protected() {
    let plain = fs::read(folder().join("mpeg2.ts")).unwrap();
    let locked = locked_stream(plain.clone(), true);
    let protected = |by: &str| Err(Problem::Protected { by: by.to_owned() });
    let scrambling = "transport stream scrambling";
    assert_eq!(read(locked.clone()), protected(scrambling));
    // Behind a few bytes, in packets of 192, and without the tables.
    assert_eq!(read([&[1; 50][..], &locked].concat()), protected(scrambling));
    assert_eq!(read(locked.chunks(188).flat_map(|packet| [&[0; 4], packet].concat()).collect()), protected(scrambling));
    let without: Vec<u8> = locked.chunks(188).filter(|packet| packet[1] & 0x1f == 1).flatten().copied().collect();
    assert_eq!(read(without), protected(scrambling));
    let film = describe(&Source::from_bytes(locked.clone()), Format::MpegTs, 0).unwrap();
    let track = &film.tracks[0];
    assert_eq!((track.number, track.kind, track.codec.as_str()), (256, TrackKind::Picture, "MPEG-2"));
    // A table that says who holds the keys.
    let mut named = locked.clone();
    for packet in named.chunks_exact_mut(188).filter(|packet| packet[1..3] == [0x50, 0]) {
        packet.copy_within(17..182, 23);
        packet[17..23].copy_from_slice(&[9, 4, 0x06, 0x04, 0xe1, 0]);
        (packet[7], packet[16]) = (packet[7] + 6, 6);
    }
    assert_eq!(read(named), protected("transport stream scrambling, for Irdeto"));
    // What is plain in part is read as far as it is, and so is what is plain all along and only marked.
    let half = plain.len() / 376 * 188;
    for readable in [plain.clone(), [&plain[..half], &locked[half..]].concat(), locked_stream(plain, false)] {
        let source = Source::from_bytes(readable);
        assert_eq!(describe(&source, Format::MpegTs, 0).unwrap().tracks, []);
    }
    let Some(ffmpeg) = installed() else { return };
    let source = Source::from_bytes(locked.clone());
    let limits = Limits::default();
    let asked = ffmpeg.decode_film(&source, Format::MpegTs, &Wanted::default(), &limits, &mut |_| panic!("a picture"));
    assert_eq!(asked, protected(scrambling));
    for (place, value) in (0..1_500).flat_map(|place| [0, 0x7f, 0xff].map(|value| (place, value))) {
        let mut bytes = locked.clone();
        bytes[place] = value;
        let _ = describe(&Source::from_bytes(bytes), Format::MpegTs, 0);
    }
}
