//! A segment: an immutable part of an index, read in place from its bytes.
//!
//! Opening checks the header against the file; nothing else is read, so that it takes the same time at any size. Every
//! number inside a section is therefore checked where it is used: whatever the bytes are, an accessor answers or says
//! what is wrong.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use bytemuck::AnyBitPattern;
use minutia_media::{Orientation, Preview};

use super::layout::{
    FrameRow, Header, IdentifierRow, ItemRow, Kind, MomentRow, ReferenceRow, RegionRow, TermsRow, WorkRow,
};
use super::multi_index::MultiIndex;
use super::references::References;
use super::tombstones::Dead;
use super::{Identifier, IndexError, Policy, Scheme, Work, WorkId};
use crate::fingerprint::{AlgorithmId, Code, Region, RegionKind};

/// A segment over any bytes that start at a multiple of 8 in memory.
#[derive(Debug)]
pub(crate) struct Segment<B> {
    bytes: B,
    path: PathBuf,
    header: Header,
}

/// A file that was registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentItem<'a> {
    pub(crate) work: u32,
    pub(crate) source_name: Cow<'a, str>,
    pub(crate) source_digest: Option<[u8; 32]>,
    /// Whose codes.
    pub(crate) algorithm: AlgorithmId,
    pub(crate) references: u32,
}

/// A picture of such a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentFrame {
    pub(crate) item: u32,
    pub(crate) number: u32,
    pub(crate) time_ms: u64,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) orientation: Orientation,
}

impl<B: AsRef<[u8]>> Segment<B> {
    /// Opens the segment whose file is `bytes`; `path` is named in errors.
    pub(crate) fn open(bytes: B, path: &Path) -> Result<Segment<B>, IndexError> {
        let header = Header::decode(path, bytes.as_ref())?;
        if bytemuck::try_cast_slice::<u8, u64>(&bytes.as_ref()[..8]).is_err() {
            return Err(IndexError::damaged(path, "memory", "bytes at a multiple of 8", "bytes elsewhere"));
        }
        Ok(Segment { bytes, path: path.to_owned(), header })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// The bytes of a section; none where the segment lacks it.
    pub(super) fn section(&self, kind: Kind) -> &[u8] {
        let section = self.header.section(kind).map(|section| section.offset..section.offset + section.length);
        section.and_then(|range| self.bytes.as_ref().get(range)).unwrap_or(&[])
    }

    /// The rows of a section; none where the segment lacks it.
    pub(super) fn rows<T: AnyBitPattern>(&self, kind: Kind) -> &[T] {
        bytemuck::try_cast_slice(self.section(kind)).unwrap_or(&[])
    }

    /// The rows of a section of which other sections say how many there are: so many, each numbered by 32 bits.
    pub(super) fn counted_rows<T: AnyBitPattern>(&self, kind: Kind, count: u64) -> Result<&[T], IndexError> {
        let rows = self.rows::<T>(kind);
        if rows.len() as u64 != count || count > u64::from(u32::MAX) {
            return Err(self.wrong(kind, format!("{count} rows, each numbered by 32 bits"), rows.len()));
        }
        Ok(rows)
    }

    /// Works.
    pub(super) fn work_count(&self) -> u32 {
        self.header.counts.works as u32
    }

    /// Files that have a row: their items stand before those of bare hashes.
    pub(super) fn item_count(&self) -> u32 {
        self.header.counts.items as u32
    }

    /// Pictures that have a row.
    pub(super) fn frame_count(&self) -> u32 {
        self.header.counts.frames as u32
    }

    /// The distinct codes, as the kernels take them. A code's place is its number.
    pub(crate) fn codes(&self) -> &[[u64; 4]] {
        self.rows(Kind::Codes)
    }

    /// The tables over the codes, where the segment has some.
    pub(crate) fn multi_index(&self) -> Result<Option<MultiIndex<'_>>, IndexError> {
        if self.header.section(Kind::MultiIndex).is_none() {
            return Ok(None);
        }
        let index = MultiIndex::open(self.rows(Kind::MultiIndex), self.codes().len());
        index.map(Some).map_err(|found| self.wrong(Kind::MultiIndex, "tables that fill it", found))
    }

    /// The code of that number.
    pub(crate) fn code(&self, number: u32) -> Result<Code, IndexError> {
        self.row::<[u8; 32]>(Kind::Codes, number).map(Code)
    }

    /// The references of the code of that number.
    pub(crate) fn references_of(&self, code: u32) -> Result<Range<u32>, IndexError> {
        self.references().of(code)
    }

    /// The references of all codes, for those who ask for many.
    pub(crate) fn references(&self) -> References<'_, B> {
        let (codes, most) = (self.header.counts.codes as u32, self.header.counts.references as u32);
        References { segment: self, shared: self.rows(Kind::Shared), ends: self.rows(Kind::SharedEnds), codes, most }
    }

    /// The code that the reference of that number belongs to.
    pub(crate) fn code_of(&self, reference: u32) -> Result<u32, IndexError> {
        let references = self.references();
        let (mut start, mut end) = (0, references.codes);
        while start < end {
            let middle = start + (end - start) / 2;
            let of_code = references.of(middle)?;
            if of_code.contains(&reference) {
                return Ok(middle);
            }
            if of_code.end <= reference { start = middle + 1 } else { end = middle }
        }
        Err(self.wrong(Kind::Shared, format!("a code of reference {reference}"), "none"))
    }

    /// Frame, region and quality of the reference of that number. The frame of a bare hash has no row (see
    /// [`Segment::frame_of`]).
    pub(crate) fn reference(&self, number: u32) -> Result<(u32, Region, u8), IndexError> {
        let [frame, packed] = self.row::<ReferenceRow>(Kind::References, number)?;
        let [kind, left, top, right, bottom, _] = self.row::<RegionRow>(Kind::Regions, packed >> 8)?;
        let kind = region_kind(kind).ok_or_else(|| self.wrong(Kind::Regions, "a kind of region", kind))?;
        Ok((frame, Region { kind, left, top, right, bottom }, packed as u8))
    }

    pub(crate) fn frame(&self, number: u32) -> Result<SegmentFrame, IndexError> {
        let [item, width, height_turned] = self.row::<FrameRow>(Kind::Frames, number)?;
        let moments = self.rows::<MomentRow>(Kind::Moments);
        let moment = moments.binary_search_by_key(&number, |row| row[0]).map_or([0; 4], |place| moments[place]);
        let [_, number, time_low, time_high] = moment;
        Ok(SegmentFrame {
            item,
            number,
            time_ms: u64::from(time_high) << 32 | u64::from(time_low),
            width,
            height: height_turned / 8,
            orientation: Orientation::from_exif((height_turned % 8 + 1) as u16),
        })
    }

    pub(crate) fn item(&self, number: u32) -> Result<SegmentItem<'_>, IndexError> {
        let Some(reference) = self.bare_of_item(number) else { return self.filed_item(number) };
        let code = self.code(self.code_of(reference)?)?;
        self.item_of(reference, &code)
    }

    /// The item of a reference, whose code this is.
    pub(crate) fn item_of(&self, reference: u32, code: &Code) -> Result<SegmentItem<'_>, IndexError> {
        let Some(work) = self.work_of_bare(reference)? else { return self.filed_item(self.item_number_of(reference)?) };
        let algorithm = self.algorithm_of_bare(reference)?;
        let source_name = Cow::Owned(algorithm.digits(code));
        Ok(SegmentItem { work, source_name, source_digest: None, algorithm, references: 1 })
    }

    /// An item that has a row.
    fn filed_item(&self, number: u32) -> Result<SegmentItem<'_>, IndexError> {
        let row = self.row::<ItemRow>(Kind::Items, number)?;
        let [work, name, references, made, ..] = row;
        Ok(SegmentItem {
            work,
            source_name: Cow::Borrowed(self.string(name)?),
            source_digest: (made & 1 == 1).then(|| digest_of(&row)),
            algorithm: algorithm(made >> 1, self.header.algorithm),
            references,
        })
    }

    /// The work of an item that has a row; the last number there is where it has none.
    pub(super) fn work_of_item(&self, number: u32) -> u32 {
        self.rows::<ItemRow>(Kind::Items).get(number as usize).map_or(u32::MAX, |row| row[0])
    }

    /// The frames of an item. That of a bare hash has the number of its work behind the frames that have rows.
    pub(crate) fn frames_of(&self, item: u32) -> Range<u32> {
        if let Some(reference) = self.bare_of_item(item) {
            let frame = self.row::<ReferenceRow>(Kind::References, reference).map_or(0, |[frame, _]| frame);
            return frame..frame.saturating_add(1);
        }
        let frames = self.rows::<FrameRow>(Kind::Frames);
        let start = frames.partition_point(|row| row[0] < item);
        let end = start + frames[start..].partition_point(|row| row[0] == item);
        start as u32..end as u32
    }

    /// The items whose file has this digest.
    pub(crate) fn items_with_digest(&self, digest: &[u8; 32]) -> Result<Vec<u32>, IndexError> {
        let order = self.rows::<u32>(Kind::Digests);
        let items = self.rows::<ItemRow>(Kind::Items);
        let digest_at = |item: &u32| items.get(*item as usize).map(digest_of);
        let start = order.partition_point(|item| digest_at(item).is_some_and(|found| found < *digest));
        Ok(order[start..].iter().take_while(|item| digest_at(item).as_ref() == Some(digest)).copied().collect())
    }

    /// The thumbnail of an item, where one was kept.
    pub(crate) fn thumbnail(&self, item: u32) -> Result<Option<Preview>, IndexError> {
        if self.header.section(Kind::ThumbnailEnds).is_none() || self.bare_of_item(item).is_some() {
            return Ok(None);
        }
        let end = self.row::<u64>(Kind::ThumbnailEnds, item)?;
        let start = item.checked_sub(1).map_or(Ok(0), |before| self.row::<u64>(Kind::ThumbnailEnds, before))?;
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        match self.section(Kind::Thumbnails).get(place(start)..place(end)) {
            Some([]) => Ok(None),
            Some([w0, w1, h0, h1, jpeg @ ..]) => Ok(Some(Preview {
                width: u16::from_le_bytes([*w0, *w1]).into(),
                height: u16::from_le_bytes([*h0, *h1]).into(),
                jpeg: jpeg.to_vec(),
            })),
            _ => Err(self.wrong(Kind::ThumbnailEnds, format!("an end after {start}, within the thumbnails"), end)),
        }
    }

    /// The id of the work of that number.
    pub(crate) fn work_id(&self, number: u32) -> Result<&str, IndexError> {
        let [id, ..] = self.row::<WorkRow>(Kind::Works, number)?;
        self.string(id)
    }

    pub(crate) fn work(&self, number: u32) -> Result<Work, IndexError> {
        let [id, title, terms, first] = self.row::<WorkRow>(Kind::Works, number)?;
        let [holder, territory, window, policy] = self.row::<TermsRow>(Kind::Terms, terms)?;
        let text = |string: u32| -> Result<Option<String>, IndexError> {
            let text = self.string(string)?;
            Ok((!text.is_empty()).then(|| text.to_owned()))
        };
        let id = self.string(id)?;
        let rows = self.rows::<IdentifierRow>(Kind::Identifiers);
        let next = number.checked_add(1).filter(|&next| u64::from(next) < self.header.counts.works);
        let end = match next {
            Some(next) => self.row::<WorkRow>(Kind::Works, next)?[3] as usize,
            None => rows.len(),
        };
        let rows = rows.get(first as usize..end);
        let rows = rows.ok_or_else(|| self.wrong(Kind::Works, format!("an identifier from {first} on"), end))?;
        let mut identifiers = Vec::with_capacity(rows.len());
        for &[scheme, value] in rows {
            let value = self.string(value)?;
            let identifier = Scheme::ALL.get(scheme as usize).map(|&scheme| Identifier::new(scheme, value));
            match identifier {
                Some(Ok(identifier)) => identifiers.push(identifier),
                _ => return Err(self.wrong(Kind::Identifiers, "a verified identifier", format!("{value:?}"))),
            }
        }
        Ok(Work {
            id: WorkId::new(id).ok_or_else(|| self.wrong(Kind::Works, "a work id", format!("{id:?}")))?,
            title: text(title)?,
            holder: text(holder)?,
            identifiers,
            territory: text(territory)?,
            window: text(window)?,
            policy: *Policy::ALL.get(policy as usize).ok_or_else(|| self.wrong(Kind::Terms, "a policy", policy))?,
        })
    }

    /// The number of the work of this id, if it is in this segment.
    pub(crate) fn find_work(&self, id: &str) -> Result<Option<u32>, IndexError> {
        let place = first_that(0..self.work_count(), |work| Ok(self.work_id(work)? >= id))?;
        Ok((place < self.work_count() && self.work_id(place)? == id).then_some(place))
    }

    /// The first work from `from` on whose id is not less. As many steps as the number that it is away has digits: for ids in
    /// their order, one after the other.
    pub(crate) fn work_from(&self, from: u32, id: &str) -> Result<u32, IndexError> {
        let (mut start, mut end, mut step) = (from, self.work_count(), 1);
        while start < end {
            let ahead = start.saturating_add(step - 1).min(end - 1);
            if self.work_id(ahead)? >= id {
                end = ahead;
                break;
            }
            start = ahead + 1;
            step = step.saturating_mul(2);
        }
        first_that(start..end, |work| Ok(self.work_id(work)? >= id))
    }

    /// The number of this code, if it is in this segment.
    pub(crate) fn find_code(&self, code: &Code) -> Option<u32> {
        self.rows::<[u8; 32]>(Kind::Codes).binary_search(&code.0).ok().map(|place| place as u32)
    }

    /// The items of a work that have rows.
    pub(crate) fn items_of(&self, work: u32) -> Range<u32> {
        let items = self.rows::<ItemRow>(Kind::Items);
        let start = items.partition_point(|row| row[0] < work);
        let end = start + items[start..].partition_point(|row| row[0] == work);
        start as u32..end as u32
    }

    /// Whose codes the pictures have that are not dead.
    pub(crate) fn algorithms(&self, dead: &Dead) -> BTreeSet<AlgorithmId> {
        let rows = (0..).zip(self.rows::<ItemRow>(Kind::Items));
        let living = rows.filter(|&(item, row)| row[2] > 0 && !dead.item(item));
        let filed = living.map(|(_, row)| algorithm(row[3] >> 1, self.header.algorithm));
        filed.chain(self.algorithms_of_bare(dead)).collect()
    }

    /// The items of a work that have that name and no digest: in a work, which may have a million, the last, by name.
    pub(crate) fn items_named(&self, work: u32, name: &str) -> Result<Vec<u32>, IndexError> {
        let of_work = self.items_of(work);
        let start = first_that(of_work.clone(), |item| {
            let item = self.item(item)?;
            Ok(item.source_digest.is_none() && *item.source_name >= *name)
        })?;
        let end = first_that(start..of_work.end, |item| Ok(*self.item(item)?.source_name > *name))?;
        Ok((start..end).chain(self.bare_item_named(work, name)?).collect())
    }

    /// The references of a code that are of some frames: those of a code, of which there may be a million, stand in the
    /// order of their frames.
    pub(crate) fn references_in(&self, code: u32, frames: &Range<u32>) -> Result<Range<u32>, IndexError> {
        let of_code = self.references_of(code)?;
        let start = first_that(of_code.clone(), |reference| Ok(self.reference(reference)?.0 >= frames.start))?;
        let end = first_that(start..of_code.end, |reference| Ok(self.reference(reference)?.0 >= frames.end))?;
        Ok(start..end)
    }

    pub(super) fn string(&self, number: u32) -> Result<&str, IndexError> {
        let end = self.row::<u32>(Kind::StringEnds, number)?;
        let start = number.checked_sub(1).map_or(Ok(0), |before| self.row::<u32>(Kind::StringEnds, before))?;
        let bytes = self.section(Kind::Strings).get(start as usize..end as usize);
        let text = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok());
        text.ok_or_else(|| {
            self.wrong(Kind::Strings, format!("string {number} in UTF-8"), format!("bytes {start}..{end}"))
        })
    }

    pub(super) fn row<T: AnyBitPattern>(&self, kind: Kind, number: u32) -> Result<T, IndexError> {
        let rows = self.rows::<T>(kind);
        rows.get(number as usize)
            .copied()
            .ok_or_else(|| self.wrong(kind, format!("row {number}"), format!("{} rows", rows.len())))
    }

    pub(super) fn wrong(&self, kind: Kind, expected: impl Into<String>, found: impl ToString) -> IndexError {
        IndexError::damaged(&self.path, format!("section {}", kind.row().name), expected, found.to_string())
    }
}

/// The algorithm of that number on disk, where 0 stands for the segment's.
pub(super) fn algorithm(number: u32, of_segment: u32) -> AlgorithmId {
    AlgorithmId(if number == 0 { of_segment } else { number } as u16)
}

/// The digest in an item's row.
pub(super) fn digest_of(row: &ItemRow) -> [u8; 32] {
    let mut digest = [0; 32];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(&row[4..]) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    digest
}

/// The number on disk of a kind of region.
pub(super) fn region_number(kind: RegionKind) -> u16 {
    match kind {
        RegionKind::Whole => 0,
        RegionKind::Trimmed => 1,
        RegionKind::Crop => 2,
        RegionKind::Framed => 3,
    }
}

fn region_kind(number: u16) -> Option<RegionKind> {
    [RegionKind::Whole, RegionKind::Trimmed, RegionKind::Crop, RegionKind::Framed].get(usize::from(number)).copied()
}

/// The number of an orientation in EXIF.
pub(super) fn orientation_number(orientation: Orientation) -> u32 {
    (1..=8).find(|&number| Orientation::from_exif(number) == orientation).unwrap_or(1).into()
}

/// The first number of a range for which something holds that holds for all behind it too; the end where there is none.
fn first_that(mut range: Range<u32>, holds: impl Fn(u32) -> Result<bool, IndexError>) -> Result<u32, IndexError> {
    while range.start < range.end {
        let middle = range.start + (range.end - range.start) / 2;
        if holds(middle)? { range.end = middle } else { range.start = middle + 1 }
    }
    Ok(range.start)
}

#[cfg(test)]
mod tests;
