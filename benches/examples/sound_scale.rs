//! A large index of sound made of a small one: every track again and again, each time with other speeds, pitches and some
//! of its peaks moved, so that no copy is a copy of another.
//!
//! `sound_scale SMALL LARGE COPIES`, then `sound_scores LARGE …` for the time of queries.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::path::Path;
use std::time::Instant;

use minutia::fingerprint::{AudioFingerprint, Fingerprint, Mix, Peak};
use minutia::index::{Access, Entry, Index, Work, WorkId, Writer};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let copies: u32 = arguments[2].parse().unwrap();
    let small = Index::open(Path::new(&arguments[0]), Access::InMemory).unwrap();
    let mut writer = Writer::open(Path::new(&arguments[1])).unwrap();
    let start = Instant::now();
    let mut seconds = 0;
    for (segment, sound) in small.sounds().unwrap() {
        for track in 0..sound.len() {
            let registered = small.track(segment, track).unwrap();
            for copy in 0..copies {
                let changed = |mix| {
                    let mut peaks: Vec<Peak> = sound.peaks(track, mix).iter().map(|peak| moved(peak, copy)).collect();
                    peaks.sort_unstable();
                    peaks
                };
                let print = AudioFingerprint {
                    duration_ms: registered.duration_ms,
                    content_ms: registered.content_ms,
                    mid: changed(Mix::Mid),
                    side: changed(Mix::Side),
                    ..AudioFingerprint::default()
                };
                seconds += print.duration_ms / 1_000;
                let name = if copy == 0 {
                    registered.source_name.clone()
                } else {
                    format!("{copy}-{}", registered.source_name)
                };
                writer
                    .add(Entry {
                        work: Work::new(WorkId::new(format!("{copy}-{}", registered.work)).unwrap()),
                        source_name: name,
                        source_digest: None,
                        fingerprints: vec![Fingerprint::Audio(print)],
                        thumbnail: None,
                    })
                    .unwrap();
            }
        }
    }
    println!("{} h added in {:.0} s", seconds / 3_600, start.elapsed().as_secs_f64());
    let start = Instant::now();
    let done = writer.commit().unwrap();
    println!("{} tracks committed in {:.0} s", done.tracks, start.elapsed().as_secs_f64());
}

/// Copy 0 is the track itself. The others play 0.9 to 1.1 as fast and up to 300 cents lower or higher, and a third of their
/// peaks lie up to an octave and a quarter of a second elsewhere.
fn moved(peak: Peak, copy: u32) -> Peak {
    if copy == 0 {
        return peak;
    }
    let hash = |seed: u32| {
        let mixed =
            (peak.time ^ u32::from(peak.pitch) << 16 ^ seed.wrapping_mul(0x9e37_79b9)).wrapping_mul(0x85eb_ca6b);
        (mixed ^ mixed >> 15).wrapping_mul(0xc2b2_ae35) >> 8
    };
    let speed = 0.9 + 0.2 * f64::from(copy.wrapping_mul(7_919) % 1_000) / 1_000.0;
    let shift = (copy.wrapping_mul(104_729) % 120) as i32 - 60;
    let time = (f64::from(peak.time) * speed) as u32;
    let (time, elsewhere) = if hash(copy) % 3 == 0 {
        (time + hash(copy ^ 1) % 170, (hash(copy ^ 2) % 480) as i32 - 240)
    } else {
        (time, 0)
    };
    let pitch = (i32::from(peak.pitch) + shift + elsewhere).clamp(0, i32::from(Peak::PITCHES) - 1) as u16;
    Peak { time, pitch, rank: peak.rank }
}
