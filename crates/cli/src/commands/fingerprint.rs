//! `minutia fingerprint`: the codes of pictures, one a line.

use std::io::{BufWriter, Write, stdout};
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::{Result, bail};
use minutia::fingerprint::{ALGORITHMS, Algorithm, Code};
use minutia_media::decode::image::{Channels, decode};
use minutia_media::{Limits, Problem, Source, probe};
use minutia_report::escape;
use serde_json::json;

use crate::args;
use crate::exit::Exit;
use crate::settings::shown;
use crate::walk::{self, Met};

/// Prints the fingerprint of each file's first picture.
pub(crate) fn run(args: args::Fingerprint) -> Result<Exit> {
    let algorithm = named(&args.algorithm)?;
    let mut out = BufWriter::new(stdout().lock());
    let mut exit = Exit::Nothing;
    for path in &args.files {
        let (code, quality) = match fingerprint(path, algorithm) {
            Ok(made) => made,
            Err(problem) => {
                out.flush()?;
                anstream::eprintln!("{}: {}", shown(path), escape::text(&problem.to_string()));
                exit = Exit::Unexamined;
                continue;
            }
        };
        let hex = &code.to_string()[..algorithm.bits.div_ceil(4) as usize];
        if args.json {
            let bytes = path.as_os_str().as_bytes();
            let text = String::from_utf8_lossy(bytes);
            let mut line = json!({ "path": text, "algorithm": algorithm.name, "hex": hex, "quality": quality });
            if text.as_bytes() != bytes {
                line["path_bytes"] = json!(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
            }
            writeln!(out, "{}", escape::json(&line)?)?;
        } else {
            let quality = quality.map_or_else(|| "-".to_owned(), |quality| quality.to_string());
            writeln!(out, "{hex} {quality:>3} {}  {}", algorithm.name, shown(path))?;
        }
    }
    out.flush()?;
    Ok(exit)
}

/// The algorithm of this name.
pub(super) fn named(name: &str) -> Result<&'static Algorithm> {
    let Some(algorithm) = ALGORITHMS.iter().find(|row| row.name == name) else {
        let names: Vec<&str> = ALGORITHMS.iter().map(|row| row.name).collect();
        bail!("expected the name of an algorithm ({}), found {}", names.join(", "), escape::text(name));
    };
    Ok(algorithm)
}

/// The code and quality of a file's first picture, and a note of what is wrong with it.
pub(super) fn fingerprint(path: &Path, algorithm: &Algorithm) -> Result<(Code, Option<u8>), Problem> {
    let source = match walk::one(path).met {
        Met::File(opened) => Source::from_file(opened.file)?,
        Met::Unreadable { during, error } => return Err(Problem::io(during, &error)),
        Met::Skipped(_, reason) => return Err(Problem::NotMedia { found: reason.to_owned() }),
        Met::Passed(_) => return Err(Problem::NotMedia { found: "not looked into".to_owned() }),
    };
    let format = probe(&source)?;
    let mut made = None;
    let decoded = decode(&source, format, Channels::Rgb, &Limits::default(), &mut |frame| {
        made = Some((algorithm.code)(&frame.picture));
        ControlFlow::Break(())
    })?;
    for problem in &decoded.problems {
        anstream::eprintln!("note: {}: {}", shown(path), escape::text(&problem.to_string()));
    }
    made.ok_or_else(|| Problem::Damaged { detail: "no picture in it".to_owned() })
}
