//! Reading an index: one generation of it, for as long as it is held, whatever writers do meanwhile.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use minutia_machine::mapped::Mapped;
use minutia_media::Preview;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::layout::Kind;
use super::manifest::{self, Listed, Manifest};
use super::segment::Segment;
use super::tombstones::{self, Dead, Tombstones};
use super::{Damage, IndexError, Work, WorkId, verify};
use crate::fingerprint::{AlgorithmId, Code, Region};

/// How the files of an index come into memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Mapped: opens at once at any size. For indexes on local disks.
    #[default]
    Mapped,
    /// Read: for network or removable media, which may fail under a mapping, and for the quickest searches.
    InMemory,
}

/// One generation of an index, open for reading.
#[derive(Debug)]
pub struct Index {
    directory: PathBuf,
    manifest: Manifest,
    digest: [u8; 16],
    parts: Vec<Part>,
}

/// A segment of an index, and what is dead of it.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) segment: Segment<Mapped>,
    pub(crate) dead: Dead,
    /// The number of its first reference among those of all segments.
    pub(crate) first_row: u64,
}

/// A reference: one view of one picture of a registered file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Its number in this generation of the index.
    pub row: u64,
    /// The work.
    pub work: WorkId,
    /// The file's name when it was registered.
    pub source_name: String,
    /// BLAKE3 of the file, where it is known.
    pub source_digest: Option<[u8; 32]>,
    /// Frame number in the file, 0 for stills.
    pub frame: u32,
    /// The frame's time in milliseconds, 0 for stills.
    pub time_ms: u64,
    /// Width and height of the upright picture in pixels.
    pub size: (u32, u32),
    /// The part of the picture.
    pub region: Region,
    /// The view's code.
    pub code: Code,
    /// Whose code it is: the index's algorithm, or that of the list that it was imported from.
    pub algorithm: AlgorithmId,
    /// Its quality, 0..=100.
    pub quality: u8,
}

/// A registered file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// The work.
    pub work: WorkId,
    /// The file's name when it was registered.
    pub source_name: String,
    /// BLAKE3 of the file, where it is known.
    pub source_digest: Option<[u8; 32]>,
    /// Views of its pictures.
    pub references: u32,
    /// Whose codes they have.
    pub algorithm: AlgorithmId,
    /// A reference of the file to show, where it has one.
    thumbnail: (usize, u32),
}

impl Index {
    /// Opens the newest generation of the index in `directory`. Headers, lengths and the manifest are checked; call
    /// [`Index::verify`] before anything that was found is final.
    ///
    /// # Errors
    /// No index there, a damaged or newer one, or one that cannot be read.
    pub fn open(directory: &Path, access: Access) -> Result<Index, IndexError> {
        let mut before = None;
        loop {
            let bytes = read_manifest(directory)?;
            match Index::open_generation(directory, &bytes, access) {
                Ok(index) => return Ok(index),
                // A writer may have replaced the generation, and removed its files, since its manifest was read.
                Err(error) => {
                    if before.as_ref() == Some(&bytes) {
                        return Err(error);
                    }
                    before = Some(bytes);
                }
            }
        }
    }

    fn open_generation(directory: &Path, bytes: &[u8], access: Access) -> Result<Index, IndexError> {
        let manifest = Manifest::decode(&directory.join(manifest::NAME), bytes)?;
        if manifest.generation == 0 {
            return Err(IndexError::NotAnIndex {
                path: directory.to_owned(),
                found: "one to which nothing was committed",
            });
        }
        let mut tombstones = match &manifest.tombstones {
            Some(listed) => read_tombstones(directory, listed)?,
            None => Tombstones::new(),
        };
        let mut parts = Vec::with_capacity(manifest.segments.len());
        let mut first_row = 0_u64;
        for listed in &manifest.segments {
            let path = directory.join(manifest::segment_name(listed.number));
            if access == Access::InMemory {
                // Before memory is taken for it.
                let length = std::fs::metadata(&path).map_err(IndexError::io(&path, "opening"))?.len();
                check_length(&path, listed, length)?;
            }
            let bytes = match access {
                Access::Mapped => Mapped::open(&path),
                Access::InMemory => Mapped::read(&path),
            };
            let bytes = bytes.map_err(IndexError::io(&path, "opening"))?;
            check_listed(&path, listed, bytes.as_ref().len() as u64, || checksum_of_header(bytes.as_ref()))?;
            let segment = Segment::open(bytes, &path)?;
            let references = segment.header().counts.references;
            parts.push(Part { segment, dead: tombstones.remove(&listed.number).unwrap_or_default(), first_row });
            first_row = first_row.saturating_add(references);
        }
        let space = |part: &Part| AlgorithmId(part.segment.header().algorithm as u16);
        if let Some(pair) = parts.windows(2).find(|pair| !space(&pair[0]).compares_with(space(&pair[1]))) {
            let (expected, found) =
                (format!("codes of algorithm {}", space(&pair[0]).0), space(&pair[1]).0.to_string());
            return Err(IndexError::damaged(pair[1].segment.path(), "header", expected, found));
        }
        Ok(Index { directory: directory.to_owned(), manifest, digest: xxh3_128(bytes).to_be_bytes(), parts })
    }

    /// The directory that it was opened from.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// In whose space the codes lie (see [`AlgorithmId::space`]); `None` where there are none yet.
    pub fn algorithm(&self) -> Option<AlgorithmId> {
        self.parts.first().map(|part| AlgorithmId(part.segment.header().algorithm as u16))
    }

    /// What tells this state of the index from any other: XXH3-128 of the manifest, which holds the checksums of all
    /// files. It shows what was searched; it does not keep a forger away.
    pub fn manifest_digest(&self) -> [u8; 16] {
        self.digest
    }

    /// Looks at every byte: checksums, the zeros between sections, and whether what the sections say fits together.
    /// Everything that is wrong is returned; nothing for a sound index.
    pub fn verify(&self) -> Vec<Damage> {
        self.parts.iter().flat_map(|part| verify::check(&part.segment)).collect()
    }

    /// Registered pictures that a query is compared with.
    pub fn pictures(&self) -> u64 {
        let of_part = |part: &Part| {
            let frames = |&item: &u32| part.segment.frames_of(item).len() as u64;
            let buried: u64 = part.dead.items().iter().map(frames).sum();
            let all = part.segment.header().counts.frames + part.segment.bare().len() as u64;
            all.saturating_sub(buried)
        };
        self.parts.iter().map(of_part).sum()
    }

    /// The reference of this number, as a hit names it.
    ///
    /// # Errors
    /// [`IndexError::Damaged`], also for a number that this generation does not have.
    pub fn reference(&self, row: u64) -> Result<Reference, IndexError> {
        let place = self.parts.partition_point(|part| part.first_row <= row).saturating_sub(1);
        let part = self.parts.get(place).ok_or_else(|| {
            IndexError::damaged(&self.directory, "index", "a reference of this index", row.to_string())
        })?;
        let segment = &part.segment;
        let local = u32::try_from(row - part.first_row).unwrap_or(u32::MAX);
        let (_, region, quality) = segment.reference(local)?;
        let code = segment.code(segment.code_of(local)?)?;
        let frame = segment.frame_of(local)?;
        let item = segment.item_of(local, &code)?;
        Ok(Reference {
            row,
            work: part.work_id(item.work)?,
            source_name: item.source_name.into_owned(),
            source_digest: item.source_digest,
            frame: frame.number,
            time_ms: frame.time_ms,
            size: (frame.width, frame.height),
            region,
            code,
            algorithm: item.algorithm,
            quality,
        })
    }

    /// All references, in the order of their numbers.
    pub fn references(&self) -> impl Iterator<Item = Result<Reference, IndexError>> {
        self.parts.iter().flat_map(move |part| {
            let count = part.segment.header().counts.references;
            (0..count).filter_map(move |local| match part.is_alive(local as u32) {
                Ok(false) => None,
                Ok(true) => Some(self.reference(part.first_row + local)),
                Err(error) => Some(Err(error)),
            })
        })
    }

    /// The thumbnail of the file that a reference was made from, where one was kept.
    ///
    /// # Errors
    /// [`IndexError::Damaged`].
    pub fn thumbnail(&self, row: u64) -> Result<Option<Preview>, IndexError> {
        let place = self.parts.partition_point(|part| part.first_row <= row).saturating_sub(1);
        let Some(part) = self.parts.get(place) else { return Ok(None) };
        let local = u32::try_from(row - part.first_row).unwrap_or(u32::MAX);
        part.segment.thumbnail(part.segment.item_number_of(local)?)
    }

    /// The thumbnail of a registered file, where one was kept.
    ///
    /// # Errors
    /// [`IndexError::Damaged`].
    pub fn thumbnail_of(&self, file: &SourceFile) -> Result<Option<Preview>, IndexError> {
        let (part, item) = file.thumbnail;
        self.parts.get(part).map_or(Ok(None), |part| part.segment.thumbnail(item))
    }

    /// The registered files whose bytes have this BLAKE3 digest.
    ///
    /// # Errors
    /// [`IndexError::Damaged`].
    pub fn files_with_digest(&self, digest: &[u8; 32]) -> Result<Vec<SourceFile>, IndexError> {
        let mut files = Vec::new();
        for (place, part) in self.parts.iter().enumerate() {
            for item in part.segment.items_with_digest(digest)? {
                if !part.dead.item(item) {
                    files.push(self.file(place, item)?);
                }
            }
        }
        files.sort_by(|a, b| (&a.work, &a.source_name).cmp(&(&b.work, &b.source_name)));
        Ok(files)
    }

    /// All registered files, by segment, and in each by work, digest and name, hashes of lists without a file last.
    pub fn files(&self) -> impl Iterator<Item = Result<SourceFile, IndexError>> {
        self.parts.iter().enumerate().flat_map(move |(place, part)| {
            part.segment.items().filter(|&item| !part.dead.item(item)).map(move |item| self.file(place, item))
        })
    }

    /// What the catalogue says of a work, as it was registered last.
    ///
    /// # Errors
    /// [`IndexError::Damaged`].
    pub fn work(&self, id: &WorkId) -> Result<Option<Work>, IndexError> {
        for part in self.parts.iter().rev() {
            if let Some(work) = part.segment.find_work(id.as_str())?.filter(|&work| !part.dead.work(work)) {
                return part.segment.work(work).map(Some);
            }
        }
        Ok(None)
    }

    /// The same of the work of that number in that segment, which only newer ones are searched for.
    pub(super) fn work_of(&self, place: usize, number: u32) -> Result<Work, IndexError> {
        let segment = &self.parts[place].segment;
        let id = segment.work_id(number)?;
        for newer in self.parts[place + 1..].iter().rev() {
            if let Some(work) = newer.segment.find_work(id)?.filter(|&work| !newer.dead.work(work)) {
                return newer.segment.work(work);
            }
        }
        segment.work(number)
    }

    /// The catalogue: every work once, as it was registered last. Sorted by id within each segment.
    pub fn works(&self) -> impl Iterator<Item = Result<Work, IndexError>> {
        (0..self.parts.len()).flat_map(|place| self.works_of(place))
    }

    /// The works whose newest entry stands in that segment.
    pub(super) fn works_of(&self, place: usize) -> impl Iterator<Item = Result<Work, IndexError>> {
        let (part, newer) = (&self.parts[place], &self.parts[place + 1..]);
        let works = 0..part.segment.header().counts.works as u32;
        works.filter(|&work| !part.dead.work(work)).filter_map(move |work| {
            let id = match part.segment.work_id(work) {
                Ok(id) => id,
                Err(error) => return Some(Err(error)),
            };
            for other in newer {
                match other.segment.find_work(id) {
                    Ok(Some(found)) if !other.dead.work(found) => return None,
                    Ok(_) => {}
                    Err(error) => return Some(Err(error)),
                }
            }
            Some(part.segment.work(work))
        })
    }

    fn file(&self, place: usize, item: u32) -> Result<SourceFile, IndexError> {
        let part = &self.parts[place];
        let row = part.segment.item(item)?;
        Ok(SourceFile {
            work: part.work_id(row.work)?,
            source_name: row.source_name.into_owned(),
            source_digest: row.source_digest,
            references: row.references,
            algorithm: row.algorithm,
            thumbnail: (place, item),
        })
    }

    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The segment of that number.
    pub(super) fn part(&self, segment: usize) -> Result<&Part, IndexError> {
        self.parts.get(segment).ok_or_else(|| {
            IndexError::damaged(&self.directory, "index", "a segment of this index", segment.to_string())
        })
    }

    pub(super) fn manifest(&self) -> &Manifest {
        &self.manifest
    }
}

impl Part {
    /// False for a reference of a file that was removed.
    pub(crate) fn is_alive(&self, reference: u32) -> Result<bool, IndexError> {
        if self.dead.is_empty() {
            return Ok(true);
        }
        Ok(!self.dead.item(self.segment.item_number_of(reference)?))
    }

    pub(super) fn work_id(&self, work: u32) -> Result<WorkId, IndexError> {
        let id = self.segment.work_id(work)?;
        WorkId::new(id).ok_or_else(|| self.segment.wrong(Kind::Works, "a work id", format!("{id:?}")))
    }
}

/// The manifest's bytes.
pub(super) fn read_manifest(directory: &Path) -> Result<Vec<u8>, IndexError> {
    let path = directory.join(manifest::NAME);
    read_at_most(&path, manifest::MOST_BYTES as u64).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound if !directory.exists() => {
            IndexError::NotAnIndex { path: directory.to_owned(), found: "nothing" }
        }
        io::ErrorKind::NotFound if manifest::holds_segments(directory) => {
            IndexError::LostManifest { path: directory.to_owned() }
        }
        io::ErrorKind::NotFound => {
            IndexError::NotAnIndex { path: directory.to_owned(), found: "a directory without one" }
        }
        io::ErrorKind::NotADirectory => IndexError::NotAnIndex { path: directory.to_owned(), found: "a file" },
        _ => IndexError::io(&path, "reading")(error),
    })
}

/// The bytes of a file, and of one that is longer than it may be one more than that: enough to tell, and no more memory.
fn read_at_most(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn read_tombstones(directory: &Path, listed: &Listed) -> Result<Tombstones, IndexError> {
    let path = directory.join(manifest::tombstones_name(listed.number));
    let bytes = read_at_most(&path, listed.bytes).map_err(IndexError::io(&path, "reading"))?;
    check_listed(&path, listed, bytes.len() as u64, || xxh3_64(&bytes))?;
    tombstones::decode(&path, &bytes)
}

/// The checksum in a segment's header.
pub(super) fn checksum_of_header(segment: &[u8]) -> u64 {
    super::layout::u64_at(segment, super::layout::HEADER_BYTES - 8)
}

fn check_length(path: &Path, listed: &Listed, bytes: u64) -> Result<(), IndexError> {
    if bytes == listed.bytes {
        return Ok(());
    }
    let expected = format!("{} bytes, as the manifest lists it", listed.bytes);
    Err(IndexError::damaged(path, "file", expected, format!("{bytes} bytes")))
}

fn check_listed(path: &Path, listed: &Listed, bytes: u64, checksum: impl Fn() -> u64) -> Result<(), IndexError> {
    check_length(path, listed, bytes)?;
    let checksum = checksum();
    if checksum != listed.checksum {
        let expected = format!("checksum {:016x}, as the manifest lists it", listed.checksum);
        return Err(IndexError::damaged(path, "file", expected, format!("{checksum:016x}")));
    }
    Ok(())
}
