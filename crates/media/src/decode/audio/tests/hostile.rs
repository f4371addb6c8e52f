//! Files that declare what they do not hold, and files that name others.

use super::*;

fn read(bytes: Vec<u8>) -> Result<Decoded, Problem> {
    let source = Source::from_bytes(bytes);
    let format = crate::probe(&source)?;
    decode(&source, format, &Limits::default(), &mut |_| ControlFlow::Continue(()))
}

fn wav(channels: u16, rate_hz: u32, bits: u16, declared_bytes: u32, data: &[u8]) -> Vec<u8> {
    let align = (u32::from(channels) * u32::from(bits) / 8).min(65_535) as u16;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend(declared_bytes.saturating_add(36).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate_hz.to_le_bytes());
    bytes.extend(rate_hz.saturating_mul(align.into()).to_le_bytes());
    bytes.extend(align.to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(declared_bytes.to_le_bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn headers_are_not_believed() {
    let second = vec![0; 16_000];
    let whole = read(wav(1, 8_000, 16, 16_000, &second)).unwrap();
    assert_eq!((whole.decoded_ms, whole.problems.len()), (1_000, 0));
    // A hundred hours, of which a second is there.
    let claims = read(wav(1, 8_000, 16, 0xf000_0000, &second)).unwrap();
    assert_eq!(claims.decoded_ms, 1_000);
    assert!(matches!(claims.problems[..], [Problem::Damaged { .. }]), "{claims:?}");
    for (channels, rate_hz, bits) in
        [(0, 8_000, 16), (255, 8_000, 16), (1, 0, 16), (1, u32::MAX, 16), (1, 8_000, 0), (1, 8_000, 255)]
    {
        let done = read(wav(channels, rate_hz, bits, 16_000, &second));
        assert!(done.is_err(), "{channels} channels, {rate_hz} Hz, {bits} bits: {done:?}");
    }
    // A thousand frames a second are few, and possible.
    assert_eq!(read(wav(1, 1_000, 16, 16_000, &second)).unwrap().decoded_ms, 8_000);
}

#[test]
fn rates_below_what_is_heard_are_refused_before_decoding() {
    for rate_hz in [1, 2, 999] {
        match read(wav(1, rate_hz, 8, 200_000, &vec![128; 200_000])) {
            Err(Problem::Unsupported { format, .. }) => {
                assert_eq!(format, format!("sound of {rate_hz} samples a second"));
            }
            done => panic!("{rate_hz} Hz: {done:?}"),
        }
    }
}

#[test]
fn a_day_is_enough() {
    let limits = Limits { audio_seconds: 86, ..Limits::default() };
    let day = Source::from_bytes(wav(1, 1_000, 8, 200_000, &vec![128; 200_000]));
    let day = decode(&day, Format::Wav, &limits, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(day.decoded_ms, 86_000);
    assert!(matches!(day.problems[..], [Problem::Limit { limit: LimitKind::AudioSeconds, .. }]), "{day:?}");
}

#[test]
fn locked_tracks_are_protected() {
    let mp4 = fs::read(folder().join("aac.m4a")).unwrap();
    let at = mp4.windows(4).rposition(|kind| kind == b"mp4a").unwrap();
    for (kind, by) in [(b"drms", "FairPlay"), (b"enca", "common encryption")] {
        let mut locked = mp4.clone();
        locked[at..at + 4].copy_from_slice(kind);
        assert_eq!(read(locked), Err(Problem::Protected { by: by.to_owned() }));
    }
}

/// An object more in the header, behind what stands before its own.
fn with_object(mut bytes: Vec<u8>, kind: [u8; 16]) -> Vec<u8> {
    let size = u64::from_le_bytes(bytes[16..24].try_into().unwrap());
    bytes[16..24].copy_from_slice(&(size + 28).to_le_bytes());
    bytes[24] += 1;
    bytes.splice(30..30, [&kind[..], &28_u64.to_le_bytes(), &[0; 4]].concat());
    bytes
}

const CONTENT_ENCRYPTION: [u8; 16] =
    [0xfb, 0xb3, 0x11, 0x22, 0x23, 0xbd, 0xd2, 0x11, 0xb4, 0xb7, 0x00, 0xa0, 0xc9, 0x55, 0xfc, 0x6e];

#[test]
fn locked_windows_media_is_protected() {
    let wma = fs::read(folder().join("wma.wma")).unwrap();
    let of = |bytes: Vec<u8>| declared(&Source::from_bytes(bytes), Format::Asf).locked_by;
    let by = "Windows Media DRM".to_owned();
    let locked = with_object(wma.clone(), CONTENT_ENCRYPTION);
    assert_eq!(read(locked.clone()), Err(Problem::Protected { by: by.clone() }));
    assert_eq!(of(locked.clone()), Some(by.clone()));
    // A signature of the header locks nothing.
    let mut signature = CONTENT_ENCRYPTION;
    signature[0] = 0xfc;
    assert_eq!((of(wma.clone()), of(with_object(wma.clone(), signature))), (None, None));
    // One stream that says so of itself.
    let stream = [0x91, 0x07, 0xdc, 0xb7, 0xb7, 0xa9, 0xcf, 0x11];
    let at = wma.windows(8).position(|kind| kind == stream).unwrap();
    let mut marked = wma.clone();
    marked[at + 73] |= 0x80;
    assert_eq!(of(marked), Some(by.clone()));
    if let Some(ffmpeg) = installed() {
        let source = Source::from_bytes(locked.clone());
        let asked = ffmpeg.decode(&source, Format::Asf, &Limits::default(), &mut |_| panic!("sound"));
        assert_eq!(asked, Err(Problem::Protected { by }));
    }
    (0..locked.len().min(600)).for_each(|end| drop(of(locked[..end].to_vec())));
    for (place, value) in (0..600).flat_map(|place| [0, 0x7f, 0xff].map(|value| (place, value))) {
        let mut bytes = locked.clone();
        bytes[place] = value;
        let _ = of(bytes);
    }
}

/// What a playlist names must not be read, whatever the file is called and whatever demuxer the probe would choose.
#[test]
fn no_playlist_is_followed() {
    let Some(ffmpeg) = installed() else {
        println!("playlists: not run (ffmpeg is not installed)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let named = folder.path().join("named.wav");
    fs::write(&named, wav(1, 8_000, 16, 16_000, &[1; 16_000])).unwrap();
    let name = named.to_str().unwrap();
    let playlists = [
        format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{name}\n#EXT-X-ENDLIST\n"),
        format!("ffconcat version 1.0\nfile '{name}'\n"),
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n".to_owned(),
    ];
    for text in playlists {
        let list = folder.path().join("list.ts");
        fs::write(&list, &text).unwrap();
        let source = Source::from_file(fs::File::open(&list).unwrap()).unwrap();
        assert!(matches!(crate::probe(&source), Err(Problem::NotMedia { .. })), "{text}");
        for row in crate::FORMATS.iter().filter(|row| row.demuxer.is_some()) {
            let mut heard = 0;
            let done = ffmpeg.decode(&source, row.format, &Limits::default(), &mut |block| {
                heard += block.frames();
                ControlFlow::Continue(())
            });
            // A demuxer of raw sound may take the text itself for some; of the named file there would be a second.
            assert!(heard < 2_000, "{}: {done:?} of {text}", row.name);
        }
    }
}
