//! A finished draft: what a segment holds, in the order of the format, as the bytes of its sections and of its file.

use std::io::{self, Write};

use bytemuck::NoUninit;
use minutia_machine::hamming;
use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

use super::draft::{DraftFilm, DraftItem, DraftReference, DraftTrack, number, region_row};
use super::film::FilmTable;
use super::landmarks::{self, FAMILIES};
use super::layout::{
    ALIGNMENT, Counts, FrameRow, HOT, Header, IdentifierRow, ItemRow, Kind, MomentRow, ReferenceRow, RegionRow,
    Section, SharedRow, TermsRow, WorkRow,
};
use super::segment::{SegmentFrame, orientation_number};
use super::sound::{packed_pitch, track_row};
use super::{IndexError, Scheme, Work, multi_index};
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
    pub(super) works: Vec<Work>,
    pub(super) items: Vec<DraftItem>,
    pub(super) frames: Vec<SegmentFrame>,
    pub(super) regions: Vec<Region>,
    pub(super) references: Vec<DraftReference>,
    pub(super) tracks: Vec<DraftTrack>,
    pub(super) films: Vec<DraftFilm>,
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

    pub(super) fn frames(&self) -> &[SegmentFrame] {
        &self.frames
    }

    /// Code, frame, region and quality of each reference.
    pub(super) fn references(&self) -> impl Iterator<Item = (Code, &SegmentFrame, RegionRow, u8)> {
        self.references.iter().map(|reference| {
            let region = region_row(&self.regions[reference.region as usize]);
            (Code(reference.code), &self.frames[reference.frame as usize], region, reference.quality)
        })
    }

    /// What a segment of codes of this space holds, and its sections; a multi-index among them for at least so many codes.
    pub(super) fn sections(&self, space: AlgorithmId, multi_index_from: u64) -> Result<(Counts, Sections), IndexError> {
        let mut strings: Vec<&str> = vec![""];
        for work in &self.works {
            strings.push(work.id.as_str());
            for text in [&work.title, &work.holder, &work.territory, &work.window].into_iter().flatten() {
                strings.push(text);
            }
            strings.extend(work.identifiers.iter().map(|identifier| identifier.value()));
        }
        strings.extend(self.items.iter().map(|item| item.name.as_str()));
        strings.par_sort_unstable();
        strings.dedup();
        number(strings.len(), "texts")?;
        let place = |text: &str| strings.binary_search(&text).map_or(0, |place| place as u32);

        let text = |text: &Option<String>| text.as_deref().map_or(0, place);
        let terms_of = |work: &Work| -> TermsRow {
            [text(&work.holder), text(&work.territory), text(&work.window), work.policy as u32]
        };
        let mut terms: Vec<TermsRow> = self.works.iter().map(terms_of).collect();
        terms.sort_unstable();
        terms.dedup();
        let mut works: Vec<WorkRow> = Vec::with_capacity(self.works.len());
        let mut identifiers: Vec<IdentifierRow> = Vec::new();
        for work in &self.works {
            let first = number(identifiers.len(), "identifiers")?;
            identifiers.extend(work.identifiers.iter().map(|i| [scheme_number(i.scheme()), place(i.value())]));
            let terms = terms.binary_search(&terms_of(work)).expect("the terms of every work were collected");
            works.push([place(work.id.as_str()), text(&work.title), terms as u32, first]);
        }

        let mut item_references = vec![0_u32; self.items.len()];
        for reference in &self.references {
            item_references[self.frames[reference.frame as usize].item as usize] += 1;
        }
        let mut items: Vec<ItemRow> = Vec::with_capacity(self.items.len());
        for (item, references) in self.items.iter().zip(&item_references) {
            let mut row = [0; 12];
            let algorithm = if item.algorithm == space { 0 } else { u32::from(item.algorithm.0) };
            let made = 2 * algorithm + u32::from(item.digest.is_some());
            row[..4].copy_from_slice(&[item.work, place(&item.name), *references, made]);
            for (word, bytes) in row[4..].iter_mut().zip(item.digest.unwrap_or_default().as_chunks::<4>().0) {
                *word = u32::from_le_bytes(*bytes);
            }
            items.push(row);
        }
        let mut digests: Vec<u32> =
            (0..self.items.len() as u32).filter(|&item| self.items[item as usize].digest.is_some()).collect();
        digests.sort_unstable_by_key(|&item| (self.items[item as usize].digest, item));

        let row = |frame: &SegmentFrame| {
            [frame.item, frame.width, frame.height << 3 | (orientation_number(frame.orientation) - 1)]
        };
        let frames: Vec<FrameRow> = self.frames.iter().map(row).collect();
        let moment = |(place, frame): (u32, &SegmentFrame)| -> MomentRow {
            [place, frame.number, frame.time_ms as u32, (frame.time_ms >> 32) as u32]
        };
        let moments = (0..).zip(&self.frames).map(moment).filter(|moment| moment[1..] != [0; 3]);
        let moments: Vec<MomentRow> = moments.collect();

        let mut counts = Counts {
            references: self.references.len() as u64,
            frames: frames.len() as u64,
            items: items.len() as u64,
            works: works.len() as u64,
            ..Counts::default()
        };
        let mut codes: Vec<hamming::Code> = Vec::with_capacity(self.references.len());
        let (mut shared, mut ends): (Vec<SharedRow>, Vec<u32>) = (Vec::new(), Vec::new());
        let mut more = 0;
        for same in self.references.chunk_by(|a, b| a.code == b.code) {
            let place = codes.len() % 64;
            if place == 0 {
                shared.push([0, 0, ends.len() as u32]);
            }
            if same.len() > 1 {
                more += same.len() - 1;
                ends.push(more as u32);
                if let Some(row) = shared.last_mut() {
                    row[place / 32] |= 1 << (place % 32);
                }
            }
            codes.push(bytemuck::cast(same[0].code));
            counts.largest_cluster = counts.largest_cluster.max(same.len() as u64);
            counts.hot_codes += u64::from(same.len() >= HOT);
        }
        counts.codes = codes.len() as u64;
        let references: Vec<ReferenceRow> =
            self.references.iter().map(|r| [r.frame, r.region << 8 | u32::from(r.quality)]).collect();

        let mut string_ends: Vec<u32> = Vec::with_capacity(strings.len());
        let mut string_bytes = Vec::new();
        for text in &strings {
            string_bytes.extend_from_slice(text.as_bytes());
            string_ends.push(number(string_bytes.len(), "bytes of texts")?);
        }
        let multi_index = if counts.codes >= multi_index_from { multi_index::build(&codes) } else { Vec::new() };
        let mut sections = vec![
            (Kind::Codes, rows(codes)),
            (Kind::Shared, rows(shared)),
            (Kind::SharedEnds, rows(ends)),
            (Kind::References, rows(references)),
            (Kind::Regions, rows(self.regions.iter().map(region_row).collect::<Vec<RegionRow>>())),
            (Kind::Frames, rows(frames)),
            (Kind::Moments, rows(moments)),
            (Kind::Items, rows(items)),
            (Kind::Digests, rows(digests)),
            (Kind::Works, rows(works)),
            (Kind::Terms, rows(terms)),
            (Kind::Identifiers, rows(identifiers)),
            (Kind::StringEnds, rows(string_ends)),
            (Kind::Strings, rows(string_bytes)),
        ];
        if self.items.iter().any(|item| item.thumbnail.is_some()) {
            let mut ends: Vec<u64> = Vec::with_capacity(self.items.len());
            let mut bytes = Vec::new();
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
        if !multi_index.is_empty() {
            sections.push((Kind::MultiIndex, rows(multi_index)));
        }
        if !self.tracks.is_empty() {
            self.put_sound(&mut sections)?;
        }
        if !self.films.is_empty() {
            self.put_films(&mut sections)?;
        }
        Ok((counts, sections))
    }
}

impl Finished {
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

fn scheme_number(scheme: Scheme) -> u32 {
    Scheme::ALL.iter().position(|&other| other == scheme).unwrap_or(0) as u32
}
