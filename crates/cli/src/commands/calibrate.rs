//! `minutia calibrate`: the calibration rows of a build, from sets of pictures or recordings that have nothing to do with
//! each other.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{Write, stdout};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use minutia::fingerprint::{AlgorithmId, FilmFingerprint, Fingerprint, ImageFingerprint};
use minutia::scan::Request;
use minutia::verdict::calibration::{
    FilmSample, Histogram, PARTS, Sample, ScoreHistogram, SoundSample, measure, measure_films, measure_sound,
};
use minutia_report::escape::{name, text};
use rayon::ThreadPoolBuilder;

use crate::args;
use crate::exit::Exit;
use crate::measure::{Content, Measurer};
use crate::pipeline;
use crate::progress::{Progress, counted};
use crate::reading::Reading;
use crate::settings::{Roots, shown};
use crate::walk::{Resolution, Walk};

/// Calibrates as typed: the row on standard output, what to look at on standard error.
pub(crate) fn run(args: args::Calibrate) -> Result<Exit> {
    let roots = Roots::of(args.sets.clone())?;
    ensure!(roots.paths.len() > 1, "expected at least two sets: only what different sets hold is compared");
    let without = args.without.as_deref().map(listed).transpose()?.unwrap_or_default();
    let reading = Reading::of(&args.reading);
    reading.facts_aloud()?;
    if args.sound {
        return sound(&roots, &reading, &without, &args);
    }
    if args.film {
        return films(&roots, &reading, &without, &args);
    }
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
    let histogram = pool.install(|| measure(&samples, args.pairs));
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

/// Calibrates sound: the row on standard output, what to listen to on standard error.
fn sound(roots: &Roots, reading: &Reading, without: &HashSet<PathBuf>, args: &args::Calibrate) -> Result<Exit> {
    let recordings = fingerprints(roots, reading, &Request::query(), without, |print| match print {
        Fingerprint::Audio(sound) if !sound.mid.is_empty() => Some(sound),
        _ => None,
    })?;
    let (paths, samples): (Vec<PathBuf>, Vec<SoundSample>) =
        recordings.into_iter().map(|(path, set, sound)| (path, SoundSample { set, sound })).unzip();
    let sets = samples.iter().map(|sample| sample.set).collect::<HashSet<_>>().len();
    ensure!(sets > 1, "expected recordings in at least two sets, found them in {sets}");

    let histogram =
        in_parts(reading, |scratch, done| measure_sound(&samples, scratch, args.pairs, done).map_err(Into::into))?;
    told(&histogram, &paths, sets, "recording");
    write!(stdout().lock(), "{}", score_row(&histogram, samples.len(), sets, &SOUND_ROW, args))?;
    Ok(Exit::Nothing)
}

/// Calibrates the pictures of films: the row on standard output, what to look at on standard error.
fn films(roots: &Roots, reading: &Reading, without: &HashSet<PathBuf>, args: &args::Calibrate) -> Result<Exit> {
    let film = |print| match print {
        Fingerprint::Film(film) if !film.frames.is_empty() => Some(film),
        _ => None,
    };
    let queries = fingerprints(roots, reading, &Request::query(), without, film)?;
    let references = fingerprints(roots, reading, &Request::reference(), without, film)?;
    let mut references: BTreeMap<PathBuf, FilmFingerprint> =
        references.into_iter().map(|(path, _, reference)| (path, reference)).collect();
    let (paths, samples): (Vec<PathBuf>, Vec<FilmSample>) = queries
        .into_iter()
        .filter_map(|(path, set, query)| {
            let reference = references.remove(&path)?;
            Some((path, FilmSample { set, query, reference }))
        })
        .unzip();
    let sets = samples.iter().map(|sample| sample.set).collect::<HashSet<_>>().len();
    ensure!(sets > 1, "expected films in at least two sets, found them in {sets}");

    let histogram =
        in_parts(reading, |scratch, done| measure_films(&samples, scratch, args.pairs, done).map_err(Into::into))?;
    told(&histogram, &paths, sets, "film");
    write!(stdout().lock(), "{}", score_row(&histogram, samples.len(), sets, &FILM_ROW, args))?;
    Ok(Exit::Nothing)
}

/// Measures part by part, with a bar.
fn in_parts(
    reading: &Reading,
    measure: impl FnOnce(&Path, &mut dyn FnMut(usize)) -> Result<ScoreHistogram> + Send,
) -> Result<ScoreHistogram> {
    let scratch = tempfile::tempdir().context("making a directory for indexes")?;
    let pool = ThreadPoolBuilder::new().num_threads(reading.threads).build()?;
    let bar = counted(PARTS.into(), "parts");
    let histogram = pool.install(|| measure(scratch.path(), &mut |done| bar.set_position(done as u64)))?;
    bar.finish_and_clear();
    Ok(histogram)
}

/// Tells the pairs with the highest scores.
fn told(histogram: &ScoreHistogram, paths: &[PathBuf], sets: usize, work: &str) {
    anstream::eprintln!(
        "{} {work}s of {sets} sets, {} pairs of a window and a {work}. The highest scores, and how many windows score \
         high; if two of these share something, name one of them in the list that --without takes and run it again:",
        paths.len(),
        histogram.pairs()
    );
    let at = |ms: u64| format!("{}:{:02}", ms / 60_000, ms / 1_000 % 60);
    for pair in &histogram.highest {
        anstream::eprintln!(
            "{:>6.1} {:>3}  {} at {}  {} at {}",
            pair.score,
            pair.windows,
            shown(&paths[pair.query]),
            at(pair.query_ms),
            shown(&paths[pair.reference]),
            at(pair.reference_ms)
        );
    }
}

/// The first picture of every file that has one with something to compare, with its path and set.
fn pictures(
    roots: &Roots,
    reading: &Reading,
    request: &Request,
    without: &HashSet<PathBuf>,
) -> Result<Vec<(PathBuf, u32, ImageFingerprint)>> {
    fingerprints(roots, reading, request, without, |print| match print {
        Fingerprint::Image(image) if !image.views.is_empty() => Some(image),
        _ => None,
    })
}

/// The first fingerprint of every file that `wanted` takes, with the file's path and set.
fn fingerprints<T>(
    roots: &Roots,
    reading: &Reading,
    request: &Request,
    without: &HashSet<PathBuf>,
    wanted: impl Fn(Fingerprint) -> Option<T>,
) -> Result<Vec<(PathBuf, u32, T)>> {
    let resolution = Resolution::here();
    let mut progress = Progress::over(roots, resolution);
    let mut found = Vec::new();
    let entries = Walk::new(&roots.paths, resolution);
    let measurer = || Measurer::new(reading.reader(), request.clone());
    pipeline::run(entries, 0, reading.threads, measurer, |batch| {
        for measured in batch {
            progress.add(measured.facts.size.unwrap_or(0));
            let path = PathBuf::from(OsString::from_vec(measured.facts.path));
            let Content::Items(items) = measured.content else { continue };
            // Half a picture is not what it shows.
            let whole = items.into_iter().filter(|item| item.problems.is_empty());
            let first = whole.flat_map(|item| item.fingerprints).find_map(&wanted);
            let Some(print) = first.filter(|_| !without.contains(&path)) else { continue };
            let set = roots.paths.iter().position(|root| path.starts_with(root));
            let set = set.with_context(|| format!("{}: in none of the sets", name(path.as_os_str().as_bytes())))?;
            found.push((path, set as u32, print));
        }
        Ok(())
    })?;
    Ok(found)
}

/// The source of `verdict/calibration/views.rs`.
fn row(histogram: &Histogram, pictures: usize, sets: usize, args: &args::Calibrate) -> String {
    let counts = filled(&histogram.within());
    let algorithm = AlgorithmId::PDQ_AREA.row().map_or("unknown", |row| row.name);
    let data = in_words(args);
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
        counts,
    );
    out
}

/// What differs between the rows of scores.
struct ScoreRow {
    of: &'static str,
    option: &'static str,
    /// [`ScoreCalibration::slowest`](minutia::verdict::calibration::ScoreCalibration).
    slowest: &'static str,
}

/// `verdict/calibration/scores/landmarks.rs`.
const SOUND_ROW: ScoreRow = ScoreRow { of: "`landmarks`", option: "--sound", slowest: "0.53" };
/// `verdict/calibration/scores/frames.rs`.
const FILM_ROW: ScoreRow = ScoreRow { of: "the frames of films", option: "--film", slowest: "0.77" };

/// The source of a row of scores.
fn score_row(histogram: &ScoreHistogram, works: usize, sets: usize, row: &ScoreRow, args: &args::Calibrate) -> String {
    let ScoreRow { of, option, slowest } = row;
    format!(
        "//! The row of {of}: made by `minutia calibrate {option}`, not by hand.\n\n\
         use super::ScoreCalibration;\n\n\
         pub(super) const ROW: ScoreCalibration = ScoreCalibration {{\n    \
             data: \"{}\",\n    \
             command: \"minutia calibrate {option} SETS/*\",\n    \
             works: {works},\n    \
             sets: {sets},\n    \
             pairs: {},\n    \
             steps: {},\n    \
             at_least: AT_LEAST,\n    \
             slowest: {slowest},\n\
         }};\n\n\
         #[rustfmt::skip]\n\
         const AT_LEAST: &[u64] = &[\n{}\n];\n",
        in_words(args),
        histogram.pairs(),
        histogram.steps,
        filled(&histogram.at_least()),
    )
}

/// What was measured, as it can stand in a string.
fn in_words(args: &args::Calibrate) -> String {
    text(&args.data).replace(['"', '\\'], "'")
}

/// Numbers as the lines of an array.
fn filled(counts: &[u64]) -> String {
    let mut lines = vec![String::from("       ")];
    for count in counts {
        let item = format!(" {count},");
        match lines.last_mut() {
            Some(line) if line.len() + item.len() <= 120 => line.push_str(&item),
            _ => lines.push(format!("       {item}")),
        }
    }
    lines.join("\n")
}
