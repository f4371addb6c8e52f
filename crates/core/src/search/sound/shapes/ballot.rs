//! The votes of constellations: what of a reference fits what of the query, and which alignment each such pair implies.

use std::ops::{Range, RangeInclusive};

use minutia_machine::{Level, Work, wide};

use super::{
    Cell, Implied, PITCH, PITCH_CELL, RATIOS, STEP_PITCH, STEP_TEMPO, TEMPO, TEMPO_CELL, TIME_BITS, TIME_CELL, Votes,
};
use crate::fingerprint::Peak;
use crate::index::{Sound, anchor_of};
use crate::search::sound::counts::Counts;
use crate::search::sound::logarithm::log2;
use crate::search::sound::votes::TOGETHER;

/// So many constellations of references are found before they vote.
pub(super) const AT_ONCE: usize = 256;
/// So many votes later one is counted.
const COUNTED_LATER: usize = 64;

/// Where votes are taken, many at once, so that memory which one waits for is at hand for the next.
pub(super) struct Ballot<'a, 'i> {
    pub(super) sound: &'a Sound<'i>,
    pub(super) middle: u32,
    /// Constellations of the query, by key.
    pub(super) asked: Vec<AskedShape>,
    /// Which of them ask for the constellations that were found up to a place.
    pub(super) parts: Vec<(Range<usize>, usize)>,
    /// Anchors and last peaks of references.
    pub(super) found: Vec<(u32, u32)>,
    pub(super) held: Held,
    pub(super) votes: Votes,
    pub(super) counts: Counts,
    pub(super) counted: usize,
}

impl Ballot<'_, '_> {
    /// Finds those of at most [`TOGETHER`] postings whose anchors have such pitches.
    pub(super) fn find(&mut self, postings: &[u32], part: Range<usize>, pitches: &RangeInclusive<i32>) {
        let (mut near, mut count) = ([0_u32; TOGETHER], 0);
        for place in part.take(TOGETHER) {
            if let Some(&soon) = postings.get(place + TOGETHER) {
                self.sound.prefetch_constellation(soon);
            }
            let pitch = self.sound.pitch(anchor_of(postings[place])).map_or(-1, i32::from);
            // One in two has such a pitch, which no processor guesses: each is written, and the next over those that have not.
            near[count] = postings[place];
            count += usize::from(pitches.contains(&pitch) & (pitch >= 0));
        }
        for &posting in &near[..count] {
            let Some(last) = self.sound.last_of(posting) else { continue };
            let anchor = anchor_of(posting);
            self.sound.prefetch_time(anchor);
            self.sound.prefetch_time(last);
            self.found.push((anchor, last));
        }
    }

    /// Takes the votes of those that were found.
    pub(super) fn vote(&mut self) {
        let (level, mut start) = (Level::best(), 0);
        for (asked, end) in self.parts.drain(..) {
            self.held.read(self.sound, &self.found[start..end]);
            start = end;
            for asked in self.asked[asked].chunks(FITTING_BITS) {
                wide(level, Fitting { held: &mut self.held, asked });
                for (place, fitting) in self.held.fitting[..self.held.count].iter().enumerate() {
                    for asked in ones(*fitting).map(|bit| &asked[bit]) {
                        if let Some((cell, implied)) = self.held.vote(place, asked, self.middle) {
                            self.counts.ask_for(cell);
                            self.votes.cells.push(cell);
                            self.votes.implied.push(implied);
                        }
                    }
                }
            }
        }
        self.found.clear();
        self.count_up_to(self.votes.cells.len().saturating_sub(COUNTED_LATER));
    }

    pub(super) fn count_up_to(&mut self, end: usize) {
        let uncounted = self.votes.cells.get(self.counted..end).unwrap_or(&[]);
        uncounted.iter().for_each(|&cell| self.counts.put(cell));
        self.counted = self.counted.max(end);
    }
}

/// What a constellation of a query is compared by.
#[derive(Clone, Copy, Debug)]
pub(super) struct AskedShape {
    pub(super) time: u32,
    pub(super) pitch: i32,
    pub(super) gap: f32,
    /// Those that it may have in a reference, and some more.
    pub(super) gaps: (i32, i32),
}

impl AskedShape {
    pub(super) fn of(anchor: Peak, last: Peak) -> AskedShape {
        let gap = (last.time - anchor.time) as f32;
        // A gap is within that of the zone.
        let gaps = ((gap * RATIOS.0) as i32 - 1, (gap * RATIOS.1) as i32 + 1);
        AskedShape { time: anchor.time, pitch: anchor.pitch.into(), gap, gaps }
    }
}

/// Bits of [`Held::fitting`].
const FITTING_BITS: usize = 32;

/// Constellations of references, side by side.
#[derive(Debug)]
pub(super) struct Held {
    count: usize,
    lanes: [u32; TOGETHER],
    times: [u32; TOGETHER],
    pitches: [i32; TOGETHER],
    gaps: [i32; TOGETHER],
    /// Of each which of those that ask fit, a bit each.
    fitting: [u32; TOGETHER],
}

impl Held {
    pub(super) const NONE: Held = Held {
        count: 0,
        lanes: [0; TOGETHER],
        times: [0; TOGETHER],
        pitches: [0; TOGETHER],
        gaps: [0; TOGETHER],
        fitting: [0; TOGETHER],
    };

    /// Those of at most [`TOGETHER`] anchors and last peaks.
    fn read(&mut self, sound: &Sound<'_>, found: &[(u32, u32)]) {
        self.count = 0;
        for &(anchor, last) in found {
            let (Some(time), Some(last)) = (sound.time(anchor), sound.time(last)) else { continue };
            let (Some(pitch), Some(lane)) = (sound.pitch(anchor), sound.lane(anchor)) else { continue };
            let place = self.count;
            self.lanes[place] = lane;
            self.times[place] = time;
            self.pitches[place] = pitch.into();
            // An index that was tampered with may name peaks that do not follow one another.
            self.gaps[place] = last.saturating_sub(time).clamp(1, i32::MAX as u32) as i32;
            self.count += 1;
        }
    }

    /// The vote of the one at this place for what asks; `None` where the tempo is none that is looked for.
    #[inline(always)]
    fn vote(&self, place: usize, asked: &AskedShape, middle: u32) -> Option<(Cell, Implied)> {
        let ratio = self.gaps[place] as f32 / asked.gap;
        let tempo = log2(ratio);
        if tempo.abs() > TEMPO {
            return None;
        }
        let pitch = self.pitches[place] - asked.pitch;
        let to_middle = (i64::from(middle) - i64::from(asked.time)) as f32 * ratio;
        let at_middle = (i64::from(self.times[place]) - i64::from(middle)) as f32 + to_middle;
        // All within their bits: 62 cells of pitch, 38 of tempo, and times below 2^33 over 384.
        let pitch_cell = (pitch - PITCH.start()).div_euclid(PITCH_CELL) as u64;
        let tempo_cell = ((tempo + TEMPO) / TEMPO_CELL) as u32 as u64;
        let time_cell = floor(at_middle / TIME_CELL) + (1 << (TIME_BITS - 1));
        let time_cell = time_cell.clamp(1, (1 << TIME_BITS) - 2) as u64;
        let cell = (u64::from(self.lanes[place]) << 40)
            + (pitch_cell + 1) * STEP_PITCH
            + (tempo_cell + 1) * STEP_TEMPO
            + time_cell;
        Some((cell, Implied { pitch: pitch as f32, tempo, middle: at_middle }))
    }
}

/// Finds out which of at most [`FITTING_BITS`] that ask fit those that are held.
struct Fitting<'a> {
    held: &'a mut Held,
    asked: &'a [AskedShape],
}

impl Work for Fitting<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Fitting { held: Held { count, pitches, gaps, fitting, .. }, asked } = self;
        let count = *count;
        let (pitches, gaps, fitting) = (&pitches[..count], &gaps[..count], &mut fitting[..count]);
        fitting.fill(0);
        for (bit, asked) in asked.iter().enumerate().take(FITTING_BITS) {
            let pitch = (asked.pitch + PITCH.start(), asked.pitch + PITCH.end());
            for place in 0..count {
                let fits = (pitches[place] >= pitch.0)
                    & (pitches[place] <= pitch.1)
                    & (gaps[place] >= asked.gaps.0)
                    & (gaps[place] <= asked.gaps.1);
                fitting[place] |= u32::from(fits) << bit;
            }
        }
    }
}

/// The places of the bits that are set, from the least significant one on.
fn ones(mut bits: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = bits.trailing_zeros() as usize;
        bits &= bits.wrapping_sub(1);
        (place < 32).then_some(place)
    })
}

/// The greatest whole number that is not greater.
#[inline(always)]
pub(super) fn floor(value: f32) -> i64 {
    let towards_zero = value as i64;
    towards_zero - i64::from(towards_zero as f32 > value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::numbers;
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn what_fits_is_within_the_pitches_and_tempos_that_are_looked_for(seed in 1_u64.., count in 1..=TOGETHER, asking in 1..=32_u64) {
            let mut below = numbers(seed);
            let mut held = Held { count, ..Held::NONE };
            for place in 0..count {
                held.times[place] = below(1 << 20) as u32;
                held.pitches[place] = below(2_048) as i32;
                held.gaps[place] = 1 + below(2_000) as i32;
            }
            let peak = |time: u64, pitch: u64| Peak { time: time as u32, pitch: pitch as u16, rank: 0 };
            let asked: Vec<AskedShape> = (0..asking)
                .map(|_| {
                    let time = below(1 << 20);
                    AskedShape::of(peak(time, below(2_048)), peak(time + 32 + below(1_400), 0))
                })
                .collect();
            let looked_for = |gap: i32, pitch: i32, asked: &AskedShape| {
                PITCH.contains(&(pitch - asked.pitch)) && libm::log2f(gap as f32 / asked.gap).abs() <= TEMPO
            };
            for level in Level::all_here() {
                wide(level, Fitting { held: &mut held, asked: &asked });
                for place in 0..count {
                    for (bit, asked) in asked.iter().enumerate() {
                        let fits = held.fitting[place] >> bit & 1 == 1 && held.vote(place, asked, 5_000).is_some();
                        prop_assert_eq!(fits, looked_for(held.gaps[place], held.pitches[place], asked));
                    }
                }
            }
        }
    }

    #[test]
    fn floors_are_whole_numbers_below() {
        for value in [-2.0, -1.5, -1.0, -0.1, 0.0, 0.1, 1.0, 1.9, 8_388_609.0, -8_388_609.0] {
            assert_eq!(floor(value), f64::from(value).floor() as i64, "{value}");
        }
    }
}
