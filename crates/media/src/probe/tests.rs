//! The probe over signatures, headers and anything else.

use super::*;

fn check(bytes: &[u8], expected: Result<Format, &str>) {
    let found = probe(&Source::from_bytes(bytes.to_vec()));
    match (expected, found) {
        (Ok(format), Ok(found)) => assert_eq!(found, format, "{bytes:x?}"),
        (Err(word), Err(Problem::NotMedia { found })) => assert!(found.contains(word), "{found} instead of {word}"),
        (expected, found) => panic!("{expected:?} expected, {found:?} found for {bytes:x?}"),
    }
}

#[test]
fn every_format_has_one_row() {
    for row in FORMATS {
        assert_eq!(row.format.row().name, row.name);
        assert_eq!(FORMATS.iter().filter(|other| other.format == row.format).count(), 1, "{}", row.name);
        assert!(!row.extensions.is_empty() && row.media_type.contains('/'));
    }
}

#[test]
fn signatures_name_their_formats() {
    for (sign, format) in SIGNS {
        let mut bytes = vec![0; 160];
        match sign {
            Sign::At(offset, sign) => bytes[*offset..offset + sign.len()].copy_from_slice(sign),
            Sign::Both(first, offset, second) => {
                bytes[..first.len()].copy_from_slice(first);
                bytes[*offset..offset + second.len()].copy_from_slice(second);
            }
        }
        check(&bytes, Ok(*format));
    }
}

#[test]
fn brands_tell_iso_media_apart() {
    check(b"\0\0\0\x18ftypavif\0\0\0\0mif1miaf", Ok(Format::Avif));
    check(b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", Ok(Format::Avif));
    check(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", Ok(Format::Heic));
    check(b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42", Ok(Format::M4a));
    check(b"\0\0\0\x18ftypisom\0\0\x02\0isomavc1", Ok(Format::Mp4));
    check(b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", Ok(Format::Mp4));
    check(b"\0\0\0\x08wide\0\0\0\0mdat", Ok(Format::Mp4));
    check(b"\0\x10\0\0free\0\0\0\0", Ok(Format::Mp4));
    check(b"\0\0\0\x01mdat\0\0\0\x01\0\0\0\0", Ok(Format::Mp4));
    check(b"mod.freecol.name=FreeCol\n", Err("text"));
    check(b"You skip this.\n", Err("text"));
    check(b"\0\0\0\x00ftyp", Ok(Format::Mp4));
}

#[test]
fn ogg_with_pictures_is_a_film() {
    let page = |kind: u8, packet: &[u8]| {
        let mut page = [b"OggS\0".as_slice(), &[kind], &[0; 20], &[1, packet.len() as u8]].concat();
        page.extend(packet);
        page
    };
    let (skeleton, sound, picture) =
        (page(2, b"fishead\0\x03\0"), page(2, b"\x01vorbis\0"), page(2, b"\x80theora\x03\x02"));
    check(&picture, Ok(Format::OggFilm));
    check(&[skeleton.clone(), sound.clone(), picture.clone()].concat(), Ok(Format::OggFilm));
    check(&[skeleton, sound.clone(), page(0, b"\x80theora\x03\x02")].concat(), Ok(Format::Ogg));
    // Cut anywhere before the sign it is what it was, and nothing is read behind the end.
    let whole = [sound.clone(), picture].concat();
    for length in 4..whole.len() {
        let expected = if length < sound.len() + 28 + 7 { Format::Ogg } else { Format::OggFilm };
        check(&whole[..length], Ok(expected));
    }
}

#[test]
fn headers_without_signature_must_agree_with_themselves() {
    check(b"P6\n2 2\n255\n", Ok(Format::Pnm));
    check(b"P6x", Err("text"));
    let mut bmp = b"BM".to_vec();
    bmp.resize(14, 0);
    bmp.extend(40u32.to_le_bytes());
    check(&bmp, Ok(Format::Bmp));
    check(b"BM is how this sentence starts", Err("text"));
    let mut ico = vec![0, 0, 1, 0, 1, 0, 16, 16, 0, 0, 1, 0, 32, 0];
    ico.extend(40u32.to_le_bytes());
    ico.extend(22u32.to_le_bytes());
    check(&ico, Ok(Format::Ico));
    let mut ts = vec![0; 188 * 4];
    (0..4).for_each(|n| ts[188 * n..][..4].copy_from_slice(&[0x47, 1, 0, 0x10 | n as u8]));
    check(&ts, Ok(Format::MpegTs));
    check(&[b'G'; 4_000], Err("text"));
    // MPEG-1 layer III, 128 kbit/s at 44.1 kHz: 417 bytes a frame.
    let mut mp3 = vec![0; 900];
    mp3[..4].copy_from_slice(&[0xff, 0xfb, 0x90, 0x00]);
    check(&mp3, Err("unknown"));
    mp3[417..421].copy_from_slice(&[0xff, 0xfb, 0x90, 0x00]);
    check(&mp3, Ok(Format::Mp3));
    let mut gsm: Vec<u8> =
        (0..12 * 33).map(|place| if place % 33 == 0 { 0xd0 | place as u8 & 15 } else { 1 }).collect();
    check(&gsm, Ok(Format::Gsm));
    check(&gsm[..12 * 33 - 1], Err("unknown"));
    gsm.extend([0xd1, 1, 2]);
    check(&gsm, Ok(Format::Gsm));
    gsm[6 * 33] = 0xc1;
    check(&gsm, Err("unknown"));
    check(&[0xd5; 4_000], Err("text"));
    check(&[0xd5, 1, 2].repeat(1_000), Err("unknown"));
    let mut tga = vec![0; 18 + 12];
    (tga[2], tga[12], tga[14], tga[16]) = (2, 2, 2, 24);
    check(&tga, Ok(Format::Tga));
    tga.truncate(20);
    check(&tga, Err("unknown"));
}

/// What x264 and x265 write before the first slice, and how that begins.
const H264: &[&[u8]] = &[
    b"\x09\x10",
    b"\x67\x64\x00\x0d\xac\xd9\x41\x41\xfb\x01\x10\x00\x00\x03\x00\x10\x00\x00\x03\x03\x20\xf1\x42\x99\x60",
    b"\x68\xeb\xe3\xcb\x22\xc0",
    b"\x65\x88\x84\x03\xff\xd1\xb7\x6d",
];
const HEVC: &[&[u8]] = &[
    b"\x40\x01\x0c\x01\xff\xff\x01\x60\x00\x00\x03\x00\x90\x00\x00\x03\x00\x00\x03\x00\x3c\x95\x98\x09",
    b"\x42\x01\x01\x01\x60\x00\x00\x03\x00\x90\x00\x00\x03\x00\x00\x03\x00\x3c\xa0\x0a\x08\x0f\x16\x59\x59\xa4\x93\x2b\xc0\x5a\x02",
    b"\x44\x01\xc1\x72\xb4\x62\x40",
    b"\x28\x01\xaf\x1d\x20\xbd\x90\xbd",
];

#[test]
fn streams_of_units_describe_their_pictures_first() {
    for (units, format) in [(H264, Format::H264), (HEVC, Format::Hevc)] {
        let stream = |order: &[usize]| {
            let mut stream = vec![0];
            order.iter().for_each(|&unit| stream.extend([&[0, 0, 1], units[unit]].concat()));
            stream
        };
        let whole = stream(&[0, 1, 2, 3]);
        check(&whole, Ok(format));
        check(&whole[1..], Ok(format));
        check(&[&[0; 20], &whole[..]].concat(), Ok(format));
        // What is missing, in another order, or said behind a slice.
        for order in [&[0, 2, 3][..], &[0, 1, 3], &[2, 1, 3], &[3, 0, 1, 2], &[1, 0, 3]] {
            check(&stream(order), Err("unknown"));
        }
        // Whatever is changed in the first bytes of a description.
        let mut refused = 0;
        for place in 4..whole.len() {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[place] ^= 1 << bit;
                refused += usize::from(probe(&Source::from_bytes(bytes)).is_err());
            }
        }
        assert!(refused > whole.len(), "{format:?}: {refused}");
        (0..whole.len()).for_each(|end| drop(probe(&Source::from_bytes(whole[..end].to_vec()))));
    }
}

#[test]
fn formats_that_nothing_here_reads_are_media_all_the_same() {
    let with = |length: usize, parts: &[(usize, &[u8])]| {
        let mut bytes = vec![0; length];
        parts.iter().for_each(|&(at, part)| bytes[at..at + part.len()].copy_from_slice(part));
        bytes
    };
    check(b"/* XPM */\nstatic char *x[] = {", Ok(Format::Xpm));
    check(b"FORM\0\0\x01\0ILBMBMHD", Ok(Format::Ilbm));
    check(b"AT&TFORM\0\0\x01\0DJVUINFO", Ok(Format::DjVu));
    check(&with(200, &[(128, b"DICM")]), Ok(Format::Dicom));
    check(&with(88, &[(0, &[1]), (40, b" EMF")]), Ok(Format::Emf));
    check(b"Creative Voice File\x1a\x1a\0\x0a\x01\x29\x11", Ok(Format::Voc));
    check(b"Creative Voice Files are old\n", Err("text"));
    check(b"CWS\x0a\0\x10\0\0x\x9c", Ok(Format::ShockwaveFlash));
    check(b"CWS\x0a\0\0\0\0x\x9c", Err("unknown"));
    check(b"FWS is no film\n", Err("text"));
    check(&with(512, &[(0, &[0x01, 0xda, 1, 1, 0, 3])]), Ok(Format::Sgi));
    check(&with(512, &[(0, &[0x01, 0xda, 1, 1, 0, 4])]), Err("unknown"));
    // 320 x 200 of 8 bits.
    let pcx = with(200, &[(0, &[10, 5, 1, 8, 0, 0, 0, 0, 0x3f, 1, 0xc7, 0]), (65, &[1, 0x40, 1])]);
    check(&pcx, Ok(Format::Pcx));
    for (at, other) in [(2, 0), (3, 3), (5, 2), (65, 0), (67, 0)] {
        let mut bytes = pcx.clone();
        bytes[at] = other;
        assert_ne!(probe(&Source::from_bytes(bytes)).ok(), Some(Format::Pcx), "byte {at}");
    }
    check(&pcx[..100], Err("unknown"));
}

#[test]
fn modules_of_trackers_are_told_by_their_samples_too() {
    check(b"Extended Module: ", Ok(Format::TrackerModule));
    let impulse =
        [&b"IMPM"[..], b"a name of twenty-six lettr", &[4, 16, 19, 0, 15, 0, 15, 0, 6, 0, 0x17, 2, 0, 2, 0, 0]]
            .concat();
    check(&impulse, Ok(Format::TrackerModule));
    check(&impulse[..43], Err("unknown"));
    check(b"IMPM is short for nothing that I know of", Err("text"));
    let mut scream = vec![0; 96];
    scream[28..30].copy_from_slice(&[0x1a, 0x10]);
    scream[44..48].copy_from_slice(b"SCRM");
    check(&scream, Ok(Format::TrackerModule));
    let mut module = vec![0; 2_108];
    (0..31).for_each(|sample| module[20 + 30 * sample + 24..][..2].copy_from_slice(&[15, 64]));
    for mark in [b"M.K.", b"6CHN", b"12CH", b"FLT4"] {
        module[1_080..1_084].copy_from_slice(mark);
        check(&module, Ok(Format::TrackerModule));
    }
    module[20 + 24] = 16;
    check(&module, Err("unknown"));
    check(&[b"word ".repeat(216), b"M.K. and so on".to_vec()].concat(), Err("text"));
}

#[test]
fn names_that_are_words_need_more() {
    check(b"MAC addresses of the printers\n", Err("text"));
    check(b"MAC \x96\x0f\0\0", Ok(Format::Ape));
    check(b"wvpk is how WavPack begins\n", Err("text"));
    check(b"MP+7 players\n", Err("text"));
    check(b"TTA1 hour\n", Err("text"));
    check(b"DSD and PCM\n", Err("text"));
    check(b"nut/multimedia containers\n", Err("text"));
    // A list of signatures is no partition; one behind something else is, as far as is looked.
    let partition = |length: &[u8], fields: &[u8]| {
        [container::MXF_PARTITION, &[4, 0], length, &[0, 1, 0, 3], &[0; 4], fields, &[0; 80]].concat()
    };
    let (first, later) =
        (partition(&[0x83, 0, 0, 0x68], &[0; 8]), partition(&[0x83, 0, 0, 0x68], &[0, 0, 0, 0, 0, 1, 0, 0]));
    check(&first, Ok(Format::Mxf));
    for gap in [1, 11, 4_000, 65_535] {
        check(&[&vec![7; gap][..], &first].concat(), Ok(Format::Mxf));
        check(&[&vec![7; gap][..], &later].concat(), Err("unknown"));
        check(&[&vec![7; gap][..], &first[..20]].concat(), Err("unknown"));
    }
    check(&[&[7; 65_536][..], &first].concat(), Err("unknown"));
    check(&[&[7; 9][..], &partition(&[0x68], &[0; 8])].concat(), Ok(Format::Mxf));
}

#[test]
fn what_is_no_media_is_named() {
    check(b"", Err("empty"));
    check(b"hello, world\n", Err("text"));
    check(b"caf\xe9 au lait", Err("text"));
    check(b"<!DOCTYPE html><p>", Err("HTML"));
    check(b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", Ok(Format::Svg));
    check(b"<?xml version='1.0'?><a/>", Err("XML"));
    check(b"#EXTM3U\nfile:///etc/passwd\n", Err("playlist"));
    check(b"%PDF-1.7", Err("PDF"));
    check(b"PK\x03\x04", Err("ZIP"));
    check(b"\x7fELF", Err("ELF"));
    check(&[0; 100], Err("zeros"));
    check(&[0x80, 0x01, 0x02, 0xfe], Err("unknown"));
}

proptest::proptest! {
    /// Any bytes get an answer.
    #[test]
    fn never_panics(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..600), sign in 0..SIGNS.len()) {
        let mut bytes = bytes;
        if let Sign::At(0, first) = &SIGNS[sign].0 {
            bytes.splice(0..0, first.iter().copied());
        }
        let _ = probe(&Source::from_bytes(bytes));
    }
}
