//! Files cut short and with flipped bytes: an answer, whatever they are.

use super::*;

/// Of each container and codec that is decoded here.
const SAMPLES: [&str; 17] = [
    "aac-fragments.mp4",
    "aac.aac",
    "aac.m4a",
    "adpcm-ima.wav",
    "adpcm-ms.wav",
    "alac.m4a",
    "film.ogv",
    "flac.flac",
    "flac.ogg",
    "mp2.mp2",
    "mp3.mp3",
    "opus-surround.opus",
    "opus.webm",
    "pcm.aiff",
    "pcm.caf",
    "vorbis.ogg",
    "vorbis.webm",
];

fn answer(bytes: Vec<u8>) -> Result<Decoded, Problem> {
    let source = Source::from_bytes(bytes);
    let format = crate::probe(&source)?;
    let (mut frames, mut rate_hz) = (0_u64, 1);
    let limits = Limits { audio_seconds: 60, ..Limits::default() };
    let done = decode(&source, format, &limits, &mut |block| {
        (frames, rate_hz) = (frames + block.frames() as u64, block.rate_hz);
        ControlFlow::Continue(())
    });
    assert!(frames / u64::from(rate_hz) <= 60);
    assert_eq!(done.is_err(), frames == 0, "{done:?} after {frames} frames");
    done
}

#[test]
fn a_cut_anywhere_keeps_what_stands_before_it() {
    for name in SAMPLES {
        let mut whole = fs::read(folder().join(name)).unwrap();
        // Where the directory is at the end nothing is left without it.
        if name.ends_with("m4a") {
            whole = directory_first(&whole);
        }
        let all = answer(whole.clone()).unwrap().decoded_ms;
        let mut longest = 0;
        // Every byte of the headers, then in steps.
        for end in (0..300).chain((300..whole.len()).step_by(whole.len() / 60)) {
            match answer(whole[..end].to_vec()) {
                Ok(done) => {
                    assert!(done.decoded_ms <= all, "{name} cut at {end}: {done:?}");
                    longest = longest.max(done.decoded_ms);
                    if done.declared_ms.is_some_and(|declared| declared > done.decoded_ms + 520) {
                        assert!(!done.problems.is_empty() || name.ends_with("webm"), "{name} cut at {end}: {done:?}");
                    }
                }
                Err(Problem::Damaged { .. } | Problem::NotMedia { .. } | Problem::Unsupported { .. }) => {}
                Err(problem) => panic!("{name} cut at {end}: {problem:?}"),
            }
        }
        assert!(longest > all / 2, "{name}: {longest} of {all} ms");
    }
}

/// The outermost boxes of an MP4 file with the directory in front, and the places of chunks moved by as much.
fn directory_first(file: &[u8]) -> Vec<u8> {
    let (mut at, mut boxes) = (0, Vec::new());
    while at < file.len() {
        let size = u32::from_be_bytes(file[at..at + 4].try_into().unwrap()) as usize;
        boxes.push(file[at..at + size].to_vec());
        at += size;
    }
    let (mut moov, others): (Vec<_>, Vec<_>) = boxes.into_iter().partition(|found| &found[4..8] == b"moov");
    let mut moov = moov.pop().unwrap();
    let by = moov.len() as u32;
    let chunks = moov.windows(4).position(|kind| kind == b"stco").unwrap() + 8;
    let count = u32::from_be_bytes(moov[chunks..chunks + 4].try_into().unwrap()) as usize;
    for place in moov[chunks + 4..chunks + 4 + 4 * count].chunks_exact_mut(4) {
        let moved = u32::from_be_bytes(place.try_into().unwrap()) + by;
        place.copy_from_slice(&moved.to_be_bytes());
    }
    assert_eq!(&others[0][4..8], b"ftyp");
    [&others[0][..], &moov, &others[1..].concat()].concat()
}

#[test]
fn a_cut_behind_the_directory_says_how_much_is_missing() {
    for name in ["aac.m4a", "alac.m4a", "pcm.caf"] {
        let mut whole = fs::read(folder().join(name)).unwrap();
        if name.ends_with("m4a") {
            whole = directory_first(&whole);
        }
        let all = answer(whole.clone()).unwrap();
        assert_eq!((all.decoded_ms, all.problems), (1_200, Vec::new()), "{name}");
        let cut = answer(whole[..whole.len() * 7 / 10].to_vec()).unwrap();
        assert!((600..1_000).contains(&cut.decoded_ms), "{name}: {cut:?}");
        let [Problem::Damaged { detail }] = &cut.problems[..] else { panic!("{name}: {cut:?}") };
        assert!(detail.starts_with("the file ends too early: "), "{name}: {detail}");
    }
}

#[test]
fn what_was_streamed_is_whole_without_a_length() {
    let check = |name: &str, bytes: Vec<u8>| {
        let whole = answer(bytes.clone()).unwrap();
        assert_eq!(whole.problems, [], "{name}");
        assert!((1_140..1_300).contains(&whole.decoded_ms), "{name}: {whole:?}");
        bytes
    };
    let wav = fs::read(folder().join("pcm.wav")).unwrap();
    let data = wav.windows(4).position(|kind| kind == b"data").unwrap() + 4;
    // ffmpeg, recorders that lost their power, SoX.
    for length in [u32::MAX, 0, 0x7fff_f000] {
        let mut wav = wav.clone();
        wav[data..data + 4].copy_from_slice(&length.to_le_bytes());
        wav[4..8].copy_from_slice(&length.saturating_add(36).to_le_bytes());
        check("wav", wav.clone());
        wav[4..8].copy_from_slice(&length.to_le_bytes());
        check("wav", wav);
    }
    // As ffmpeg writes AVI into a pipe.
    let mut avi = fs::read(folder().join("mp3.avi")).unwrap();
    let sound = avi.windows(4).position(|kind| kind == b"auds").unwrap();
    avi[sound + 32..sound + 36].copy_from_slice(&0x4000_0000_u32.to_le_bytes());
    for length in [0, u32::MAX] {
        avi[4..8].copy_from_slice(&length.to_le_bytes());
        let told = declared(&Source::from_bytes(avi.clone()), Format::Avi);
        assert_eq!((told.ms, told.missing_bytes), (None, 0));
    }
    let mut caf = fs::read(folder().join("pcm.caf")).unwrap();
    let data = caf.windows(4).position(|kind| kind == b"data").unwrap() + 4;
    caf[data..data + 8].fill(0xff);
    check("caf", caf);
    // Neither duration nor the lengths of segment and clusters, as `ffmpeg -f webm -` and browsers write.
    let webm = fs::read(folder().join("opus.webm")).unwrap();
    let open = |mut webm: Vec<u8>, id: &[u8]| {
        let place = webm.windows(4).position(|window| window == id).unwrap() + 4;
        let length = webm[place].leading_zeros() as usize + 1;
        webm[place] = 0xff >> (length - 1);
        webm[place + 1..place + length].fill(0xff);
        webm
    };
    let segment = check("webm", open(webm, &[0x18, 0x53, 0x80, 0x67]));
    // The duration becomes a void element of as many bytes.
    let mut segment = segment;
    let duration = segment.windows(3).position(|window| window == [0x44, 0x89, 0x88]).unwrap();
    segment[duration..duration + 2].copy_from_slice(&[0xec, 0x89]);
    let segment = check("webm", segment);
    let clusters = check("webm", open(segment.clone(), &[0x1f, 0x43, 0xb6, 0x75]));
    for streamed in [segment, clusters] {
        let cut = answer(streamed[..streamed.len() - 30].to_vec()).unwrap();
        assert!(matches!(cut.problems[..], [Problem::Damaged { .. }]), "{cut:?}");
    }
}

#[test]
fn fragments_without_a_duration_are_whole() {
    let mut mp4 = fs::read(folder().join("aac-fragments.mp4")).unwrap();
    for (kind, at) in [(b"mvhd", 20), (b"mdhd", 20), (b"tkhd", 24)] {
        let place = mp4.windows(4).position(|found| found == kind).unwrap() + at;
        mp4[place..place + 4].fill(0xff);
    }
    let whole = answer(mp4).unwrap();
    assert_eq!((whole.declared_ms, whole.problems), (None, Vec::new()));
}

#[test]
fn flipped_bytes_end_in_an_answer() {
    for name in SAMPLES {
        let whole = fs::read(folder().join(name)).unwrap();
        let (mut state, mut met) = (7_u32, 0);
        for round in 0..40 {
            let mut bytes = whole.clone();
            for _ in 0..1 + round % 4 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                // Half of them in the headers.
                let within = if state & 0x100 == 0 { bytes.len() } else { bytes.len().min(400) };
                let place = (state >> 10) as usize % within;
                bytes[place] ^= (state >> 24) as u8 | 1;
            }
            met += u32::from(answer(bytes).is_ok());
        }
        // In Ogg a page with a wrong checksum is dropped, and these have few.
        assert!(met > 0 || name.contains(".og"), "{name}: nothing was read of any");
    }
}

#[test]
fn a_cut_is_told_where_a_program_reads_what_is_left() {
    let ffmpeg = installed();
    if ffmpeg.is_none() {
        println!("cut files read by ffmpeg: not run (it is not installed)");
    }
    // And whether the header tells a length.
    let samples = [
        ("ac3.mkv", true),
        ("gsm.wav", false),
        ("mp3.avi", true),
        ("mp3.flv", true),
        ("pcm.au", false),
        ("pcm.aiff", false),
        ("wma.wma", true),
    ];
    for (name, tells_length) in samples {
        let whole = fs::read(folder().join(name)).unwrap();
        let told = |bytes: &[u8]| {
            let source = Source::from_bytes(bytes.to_vec());
            crate::probe(&source).map(|format| (declared(&source, format), source, format))
        };
        let (of_whole, ..) = told(&whole).unwrap();
        assert_eq!(of_whole.missing_bytes, 0, "{name}");
        assert_eq!(of_whole.ms.is_some_and(|ms| (1_140..1_300).contains(&ms)), tells_length, "{name}: {of_whole:?}");
        let cut = &whole[..whole.len() * 7 / 10];
        let (of_cut, source, format) = told(cut).unwrap();
        assert_eq!(of_cut.missing_bytes, (whole.len() - cut.len()) as u64, "{name}");
        if let Some(ffmpeg) = &ffmpeg {
            let done = ffmpeg.decode(&source, format, &Limits::default(), &mut |_| ControlFlow::Continue(())).unwrap();
            assert!((300..1_000).contains(&done.decoded_ms), "{name}: {done:?}");
            assert!(matches!(done.problems[..], [Problem::Damaged { .. }]), "{name}: {done:?}");
        }
        // Whatever is left of a header, or was made of it.
        (0..whole.len().min(600)).for_each(|end| drop(told(&whole[..end])));
        for place in 0..whole.len().min(300) {
            for value in [0, 0x7f, 0xff] {
                let mut bytes = whole.clone();
                bytes[place] = value;
                let _ = told(&bytes);
            }
        }
    }
}

#[test]
fn sound_that_ends_before_its_header_says_is_damaged() {
    let ffmpeg = installed();
    for name in ["tta.tta", "wavpack.wv"] {
        let whole = fs::read(folder().join(name)).unwrap();
        let source = |bytes: &[u8]| Source::from_bytes(bytes.to_vec());
        let format = crate::probe(&source(&whole)).unwrap();
        assert_eq!(declared(&source(&whole), format).ms, Some(1_200), "{name}");
        let Some(ffmpeg) = &ffmpeg else { continue };
        // Behind a tag too.
        let tag = [b"ID3\x04\0\0\0\0\0\x20", &[0; 32][..], &whole].concat();
        assert_eq!(crate::probe(&source(&tag)), Ok(format), "{name}");
        let heard = |bytes: &[u8]| {
            ffmpeg.decode(&source(bytes), format, &Limits::default(), &mut |_| ControlFlow::Continue(()))
        };
        assert_eq!(heard(&tag).map(|done| done.decoded_ms), Ok(1_200), "{name}");
        match heard(&whole[..whole.len() * 2 / 5]) {
            Ok(cut) => assert!(matches!(cut.problems[..], [Problem::Damaged { .. }]), "{name}: {cut:?}"),
            Err(problem) => assert!(matches!(problem, Problem::Damaged { .. }), "{name}: {problem:?}"),
        }
        (0..200).for_each(|end| drop(declared(&source(&whole[..end]), format)));
    }
    // Monkey's Audio: what describes the header, the header; three frames, the last of which is shorter.
    let mut ape = [&b"MAC \x96\x0f\0\0"[..], &52_u32.to_le_bytes(), &[0; 40], &[0xd0, 7, 0, 0]].concat();
    [73_728_u32, 1_000, 3].iter().for_each(|field| ape.extend(field.to_le_bytes()));
    ape.extend([16, 0, 2, 0]);
    ape.extend(44_100_u32.to_le_bytes());
    let told = declared(&Source::from_bytes(ape), Format::Ape);
    assert_eq!(told.ms, Some((2 * 73_728 + 1_000) * 1_000 / 44_100));
}
