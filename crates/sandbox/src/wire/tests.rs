//! What is sent comes back, and what no reader makes is refused.

use minutia::fingerprint::{
    AudioFingerprint, Code, Dihedral, FilmBase, FilmFingerprint, FilmFrame, FilmView, Fingerprint, ImageFingerprint,
    Peak, Region, RegionKind, Thumbnail, View, Views, VpdqFrame,
};
use minutia::scan::{Coverage, Exchange, FilmCoverage, SoundCoverage, Track};
use minutia_media::{Format, LimitKind, Orientation, Preview};
use proptest::prelude::*;

use super::*;

fn sound() -> Item {
    let region = Region { kind: RegionKind::Crop, left: 1, top: 2, right: 10_000, bottom: 9_999 };
    let view = View { region, turn: Dihedral::FlipX, code: Code([9; 32]), quality: 100, plain_rim: 255 };
    let image = ImageFingerprint {
        frame: 3,
        time_ms: 40,
        width: 600,
        height: 400,
        orientation: Orientation::Rotate90,
        views: vec![view; MAX_VIEWS],
    };
    Item {
        member: vec!["archive".to_owned(); MAX_DEPTH],
        format: Some(Format::Png),
        coverage: Coverage {
            frames_read: 2,
            frames_kept: 1,
            partial_rows: Some((7, 7)),
            sound: Some(heard()),
            film: Some(seen()),
            in_part: true,
        },
        fingerprints: vec![Fingerprint::Image(image), Fingerprint::Audio(recording()), Fingerprint::Film(film())],
        listed: Vec::new(),
        tracks: vec![Track { name: "n".repeat(100), ..Track::default() }; Track::MOST],
        preview: Some(Preview { width: 64, height: 48, jpeg: vec![0xff, 0xd8, 0xff, 0xe0] }),
        problems: vec![Problem::Limit { limit: LimitKind::Frames, allowed: 2, found: 3 }; MAX_PROBLEMS],
    }
}

fn recording() -> AudioFingerprint {
    let peak = |place: u32| Peak { time: place / 2, pitch: 7 + (place % 2) as u16, rank: 9 };
    AudioFingerprint {
        stream: 1,
        duration_ms: 3_000,
        content_ms: 2_900,
        mid: (0..600).map(peak).collect(),
        side: (0..3).map(peak).collect(),
        chromaprint: vec![u32::MAX; 20],
    }
}

fn heard() -> SoundCoverage {
    let (decoder, codec) = ("symphonia 0.6.1".to_owned(), "MP3".to_owned());
    SoundCoverage { decoder, codec, tracks: 1, tracks_read: 1, declared_ms: Some(2_000), decoded_ms: 1_000 }
}

fn film() -> FilmFingerprint {
    let view = FilmView {
        base: FilmBase::Framed(3),
        crop: [0, 0, 1_000, 999],
        strip: Some(-7),
        degrees: -4,
        turn: Dihedral::Rotate90,
        motion: true,
    };
    let levels = vec![9; Thumbnail::SIDE * Thumbnail::SIDE];
    let thumbnail = |frame| Thumbnail { frame, base: FilmBase::Sharp, shape: 178, levels: levels.clone() };
    let frame = |n: u32| FilmFrame { time_ms: 250 * n, quality: 100, wide: true };
    FilmFingerprint {
        stream: 0,
        duration_ms: 1_000,
        width: 64,
        height: 48,
        views: vec![view; MAX_VIEWS],
        frames: (0..5).map(frame).collect(),
        codes: vec![Code([7; 32]); 5 * MAX_VIEWS],
        thumbnails: [1, 3].map(thumbnail).to_vec(),
    }
}

fn seen() -> FilmCoverage {
    FilmCoverage { width: 64, height: 48, decoded_ms: 1_000, frames_read: 25, ..FilmCoverage::default() }
}

fn request() -> Request {
    let mut request = Request::query();
    request.preview_px = Some(64);
    request.limits.frames = 2;
    request.limits.audio_seconds = 1;
    request.limits.film_seconds = 1;
    request
}

#[test]
fn what_is_framed_comes_back_byte_by_byte() {
    let answers = [Answer::Item(sound()), Answer::Done(Err(Problem::TimedOut { after_ms: 5 })), Answer::Done(Ok(()))];
    let sent: Vec<u8> = answers.iter().flat_map(|answer| encode(answer).unwrap()).collect();
    let mut inbox = Vec::new();
    let mut received = Vec::new();
    for byte in sent {
        inbox.push(byte);
        received.extend(take::<Answer>(&mut inbox).unwrap());
    }
    assert_eq!(received, answers);
    assert!(inbox.is_empty());
}

#[test]
fn long_lists_travel_in_pieces_and_come_back_whole() {
    let mut sent = sound();
    let Fingerprint::Audio(audio) = &mut sent.fingerprints[1] else { panic!("a recording") };
    audio.duration_ms = 36_000_000;
    audio.mid = (0..2 * MAX_PIECE as u32 + 5).map(|time| Peak { time, pitch: 2_047, rank: 255 }).collect();
    let mut answers = Vec::new();
    let mut send = |answer: Answer| {
        let frame = encode(&answer)?;
        answers.push(frame);
        Ok::<(), WireError>(())
    };
    hand_over(sent.clone(), &mut send).unwrap();
    // Three of the mid mix, one each of the side mix, the items, frames, codes and thumbnails, and the item.
    assert_eq!(answers.len(), 9);
    let mut inbox = answers.concat();
    let mut pieces = Pieces::default();
    while let Some(answer) = take::<Answer>(&mut inbox).unwrap() {
        match answer {
            Answer::Piece { of, piece } => pieces.take(of, piece).unwrap(),
            Answer::Item(mut item) => {
                pieces.complete(&mut item).unwrap();
                assert_eq!(item, sent);
                assert_eq!(check_item(&item, &request()), Ok(()));
                assert!(pieces.is_settled());
                // Of a picture, of nothing, and beside a list that is there.
                for of in [0, 9, 1] {
                    pieces.take(of, Piece::Side(Vec::new())).unwrap();
                    assert!(pieces.complete(&mut item).is_err());
                }
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(pieces.take(0, Piece::Chromaprint(vec![0; MAX_PIECE + 1])).is_err());
    let full = (0..200).find_map(|_| pieces.take(0, Piece::Chromaprint(vec![0; MAX_PIECE])).err());
    assert!(full.is_some(), "without end");
    let mut pieces = Pieces::default();
    assert!((0..).find_map(|of| pieces.take(of, Piece::Mid(Vec::new())).err()).is_some());
}

/// A film as vPDQ hashes it, of so many frames.
fn listed(frames: u64) -> Item {
    let frame = |number| VpdqFrame { time_ms: number as u32, number, quality: 99, code: Code([number as u8; 32]) };
    let film = FilmCoverage { frames_read: frames, ..seen() };
    Item {
        listed: (0..frames).map(frame).collect(),
        coverage: Coverage { film: Some(film), ..Coverage::default() },
        ..Item::of(Format::Mp4)
    }
}

#[test]
fn lists_of_frames_travel_in_pieces_and_come_where_they_were_asked_for() {
    let request = Request { exchange: Some(Exchange::Vpdq { every_frame: true }), ..request() };
    let sent = listed(MAX_LISTED_IN_PIECE as u64 + 7);
    let mut answers = Vec::new();
    let mut send = |answer| {
        answers.push(answer);
        Ok::<(), WireError>(())
    };
    hand_over(sent.clone(), &mut send).unwrap();
    let mut pieces = Pieces::default();
    let Some(Answer::Item(mut item)) = answers.pop() else { panic!("the item comes last") };
    assert!(answers.len() == 2 && item.listed.is_empty());
    for answer in answers {
        assert!(encode(&answer).is_ok());
        let Answer::Piece { of, piece } = answer else { panic!("{answer:?}") };
        pieces.take(of, piece).unwrap();
    }
    assert!(!pieces.is_settled());
    pieces.complete(&mut item).unwrap();
    assert!(pieces.is_settled());
    assert_eq!((&item, check_item(&item, &request)), (&sent, Ok(())));
    assert!(pieces.complete(&mut item).is_err(), "beside a list that is there");

    assert!(check_item(&listed(1), &self::request()).is_err(), "a list that nobody wanted");
    let forged = |forge: fn(&mut Item)| {
        let mut item = listed(9);
        forge(&mut item);
        check_item(&item, &request).is_err()
    };
    assert!(!forged(|_| ()));
    assert!(forged(|item| item.listed.reverse()));
    assert!(forged(|item| item.listed[3].quality = 101));
    assert!(forged(|item| item.listed[8].number = 9));
    assert!(forged(|item| item.coverage.film = None));
    let frames = vec![item.listed[0]; MAX_LISTED_IN_PIECE + 1];
    assert!(Pieces::default().take(0, Piece::Listed(frames.clone())).is_err());
    let full = (0..200).find_map(|_| pieces.take(0, Piece::Listed(frames[1..].to_vec())).err());
    assert!(full.is_some(), "without end");
}

#[test]
fn a_reader_can_make_no_item_that_is_refused() {
    assert_eq!(check_item(&sound(), &request()), Ok(()));
    let bare = Item { fingerprints: Vec::new(), preview: None, problems: Vec::new(), ..sound() };
    let bare = Item { coverage: Coverage::default(), format: None, member: Vec::new(), ..bare };
    assert_eq!(check_item(&bare, &Request::reference()), Ok(()));
}

#[test]
fn each_impossible_value_is_refused() {
    type Forge = fn(&mut Item);
    fn image(item: &mut Item) -> &mut ImageFingerprint {
        let Fingerprint::Image(image) = &mut item.fingerprints[0] else { panic!("a picture") };
        image
    }
    fn audio(item: &mut Item) -> &mut AudioFingerprint {
        let Fingerprint::Audio(audio) = &mut item.fingerprints[1] else { panic!("a recording") };
        audio
    }
    fn film(item: &mut Item) -> &mut FilmFingerprint {
        let Fingerprint::Film(film) = &mut item.fingerprints[2] else { panic!("a film") };
        film
    }
    let forgeries: &[(&str, Forge)] = &[
        ("too deep", |item| item.member.push(String::new())),
        ("a long name", |item| item.member[0] = "x".repeat(MAX_TEXT_BYTES + 1)),
        ("many problems", |item| item.problems.push(Problem::TimedOut { after_ms: 1 })),
        ("a long problem", |item| item.problems[0] = Problem::Damaged { detail: "x".repeat(MAX_TEXT_BYTES + 1) }),
        ("a long hint", |item| {
            item.problems[0] = Problem::Unsupported { format: String::new(), hint: "x".repeat(MAX_TEXT_BYTES + 1) };
        }),
        ("a frame that was not kept", |item| item.coverage.frames_kept = 2),
        ("more kept than read", |item| item.coverage.frames_read = 0),
        ("more frames than allowed", |item| item.coverage.frames_read = 3),
        ("more rows than declared", |item| item.coverage.partial_rows = Some((8, 7))),
        ("more sound than allowed", |item| item.coverage.sound.as_mut().unwrap().decoded_ms = 1_001),
        ("a long decoder", |item| item.coverage.sound.as_mut().unwrap().decoder = "x".repeat(MAX_TEXT_BYTES + 1)),
        ("no width", |item| image(item).width = 0),
        ("no height", |item| image(item).height = 0),
        ("a side beyond the limit", |item| image(item).width = (1 << 18) + 1),
        ("an area beyond the limit", |item| (image(item).width, image(item).height) = (16_001, 16_000)),
        ("many views", |item| image(item).views = vec![image(item).views[0]; MAX_VIEWS + 1]),
        ("a quality", |item| image(item).views[MAX_VIEWS - 1].quality = 101),
        ("left of right", |item| image(item).views[0].region.left = 10_001),
        ("right", |item| image(item).views[0].region.right = 10_001),
        ("top of bottom", |item| image(item).views[0].region.top = 10_000),
        ("bottom", |item| image(item).views[0].region.bottom = 10_001),
        ("a film of too many pixels", |item| film(item).width = 36_000_001),
        ("a film without end", |item| film(item).duration_ms = 2_001),
        ("many views of a film", |item| film(item).views = vec![film(item).views[0]; MAX_VIEWS + 1]),
        ("a part beyond the frame", |item| film(item).views[1].crop[2] = 1_001),
        ("an empty part", |item| film(item).views[1].crop[3] = 0),
        ("a turn", |item| film(item).views[1].degrees = 91),
        ("frames in disorder", |item| film(item).frames.reverse()),
        ("a frame after the end", |item| film(item).frames[4].time_ms = 1_001),
        ("thumbnails in disorder", |item| film(item).thumbnails.reverse()),
        ("many thumbnails", |item| {
            let film = film(item);
            film.thumbnails = vec![film.thumbnails[0].clone(); 5 * Thumbnail::MOST + 1];
        }),
        ("a thumbnail of no frame", |item| film(item).thumbnails[1].frame = 5),
        ("a thumbnail that is too small", |item| film(item).thumbnails[0].levels.truncate(4_095)),
        ("a quality of a frame", |item| film(item).frames[2].quality = 101),
        ("a code too few", |item| film(item).codes.truncate(5 * MAX_VIEWS - 1)),
        ("too many frames", |item| {
            film(item).duration_ms = 24;
            film(item).frames.iter_mut().zip(0..).for_each(|(frame, time)| frame.time_ms = time);
        }),
        ("more film than allowed", |item| item.coverage.film.as_mut().unwrap().decoded_ms = 1_001),
        ("more frames of a film than allowed", |item| {
            item.coverage.film.as_mut().unwrap().frames_read = 6_000_001;
        }),
        ("many streams", |item| {
            let audio = item.fingerprints[1].clone();
            item.fingerprints.extend(vec![audio; MAX_STREAMS]);
        }),
        ("more content than sound", |item| audio(item).content_ms = 4_001),
        ("peaks in disorder", |item| audio(item).mid.reverse()),
        ("peaks of the side in disorder", |item| audio(item).side.reverse()),
        ("a pitch", |item| audio(item).side[2].pitch = Peak::PITCHES),
        ("a peak after the end", |item| audio(item).mid[599].time = 2_757),
        ("too many peaks", |item| audio(item).mid = vec![audio(item).mid[0]; 2_001]),
        ("too many items", |item| audio(item).chromaprint = vec![0; 33]),
        ("a wide preview", |item| item.preview.as_mut().unwrap().width = 65),
        ("a flat preview", |item| item.preview.as_mut().unwrap().height = 0),
        ("a preview that is no JPEG", |item| item.preview.as_mut().unwrap().jpeg = b"<svg onload=x>".to_vec()),
        ("a long preview", |item| item.preview.as_mut().unwrap().jpeg.resize(MAX_PREVIEW_BYTES + 1, 0)),
    ];
    for (what, forge) in forgeries {
        let mut item = sound();
        forge(&mut item);
        assert!(check_item(&item, &request()).is_err(), "{what}");
    }
    assert!(check_item(&sound(), &Request { preview_px: None, ..request() }).is_err(), "a preview nobody wanted");
    let reference = Request { views: Views::Reference, ..request() };
    assert!(check_item(&sound(), &reference).is_err(), "a film that is no reference");
}

proptest! {
    #[test]
    fn any_bytes_are_answers_or_an_error(mut bytes: Vec<u8>, framed: bool) {
        if framed {
            let header = [&(bytes.len() as u32).to_le_bytes()[..], &[PROTOCOL]].concat();
            bytes.splice(..0, header);
        }
        while let Ok(Some(answer)) = take::<Answer>(&mut bytes) {
            if let Answer::Item(item) = answer {
                let _ = check_item(&item, &Request::query());
            }
        }
    }

    #[test]
    fn a_flipped_byte_never_makes_more_than_one_message(place: prop::sample::Index, flip in 1..=255_u8) {
        let mut bytes = encode(&Answer::Item(sound())).unwrap();
        let place = place.index(bytes.len());
        bytes[place] ^= flip;
        if let Ok(Some(answer)) = take::<Answer>(&mut bytes) {
            prop_assert!(bytes.is_empty());
            prop_assert!(answer != Answer::Item(sound()));
        }
    }
}
