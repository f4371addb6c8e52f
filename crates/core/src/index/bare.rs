//! Bare hashes: codes of hash lists, of which no file is known.
//!
//! To those who add and read them they are files like others, which are called by the digits of their codes. On disk such a
//! name, its item and its frame would take 128 bytes of each and say nothing, so that its reference points at its work
//! instead. Reading makes the item and the frame anew.

use std::collections::BTreeSet;

use minutia_media::Orientation;

use super::draft::{DraftItem, DraftReference};
use super::finished::Finished;
use super::layout::{FrameRow, Kind, ReferenceRow, RegionRow};
use super::name::Name;
use super::segment::{Segment, SegmentFrame};
use super::tombstones::Dead;
use super::{IndexError, segment};
use crate::fingerprint::{AlgorithmId, Code};

/// Where the items and the frames of a finished draft stand on disk: `None` for those of bare hashes, which do not.
pub(super) struct Filed {
    pub(super) items: Vec<Option<u32>>,
    pub(super) frames: Vec<Option<u32>>,
    /// How many frames there are on disk.
    pub(super) frame_count: u32,
}

impl Finished {
    /// Which of its items are bare hashes, and where the others stand.
    pub(super) fn filed(&self) -> Filed {
        let mut hashes: Vec<Hashes> = vec![Hashes::None; self.items.len()];
        for reference in &self.references {
            let hashes = &mut hashes[self.frames[reference.frame as usize].item as usize];
            *hashes = if matches!(hashes, Hashes::None) { Hashes::One(reference) } else { Hashes::More };
        }
        let mut frames_of = vec![0_u32; self.items.len()];
        for frame in &self.frames {
            // A second one, or one with a size, is more than a bare hash has.
            let more = if *frame == frame_of_bare(frame.item) { 1 } else { 2 };
            frames_of[frame.item as usize] = frames_of[frame.item as usize].saturating_add(more);
        }
        let others = self.tracks.iter().map(|track| track.item).chain(self.films.iter().map(|film| film.item));
        others.for_each(|item| frames_of[item as usize] = 2);

        let bare = |place: usize, item: &DraftItem| match hashes[place] {
            Hashes::One(reference) => {
                let alone = frames_of[place] == 1 && item.digest.is_none() && item.thumbnail.is_none();
                // As the hash list prints its code.
                alone && item.name == Name::Digits(Code(reference.code), item.algorithm.digit_count() as u8)
            }
            _ => false,
        };
        let mut count = 0;
        let items: Vec<_> =
            self.items.iter().enumerate().map(|(at, item)| (!bare(at, item)).then(|| next(&mut count))).collect();
        let mut count = 0;
        let frames = self.frames.iter().map(|frame| items[frame.item as usize].map(|_| next(&mut count))).collect();
        Filed { items, frames, frame_count: count }
    }
}

/// The references of an item.
#[derive(Clone, Copy)]
enum Hashes<'f> {
    None,
    One(&'f DraftReference),
    More,
}

fn next(count: &mut u32) -> u32 {
    *count += 1;
    *count - 1
}

/// The frame of a bare hash: a still, of which nothing is known.
fn frame_of_bare(item: u32) -> SegmentFrame {
    SegmentFrame { item, number: 0, time_ms: 0, width: 0, height: 0, orientation: Orientation::Upright }
}

impl<B: AsRef<[u8]>> Segment<B> {
    /// The references that are bare hashes, by their works and their numbers.
    pub(super) fn bare(&self) -> &[u32] {
        self.rows(Kind::BareHashes)
    }

    /// The work of a reference that is a bare hash; `None` of one that has a frame.
    pub(super) fn work_of_bare(&self, reference: u32) -> Result<Option<u32>, IndexError> {
        let [frame, _] = self.row::<ReferenceRow>(Kind::References, reference)?;
        Ok(frame.checked_sub(self.frame_count()))
    }

    /// The reference that an item is, where it is a bare hash: they are numbered behind the items that have rows.
    pub(super) fn bare_of_item(&self, item: u32) -> Option<u32> {
        item.checked_sub(self.item_count())
    }

    /// The number as an item of a reference that is a bare hash.
    pub(super) fn item_of_bare(&self, reference: u32) -> Result<u32, IndexError> {
        let item = self.item_count().checked_add(reference);
        item.ok_or_else(|| self.wrong(Kind::References, "fewer references and items", reference))
    }

    /// The bare hashes of a work, as items.
    pub(super) fn bare_items_of(&self, work: u32) -> Result<Vec<u32>, IndexError> {
        let bare = self.bare();
        // What is no bare hash is told by `verify`; here it has the place of the works behind all.
        let work_at = |reference: &u32| self.work_of_bare(*reference).ok().flatten().unwrap_or(u32::MAX);
        let start = bare.partition_point(|reference| work_at(reference) < work);
        let of_work = bare[start..].iter().take_while(|reference| work_at(reference) == work);
        of_work.map(|&reference| self.item_of_bare(reference)).collect()
    }

    /// The bare hash of a work that is called so, as an item.
    pub(super) fn bare_item_named(&self, work: u32, name: &str) -> Result<Option<u32>, IndexError> {
        let frame = self.frame_count().checked_add(work);
        let digits = (!self.bare().is_empty() && name.len() <= 64).then(|| format!("{name:0<64}"));
        let code = digits.and_then(|digits| digits.parse().ok()).and_then(|code| self.find_code(&code));
        let (Some(frame), Some(code)) = (frame, code) else { return Ok(None) };
        let mut references = self.references_in(code, &(frame..frame.saturating_add(1)))?;
        references.next().map(|reference| self.item_of_bare(reference)).transpose()
    }

    /// Every item: by work, and in each by digest and name, bare hashes last.
    pub(super) fn items(&self) -> impl Iterator<Item = u32> {
        let mut filed = (0..self.item_count()).peekable();
        let mut bare = self.bare().iter().copied().peekable();
        std::iter::from_fn(move || {
            let Some(&reference) = bare.peek() else { return filed.next() };
            let work = self.work_of_bare(reference).ok().flatten();
            match filed.next_if(|&item| work.is_none_or(|work| self.work_of_item(item) <= work)) {
                Some(item) => Some(item),
                // A number that there is not shows what is wrong where it is read.
                None => bare.next().map(|reference| self.item_of_bare(reference).unwrap_or(u32::MAX)),
            }
        })
    }

    /// The frame that a reference is of.
    pub(super) fn frame_of(&self, reference: u32) -> Result<SegmentFrame, IndexError> {
        let [frame, _] = self.row::<ReferenceRow>(Kind::References, reference)?;
        if frame < self.frame_count() { self.frame(frame) } else { self.item_of_bare(reference).map(frame_of_bare) }
    }

    /// The item that a reference is of.
    pub(super) fn item_number_of(&self, reference: u32) -> Result<u32, IndexError> {
        let [frame, _] = self.row::<ReferenceRow>(Kind::References, reference)?;
        if frame >= self.frame_count() {
            return self.item_of_bare(reference);
        }
        let [item, ..] = self.row::<FrameRow>(Kind::Frames, frame)?;
        Ok(item)
    }

    /// Whose codes the bare hashes are that are not dead.
    pub(super) fn algorithms_of_bare(&self, dead: &Dead) -> BTreeSet<AlgorithmId> {
        let regions = self.rows::<RegionRow>(Kind::Regions);
        let of_segment = self.header().algorithm;
        let possible: BTreeSet<_> = regions.iter().map(|row| segment::algorithm(row[5].into(), of_segment)).collect();
        let mut found = BTreeSet::new();
        let is_alive = |reference| self.item_of_bare(reference).is_ok_and(|item| !dead.item(item));
        for &reference in self.bare() {
            if found.len() == possible.len() {
                break;
            }
            found.extend(self.algorithm_of_bare(reference).ok().filter(|_| is_alive(reference)));
        }
        found
    }

    /// Whose code a bare hash is.
    pub(super) fn algorithm_of_bare(&self, reference: u32) -> Result<AlgorithmId, IndexError> {
        let [_, packed] = self.row::<ReferenceRow>(Kind::References, reference)?;
        let row = self.row::<RegionRow>(Kind::Regions, packed >> 8)?;
        Ok(segment::algorithm(row[5].into(), self.header().algorithm))
    }
}
