//! Alignments at one speed, mostly the query's own: pairs of peaks that both have, by the time between them.

use super::alignment::{Alignment, most_voted_first, set_rivals};
use super::counts::Counts;
use crate::fingerprint::{AudioFingerprint, Mix, PAIR_GAP_STEP, PAIR_PITCH_STEP, Peak, Zone, nearest, pair_key};
use crate::index::{IndexError, Landmarks, PostingList, Sound};

/// How much of a query is looked up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    /// Peaks of smaller rank alone.
    rank: u8,
    /// Which later peaks an anchor is paired with.
    zone: Zone,
    /// Closer than this to the border of a step, as a part of it, the neighbour is looked up too.
    soft: f32,
    /// Postings that are read, of the rarest keys.
    most_postings: u64,
    /// Alignments with less than this share of the most votes are left out.
    least_share: f32,
}

impl Effort {
    /// The pairs that a reference would be indexed by: for copies that hardly anything was done to.
    pub(super) const LITTLE: Effort = Effort {
        rank: AudioFingerprint::REFERENCE_RANK,
        zone: Zone::PAIRS,
        soft: 0.0,
        most_postings: 100_000,
        least_share: 0.25,
    };
    /// Of these the surest.
    const LEAST: Effort = Effort { rank: 20, most_postings: 50_000, ..Effort::LITTLE };
    /// More pairs than in a reference, since noise adds peaks between, and steps less strictly.
    pub(super) const FULL: Effort = Effort {
        rank: u8::MAX,
        zone: Zone { gaps: (Zone::PAIRS.gaps.0 - 8, Zone::PAIRS.gaps.1 + 16), fan: 10, ..Zone::PAIRS },
        soft: SOFT,
        most_postings: MOST_POSTINGS,
        least_share: 0.0,
    };
}

/// The softness of steps of a full search.
pub(super) const SOFT: f32 = 0.2;
/// Postings whose peaks are asked for together.
pub(super) const TOGETHER: usize = 128;
/// Pitches that may lie apart at one place.
const PITCH_TOLERANCE: u16 = 5;
/// Units of time of a cell that votes are counted in: 35 ms.
const CELL: i64 = 24;
/// Votes below this are chance.
const FEWEST_VOTES: f32 = 2.5;
/// Alignments of one track are at least this far apart.
const APART: f64 = 56.0;
/// The longest window in peaks that votes can name.
const ANCHOR_BITS: u32 = 12;
const CELL_BITS: u32 = 28;

/// The most voted alignments of `query` at its own speed and pitch, at most `most`.
pub(super) fn alignments(
    sound: &Sound<'_>,
    query: &[Peak],
    effort: &Effort,
    most: usize,
) -> Result<Vec<Alignment>, IndexError> {
    let strong = query.iter().copied().filter(|peak| peak.rank < effort.rank);
    let strong: Vec<Peak> = strong.take(1 << ANCHOR_BITS).collect();
    let (votes, counts) = votes(sound, &strong, effort)?;
    let mut alignments = most_voted(&votes, &counts, most);
    let most_votes = alignments.first().map_or(0.0, |first| first.votes);
    alignments.retain(|alignment| alignment.votes >= effort.least_share * most_votes);
    Ok(alignments)
}

/// The same where the query plays so many times as fast as the reference, and as much higher.
pub(super) fn alignments_sped(
    sound: &Sound<'_>,
    query: &[Peak],
    speed: f64,
    most: usize,
) -> Result<Vec<Alignment>, IndexError> {
    let higher = f64::from(Peak::PITCHES_PER_OCTAVE) * libm::log2(speed);
    let as_it_was = |peak: &Peak| Peak {
        time: libm::round(f64::from(peak.time) * speed) as u32,
        pitch: libm::round((f64::from(peak.pitch) - higher).max(0.0)) as u16,
        ..*peak
    };
    let query: Vec<Peak> = query.iter().map(as_it_was).collect();
    let alignments = alignments(sound, &query, &Effort::LEAST, most)?;
    let sped = |alignment| Alignment { speed, pitch: -higher, free: true, ..alignment };
    Ok(alignments.into_iter().map(sped).collect())
}

/// Votes: track and mix, cell, anchor; and how many there are at most of each cell.
fn votes(sound: &Sound<'_>, query: &[Peak], effort: &Effort) -> Result<(Vec<u64>, Counts), IndexError> {
    // A key above the anchor that asks for it.
    let mut wanted: Vec<u64> = Vec::with_capacity(query.len() * effort.zone.fan * 2);
    let either = |steps| either(steps, effort.soft);
    let mut places = Vec::new();
    for (anchor, first) in query.iter().enumerate() {
        effort.zone.of(query, anchor, &mut places);
        for second in places.iter().map(|&place| query[place]) {
            let pitch = either(f32::from(first.pitch) / PAIR_PITCH_STEP);
            let rise = either((f32::from(second.pitch) - f32::from(first.pitch)) / PAIR_PITCH_STEP);
            let gap = either((second.time - first.time) as f32 / PAIR_GAP_STEP);
            for pitch in pitch.into_iter().flatten() {
                for rise in rise.into_iter().flatten() {
                    for gap in gap.into_iter().flatten() {
                        wanted.extend(pair_key(pitch, rise, gap).map(|key| u64::from(key) << 32 | anchor as u64));
                    }
                }
            }
        }
    }
    // A key is read once for all anchors that ask for it.
    let (mut votes, mut postings, mut near) = (Vec::new(), Vec::new(), Vec::new());
    let all = look_up(&mut wanted, sound, Landmarks::Pairs, effort.most_postings)?;
    let mut counts = Counts::of_about(all.iter().map(|asked| asked.postings.len()).sum());
    for Asked { same, postings: list } in all {
        postings.clear();
        sound.read_postings(&list, &mut postings)?;
        let asked = same.iter().map(|&wanted| wanted & 0xffff_ffff);
        for postings in postings.chunks(TOGETHER) {
            postings.iter().for_each(|&posting| sound.prefetch_pitch(posting));
            // Most keys name the steps beside theirs too, and most postings of those are too high or too low: told before
            // anything else of their peaks is looked up.
            near.clear();
            near.extend(postings.iter().copied().filter(|&posting| {
                let near = |pitch: u16| {
                    asked.clone().any(|anchor| query[anchor as usize].pitch.abs_diff(pitch) <= PITCH_TOLERANCE)
                };
                sound.pitch(posting).is_some_and(near)
            }));
            near.iter().for_each(|&posting| sound.prefetch_time(posting));
            for &posting in &near {
                let Some((track, mix, peak)) = sound.peak(posting) else { continue };
                let lane = u64::from(track) << 1 | u64::from(mix == Mix::Side);
                for anchor in asked.clone() {
                    let asked = query[anchor as usize];
                    if asked.pitch.abs_diff(peak.pitch) > PITCH_TOLERANCE {
                        continue;
                    }
                    // Not below zero: times are below 2^32.
                    let cell = (i64::from(peak.time) - i64::from(asked.time) + (1 << 32)) / CELL;
                    let place = lane << (CELL_BITS + 1) | cell as u64;
                    counts.put(place);
                    votes.push(place << ANCHOR_BITS | anchor);
                }
            }
        }
    }
    Ok((votes, counts))
}

/// Postings that a search reads for one window and mix, of either kind of landmarks: what an index of some 60 h has for the
/// busiest of windows. More only says more of what all works share.
pub(super) const MOST_POSTINGS: u64 = 4_000_000;

/// What asks for one key, sorted, and the key's postings.
pub(super) struct Asked<'w, 'i> {
    pub(super) same: &'w [u64],
    pub(super) postings: PostingList<'i>,
}

/// Sorts what is `wanted`, a key above 32 bits each, and looks the keys up: in ascending order, and where they have more than
/// so many postings together the rarest of them alone.
pub(super) fn look_up<'w, 'i>(
    wanted: &'w mut [u64],
    sound: &Sound<'i>,
    landmarks: Landmarks,
    most_postings: u64,
) -> Result<Vec<Asked<'w, 'i>>, IndexError> {
    wanted.sort_unstable();
    let mut asked = Vec::new();
    let mut lists = sound.posting_lists(landmarks);
    for same in wanted.chunk_by(|a, b| a >> 32 == b >> 32) {
        let postings = lists((same[0] >> 32) as u32)?;
        asked.extend(postings.map(|postings| Asked { same, postings }));
    }
    let together =
        |asked: &[Asked<'_, '_>]| asked.iter().fold(0_u64, |sum, asked| sum.saturating_add(asked.postings.len()));
    if together(&asked) > most_postings {
        asked.sort_unstable_by_key(|asked| (asked.postings.len(), asked.same[0]));
        let mut read = 0_u64;
        let few = asked.iter().take_while(|asked| {
            read = read.saturating_add(asked.postings.len());
            read <= most_postings
        });
        let few = few.count();
        asked.truncate(few);
        asked.sort_unstable_by_key(|asked| asked.same[0]);
    }
    Ok(asked)
}

/// The alignments of the fullest cells. Nearly all votes are chance: those of cells that, with a neighbour, cannot be among the
/// fullest are left out before anything is sorted.
fn most_voted(votes: &[u64], counts: &Counts, most: usize) -> Vec<Alignment> {
    // Rivals are looked for further down than alignments are kept.
    let candidates = 8 * most;
    let lowest = libm::ceilf(FEWEST_VOTES) as u32;
    let mut least = counts.of_many(4 * candidates).max(lowest);
    loop {
        let is_wanted = |&&vote: &&u64| {
            let place = vote >> ANCHOR_BITS;
            let beside = counts.of(place.wrapping_sub(1)).max(counts.of(place + 1));
            counts.of(place) + beside >= least
        };
        let mut some: Vec<u64> = votes.iter().filter(is_wanted).copied().collect();
        some.sort_unstable();
        let mut found = count(&some);
        found.sort_by(most_voted_first);
        // What was left out has fewer than `least`.
        let fewest = found.get(candidates - 1).map_or(0, |last| last.votes as u32);
        if least == lowest || fewest >= least {
            found.truncate(candidates);
            return apart(found, most);
        }
        least = fewest.max(lowest);
    }
}

/// The nearest step, and the next nearest where the border between them is near.
pub(super) fn either(steps: f32, soft: f32) -> [Option<i32>; 2] {
    let near = nearest(steps);
    let beyond = steps - near as f32;
    let other = if beyond > 0.5 - soft {
        Some(near + 1)
    } else if beyond < soft - 0.5 {
        Some(near - 1)
    } else {
        None
    };
    [Some(near), other]
}

/// Counts sorted votes by cell and its neighbour. Several votes of one anchor count as their root.
fn count(votes: &[u64]) -> Vec<Alignment> {
    let mut found = Vec::new();
    let mut before = (u64::MAX, 0.0_f32);
    for cell in votes.chunk_by(|a, b| a >> ANCHOR_BITS == b >> ANCHOR_BITS) {
        let place = cell[0] >> ANCHOR_BITS;
        let weight: f32 = cell.chunk_by(|a, b| a == b).map(|same| (same.len() as f32).sqrt()).sum();
        let neighbour = if before.0.wrapping_add(1) == place { before.1 } else { 0.0 };
        if weight + neighbour >= FEWEST_VOTES {
            let (lane, number) = (place >> (CELL_BITS + 1), place & ((1 << (CELL_BITS + 1)) - 1));
            let middle = number as f64 + 0.5 - f64::from(neighbour / (weight + neighbour));
            found.push(Alignment {
                track: (lane >> 1) as u32,
                mix: if lane & 1 == 0 { Mix::Mid } else { Mix::Side },
                speed: 1.0,
                offset: middle * CELL as f64 - (1_u64 << 32) as f64,
                pitch: 0.0,
                free: false,
                votes: weight + neighbour,
                rival: 0.0,
            });
        }
        before = (place, weight);
    }
    found
}

/// Those that are not the same, at most `most`, with their rivals. Most voted first.
fn apart(mut found: Vec<Alignment>, most: usize) -> Vec<Alignment> {
    let near = |a: &Alignment, b: &Alignment| (a.offset - b.offset).abs() < APART;
    set_rivals(&mut found, near);
    let mut kept: Vec<Alignment> = Vec::with_capacity(most);
    for next in found {
        if kept.len() == most {
            break;
        }
        let same = |other: &Alignment| (other.track, other.mix) == (next.track, next.mix);
        if !kept.iter().any(|other| same(other) && near(other, &next)) {
            kept.push(next);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(60))]

        /// What is left out before votes are sorted changes nothing.
        #[test]
        fn the_most_voted_are_those_of_all_votes(seed in 1_u64.., count_of in 0..30_000_u64, cells in 1..6_000_u64, few in 6..10_u32) {
            let mut state = seed;
            let mut below = |most: u64| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) % most
            };
            // A few cells have most votes, some of one anchor, and they lie side by side.
            let mut votes: Vec<u64> = (0..count_of)
                .map(|_| {
                    let cell = below(cells) * below(cells) / cells;
                    let lane = below(3);
                    (lane << (CELL_BITS + 1) | cell) << ANCHOR_BITS | below(40)
                })
                .collect();
            // Counters that cells share too.
            let mut counts = Counts::of_about(1 << few);
            votes.iter().for_each(|vote| counts.put(vote >> ANCHOR_BITS));
            let found = most_voted(&votes, &counts, 12);
            votes.sort_unstable();
            let mut all = count(&votes);
            all.sort_by(most_voted_first);
            all.truncate(96);
            proptest::prop_assert_eq!(found, apart(all, 12));
        }
    }
}
