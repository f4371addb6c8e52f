//! Seconds of sound a second: Chromaprint from samples, with and without the way to 11,025 Hz, the whole fingerprint of a
//! scan, a search of ten seconds in an hour, the compressed form of items, and the alignment of a query with an hour.
//!
//! `cargo bench -p minutia-benches --bench audio`. Elements are seconds of sound (of the reference where items are aligned),
//! so that elements a second are times real time. Everything runs in one thread.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use minutia::fingerprint::{
    AudioFingerprinter, CHROMAPRINT_2, Chromaprint, Fingerprint, chromaprint, compress_to_text, decompress_text,
};
use minutia::index::{Access, Entry, Index, Work, WorkId, Writer};
use minutia::search::{SoundSearch, align};
use minutia_media::Samples;

/// Seconds of a recording.
const SECONDS: usize = 60;

/// Chords of three notes that change twice a second, and noise below them; what it is does not change the time.
fn sound(rate_hz: u32, channels: u16) -> Vec<Samples> {
    let mut noise = 1_u32;
    let value = |frame: usize, channel: u16, noise: &mut u32| {
        *noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let seconds = frame as f32 / rate_hz as f32;
        let chord = (seconds * 2.0) as u32 * 7 % 12;
        let tone = |step: u32| {
            let hertz = 220.0 * ((chord + step) as f32 / 12.0).exp2();
            (seconds * hertz * std::f32::consts::TAU).sin()
        };
        let noise = (*noise >> 16) as f32 / 65_536.0 - 0.5;
        (tone(0) + tone(4) + tone(7)) * 0.2 + noise * 0.1 * f32::from(channel + 1)
    };
    let frames: Vec<usize> = (0..SECONDS * rate_hz as usize).collect();
    let block = |frames: &[usize]| {
        let frames = frames.iter().flat_map(|&frame| (0..channels).map(move |channel| (frame, channel)));
        let interleaved = frames.map(|(frame, channel)| value(frame, channel, &mut noise)).collect();
        Samples { rate_hz, channels, interleaved }
    };
    frames.chunks(4096).map(block).collect()
}

fn from_samples(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("Chromaprint");
    group.throughput(Throughput::Elements(SECONDS as u64));
    for (rate_hz, channels) in [(44_100, 2), (48_000, 2), (48_000, 6), (11_025, 1)] {
        let blocks = sound(rate_hz, channels);
        let name = BenchmarkId::new("from samples", format!("{rate_hz} Hz x {channels}"));
        group.bench_with_input(name, &blocks, |bencher, blocks| bencher.iter(|| chromaprint(black_box(blocks))));
    }
    let samples: Vec<i16> =
        sound(11_025, 1).iter().flat_map(|block| &block.interleaved).map(|value| (value * 32_767.0) as i16).collect();
    group.bench_function("of 11,025 Hz in 16 bits", |bencher| {
        bencher.iter(|| {
            let mut chromaprint = Chromaprint::new();
            chromaprint.push(black_box(&samples));
            chromaprint.finish()
        });
    });
    group.finish();
}

/// Peaks of both mixes and Chromaprint's items together, as a scan makes them.
fn whole(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("whole fingerprint");
    group.throughput(Throughput::Elements(SECONDS as u64));
    for (rate_hz, channels) in [(44_100, 2), (44_100, 1), (11_025, 1)] {
        let blocks = sound(rate_hz, channels);
        let name = BenchmarkId::new("from samples", format!("{rate_hz} Hz x {channels}"));
        group.bench_with_input(name, &blocks, |bencher, blocks| {
            bencher.iter(|| {
                let mut fingerprinter = AudioFingerprinter::new(0);
                black_box(blocks).iter().for_each(|block| fingerprinter.push(block));
                fingerprinter.finish()
            });
        });
    }
    group.finish();
}

/// An hour of items that change some bits at a time.
fn hour() -> Vec<u32> {
    let (mut state, mut item) = (1_u64, 0);
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 32) as u32
    };
    (0..29_077)
        .map(|_| {
            item ^= next() & next() & next();
            item
        })
        .collect()
}

/// Ten seconds looked up in an hour of sixty recordings: an excerpt of one, and something that is of none, for which all speeds and
/// pitches are tried.
fn searched(criterion: &mut Criterion) {
    let recording = |seed: u32, seconds: u32| {
        let mut noise = seed.wrapping_mul(2_654_435_761) | 1;
        let mut fingerprinter = AudioFingerprinter::new(0);
        let mut sample = |n: u32| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // Four voices, whose notes die away and are each of another length.
            let voice = |voice: u32| {
                let length = 1_500 + 700 * voice + seed * 137 % 600;
                let mut note = n / length + (seed << 12) + (voice << 10);
                for odd in [0x7feb_352d_u32, 0x846c_a68b] {
                    note = (note ^ note >> 16).wrapping_mul(odd);
                }
                let note = (note >> 8) % 2_400;
                let wave = f64::from(n) * f64::from(150 + note) * std::f64::consts::TAU / 11_025.0;
                wave.sin() * 0.2 * (-f64::from(n % length) / 900.0).exp()
            };
            (0..4).map(voice).sum::<f64>() as f32 + (noise >> 16) as f32 / 3e6
        };
        let interleaved: Vec<f32> = (0..seconds * 11_025).map(&mut sample).collect();
        fingerprinter.push(&Samples { rate_hz: 11_025, channels: 1, interleaved });
        fingerprinter.finish()
    };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut writer = Writer::open(directory.path()).expect("a new index");
    for seed in 0..60 {
        let fingerprints = vec![Fingerprint::Audio(recording(seed, 60))];
        let work = Work::new(WorkId::new(seed.to_string()).expect("an id"));
        let entry = Entry { work, source_name: seed.to_string(), source_digest: None, fingerprints, thumbnail: None };
        writer.add(entry).expect("room for it");
    }
    writer.commit().expect("a disk that can be written");
    let index = Index::open(directory.path(), Access::Mapped).expect("the index");
    let search = SoundSearch::new(&index).expect("a sound index");
    let mut group = criterion.benchmark_group("ten seconds in an hour");
    for (name, seed, found) in [("an excerpt", 7, true), ("of no recording", 977, false)] {
        let query = recording(seed, 10);
        assert_eq!(search.find(&query, 13.0).expect("a sound index").is_empty(), !found, "{name}");
        group.bench_function(name, |bencher| bencher.iter(|| search.find(black_box(&query), 6.0)));
    }
    group.finish();
}

fn items(criterion: &mut Criterion) {
    let hour = hour();
    let text = compress_to_text(&hour, CHROMAPRINT_2);
    let mut group = criterion.benchmark_group("items of an hour");
    group.throughput(Throughput::Elements(3_600));
    group.bench_function("compressed", |bencher| bencher.iter(|| compress_to_text(black_box(&hour), CHROMAPRINT_2)));
    group.bench_function("decompressed", |bencher| bencher.iter(|| decompress_text(black_box(&text))));
    for (name, length) in [("10 s", 59), ("3 min", 1_432), ("30 min", 14_500)] {
        let query = &hour[9_000..9_000 + length];
        group.bench_function(BenchmarkId::new("aligned with", name), |bencher| {
            bencher.iter(|| align(black_box(query), black_box(&hour)));
        });
    }
    group.finish();
}

criterion_group!(benches, from_samples, whole, searched, items);
criterion_main!(benches);
