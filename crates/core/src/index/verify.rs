//! Verification: every byte of a segment against its checksums, and every number against what it points at.

use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

use super::film::Films;
use super::landmarks::FAMILIES;
use super::layout::{
    ALIGNMENT, FilmRow, FrameRow, HEADER_BYTES, HOT, IdentifierRow, ItemRow, Kind, MomentRow, ReferenceRow, RegionRow,
    Section, SharedRow, TermsRow, TrackRow, WorkRow,
};
use super::segment::{Segment, algorithm, digest_of};
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
            check_bare,
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
    let (ends, bytes) = (segment.rows::<u32>(Kind::StringEnds), segment.section(Kind::Strings));
    let (mut start, mut before) = (0, None);
    for (number, &end) in ends.iter().enumerate() {
        let text = bytes.get(start..end as usize).and_then(|text| str::from_utf8(text).ok());
        let text = text.ok_or_else(|| {
            segment.wrong(Kind::Strings, format!("string {number} in UTF-8"), format!("bytes {start}..{end}"))
        })?;
        if before.is_some_and(|before| before >= text) || (number == 0 && !text.is_empty()) {
            return Err(segment.wrong(Kind::Strings, "distinct strings in order, the empty one first", number));
        }
        (start, before) = (end as usize, Some(text));
    }
    if start == bytes.len() && !ends.is_empty() {
        Ok(())
    } else {
        Err(segment.wrong(Kind::Strings, format!("{start} bytes"), bytes.len()))
    }
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
    if rows != identifiers {
        return Err(segment.wrong(Kind::Identifiers, format!("{identifiers} identifiers"), rows));
    }
    let terms = segment.rows::<TermsRow>(Kind::Terms);
    let mut used = vec![false; terms.len()];
    for &[_, _, of_work, _] in segment.rows::<WorkRow>(Kind::Works) {
        used[of_work as usize] = true;
    }
    if used.iter().all(|&used| used) && terms.is_sorted_by(|a, b| a < b) {
        Ok(())
    } else {
        Err(segment.wrong(Kind::Terms, "distinct terms of works, in order", "others"))
    }
}

fn check_items<B: AsRef<[u8]>>(segment: &Segment<B>) -> Result<(), IndexError> {
    let counts = segment.header().counts;
    let rows = segment.rows::<ItemRow>(Kind::Items);
    let mut references = 0;
    for number in 0..counts.items as u32 {
        let item = segment.item(number)?;
        references += u64::from(item.references);
        let made = rows[number as usize][3];
        let digest = made & 1 == 1 || digest_of(&rows[number as usize]) == [0; 32];
        // A code of another kind would stand among those that queries are compared with.
        let comparable = made >> 1 <= u32::from(u16::MAX)
            && item.algorithm.compares_with(AlgorithmId(segment.header().algorithm as u16));
        if u64::from(item.work) >= counts.works || !digest || !comparable {
            return Err(segment.wrong(Kind::Items, "a work, an algorithm and a digest or zeros", format!("{item:?}")));
        }
        segment.thumbnail(number)?;
    }
    if !rows.is_sorted_by_key(|row| row[0]) {
        return Err(segment.wrong(Kind::Items, "items in the order of their works", "another order"));
    }
    let bare = segment.bare().len() as u64;
    if references + bare != counts.references {
        let expected = format!("{} references beside {bare} bare hashes", counts.references);
        return Err(segment.wrong(Kind::Items, expected, references));
    }
    let order = segment.rows::<u32>(Kind::Digests);
    let key = |item: &u32| rows.get(*item as usize).map(|row| (row[3] & 1, digest_of(row), *item));
    let with_digest = rows.iter().filter(|row| row[3] & 1 == 1).count();
    let sound = order.len() == with_digest && order.is_sorted_by(|a, b| key(a) < key(b));
    if sound && order.iter().all(|item| key(item).is_some_and(|key| key.0 == 1)) {
        Ok(())
    } else {
        Err(segment.wrong(Kind::Digests, "each item with a digest once, in the order of the digests", "another list"))
    }
}

fn check_frames<B: AsRef<[u8]>>(segment: &Segment<B>) -> Result<(), IndexError> {
    let counts = segment.header().counts;
    let frames = segment.rows::<FrameRow>(Kind::Frames);
    if let Some(row) = frames.iter().find(|row| u64::from(row[0]) >= counts.items) {
        return Err(segment.wrong(Kind::Frames, "frames of items", format!("{row:?}")));
    }
    if !frames.is_sorted_by_key(|row| row[0]) {
        return Err(segment.wrong(Kind::Frames, "frames in the order of their items", "another order"));
    }
    let moments = segment.rows::<MomentRow>(Kind::Moments);
    let last = moments.last().is_none_or(|row| u64::from(row[0]) < counts.frames);
    if !last || !moments.is_sorted_by(|a, b| a[0] < b[0]) || moments.iter().any(|row| row[1..] == [0; 3]) {
        return Err(segment.wrong(Kind::Moments, "moments of frames, in their order", "others"));
    }
    let regions = segment.rows::<RegionRow>(Kind::Regions);
    let of_segment = segment.header().algorithm;
    let comparable =
        |row: &RegionRow| algorithm(row[5].into(), of_segment).compares_with(AlgorithmId(of_segment as u16));
    if regions.iter().all(|row| row[0] <= 3 && comparable(row)) && regions.is_sorted_by(|a, b| a < b) {
        Ok(())
    } else {
        Err(segment.wrong(Kind::Regions, "distinct regions in order, of kinds 0..=3 and comparable codes", "others"))
    }
}

/// That the list of bare hashes has every reference without a frame, once, in order.
fn check_bare<B: AsRef<[u8]>>(segment: &Segment<B>) -> Result<(), IndexError> {
    let mut before = None;
    for &reference in segment.bare() {
        let work = segment.work_of_bare(reference)?;
        if work.is_none() || before >= Some((work, reference)) {
            let expected = "references without a frame, by work and number";
            return Err(segment.wrong(Kind::BareHashes, expected, format!("{reference} of work {work:?}")));
        }
        before = Some((work, reference));
    }
    let frames = segment.header().counts.frames;
    let rows = segment.rows::<ReferenceRow>(Kind::References);
    let without = rows.iter().filter(|row| u64::from(row[0]) >= frames).count();
    if without == segment.bare().len() {
        Ok(())
    } else {
        Err(segment.wrong(Kind::BareHashes, format!("{without} bare hashes"), segment.bare().len()))
    }
}

fn check_codes<B: AsRef<[u8]>>(segment: &Segment<B>) -> Result<(), IndexError> {
    let counts = segment.header().counts;
    let codes = segment.rows::<[u8; 32]>(Kind::Codes);
    if !codes.is_sorted_by(|a, b| a < b) {
        return Err(segment.wrong(Kind::Codes, "distinct codes in order", "another order"));
    }
    let shared = segment.rows::<SharedRow>(Kind::Shared);
    let ends = segment.rows::<u32>(Kind::SharedEnds);
    let rows = counts.codes.div_ceil(64) as usize;
    let bits = |row: &SharedRow| u64::from(row[1]) << 32 | u64::from(row[0]);
    let marked: u64 = shared.iter().map(|row| u64::from(bits(row).count_ones())).sum();
    let left = counts.codes % 64;
    let past_the_end = shared.last().is_some_and(|row| left > 0 && bits(row) >> left != 0);
    if shared.len() != rows || marked != ends.len() as u64 || past_the_end {
        return Err(segment.wrong(Kind::Shared, format!("{rows} rows that mark {} codes", ends.len()), "others"));
    }
    // Asked once, and not for each of millions.
    let (references, rows) = (segment.references(), segment.rows::<ReferenceRow>(Kind::References));
    let regions = segment.rows::<RegionRow>(Kind::Regions).len();
    let (mut end, mut largest, mut hot) = (0, 0, 0);
    for code in 0..counts.codes as u32 {
        let range = references.of(code)?;
        if range.start != end {
            return Err(segment.wrong(Kind::Shared, format!("references of code {code} from {end} on"), range.start));
        }
        end = range.end;
        largest = largest.max(range.len());
        hot += u64::from(range.len() >= HOT);
        for &[frame, packed] in rows.get(range.start as usize..range.end as usize).unwrap_or_default() {
            if u64::from(frame) >= counts.frames + counts.works || (packed >> 8) as usize >= regions {
                let expected =
                    format!("one of {} frames or {} works, and of {regions} regions", counts.frames, counts.works);
                return Err(segment.wrong(Kind::References, expected, format!("{frame}, {}", packed >> 8)));
            }
        }
    }
    if u64::from(end) != counts.references || largest as u64 != counts.largest_cluster || hot != counts.hot_codes {
        let expected = format!("{} references, {} of the largest code", counts.references, counts.largest_cluster);
        return Err(segment.wrong(Kind::SharedEnds, expected, format!("{end}, {largest}")));
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
        let kinds = [Kind::FilmTimes, Kind::FilmQualities, Kind::FilmCodes, Kind::FilmCodeEnds, Kind::FilmViewsSeen];
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

/// That whatever is made of the frames may rely on their order, and on where their codes stand.
pub(super) fn check_film_frames<B: AsRef<[u8]>>(segment: &Segment<B>, films: &Films<'_>) -> Result<(), IndexError> {
    films.wrong_frames().map_or(Ok(()), |film| {
        let expected = "frames in order of time, with the codes of the views that are seen";
        Err(segment.wrong(Kind::FilmTimes, expected, format!("others of film {film}")))
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
