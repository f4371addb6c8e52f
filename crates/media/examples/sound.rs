//! Decodes the sound of files and tells what was found: `cargo run --release -p minutia-media --example sound FILE...`.
//! With `--raw FILE` the samples go to standard output instead, 32-bit floats in the machine's order; with
//! `--ffmpeg PROGRAM` first, that program is asked for what no decoder here can read.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write, stdout};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use minutia_media::decode::audio::decode;
use minutia_media::{Ffmpeg, Limits, Problem, Samples, Source, probe};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut ffmpeg = None;
    if arguments.first().is_some_and(|first| first == "--ffmpeg") && arguments.len() > 1 {
        ffmpeg = Some(Ffmpeg::at(Path::new(&arguments[1]))?);
        arguments.drain(..2);
    }
    let raw = arguments.first().is_some_and(|first| first == "--raw");
    let mut out = BufWriter::new(stdout().lock());
    for path in &arguments[usize::from(raw)..] {
        let source = Source::from_file(File::open(path)?)?;
        let start = Instant::now();
        let mut sink = |samples: Samples| {
            if raw && samples.interleaved.iter().any(|sample| out.write_all(&sample.to_ne_bytes()).is_err()) {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        };
        let limits = Limits::default();
        let decoded = probe(&source).and_then(|format| match (decode(&source, format, &limits, &mut sink), &ffmpeg) {
            (Err(Problem::Unsupported { .. }), Some(ffmpeg)) => ffmpeg.decode(&source, format, &limits, &mut sink),
            (decoded, _) => decoded,
        });
        let seconds = start.elapsed().as_secs_f64();
        if !raw {
            match decoded {
                Ok(decoded) => {
                    let times = decoded.decoded_ms as f64 / 1e3 / seconds;
                    writeln!(out, "{path}: {decoded:?}, {seconds:.3} s, {times:.0} times real time")?;
                }
                Err(problem) => writeln!(out, "{path}: {problem}")?,
            }
        }
    }
    Ok(())
}
