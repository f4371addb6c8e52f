//! Scores of sound against an index, as `{"query","reference","score",...}` lines: what the thresholds were chosen by.
//!
//! `sound_scores IDX PCM…`: mono or stereo files of 16-bit samples at 11,025 Hz, two channels.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

use std::path::Path;
use std::time::Instant;

use minutia::fingerprint::AudioFingerprinter;
use minutia::index::{Access, Index};
use minutia::media::Samples;
use minutia::search::SoundSearch;
use rayon::prelude::*;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let index = Index::open(Path::new(&arguments[0]), Access::InMemory).unwrap();
    let search = SoundSearch::new(&index).unwrap();
    let listed = std::fs::read_to_string(&arguments[1]).unwrap();
    let files: Vec<&str> = listed.lines().collect();
    let rows: Vec<(String, f64, f64)> = files
        .par_iter()
        .map(|file| {
            let bytes = std::fs::read(file).unwrap();
            let interleaved =
                bytes.as_chunks::<2>().0.iter().map(|&b| f32::from(i16::from_le_bytes(b)) / 32_768.0).collect();
            let start = Instant::now();
            let mut fingerprinter = AudioFingerprinter::new(0);
            fingerprinter.push(&Samples { rate_hz: 11_025, channels: 2, interleaved });
            let query = fingerprinter.finish();
            let made = start.elapsed().as_secs_f64();
            let start = Instant::now();
            let found = search.find(&query, 4.0).unwrap();
            let searched = start.elapsed().as_secs_f64();
            let name = Path::new(file).file_stem().unwrap().to_string_lossy().into_owned();
            let lines = found.iter().map(|found| {
                let track = index.track(found.segment, found.track).unwrap();
                let (q, r) = (&found.query_span_ms, &found.reference_span_ms);
                format!(
                    "{{\"query\":\"{name}\",\"reference\":\"{}\",\"score\":{:.3},\"llr\":{:.2},\"contrast\":{:.2},\"closeness\":{:.2},\
                     \"query_start\":{},\"query_end\":{},\"ref_start\":{},\"ref_end\":{},\"speed\":{:.6},\
                     \"cents\":{:.1},\"rate\":{:.3},\"chance\":0,\"n\":{},\"content\":{}}}\n",
                    track.source_name.rsplit_once('.').map_or(&*track.source_name, |pair| pair.0),
                    found.score,
                    found.likelihood,
                    found.contrast,
                    found.closeness,
                    q.start as f64 / 1e3,
                    q.end as f64 / 1e3,
                    r.start as f64 / 1e3,
                    r.end as f64 / 1e3,
                    found.speed,
                    found.pitch_cents,
                    f64::from(found.coinciding) / f64::from(found.peaks),
                    found.peaks,
                    query.content_ms
                )
            });
            (lines.collect(), made, searched)
        })
        .collect();
    rows.iter().for_each(|(lines, ..)| print!("{lines}"));
    let told = |time: fn(&(String, f64, f64)) -> f64| {
        let mut times: Vec<f64> = rows.iter().map(|row| 1e3 * time(row)).collect();
        times.sort_by(f64::total_cmp);
        let mean = times.iter().sum::<f64>() / times.len().max(1) as f64;
        let at = |share: f64| times.get((share * times.len() as f64) as usize).copied().unwrap_or(0.0);
        format!("mean {mean:.1} ms, median {:.1}, 90 % {:.1}", at(0.5), at(0.9))
    };
    eprintln!("{} queries; to make: {}; to search: {}", rows.len(), told(|row| row.1), told(|row| row.2));
}
