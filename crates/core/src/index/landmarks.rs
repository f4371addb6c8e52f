//! Postings: for each key of a kind of landmarks the peaks that begin one, coded in bits.
//!
//! The keys are divided into blocks of 2^shift, so that a block holds some 32 to 64 postings; the directory has the end of
//! each block. A block without postings has no bytes. In a block stands of each key that has postings: how many keys before
//! it have none (Elias gamma of that and 1), how many postings it has (gamma), and these in ascending order, each as what
//! it is above the least that is possible, in Golomb-Rice code. The number of low bits of that code follows from the number
//! of peaks and of postings, which is close to the best choice for every key, whether rare or common, and bounds the bits
//! of a key by its number of postings. The block ends with the number of keys to its end (gamma) and zeros up to a whole
//! byte.

use minutia_machine::hamming::prefetch;
use rayon::prelude::*;

use super::bits::{BitWriter, Bits};
use super::layout::Kind;
use crate::fingerprint::{
    CONSTELLATION_KEY_BITS, CONSTELLATION_PLACE_BITS, PAIR_KEY_BITS, Peak, constellations, pairs,
};

/// A key with more postings than this tells little: such keys are counted, and kept.
pub(super) const STOP_POSTINGS: u64 = 4_096;

/// The least number of postings that a block holds on the mean, where there are so many.
const BLOCK_POSTINGS: u64 = 32;

/// Postings that are sorted at once while an index is built: a gigabyte.
const MOST_AT_ONCE: u64 = 1 << 27;

/// Words before the ends of the blocks.
const HEADER_WORDS: usize = 8;

/// A kind of landmarks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landmarks {
    /// Pairs of peaks: [`pairs`].
    Pairs,
    /// Three peaks: [`constellations`].
    Constellations,
}

/// Where landmarks of a kind stand, and what makes them.
pub(super) struct Family {
    pub(super) kind: Landmarks,
    pub(super) ends: Kind,
    pub(super) postings: Kind,
    /// Counts up when the same peaks get other keys.
    definition: u64,
    key_bits: u32,
    /// Bits of a posting behind the number of its anchor.
    place_bits: u32,
    landmarks: fn(&[Peak], &mut dyn FnMut(u32, u32)),
}

/// Every kind of landmarks that a segment with sound has.
pub(super) const FAMILIES: &[Family] = &[
    Family {
        kind: Landmarks::Pairs,
        ends: Kind::PairEnds,
        postings: Kind::Pairs,
        definition: 1,
        key_bits: PAIR_KEY_BITS,
        place_bits: 0,
        landmarks: pairs,
    },
    Family {
        kind: Landmarks::Constellations,
        ends: Kind::ConstellationEnds,
        postings: Kind::Constellations,
        definition: 1,
        key_bits: CONSTELLATION_KEY_BITS,
        place_bits: CONSTELLATION_PLACE_BITS,
        landmarks: constellations,
    },
];

/// The most peaks of a segment: their numbers and the places of constellations share 32 bits.
pub(super) const MOST_PEAKS: u64 = 1 << (32 - CONSTELLATION_PLACE_BITS);

/// Peaks of one mix of one track, in order, and the number of the first among all of the segment.
pub(super) type Run<'p> = (u32, &'p [Peak]);

/// The directory and the blocks of all landmarks in `runs`, of `peaks` peaks altogether.
pub(super) fn build(family: &Family, runs: &[Run<'_>], peaks: u64) -> (Vec<u64>, Vec<u8>) {
    build_in_passes(family, runs, peaks, MOST_AT_ONCE)
}

fn build_in_passes(family: &Family, runs: &[Run<'_>], peaks: u64, most: u64) -> (Vec<u64>, Vec<u8>) {
    let numbers = peaks << family.place_bits;
    let found: u64 = runs
        .par_iter()
        .map(|(_, peaks)| {
            let mut count = 0;
            (family.landmarks)(peaks, &mut |_, _| count += 1);
            count
        })
        .sum();
    let wanted = (found / BLOCK_POSTINGS).max(1).ilog2();
    let shift = family.key_bits.saturating_sub(wanted);
    let blocks = 1_u64 << (family.key_bits - shift);
    let passes = found.div_ceil(most).max(1).next_power_of_two().min(blocks);
    let mut ends = vec![0; HEADER_WORDS];
    let (mut bytes, mut postings, mut stop_keys) = (Vec::new(), 0, 0);
    for pass in 0..passes {
        let blocks = pass * (blocks / passes)..(pass + 1) * (blocks / passes);
        let keys = blocks.start << shift..blocks.end << shift;
        let mut sorted: Vec<u64> = runs
            .par_iter()
            .flat_map_iter(|&(first, peaks)| {
                let mut own = Vec::new();
                (family.landmarks)(peaks, &mut |key, anchor| {
                    if keys.contains(&key.into()) && ((anchor >> family.place_bits) as usize) < peaks.len() {
                        own.push(u64::from(key) << 32 | ((u64::from(first) << family.place_bits) + u64::from(anchor)));
                    }
                });
                own
            })
            .collect();
        sorted.par_sort_unstable();
        sorted.dedup();
        postings += sorted.len() as u64;
        let mut rest = &sorted[..];
        for block in blocks {
            let (this, after) = rest.split_at(rest.partition_point(|posting| posting >> 32 < (block + 1) << shift));
            rest = after;
            stop_keys += write_block(this, block << shift, 1 << shift, numbers, &mut bytes);
            ends.push(bytes.len() as u64);
        }
    }
    ends[..5].copy_from_slice(&[family.definition, family.key_bits.into(), shift.into(), postings, stop_keys]);
    (ends, bytes)
}

/// Writes one block; the number of its stop keys.
fn write_block(postings: &[u64], first_key: u64, keys: u64, peaks: u64, out: &mut Vec<u8>) -> u64 {
    if postings.is_empty() {
        return 0;
    }
    let mut stop_keys = 0;
    let mut bits = BitWriter::new(out);
    let mut next = first_key;
    for same in postings.chunk_by(|a, b| a >> 32 == b >> 32) {
        let (key, count) = (same[0] >> 32, same.len() as u64);
        bits.gamma(key - next + 1);
        bits.gamma(count);
        let low = low_bits(peaks, count);
        let mut least = 0;
        for posting in same {
            let anchor = posting & 0xffff_ffff;
            bits.rice(anchor - least, low);
            least = anchor + 1;
        }
        next = key + 1;
        stop_keys += u64::from(count > STOP_POSTINGS);
    }
    bits.gamma(first_key + keys - next + 1);
    bits.finish();
    stop_keys
}

/// Low bits of the Golomb-Rice code of a key's postings.
fn low_bits(peaks: u64, count: u64) -> u32 {
    (peaks / count.max(1)).max(1).ilog2()
}

/// The postings of one kind of landmarks of a segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Postings<'s> {
    ends: &'s [u64],
    bytes: &'s [u8],
    shift: u32,
    key_bits: u32,
    peaks: u64,
    pub(super) postings: u64,
    pub(super) stop_keys: u64,
}

impl<'s> Postings<'s> {
    /// Over these sections, of `peaks` peaks; what was found instead where they are none of this build.
    pub(super) fn open(family: &Family, words: &'s [u64], bytes: &'s [u8], peaks: u64) -> Result<Self, String> {
        let Some((&[definition, key_bits, shift, postings, stop_keys, ..], ends)) =
            words.split_first_chunk::<HEADER_WORDS>()
        else {
            return Err(format!("{} words", words.len()));
        };
        if (definition, key_bits) != (family.definition, family.key_bits.into()) {
            return Err(format!("definition {definition} with keys of {key_bits} bits"));
        }
        let shift = u32::try_from(shift).ok().filter(|&shift| shift <= family.key_bits);
        let shift = shift.ok_or("blocks of more keys than there are")?;
        if ends.len() as u64 != 1 << (family.key_bits - shift) {
            return Err(format!("ends of {} blocks", ends.len()));
        }
        Ok(Postings {
            ends,
            bytes,
            shift,
            key_bits: family.key_bits,
            peaks: peaks << family.place_bits,
            postings,
            stop_keys,
        })
    }

    /// Adds the numbers of the peaks that begin a landmark of that key, in ascending order; `None` where the block is
    /// damaged.
    pub(super) fn of(&self, key: u32, anchors: &mut Vec<u32>) -> Option<()> {
        Lists::of(*self).next(key)?.map_or(Some(()), |list| list.read(anchors))
    }

    /// Asks for the first cache line of a key's block.
    fn ask_for(&self, key: u32) {
        let before = ((key >> self.shift) as usize).checked_sub(1);
        let start = before.map_or(Some(0), |before| self.ends.get(before).copied());
        prefetch(self.bytes, start.map_or(usize::MAX, |start| start as usize));
    }

    /// The first block that is not what a writer makes, or that the header does not count.
    pub(super) fn wrong_block(&self) -> Option<String> {
        let numbers = (0..self.ends.len() as u64).into_par_iter();
        let counted: Result<Vec<(u64, u64)>, String> =
            numbers.map(|block| self.count(block).ok_or(format!("block {block}"))).collect();
        let (postings, stop_keys) = match counted {
            Ok(counted) => counted.iter().fold((0, 0), |sum, each| (sum.0 + each.0, sum.1 + each.1)),
            Err(block) => return Some(block),
        };
        if self.ends.last().copied().unwrap_or(0) != self.bytes.len() as u64 {
            return Some(format!("{} bytes of blocks", self.bytes.len()));
        }
        let sound = (postings, stop_keys) == (self.postings, self.stop_keys);
        (!sound).then(|| format!("{postings} postings and {stop_keys} stop keys"))
    }

    /// Postings and stop keys of a block, which is read to its end.
    fn count(&self, block: u64) -> Option<(u64, u64)> {
        let Some(mut bits) = self.block(block)? else { return Some((0, 0)) };
        let keys = 1 << self.shift;
        let (mut next, mut postings, mut stop_keys) = (0, 0, 0);
        loop {
            let key = bits.gamma()?.checked_sub(1)?.checked_add(next)?;
            if key >= keys {
                return (key == keys && next > 0 && bits.only_zeros_follow()).then_some((postings, stop_keys));
            }
            let count = bits.gamma().filter(|&count| count <= self.peaks)?;
            let low = low_bits(self.peaks, count);
            let mut least = 0;
            for _ in 0..count {
                least = bits.rice(low)?.checked_add(least).filter(|&anchor| anchor < self.peaks)? + 1;
            }
            next = key + 1;
            postings += count;
            stop_keys += u64::from(count > STOP_POSTINGS);
        }
    }

    /// The bits of a block, `Some(None)` for one without postings.
    fn block(&self, block: u64) -> Option<Option<Bits<'s>>> {
        let place = usize::try_from(block).ok()?;
        let end = usize::try_from(*self.ends.get(place)?).ok()?;
        let start = place.checked_sub(1).map_or(Some(0), |before| usize::try_from(*self.ends.get(before)?).ok())?;
        if start > end || end > self.bytes.len() {
            return None;
        }
        Some((start < end).then(|| Bits::of(&self.bytes[start..], 8 * (end - start))))
    }
}

/// The postings of one key after another, ascending: a block that several of them have is gone through once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lists<'s> {
    postings: Postings<'s>,
    block: u64,
    /// What follows in the block.
    bits: Bits<'s>,
    /// The first of its keys that was not met.
    next: u64,
    /// A key of which nothing but its number was read.
    met: Option<u64>,
    /// Postings of the key before, which are still to be skipped.
    unread: u64,
}

impl<'s> Lists<'s> {
    pub(super) fn of(postings: Postings<'s>) -> Lists<'s> {
        Lists { postings, block: u64::MAX, bits: Bits::of(&[], 0), next: 0, met: None, unread: 0 }
    }

    /// Those of a key before they are read; `Some(None)` where it has none, `None` where the block is damaged. A key that is not
    /// greater than the one before is looked for from its block's begin.
    pub(super) fn next(&mut self, key: u32) -> Option<Option<PostingList<'s>>> {
        let Postings { shift, key_bits, peaks, .. } = self.postings;
        if key >> key_bits != 0 {
            return Some(None);
        }
        let (block, keys, wanted) = (u64::from(key) >> shift, 1_u64 << shift, u64::from(key) & ((1 << shift) - 1));
        if block != self.block || wanted < self.next {
            self.block = u64::MAX;
            let Some(bits) = self.postings.block(block)? else { return Some(None) };
            *self = Lists { block, bits, next: 0, met: None, unread: 0, ..*self };
        }
        loop {
            let at = match self.met.take() {
                Some(met) => met,
                None => {
                    let low = low_bits(peaks, self.unread);
                    self.bits.rices(low, std::mem::take(&mut self.unread), |_| Some(()))?;
                    self.bits.gamma()?.checked_sub(1)?.checked_add(self.next)?
                }
            };
            if at > wanted || at >= keys {
                self.met = Some(at);
                return (at <= keys).then_some(None);
            }
            self.unread = self.bits.gamma().filter(|&count| count <= peaks)?;
            self.next = at + 1;
            if at == wanted {
                return Some(Some(PostingList { bits: self.bits, count: self.unread, peaks }));
            }
        }
    }

    /// Adds the postings of the key that [`next`](Lists::next) has just found, which then have not to be skipped any more.
    pub(crate) fn read(&mut self, anchors: &mut Vec<u32>) -> Option<()> {
        let count = std::mem::take(&mut self.unread);
        read(&mut self.bits, count, self.postings.peaks, anchors)
    }

    /// Asks for the memory in which a key's postings begin.
    pub(crate) fn ask_for(&self, key: u32) {
        self.postings.ask_for(key);
    }
}

/// The postings of one key, not read yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PostingList<'b> {
    bits: Bits<'b>,
    count: u64,
    peaks: u64,
}

impl PostingList<'_> {
    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        self.count
    }

    /// Adds them in ascending order; `None` where the block is damaged.
    pub(super) fn read(&self, anchors: &mut Vec<u32>) -> Option<()> {
        let mut bits = self.bits;
        read(&mut bits, self.count, self.peaks, anchors)
    }
}

/// Adds so many postings.
fn read(bits: &mut Bits<'_>, count: u64, peaks: u64, anchors: &mut Vec<u32>) -> Option<()> {
    let (low, before) = (low_bits(peaks, count), anchors.len());
    // Each takes a bit at least: a count that was made up asks for no memory.
    anchors.reserve(count.min(bits.left() as u64) as usize);
    let mut next = 0_u64;
    let read = bits.rices(low, count, |above| {
        let anchor = above.saturating_add(next);
        anchors.push(anchor as u32);
        next = anchor.saturating_add(1);
        Some(())
    });
    // They ascend: where the last is a peak all are.
    let sound = read.filter(|()| next <= peaks.min(1 << 32));
    if sound.is_none() {
        anchors.truncate(before);
    }
    sound
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// Peaks that only look random: `runs` recordings of `each`.
    fn recordings(runs: u32, each: u32) -> Vec<Vec<Peak>> {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state >> 20
        };
        let peak = |time| move |pitch: u64| Peak { time, pitch: (pitch % 1_600) as u16, rank: 0 };
        (0..runs).map(|_| (0..each).map(|place| peak(place * 17)(next())).collect()).collect()
    }

    fn in_runs(recordings: &[Vec<Peak>]) -> (Vec<Run<'_>>, u64) {
        let mut first = 0;
        let runs = recordings.iter().map(|peaks| {
            first += peaks.len() as u32;
            (first - peaks.len() as u32, &peaks[..])
        });
        (runs.collect(), u64::from(recordings.iter().map(|peaks| peaks.len() as u32).sum::<u32>()))
    }

    #[test]
    fn every_key_has_its_postings_and_no_other() {
        for (runs, each) in [(1, 2), (1, 9), (3, 50), (5, 4_000)] {
            let recordings = recordings(runs, each);
            let (runs, peaks) = in_runs(&recordings);
            let mut expected: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
            for (first, peaks) in &runs {
                pairs(peaks, &mut |key, anchor| expected.entry(key).or_default().push(first + anchor));
            }
            expected.values_mut().for_each(Vec::dedup);
            let family = &FAMILIES[0];
            let (ends, bytes) = build(family, &runs, peaks);
            assert!(build_in_passes(family, &runs, peaks, 64) == (ends.clone(), bytes.clone()), "in passes");
            let postings = Postings::open(family, &ends, &bytes, peaks).unwrap();
            assert_eq!(postings.wrong_block(), None);
            assert_eq!(postings.postings, expected.values().map(|anchors| anchors.len() as u64).sum::<u64>());
            for key in (0..1 << PAIR_KEY_BITS).step_by(1 << 10).chain(expected.keys().copied()) {
                let mut anchors = Vec::new();
                postings.of(key, &mut anchors).unwrap();
                assert_eq!(&anchors, expected.get(&key).unwrap_or(&Vec::new()), "key {key}");
            }
            // One after another, with those that have none, and back again; read at once, or later, or not at all.
            let keys: BTreeSet<u32> = expected.keys().flat_map(|&key| [key.saturating_sub(3), key, key + 1]).collect();
            let mut lists = Lists::of(postings);
            for (n, key) in keys.iter().chain(keys.iter().rev().step_by(1 + keys.len() / 1_000)).enumerate() {
                let mut anchors = Vec::new();
                lists.ask_for(*key);
                let list = lists.next(*key).unwrap();
                match (list, n % 5) {
                    (Some(list), 0 | 1) => list.read(&mut anchors).unwrap(),
                    (Some(_), 2 | 3) => lists.read(&mut anchors).unwrap(),
                    (Some(_), _) => continue,
                    (None, _) => (),
                }
                assert_eq!(&anchors, expected.get(key).unwrap_or(&Vec::new()), "key {key}");
            }
            let mut anchors = Vec::new();
            assert_eq!((postings.of(u32::MAX, &mut anchors), anchors.len()), (Some(()), 0));
        }
    }

    #[test]
    fn any_bits_are_postings_or_damage() {
        let recordings = recordings(2, 300);
        let (runs, peaks) = in_runs(&recordings);
        let family = &FAMILIES[0];
        let (ends, bytes) = build(family, &runs, peaks);
        for at in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[at / 8] ^= 1 << (at % 8);
            let postings = Postings::open(family, &ends, &bytes, peaks).unwrap();
            let _ = postings.wrong_block();
            let mut anchors = Vec::new();
            let mut lists = Lists::of(postings);
            for key in (0..1 << PAIR_KEY_BITS).step_by(0x6fff1) {
                let _ = postings.of(key, &mut anchors);
                for key in [key, key + 1] {
                    let _ = lists.next(key).flatten().map(|list| list.read(&mut anchors));
                    let _ = lists.next(key + 1).flatten().map(|_| lists.read(&mut anchors));
                }
            }
            assert!(anchors.iter().all(|&anchor| u64::from(anchor) < peaks));
        }
    }

    /// `cargo test -p minutia --lib bytes_of_a_posting -- --nocapture` prints the table.
    #[test]
    fn bytes_of_a_posting() {
        for each in [20_000, 200_000] {
            let recordings = recordings(8, each);
            let (runs, peaks) = in_runs(&recordings);
            let (ends, bytes) = build(&FAMILIES[0], &runs, peaks);
            let postings = ends[3] as f64;
            let (directory, blocks) = (8.0 * ends.len() as f64 / postings, bytes.len() as f64 / postings);
            eprintln!("{postings} postings: {blocks:.2} bytes each and {directory:.2} for the directory");
            assert!(blocks + directory < 3.2);
        }
    }
}
