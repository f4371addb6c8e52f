//! A draft: what a segment will hold, collected in any order and written in one order.
//!
//! The bytes of a segment are a function of what it holds, whatever the order and the steps in which that was added:
//! works are sorted by id, items by work, digest and name, frames by item, number and time, codes by their bytes. So a
//! compacted index is the index that a fresh build of the same entries would give, and codes that many references share
//! are stored once.

use minutia_media::Preview;

use super::bare::{self, BareHash, DraftHash};
use super::film::Films;
use super::layout::{Kind, RegionRow};
use super::name::Name;
use super::places::Places;
use super::segment::{Segment, SegmentFrame, region_number};
use super::sound::Sound;
use super::tombstones::Dead;
use super::verify::{check_film_frames, check_peaks};
use super::works::Works;
use super::writer::Removed;
use super::{Entry, IndexError, Work, WorkId};
use crate::fingerprint::{AlgorithmId, AudioFingerprint, Code, FilmFingerprint, Fingerprint, Region};

mod finish;

pub(super) use finish::inverse;

/// Regions that the 24 bits of a reference's row can number.
pub(super) const MOST_REGIONS: usize = 1 << 24;

#[derive(Debug, Default)]
pub(super) struct Draft {
    works: Works,
    items: Vec<DraftItem>,
    item_places: Places,
    frames: Vec<SegmentFrame>,
    regions: Vec<Region>,
    region_places: Places,
    references: Vec<DraftReference>,
    tracks: Vec<DraftTrack>,
    films: Vec<DraftFilm>,
    /// Hashes of no known file, each a file of its own, as they came: of those of one code and work the last counts.
    hashes: Vec<DraftHash>,
    /// A file came that may be another state of such a hash: all are kept as files since.
    mixed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DraftItem {
    pub(super) work: u32,
    pub(super) name: Name,
    pub(super) digest: Option<[u8; 32]>,
    /// Whose codes.
    pub(super) algorithm: AlgorithmId,
    pub(super) thumbnail: Option<Preview>,
    /// Replaced by a later entry of the same file.
    pub(super) dead: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DraftReference {
    pub(super) code: [u8; 32],
    pub(super) frame: u32,
    pub(super) region: u32,
    pub(super) quality: u8,
}

impl DraftItem {
    /// What tells files apart: the work and the digest; the work and the name where there is no digest.
    fn is(&self, other: &DraftItem) -> bool {
        self.work == other.work && self.digest == other.digest && (self.digest.is_some() || self.name == other.name)
    }

    /// True for a file that may be another state of a bare hash.
    fn is_like_a_hash(&self) -> bool {
        let digits = self.algorithm.digit_count();
        self.digest.is_none() && matches!(self.name, Name::Digits(_, count) if usize::from(count) == digits)
    }

    fn hash(&self, places: &Places) -> u64 {
        let hash = match (&self.digest, &self.name) {
            (Some(digest), _) => places.hash(digest),
            (None, Name::Digits(code, count)) => places.hash(&code.0) ^ u64::from(*count),
            (None, Name::Text(text)) => places.hash(text.as_bytes()),
        };
        places.hash(&(hash ^ u64::from(self.work) << 32).to_le_bytes())
    }
}

/// An audio stream of an item.
#[derive(Clone, Debug)]
pub(super) struct DraftTrack {
    pub(super) item: u32,
    pub(super) audio: AudioFingerprint,
}

/// A video stream of an item.
#[derive(Clone, Debug)]
pub(super) struct DraftFilm {
    pub(super) item: u32,
    pub(super) film: FilmFingerprint,
}

/// What came of adding an entry to a draft.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Added {
    pub(super) references: u64,
    pub(super) tracks: u64,
    pub(super) films: u64,
    pub(super) refused_low_information: u64,
}

impl Draft {
    pub(super) fn references(&self) -> usize {
        self.references.len() + self.hashes.len()
    }

    fn files(&self) -> usize {
        self.items.len() + self.hashes.len()
    }

    /// Peaks of all tracks.
    pub(super) fn peaks(&self) -> usize {
        self.tracks.iter().map(|track| track.audio.mid.len() + track.audio.side.len()).sum()
    }

    /// Codes of all films.
    pub(super) fn film_codes(&self) -> usize {
        self.films.iter().map(|film| film.film.codes.len()).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.works.is_empty()
    }

    pub(super) fn works(&self) -> usize {
        self.works.len()
    }

    pub(super) fn has_work(&self, id: &WorkId) -> bool {
        self.works.find(id.as_str()).is_some()
    }

    pub(super) fn work(&self, id: &WorkId) -> Option<Work> {
        self.works.find(id.as_str()).map(|place| self.works.get(place))
    }

    /// Puts `work` into the catalogue; what was known of its id before is replaced.
    pub(super) fn put_work(&mut self, work: &Work) -> Result<u32, IndexError> {
        self.works.put(work)
    }

    /// Adds an item, in place of one that was added of the same file (the same work and digest; the same work and name
    /// where there is no digest).
    fn put_item(&mut self, item: DraftItem) -> Result<u32, IndexError> {
        if !self.mixed && item.is_like_a_hash() {
            self.mixed = true;
            for hash in std::mem::take(&mut self.hashes) {
                self.put_hash(hash)?;
            }
        }
        let place = number(self.items.len(), "files")?;
        let is = |other: u32| self.items[other as usize].is(&item);
        if let Some(before) = self.item_places.put(item.hash(&self.item_places), place, is) {
            self.items[before as usize].dead = true;
        }
        self.items.push(item);
        Ok(place)
    }

    /// Adds a hash of no known file, of the work of that place.
    pub(super) fn add_hash(&mut self, work: u32, hash: &BareHash, min_quality: u8) -> Result<Added, IndexError> {
        let BareHash { code: Code(code), algorithm, region, quality } = *hash;
        let refused = says_too_little(&code, algorithm, quality, min_quality);
        let region = self.put_region(region)?;
        self.put_hash(DraftHash { code, work, region, algorithm, quality, refused })?;
        Ok(Added { references: u64::from(!refused), refused_low_information: u64::from(refused), ..Added::default() })
    }

    fn put_hash(&mut self, hash: DraftHash) -> Result<(), IndexError> {
        number(self.references(), "references")?;
        if !self.mixed {
            self.hashes.push(hash);
            return Ok(());
        }
        let item = self.put_item(hash.item())?;
        let frame = number(self.frames.len(), "pictures")?;
        self.frames.push(bare::frame_of_bare(item));
        if !hash.refused {
            let DraftHash { code, region, quality, .. } = hash;
            self.references.push(DraftReference { code, frame, region, quality });
        }
        Ok(())
    }

    /// Adds an entry whose codes that algorithm made. Views that say too little (see [`says_too_little`]) are left out and
    /// counted, and so are films that have not the views of references.
    pub(super) fn add(&mut self, entry: Entry, algorithm: AlgorithmId, min_quality: u8) -> Result<Added, IndexError> {
        if let Some(hash) = BareHash::of(&entry, algorithm) {
            let work = self.put_work(&entry.work)?;
            return self.add_hash(work, &hash, min_quality);
        }
        let mut added = Added::default();
        let work = self.put_work(&entry.work)?;
        let item = self.put_item(DraftItem {
            work,
            name: Name::of(entry.source_name.into()),
            digest: entry.source_digest,
            algorithm,
            thumbnail: entry.thumbnail,
            dead: false,
        })?;
        for fingerprint in &entry.fingerprints {
            let image = match fingerprint {
                Fingerprint::Image(image) => image,
                Fingerprint::Audio(audio) => {
                    added.tracks += 1;
                    self.tracks.push(DraftTrack { item, audio: audio.thinned() });
                    continue;
                }
                Fingerprint::Film(film) => {
                    if film.is_reference() {
                        added.films += 1;
                        self.films.push(DraftFilm { item, film: film.clone() });
                    } else {
                        added.refused_low_information += 1;
                    }
                    continue;
                }
            };
            let frame = number(self.frames.len(), "pictures")?;
            self.frames.push(SegmentFrame {
                item,
                number: image.frame,
                time_ms: image.time_ms,
                width: image.width,
                height: image.height,
                orientation: image.orientation,
            });
            for view in &image.views {
                if says_too_little(&view.code.0, algorithm, view.quality, min_quality) {
                    added.refused_low_information += 1;
                    continue;
                }
                added.references += 1;
                self.put_reference(view.code.0, frame, view.region, view.quality)?;
            }
        }
        Ok(added)
    }

    fn put_reference(&mut self, code: [u8; 32], frame: u32, region: Region, quality: u8) -> Result<(), IndexError> {
        number(self.references(), "references")?;
        let region = self.put_region(region)?;
        self.references.push(DraftReference { code, frame, region, quality });
        Ok(())
    }

    fn put_region(&mut self, region: Region) -> Result<u32, IndexError> {
        // Most lists have one.
        if self.regions.last() == Some(&region) {
            return Ok(self.regions.len() as u32 - 1);
        }
        if let Some(place) = self.find_region(&region) {
            return Ok(place);
        }
        if self.regions.len() == MOST_REGIONS {
            return Err(IndexError::TooLarge { what: "different regions", most: MOST_REGIONS as u64 });
        }
        let place = self.regions.len() as u32;
        self.regions.push(region);
        self.region_places.put(self.region_hash(&region), place, |_| false);
        Ok(place)
    }

    fn find_region(&self, region: &Region) -> Option<u32> {
        self.region_places.find(self.region_hash(region), |place| self.regions[place as usize] == *region)
    }

    fn region_hash(&self, region: &Region) -> u64 {
        self.region_places.hash(bytemuck::bytes_of(&region_row(region)))
    }

    /// Forgets a work and everything of it that was added so far; what that was.
    pub(super) fn remove(&mut self, id: &WorkId) -> Removed {
        let Some(work) = self.works.find(id.as_str()) else { return Removed::default() };
        let (items, frames) = (&self.items, &self.frames);
        let files = items.iter().filter(|item| item.work == work && !item.dead).count() as u64;
        let item_of = |reference: &DraftReference| &items[frames[reference.frame as usize].item as usize];
        let references = self.references.iter().filter(|r| item_of(r).work == work && !item_of(r).dead).count() as u64;
        let hashes = bare::sorted(&self.hashes);
        let hashes: Vec<_> = hashes.iter().filter(|hash| hash.work == work).collect();
        let files = files + hashes.len() as u64;
        let references = references + hashes.iter().filter(|hash| !hash.refused).count() as u64;
        // Rebuilt from what is left: rare enough to be plain.
        let all = std::mem::take(self);
        // Fewer than before fit.
        let _ = self.append(all, Some(work));
        Removed { files, references }
    }

    /// That [`Draft::append`] has numbers for everything of a newer draft, and so cannot fail halfway.
    pub(super) fn has_room_for(&self, newer: &Draft) -> Result<(), IndexError> {
        for (here, there, what) in [
            (self.works.len(), newer.works.len(), "works"),
            (self.files(), newer.files(), "files"),
            (self.frames.len() + self.hashes.len(), newer.frames.len() + newer.hashes.len(), "pictures"),
            (self.references(), newer.references(), "references"),
        ] {
            number(here.saturating_add(there), what)?;
        }
        let more = newer.regions.iter().filter(|region| self.find_region(region).is_none()).count();
        if self.regions.len() + more > MOST_REGIONS {
            return Err(IndexError::TooLarge { what: "different regions", most: MOST_REGIONS as u64 });
        }
        Ok(())
    }

    /// Adds everything of a newer draft but one of its works.
    pub(super) fn append(&mut self, newer: Draft, without: Option<u32>) -> Result<(), IndexError> {
        let mut work_places = vec![None; newer.works.len()];
        for (place, work) in newer.works.iter().enumerate() {
            if without != Some(place as u32) {
                work_places[place] = Some(self.put_work(&work)?);
            }
        }
        let mut item_places = vec![None; newer.items.len()];
        for (place, item) in newer.items.into_iter().enumerate() {
            if let (Some(work), false) = (work_places[item.work as usize], item.dead) {
                item_places[place] = Some(self.put_item(DraftItem { work, ..item })?);
            }
        }
        let mut frame_places = vec![None; newer.frames.len()];
        for (place, frame) in newer.frames.into_iter().enumerate() {
            if let Some(item) = item_places[frame.item as usize] {
                frame_places[place] = Some(number(self.frames.len(), "pictures")?);
                self.frames.push(SegmentFrame { item, ..frame });
            }
        }
        for hash in newer.hashes {
            if let Some(work) = work_places[hash.work as usize] {
                let region = self.put_region(newer.regions[hash.region as usize])?;
                self.put_hash(DraftHash { work, region, ..hash })?;
            }
        }
        for track in newer.tracks {
            if let Some(item) = item_places[track.item as usize] {
                self.tracks.push(DraftTrack { item, ..track });
            }
        }
        for film in newer.films {
            if let Some(item) = item_places[film.item as usize] {
                self.films.push(DraftFilm { item, ..film });
            }
        }
        for reference in newer.references {
            if let Some(frame) = frame_places[reference.frame as usize] {
                let region = newer.regions[reference.region as usize];
                self.put_reference(reference.code, frame, region, reference.quality)?;
            }
        }
        Ok(())
    }

    /// Adds what is alive of a segment. Segments are absorbed oldest first, so that the newest catalogue data stand.
    pub(super) fn absorb<B: AsRef<[u8]>>(&mut self, segment: &Segment<B>, dead: &Dead) -> Result<(), IndexError> {
        let counts = segment.header().counts;
        let mut work_places = vec![0; counts.works as usize];
        for (work, place) in work_places.iter_mut().enumerate() {
            if !dead.work(work as u32) {
                *place = self.put_work(&segment.work(work as u32)?)?;
            }
        }
        let mut item_places = vec![None; counts.items as usize];
        // Those of bare hashes follow with their references.
        for (item, place) in item_places.iter_mut().enumerate() {
            if dead.item(item as u32) {
                continue;
            }
            let row = segment.item(item as u32)?;
            let work = *work_places
                .get(row.work as usize)
                .ok_or_else(|| segment.wrong(Kind::Items, format!("one of {} works", counts.works), row.work))?;
            *place = Some(self.put_item(DraftItem {
                work,
                name: Name::of(row.source_name),
                digest: row.source_digest,
                algorithm: row.algorithm,
                thumbnail: segment.thumbnail(item as u32)?,
                dead: false,
            })?);
        }
        let mut frame_places = vec![None; counts.frames as usize];
        for (frame, place) in frame_places.iter_mut().enumerate() {
            let row = segment.frame(frame as u32)?;
            let item = item_places
                .get(row.item as usize)
                .ok_or_else(|| segment.wrong(Kind::Frames, format!("one of {} items", counts.items), row.item))?;
            if let Some(item) = *item {
                *place = Some(number(self.frames.len(), "pictures")?);
                self.frames.push(SegmentFrame { item, ..row });
            }
        }
        if let Some(sound) = Sound::open(segment, dead)? {
            check_peaks(segment, &sound)?;
            for track in 0..sound.len() {
                let item = item_places.get(sound.item(track) as usize).ok_or_else(|| {
                    segment.wrong(Kind::Tracks, format!("one of {} items", counts.items), sound.item(track))
                })?;
                if let Some(item) = *item {
                    self.tracks.push(DraftTrack { item, audio: sound.fingerprint(track) });
                }
            }
        }
        if let Some(films) = Films::open(segment, dead)? {
            check_film_frames(segment, &films)?;
            for film in 0..films.len() {
                let item = item_places.get(films.item(film) as usize).ok_or_else(|| {
                    segment.wrong(Kind::Films, format!("one of {} items", counts.items), films.item(film))
                })?;
                if let Some(item) = *item {
                    self.films.push(DraftFilm { item, film: films.fingerprint(film) });
                }
            }
        }
        for code in 0..counts.codes as u32 {
            let bytes = segment.code(code)?.0;
            for reference in segment.references_of(code)? {
                let (frame, region, quality) = segment.reference(reference)?;
                if let Some(work) = segment.work_of_bare(reference)? {
                    if !dead.item(segment.item_of_bare(reference)?) {
                        let work = *work_places.get(work as usize).ok_or_else(|| {
                            segment.wrong(Kind::References, format!("one of {} works", counts.works), work)
                        })?;
                        let algorithm = segment.algorithm_of_bare(reference)?;
                        let region = self.put_region(region)?;
                        self.put_hash(DraftHash { code: bytes, work, region, algorithm, quality, refused: false })?;
                    }
                    continue;
                }
                let place = frame_places.get(frame as usize).ok_or_else(|| {
                    segment.wrong(Kind::References, format!("one of {} frames", counts.frames), frame)
                })?;
                if let Some(frame) = *place {
                    self.put_reference(bytes, frame, region, quality)?;
                }
            }
        }
        Ok(())
    }
}

/// True for a code that would match too much: no bit set or every bit set (PDQ of a blank picture), or of less quality
/// than the least that the caller wants.
fn says_too_little(code: &[u8; 32], algorithm: AlgorithmId, quality: u8, min_quality: u8) -> bool {
    // Bits that an algorithm does not have are zero, and say nothing.
    let bits = algorithm.row().map_or(Code::BITS, |row| row.bits.min(Code::BITS));
    let code = &code[..(bits / 8) as usize];
    quality < min_quality || code.iter().all(|&byte| byte == 0) || code.iter().all(|&byte| byte == 0xff)
}

/// A place as its number on disk.
pub(super) fn number(place: usize, what: &'static str) -> Result<u32, IndexError> {
    let most = u32::MAX - 1;
    u32::try_from(place).ok().filter(|&number| number < most).ok_or(IndexError::TooLarge { what, most: most.into() })
}

pub(super) fn region_row(region: &Region) -> RegionRow {
    [region_number(region.kind), region.left, region.top, region.right, region.bottom, 0]
}
