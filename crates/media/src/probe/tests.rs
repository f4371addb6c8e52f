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
        let mut bytes = vec![0; 64];
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
    (0..4).for_each(|n| ts[188 * n] = 0x47);
    check(&ts, Ok(Format::MpegTs));
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
