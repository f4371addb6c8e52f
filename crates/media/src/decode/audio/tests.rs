//! Sound decoding over an excerpt in every format, over files that declare what they do not hold, and over damage.

mod damage;
mod hostile;

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::{Ffmpeg, LimitKind};

/// Each file of `testdata/audio/formats`: what decodes it, and how far behind the original its sound begins, in
/// microseconds. Where that is not 0 the container does not say what the encoder put before it; it is what ffmpeg's decoder
/// gives. (Of `opus.mp4` ffmpeg 5.1 skips 3.2 ms too few: 0 is right.)
const FORMATS: &[(&str, &str, i32)] = &[
    ("aac-fragments.mp4", "symphonia", 32_000),
    ("aac.aac", "symphonia", 32_000),
    ("aac.m4a", "symphonia", 0),
    ("aac.mka", "symphonia", 32_000),
    ("ac3.ac3", "ffmpeg", 8_000),
    ("ac3.mkv", "ffmpeg", 8_000),
    ("ac3.mp4", "ffmpeg", 0),
    ("adpcm-ima.wav", "symphonia", 0),
    ("adpcm-ms.wav", "symphonia", 0),
    ("alac.m4a", "symphonia", 0),
    ("dts.dts", "ffmpeg", 16_000),
    ("eac3.eac3", "ffmpeg", 8_000),
    ("film-silent.mp4", "", 0),
    ("film.mp4", "symphonia", 0),
    ("film.ogv", "symphonia", 0),
    ("flac.flac", "symphonia", 0),
    ("flac.ogg", "symphonia", 0),
    ("gsm.gsm", "ffmpeg", 0),
    ("gsm.wav", "ffmpeg", 0),
    ("module.mod", "ffmpeg", 0),
    ("mp2.mp2", "symphonia", 15_030),
    ("mp2.mpg", "ffmpeg", 15_030),
    ("mp2.ts", "ffmpeg", 15_030),
    ("mp3-untagged.mp3", "symphonia", 34_530),
    ("mp3.avi", "ffmpeg", 34_530),
    ("mp3.flv", "ffmpeg", 50_120),
    ("mp3.mp3", "symphonia", 0),
    ("mulaw.wav", "symphonia", 0),
    ("musepack.mpc", "ffmpeg", 15_030),
    ("opus-speech.opus", "opus-pure", 0),
    ("opus-surround.opus", "opus-pure", 0),
    ("opus.mp4", "opus-pure", 0),
    ("opus.opus", "opus-pure", 0),
    ("opus.webm", "opus-pure", 0),
    ("pcm.aiff", "symphonia", 0),
    ("pcm.au", "ffmpeg", 0),
    ("pcm.caf", "symphonia", 0),
    ("pcm.wav", "symphonia", 0),
    ("speex.ogg", "ffmpeg", 22_160),
    ("tta.tta", "ffmpeg", 0),
    ("two-languages.mkv", "symphonia", 0),
    ("voc.voc", "ffmpeg", 0),
    ("vorbis.ogg", "symphonia", 0),
    ("vorbis.webm", "symphonia", 0),
    ("wavpack.wv", "ffmpeg", 0),
    ("wma.wma", "ffmpeg", -64_000),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/audio/formats")
}

fn source(name: &str) -> Source {
    Source::from_file(fs::File::open(folder().join(name)).unwrap()).unwrap()
}

/// The program, where this machine has one.
fn installed() -> Option<Ffmpeg> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).find_map(|folder| Ffmpeg::at(&folder.join("ffmpeg")).ok())
}

/// All sound as one channel, with its rate.
#[derive(Debug, Default)]
struct Mono {
    rate_hz: u32,
    samples: Vec<f32>,
}

impl Mono {
    fn take(&mut self, block: &Samples) -> ControlFlow<()> {
        assert!(block.rate_hz > 0 && block.channels > 0 && !block.interleaved.is_empty());
        assert_eq!(block.interleaved.len() % usize::from(block.channels), 0);
        self.rate_hz = block.rate_hz;
        let frames = block.interleaved.chunks_exact(block.channels.into());
        self.samples.extend(frames.map(|frame| frame.iter().sum::<f32>() / frame.len() as f32));
        ControlFlow::Continue(())
    }

    /// Between two samples on a line.
    fn at(&self, seconds: f64) -> f64 {
        let place = seconds * f64::from(self.rate_hz);
        let before = place.floor();
        let sample = |at: f64| if at < 0.0 { 0.0 } else { self.samples.get(at as usize).copied().unwrap_or(0.0) };
        let part = place - before;
        f64::from(sample(before)) * (1.0 - part) + f64::from(sample(before + 1.0)) * part
    }

    /// How alike this and `other` are from 0.25 to 0.95 s, this one `delay_us` late.
    fn likeness(&self, other: &Mono, delay_us: i32) -> f64 {
        let (mut both, mut here, mut there) = (0.0, 1e-12, 1e-12);
        for step in 0..11_200 {
            let seconds = 0.25 + f64::from(step) / 16_000.0;
            let (a, b) = (self.at(seconds + f64::from(delay_us) / 1e6), other.at(seconds));
            (both, here, there) = (both + a * b, here + a * a, there + b * b);
        }
        both / (here * there).sqrt()
    }
}

fn decoded(name: &str, ffmpeg: Option<&Ffmpeg>) -> (Result<Decoded, Problem>, Mono) {
    let source = source(name);
    let format = crate::probe(&source).unwrap();
    let mut mono = Mono::default();
    let limits = Limits::default();
    let done = match (decode(&source, format, &limits, &mut |block| mono.take(&block)), ffmpeg) {
        (Err(Problem::Unsupported { .. }), Some(ffmpeg)) => {
            ffmpeg.decode(&source, format, &limits, &mut |block| mono.take(&block))
        }
        (done, _) => done,
    };
    (done, mono)
}

#[test]
fn every_format_gives_the_same_excerpt_at_the_same_time() {
    let ffmpeg = installed();
    if ffmpeg.is_none() {
        println!("formats for ffmpeg: not run (it is not installed)");
    }
    let (_, original) = decoded("pcm.wav", None);
    assert_eq!((original.rate_hz, original.samples.len()), (32_000, 38_400));
    let mut met: Vec<String> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    met.sort();
    assert_eq!(met, FORMATS.iter().map(|(name, ..)| *name).collect::<Vec<_>>());
    for &(name, decoder, delay_us) in FORMATS {
        let (done, mono) = decoded(name, ffmpeg.as_ref());
        let missing = match &ffmpeg {
            Some(ffmpeg) => name == "module.mod" && !ffmpeg.plays_modules,
            None => decoder == "ffmpeg",
        };
        if decoder.is_empty() || missing {
            assert!(matches!(done, Err(Problem::Unsupported { .. })), "{name}: {done:?}");
            continue;
        }
        let done = done.unwrap_or_else(|problem| panic!("{name}: {problem}"));
        assert!(done.decoder.starts_with(decoder), "{name}: {}", done.decoder);
        assert_eq!(done.problems, [], "{name}");
        assert_eq!(done.decoded_ms, mono.samples.len() as u64 * 1_000 / u64::from(mono.rate_hz), "{name}");
        assert!((1_140..1_300).contains(&done.decoded_ms), "{name}: {} ms", done.decoded_ms);
        if name == "two-languages.mkv" {
            // The first, which is not the default one.
            assert_eq!(done.tracks, 2);
        }
        if name == "opus-speech.opus" {
            // Its high-pass filter turns the phases of this music, whose waveform then fits nowhere well.
            assert_eq!(done.decoded_ms, 1_200);
            continue;
        }
        // Speech codecs keep the waveform loosely.
        let at_least = if ["speex.ogg", "gsm.gsm", "gsm.wav"].contains(&name) { 0.4 } else { 0.9 };
        let there = mono.likeness(&original, delay_us);
        assert!(there > at_least, "{name}: {there}");
        for off_us in [-4_000, -2_000, -1_000, 1_000, 2_000, 4_000] {
            let elsewhere = mono.likeness(&original, delay_us + off_us);
            assert!(elsewhere < there, "{name}: {off_us} us off is as good: {elsewhere}, {there}");
        }
    }
}

/// One bit a sample, 64 times as many: what is left over of each is added to the next.
fn one_bit(pcm: &[f32]) -> Vec<u8> {
    let (mut error, mut bytes) = ([0.0_f32; 2], Vec::new());
    for pair in pcm.windows(2) {
        for step in 0..8 {
            let mut byte = 0;
            for bit in 0..8 {
                let part = (step * 8 + bit) as f32 / 64.0;
                let is_high = error[1] >= 0.0;
                let out = if is_high { 1.0 } else { -1.0 };
                error[0] += 0.5 * (pair[0] * (1.0 - part) + pair[1] * part) - out;
                error[1] += error[0] - out;
                byte = byte << 1 | u8::from(is_high);
            }
            bytes.push(byte);
        }
    }
    bytes
}

#[test]
fn sound_of_one_bit_is_heard() {
    let Some(ffmpeg) = installed() else { return };
    let (_, original) = decoded("pcm.wav", None);
    let bits = one_bit(&original.samples);
    let rate_hz = 64 * original.rate_hz;
    // Lowest bit first, in whole blocks.
    let blocks = bits.len().next_multiple_of(4_096);
    let mut dsf = [&b"DSD "[..], &28_u64.to_le_bytes(), &(92 + blocks as u64).to_le_bytes(), &[0; 8], b"fmt "].concat();
    dsf.extend(52_u64.to_le_bytes());
    [1, 0, 1, 1, rate_hz, 1].iter().for_each(|field| dsf.extend(field.to_le_bytes()));
    dsf.extend((8 * bits.len() as u64).to_le_bytes());
    [4_096, 0_u32].iter().for_each(|field| dsf.extend(field.to_le_bytes()));
    dsf.extend([&b"data"[..], &(12 + blocks as u64).to_le_bytes()].concat());
    dsf.extend(bits.iter().map(|byte| byte.reverse_bits()));
    dsf.resize(92 + blocks, 0x69);
    // Highest bit first.
    let chunk = |kind: &[u8; 4], body: &[u8]| [kind, &(body.len() as u64).to_be_bytes()[..], body].concat();
    let properties = [
        b"SND ".to_vec(),
        chunk(b"FS  ", &rate_hz.to_be_bytes()),
        chunk(b"CHNL", b"\0\x01C   "),
        chunk(b"CMPR", b"DSD \x0enot compressed\0"),
    ];
    let properties = chunk(b"PROP", &properties.concat());
    let body = [b"DSD ".to_vec(), chunk(b"FVER", &[1, 5, 0, 0]), properties, chunk(b"DSD ", &bits)].concat();
    let dff = chunk(b"FRM8", &body);
    for (bytes, format) in [(dsf, Format::Dsf), (dff, Format::Dsdiff)] {
        let heard = |bytes: &[u8]| {
            let source = Source::from_bytes(bytes.to_vec());
            assert_eq!(crate::probe(&source), Ok(format));
            assert!(matches!(
                decode(&source, format, &Limits::default(), &mut |_| ControlFlow::Continue(())),
                Err(Problem::Unsupported { hint, .. }) if hint.contains("install ffmpeg")
            ));
            let mut mono = Mono::default();
            let done = ffmpeg.decode(&source, format, &Limits::default(), &mut |block| mono.take(&block));
            (done.unwrap(), mono)
        };
        let (done, mono) = heard(&bytes);
        assert_eq!((&done.problems[..], done.decoded_ms), (&[][..], 1_199), "{done:?}");
        assert!(mono.likeness(&original, 0) > 0.9, "{format:?}: {}", mono.likeness(&original, 0));
        let (cut, _) = heard(&bytes[..bytes.len() * 7 / 10]);
        assert!(matches!(cut.problems[..], [Problem::Damaged { .. }]), "{cut:?}");
        let source = Source::from_bytes(bytes[..bytes.len() - 100].to_vec());
        assert_eq!(declared(&source, format).missing_bytes, 100);
    }
}

/// As players and radio stations leave them: recordings of another rate, with other channels or of another layer, in one file.
#[test]
fn mpeg_audio_is_heard_whatever_stands_behind_it() {
    let bytes = |name: &str| fs::read(folder().join(name)).unwrap();
    let files = ["mp3-untagged.mp3", "../seized/clean.mp3", "mp2.mp2", "../seized/noise.mp3", "mp3-untagged.mp3"];
    let heard = |bytes: Vec<u8>| {
        let (source, mut shapes) = (Source::from_bytes(bytes), Vec::new());
        assert_eq!(crate::probe(&source), Ok(Format::Mp3));
        let done = decode(&source, Format::Mp3, &Limits::default(), &mut |block| {
            shapes.push((block.rate_hz, block.channels));
            ControlFlow::Continue(())
        });
        shapes.dedup();
        (done.unwrap(), shapes)
    };
    let alone: u64 = files.iter().map(|name| heard(bytes(name)).0.decoded_ms).sum();
    let (done, shapes) = heard(files.iter().flat_map(|name| bytes(name)).collect());
    assert_eq!(shapes, [(32_000, 1), (44_100, 2), (32_000, 1), (44_100, 1), (32_000, 1)]);
    assert_eq!(done.problems, []);
    // What the encoders put before and behind is cut at the ends of a file alone.
    assert!((alone..alone + 400).contains(&done.decoded_ms), "{} of {alone} ms", done.decoded_ms);
}

#[test]
fn a_sink_that_breaks_off_gets_no_more() {
    for name in ["mp3.mp3", "aac.m4a", "opus.webm"] {
        let (source, mut blocks) = (source(name), 0);
        let done = decode(&source, crate::probe(&source).unwrap(), &Limits::default(), &mut |_| {
            blocks += 1;
            ControlFlow::Break(())
        });
        assert_eq!((blocks, done.unwrap().problems), (1, Vec::new()), "{name}");
    }
}

#[test]
fn limits_keep_what_was_read_until_then() {
    let check = |limits: Limits, expected: Result<u64, LimitKind>| {
        let source = source("flac.flac");
        let done = decode(&source, Format::Flac, &limits, &mut |_| ControlFlow::Continue(()));
        match (done, expected) {
            (Ok(done), Ok(ms)) => {
                assert_eq!(done.decoded_ms, ms);
                let limit = LimitKind::AudioSeconds;
                assert_eq!(done.problems, [Problem::Limit { limit, allowed: 1, found: 2 }]);
            }
            (Err(Problem::Limit { limit, .. }), Err(expected)) => assert_eq!(limit, expected),
            (done, expected) => panic!("{done:?} instead of {expected:?}"),
        }
    };
    check(Limits { audio_seconds: 1, ..Limits::default() }, Ok(1_000));
    check(Limits { channels: 0, ..Limits::default() }, Err(LimitKind::Channels));
    check(Limits { sample_rate_hz: 31_999, ..Limits::default() }, Err(LimitKind::SampleRate));
}

#[test]
fn what_no_program_reads_has_another_hint() {
    let midi = Source::from_bytes(b"MThd\0\0\0\x06".to_vec());
    let hint = |format| match decode(&midi, format, &Limits::default(), &mut |_| ControlFlow::Continue(())) {
        Err(Problem::Unsupported { hint, .. }) => hint,
        done => panic!("{done:?}"),
    };
    assert!(hint(Format::Ac3).contains("install ffmpeg"));
    assert!(hint(Format::TrackerModule).contains("libopenmpt"));
    assert!(!hint(Format::Midi).contains("ffmpeg"));
}

/// What is not decoded here is told by its own name, and not by that of its container.
#[test]
fn hints_name_the_codec() {
    let check = |bytes: Vec<u8>, expected: &str| {
        let source = Source::from_bytes(bytes);
        let format = crate::probe(&source).unwrap();
        match decode(&source, format, &Limits::default(), &mut |_| ControlFlow::Continue(())) {
            Err(Problem::Unsupported { format, .. }) => assert_eq!(format, expected),
            done => panic!("{expected}: {done:?}"),
        }
    };
    let file = |name: &str| fs::read(folder().join(name)).unwrap();
    check(file("speex.ogg"), "Speex in Ogg");
    check(file("gsm.wav"), "GSM 06.10 in WAV");
    check(file("ac3.mkv"), "AC-3 in Matroska or WebM");
    check(file("ac3.mp4"), "AC-3 in MPEG-4 or QuickTime");
    let mut wav = file("gsm.wav");
    let format = wav.windows(4).position(|kind| kind == b"fmt ").unwrap() + 8;
    for (number, name) in [(0x55_u16, "MP3 in WAV"), (0x1234, "codec 0x1234 in WAV")] {
        wav[format..format + 2].copy_from_slice(&number.to_le_bytes());
        check(wav.clone(), name);
    }
    let mp4 = file("aac.m4a");
    let place = mp4.windows(4).rposition(|kind| kind == b"mp4a").unwrap();
    for (kind, name) in [(b"samr", "AMR"), (b"ac-4", "AC-4"), (b"mhm1", "MPEG-H Audio"), (b"abcd", "codec abcd")] {
        let mut mp4 = mp4.clone();
        mp4[place..place + 4].copy_from_slice(kind);
        check(mp4, &format!("{name} in MPEG-4 audio"));
    }
    let mkv = file("ac3.mkv");
    let place = mkv.windows(5).position(|id| id == b"A_AC3").unwrap();
    for (id, name) in [(b"A_AC4", "AC-4"), (b"A_\0\0\0", "codec A_"), (b"A_\n\xff!", "codec A_\\n\\u{fffd}!")] {
        let mut mkv = mkv.clone();
        mkv[place..place + 5].copy_from_slice(id);
        check(mkv, &format!("{name} in Matroska or WebM"));
    }
}

#[test]
fn aac_with_copied_bands_is_named() {
    let mut mp4 = fs::read(folder().join("aac.m4a")).unwrap();
    // What ffmpeg writes: AAC-LC, 32 kHz; then the mark of what is copied, and that nothing is.
    let config = mp4.windows(3).position(|window| window == [0x56, 0xe5, 0]).unwrap() - 2;
    let channels = mp4[config + 1] >> 3 & 0xf;
    mp4[config + 4] = 0x80;
    let core = Source::from_bytes(mp4.clone());
    let core = decode(&core, Format::M4a, &Limits::default(), &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((core.codec.as_str(), core.rate_hz), ("HE-AAC (core)", 32_000));
    // By its object type: 5, 32 kHz, channels, 64 kHz, 2, and three bits.
    let bits = 5_u64 << 35 | 5 << 31 | u64::from(channels) << 27 | 2 << 23 | 2 << 18;
    mp4[config..config + 5].copy_from_slice(&bits.to_be_bytes()[3..]);
    let source = Source::from_bytes(mp4);
    match decode(&source, Format::M4a, &Limits::default(), &mut |_| ControlFlow::Continue(())) {
        Err(Problem::Unsupported { format, .. }) => assert_eq!(format, "HE-AAC in MPEG-4 audio"),
        done => panic!("{done:?}"),
    }
    let Some(ffmpeg) = installed() else {
        println!("HE-AAC: not run in part (ffmpeg is not installed)");
        return;
    };
    let done = ffmpeg.decode(&source, Format::M4a, &Limits::default(), &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((done.codec.as_str(), done.rate_hz), ("HE-AAC", 64_000));
    assert!((1_140..1_300).contains(&done.decoded_ms), "{done:?}");
}

#[test]
fn amr_is_read_by_a_program() {
    // A second of frames of 12.2 kbit/s (RFC 4867, 5.3), of whatever is in them.
    let amr = [b"#!AMR\n".to_vec(), [&[0x3c][..], &[0x5a; 31]].concat().repeat(50)].concat();
    let source = Source::from_bytes(amr);
    assert_eq!(crate::probe(&source), Ok(Format::Amr));
    let Some(ffmpeg) = installed() else {
        println!("AMR: not run (ffmpeg is not installed)");
        return;
    };
    let done = ffmpeg.decode(&source, Format::Amr, &Limits::default(), &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((done.decoded_ms, done.rate_hz, done.problems), (1_000, 8_000, Vec::new()));
}

/// MP4 has one number for the three layers of MPEG audio.
#[test]
fn mp2_in_mp4_is_decoded() {
    let Some(ffmpeg) = installed() else {
        println!("MP2 in MP4: not run (ffmpeg is not installed)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mp4 = folder.path().join("mp2.mp4");
    let mut command = std::process::Command::new(&ffmpeg.program);
    command.args(["-v", "error", "-nostdin", "-i"]).arg(self::folder().join("mp2.mp2"));
    assert!(command.args(["-c", "copy"]).arg(&mp4).status().unwrap().success());
    let source = Source::from_file(fs::File::open(&mp4).unwrap()).unwrap();
    let done = decode(&source, Format::Mp4, &Limits::default(), &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((done.codec.as_str(), done.problems), ("MP2", Vec::new()));
    assert!((1_140..1_300).contains(&done.decoded_ms), "{}", done.decoded_ms);
}

#[test]
fn recorded_versions_are_those_that_are_built() {
    let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock")).unwrap();
    for decoder in DECODERS {
        let (name, version) = decoder.split_once(' ').unwrap();
        assert!(lock.contains(&format!("name = \"{name}\"\nversion = \"{version}\"\n")), "{decoder}");
    }
}

#[test]
fn sound_is_looked_for_behind_tags() {
    let mp3 = fs::read(folder().join("mp3.mp3")).unwrap();
    let tag =
        |bytes: usize| [&b"ID3\x04\0\0\0\0"[..], &[(bytes >> 7) as u8, (bytes & 0x7f) as u8], &vec![0; bytes]].concat();
    let size = |head: &[u8]| head[6..10].iter().fold(0, |size, &byte| size << 7 | usize::from(byte));
    let untagged = &mp3[if mp3.starts_with(b"ID3") { 10 + size(&mp3) } else { 0 }..];
    let flac = fs::read(folder().join("flac.flac")).unwrap();
    let wav = fs::read(folder().join("pcm.wav")).unwrap();
    let check = |bytes: Vec<u8>, expected: Result<Format, &str>| {
        let source = Source::from_bytes(bytes);
        let format = crate::probe(&source).unwrap();
        let done = decode(&source, format, &Limits::default(), &mut |_| ControlFlow::Continue(()));
        match expected {
            Ok(expected) => {
                assert_eq!(format, expected);
                assert_eq!(done.unwrap().decoded_ms, 1_200);
            }
            Err(word) => assert!(done.as_ref().is_err_and(|problem| problem.to_string().contains(word)), "{done:?}"),
        }
    };
    check([&tag(300), untagged].concat(), Ok(Format::Mp3));
    check([&tag(300), &tag(20), &[0; 700][..], untagged].concat(), Ok(Format::Mp3));
    check([&tag(300), &flac[..]].concat(), Ok(Format::Flac));
    check([&tag(300), &b"no sound at all"[..]].concat(), Err("no sound behind its tags"));
    // Frames deep inside something else are not the sound of this file.
    check([&tag(300), &vec![7; 200_000], untagged].concat(), Err("no sound behind its tags"));
    // And behind what is no tag.
    check([&b"x"[..], untagged].concat(), Ok(Format::Mp3));
    check([&[0; 417][..], &mp3].concat(), Ok(Format::Mp3));
    let source = Source::from_bytes([&tag(300), &wav[..]].concat());
    assert_eq!(crate::probe(&source).unwrap(), Format::Wav);
}

#[test]
fn another_program_is_no_ffmpeg() {
    assert!(Ffmpeg::at(Path::new("/bin/sh")).is_err());
    assert!(matches!(Ffmpeg::at(Path::new("/no/such/program")), Err(Problem::Io { .. })));
}
