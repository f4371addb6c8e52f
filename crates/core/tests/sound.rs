//! Sound, from files to findings: the recordings under `testdata/audio`, whose ledger says what was made of what, and
//! sounds that tell nothing.
#![cfg(feature = "audio")]
// What a test needs and does not get fails the test.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use minutia::fingerprint::{AudioFingerprint, AudioFingerprinter, Fingerprint, Mix, Peak};
use minutia::index::{Access, Entry, Index, Work, WorkId, Writer};
use minutia::media::{Samples, Source};
use minutia::scan::{Examined, Examiner, InProcess, Item, Query, Reader, Request};
use minutia::search::{Settings, SoundSearch};
use minutia::verdict::{Allowed, Evidence, Finding, Outcome};

fn testdata(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/audio").join(path)
}

fn read(path: &str) -> Item {
    let source = Source::from_file(fs::File::open(testdata(path)).unwrap()).unwrap();
    let mut items = Vec::new();
    InProcess.read(&source, &Request::query(), &mut |item| items.push(item)).unwrap();
    assert_eq!(items.len(), 1, "{path} is one recording");
    items.remove(0)
}

/// An index of the references, each a work named as its file.
fn index(directory: &Path) -> Index {
    let names = ["idle-tune.mp3", "play-tune.ogg", "distant-message.opus", "instructions.m4a"];
    let mut writer = Writer::open(directory).unwrap();
    for name in names {
        writer
            .add(Entry {
                work: Work::new(WorkId::new(name).unwrap()),
                source_name: name.to_owned(),
                source_digest: None,
                fingerprints: read(&format!("reference/{name}")).fingerprints,
                thumbnail: None,
            })
            .unwrap();
    }
    assert_eq!(writer.commit().unwrap().tracks, 4);
    Index::open(directory, Access::Mapped).unwrap()
}

fn examine(index: &Index, item: &Item) -> Examined {
    let examiner = Examiner::new(index, Allowed::default(), Settings::default());
    examiner.examine(&[Query { digest: None, item }]).unwrap().remove(0)
}

#[test]
fn copies_are_found_where_they_were_taken_from() {
    let directory = tempfile::tempdir().unwrap();
    let index = index(directory.path());
    // File, work, where in the query in seconds, where that begins in the reference, speed, cents.
    let check = |file: &str, work: &str, seconds: f64, begins: f64, speed: f64, cents: f64| {
        let examined = examine(&index, &read(&format!("seized/{file}")));
        assert_eq!(examined.outcome, Outcome::Match, "{file}");
        assert_eq!(examined.findings.len(), 1, "{file}: {:?}", examined.findings);
        let Finding { work: found, query_span_ms, reference_span_ms, evidence, .. } = &examined.findings[0];
        let Evidence::Audio { speed: found_speed, pitch_cents, aligned_share, .. } = evidence else { panic!("{file}") };
        let (query, reference) = (query_span_ms.clone().unwrap(), reference_span_ms.clone().unwrap());
        assert_eq!(found.as_str(), work, "{file}");
        assert!((query.end - query.start) as f64 > 800.0 * seconds, "{file}: {query:?} of {seconds} s");
        let expected = 1_000.0 * begins + query.start as f64 * speed;
        assert!((reference.start as f64 - expected).abs() < 25.0, "{file}: {reference:?}, expected from {expected}");
        assert!((found_speed / speed - 1.0).abs() < 0.001, "{file}: {found_speed}");
        assert!((pitch_cents - cents).abs() < 5.0, "{file}: {pitch_cents}");
        assert!((0.05..=1.0).contains(aligned_share), "{file}: {aligned_share}");
    };
    check("clean.mp3", "distant-message.opus", 10.0, 12.0, 1.0, 0.0);
    check("noise.mp3", "play-tune.ogg", 10.0, 8.0, 1.0, 0.0);
    check("pal.ogg", "idle-tune.mp3", 12.0, 7.0, 25.0 / 24.0, 70.67);
    check("voice.opus", "instructions.m4a", 10.0, 10.0, 1.0, 0.0);
    for (file, outcome) in
        [("other.mp3", Outcome::NoMatch), ("silence.flac", Outcome::Undecided), ("tone.flac", Outcome::Undecided)]
    {
        let examined = examine(&index, &read(&format!("seized/{file}")));
        assert_eq!((examined.outcome, examined.findings.len()), (outcome, 0), "{file}");
    }
}

#[test]
fn answers_do_not_depend_on_threads_or_blocks() {
    let directory = tempfile::tempdir().unwrap();
    let index = index(directory.path());
    let items: Vec<Item> = ["clean.mp3", "noise.mp3", "pal.ogg", "voice.opus", "other.mp3"]
        .map(|file| read(&format!("seized/{file}")))
        .into();
    let queries: Vec<Query<'_>> = items.iter().map(|item| Query { digest: None, item }).collect();
    let answers = [1, 4].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Examiner::new(&index, Allowed::default(), Settings::default()).examine(&queries).unwrap())
    });
    assert_eq!(answers[0], answers[1]);
    let samples = noise(6 * 44_100);
    let whole = fingerprint(std::slice::from_ref(&samples));
    let pieces: Vec<Samples> =
        samples.interleaved.chunks(2 * 777).map(|piece| Samples { interleaved: piece.to_vec(), ..samples }).collect();
    assert_eq!(fingerprint(&pieces), whole);
}

/// One recording behind another is searched window by window, by as many threads as there are.
#[test]
fn long_queries_are_found_part_by_part() {
    let directory = tempfile::tempdir().unwrap();
    let index = index(directory.path());
    let [first, second] = ["idle-tune.mp3", "play-tune.ogg"].map(|name| {
        let fingerprints = read(&format!("reference/{name}")).fingerprints;
        fingerprints[0].audio().unwrap().clone()
    });
    let behind = (first.duration_ms as f64 / 1_000.0 / Peak::TIME_UNIT) as u32;
    let both = |mix: Mix| -> Vec<Peak> {
        let later = second.peaks(mix).iter().map(|peak| Peak { time: peak.time + behind, ..*peak });
        first.peaks(mix).iter().copied().chain(later).collect()
    };
    let query = AudioFingerprint {
        duration_ms: first.duration_ms + second.duration_ms,
        mid: both(Mix::Mid),
        side: both(Mix::Side),
        chromaprint: [&first.chromaprint[..], &second.chromaprint[..]].concat(),
        ..first
    };
    let search = SoundSearch::new(&index).unwrap();
    let found = [1, 4].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| search.find(&query, 13.0).unwrap())
    });
    assert_eq!(found[0], found[1]);
    let [one, other] = &found[0][..] else { panic!("{:?}", found[0]) };
    assert!(one.windows > 1 && one.track != other.track);
    let mut starts = [one, other].map(|found| found.query_span_ms.start as f64 / first.duration_ms as f64);
    starts.sort_by(f64::total_cmp);
    assert!(starts[0] < 0.1 && (0.95..1.1).contains(&starts[1]), "{starts:?}");
}

#[test]
fn what_tells_nothing_is_undecided() {
    let tone = |hertz: f64| move |n: usize| (std::f64::consts::TAU * hertz * n as f64 / 44_100.0).sin();
    let check = |name: &str, sound: &dyn Fn(usize) -> f64| {
        let interleaved = (0..10 * 44_100).map(|n| sound(n) as f32).collect();
        let fingerprint = fingerprint(&[Samples { rate_hz: 44_100, channels: 1, interleaved }]);
        assert!(
            fingerprint.content_ms < AudioFingerprint::LEAST_CONTENT_MS,
            "{name}: {} ms of content",
            fingerprint.content_ms
        );
        assert!(Fingerprint::Audio(fingerprint).says_too_little(), "{name}");
    };
    check("silence", &|_| 0.0);
    check("a tone", &|n| 0.3 * tone(523.0)(n));
    check("two tones", &|n| 0.2 * tone(440.0)(n) + 0.2 * tone(1_234.0)(n));
    check("hum", &|n| [1.0, 2.0, 3.0, 5.0].iter().map(|k| 0.2 / k * tone(50.0 * k)(n)).sum());
    let white = noise(10 * 44_100);
    check("white noise", &|n| f64::from(white.interleaved[2 * n]));
    let pink = pink(&white);
    check("pink noise", &|n| pink[n]);
    // Overtones up to the highest, and what is above that folded down.
    let turns = |hertz: f64, n: usize| (hertz * n as f64 / 44_100.0).fract();
    check("a square wave", &|n| if turns(220.0, n) < 0.5 { 0.5 } else { -0.5 });
    check("a saw tooth", &|n| turns(200.0, n) - 0.5);
    check("a clipped tone", &|n| (3.0 * tone(330.0)(n)).clamp(-0.9, 0.9));
    // As a codec leaves a tone: short pieces of others beside it, 42 dB below.
    check("a tone with remains", &|n| 0.5 * tone(440.0)(n) + 0.004 * tone(700.0 + 90.0 * (n / 20_000) as f64)(n));
    // One beat of another tone in ten seconds of noise is no content either.
    check("a knock in noise", &|n| {
        f64::from(white.interleaved[2 * n]) + if n / 22_050 == 9 { tone(880.0)(n) } else { 0.0 }
    });
    let short = fingerprint(&[Samples { rate_hz: 8_000, channels: 1, interleaved: vec![0.5; 4_000] }]);
    assert_eq!((short.duration_ms, short.mid.len()), (500, 0));
}

/// A channel that was inverted cancels the centre in the mean of both, and a listener hears no difference.
#[test]
fn an_inverted_channel_is_heard_by_the_difference() {
    let directory = tempfile::tempdir().unwrap();
    let index = index(directory.path());
    let item = read("seized/clean.mp3");
    let print = item.fingerprints[0].audio().unwrap();
    let inverted = AudioFingerprint { mid: print.side.clone(), side: print.mid.clone(), ..print.clone() };
    let found = SoundSearch::new(&index).unwrap().find(&inverted, 20.0).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].query_mix, found[0].reference_mix), (Mix::Side, Mix::Mid));
}

/// Of four in ten of the peaks of three seconds at 25 frames a second few constellations are left.
#[test]
fn few_peaks_at_the_speed_of_pal_are_found() {
    let directory = tempfile::tempdir().unwrap();
    let index = index(directory.path());
    let search = SoundSearch::new(&index).unwrap();
    let item = read("seized/pal.ogg");
    let print = item.fingerprints[0].audio().unwrap();
    let units = |seconds: f64| (seconds / Peak::TIME_UNIT) as u32;
    for start in [0.0, 1.5, 3.0, 4.5, 6.0, 7.5, 9.0] {
        let span = units(start)..units(start + 3.0);
        let within = |peaks: &[Peak]| -> Vec<Peak> {
            let kept = |peak: &&Peak| span.contains(&peak.time) && (peak.time / 7 + u32::from(peak.pitch)) % 10 < 4;
            let inside = peaks.iter().filter(kept);
            inside.map(|peak| Peak { time: peak.time - span.start, ..*peak }).collect()
        };
        let (mid, side) = (within(&print.mid), within(&print.side));
        let excerpt = AudioFingerprint { duration_ms: 3_000, mid, side, chromaprint: Vec::new(), ..print.clone() };
        let found = search.find(&excerpt, 13.0).unwrap();
        assert_eq!(found.len(), 1, "from {start} s");
        let begins = found[0].reference_span_ms.start as f64 / 1_000.0 - found[0].query_span_ms.start as f64 / 960.0;
        assert!((found[0].speed - 25.0 / 24.0).abs() < 0.01, "{}", found[0].speed);
        assert!((begins - (7.0 + start * 25.0 / 24.0)).abs() < 0.05, "{begins} from {start} s");
    }
}

fn fingerprint(blocks: &[Samples]) -> AudioFingerprint {
    let mut fingerprinter = AudioFingerprinter::new(0);
    blocks.iter().for_each(|block| fingerprinter.push(block));
    fingerprinter.finish()
}

/// Stereo noise, the same every time.
fn noise(frames: usize) -> Samples {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    // The sum of a few is nearly normal.
    let interleaved = (0..2 * frames).map(|_| 0.05 * (0..4).map(|_| next()).sum::<f32>()).collect();
    Samples { rate_hz: 44_100, channels: 2, interleaved }
}

/// Noise of 1/f by the sum of slower and slower noises (Voss, 1978).
fn pink(white: &Samples) -> Vec<f64> {
    let values = &white.interleaved;
    (0..values.len() / 2)
        .map(|n| (0..12).map(|k| f64::from(values[(2 * (n >> k) + 7_919 * k) % values.len()])).sum::<f64>() / 4.0)
        .collect()
}
