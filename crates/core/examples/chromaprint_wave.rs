//! Prints the compressed Chromaprint fingerprint of each WAV file of 16 bits that is named, with its name behind it, and how
//! long samples took: what `tools/chromaprint_oracle` compares with `fpcalc`.
//!
//! `cargo run --release -p minutia --no-default-features --example chromaprint_wave -- FILE.wav…`

// It is a program.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::time::{Duration, Instant};

use minutia::fingerprint::{CHROMAPRINT_2, chromaprint, compress_to_text};
use minutia::media::Samples;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut seconds, mut took) = (0.0, Duration::ZERO);
    for name in std::env::args().skip(1) {
        let bytes = std::fs::read(&name)?;
        let (rate_hz, channels, data) =
            wave(&bytes).ok_or_else(|| format!("expected a WAV file of 16 bits: {name}"))?;
        let block = |bytes: &[u8]| {
            let value = |pair: &[u8; 2]| f32::from(i16::from_le_bytes(*pair)) / 32_768.0;
            Samples { rate_hz, channels, interleaved: bytes.as_chunks::<2>().0.iter().map(value).collect() }
        };
        let blocks: Vec<Samples> = data.chunks(4096 * 2 * usize::from(channels)).map(block).collect();
        let start = Instant::now();
        let items = chromaprint(&blocks);
        took += start.elapsed();
        seconds += data.len() as f64 / 2.0 / f64::from(channels) / f64::from(rate_hz);
        println!("{} {name}", compress_to_text(&items, CHROMAPRINT_2));
    }
    eprintln!("{:.0} times real time from samples", seconds / took.as_secs_f64());
    Ok(())
}

/// Rate, channels and samples.
fn wave(bytes: &[u8]) -> Option<(u32, u16, &[u8])> {
    let word = |bytes: &[u8]| Some(u32::from_le_bytes(*bytes.first_chunk()?));
    let mut rest = bytes.strip_prefix(b"RIFF")?.get(8..)?;
    let mut form = None;
    loop {
        let (kind, length) = (rest.get(..4)?, word(rest.get(4..)?)? as usize);
        // A program that writes into a pipe does not know the length.
        let body = rest.get(8..)?;
        let body = &body[..length.min(body.len())];
        match (kind, form) {
            (b"fmt ", _) if body.get(14..16)? == [16, 0] => {
                form = Some((word(body.get(4..)?)?, u16::from_le_bytes(*body.get(2..)?.first_chunk()?)));
            }
            (b"data", Some((rate_hz, channels))) => return (channels > 0).then_some((rate_hz, channels, body)),
            _ => {}
        }
        rest = rest.get(8 + length + length % 2..)?;
    }
}
