//! Tombstones: which works and files of a segment were removed since it was written.
//!
//! Segments never change, so a removal is a new list beside them. One file holds the lists of all segments of a
//! generation; a merge leaves the dead out and drops their tombstones.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use super::IndexError;
use super::layout::{ENDIAN_TAG, TOMBSTONE_MAGIC, VERSION, u32_at, u64_at};

/// What is dead of one segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dead {
    works: BTreeSet<u32>,
    items: BTreeSet<u32>,
}

/// What is dead of every segment, by the segment's number.
pub(super) type Tombstones = BTreeMap<u64, Dead>;

impl Dead {
    pub(crate) fn work(&self, work: u32) -> bool {
        self.works.contains(&work)
    }

    pub(crate) fn item(&self, item: u32) -> bool {
        self.items.contains(&item)
    }

    pub(super) fn works(&self) -> &BTreeSet<u32> {
        &self.works
    }

    pub(super) fn items(&self) -> &BTreeSet<u32> {
        &self.items
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.works.is_empty() && self.items.is_empty()
    }

    /// False where it was dead already.
    pub(super) fn bury_work(&mut self, work: u32) -> bool {
        self.works.insert(work)
    }

    /// False where it was dead already.
    pub(super) fn bury_item(&mut self, item: u32) -> bool {
        self.items.insert(item)
    }
}

/// The file's bytes: magic, version, byte order tag, then of each segment its number, how many works and items, and
/// those; then a checksum of everything before it.
pub(super) fn encode(tombstones: &Tombstones) -> Vec<u8> {
    let mut bytes = TOMBSTONE_MAGIC.to_vec();
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend(ENDIAN_TAG.to_le_bytes());
    for (segment, dead) in tombstones.iter().filter(|(_, dead)| !dead.is_empty()) {
        bytes.extend(segment.to_le_bytes());
        bytes.extend((dead.works.len() as u32).to_le_bytes());
        bytes.extend((dead.items.len() as u32).to_le_bytes());
        for number in dead.works.iter().chain(&dead.items) {
            bytes.extend(number.to_le_bytes());
        }
    }
    bytes.extend(xxh3_64(&bytes).to_le_bytes());
    bytes
}

/// Reads what [`encode`] wrote.
pub(super) fn decode(path: &Path, bytes: &[u8]) -> Result<Tombstones, IndexError> {
    let damaged = |expected: &str, found: String| IndexError::damaged(path, "tombstones", expected, found);
    let Some((body, checksum)) = bytes.split_last_chunk::<8>() else {
        return Err(damaged("at least 8 bytes", format!("{} bytes", bytes.len())));
    };
    if body.get(..8) != Some(&TOMBSTONE_MAGIC[..]) {
        return Err(damaged("the first bytes of tombstones", format!("{:02x?}", &bytes[..8])));
    }
    if u32_at(body, 8) > VERSION {
        return Err(IndexError::Newer { path: path.to_owned(), found: u32_at(body, 8), known: VERSION });
    }
    let (expected, found) = (u64::from_le_bytes(*checksum), xxh3_64(body));
    if expected != found {
        return Err(damaged(&format!("checksum {expected:016x}"), format!("{found:016x}")));
    }
    if u32_at(body, 12) != ENDIAN_TAG {
        return Err(damaged(&format!("byte order tag {ENDIAN_TAG:08x}"), format!("{:08x}", u32_at(body, 12))));
    }
    let mut tombstones = Tombstones::new();
    let mut rest = body.get(16..).unwrap_or(&[]);
    while !rest.is_empty() {
        let Some((head, after)) = rest.split_at_checked(16) else {
            return Err(damaged("16 bytes about a segment", format!("{} bytes", rest.len())));
        };
        let (works, items) = (u32_at(head, 8) as usize, u32_at(head, 12) as usize);
        let Some((lists, after)) = after.split_at_checked((works + items).saturating_mul(4)) else {
            return Err(damaged(&format!("{works} works and {items} items"), format!("{} bytes", after.len())));
        };
        let number = |place: usize| u32_at(lists, 4 * place);
        let dead =
            Dead { works: (0..works).map(number).collect(), items: (works..works + items).map(number).collect() };
        tombstones.insert(u64_at(head, 0), dead);
        rest = after;
    }
    Ok(tombstones)
}
