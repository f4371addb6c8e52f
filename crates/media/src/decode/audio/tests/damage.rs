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
        let whole = fs::read(folder().join(name)).unwrap();
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
        // Where the directory is at the end nothing is left without it; CAF's demuxer refuses a cut file.
        let nothing = name.ends_with("m4a") || name.ends_with("caf");
        assert!(longest > all / 2 || nothing, "{name}: {longest} of {all} ms");
    }
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
