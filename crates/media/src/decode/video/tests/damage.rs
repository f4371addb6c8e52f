//! Files cut short, with flipped bytes, and with parts in another order: an answer, whatever they are.

use super::*;

/// Of each container that is read here, with tables and with fragments, and of each codec.
const SAMPLES: &[&str] = &[
    "baseline.mp4",
    "main.mp4",
    "fragments.mp4",
    "high.mkv",
    "live.mkv",
    #[cfg(feature = "av1")]
    "av1-ten-bit.webm",
];

fn answer(bytes: Vec<u8>) -> Result<Decoded, Problem> {
    let source = Source::from_bytes(bytes);
    let format = crate::probe(&source)?;
    let (mut frames, mut last_us) = (0_u64, None);
    let limits = Limits { film_seconds: 60, film_frames: 1_000, ..Limits::default() };
    let done = decode(&source, format, &Wanted::default(), &limits, &mut |frame| {
        assert!(last_us.is_none_or(|last| frame.pts_us > last));
        (frames, last_us) = (frames + 1, Some(frame.pts_us));
        ControlFlow::Continue(())
    });
    assert!(last_us.is_none_or(|last| last <= 60_000_000));
    assert_eq!(done.as_ref().map_or(0, |done| done.frames), frames);
    // Nothing is handed over without a word why.
    assert!(frames > 0 || done.as_ref().map_or(true, |done| !done.problems.is_empty()), "{done:?}");
    done
}

#[test]
fn a_cut_anywhere_keeps_what_stands_before_it() {
    for name in SAMPLES {
        let whole = fs::read(folder().join(name)).unwrap();
        let expected = truth(name).len() as u64;
        let mut most = 0;
        for end in (0..400).step_by(7).chain((400..whole.len()).step_by(whole.len() / 30)) {
            match answer(whole[..end].to_vec()) {
                Ok(done) => {
                    assert!(done.frames <= expected, "{name} cut at {end}: {done:?}");
                    most = most.max(done.frames);
                }
                Err(Problem::Damaged { .. } | Problem::NotMedia { .. } | Problem::Unsupported { .. }) => {}
                Err(problem) => panic!("{name} cut at {end}: {problem:?}"),
            }
        }
        // Where the directory is at the end nothing is left without it.
        assert!(most > expected / 2 || *name == "main.mp4", "{name}: {most} of {expected}");
    }
}

#[test]
fn a_cut_film_is_damaged() {
    for name in ["baseline.mp4", "fragments.mp4"] {
        let whole = fs::read(folder().join(name)).unwrap();
        let done = answer(whole[..whole.len() / 2].to_vec()).unwrap();
        assert!(done.frames > 5, "{name}: {done:?}");
    }
    let whole = fs::read(folder().join("baseline.mp4")).unwrap();
    let done = answer(whole[..whole.len() / 2].to_vec()).unwrap();
    assert!(
        matches!(&done.problems[..], [Problem::Damaged { detail }] if detail.contains("end of the file")),
        "{done:?}"
    );
}

#[test]
fn flipped_bytes_end_in_an_answer() {
    for name in SAMPLES {
        let whole = fs::read(folder().join(name)).unwrap();
        let (mut state, mut met) = (7_u32, 0);
        for round in 0..24 {
            let mut bytes = whole.clone();
            for _ in 0..1 + round % 4 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let place = (state >> 8) as usize % bytes.len();
                // Half of them in the directory.
                let place = match (state & 0x80 == 0, *name) {
                    (true, "main.mp4") => bytes.len() - 1 - place % 2_000,
                    (true, _) => place % 1_200,
                    (false, _) => place,
                };
                bytes[place] ^= (state >> 24) as u8 | 1;
            }
            met += u32::from(answer(bytes).is_ok());
        }
        assert!(met > 0, "{name}: nothing was read of any");
    }
}

#[test]
fn parts_in_another_order_end_in_an_answer() {
    for name in SAMPLES {
        let whole = fs::read(folder().join(name)).unwrap();
        for (round, size) in [64, 500, 1_000, 4_096, whole.len() / 3].into_iter().enumerate() {
            let mut parts: Vec<&[u8]> = whole.chunks(size).collect();
            let count = parts.len();
            // The beginning stays, or nothing would be recognised.
            match round % 3 {
                0 => parts.swap(count / 2, count - 1),
                1 => parts[1..].reverse(),
                _ => parts[1..].rotate_left(1),
            }
            let _ = answer(parts.concat());
        }
    }
}

#[test]
fn a_hole_in_matroska_is_passed_over() {
    let mut bytes = fs::read(folder().join("live.mkv")).unwrap();
    let clusters: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(b"\x1f\x43\xb6\x75")).collect();
    let whole = truth("live.mkv").len() as u64;
    assert!(clusters.len() > 1, "{clusters:?}");
    // Zeros from inside the first cluster to the second.
    bytes[clusters[0] + 200..clusters[1]].fill(0);
    let done = answer(bytes).unwrap();
    assert!((1..whole).contains(&done.frames), "{done:?}");
}

#[test]
fn a_programs_answer_is_not_believed() {
    let Some(ffmpeg) = installed() else { return };
    let wanted = Wanted { rate_fps: Some(4), ..Wanted::default() };
    let limits = Limits { film_pixels: 60_000, film_seconds: 60, film_frames: 100, ..Limits::default() };
    let access = ffmpeg.access(Format::Mp4).unwrap();
    let (any, stored) = (Limits::default(), ffmpeg::Planes::Stored);
    let mut command = ffmpeg.film_command(Format::Mp4, access, &wanted, &any, stored).unwrap();
    let file = fs::File::open(folder().join("main.mp4")).unwrap();
    let whole = command.stdin(file).stdout(std::process::Stdio::piped()).output().unwrap().stdout;
    let read = |bytes: &[u8]| {
        let (mut pipe, mut frames) = (bytes, 0);
        let done = decode_pipe(&mut pipe, "ffmpeg", Film::default(), &wanted, &limits, &mut |frame| {
            assert!(frame.luma.width() * frame.luma.height() <= 60_000);
            frames += 1;
            ControlFlow::Continue(())
        });
        assert_eq!(done.as_ref().map_or(0, |done| done.frames), frames);
        done
    };
    let frames = without_keys(&truth("main.mp4"));
    let part = |(pts_us, _): &(u64, u64)| (pts_us + Wanted::EARLY_US) * 4 / 1_000_000;
    let most = frames.iter().map(part).max().unwrap() + 1;
    assert_eq!(read(&whole).unwrap().frames, most);
    for end in (0..1_200).chain((1_200..whole.len()).step_by(997)) {
        let done = read(&whole[..end]);
        assert!(done.as_ref().map_or(true, |done| done.frames <= most), "cut at {end}: {done:?}");
    }
    for place in 0..1_200 {
        for flip in [1, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[place] ^= flip;
            let _ = read(&bytes);
        }
    }
}

#[test]
fn a_file_that_ends_before_its_container_is_known_to() {
    for name in FORMATS.iter().map(|(name, _)| *name).filter(|name| !name.ends_with("avi") && !name.ends_with("ts")) {
        let whole = fs::read(folder().join(name)).unwrap();
        let format = crate::probe(&Source::from_bytes(whole.clone())).unwrap();
        let told = |bytes: &[u8]| cut_short(&Source::from_bytes(bytes.to_vec()), format);
        assert_eq!(told(&whole), None, "{name}");
        assert_eq!(told(&[&whole[..], b"behind it"].concat()), None, "{name}");
        // A recording without lengths may end anywhere.
        let open = name == "live.mkv";
        match told(&whole[..whole.len() - 700]) {
            Some(Problem::Damaged { detail }) if !open => {
                // What stands behind the pictures may be gone altogether.
                let missing = detail.split(' ').nth(3).and_then(|bytes| bytes.parse::<u64>().ok());
                assert!(missing.is_some_and(|bytes| (1..=700).contains(&bytes)), "{name}: {detail}");
            }
            found => assert!(open && found.is_none(), "{name}: {found:?}"),
        }
    }
    let done = cut_short(&Source::from_bytes(b"\0\0\0\x01ftyp\xff\xff\xff\xff\xff\xff\xff\xff".to_vec()), Format::Mp4);
    assert!(matches!(done, None | Some(Problem::Damaged { .. })), "{done:?}");
}

#[test]
fn files_that_are_shorter_than_they_say_are_cut_short() {
    let sound = folder().join("../../audio/formats");
    let files = [(folder().join("mpeg4.avi"), Format::Avi), (sound.join("mp3.avi"), Format::Avi)];
    let more = [(sound.join("wma.wma"), Format::Asf), (sound.join("mp3.flv"), Format::Flv)];
    for (path, format) in files.into_iter().chain(more) {
        let whole = fs::read(&path).unwrap();
        let cut = |bytes: &[u8]| cut_short(&Source::from_bytes(bytes.to_vec()), format);
        assert_eq!(cut(&whole), None, "{}", path.display());
        // What somebody put behind it says nothing.
        assert_eq!(cut(&[&whole[..], &[0; 1_000]].concat()), None, "{}", path.display());
        for kept in [whole.len() / 2, 1_000, 400] {
            let detail = format!("the file ends {} bytes before its container does", whole.len() - kept);
            assert_eq!(cut(&whole[..kept]), Some(Problem::Damaged { detail }), "{}", path.display());
        }
        for kept in 0..300 {
            let _ = cut(&whole[..kept]);
        }
    }
    let flash = fs::read(sound.join("mp3.flv")).unwrap();
    assert!(cut_short(&Source::from_bytes(flash[..60].to_vec()), Format::Flv).is_some());
    // A recording that was never closed.
    let mut open = fs::read(folder().join("mpeg4.avi")).unwrap();
    open[4..8].copy_from_slice(&[0; 4]);
    assert_eq!(cut_short(&Source::from_bytes(open), Format::Avi), None);
}

#[test]
fn what_lacks_no_picture_and_no_sound_is_not_cut_short() {
    let missing = |bytes: &[u8], format| cut_short(&Source::from_bytes(bytes.to_vec()), format).is_some();
    let place = |bytes: &[u8], sign: &[u8]| bytes.windows(sign.len()).position(|part| part == sign).unwrap();
    // An index that was counted and left out; and one byte of the last packet.
    let whole = fs::read(folder().join("mpeg4.avi")).unwrap();
    let index = place(&whole, b"idx1");
    assert!(!missing(&whole[..index], Format::Avi));
    assert!(missing(&whole[..index - 1], Format::Avi));
    // Parts of a long one: the second is cut.
    let parts = [&whole[..], &whole].concat();
    assert!(!missing(&parts, Format::Avi));
    assert!(missing(&parts[..whole.len() + index - 1], Format::Avi));
    let sound = folder().join("../../audio/formats");
    let mut wma = fs::read(sound.join("wma.wma")).unwrap();
    let size = place(&wma, &[0xa1, 0xdc, 0xab, 0x8c, 0x47, 0xa9, 0xcf, 0x11]) + 40;
    let longer = (wma.len() as u64 + 5_000).to_le_bytes();
    wma[size..size + 8].copy_from_slice(&longer);
    assert!(!missing(&wma, Format::Asf));
    assert!(missing(&wma[..wma.len() - 1], Format::Asf));
    // What a broadcast says of its length means nothing.
    wma[size + 48] |= 1;
    assert!(!missing(&wma[..wma.len() - 1], Format::Asf));
    // A description that is counted twice, and a tag that is cut.
    let mut flash = fs::read(sound.join("mp3.flv")).unwrap();
    let size = place(&flash, b"\0\x08filesize\0") + 11;
    for (more, cut) in [(100, false), (5_000, true)] {
        let longer = (flash.len() as f64 + f64::from(more)).to_be_bytes();
        flash[size..size + 8].copy_from_slice(&longer);
        assert_eq!(missing(&flash, Format::Flv), cut, "{more}");
        assert!(missing(&flash[..flash.len() - 1], Format::Flv));
    }
}

#[test]
fn streams_that_end_within_a_packet_are_cut_short() {
    let sound = folder().join("../../audio/formats");
    for (path, format) in [
        (folder().join("mpeg2.ts"), Format::MpegTs),
        (sound.join("mp2.ts"), Format::MpegTs),
        (sound.join("mp2.mpg"), Format::MpegPs),
    ] {
        let whole = fs::read(&path).unwrap();
        let told = |bytes: &[u8]| cut_short(&Source::from_bytes(bytes.to_vec()), format);
        let within = |missing: usize| {
            let detail = format!("the file ends within a packet, of which {missing} bytes are missing");
            Some(Problem::Damaged { detail })
        };
        // All of its packets, whatever is behind them, and where one ends.
        assert_eq!((told(&whole), told(&[&whole[..], &[0; 1_000]].concat())), (None, None), "{}", path.display());
        let last = if format == Format::MpegTs { 188 } else { 2_048 };
        assert_eq!(told(&whole[..whole.len() - last]), None, "{}", path.display());
        for missing in [1, 20, 100] {
            assert_eq!(told(&whole[..whole.len() - missing]), within(missing), "{}", path.display());
        }
        if format == Format::MpegTs {
            let wide: Vec<u8> = whole.chunks(188).flat_map(|packet| [&[9; 4], packet].concat()).collect();
            let cut = |missing: usize| told(&wide[..wide.len() - missing]);
            assert_eq!(
                (cut(0), cut(192), cut(1), cut(187), cut(189)),
                (None, None, within(1), within(187), within(189))
            );
        }
        for end in (0..whole.len()).step_by(97) {
            let _ = told(&whole[..end]);
        }
    }
}
