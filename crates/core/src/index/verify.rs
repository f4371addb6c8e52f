//! Verification: every byte of a segment against its checksums, and every number against what it points at.

use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

use super::film::Films;
use super::landmarks::FAMILIES;
use super::layout::{
    ALIGNMENT, FilmRow, HEADER_BYTES, HOT, IdentifierRow, ItemRow, Kind, RegionRow, Section, TrackRow,
};
use super::segment::{Segment, digest_of};
use super::sound::Sound;
use super::tombstones::Dead;
use super::{Damage, IndexError};
use crate::fingerprint::AlgorithmId;

/// Everything that is wrong with a segment; nothing for a sound one.
pub(super) fn check<B: AsRef<[u8]> + Sync>(segment: &Segment<B>) -> Vec<Damage> {
    let header = segment.header();
    let mut damages: Vec<Damage> =
        header.sections.par_iter().filter_map(|section| check_bytes(segment, section)).collect();
    let mut end = HEADER_BYTES;
    for section in &header.sections {
        damages.extend(check_zeros(segment, end, section.offset));
        end = section.offset + section.length;
    }
    damages.extend(check_zeros(segment, end, segment.bytes().len()));
    if damages.is_empty() {
        // Numbers are only worth a look where the bytes are those that were written.
        let checks = [
            check_strings,
            check_works,
            check_items,
            check_frames,
            check_codes,
            check_multi_index,
            check_sound,
            check_films,
        ];
        let wrong = checks.par_iter().filter_map(|check: &fn(&Segment<B>) -> _| check(segment).err());
        damages.extend(wrong.collect::<Vec<_>>().into_iter().map(|error| match error {
            IndexError::Damaged(damage) => damage,
            other => Damage {
                path: segment.path().to_owned(),
                section: "segment".to_owned(),
                expected: "a sound segment".to_owned(),
                found: other.to_string(),
            },
        }));
    }
    damages
}

fn check_bytes<B: AsRef<[u8]>>(segment: &Segment<B>, section: &Section) -> Option<Damage> {
    let bytes = segment.bytes().get(section.offset..section.offset + section.length)?;
    let found = xxh3_64(bytes);
    let name =
        super::layout::KINDS.iter().find(|row| row.number == section.kind).map_or("of unknown kind", |row| row.name);
    (found != section.checksum).then(|| Damage {
        path: segment.path().to_owned(),
        section: format!("section {name}, bytes {}..{}", section.offset, section.offset + section.length),
        expected: format!("checksum {:016x}", section.checksum),
        found: format!("{found:016x}"),
    })
}

fn check_zeros<B: AsRef<[u8]>>(segment: &Segment<B>, start: usize, end: usize) -> Option<Damage> {
    let bytes = segment.bytes().get(start..end)?;
    let sound = bytes.len() < ALIGNMENT && bytes.iter().all(|&byte| byte == 0);
    (!sound).then(|| Damage {
        path: segment.path().to_owned(),
        section: format!("bytes {start}..{end} between sections"),
        expected: format!("fewer than {ALIGNMENT} zeros"),
        found: "other bytes".to_owned(),
    })
}

fn check_strings<B: AsRef<[u8]>>(segment: &Segment<B>) -> Result<(), IndexError> {
    let count = segment.rows::<u64>(Kind::StringEnds).len() as u32;
    let mut before = None;
    for number in 0..count {
        let text = segment.string(number)?;
        if before.is_some_and(|before| before >= text) || (number == 0 && !text.is_empty()) {
            return Err(segment.wrong(Kind::Strings, "distinct strings in order, the empty one first", number));
        }
        before = Some(text);
    }
    let last = segment.rows::<u64>(Kind::StringEnds).last().copied().unwrap_or(0);
    let bytes = segment.section(Kind::Strings).len() as u64;
    if last == bytes && count > 0 { Ok(()) } else { Err(segment.wrong(Kind::Strings, format!("{last} bytes"), bytes)) }
}

fn check_works<B: AsRef<[u8]>>(segment: &Segment<B>) -> Result<(), IndexError> {
    let mut identifiers = 0;
    let mut before: Option<&str> = None;
    for number in 0..segment.header().counts.works as u32 {
        identifiers += segment.work(number)?.identifiers.len();
        let id = segment.work_id(number)?;
        if before.is_some_and(|before| before >= id) {
            return Err(segment.wrong(Kind::Works, "distinct works in the order of their ids", format!("{id:?}")));
        }
        before = Some(id);
    }
    let rows = segment.rows::<IdentifierRow>(Kind::Identifiers).len();
    if rows == identifiers {
        Ok(())
    } else {
        Err(segment.wrong(Kind::Identifiers, format!("{identifiers} identifiers"), rows))
    }
}

fn check_items<B: AsRef<[u8]>>(segment: &Segment<B>) -> Result<(), IndexError> {
    let counts = segment.header().counts;
    let rows = segment.rows::<ItemRow>(Kind::Items);
    let mut references = 0;
    for number in 0..counts.items as u32 {
        let item = segment.item(number)?;
        let frames = segment.frames_of(number)?;
        references += u64::from(item.references);
        let [has_digest, algorithm, ref zeros @ .., _, _, _, _, _, _, _, _] = rows[number as usize][4..] else {
            continue;
        };
        let digest = has_digest == 1 || (has_digest == 0 && digest_of(&rows[number as usize]) == [0; 32]);
        let first = number > 0 || frames.start == 0;
        // A code of another kind would stand among those that queries are compared with.
        let comparable = algorithm <= u32::from(u16::MAX)
            && item.algorithm.compares_with(AlgorithmId(segment.header().algorithm as u16));
        let zeros = zeros.iter().all(|&zero| zero == 0);
        if u64::from(item.work) >= counts.works || !digest || !first || !comparable || !zeros {
            return Err(segment.wrong(
                Kind::Items,
                "a work, frames, an algorithm and a digest or zeros",
                format!("{item:?}"),
            ));
        }
        segment.thumbnail(number)?;
    }
    if !rows.is_sorted_by_key(|row| row[0]) {
        return Err(segment.wrong(Kind::Items, "items in the order of their works", "another order"));
    }
    if references != counts.references {
        return Err(segment.wrong(Kind::Items, format!("{} references", counts.references), references));
    }
    let order = segment.rows::<u32>(Kind::Digests);
    let key = |item: &u32| rows.get(*item as usize).map(|row| (row[4], digest_of(row), *item));
    let with_digest = rows.iter().filter(|row| row[4] == 1).count();
    let sound = order.len() == with_digest && order.is_sorted_by(|a, b| key(a) < key(b));
    if sound && order.iter().all(|item| key(item).is_some_and(|key| key.0 == 1)) {
        Ok(())
    } else {
        Err(segment.wrong(Kind::Digests, "each item with a digest once, in the order of the digests", "another list"))
    }
}

fn check_frames<B: AsRef<[u8]>>(segment: &Segment<B>) -> Result<(), IndexError> {
    let counts = segment.header().counts;
    let mut item = 0;
    let mut range = if counts.items > 0 { segment.frames_of(0)? } else { 0..0 };
    for number in 0..counts.frames as u32 {
        while !range.contains(&number) && u64::from(item) + 1 < counts.items {
            item += 1;
            range = segment.frames_of(item)?;
        }
        let [found, _, _, _, _, _, orientation]: [u32; 7] = segment.row(Kind::Frames, number)?;
        if found != item || !range.contains(&number) || !(1..=8).contains(&orientation) {
            return Err(segment.wrong(Kind::Frames, format!("frame {number} of item {item}, turned 1..=8"), found));
        }
    }
    let regions = segment.rows::<RegionRow>(Kind::Regions);
    if regions.iter().all(|row| row[0] <= 3 && row[5] == 0) && regions.is_sorted_by(|a, b| a < b) {
        Ok(())
    } else {
        Err(segment.wrong(Kind::Regions, "distinct regions in order, of kinds 0..=3", "others"))
    }
}

fn check_codes<B: AsRef<[u8]>>(segment: &Segment<B>) -> Result<(), IndexError> {
    let counts = segment.header().counts;
    let codes = segment.rows::<[u8; 32]>(Kind::Codes);
    if !codes.is_sorted_by(|a, b| a < b) {
        return Err(segment.wrong(Kind::Codes, "distinct codes in order", "another order"));
    }
    let (mut end, mut largest, mut hot) = (0, 0, 0);
    for code in 0..counts.codes as u32 {
        let range = segment.references_of(code)?;
        if range.is_empty() {
            return Err(segment.wrong(Kind::ReferenceEnds, "a reference of each code", format!("none of {code}")));
        }
        end = range.end;
        largest = largest.max(range.len());
        hot += u64::from(range.len() >= HOT);
        for reference in range {
            let (frame, ..) = segment.reference(reference)?;
            if u64::from(frame) >= counts.frames {
                return Err(segment.wrong(Kind::References, format!("one of {} frames", counts.frames), frame));
            }
        }
    }
    if u64::from(end) != counts.references || largest as u64 != counts.largest_cluster || hot != counts.hot_codes {
        let expected = format!("{} references, {} of the largest code", counts.references, counts.largest_cluster);
        return Err(segment.wrong(Kind::ReferenceEnds, expected, format!("{end}, {largest}")));
    }
    Ok(())
}

fn check_sound<B: AsRef<[u8]>>(segment: &Segment<B>) -> Result<(), IndexError> {
    let Some(sound) = Sound::open(segment, &Dead::default())? else {
        let kinds = [
            Kind::PeakTimes,
            Kind::PeakPitches,
            Kind::ChromaprintItems,
            Kind::PairEnds,
            Kind::Pairs,
            Kind::ConstellationEnds,
            Kind::Constellations,
        ];
        return match kinds.into_iter().find(|&kind| segment.header().section(kind).is_some()) {
            Some(kind) => Err(segment.wrong(kind, "tracks beside it", "none")),
            None => Ok(()),
        };
    };
    let items = segment.header().counts.items;
    let rows = segment.rows::<TrackRow>(Kind::Tracks);
    let ordered = rows.is_sorted_by_key(|row| (row[0], row[1])) && !rows.is_empty();
    if !ordered || rows.iter().any(|row| u64::from(row[0]) >= items) {
        return Err(segment.wrong(Kind::Tracks, "tracks of items, in the order of these and the streams", "others"));
    }
    check_peaks(segment, &sound)?;
    for (family, (_, postings)) in FAMILIES.iter().zip(sound.all_postings()) {
        if let Some(found) = postings.wrong_block() {
            let expected = format!("{} postings of peaks, in blocks that fill it", postings.postings);
            return Err(segment.wrong(family.postings, expected, found));
        }
    }
    Ok(())
}

fn check_films<B: AsRef<[u8]>>(segment: &Segment<B>) -> Result<(), IndexError> {
    let Some(films) = Films::open(segment, &Dead::default())? else {
        let kinds = [Kind::FilmTimes, Kind::FilmQualities, Kind::FilmCodes, Kind::FilmWide];
        return match kinds.into_iter().find(|&kind| segment.header().section(kind).is_some()) {
            Some(kind) => Err(segment.wrong(kind, "films beside it", "none")),
            None => Ok(()),
        };
    };
    let items = segment.header().counts.items;
    let rows = segment.rows::<FilmRow>(Kind::Films);
    let ordered = rows.is_sorted_by_key(|row| (row[0], row[1])) && !rows.is_empty();
    if !ordered || rows.iter().any(|row| u64::from(row[0]) >= items) {
        return Err(segment.wrong(Kind::Films, "films of items, in the order of these and the streams", "others"));
    }
    check_film_frames(segment, &films)
}

/// That whatever is made of the frames may rely on their order.
pub(super) fn check_film_frames<B: AsRef<[u8]>>(segment: &Segment<B>, films: &Films<'_>) -> Result<(), IndexError> {
    films.wrong_frames().map_or(Ok(()), |film| {
        Err(segment.wrong(Kind::FilmTimes, "frames in order of time", format!("others of film {film}")))
    })
}

/// That whatever is made of the peaks may rely on their order.
pub(super) fn check_peaks<B: AsRef<[u8]>>(segment: &Segment<B>, sound: &Sound<'_>) -> Result<(), IndexError> {
    sound.wrong_peaks().map_or(Ok(()), |track| {
        let expected = "peaks in order".to_owned();
        Err(segment.wrong(Kind::PeakTimes, expected, format!("others of track {track}")))
    })
}

fn check_multi_index<B: AsRef<[u8]>>(segment: &Segment<B>) -> Result<(), IndexError> {
    let Some(index) = segment.multi_index()? else { return Ok(()) };
    match index.wrong_table(segment.codes()) {
        None => Ok(()),
        Some(table) => {
            Err(segment.wrong(Kind::MultiIndex, "every code at its value in each table", format!("table {table}")))
        }
    }
}
