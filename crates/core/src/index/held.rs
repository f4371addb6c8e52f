//! What an index holds already of an entry that comes: the same file, and all of it.

use super::bare::BareHash;
use super::draft::{Draft, region_row};
use super::film::Films;
use super::reader::Part;
use super::segment::Segment;
use super::sound::Sound;
use super::tombstones::Dead;
use super::{Entry, IndexError};
use crate::fingerprint::AlgorithmId;

/// The living items of a segment that are the entry's file.
pub(super) fn items_of_file<B: AsRef<[u8]>>(
    segment: &Segment<B>,
    dead: Option<&Dead>,
    entry: &Entry,
) -> Result<Vec<u32>, IndexError> {
    let Some(work) = segment.find_work(entry.work.id.as_str())? else { return Ok(Vec::new()) };
    let candidates = match &entry.source_digest {
        Some(digest) => segment.items_with_digest(digest)?,
        None => segment.items_named(work, &entry.source_name)?,
    };
    let mut found = Vec::new();
    for item in candidates {
        let row = segment.item(item)?;
        let same_name = entry.source_digest.is_some() || *row.source_name == *entry.source_name;
        let same_file = row.source_digest == entry.source_digest && same_name && row.work == work;
        if same_file && !dead.is_some_and(|dead| dead.item(item)) {
            found.push(item);
        }
    }
    Ok(found)
}

/// True unless it is certain that a segment does not hold that hash of that work.
pub(super) fn may_hold<B: AsRef<[u8]>>(segment: &Segment<B>, id: &str, hash: &BareHash) -> Result<bool, IndexError> {
    let Some(work) = segment.find_work(id)? else { return Ok(false) };
    Ok(!segment.items_of(work).is_empty() || segment.find_code(&hash.code).is_some())
}

/// True where the item has the references that the entry would bring and nothing else, and the thumbnail where the entry
/// has one.
pub(super) fn all_of(
    part: &Part,
    item: u32,
    entry: &Entry,
    algorithm: AlgorithmId,
    min_quality: u8,
) -> Result<bool, IndexError> {
    let segment = &part.segment;
    if segment.item(item)?.algorithm != algorithm {
        return Ok(false);
    }
    if entry.thumbnail.is_some() && segment.thumbnail(item)? != entry.thumbnail {
        return Ok(false);
    }
    let mut wanted = Draft::default();
    wanted.add(Entry { thumbnail: None, ..entry.clone() }, algorithm, min_quality)?;
    let wanted = wanted.finish();
    let frames = segment.frames_of(item);
    if segment.item(item)?.references as usize != wanted.references().count() || frames.len() != wanted.frame_count() {
        return Ok(false);
    }
    let sound = Sound::open(segment, &part.dead)?;
    let tracks = sound.as_ref().map_or(0..0, |sound| sound.tracks_of(item));
    let mut held = sound.iter().flat_map(|sound| tracks.clone().map(|track| sound.fingerprint(track)));
    if tracks.len() != wanted.tracks().len() || !wanted.tracks().all(|track| held.next().as_ref() == Some(track)) {
        return Ok(false);
    }
    let films = Films::open(segment, &part.dead)?;
    let places = films.as_ref().map_or(0..0, |films| films.films_of(item));
    let mut held = films.iter().flat_map(|films| places.clone().map(|film| films.fingerprint(film)));
    if places.len() != wanted.films().len() || !wanted.films().all(|film| held.next().as_ref() == Some(film)) {
        return Ok(false);
    }
    for (code, frame, region, quality) in wanted.references() {
        let Some(code) = segment.find_code(&code) else { return Ok(false) };
        let mut there = false;
        for reference in segment.references_in(code, &frames)? {
            let (_, found_region, found_quality) = segment.reference(reference)?;
            there |= (region_row(&found_region), found_quality) == (region, quality) && {
                let found = segment.frame_of(reference)?;
                (found.number, found.time_ms) == (frame.number, frame.time_ms)
            };
        }
        if !there {
            return Ok(false);
        }
    }
    Ok(true)
}
