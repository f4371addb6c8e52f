//! Alignments at any speed and pitch: constellations that both have, by the tempo, the shift in pitch and the place that
//! each implies.

use std::ops::RangeInclusive;

use super::alignment::{Alignment, most_voted_first, set_rivals};
use super::counts::Counts;
use super::votes::{Asked, MOST_POSTINGS, SOFT, TOGETHER, either, look_up};
use crate::fingerprint::{
    CONSTELLATION_RANK, Mix, Peak, Zone, constellation_key, constellation_steps, constellations_of,
};
use crate::index::{IndexError, Landmarks, Sound};

mod ballot;

use ballot::{AT_ONCE, AskedShape, Ballot, Held};

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
    pub(super) fn numbers(seed: u64) -> impl FnMut(u64) -> u64 {
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
    }
}
