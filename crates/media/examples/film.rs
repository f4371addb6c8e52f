//! Decodes the pictures of films and tells what was found: `cargo run --release -p minutia-media --example film FILE...`.
//! Options before the files: `--ffmpeg PROGRAM` has that program decode, `--frames` prints time and a digest of each frame,
//! `--keys`, `--sparse`, `--rate N`, `--span FROM,TO` (microseconds) and `--track N` say what is wanted.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write, stdout};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use minutia_media::decode::video::{Frame, Selection, Wanted, decode};
use minutia_media::{Ffmpeg, Limits, Source, probe};

fn main() -> Result<(), Box<dyn Error>> {
    let (mut wanted, mut ffmpeg, mut frames, mut paths) = (Wanted::default(), None, false, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or("a value is missing");
        match argument.as_str() {
            "--ffmpeg" => ffmpeg = Some(Ffmpeg::at(Path::new(&value()?))?),
            "--frames" => frames = true,
            "--keys" => wanted.selection = Selection::KeyFrames,
            "--sparse" => wanted.selection = Selection::Sparse,
            "--rate" => wanted.rate_fps = Some(value()?.parse()?),
            "--track" => wanted.track = Some(value()?.parse()?),
            "--span" => {
                let value = value()?;
                let (from, to) = value.split_once(',').ok_or("FROM,TO")?;
                wanted.span_us = Some(from.parse()?..to.parse()?);
            }
            _ => paths.push(argument),
        }
    }
    let mut out = BufWriter::new(stdout().lock());
    for path in &paths {
        let source = Source::from_file(File::open(path)?)?;
        let start = Instant::now();
        let mut sink = |frame: Frame| {
            if frames {
                let key = frame.key.map_or("?", |key| if key { "K" } else { "-" });
                let (width, height, pts_us) = (frame.luma.width(), frame.luma.height(), frame.pts_us);
                let written = writeln!(out, "{pts_us} {key} {width}x{height} {:016x}", fnv(frame.luma.pixels()));
                return if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
            }
            ControlFlow::Continue(())
        };
        let limits = Limits::default();
        let decoded = probe(&source).and_then(|format| match &ffmpeg {
            Some(ffmpeg) => ffmpeg.decode_film(&source, format, &wanted, &limits, &mut sink),
            None => decode(&source, format, &wanted, &limits, &mut sink),
        });
        let seconds = start.elapsed().as_secs_f64();
        match decoded {
            Ok(decoded) => {
                let times = decoded.last_us.unwrap_or(0) as f64 / 1e6 / seconds;
                writeln!(out, "{path}: {decoded:?}, {seconds:.3} s, {times:.1} times real time")?;
            }
            Err(problem) => writeln!(out, "{path}: {problem}")?,
        }
    }
    Ok(())
}

/// FNV-1a of 64 bits: enough to tell frames apart.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}
