//! `minutia index import`: hashes that others made, and exported indexes, into an index, without any media.

use anyhow::Result;
use minutia::fingerprint::{AlgorithmId, Code, Dihedral, Fingerprint, ImageFingerprint, View};
use minutia::index::{BareHash, Entry, Index, Work, WorkId, Writer};
use minutia_media::Orientation;
use minutia_report::lists::{Hash, ListedWork, Wrong};
use minutia_report::many;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::io::{Write, stdout};

use super::index_union::{self, REFERENCES_PER_COMMIT};
use crate::args::IndexImport;
use crate::exit::Exit;
use crate::hash_lists::{ListFile, Listed, Lists};
use crate::indexes::{self, Opened, is_exported};

mod films;
mod recordings;

/// The quality of a hash whose list does not say it.
const UNKNOWN_QUALITY: u8 = 100;

/// Imports as typed.
pub(crate) fn run(args: &IndexImport) -> Result<Exit> {
    Lists::check(&args.lists)?;
    let algorithm = args.listing.algorithm.as_deref();
    // A wrong name must not leave a new directory behind.
    Lists::of(algorithm, None)?;
    let mut writer = indexes::writer(&args.index, args.min_quality)?;
    let mut lists = Lists::of(algorithm, writer.base().and_then(Index::algorithm))?;
    let (mut files, mut recordings) = (0, 0);
    let mut done = Imported::default();
    for path in &args.lists {
        let list = ListFile::open(path)?;
        if list.is_of_recordings() {
            let mut importing = recordings::Importing::new(&mut writer, args.owner.as_deref());
            importing.read(list, &mut lists)?;
            let imported = importing.recordings;
            recordings += imported;
            if imported > 0 {
                // The next list may be of the same films' pictures.
                writer.commit()?;
            }
        } else if is_exported(path)? {
            // An index is a directory that holds nothing else; it is unpacked where there is room for it.
            let opened = Opened::at(path, crate::indexes::directory_of(&args.index))?;
            files += index_union::put(&mut writer, &opened.index)?;
            lists.space = lists.space.or(opened.index.algorithm());
        } else {
            let importing = Importing::new(&mut writer, args.owner.as_deref());
            let imported = self::list(importing, &mut lists, list)?;
            done.add(&imported);
            if imported.films > 0 {
                done.refused += writer.commit()?.refused_low_information;
            }
        }
    }
    // An index of nothing would be taken for one that finds nothing.
    files += done.files;
    if files + recordings + done.films > 0 || writer.base().is_some() {
        done.refused += writer.commit()?.refused_low_information;
    }
    let refused = done.refused;
    lists.finish();
    let mut out = stdout().lock();
    write!(
        out,
        "{} read, {} imported, {}",
        many(lists.hashes, "hash"),
        many(files, "file"),
        many(lists.wrong, "wrong line")
    )?;
    if recordings > 0 {
        write!(out, "; {} imported", many(recordings, "recording"))?;
    }
    if done.films > 0 {
        write!(
            out,
            "; {} imported, with {} of {}: at most two a second",
            many(done.films, "film"),
            done.kept,
            many(done.frames, "frame")
        )?;
    }
    if refused > 0 {
        let why = match args.min_quality {
            0 => "every bit the same".to_owned(),
            quality => format!("a quality below {quality}, or every bit the same"),
        };
        write!(out, "; {} left out, which would say too little ({why})", many(refused, "hash"))?;
    }
    if let Some(base) = writer.base() {
        let info = base.info()?;
        let (works, files, references) = (info.works, info.items, info.references);
        let has = [many(works, "work"), many(files, "file"), many(references, "reference")];
        write!(out, "; the index has {}", has.join(", "))?;
        if info.tracks > 0 {
            write!(out, ", {}", many(info.tracks, "recording"))?;
        }
        if info.films > 0 {
            write!(out, ", {}", many(info.films, "film"))?;
        }
    }
    writeln!(out)?;
    if let Some(base) = writer.base() {
        indexes::tell_hot_codes(&base.info()?);
    }
    // What a quality was asked for to leave out is no failure.
    let missing = lists.wrong + if args.min_quality == 0 { refused } else { 0 };
    Ok(if missing == 0 { Exit::Nothing } else { Exit::Unexamined })
}

/// What came of a list.
#[derive(Default)]
struct Imported {
    files: u64,
    refused: u64,
    /// Films, the frames that lists have of them, and those that are kept.
    films: u64,
    frames: u64,
    kept: u64,
}

impl Imported {
    fn add(&mut self, other: &Imported) {
        let Imported { files, refused, films, frames, kept } = other;
        self.files += files;
        self.refused += refused;
        self.films += films;
        self.frames += frames;
        self.kept += kept;
    }
}

/// Hashes of no known file between commits: 44 bytes of each are held, and some two hundred more of a work of its own.
const HASHES_PER_COMMIT: usize = 4 * REFERENCES_PER_COMMIT;

/// A list on its way into an index.
struct Importing<'w> {
    writer: &'w mut Writer,
    owner: Option<&'w str>,
    /// Works that the list speaks of apart from their hashes, which none has been of yet.
    listed: HashMap<WorkId, ListedWork>,
    /// The file whose hashes are read.
    open: Option<File>,
    /// The work of the last hash of no known file.
    last: Option<Work>,
    /// Digests of the files that are complete: eight bytes for each. One that came again would replace itself.
    complete: HashSet<u64>,
    /// Digests of the hashes of no known file, some more than once.
    bare: Vec<u64>,
    hasher: RandomState,
    /// References since the last commit, each four; and hashes of no known file.
    since_commit: usize,
    films: films::Films,
    done: Imported,
}

/// A file and its hashes so far.
struct File {
    key: (WorkId, Name, Option<[u8; 32]>, AlgorithmId),
    work: Work,
    pictures: Vec<ImageFingerprint>,
}

/// What a file is called.
#[derive(PartialEq, Eq, Hash)]
enum Name {
    Text(String),
    /// By its hash.
    Code(Code),
}

fn list(mut importing: Importing<'_>, lists: &mut Lists, file: ListFile) -> Result<Imported> {
    let mut apart = Vec::new();
    let mut more = 0_u64;
    let list = file.name.clone();
    lists.read_from(file, |listed| match listed {
        Listed::Hash(hash) => {
            let line = hash.line;
            if let Err(message) = importing.take(hash)? {
                // Told after the list, which is borrowed; many of them are counted alone.
                more += 1;
                if apart.len() < 1000 {
                    apart.push(Wrong { line, message });
                }
            }
            Ok(())
        }
        Listed::Film(film) => importing.take_film(film.clone()),
        Listed::Work(work) => {
            importing.listed.insert(work.id.clone(), work.clone());
            Ok(())
        }
    })?;
    apart.iter().for_each(|wrong| lists.wrong(&list, wrong));
    lists.wrong += more - apart.len() as u64;
    importing.close()?;
    importing.close_film()?;
    importing.films.wrong.iter().for_each(|wrong| lists.wrong(&list, wrong));
    importing.done.files = importing.count_files();
    Ok(importing.done)
}

impl<'w> Importing<'w> {
    fn new(writer: &'w mut Writer, owner: Option<&'w str>) -> Importing<'w> {
        Importing {
            writer,
            owner,
            listed: HashMap::new(),
            open: None,
            last: None,
            complete: HashSet::new(),
            bare: Vec::new(),
            hasher: RandomState::new(),
            since_commit: 0,
            films: films::Films::default(),
            done: Imported::default(),
        }
    }

    /// Takes a hash, or says why not.
    fn take(&mut self, hash: &Hash) -> Result<Result<(), String>> {
        let plain = (hash.frame, hash.time_ms, hash.size, hash.digest) == (0, 0, (0, 0), None);
        match hash.file {
            None if plain => self.take_bare(hash).map(Ok),
            _ => self.take_of_file(hash),
        }
    }

    /// Takes a hash of no known file.
    fn take_bare(&mut self, hash: &Hash) -> Result<()> {
        self.close()?;
        let Hash { code, algorithm, region, ref work, .. } = *hash;
        let work = match self.last.take() {
            Some(last) if last.id == work.id && work.says_nothing() && !self.listed.contains_key(&work.id) => last,
            _ => self.work(work)?,
        };
        self.bare.push(self.digest(&work.id, &Name::Code(code), None));
        let quality = hash.quality.unwrap_or(UNKNOWN_QUALITY);
        self.writer.add_hash(&work, &BareHash { code, algorithm, region, quality })?;
        self.last = Some(work);
        self.commit_if_much(1)
    }

    /// Takes a hash of a file, whose hashes stand together.
    fn take_of_file(&mut self, hash: &Hash) -> Result<Result<(), String>> {
        // Its line may say more of that work.
        self.last = None;
        let name = hash.file.clone().map_or(Name::Code(hash.code), Name::Text);
        let key = (hash.work.id.clone(), name, hash.digest, hash.algorithm);
        if self.open.as_ref().is_none_or(|file| file.key != key) {
            self.close()?;
            // A hash without a file is the same reference wherever it stands again.
            if let Name::Text(name) = &key.1
                && self.complete.contains(&self.digest(&key.0, &key.1, key.2))
            {
                return Ok(Err(format!(
                    "expected the hashes of a file to stand together, found another of {}; sort the list by id and file",
                    minutia_report::escape::text(name)
                )));
            }
        }
        let work = self.work(&hash.work)?;
        let file = self.open.get_or_insert_with(|| File { key, work: work.clone(), pictures: Vec::new() });
        file.work = work;
        let view = View {
            region: hash.region,
            turn: Dihedral::Identity,
            code: hash.code,
            quality: hash.quality.unwrap_or(UNKNOWN_QUALITY),
            plain_rim: 0,
        };
        match file.pictures.iter_mut().rev().find(|picture| picture.frame == hash.frame) {
            Some(picture) => picture.views.push(view),
            None => file.pictures.push(ImageFingerprint {
                frame: hash.frame,
                time_ms: hash.time_ms,
                width: hash.size.0,
                height: hash.size.1,
                orientation: Orientation::Upright,
                views: vec![view],
            }),
        }
        Ok(Ok(()))
    }

    /// What is known of a work, with what this line says of it.
    fn work(&mut self, listed: &ListedWork) -> Result<Work> {
        let mut known = match &self.open {
            Some(file) if file.work.id == listed.id => Some(file.work.clone()),
            _ => self.writer.work(&listed.id)?,
        };
        if let Some(apart) = self.listed.remove(&listed.id) {
            known = Some(apart.over(known.as_ref()));
        }
        let mut work = listed.clone().over(known.as_ref());
        work.holder = work.holder.or_else(|| self.owner.map(str::to_owned));
        Ok(work)
    }

    /// Hands the file whose hashes were read to the index.
    fn close(&mut self) -> Result<()> {
        let Some(File { key, work, pictures }) = self.open.take() else { return Ok(()) };
        let (id, name, source_digest, algorithm) = key;
        self.complete.insert(self.digest(&id, &name, source_digest));
        let source_name = match name {
            Name::Text(text) => text,
            Name::Code(code) => algorithm.digits(&code),
        };
        let references = pictures.iter().map(|picture| picture.views.len()).sum::<usize>();
        let fingerprints = pictures.into_iter().map(Fingerprint::Image).collect();
        self.writer.add_coded(Entry { work, source_name, source_digest, fingerprints, thumbnail: None }, algorithm)?;
        self.commit_if_much(HASHES_PER_COMMIT / REFERENCES_PER_COMMIT * references)
    }

    fn commit_if_much(&mut self, more: usize) -> Result<()> {
        self.since_commit += more;
        if self.since_commit >= HASHES_PER_COMMIT {
            self.since_commit = 0;
            self.done.refused += self.writer.commit()?.refused_low_information;
        }
        Ok(())
    }

    /// Files that were taken, each once.
    fn count_files(&mut self) -> u64 {
        let mut all = std::mem::take(&mut self.bare);
        all.extend(std::mem::take(&mut self.complete));
        all.sort_unstable();
        all.dedup();
        all.len() as u64
    }

    /// The same file has the same digest, whatever the algorithm of its hashes.
    fn digest(&self, work: &WorkId, name: &Name, digest: Option<[u8; 32]>) -> u64 {
        match digest {
            Some(digest) => self.hasher.hash_one((work.as_str(), digest)),
            None => self.hasher.hash_one((work.as_str(), name)),
        }
    }
}
