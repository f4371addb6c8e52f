//! `minutia index add`: works in, fingerprints on disk.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::io::{Write, stdout};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use minutia::fingerprint::Fingerprint;
use minutia::index::{Commit, Entry, Work, WorkId, Writer};
use minutia::scan::{Item, Request};
use minutia_report::escape::{name, text};
use minutia_report::many;

use crate::args;
use crate::catalogue::Catalogue;
use crate::exit::Exit;
use crate::indexes;
use crate::measure::{Content, Measured, Measurer};
use crate::pipeline;
use crate::progress::Progress;
use crate::reading::Reading;
use crate::settings::Roots;
use crate::walk::{self, Met, Resolution, Walk};

/// The longer side of a thumbnail in pixels.
const THUMBNAIL_PX: u16 = 256;
/// Files between commits: what a stop costs at most.
const FILES_PER_COMMIT: u64 = 20_000;
/// Peaks of sound and codes of films that count as one more file: some 30 hours of sound between commits, or 600 of film,
/// which bounds the memory.
const PEAKS_PER_FILE: usize = 1_000;

/// Adds as typed.
pub(crate) fn run(args: args::IndexAdd) -> Result<Exit> {
    let settings = Settings {
        roots: Roots::of(args.paths)?,
        index: args.index,
        catalogue: args.catalogue,
        owner: args.owner,
        min_quality: args.min_quality,
        thumbnails: args.thumbnails,
        reading: Reading::of(&args.reading),
    };
    let added = add(&settings)?;
    writeln!(stdout().lock(), "{}", added.shown())?;
    if added.commit.entries == 0 && added.troubles == 0 {
        anstream::eprintln!("note: no file was found to add; expected pictures, sound or films there");
    }
    if added.commit.generation == 0 {
        anstream::eprintln!("note: no index was made: there is nothing to put into it");
    }
    Ok(if added.troubles == 0 && added.commit.generation > 0 { Exit::Nothing } else { Exit::Unexamined })
}

/// What `index add` is told.
pub(crate) struct Settings {
    pub(crate) roots: Roots,
    pub(crate) index: PathBuf,
    pub(crate) catalogue: Option<PathBuf>,
    pub(crate) owner: Option<String>,
    pub(crate) min_quality: u8,
    pub(crate) thumbnails: bool,
    pub(crate) reading: Reading,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Added {
    /// The last commit, with the counts of all.
    commit: Commit,
    /// Files that were not added, and rows of the catalogue without a file.
    pub(crate) troubles: u64,
    /// Length of all recordings that were read, and of all films.
    sound_ms: u64,
    film_ms: u64,
}

impl Added {
    pub(crate) fn shown(&self) -> String {
        let Commit { generation, entries, references, tracks, films, unchanged, refused_low_information, .. } =
            self.commit;
        let recordings = match tracks {
            0 => String::new(),
            tracks => format!(" and {} of {} in all", many(tracks, "recording"), length(self.sound_ms)),
        };
        let films = match films {
            0 => String::new(),
            films => format!(" and {} of {} in all", many(films, "film"), length(self.film_ms)),
        };
        let mut out = format!(
            "{} added with {}{recordings}{films}, {unchanged} unchanged, {} not added",
            many(entries - unchanged, "file"),
            many(references, "reference"),
            self.troubles
        );
        if generation > 0 {
            out.push_str(&format!("; generation {generation}"));
        }
        if refused_low_information > 0 {
            let views = many(refused_low_information, "view");
            out.push_str(&format!("; {views} left out, which would say too little"));
        }
        out
    }

    fn take(&mut self, commit: Commit) {
        let before = std::mem::replace(&mut self.commit, commit);
        self.commit.entries += before.entries;
        self.commit.references += before.references;
        self.commit.tracks += before.tracks;
        self.commit.films += before.films;
        self.commit.unchanged += before.unchanged;
        self.commit.refused_low_information += before.refused_low_information;
        self.commit.removed += before.removed;
    }
}

/// A length of sound or film for people.
pub(super) fn length(ms: u64) -> String {
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
    match hours {
        0 => format!("{minutes} min {seconds} s"),
        hours => format!("{hours} h {minutes} min"),
    }
}

/// Adds files to an index. Every file that is not added is told on standard error, with the reason.
pub(crate) fn add(settings: &Settings) -> Result<Added> {
    let roots = &settings.roots;
    roots.keep_out(&settings.index, "the index")?;
    let catalogue = settings.catalogue.as_deref().map(Catalogue::read).transpose()?;
    // An early word where no worker can be started.
    settings.reading.facts_aloud()?;
    let mut writer = indexes::writer(&settings.index, settings.min_quality)?;
    let resolution = Resolution::here();
    let request = Request { preview_px: settings.thumbnails.then_some(THUMBNAIL_PX), ..Request::reference() };
    let mut adding = Adding {
        catalogue: catalogue.as_ref(),
        settings,
        used: HashSet::new(),
        by_stem: BTreeMap::new(),
        progress: Progress::over(roots, resolution),
        entries: 0,
        added: Added::default(),
    };
    let own = settings.catalogue.as_deref().and_then(|path| path.canonicalize().ok());
    let entries = Walk::new(&roots.paths, resolution)
        .filter(|entry| !is_same(&entry.path, own.as_deref()))
        .map(|entry| listed(entry, catalogue.as_ref(), roots));
    let measurer = || Measurer::new(settings.reading.reader(), request.clone());
    let mut since_commit = 0;
    pipeline::run(entries, 0, settings.reading.threads, measurer, |batch| {
        for measured in batch {
            since_commit += 1 + adding.take(&mut writer, measured)? / PEAKS_PER_FILE as u64;
        }
        if since_commit >= FILES_PER_COMMIT {
            since_commit = 0;
            adding.added.take(writer.commit()?);
        }
        Ok(())
    })?;
    // One of nothing would be taken for one that finds nothing.
    if adding.entries > 0 || writer.base().is_some() {
        adding.added.take(writer.commit()?);
    }
    if let Some(base) = writer.base() {
        indexes::tell_hot_codes(&base.info()?);
    }
    Ok(adding.finish())
}

struct Adding<'a> {
    catalogue: Option<&'a Catalogue>,
    settings: &'a Settings,
    /// Rows of the catalogue that had a file.
    used: HashSet<usize>,
    /// Without a catalogue: files by the work that their name makes.
    by_stem: BTreeMap<WorkId, u64>,
    progress: Progress,
    /// Files that the index was given.
    entries: u64,
    added: Added,
}

impl Adding<'_> {
    /// Adds a file; the number of its peaks and codes of films.
    fn take(&mut self, writer: &mut Writer, measured: Measured) -> Result<u64> {
        self.progress.add(measured.facts.size.unwrap_or(0));
        let path = measured.facts.path.clone();
        match self.entry(measured) {
            Ok(entry) => {
                let sound = entry.fingerprints.iter().filter_map(Fingerprint::audio);
                self.added.sound_ms += sound.clone().map(|audio| audio.duration_ms).sum::<u64>();
                let peaks: usize = sound.map(|audio| audio.mid.len() + audio.side.len()).sum();
                let films = entry.fingerprints.iter().filter_map(Fingerprint::film);
                self.added.film_ms += films.clone().map(|film| film.duration_ms).sum::<u64>();
                let codes: usize = films.map(|film| film.codes.len()).sum();
                writer.add(entry)?;
                self.entries += 1;
                Ok((peaks + codes) as u64)
            }
            Err(reason) => {
                self.trouble(&path, &reason);
                Ok(0)
            }
        }
    }

    /// What is added of a file, or why nothing is.
    fn entry(&mut self, measured: Measured) -> Result<Entry, String> {
        let Measured { facts, content } = measured;
        let items = match content {
            Content::Items(items) => items,
            Content::Unopened(_, _, reason) => return Err(reason),
        };
        let path = PathBuf::from(OsStr::from_bytes(&facts.path));
        let below = below(&path, &self.settings.roots);
        let work = self.work(&path, &below)?;
        let (mut fingerprints, mut thumbnail, mut problems) = (Vec::new(), None, Vec::new());
        for Item { fingerprints: of_item, preview, problems: of_reading, .. } in items {
            fingerprints.extend(of_item);
            thumbnail = thumbnail.or(preview);
            problems.extend(of_reading.iter().map(ToString::to_string));
        }
        let problems = problems.join("; ");
        if fingerprints.is_empty() {
            return Err(problems);
        }
        if !problems.is_empty() {
            self.note(&facts.path, &format!("added as far as it could be read: {problems}"));
        }
        if fingerprints.iter().all(Fingerprint::says_too_little) {
            self.note(&facts.path, "it is blank or silent: only files that are byte for byte the same will be found");
        }
        let source_name = name(below.as_os_str().as_bytes());
        Ok(Entry { work, source_name, source_digest: facts.blake3, fingerprints, thumbnail })
    }

    /// The work of a file: the catalogue's, or one named after the file.
    fn work(&mut self, path: &Path, below: &Path) -> Result<Work, String> {
        let mut work = match self.catalogue {
            Some(catalogue) => {
                let row = catalogue.row_of(path, below).ok_or(NOT_LISTED)?;
                self.used.insert(row);
                catalogue.work(row).clone()
            }
            None => {
                let stem = name(path.file_stem().unwrap_or_default().as_bytes());
                let id = WorkId::new(stem);
                let id = id.ok_or("its name is too long for a work id: list it in a catalogue")?;
                *self.by_stem.entry(id.clone()).or_default() += 1;
                Work::new(id)
            }
        };
        work.holder = work.holder.or_else(|| self.settings.owner.clone());
        Ok(work)
    }

    fn trouble(&mut self, path: &[u8], reason: &str) {
        self.added.troubles += 1;
        self.progress.aside(|| anstream::eprintln!("not added: {}: {}", name(path), text(reason)));
    }

    fn note(&self, path: &[u8], note: &str) {
        self.progress.aside(|| anstream::eprintln!("note: {}: {}", name(path), text(note)));
    }

    /// Tells what is left over.
    fn finish(mut self) -> Added {
        if let Some(catalogue) = self.catalogue {
            for (line, file) in catalogue.unused(&self.used) {
                self.added.troubles += 1;
                anstream::eprintln!("not found: {}, which line {line} of the catalogue names", text(file));
            }
        }
        let shared: Vec<String> = self
            .by_stem
            .iter()
            .filter(|&(_, &files)| files > 1)
            .map(|(id, files)| format!("{} ({files} files)", text(id.as_str())))
            .collect();
        if !shared.is_empty() {
            anstream::eprintln!("note: files of one name became one work: {}", shared.join(", "));
        }
        std::mem::take(&mut self.added)
    }
}

const NOT_LISTED: &str = "the catalogue does not list it";

/// Turns a file that the catalogue does not list into an entry that is not read.
fn listed(entry: walk::Entry, catalogue: Option<&Catalogue>, roots: &Roots) -> walk::Entry {
    let known = catalogue.is_none_or(|catalogue| catalogue.row_of(&entry.path, &below(&entry.path, roots)).is_some());
    match entry.met {
        Met::File(_) if !known => walk::Entry { met: Met::Skipped("not_listed", NOT_LISTED), ..entry },
        met => walk::Entry { met, ..entry },
    }
}

/// Where a file lies in what was named: the way down from the folder, or the name of a file that was named itself.
fn below(path: &Path, roots: &Roots) -> PathBuf {
    let mut ways = roots.paths.iter().filter_map(|root| path.strip_prefix(root).ok());
    let way = ways.find(|way| !way.as_os_str().is_empty());
    way.map_or_else(|| PathBuf::from(path.file_name().unwrap_or(path.as_os_str())), Path::to_owned)
}

/// True for the catalogue itself, which may lie among the files that it lists.
fn is_same(path: &Path, catalogue: Option<&Path>) -> bool {
    catalogue
        .is_some_and(|own| path.file_name() == own.file_name() && path.canonicalize().is_ok_and(|path| path == own))
}
