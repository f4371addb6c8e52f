//! AV1 that declares what it does not hold, and units that are none.

use super::hostile::Bits;
use super::*;
use crate::decode::video::codec::Failed;
use crate::decode::video::{av1, demux, sequence};

/// A sequence header behind its own, with a size (5.3.2).
fn unit(header: Bits) -> Vec<u8> {
    let header = header.fixed(1, 1).bytes();
    [&[0x0a, header.len() as u8][..], &header].concat()
}

/// A still picture of 8 bits, and of profile 0, as the specification's 5.5.1 has it.
fn still(width: u32, height: u32) -> Vec<u8> {
    let header = Bits::default().fixed(3, 0).fixed(2, 3).fixed(5, 8).fixed(8, 0xff);
    unit(header.fixed(16, width - 1).fixed(16, height - 1).fixed(14, 0))
}

#[test]
fn the_largest_pictures_cost_nothing() {
    let check = |width: u32, height: u32, expected: Option<LimitKind>| {
        let config = [&[0x81, 0, 0, 0][..], &still(width, height)].concat();
        let limits = Limits { side_px: 20_000, ..Limits::default() };
        let found = match (av1::CODEC.begin)(&config, Selection::All, &limits) {
            Ok(_) => None,
            Err(Failed::Fatal(Problem::Limit { limit, .. })) => Some(limit),
            Err(failed) => panic!("{width} x {height}: {failed:?}"),
        };
        assert_eq!(found, expected, "{width} x {height}");
    };
    check(1_920, 1_080, None);
    check(4_096, 2_304, None);
    check(8_192, 4_352, Some(LimitKind::DecoderBytes));
    check(16_384, 16_384, Some(LimitKind::FilmPixels));
    check(65_536, 16, Some(LimitKind::Side));
}

#[test]
fn sequences_are_found_whatever_stands_before_their_size() {
    let plain = sequence::Sequence { profile: 0, size_px: (318, 180) };
    assert_eq!(sequence::sequences(&still(318, 180)), [plain]);
    // A clock with ticks a picture, a model of buffers, two operating points of a high level, each with its delays.
    let clock = Bits::default().fixed(3, 2).fixed(2, 0).fixed(1, 1).fixed(32, 1).fixed(32, 30);
    let clock = clock.fixed(1, 1).fixed(5, 0b00101).fixed(1, 1).fixed(5, 9).fixed(32, 1).fixed(10, 0);
    let points = (0..2).fold(clock.fixed(1, 1).fixed(5, 1), |bits, _| {
        bits.fixed(12, 0x101)
            .fixed(5, 9)
            .fixed(1, 1)
            .fixed(1, 1)
            .fixed(10, 5)
            .fixed(10, 6)
            .fixed(1, 0)
            .fixed(1, 1)
            .fixed(4, 3)
    });
    let whole = unit(points.fixed(4, 8).fixed(4, 7).fixed(9, 317).fixed(8, 179));
    let found = sequence::Sequence { profile: 2, ..plain };
    // A temporal delimiter, a unit with an extension, one without a length.
    let mixed = [&[0x12, 0, 0x36, 0, 1, 9][..], &whole, &[0x32, 2, 0, 0, 0x08], &whole[2..]].concat();
    assert_eq!(sequence::sequences(&mixed), [found, found]);
    for end in 0..whole.len() - 1 {
        assert_eq!(sequence::sequences(&whole[..end]), [], "cut at {end}");
    }
    assert_eq!(sequence::sequences(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), []);
}

#[test]
fn a_unit_that_shows_a_picture_again_and_again_is_damaged() {
    let source = source("av1.mp4");
    let opened = demux::open(&source, Format::Mp4, 0).unwrap().unwrap();
    let sample = opened.samples(&source).next().unwrap().unwrap();
    let unit = demux::read(&source, sample.offset, sample.size as usize).unwrap();
    let mut decoder = (av1::CODEC.begin)(&opened.configs[0], Selection::All, &Limits::default()).unwrap();
    let (pictures, ended) = decoder.decode(&unit);
    assert!(pictures.len() == 1 && ended.is_ok(), "{ended:?}");
    // A frame header that shows what is held in the first of eight places, a hundred thousand times.
    let many = [&unit[..], &[0x1a, 1, 0x88].repeat(100_000)].concat();
    let (pictures, ended) = decoder.decode(&many);
    assert!(matches!(&ended, Err(Failed::Sample(told)) if told.contains("more than one")), "{ended:?}");
    assert!(pictures.is_empty());
    // The next one that stands alone is decoded as ever.
    let (pictures, ended) = decoder.decode(&unit);
    assert!(pictures.len() == 1 && ended.is_ok(), "{ended:?}");
}

#[test]
fn sparse_films_leave_out_what_nothing_refers_to() {
    let wanted = Wanted { selection: Selection::Sparse, ..Wanted::default() };
    let (done, frames) = decoded("av1.mp4", &wanted, None);
    let whole = truth("av1.mp4");
    assert_eq!(done.unwrap().problems, []);
    assert!((whole.len() / 4..whole.len()).contains(&frames.len()), "{} of {}", frames.len(), whole.len());
    assert!(frames.iter().all(|frame| whole.contains(frame)));
}
