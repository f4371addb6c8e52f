//! A finished draft: what a segment holds, in the order of the format, as the bytes of its sections and of its file.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use bytemuck::NoUninit;
use minutia_machine::hamming;
use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

use super::bare::{self, DraftHash};
use super::draft::{DraftFilm, DraftItem, DraftReference, DraftTrack, MOST_REGIONS, number, region_row};
use super::film::FilmTable;
use super::landmarks::{self, FAMILIES};
use super::layout::{
    ALIGNMENT, Counts, FrameRow, HOT, Header, IdentifierRow, ItemRow, Kind, MomentRow, ReferenceRow, RegionRow,
    Section, SharedRow, TermsRow, WorkRow,
};
use super::segment::{SegmentFrame, orientation_number};
use super::sound::{packed_pitch, track_row};
use super::works::Works;
use super::{IndexError, Policy, Scheme, multi_index};
use crate::fingerprint::{AlgorithmId, AudioFingerprint, Code, FilmFingerprint, Region};

/// Sections' rows, in the order in which they stand in the file.
pub(super) type Sections = Vec<(Kind, Box<dyn AsRef<[u8]> + Send + Sync>)>;

/// Rows as the bytes that they are, without a copy.
struct Rows<T>(Vec<T>);

impl<T: NoUninit> AsRef<[u8]> for Rows<T> {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }
}

fn rows<T: NoUninit + Send + Sync + 'static>(rows: Vec<T>) -> Box<dyn AsRef<[u8]> + Send + Sync> {
    Box::new(Rows(rows))
}

/// A draft in the order of the format.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) works: Works,
    pub(super) items: Vec<DraftItem>,
    pub(super) frames: Vec<SegmentFrame>,
    pub(super) regions: Vec<Region>,
    /// Of files that are more than a bare hash.
    pub(super) references: Vec<DraftReference>,
    pub(super) hashes: Vec<DraftHash>,
    pub(super) tracks: Vec<DraftTrack>,
    pub(super) films: Vec<DraftFilm>,
}

/// Texts but works' ids, by the numbers under which they were put.
#[derive(Default)]
struct Texts<'t> {
    texts: Vec<(&'t str, usize)>,
    put: usize,
}

/// All texts as they stand on disk: once each, in order, the empty one first.
struct Strings {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    /// Where the id of each work stands.
    of_works: Vec<u32>,
    /// Where each other text stands.
    of_others: Vec<u32>,
}

impl<'t> Texts<'t> {
    fn put(&mut self, text: &'t str) {
        if !text.is_empty() {
            self.texts.push((text, self.put));
        }
        self.put += 1;
    }

    /// Together with the ids of the works, which are in order.
    fn sorted(mut self, works: &Works) -> Result<Strings, IndexError> {
        self.texts.par_sort_unstable();
        let mut strings = Strings {
            bytes: Vec::new(),
            ends: vec![0],
            of_works: Vec::with_capacity(works.len()),
            of_others: vec![0; self.put],
        };
        let mut others = self.texts.into_iter().peekable();
        for work in 0..works.len() as u32 {
            let id = works.id(work);
            while let Some((text, put)) = others.next_if(|&(text, _)| text < id) {
                strings.of_others[put] = strings.push(text)?;
            }
            let place = strings.push(id)?;
            strings.of_works.push(place);
        }
        for (text, put) in others {
            strings.of_others[put] = strings.push(text)?;
        }
        Ok(strings)
    }
}

impl Strings {
    /// Adds what is the last text or comes behind it.
    fn push(&mut self, text: &str) -> Result<u32, IndexError> {
        let (last, count) = (self.ends.len() - 1, self.ends.len());
        let start = last.checked_sub(1).map_or(0, |before| self.ends[before]);
        if self.bytes[start as usize..] == *text.as_bytes() {
            return Ok(last as u32);
        }
        self.bytes.extend_from_slice(text.as_bytes());
        self.ends.push(number(self.bytes.len(), "bytes of texts")?);
        number(count, "texts")
    }
}

/// Where the row of a region stands: with that algorithm's number for bare hashes, with 0 for others.
struct RegionPlaces {
    of_files: Vec<u32>,
    of_lists: BTreeMap<(u32, u32), u32>,
}

impl RegionPlaces {
    fn of_files(&self, region: u32) -> u32 {
        self.of_files[region as usize]
    }

    fn of_lists(&self, region: u32, algorithm: u32) -> u32 {
        if algorithm == 0 { self.of_files(region) } else { self.of_lists[&(region, algorithm)] }
    }
}

impl Finished {
    pub(super) fn is_empty(&self) -> bool {
        self.works.is_empty()
    }

    pub(super) fn tracks(&self) -> impl ExactSizeIterator<Item = &AudioFingerprint> {
        self.tracks.iter().map(|track| &track.audio)
    }

    pub(super) fn films(&self) -> impl ExactSizeIterator<Item = &FilmFingerprint> {
        self.films.iter().map(|film| &film.film)
    }

    pub(super) fn frame_count(&self) -> usize {
        self.frames.len() + self.hashes.len()
    }

    /// Code, frame, region and quality of each reference.
    pub(super) fn references(&self) -> impl Iterator<Item = (Code, SegmentFrame, RegionRow, u8)> {
        let region = |region: u32| region_row(&self.regions[region as usize]);
        let filed = self.references.iter().map(move |reference| {
            let frame = self.frames[reference.frame as usize];
            (Code(reference.code), frame, region(reference.region), reference.quality)
        });
        let bare = self
            .hashes
            .iter()
            .map(move |hash| (Code(hash.code), bare::frame_of_bare(0), region(hash.region), hash.quality));
        filed.chain(bare)
    }

    /// What a segment of codes of this space holds, and its sections; a multi-index among them for at least so many codes.
    pub(super) fn sections(&self, space: AlgorithmId, multi_index_from: u64) -> Result<(Counts, Sections), IndexError> {
        let mut sections = Sections::new();
        let (mut counts, multi_index) = self.put_codes(space, multi_index_from, &mut sections)?;
        self.put_frames(&mut sections);
        self.put_catalogue(space, &mut sections)?;
        self.put_thumbnails(&mut sections);
        if !multi_index.is_empty() {
            sections.push((Kind::MultiIndex, rows(multi_index)));
        }
        if !self.tracks.is_empty() {
            self.put_sound(&mut sections)?;
        }
        if !self.films.is_empty() {
            self.put_films(&mut sections)?;
        }
        counts.frames = self.frames.len() as u64;
        counts.items = self.items.len() as u64;
        counts.works = self.works.len() as u64;
        Ok((counts, sections))
    }

    /// The sections of the codes and of what refers to them, and their counts; and the multi-index.
    fn put_codes(
        &self,
        space: AlgorithmId,
        multi_index_from: u64,
        sections: &mut Sections,
    ) -> Result<(Counts, Vec<u32>), IndexError> {
        // Bare hashes are numbered behind the items, and their works behind the frames.
        let count = self.references.len().saturating_add(self.hashes.len());
        number(self.items.len().saturating_add(count), "files and references")?;
        let frames = number(self.frames.len(), "pictures")?;
        number(self.frames.len().saturating_add(self.works.len()), "pictures and works")?;
        let (regions, region_places) = self.region_rows(space)?;
        let mut counts = Counts { references: count as u64, ..Counts::default() };
        let mut codes: Vec<hamming::Code> = Vec::with_capacity(count);
        let (mut shared, mut ends): (Vec<SharedRow>, Vec<u32>) = (Vec::new(), Vec::new());
        let mut references: Vec<ReferenceRow> = Vec::with_capacity(count);
        let mut bare: Vec<[u32; 2]> = Vec::with_capacity(self.hashes.len());
        let (mut of_files, mut of_lists) = (&self.references[..], &self.hashes[..]);
        let row = |frame: u32, region: u32, quality: u8| [frame, region << 8 | u32::from(quality)];
        let mut more = 0;
        while let Some(code) = least(of_files.first().map(|one| one.code), of_lists.first().map(|one| one.code)) {
            let start = references.len();
            while let Some((reference, after)) = of_files.split_first().filter(|(one, _)| one.code == code) {
                references.push(row(reference.frame, region_places.of_files(reference.region), reference.quality));
                of_files = after;
            }
            while let Some((hash, after)) = of_lists.split_first().filter(|(one, _)| one.code == code) {
                bare.push([hash.work, references.len() as u32]);
                let region = region_places.of_lists(hash.region, algorithm_number(hash.algorithm, space));
                references.push(row(frames + hash.work, region, hash.quality));
                of_lists = after;
            }
            let place = codes.len() % 64;
            if place == 0 {
                shared.push([0, 0, ends.len() as u32]);
            }
            let same = references.len() - start;
            if same > 1 {
                more += same - 1;
                ends.push(more as u32);
                if let Some(row) = shared.last_mut() {
                    row[place / 32] |= 1 << (place % 32);
                }
            }
            codes.push(bytemuck::cast(code));
            counts.largest_cluster = counts.largest_cluster.max(same as u64);
            counts.hot_codes += u64::from(same >= HOT);
        }
        counts.codes = codes.len() as u64;
        let multi_index = if counts.codes >= multi_index_from { multi_index::build(&codes) } else { Vec::new() };
        sections.push((Kind::Codes, rows(codes)));
        sections.push((Kind::Shared, rows(shared)));
        sections.push((Kind::SharedEnds, rows(ends)));
        sections.push((Kind::References, rows(references)));
        sections.push((Kind::Regions, rows(regions)));
        if !bare.is_empty() {
            bare.par_sort_unstable();
            sections.push((Kind::BareHashes, rows(bare.into_iter().map(|[_, reference]| reference).collect())));
        }
        Ok((counts, multi_index))
    }

    /// The rows of the regions, and where each of them stands.
    fn region_rows(&self, space: AlgorithmId) -> Result<(Vec<RegionRow>, RegionPlaces), IndexError> {
        let mut used: BTreeSet<(u32, u32)> = BTreeSet::new();
        let of_files = self.references.iter().map(|reference| (reference.region, 0));
        let of_lists = self.hashes.iter().map(|hash| (hash.region, algorithm_number(hash.algorithm, space)));
        let mut last = None;
        for key in of_files.chain(of_lists) {
            // Most lists have one, and pictures a dozen.
            if last != Some(key) {
                used.insert(key);
                last = Some(key);
            }
        }
        if used.len() > MOST_REGIONS {
            return Err(IndexError::TooLarge { what: "different regions", most: MOST_REGIONS as u64 });
        }
        // Those of one region differ in the last of the row's numbers, and regions are in the order of the others.
        let row = |&(region, algorithm): &(u32, u32)| -> RegionRow {
            let [kind, left, top, right, bottom, _] = region_row(&self.regions[region as usize]);
            [kind, left, top, right, bottom, algorithm as u16]
        };
        let rows = used.iter().map(row).collect();
        let mut places = RegionPlaces { of_files: vec![0; self.regions.len()], of_lists: BTreeMap::new() };
        for (place, key) in (0..).zip(used) {
            if key.1 == 0 {
                places.of_files[key.0 as usize] = place;
            } else {
                places.of_lists.insert(key, place);
            }
        }
        Ok((rows, places))
    }

    /// The sections of the frames.
    fn put_frames(&self, sections: &mut Sections) {
        let (mut frames, mut moments): (Vec<FrameRow>, Vec<MomentRow>) = (Vec::new(), Vec::new());
        for (frame, place) in self.frames.iter().zip(0..) {
            frames.push([frame.item, frame.width, frame.height << 3 | (orientation_number(frame.orientation) - 1)]);
            let moment = [place, frame.number, frame.time_ms as u32, (frame.time_ms >> 32) as u32];
            if moment[1..] != [0; 3] {
                moments.push(moment);
            }
        }
        sections.push((Kind::Frames, rows(frames)));
        sections.push((Kind::Moments, rows(moments)));
    }

    /// The sections of the files and the works.
    fn put_catalogue(&self, space: AlgorithmId, sections: &mut Sections) -> Result<(), IndexError> {
        let names: Vec<Cow<'_, str>> = self.items.iter().map(|item| item.name.text()).collect();
        let mut texts = Texts::default();
        let said = || (0..self.works.len() as u32).map(|work| self.works.said(work));
        for work in said().flatten() {
            for text in [&work.title, &work.holder, &work.territory, &work.window] {
                texts.put(text.as_deref().unwrap_or_default());
            }
            work.identifiers.iter().for_each(|identifier| texts.put(identifier.value()));
        }
        names.iter().for_each(|name| texts.put(name));
        let strings = texts.sorted(&self.works)?;
        let mut places = strings.of_others.into_iter();
        let mut next = || places.next().unwrap_or_default();

        let mut works: Vec<WorkRow> = Vec::with_capacity(self.works.len());
        // Those of a work of which nothing is said.
        let plain = [0, 0, 0, Policy::default() as u32];
        let mut terms_of: Vec<TermsRow> = Vec::new();
        let mut identifiers: Vec<IdentifierRow> = Vec::new();
        for (said, id) in said().zip(strings.of_works) {
            let first = number(identifiers.len(), "identifiers")?;
            let Some(work) = said else {
                works.push([id, 0, u32::MAX, first]);
                continue;
            };
            works.push([id, next(), terms_of.len() as u32, first]);
            terms_of.push([next(), next(), next(), work.policy as u32]);
            identifiers.extend(work.identifiers.iter().map(|identifier| [scheme_number(identifier.scheme()), next()]));
        }
        let mut terms = terms_of.clone();
        terms.extend(works.iter().any(|work| work[2] == u32::MAX).then_some(plain));
        terms.par_sort_unstable();
        terms.dedup();
        let place_of = |wanted: &TermsRow| terms.binary_search(wanted).expect("the terms of every work were collected");
        let plain = terms.binary_search(&plain).unwrap_or_default() as u32;
        for work in &mut works {
            work[2] = terms_of.get(work[2] as usize).map_or(plain, |terms_of| place_of(terms_of) as u32);
        }

        let mut item_references = vec![0_u32; self.items.len()];
        for reference in &self.references {
            item_references[self.frames[reference.frame as usize].item as usize] += 1;
        }
        let mut items: Vec<ItemRow> = Vec::new();
        let mut digests: Vec<(&[u8; 32], u32)> = Vec::new();
        for ((item, references), place) in self.items.iter().zip(&item_references).zip(0..) {
            let mut row = [0; 12];
            let made = 2 * algorithm_number(item.algorithm, space) + u32::from(item.digest.is_some());
            row[..4].copy_from_slice(&[item.work, next(), *references, made]);
            for (word, bytes) in row[4..].iter_mut().zip(item.digest.unwrap_or_default().as_chunks::<4>().0) {
                *word = u32::from_le_bytes(*bytes);
            }
            items.push(row);
            digests.extend(item.digest.as_ref().map(|digest| (digest, place)));
        }
        digests.par_sort_unstable();

        sections.push((Kind::Items, rows(items)));
        sections.push((Kind::Digests, rows(digests.into_iter().map(|(_, item)| item).collect())));
        sections.push((Kind::Works, rows(works)));
        sections.push((Kind::Terms, rows(terms)));
        sections.push((Kind::Identifiers, rows(identifiers)));
        sections.push((Kind::StringEnds, rows(strings.ends)));
        sections.push((Kind::Strings, rows(strings.bytes)));
        Ok(())
    }

    /// The sections of the thumbnails, where there are any.
    fn put_thumbnails(&self, sections: &mut Sections) {
        if self.items.iter().all(|item| item.thumbnail.is_none()) {
            return;
        }
        let (mut ends, mut bytes): (Vec<u64>, Vec<u8>) = (Vec::new(), Vec::new());
        for item in &self.items {
            if let Some(preview) = &item.thumbnail {
                for side in [preview.width, preview.height] {
                    bytes.extend_from_slice(&u16::try_from(side).unwrap_or(u16::MAX).to_le_bytes());
                }
                bytes.extend_from_slice(&preview.jpeg);
            }
            ends.push(bytes.len() as u64);
        }
        sections.push((Kind::ThumbnailEnds, rows(ends)));
        sections.push((Kind::Thumbnails, rows(bytes)));
    }

    /// The sections of the films.
    fn put_films(&self, sections: &mut Sections) -> Result<(), IndexError> {
        let mut table = FilmTable::default();
        for DraftFilm { item, film } in &self.films {
            let most = u32::MAX.into();
            table.put(*item, film).ok_or(IndexError::TooLarge { what: "codes of films", most })?;
        }
        sections.push((Kind::FilmCodes, rows(table.codes)));
        sections.push((Kind::Films, rows(table.rows)));
        sections.push((Kind::FilmCodeEnds, rows(table.ends)));
        sections.push((Kind::FilmViewsSeen, rows(table.seen)));
        sections.push((Kind::FilmTimes, rows(table.times)));
        sections.push((Kind::FilmQualities, rows(table.qualities)));
        Ok(())
    }

    /// The sections of the tracks.
    fn put_sound(&self, sections: &mut Sections) -> Result<(), IndexError> {
        let mut table = Vec::with_capacity(self.tracks.len());
        let (mut times, mut pitches, mut items) = (Vec::new(), Vec::new(), Vec::new());
        let mut runs = Vec::with_capacity(2 * self.tracks.len());
        for DraftTrack { item, audio } in &self.tracks {
            table.push(track_row(
                *item,
                audio,
                number(times.len(), "peaks")?,
                number(items.len(), "Chromaprint items")?,
            ));
            for peaks in [&audio.mid, &audio.side] {
                runs.push((number(times.len(), "peaks")?, &peaks[..]));
                times.extend(peaks.iter().map(|peak| peak.time));
                pitches.extend(peaks.iter().map(packed_pitch));
            }
            items.extend_from_slice(&audio.chromaprint);
        }
        if times.len() as u64 >= landmarks::MOST_PEAKS {
            return Err(IndexError::TooLarge { what: "peaks", most: landmarks::MOST_PEAKS });
        }
        number(items.len(), "Chromaprint items")?;
        for family in FAMILIES {
            let (ends, postings) = landmarks::build(family, &runs, times.len() as u64);
            sections.push((family.ends, rows(ends)));
            sections.push((family.postings, rows(postings)));
        }
        sections.push((Kind::Tracks, rows(table)));
        sections.push((Kind::PeakTimes, rows(times)));
        sections.push((Kind::PeakPitches, rows(pitches)));
        sections.push((Kind::ChromaprintItems, rows(items)));
        Ok(())
    }
}

/// Writes a segment of these sections, header first; the header is returned.
pub(super) fn write_segment(
    space: AlgorithmId,
    counts: Counts,
    sections: &Sections,
    out: &mut dyn Write,
) -> io::Result<Header> {
    let mut header = Header { algorithm: space.0.into(), counts, ..Header::default() };
    let checksums: Vec<u64> = sections.par_iter().map(|(_, rows)| xxh3_64((**rows).as_ref())).collect();
    let mut end = super::layout::HEADER_BYTES;
    for ((kind, rows), checksum) in sections.iter().zip(checksums) {
        let bytes = (**rows).as_ref();
        let row = kind.row();
        let offset = end.next_multiple_of(ALIGNMENT);
        end = offset + bytes.len();
        header.sections.push(Section {
            kind: row.number,
            required: row.required,
            offset,
            length: bytes.len(),
            checksum,
        });
    }
    header.file_bytes = end.next_multiple_of(ALIGNMENT) as u64;
    out.write_all(&header.encode())?;
    for (_, rows) in sections {
        let bytes = (**rows).as_ref();
        out.write_all(bytes)?;
        out.write_all(&[0; ALIGNMENT][..bytes.len().next_multiple_of(ALIGNMENT) - bytes.len()])?;
    }
    Ok(header)
}

/// The lesser of two codes, of which there may be none any more.
fn least(one: Option<[u8; 32]>, other: Option<[u8; 32]>) -> Option<[u8; 32]> {
    one.into_iter().chain(other).min()
}

/// The number on disk of the algorithm that made codes in a segment of that space: 0 for the segment's own.
fn algorithm_number(algorithm: AlgorithmId, space: AlgorithmId) -> u32 {
    if algorithm == space { 0 } else { algorithm.0.into() }
}

fn scheme_number(scheme: Scheme) -> u32 {
    Scheme::ALL.iter().position(|&other| other == scheme).unwrap_or(0) as u32
}
