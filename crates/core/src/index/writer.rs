//! Writing an index: one writer at a time, one new generation per commit, nothing that a reader holds ever touched.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use minutia_media::Preview;
use xxhash_rust::xxh3::xxh3_64;

use super::bare::BareHash;
use super::draft::{Added, Draft};
use super::files::{ASIDE, sync_directory, write_aside};
use super::finished::{Finished, write_segment};
use super::layout::{HEIGHTS, Kind};
use super::manifest::{self, Listed, Manifest};
use super::reader::{Access, Index, Part, checksum_of_header, read_manifest};
use super::tombstones::{self, Dead, Tombstones};
use super::{IndexError, Work, WorkId, held, verify};
use crate::fingerprint::{AlgorithmId, Fingerprint};

const LOCK: &str = "LOCK";

/// A registered file: what it is a copy of, and what is kept of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The work. What the catalogue knew of its id before is replaced.
    pub work: Work,
    /// The file's name, for people.
    pub source_name: String,
    /// BLAKE3 of the file, where it is known.
    pub source_digest: Option<[u8; 32]>,
    /// Its pictures and its sound. Of sound an index keeps what [`AudioFingerprint::thinned`] leaves.
    ///
    /// [`AudioFingerprint::thinned`]: crate::fingerprint::AudioFingerprint::thinned
    pub fingerprints: Vec<Fingerprint>,
    /// A small picture for reports, where the holder allows one.
    pub thumbnail: Option<Preview>,
}

/// What a writer takes, and how it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Views of less quality than this are refused (0..=100; PDQ's authors advise 50). Blank codes always are.
    pub min_quality: u8,
    /// Segments of at least so many codes get a multi-index, which makes a search near a few codes quicker and costs
    /// about 60 bytes a code. Below some 200,000 codes comparing with all of them takes no longer than a look-up.
    pub multi_index_from: u64,
    /// Segments of at most so many rows (works, references, peaks, codes of films) are merged at every commit: as many
    /// take milliseconds. Larger ones are where they are no larger than twice what would be merged behind them.
    pub merge_up_to: u64,
    /// How the files that are written on come into memory: read where they lie on a network or on removable media.
    pub access: Access,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules { min_quality: 0, multi_index_from: 200_000, merge_up_to: 8_192, access: Access::Mapped }
    }
}

/// What a commit did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Commit {
    /// The generation that readers now get; unchanged where there was nothing to do.
    pub generation: u64,
    /// Entries taken since the last commit.
    pub entries: u64,
    /// References that they brought.
    pub references: u64,
    /// Recordings (audio streams) that they brought.
    pub tracks: u64,
    /// Films (video streams) that they brought.
    pub films: u64,
    /// Entries that the index held already, with the same references, recordings and films.
    pub unchanged: u64,
    /// Views refused, since their code says too little.
    pub refused_low_information: u64,
    /// References removed, those of replaced files among them.
    pub removed: u64,
    /// Segments after the commit.
    pub segments: usize,
}

/// What the removal of a work took out of an index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Its files: pictures, recordings and films.
    pub files: u64,
    /// The views of their pictures.
    pub references: u64,
}

/// The one writer of an index; see [`Writer::open`].
#[derive(Debug)]
pub struct Writer {
    directory: PathBuf,
    rules: Rules,
    draft: Draft,
    /// In whose space the codes of the draft lie, where it has any.
    space: Option<AlgorithmId>,
    tombstones: Tombstones,
    done: Commit,
    /// The state that is written to; `None` before the first commit.
    base: Option<Index>,
    /// Its segments that are not in the draft. A commit takes the newest into the draft to merge them with what is new,
    /// and where it fails they stay there: what was given to the writer is held once, not twice, and never lost.
    kept: usize,
    /// The generation and the segment that the next commit may write: none is written twice, also where the manifest that
    /// names it was put into place and the sync behind that failed.
    next: (u64, u64),
    /// Whether the directory was made for it.
    made: bool,
    /// Holds the lock.
    _lock: File,
}

impl Writer {
    /// Opens the index in `directory` for writing, and makes the directory at first use. One writer holds the index
    /// until it is dropped; readers need not wait.
    ///
    /// # Errors
    /// [`IndexError::Locked`] where another writer is at work, [`IndexError::NotAnIndex`] for a directory of other
    /// files, [`IndexError::LostManifest`] for segments alone, and what opening an index and making a directory meet.
    pub fn open(directory: &Path) -> Result<Writer, IndexError> {
        Writer::open_with(directory, Rules::default())
    }

    /// As [`Writer::open`], with rules.
    ///
    /// # Errors
    /// As [`Writer::open`].
    pub fn open_with(directory: &Path, rules: Rules) -> Result<Writer, IndexError> {
        let not_ours = |found| IndexError::NotAnIndex { path: directory.to_owned(), found };
        let made = !directory.exists();
        if !made && !directory.is_dir() {
            return Err(not_ours("a file"));
        }
        if !directory.join(manifest::NAME).exists() && holds_other_files(directory) {
            return Err(not_ours("a directory of other files"));
        }
        fs::create_dir_all(directory).map_err(IndexError::io(directory, "making the directory"))?;
        let path = directory.join(LOCK);
        let lock = File::options().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(IndexError::io(&path, "opening"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(IndexError::Locked { path }),
            Err(TryLockError::Error(error)) => return Err(IndexError::io(&path, "locking")(error)),
        }
        // One that committed nothing takes its directory away as it ends, and the file that is locked here with it.
        let file = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        let at_path = fs::metadata(&path).map(file).map_err(IndexError::io(&path, "opening"))?;
        if lock.metadata().map(file).map_err(IndexError::io(&path, "opening"))? != at_path {
            return Err(IndexError::Locked { path });
        }
        if !directory.join(manifest::NAME).exists() {
            if manifest::holds_segments(directory) {
                return Err(IndexError::LostManifest { path: directory.to_owned() });
            }
            // Before any segment: without a manifest one belongs to an index that has lost it, and never to a commit that
            // was stopped.
            let text = Manifest::default().encode();
            write_aside(directory, manifest::NAME, |out| out.write_all(text.as_bytes()))?;
            sync_directory(directory)?;
        }
        let base = match Index::open(directory, rules.access) {
            Ok(index) => Some(index),
            Err(IndexError::NotAnIndex { .. }) => None,
            Err(error) => return Err(error),
        };
        let mut writer = Writer {
            directory: directory.to_owned(),
            rules,
            draft: Draft::default(),
            space: None,
            tombstones: Tombstones::new(),
            done: Commit::default(),
            base,
            kept: 0,
            next: (1, 0),
            made,
            _lock: lock,
        };
        writer.start();
        Ok(writer)
    }

    /// The state that the next commit builds on; `None` before the first.
    pub fn base(&self) -> Option<&Index> {
        self.base.as_ref()
    }

    /// What is known of a work, with all that was added and removed since the last commit.
    ///
    /// # Errors
    /// [`IndexError::Damaged`].
    pub fn work(&self, id: &WorkId) -> Result<Option<Work>, IndexError> {
        if let Some(work) = self.draft.work(id) {
            return Ok(Some(work));
        }
        for (part, listed) in self.parts().iter().zip(self.listed()).rev() {
            let Some(work) = part.segment.find_work(id.as_str())? else { continue };
            if !self.tombstones.get(&listed.number).is_some_and(|dead| dead.work(work)) {
                return part.segment.work(work).map(Some);
            }
        }
        Ok(None)
    }

    /// Registers a file. A file of the same work and digest (without a digest: of the same work and name) is registered
    /// once: where its references changed the new ones replace the old.
    ///
    /// # Errors
    /// [`IndexError::TooLarge`]; [`IndexError::Damaged`] where the index that is added to turns out to be.
    pub fn add(&mut self, entry: Entry) -> Result<(), IndexError> {
        self.add_coded(entry, AlgorithmId::PDQ_AREA)
    }

    /// As [`Writer::add`], for codes that another algorithm made, such as those of a hash list. They are searched beside
    /// the index's own and remain marked with their algorithm.
    ///
    /// # Errors
    /// As [`Writer::add`]; [`IndexError::Incomparable`] for an algorithm whose codes lie in another space.
    pub fn add_coded(&mut self, entry: Entry, algorithm: AlgorithmId) -> Result<(), IndexError> {
        self.check_space(algorithm)?;
        // A row of a picture keeps three bits of its height's for its orientation. Before anything of the entry is taken.
        if entry.fingerprints.iter().filter_map(Fingerprint::image).any(|image| image.height >= HEIGHTS) {
            return Err(IndexError::TooLarge { what: "rows of pixels", most: u64::from(HEIGHTS - 1) });
        }
        self.space = Some(algorithm.space());
        self.done.entries += 1;
        let mut known = false;
        for place in 0..self.parts().len() {
            let (part, number) = (&self.parts()[place], self.listed()[place].number);
            for item in held::items_of_file(&part.segment, self.tombstones.get(&number), &entry)? {
                let part = &self.parts()[place];
                if held::all_of(part, item, &entry, algorithm, self.rules.min_quality)? {
                    known = true;
                } else if self.tombstones.entry(number).or_default().bury_item(item) {
                    self.done.removed += u64::from(self.parts()[place].segment.item(item)?.references);
                }
            }
        }
        if known {
            self.done.unchanged += 1;
            let before = self.base.as_ref().map(|base| base.work(&entry.work.id)).transpose()?.flatten();
            if before.as_ref() != Some(&entry.work) || self.draft.has_work(&entry.work.id) {
                self.draft.put_work(&entry.work)?;
            }
            return Ok(());
        }
        let added = self.draft.add(entry, algorithm, self.rules.min_quality)?;
        self.count(added);
        Ok(())
    }

    /// Registers a hash of a list: what [`Writer::add_coded`] does of an entry of one upright picture at time 0, of unknown
    /// size, that is called by the digits of its code, in a fraction of the time.
    ///
    /// # Errors
    /// As [`Writer::add_coded`].
    pub fn add_hash(&mut self, work: &Work, hash: &BareHash) -> Result<(), IndexError> {
        for part in self.parts() {
            if held::may_hold(&part.segment, work.id.as_str(), hash)? {
                return self.add_coded(hash.entry(work.clone()), hash.algorithm);
            }
        }
        self.check_space(hash.algorithm)?;
        self.space = Some(hash.algorithm.space());
        self.done.entries += 1;
        let work = self.draft.put_work(work)?;
        let added = self.draft.add_hash(work, hash, self.rules.min_quality)?;
        self.count(added);
        Ok(())
    }

    /// That codes of that algorithm lie in the index's space.
    fn check_space(&self, algorithm: AlgorithmId) -> Result<(), IndexError> {
        let space = self.base.as_ref().and_then(Index::algorithm).or(self.space);
        match space.filter(|space| !algorithm.compares_with(*space)) {
            Some(index) => Err(IndexError::Incomparable { algorithm, index }),
            None => Ok(()),
        }
    }

    fn count(&mut self, added: Added) {
        self.done.references += added.references;
        self.done.tracks += added.tracks;
        self.done.films += added.films;
        self.done.refused_low_information += added.refused_low_information;
    }

    /// Removes a work, its files and its references. Their bytes leave the disk when their segment is merged or compacted.
    ///
    /// # Errors
    /// [`IndexError::Damaged`].
    pub fn remove(&mut self, id: &WorkId) -> Result<Removed, IndexError> {
        let mut removed = self.draft.remove(id);
        for place in 0..self.parts().len() {
            let number = self.listed()[place].number;
            let segment = &self.parts()[place].segment;
            let Some(work) = segment.find_work(id.as_str())? else { continue };
            let mut buried = Vec::new();
            for item in segment.items_of(work).chain(segment.bare_items_of(work)?) {
                buried.push((item, u64::from(segment.item(item)?.references)));
            }
            let dead = self.tombstones.entry(number).or_default();
            dead.bury_work(work);
            for (_, references) in buried.into_iter().filter(|&(item, _)| dead.bury_item(item)) {
                removed.files += 1;
                removed.references += references;
            }
        }
        self.done.removed += removed.references;
        Ok(removed)
    }

    /// Makes everything since the last commit durable and visible to readers that open from now on. Small segments are
    /// merged on the way. Nothing to do gives no new generation, except that a new index gets its first.
    ///
    /// # Errors
    /// [`IndexError::Io`] where something cannot be written: the index is then at the generation before, or, where the last
    /// sync alone failed, at the new one, which a power cut may take back. What was given to the writer is not lost, and
    /// can be committed again. [`IndexError::Damaged`] where a segment that would be merged is damaged: nothing is written.
    pub fn commit(&mut self) -> Result<Commit, IndexError> {
        let buried = |number: &u64| self.tombstones.get(number).cloned().unwrap_or_default();
        let unchanged =
            self.parts().iter().zip(self.listed()).all(|(part, listed)| part.dead == buried(&listed.number));
        if self.draft.is_empty() && unchanged && self.base.is_some() {
            return Ok(self.finish_commit());
        }
        let mut weight =
            (self.draft.references() + self.draft.works() + self.draft.peaks() + self.draft.film_codes()) as u64;
        let mut keep = self.parts().len();
        while !self.draft.is_empty() && keep > 0 {
            let segment = &self.parts()[keep - 1].segment;
            let counts = segment.header().counts;
            let of_sound = segment.rows::<u32>(Kind::PeakTimes).len() as u64;
            let of_films = segment.rows::<[u64; 4]>(Kind::FilmCodes).len() as u64;
            let older = counts.references + counts.works + of_sound + of_films;
            if older > self.rules.merge_up_to && older > 2 * weight {
                break;
            }
            weight += older;
            keep -= 1;
        }
        self.write_generation(keep)
    }

    /// Commits, and merges all segments into one without its dead.
    ///
    /// # Errors
    /// As [`Writer::commit`].
    pub fn compact(&mut self) -> Result<Commit, IndexError> {
        let clean = self.tombstones.values().all(Dead::is_empty);
        if self.base.is_some() && self.draft.is_empty() && clean && self.parts().len() <= 1 {
            return Ok(self.finish_commit());
        }
        self.write_generation(0)
    }

    /// Writes a generation of the oldest `keep` segments and one of everything else.
    fn write_generation(&mut self, keep: usize) -> Result<Commit, IndexError> {
        let none = Dead::default();
        let mut all = Draft::default();
        for (part, listed) in self.parts().iter().zip(self.listed()).skip(keep) {
            // What is damaged would be written anew under checksums that say it is not.
            if let Some(damage) = verify::check(&part.segment).into_iter().next() {
                return Err(IndexError::Damaged(damage));
            }
            all.absorb(&part.segment, self.tombstones.get(&listed.number).unwrap_or(&none))?;
        }
        all.has_room_for(&self.draft)?;
        let new = std::mem::take(&mut self.draft);
        let all = if all.is_empty() {
            new
        } else {
            all.append(new, None)?;
            all
        };
        let finished = all.finish();
        self.kept = keep;
        match self.publish(&finished).and_then(|()| Index::open(&self.directory, self.rules.access)) {
            Ok(base) => self.base = Some(base),
            Err(error) => {
                // It can be tried again.
                self.draft = Draft::of(finished);
                return Err(error);
            }
        }
        self.start();
        Ok(self.finish_commit())
    }

    /// Writes the files of a generation of the segments that are kept and of one that is new.
    fn publish(&mut self, new: &Finished) -> Result<(), IndexError> {
        let space = self.space();
        let (generation, number) = self.next;
        self.next = (generation + 1, number + u64::from(!new.is_empty()));
        let mut next =
            Manifest { generation, next_segment: self.next.1, segments: self.listed().to_vec(), tombstones: None };
        if !new.is_empty() {
            let (counts, sections) = new.sections(space, self.rules.multi_index_from)?;
            let header = write_aside(&self.directory, &manifest::segment_name(number), |out| {
                write_segment(space, counts, &sections, out)
            })?;
            let checksum = checksum_of_header(&header.encode());
            next.segments.push(Listed { number, bytes: header.file_bytes, checksum });
        }
        let mut tombstones = self.tombstones.clone();
        tombstones.retain(|number, dead| !dead.is_empty() && next.segments.iter().any(|s| s.number == *number));
        if !tombstones.is_empty() {
            let bytes = tombstones::encode(&tombstones);
            let checksum = xxh3_64(&bytes[..]);
            let number = next.generation;
            write_aside(&self.directory, &manifest::tombstones_name(number), |out| out.write_all(&bytes))?;
            next.tombstones = Some(Listed { number, bytes: bytes.len() as u64, checksum });
        }
        // The files must have their names for certain before a manifest names them.
        sync_directory(&self.directory)?;
        let text = next.encode();
        write_aside(&self.directory, manifest::NAME, |out| out.write_all(text.as_bytes()))?;
        sync_directory(&self.directory)
    }

    /// Begins on the newest generation: its tombstones, and none but its files.
    fn start(&mut self) {
        self.kept = self.base.as_ref().map_or(0, |base| base.parts().len());
        let pairs = self.parts().iter().zip(self.listed());
        self.tombstones = pairs.map(|(part, listed)| (listed.number, part.dead.clone())).collect();
        let written =
            self.base.as_ref().map_or((0, 0), |base| (base.manifest().generation, base.manifest().next_segment));
        self.next = (self.next.0.max(written.0 + 1), self.next.1.max(written.1));
        remove_orphans(&self.directory, self.base.as_ref().map(Index::manifest));
    }

    fn finish_commit(&mut self) -> Commit {
        let mut done = std::mem::take(&mut self.done);
        done.segments = self.parts().len();
        done.generation = self.base.as_ref().map_or(0, |base| base.manifest().generation);
        done
    }

    /// In whose space the codes of the index lie: that of the first that was added.
    fn space(&self) -> AlgorithmId {
        self.base.as_ref().and_then(Index::algorithm).or(self.space).unwrap_or(AlgorithmId::PDQ_AREA)
    }

    fn parts(&self) -> &[Part] {
        self.base.as_ref().map_or(&[], |base| &base.parts()[..self.kept])
    }

    fn listed(&self) -> &[Listed] {
        self.base.as_ref().map_or(&[], |base| &base.manifest().segments[..self.kept])
    }
}

impl Drop for Writer {
    /// What a writer made that committed nothing would be taken for an index.
    fn drop(&mut self) {
        let manifest = self.directory.join(manifest::NAME);
        let is_of_nothing =
            |bytes: Vec<u8>| Manifest::decode(&manifest, &bytes).is_ok_and(|manifest| manifest.generation == 0);
        if self.base.is_none() && read_manifest(&self.directory).is_ok_and(is_of_nothing) {
            remove_orphans(&self.directory, None);
            // What cannot be removed is a new index for the next writer, and none for readers.
            let _ = fs::remove_file(&manifest).and_then(|()| fs::remove_file(self.directory.join(LOCK)));
            if self.made {
                let _ = fs::remove_dir(&self.directory);
            }
        }
    }
}

/// True for a directory that something else than an index was put into.
fn holds_other_files(directory: &Path) -> bool {
    let Ok(entries) = fs::read_dir(directory) else { return false };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let plain = name.strip_suffix(ASIDE).unwrap_or(&name);
        plain != LOCK && plain != manifest::NAME && !manifest::is_named_by(plain)
    })
}

/// Removes the files of stopped writers and of generations before: readers that have them open keep them.
fn remove_orphans(directory: &Path, manifest: Option<&Manifest>) {
    let mut named = vec![LOCK.to_owned(), manifest::NAME.to_owned()];
    if let Some(manifest) = manifest {
        named.extend(manifest.segments.iter().map(|listed| manifest::segment_name(listed.number)));
        named.extend(manifest.tombstones.iter().map(|listed| manifest::tombstones_name(listed.number)));
    }
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let ours = name.ends_with(ASIDE) || manifest::is_named_by(&name);
        if ours && !named.contains(&name) {
            // What cannot be removed now is tried again by the next writer.
            let _ = fs::remove_file(entry.path());
        }
    }
}
