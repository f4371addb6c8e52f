//! The sound of a segment: its tracks, their peaks and Chromaprint items, and which peaks begin a landmark.
//!
//! A [`Sound`] is made once for each segment and search. Everything that its accessors rely on is checked then, in a walk
//! over the tracks, so that they are slices of the mapped file and a few steps of arithmetic.

use std::ops::Range;
use std::path::Path;

use minutia_machine::hamming::prefetch;

use super::landmarks::{FAMILIES, Lists, PostingList, Postings};
use super::layout::{Kind, TrackRow};
use super::segment::Segment;
use super::tombstones::Dead;
use super::{Index, IndexError, Landmarks, WorkId};
use crate::fingerprint::{AudioFingerprint, CONSTELLATION_PLACE_BITS, CONSTELLATION_RANK, Mix, Peak};

/// One audio stream of a registered file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// The work.
    pub work: WorkId,
    /// The file's name when it was registered.
    pub source_name: String,
    /// BLAKE3 of the file, where it is known.
    pub source_digest: Option<[u8; 32]>,
    /// The stream's number in its file.
    pub stream: u32,
    /// Its length in milliseconds.
    pub duration_ms: u64,
    /// How much of that can be told from other sound, in milliseconds.
    pub content_ms: u64,
    /// Peaks of both mixes.
    pub peaks: u32,
    /// Chromaprint items.
    pub chromaprint_items: u32,
}

/// The sound of one segment of an index.
///
/// Tracks have numbers from 0, and so have the peaks of all tracks together: those of a track follow one another, its mid
/// mix before its side. A peak that begins a landmark is called an *anchor* and named by its number.
#[derive(Debug)]
pub struct Sound<'i> {
    path: &'i Path,
    rows: &'i [TrackRow],
    times: &'i [u32],
    pitches: &'i [u16],
    chromaprint: &'i [u32],
    postings: Vec<(Landmarks, Postings<'i>)>,
    /// The first peak of each lane: a track's mid mix, and its side.
    lanes: Vec<u32>,
    /// The lane of each [`STRIDE`]th peak.
    guide: Vec<u32>,
    dead: Vec<bool>,
}

/// Peaks for each entry of the guide: few, so that a lane seldom ends among them.
const STRIDE: usize = 512;

/// Peaks of one mix of one track, sorted by time and pitch.
#[derive(Clone, Copy, Debug)]
pub struct PeakSlice<'i> {
    /// The number of the first among the peaks of the segment.
    pub first: u32,
    /// Their times, in units of [`Peak::TIME_UNIT`].
    pub times: &'i [u32],
    /// Their pitches, and their ranks times 2,048.
    pitches: &'i [u16],
}

impl Index {
    /// The sound of each segment that has any.
    ///
    /// # Errors
    /// [`IndexError::Damaged`].
    pub fn sounds(&self) -> Result<Vec<(usize, Sound<'_>)>, IndexError> {
        let mut sounds = Vec::new();
        for (place, part) in self.parts().iter().enumerate() {
            sounds.extend(Sound::open(&part.segment, &part.dead)?.map(|sound| (place, sound)));
        }
        Ok(sounds)
    }

    /// A track of that segment, both numbered as [`Index::sounds`] does.
    ///
    /// # Errors
    /// [`IndexError::Damaged`], also for numbers that this generation does not have.
    pub fn track(&self, segment: usize, track: u32) -> Result<Track, IndexError> {
        let part = self.part(segment)?;
        let row: TrackRow = part.segment.row(Kind::Tracks, track)?;
        let item = part.segment.item(row[0])?;
        let [_, stream, duration_low, duration_high, content_low, content_high, _, mid, side, _, items, _] = row;
        Ok(Track {
            work: part.work_id(item.work)?,
            source_name: item.source_name.into_owned(),
            source_digest: item.source_digest,
            stream,
            duration_ms: u64::from(duration_high) << 32 | u64::from(duration_low),
            content_ms: u64::from(content_high) << 32 | u64::from(content_low),
            peaks: mid.saturating_add(side),
            chromaprint_items: items,
        })
    }

    /// All living tracks, by segment, and in each by work, file and stream.
    ///
    /// # Errors
    /// [`IndexError::Damaged`].
    pub fn tracks(&self) -> Result<Vec<Track>, IndexError> {
        let mut tracks = Vec::new();
        for (segment, sound) in self.sounds()? {
            for track in (0..sound.len()).filter(|&track| sound.is_alive(track)) {
                tracks.push(self.track(segment, track)?);
            }
        }
        Ok(tracks)
    }
}

impl<'i> Sound<'i> {
    /// The sound of a segment, `None` where it has none.
    pub(super) fn open<B: AsRef<[u8]>>(segment: &'i Segment<B>, dead: &Dead) -> Result<Option<Sound<'i>>, IndexError> {
        if segment.header().section(Kind::Tracks).is_none() {
            return Ok(None);
        }
        let rows = segment.rows::<TrackRow>(Kind::Tracks);
        let (mut peaks, mut items) = (0_u64, 0_u64);
        for (number, row) in rows.iter().enumerate() {
            if u64::from(row[6]) != peaks || u64::from(row[9]) != items || row[11] != 0 {
                let expected = format!("track {number} from peak {peaks} and item {items} on, and a zero");
                return Err(segment.wrong(Kind::Tracks, expected, format!("{row:?}")));
            }
            peaks += u64::from(row[7]) + u64::from(row[8]);
            items += u64::from(row[10]);
        }
        let times = segment.counted_rows::<u32>(Kind::PeakTimes, peaks)?;
        let pitches = segment.counted_rows(Kind::PeakPitches, peaks)?;
        let chromaprint = segment.counted_rows(Kind::ChromaprintItems, items)?;
        let mut postings = Vec::new();
        for family in FAMILIES {
            let (ends, blocks) = (segment.rows::<u64>(family.ends), segment.section(family.postings));
            let opened = Postings::open(family, ends, blocks, peaks);
            let opened =
                opened.map_err(|found| segment.wrong(family.ends, "a directory of this build's keys", found))?;
            postings.push((family.kind, opened));
        }
        let lanes: Vec<u32> = rows.iter().flat_map(|row| [row[6], row[6].saturating_add(row[7])]).collect();
        let mut guide = Vec::with_capacity(times.len() / STRIDE + 1);
        for (lane, end) in (0_u32..).zip(lanes.iter().skip(1).copied().chain([times.len() as u32])) {
            while guide.len() * STRIDE < end as usize {
                guide.push(lane);
            }
        }
        let dead = rows.iter().map(|row| dead.item(row[0])).collect();
        Ok(Some(Sound { path: segment.path(), rows, times, pitches, chromaprint, postings, lanes, guide, dead }))
    }

    /// How many tracks there are, the dead among them.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.rows.len() as u32
    }

    /// True where there is no track.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// False for a track of a file that was removed, and for a number that no track has.
    #[must_use]
    pub fn is_alive(&self, track: u32) -> bool {
        self.dead.get(track as usize) == Some(&false)
    }

    /// How many peaks there are, of all tracks and both mixes: anchors are below this.
    #[must_use]
    pub fn peak_count(&self) -> u32 {
        self.times.len() as u32
    }

    /// The length of a track in milliseconds; 0 for a number that no track has.
    #[must_use]
    pub fn duration_ms(&self, track: u32) -> u64 {
        self.rows.get(track as usize).map_or(0, |row| u64::from(row[3]) << 32 | u64::from(row[2]))
    }

    /// The peaks of a track; none for a number that no track has.
    #[must_use]
    pub fn peaks(&self, track: u32, mix: Mix) -> PeakSlice<'i> {
        let range = self.rows.get(track as usize).map_or(0..0, |row| match mix {
            Mix::Mid => row[6]..row[6] + row[7],
            Mix::Side => row[6] + row[7]..row[6] + row[7] + row[8],
        });
        self.slice(range)
    }

    fn slice(&self, range: Range<u32>) -> PeakSlice<'i> {
        let places = range.start as usize..range.end as usize;
        PeakSlice { first: range.start, times: &self.times[places.clone()], pitches: &self.pitches[places] }
    }

    /// The Chromaprint items of a track; none for a number that no track has.
    #[must_use]
    pub fn chromaprint(&self, track: u32) -> &'i [u32] {
        let row = self.rows.get(track as usize);
        row.map_or(&[], |row| &self.chromaprint[row[9] as usize..][..row[10] as usize])
    }

    /// Adds the anchors that have that key, in ascending order; those of dead tracks are among them.
    ///
    /// # Errors
    /// [`IndexError::Damaged`].
    pub fn postings(&self, landmarks: Landmarks, key: u32, anchors: &mut Vec<u32>) -> Result<(), IndexError> {
        let postings = self.postings.iter().find(|(kind, _)| *kind == landmarks);
        let Some((_, postings)) = postings else { return Ok(()) };
        postings.of(key, anchors).ok_or_else(|| self.damaged_postings())
    }

    /// The anchors of one key after another, ascending.
    pub(crate) fn posting_lists(&self, landmarks: Landmarks) -> PostingLists<'_, 'i> {
        let postings = self.postings.iter().find(|(kind, _)| *kind == landmarks);
        PostingLists { sound: self, lists: postings.map(|(_, postings)| Lists::of(*postings)) }
    }

    /// Adds the anchors of a list, in ascending order; those of dead tracks are among them.
    pub(crate) fn read_postings(&self, list: &PostingList<'i>, anchors: &mut Vec<u32>) -> Result<(), IndexError> {
        list.read(anchors).ok_or_else(|| self.damaged_postings())
    }

    fn damaged_postings(&self) -> IndexError {
        IndexError::damaged(self.path, "section landmarks", "postings of a key", "other bits")
    }

    /// The track of a peak, its mix and the peak itself. Takes a few nanoseconds; `None` past the last.
    #[must_use]
    pub fn peak(&self, number: u32) -> Option<(u32, Mix, Peak)> {
        let (time, pitch) = (self.time(number)?, self.pitches.get(number as usize)?);
        let lane = self.lane(number)?;
        Some((lane >> 1, if lane & 1 == 0 { Mix::Mid } else { Mix::Side }, unpacked(time, *pitch)))
    }

    /// The lane of a peak: twice its track, and one more in the side mix; `None` past the last.
    #[inline(always)]
    pub(crate) fn lane(&self, number: u32) -> Option<u32> {
        let place = number as usize / STRIDE;
        let from = *self.guide.get(place)? as usize;
        if self.lanes.get(from + 1).is_none_or(|&next| number < next) {
            return Some(from as u32);
        }
        // Lanes without peaks may stand before one that begins with the same peak; the last that begins so has it.
        let to = self.guide.get(place + 1).map_or(self.lanes.len(), |&lane| lane as usize + 1);
        Some((from + self.lanes[from..to].partition_point(|&first| first <= number)) as u32 - 1)
    }

    /// The time of a peak; `None` past the last.
    #[inline(always)]
    pub(crate) fn time(&self, number: u32) -> Option<u32> {
        self.times.get(number as usize).copied()
    }

    /// And its pitch.
    #[inline(always)]
    pub(crate) fn pitch(&self, number: u32) -> Option<u16> {
        self.pitches.get(number as usize).map(|pitch| pitch % Peak::PITCHES)
    }

    /// Asks for the cache line of a peak's pitch.
    #[inline(always)]
    pub(crate) fn prefetch_pitch(&self, number: u32) {
        prefetch(self.pitches, number as usize);
    }

    /// And of its time.
    #[inline(always)]
    pub(crate) fn prefetch_time(&self, number: u32) {
        prefetch(self.times, number as usize);
    }

    /// Asks for the cache lines of a constellation's pitches: its anchor's and those behind it.
    #[inline(always)]
    pub(crate) fn prefetch_constellation(&self, posting: u32) {
        // Every second peak has the rank that a last peak has; there are up to fifteen of them.
        const BEHIND: u32 = 24;
        let anchor = anchor_of(posting);
        self.prefetch_pitch(anchor);
        self.prefetch_pitch(anchor.saturating_add(BEHIND));
    }

    /// Of a constellation's posting the number of its last peak; `None` where there is none.
    #[inline(always)]
    pub(crate) fn last_of(&self, posting: u32) -> Option<u32> {
        let anchor = anchor_of(posting);
        let mut left = posting & ((1 << CONSTELLATION_PLACE_BITS) - 1);
        if left == 0 {
            return None;
        }
        for (last, &pitch) in (anchor + 1..).zip(self.pitches.get(anchor as usize + 1..)?) {
            // Counted without a branch: no processor guesses which ranks follow.
            left -= u32::from(pitch / Peak::PITCHES < u16::from(CONSTELLATION_RANK));
            if left == 0 {
                return Some(last);
            }
        }
        None
    }

    /// The track as it was registered.
    pub(super) fn fingerprint(&self, track: u32) -> AudioFingerprint {
        let row = self.rows.get(track as usize).copied().unwrap_or_default();
        AudioFingerprint {
            stream: row[1],
            duration_ms: u64::from(row[3]) << 32 | u64::from(row[2]),
            content_ms: u64::from(row[5]) << 32 | u64::from(row[4]),
            mid: self.peaks(track, Mix::Mid).iter().collect(),
            side: self.peaks(track, Mix::Side).iter().collect(),
            chromaprint: self.chromaprint(track).to_vec(),
        }
    }

    /// The first track whose peaks are not in order.
    pub(super) fn wrong_peaks(&self) -> Option<u32> {
        let sound = |peaks: PeakSlice<'_>| peaks.iter().is_sorted();
        (0..self.len()).find(|&track| !Mix::ALL.into_iter().all(|mix| sound(self.peaks(track, mix))))
    }

    /// The item of a track.
    pub(super) fn item(&self, track: u32) -> u32 {
        self.rows.get(track as usize).map_or(u32::MAX, |row| row[0])
    }

    /// The tracks of an item, where the rows are in order.
    pub(super) fn tracks_of(&self, item: u32) -> Range<u32> {
        let start = self.rows.partition_point(|row| row[0] < item);
        let end = start + self.rows[start..].partition_point(|row| row[0] == item);
        start as u32..end as u32
    }

    /// The postings of each kind of landmarks.
    pub(super) fn all_postings(&self) -> &[(Landmarks, Postings<'i>)] {
        &self.postings
    }
}

/// The number of a constellation's anchor.
#[inline(always)]
pub(crate) fn anchor_of(posting: u32) -> u32 {
    posting >> CONSTELLATION_PLACE_BITS
}

/// The anchors of one key after another, ascending: see [`Sound::posting_lists`].
pub(crate) struct PostingLists<'s, 'i> {
    sound: &'s Sound<'i>,
    lists: Option<Lists<'i>>,
}

impl<'i> PostingLists<'_, 'i> {
    /// Those of a key, not read yet: `None` where it has none.
    pub(crate) fn find(&mut self, key: u32) -> Result<Option<PostingList<'i>>, IndexError> {
        let Some(lists) = &mut self.lists else { return Ok(None) };
        lists.next(key).ok_or_else(|| self.sound.damaged_postings())
    }

    /// Adds those of the key that was just found, in ascending order; anchors of dead tracks are among them.
    pub(crate) fn read(&mut self, anchors: &mut Vec<u32>) -> Result<(), IndexError> {
        let read = self.lists.as_mut().map_or(Some(()), |lists| lists.read(anchors));
        read.ok_or_else(|| self.sound.damaged_postings())
    }

    /// Asks for the memory in which those of a key begin, which is found soon.
    pub(crate) fn ask_for(&self, key: u32) {
        self.lists.iter().for_each(|lists| lists.ask_for(key));
    }
}

impl<'i> PeakSlice<'i> {
    /// How many peaks.
    #[must_use]
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// True where there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// The peaks one by one.
    pub fn iter(&self) -> impl Iterator<Item = Peak> + use<'i> {
        self.times.iter().zip(self.pitches).map(|(&time, &pitch)| unpacked(time, pitch))
    }

    /// Those from one time on up to before another.
    #[must_use]
    pub fn span(&self, times: Range<u32>) -> PeakSlice<'i> {
        let start = self.times.partition_point(|&time| time < times.start);
        let end = start + self.times[start..].partition_point(|&time| time < times.end);
        let first = self.first + start as u32;
        PeakSlice { first, times: &self.times[start..end], pitches: &self.pitches[start..end] }
    }
}

/// A peak's rank and pitch in 16 bits.
pub(super) fn packed_pitch(peak: &Peak) -> u16 {
    const { assert!(Peak::PITCHES as u32 * AudioFingerprint::REFERENCE_RANK as u32 <= 1 << 16) };
    let rank = u16::from(peak.rank.min(AudioFingerprint::REFERENCE_RANK - 1));
    rank * Peak::PITCHES + peak.pitch.min(Peak::PITCHES - 1)
}

fn unpacked(time: u32, pitch: u16) -> Peak {
    Peak { time, pitch: pitch % Peak::PITCHES, rank: (pitch / Peak::PITCHES) as u8 }
}

/// The row of a track whose peaks and items begin at those numbers.
pub(super) fn track_row(item: u32, audio: &AudioFingerprint, first_peak: u32, first_item: u32) -> TrackRow {
    let low_and_high = |number: u64| (number as u32, (number >> 32) as u32);
    let (duration_low, duration_high) = low_and_high(audio.duration_ms);
    let (content_low, content_high) = low_and_high(audio.content_ms);
    [
        item,
        audio.stream,
        duration_low,
        duration_high,
        content_low,
        content_high,
        first_peak,
        audio.mid.len() as u32,
        audio.side.len() as u32,
        first_item,
        audio.chromaprint.len() as u32,
        0,
    ]
}
