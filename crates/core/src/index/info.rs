//! What an index consists of, in numbers.

use std::collections::BTreeSet;

use super::IndexError;
use super::film::Films;
use super::reader::{Index, Part};
use super::sound::Sound;
use crate::fingerprint::AlgorithmId;

/// What an index consists of.
#[derive(Clone, Debug, PartialEq)]
pub struct Info {
    /// Commits so far.
    pub generation: u64,
    /// What tells this state of the index from any other: XXH3-128 of the manifest.
    pub manifest_digest: [u8; 16],
    /// Whose codes.
    pub algorithms: Vec<AlgorithmId>,
    /// Works.
    pub works: u64,
    /// Registered files.
    pub items: u64,
    /// Pictures in them: stills and frames of animations.
    pub pictures: u64,
    /// Views of the pictures.
    pub references: u64,
    /// Different codes, summed over the segments, the dead among them.
    pub codes: u64,
    /// References that were removed and not yet compacted away.
    pub tombstones: u64,
    /// Codes that at least 1,024 references of one segment share.
    pub hot_codes: u64,
    /// References of the code that has most.
    pub largest_cluster: u64,
    /// Films: video streams of registered files.
    pub films: u64,
    /// Their length altogether, in milliseconds.
    pub film_ms: u64,
    /// Codes of their frames, the dead among them.
    pub film_codes: u64,
    /// Recordings: audio streams of registered files.
    pub tracks: u64,
    /// Their length altogether, in milliseconds.
    pub sound_ms: u64,
    /// Peaks of their spectra, the dead among them.
    pub peaks: u64,
    /// Landmarks among the peaks, the dead among them.
    pub landmarks: u64,
    /// Landmarks' keys that more than 4,096 peaks of one segment share.
    pub stop_keys: u64,
    /// Segments.
    pub segments: usize,
    /// Bytes of all files.
    pub bytes: u64,
}

impl Info {
    /// Bytes on disk for each reference, the catalogue's among them; `None` where there are none.
    pub fn bytes_per_reference(&self) -> Option<f64> {
        (self.references > 0).then(|| self.bytes as f64 / self.references as f64)
    }
}

impl Index {
    /// What the index consists of. Costs time in proportion to the number of works in all segments but the largest.
    ///
    /// # Errors
    /// [`IndexError::Damaged`].
    pub fn info(&self) -> Result<Info, IndexError> {
        let listed = self.manifest().segments.iter().chain(&self.manifest().tombstones);
        let mut info = Info {
            generation: self.manifest().generation,
            manifest_digest: self.manifest_digest(),
            algorithms: Vec::new(),
            works: 0,
            items: 0,
            pictures: self.pictures(),
            references: 0,
            codes: 0,
            tombstones: 0,
            hot_codes: 0,
            largest_cluster: 0,
            films: 0,
            film_ms: 0,
            film_codes: 0,
            tracks: 0,
            sound_ms: 0,
            peaks: 0,
            landmarks: 0,
            stop_keys: 0,
            segments: self.parts().len(),
            bytes: listed.map(|file| file.bytes).sum(),
        };
        let mut algorithms = BTreeSet::new();
        for (place, part) in self.parts().iter().enumerate() {
            let header = part.segment.header();
            algorithms.extend(part.segment.algorithms(&part.dead));
            let buried = part.buried_references();
            info.tombstones += buried;
            info.references += header.counts.references.saturating_sub(buried);
            let items = header.counts.items + part.segment.bare().len() as u64;
            info.items += items.saturating_sub(part.dead.items().len() as u64);
            info.codes += header.counts.codes;
            info.hot_codes += header.counts.hot_codes;
            info.largest_cluster = info.largest_cluster.max(header.counts.largest_cluster);
            info.works += self.count_works_of(place)?;
            if let Some(films) = Films::open(&part.segment, &part.dead)? {
                algorithms.insert(AlgorithmId(header.algorithm as u16));
                for film in (0..films.len()).filter(|&film| films.is_alive(film)) {
                    info.films += 1;
                    info.film_ms = info.film_ms.saturating_add(films.frames(film).duration_ms);
                }
                info.film_codes += films.codes().len() as u64;
            }
            let Some(sound) = Sound::open(&part.segment, &part.dead)? else { continue };
            for track in (0..sound.len()).filter(|&track| sound.is_alive(track)) {
                info.tracks += 1;
                info.sound_ms = info.sound_ms.saturating_add(sound.duration_ms(track));
            }
            info.peaks += u64::from(sound.peak_count());
            for (_, postings) in sound.all_postings() {
                info.landmarks = info.landmarks.saturating_add(postings.postings);
                info.stop_keys = info.stop_keys.saturating_add(postings.stop_keys);
            }
        }
        info.algorithms = algorithms.into_iter().collect();
        Ok(info)
    }
}

impl Index {
    /// How many works have their newest entry in that segment: those that no newer one has.
    fn count_works_of(&self, place: usize) -> Result<u64, IndexError> {
        let (part, newer) = (&self.parts()[place], &self.parts()[place + 1..]);
        let works = part.segment.header().counts.works;
        let in_newer: u64 = newer.iter().map(|part| part.segment.header().counts.works).sum();
        if in_newer >= works {
            return Ok(self.works_of(place).count() as u64);
        }
        let mut replaced = part.dead.works().clone();
        for other in newer {
            let mut place = 0;
            for work in (0..other.segment.work_count()).filter(|&work| !other.dead.work(work)) {
                let id = other.segment.work_id(work)?;
                place = part.segment.work_from(place, id)?;
                if place < part.segment.work_count() && part.segment.work_id(place)? == id {
                    replaced.insert(place);
                }
            }
        }
        Ok(works.saturating_sub(replaced.len() as u64))
    }
}

impl Part {
    fn buried_references(&self) -> u64 {
        let of_item = |&item: &u32| self.segment.item(item).map_or(0, |row| u64::from(row.references));
        self.dead.items().iter().map(of_item).sum()
    }
}
