//! `minutia calibrate`: the calibration row of a build, from sets of pictures that have nothing to do with each other.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{Write, stdout};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use minutia::fingerprint::{AlgorithmId, Fingerprint, ImageFingerprint};
use minutia::scan::Request;
use minutia::verdict::calibration::{Histogram, Sample, measure};
use minutia_report::escape::{name, text};
use rayon::ThreadPoolBuilder;

use crate::args;
use crate::exit::Exit;
use crate::measure::{Content, Measurer};
use crate::pipeline;
use crate::progress::Progress;
use crate::settings::{Reading, Roots, shown};
use crate::walk::{Resolution, Walk};

/// Calibrates as typed: the row on standard output, what to look at on standard error.
pub(crate) fn run(args: args::Calibrate) -> Result<Exit> {
    let roots = Roots::of(args.sets.clone())?;
    ensure!(roots.paths.len() > 1, "expected at least two sets: only pictures of different sets are compared");
    let without = args.without.as_deref().map(listed).transpose()?.unwrap_or_default();
    let reading = Reading::of(&args.reading);
    reading.facts()?;
    let queries = pictures(&roots, &reading, &Request::query(), &without)?;
    let references = pictures(&roots, &reading, &Request::reference(), &without)?;
    let mut references: BTreeMap<PathBuf, ImageFingerprint> =
        references.into_iter().map(|(path, _, reference)| (path, reference)).collect();
    // A picture that is blank but for a corner may have views as one and none as the other.
    let (paths, samples): (Vec<PathBuf>, Vec<Sample>) = queries
        .into_iter()
        .filter_map(|(path, set, query)| {
            let reference = references.remove(&path)?;
            Some((path, Sample { set, query, reference }))
        })
        .unzip();

    let pool = ThreadPoolBuilder::new().num_threads(reading.threads).build()?;
    let histogram = pool.install(|| measure(&samples, args.lowest));
    anstream::eprintln!(
        "{} pictures of {} sets, {} pairs. The lowest scores; if two of these show the same thing, name one of them in \
         the list that --without takes and run it again:",
        samples.len(),
        roots.paths.len(),
        histogram.pairs()
    );
    for (score, query, reference) in &histogram.lowest {
        anstream::eprintln!("{score:>6.1}  {}  {}", shown(&paths[*query]), shown(&paths[*reference]));
    }
    write!(stdout().lock(), "{}", row(&histogram, samples.len(), roots.paths.len(), &args))?;
    Ok(Exit::Nothing)
}

/// The paths in a list, one a line.
fn listed(path: &Path) -> Result<HashSet<PathBuf>> {
    let bytes = std::fs::read(path).with_context(|| format!("{}: reading the list", shown(path)))?;
    let lines = bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    Ok(lines.map(|line| PathBuf::from(OsString::from_vec(line.to_vec()))).collect())
}

/// The first picture of every file that has one with something to compare, with its path and set.
fn pictures(
    roots: &Roots,
    reading: &Reading,
    request: &Request,
    without: &HashSet<PathBuf>,
) -> Result<Vec<(PathBuf, u32, ImageFingerprint)>> {
    let resolution = Resolution::here();
    let mut progress = Progress::over(roots, resolution);
    let mut pictures = Vec::new();
    let entries = Walk::new(&roots.paths, resolution);
    let measurer = || Measurer::new(reading.reader(), request.clone());
    pipeline::run(entries, reading.threads, measurer, |batch| {
        for measured in batch {
            progress.add(measured.facts.size.unwrap_or(0));
            let path = PathBuf::from(OsString::from_vec(measured.facts.path));
            let Content::Items(items) = measured.content else { continue };
            // Half a picture is not what it shows.
            let whole = items.into_iter().filter(|item| item.problems.is_empty());
            let Some(Fingerprint::Image(image)) = whole.flat_map(|item| item.fingerprints).next() else { continue };
            if without.contains(&path) || image.views.is_empty() {
                continue;
            }
            let set = roots.paths.iter().position(|root| path.starts_with(root));
            let set = set.with_context(|| format!("{}: in none of the sets", name(path.as_os_str().as_bytes())))?;
            pictures.push((path, set as u32, image));
        }
        Ok(())
    })?;
    Ok(pictures)
}

/// The source of `verdict/calibration/views.rs`.
fn row(histogram: &Histogram, pictures: usize, sets: usize, args: &args::Calibrate) -> String {
    let mut lines = vec![String::from("       ")];
    for count in histogram.within() {
        let item = format!(" {count},");
        match lines.last_mut() {
            Some(line) if line.len() + item.len() <= 120 => line.push_str(&item),
            _ => lines.push(format!("       {item}")),
        }
    }
    let algorithm = AlgorithmId::PDQ_AREA.row().map_or("unknown", |row| row.name);
    let data = text(&args.data).replace(['"', '\\'], "'");
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write!(
        out,
        "//! The row of `{algorithm}`: made by `minutia calibrate`, not by hand.\n\n\
         use super::Calibration;\n\
         use crate::fingerprint::AlgorithmId;\n\n\
         pub(super) const ROW: Calibration = Calibration {{\n    \
             algorithm: AlgorithmId::PDQ_AREA,\n    \
             data: \"{data}\",\n    \
             command: \"minutia calibrate SETS/*\",\n    \
             pictures: {pictures},\n    \
             sets: {sets},\n    \
             pairs: {},\n    \
             within: WITHIN,\n\
         }};\n\n\
         #[rustfmt::skip]\n\
         const WITHIN: &[u64] = &[\n{}\n];\n",
        histogram.pairs(),
        lines.join("\n"),
    );
    out
}
