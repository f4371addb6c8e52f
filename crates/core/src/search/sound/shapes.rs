//! Alignments at any speed and pitch: constellations that both have, by the tempo, the shift in pitch and the place that
//! each implies.

use std::ops::{Range, RangeInclusive};

use minutia_machine::{Level, Work, wide};

use super::alignment::{Alignment, most_voted_first, set_rivals};
use super::counts::Counts;
use super::logarithm::log2;
use super::votes::{Asked, MOST_POSTINGS, SOFT, TOGETHER, either, look_up};
use crate::fingerprint::{
    CONSTELLATION_RANK, Mix, Peak, Zone, constellation_key, constellation_steps, constellations_of,
};
use crate::index::{IndexError, Landmarks, Sound, anchor_of};

/// Peaks of a query that constellations are made of: those of smaller rank, more than in a reference.
const RANK: u8 = CONSTELLATION_RANK + CONSTELLATION_RANK / 2;
/// A query may be half as fast or twice, and noise adds peaks.
const ZONE: Zone = Zone { gaps: (32, 1_440), rise: 310, reach: 64, fan: 6 };
/// Tempos that are looked for, as logarithms to base 2, and pitches: an octave to each side, and a little more, since half
/// the speed is an octave lower.
const TEMPO: f32 = 1.1;
/// As ratios, and a little more: 2 to the power of 1.1 is 2.144.
const RATIOS: (f32, f32) = (0.46, 2.15);
const PITCH: RangeInclusive<i32> = -250..=245;
/// A cell of votes: 40 cents, 4 % of tempo, 0.56 s.
const PITCH_CELL: i32 = 8;
const TEMPO_CELL: f32 = 0.06;
const TIME_CELL: f32 = 384.0;
/// Votes this near to the middle of a cell's are counted together.
const NEAR: (f32, f32, f32) = (7.0, 0.045, 288.0);
/// Cells that are looked at, and the votes that they must have.
const MOST_CELLS: usize = 300;
const FEWEST_VOTES: usize = 3;
/// A key with more postings tells too little.
const MOST_OF_KEY: u64 = 3_000;

/// The votes of constellations, in a fixed order. Nearly all are chance, of which nothing but the cell is looked at again.
struct Votes {
    cells: Vec<Cell>,
    implied: Vec<Implied>,
}

impl Votes {
    fn of_about(votes: usize) -> Votes {
        Votes { cells: Vec::with_capacity(votes), implied: Vec::with_capacity(votes) }
    }
}

/// A vote: its cell, its number, and what it implies.
type Vote = (Cell, u32, Implied);

/// What a constellation implies.
#[derive(Clone, Copy, Debug)]
struct Implied {
    pitch: f32,
    /// Logarithm of the tempo.
    tempo: f32,
    /// The reference's time at the middle of the query, less the query's own.
    middle: f32,
}

/// Track and mix, pitch, tempo and time in cells, from the highest bits on: 24, 6, 6 and 28 of them.
type Cell = u64;

/// Steps of a cell's pitch, tempo and time.
const STEP_PITCH: u64 = 1 << 34;
const STEP_TEMPO: u64 = 1 << 28;
const TIME_BITS: u32 = 28;

/// The most voted alignments of `query`, at most `most`.
pub(super) fn alignments(sound: &Sound<'_>, query: &[Peak], most: usize) -> Result<Vec<Alignment>, IndexError> {
    let few: Vec<Peak> = query.iter().copied().filter(|peak| peak.rank < RANK).collect();
    let Some((first, last)) = few.first().zip(few.last()) else { return Ok(Vec::new()) };
    let middle = first.time / 2 + last.time / 2;
    let (votes, counts) = votes(sound, &few, middle)?;
    let fullest = fullest(&votes.cells, &counts);
    let votes = beside(&votes, &counts, &fullest);
    let mut found = clusters(&votes, &fullest, middle);
    found.sort_by(most_voted_first);
    let at_middle = |alignment: &Alignment| alignment.offset + alignment.speed * f64::from(middle);
    let same = |a: &Alignment, b: &Alignment| {
        (a.track, a.mix) == (b.track, b.mix)
            && (at_middle(a) - at_middle(b)).abs() < f64::from(TIME_CELL) / 2.0
            && (a.speed / b.speed - 1.0).abs() < 0.035
            && (a.pitch - b.pitch).abs() < f64::from(PITCH_CELL + 1)
    };
    // A cluster's neighbours in tempo and time hold part of it.
    set_rivals(&mut found, |a, b| (at_middle(a) - at_middle(b)).abs() < f64::from(TIME_CELL));
    let mut kept: Vec<Alignment> = Vec::with_capacity(most);
    for next in found {
        if kept.len() == most {
            break;
        }
        if !kept.iter().any(|other| same(other, &next)) {
            kept.push(next);
        }
    }
    Ok(kept)
}

/// All votes, and how many there are at most of each cell.
fn votes(sound: &Sound<'_>, few: &[Peak], middle: u32) -> Result<(Votes, Counts), IndexError> {
    // A key, the anchor and the last peak that ask for it: 20, 16 and 16 bits.
    let few = &few[..few.len().min(1 << 16)];
    let mut wanted: Vec<u64> = Vec::new();
    constellations_of(few, &ZONE, &mut |three| {
        let [first, second, share] = constellation_steps(few, three).map(|steps| either(steps, SOFT));
        for first in first.into_iter().flatten() {
            for second in second.into_iter().flatten() {
                for share in share.into_iter().flatten() {
                    let key = constellation_key(first, second, share);
                    wanted.extend(key.map(|key| u64::from(key) << 32 | (three[0] as u64) << 16 | three[2] as u64));
                }
            }
        }
    });
    let wanted_count = wanted.len();
    let found = look_up(&mut wanted, sound, Landmarks::Constellations, MOST_POSTINGS, MOST_OF_KEY)?;
    let mut ballot = Ballot {
        sound,
        middle,
        asked: Vec::with_capacity(wanted_count),
        parts: Vec::new(),
        found: Vec::with_capacity(2 * AT_ONCE),
        held: Held::NONE,
        votes: Votes::of_about(found.postings.len()),
        counts: Counts::of_about(found.of_all_keys),
        counted: 0,
    };
    for Asked { same, postings } in &found.asked {
        let first = ballot.asked.len();
        ballot.asked.extend(
            same.iter()
                .map(|&wanted| AskedShape::of(few[(wanted >> 16 & 0xffff) as usize], few[(wanted & 0xffff) as usize])),
        );
        let pitches = ballot.asked[first..].iter().map(|asked| asked.pitch);
        let (Some(lowest), Some(highest)) = (pitches.clone().min(), pitches.max()) else { continue };
        let pitches = lowest + PITCH.start()..=highest + PITCH.end();
        for start in postings.clone().step_by(TOGETHER) {
            let end = postings.end.min(start + TOGETHER);
            ballot.find(&found.postings, start..end, &pitches);
            ballot.parts.push((first..ballot.asked.len(), ballot.found.len()));
            if ballot.found.len() >= AT_ONCE {
                ballot.vote();
            }
        }
    }
    ballot.vote();
    ballot.count_up_to(ballot.votes.cells.len());
    Ok((ballot.votes, ballot.counts))
}

/// So many constellations of references are found before they vote.
const AT_ONCE: usize = 256;
/// So many votes later one is counted.
const COUNTED_LATER: usize = 64;

/// Where votes are taken, many at once, so that memory which one waits for is at hand for the next.
struct Ballot<'a, 'i> {
    sound: &'a Sound<'i>,
    middle: u32,
    /// Constellations of the query, by key.
    asked: Vec<AskedShape>,
    /// Which of them ask for the constellations that were found up to a place.
    parts: Vec<(Range<usize>, usize)>,
    /// Anchors and last peaks of references.
    found: Vec<(u32, u32)>,
    held: Held,
    votes: Votes,
    counts: Counts,
    counted: usize,
}

impl Ballot<'_, '_> {
    /// Finds those of at most [`TOGETHER`] postings whose anchors have such pitches.
    fn find(&mut self, postings: &[u32], part: Range<usize>, pitches: &RangeInclusive<i32>) {
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
    fn vote(&mut self) {
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

    fn count_up_to(&mut self, end: usize) {
        let uncounted = self.votes.cells.get(self.counted..end).unwrap_or(&[]);
        uncounted.iter().for_each(|&cell| self.counts.put(cell));
        self.counted = self.counted.max(end);
    }
}

/// What a constellation of a query is compared by.
#[derive(Clone, Copy, Debug)]
struct AskedShape {
    time: u32,
    pitch: i32,
    gap: f32,
    /// Those that it may have in a reference, and some more.
    gaps: (i32, i32),
}

impl AskedShape {
    fn of(anchor: Peak, last: Peak) -> AskedShape {
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
struct Held {
    count: usize,
    lanes: [u32; TOGETHER],
    times: [u32; TOGETHER],
    pitches: [i32; TOGETHER],
    gaps: [i32; TOGETHER],
    /// Of each which of those that ask fit, a bit each.
    fitting: [u32; TOGETHER],
}

impl Held {
    const NONE: Held = Held {
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
fn floor(value: f32) -> i64 {
    let towards_zero = value as i64;
    towards_zero - i64::from(towards_zero as f32 > value)
}

/// The cells that have most votes, at least two; of equals the first.
fn fullest(votes: &[Cell], counts: &Counts) -> Vec<Cell> {
    let mut least = counts.of_many(2 * MOST_CELLS).max(2);
    loop {
        let mut some: Vec<Cell> = votes.iter().copied().filter(|&cell| counts.of(cell) >= least).collect();
        some.sort_unstable();
        let full = some.chunk_by(|a, b| a == b).map(|same| (same.len(), same[0])).filter(|full| full.0 >= 2);
        let mut full: Vec<(usize, Cell)> = full.collect();
        full.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        // Those that were left out have fewer than `least`.
        let fewest = full.get(MOST_CELLS - 1).map_or(0, |last| last.0 as u32);
        if least == 2 || fewest >= least {
            return full.into_iter().take(MOST_CELLS).map(|(_, cell)| cell).collect();
        }
        least = fewest.max(2);
    }
}

/// The votes of cells and of those beside them, by cell; of some others too.
fn beside(votes: &Votes, counts: &Counts, cells: &[Cell]) -> Vec<Vote> {
    let mut wanted = vec![false; counts.len()];
    cells.iter().flat_map(|&cell| around(cell)).for_each(|cell| wanted[counts.counter(cell)] = true);
    let all = (0_u32..).zip(&votes.cells).filter(|(_, cell)| wanted[counts.counter(**cell)]);
    let mut some: Vec<Vote> = all.map(|(number, &cell)| (cell, number, votes.implied[number as usize])).collect();
    // Votes come in a fixed order, which decides in which order those of a cell are added up.
    some.sort_unstable_by_key(|&(cell, number, _)| (cell, number));
    some
}

/// Alignments of cells, each with what is near its middle in the cells around. The votes are those of them all, by cell.
fn clusters(votes: &[Vote], fullest: &[Cell], middle: u32) -> Vec<Alignment> {
    let mut cells = Vec::new();
    let mut start = 0;
    for cell in votes.chunk_by(|a, b| a.0 == b.0) {
        cells.push((cell[0].0, start..start + cell.len()));
        start += cell.len();
    }
    let of = |cell: Cell| {
        let place = cells.binary_search_by(|(other, _)| other.cmp(&cell)).ok()?;
        Some(&votes[cells[place].1.clone()])
    };
    let mut found = Vec::new();
    for &cell in fullest {
        let centre = mean(of(cell).into_iter().flatten().map(|(.., implied)| implied));
        let near: Vec<&Implied> = around(cell)
            .into_iter()
            .filter_map(of)
            .flatten()
            .map(|(.., implied)| implied)
            .filter(|vote| {
                (vote.pitch - centre.0).abs() < NEAR.0
                    && (vote.tempo - centre.1).abs() < NEAR.1
                    && (vote.middle - centre.2).abs() < NEAR.2
            })
            .collect();
        if near.len() < FEWEST_VOTES {
            continue;
        }
        let (pitch, tempo, at_middle) = mean(near.iter().copied());
        let speed = f64::from(libm::exp2f(tempo));
        let reference_middle = f64::from(middle) + f64::from(at_middle);
        found.push(Alignment {
            track: (cell >> 41) as u32,
            mix: if cell >> 40 & 1 == 0 { Mix::Mid } else { Mix::Side },
            speed,
            offset: reference_middle - speed * f64::from(middle),
            pitch: f64::from(pitch),
            free: true,
            votes: near.len() as f32,
            rival: 0.0,
        });
    }
    found
}

/// Mean pitch, tempo and time.
fn mean<'v>(votes: impl Iterator<Item = &'v Implied>) -> (f32, f32, f32) {
    let (mut sums, mut count) = ((0.0, 0.0, 0.0), 0.0_f32);
    for vote in votes {
        sums = (sums.0 + vote.pitch, sums.1 + vote.tempo, sums.2 + vote.middle);
        count += 1.0;
    }
    let count = count.max(1.0);
    (sums.0 / count, sums.1 / count, sums.2 / count)
}

/// A cell and the 26 around it: every part has room below and above.
fn around(cell: Cell) -> Vec<Cell> {
    let mut all = Vec::with_capacity(27);
    for pitch in [-1, 0, 1] {
        for tempo in [-1, 0, 1] {
            for time in [-1, 0, 1] {
                let step = pitch * STEP_PITCH as i64 + tempo * STEP_TEMPO as i64 + time;
                all.push(cell.wrapping_add_signed(step));
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Numbers that only look random.
    fn numbers(seed: u64) -> impl FnMut(u64) -> u64 {
        let mut state = seed;
        move |most| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % most
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn the_fullest_cells_are_those_of_all_votes(seed in 1_u64.., count in 0..20_000_u64, cells in 1..4_000_u64, few in 6..14_u32) {
            let mut below = numbers(seed);
            let vote = |number: u64, below: &mut dyn FnMut(u64) -> u64| {
                let place = below(cells) * below(cells) / cells;
                let cell = (1 << 40) + (1 + place % 7) * STEP_PITCH + (1 + place / 7 % 5) * STEP_TEMPO + 9 + place / 35;
                (cell, Implied { pitch: number as f32, tempo: 0.0, middle: 0.0 })
            };
            let (cells, implied) = (0..count).map(|number| vote(number, &mut below)).unzip();
            let votes = Votes { cells, implied };
            let mut counts = Counts::of_about(1 << few);
            votes.cells.iter().for_each(|&cell| counts.put(cell));
            let found = fullest(&votes.cells, &counts);
            let mut sorted = votes.cells.clone();
            sorted.sort_unstable();
            let mut all: Vec<(usize, Cell)> =
                sorted.chunk_by(|a, b| a == b).map(|same| (same.len(), same[0])).filter(|full| full.0 > 1).collect();
            all.sort_unstable_by_key(|&(count, cell)| (std::cmp::Reverse(count), cell));
            all.truncate(MOST_CELLS);
            prop_assert_eq!(&found, &all.into_iter().map(|(_, cell)| cell).collect::<Vec<_>>());
            // Of these and of those around them every vote is at hand, and in order.
            let some = beside(&votes, &counts, &found);
            for &(cell, number, implied) in &some {
                prop_assert_eq!((votes.cells[number as usize], implied.pitch), (cell, number as f32));
            }
            prop_assert!(some.is_sorted_by_key(|&(cell, number, _)| (cell, number)));
            for cell in found.into_iter().flat_map(around) {
                let of = |cells: &mut dyn Iterator<Item = Cell>| cells.filter(|&other| other == cell).count();
                prop_assert_eq!(of(&mut some.iter().map(|vote| vote.0)), of(&mut votes.cells.iter().copied()));
            }
        }

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
