//! Alignments at any speed and pitch: constellations that both have, by the tempo, the shift in pitch and the place that
//! each implies.

use super::alignment::{Alignment, most_voted_first, set_rivals};
use super::votes::{Asked, MOST_POSTINGS, SOFT, either, look_up};
use crate::fingerprint::{
    CONSTELLATION_RANK, Mix, Peak, Zone, constellation_key, constellation_steps, constellations_of,
};
use crate::index::{IndexError, Landmarks, Sound};

/// Peaks of a query that constellations are made of: those of smaller rank, more than in a reference.
const RANK: u8 = CONSTELLATION_RANK + CONSTELLATION_RANK / 2;
/// A query may be half as fast or twice, and noise adds peaks.
const ZONE: Zone = Zone { gaps: (32, 1_440), rise: 310, reach: 64, fan: 6 };
/// Tempos that are looked for, as logarithms to base 2, and pitches: an octave to each side, and a little more, since half
/// the speed is an octave lower.
const TEMPO: f32 = 1.1;
const PITCH: std::ops::RangeInclusive<i32> = -250..=245;
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

/// A vote of one constellation.
#[derive(Clone, Copy, Debug)]
struct Vote {
    cell: Cell,
    /// Counts up.
    number: u32,
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
    let mut votes = votes(sound, &few, middle)?;
    // Votes come in a fixed order, which decides in which order those of a cell are added up.
    votes.sort_unstable_by_key(|vote| (vote.cell, vote.number));
    let mut found = clusters(&votes, middle);
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

fn votes(sound: &Sound<'_>, few: &[Peak], middle: u32) -> Result<Vec<Vote>, IndexError> {
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
    let (mut votes, mut postings) = (Vec::new(), Vec::new());
    for Asked { same, postings: list } in look_up(&mut wanted, sound, Landmarks::Constellations, MOST_POSTINGS)? {
        if list.len() > MOST_OF_KEY {
            continue;
        }
        postings.clear();
        sound.read_postings(&list, &mut postings)?;
        for &posting in &postings {
            let Some((track, mix, anchor, last)) = sound.constellation(posting) else { continue };
            let lane = track << 1 | u32::from(mix == Mix::Side);
            // An index that was tampered with may name peaks that do not follow one another.
            let reference_gap = last.time.saturating_sub(anchor.time).max(1) as f32;
            for &wanted in same {
                let (asked, asked_last) = (few[(wanted >> 16 & 0xffff) as usize], few[(wanted & 0xffff) as usize]);
                let pitch = i32::from(anchor.pitch) - i32::from(asked.pitch);
                let ratio = reference_gap / (asked_last.time - asked.time) as f32;
                let tempo = libm::log2f(ratio);
                if !PITCH.contains(&pitch) || tempo.abs() > TEMPO {
                    continue;
                }
                let to_middle = (i64::from(middle) - i64::from(asked.time)) as f32 * ratio;
                let at_middle = (i64::from(anchor.time) - i64::from(middle)) as f32 + to_middle;
                // All within their bits: 62 cells of pitch, 38 of tempo, and times below 2^33 over 384.
                let pitch_cell = (pitch - PITCH.start()).div_euclid(PITCH_CELL) as u64;
                let tempo_cell = libm::floorf((tempo + TEMPO) / TEMPO_CELL) as u64;
                let time_cell = libm::floorf(at_middle / TIME_CELL) as i64 + (1 << (TIME_BITS - 1));
                let time_cell = time_cell.clamp(1, (1 << TIME_BITS) - 2) as u64;
                let cell =
                    (u64::from(lane) << 40) + (pitch_cell + 1) * STEP_PITCH + (tempo_cell + 1) * STEP_TEMPO + time_cell;
                let number = votes.len() as u32;
                votes.push(Vote { cell, number, pitch: pitch as f32, tempo, middle: at_middle });
            }
        }
    }
    Ok(votes)
}

/// Alignments of the fullest cells, each with what is near its middle in the cells around.
fn clusters(votes: &[Vote], middle: u32) -> Vec<Alignment> {
    let mut cells = Vec::new();
    let mut start = 0;
    for cell in votes.chunk_by(|a, b| a.cell == b.cell) {
        cells.push((cell[0].cell, start..start + cell.len()));
        start += cell.len();
    }
    let mut fullest: Vec<(usize, usize)> =
        cells.iter().enumerate().map(|(place, (_, range))| (range.len(), place)).filter(|full| full.0 >= 2).collect();
    fullest.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    fullest.truncate(MOST_CELLS);
    let mut found = Vec::new();
    for (_, place) in fullest {
        let (cell, range) = &cells[place];
        let centre = mean(votes[range.clone()].iter());
        let around = around(*cell).into_iter().filter_map(|other| {
            let place = cells.binary_search_by(|(cell, _)| cell.cmp(&other)).ok()?;
            Some(&votes[cells[place].1.clone()])
        });
        let near: Vec<&Vote> = around
            .flatten()
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
fn mean<'v>(votes: impl Iterator<Item = &'v Vote>) -> (f32, f32, f32) {
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
