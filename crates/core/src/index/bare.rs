//! Bare hashes: codes of hash lists, of which no file is known.
//!
//! To those who add and read them they are files like others, which are called by the digits of their codes. On disk such a
//! name, its item and its frame would take 128 bytes of each and say nothing, so that its reference points at its work
//! instead. Reading makes the item and the frame anew.

use std::collections::BTreeSet;

use minutia_media::Orientation;
use rayon::prelude::*;

use super::draft::{DraftItem, DraftReference};
use super::layout::{FrameRow, Kind, ReferenceRow, RegionRow};
use super::name::Name;
use super::segment::{Segment, SegmentFrame};
use super::tombstones::Dead;
use super::{Entry, IndexError, Work, segment};
use crate::fingerprint::{AlgorithmId, Code, Dihedral, Fingerprint, ImageFingerprint, Region, View};

/// A hash of a list, of which no file is known: to an index a file of one picture, called by the digits of the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BareHash {
    /// The code.
    pub code: Code,
    /// Whose code it is.
    pub algorithm: AlgorithmId,
    /// The part of the picture.
    pub region: Region,
    /// 0..=100.
    pub quality: u8,
}

impl BareHash {
    /// The hash that an entry is nothing more than.
    pub(super) fn of(entry: &Entry, algorithm: AlgorithmId) -> Option<BareHash> {
        let [Fingerprint::Image(image)] = &entry.fingerprints[..] else { return None };
        let [view] = &image.views[..] else { return None };
        let hash = BareHash { code: view.code, algorithm, region: view.region, quality: view.quality };
        let plain = entry.source_digest.is_none() && entry.thumbnail.is_none() && *image == hash.picture();
        let plain = plain && entry.source_name.len() == algorithm.digit_count();
        (plain && Name::of(entry.source_name.as_str().into()) == hash.name()).then_some(hash)
    }

    /// The entry that is nothing more than this hash.
    pub(super) fn entry(&self, work: Work) -> Entry {
        let fingerprints = vec![Fingerprint::Image(self.picture())];
        let source_name = self.algorithm.digits(&self.code);
        Entry { work, source_name, source_digest: None, fingerprints, thumbnail: None }
    }

    fn picture(&self) -> ImageFingerprint {
        let turn = Dihedral::Identity;
        let views = vec![View { region: self.region, turn, code: self.code, quality: self.quality, plain_rim: 0 }];
        let SegmentFrame { number, time_ms, width, height, orientation, .. } = frame_of_bare(0);
        ImageFingerprint { frame: number, time_ms, width, height, orientation, views }
    }

    fn name(&self) -> Name {
        name_of(&self.code.0, self.algorithm)
    }
}

/// A bare hash in a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DraftHash {
    pub(super) code: [u8; 32],
    pub(super) work: u32,
    pub(super) region: u32,
    pub(super) algorithm: AlgorithmId,
    pub(super) quality: u8,
    /// Its code says too little to be found: a file without references.
    pub(super) refused: bool,
}

impl DraftHash {
    /// The file that it is.
    pub(super) fn item(&self) -> DraftItem {
        let (work, algorithm) = (self.work, self.algorithm);
        let name = name_of(&self.code, algorithm);
        DraftItem { work, name, digest: None, algorithm, thumbnail: None, dead: false }
    }
}

/// By their codes, and of one code by their works, the last that came of each of these.
pub(super) fn sorted(hashes: &[DraftHash]) -> Vec<DraftHash> {
    // Their first bytes tell nearly all apart, and places are moved in a fraction of the time.
    let key = |(place, hash): (usize, &DraftHash)| {
        let [a, b, c, d, e, f, g, h, ..] = hash.code;
        (u64::from_be_bytes([a, b, c, d, e, f, g, h]), place as u32)
    };
    let mut order: Vec<(u64, u32)> = hashes.par_iter().enumerate().map(key).collect();
    let at = |&(_, place): &(u64, u32)| &hashes[place as usize];
    order.par_sort_unstable_by(|a, b| {
        a.0.cmp(&b.0)
            .then_with(|| at(a).code.cmp(&at(b).code))
            .then_with(|| at(a).work.cmp(&at(b).work))
            .then(a.1.cmp(&b.1))
    });
    let is_last = |place: usize| {
        let next = order.get(place + 1).map(at);
        next.is_none_or(|next| (next.code, next.work) != (at(&order[place]).code, at(&order[place]).work))
    };
    order.par_iter().enumerate().filter(|(place, _)| is_last(*place)).map(|(_, hash)| *at(hash)).collect()
}

/// Takes from these files those that are nothing but a bare hash each: they are dead among the others then.
pub(super) fn taken_from(
    items: &mut [DraftItem],
    frames: &[SegmentFrame],
    references: &[DraftReference],
    has_more: impl Iterator<Item = u32>,
) -> Vec<DraftHash> {
    let mut hashes: Vec<Hashes> = vec![Hashes::None; items.len()];
    for reference in references {
        let hashes = &mut hashes[frames[reference.frame as usize].item as usize];
        *hashes = match hashes {
            Hashes::None => Hashes::One(*reference),
            Hashes::One(one) if one == reference => Hashes::One(*one),
            _ => Hashes::More,
        };
    }
    let mut frames_of = vec![0_u32; items.len()];
    for frame in frames {
        // A second one, or one with a size, is more than a bare hash has.
        let more = if *frame == frame_of_bare(frame.item) { 1 } else { 2 };
        frames_of[frame.item as usize] = frames_of[frame.item as usize].saturating_add(more);
    }
    has_more.for_each(|item| frames_of[item as usize] = 2);
    let mut taken = Vec::new();
    for ((item, hashes), frames) in items.iter_mut().zip(hashes).zip(frames_of) {
        let Hashes::One(DraftReference { code, region, quality, .. }) = hashes else { continue };
        let hash = DraftHash { code, work: item.work, region, algorithm: item.algorithm, quality, refused: false };
        if frames == 1 && !item.dead && *item == hash.item() {
            item.dead = true;
            taken.push(hash);
        }
    }
    taken
}

/// The references of an item.
#[derive(Clone, Copy)]
enum Hashes {
    None,
    One(DraftReference),
    More,
}

/// As hash lists print a code.
fn name_of(code: &[u8; 32], algorithm: AlgorithmId) -> Name {
    Name::Digits(Code(*code), algorithm.digit_count() as u8)
}

/// The frame of a bare hash: a still, of which nothing is known.
pub(super) fn frame_of_bare(item: u32) -> SegmentFrame {
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
