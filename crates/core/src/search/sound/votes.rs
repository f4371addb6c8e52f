//! Alignments at one speed, mostly the query's own: pairs of peaks that both have, by the time between them.

use std::ops::Range;

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
/// So many postings before one is looked at its peak is asked for, and so many are looked at together.
pub(super) const TOGETHER: usize = 128;
/// And so many wanted keys before one is looked up its postings are.
const KEYS_AHEAD: usize = 16;
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
    let found = look_up(&mut wanted, sound, Landmarks::Pairs, effort.most_postings, u64::MAX)?;
    let mut ballot = Ballot {
        sound,
        query,
        near: Vec::with_capacity(2 * TOGETHER),
        votes: Vec::with_capacity(found.postings.len()),
        counts: Counts::of_about(found.of_all_keys),
    };
    for Asked { same, postings } in &found.asked {
        for start in postings.clone().step_by(TOGETHER) {
            ballot.find(&found.postings, start..postings.end.min(start + TOGETHER), same);
            if ballot.near.len() >= TOGETHER {
                ballot.vote();
            }
        }
    }
    ballot.vote();
    Ok((ballot.votes, ballot.counts))
}

/// Where votes are taken, many at once, so that memory which one waits for is at hand for the next.
struct Ballot<'a, 'i> {
    sound: &'a Sound<'i>,
    query: &'a [Peak],
    /// Peaks of references with the places of those of the query that may be the same.
    near: Vec<(u32, u32)>,
    votes: Vec<u64>,
    counts: Counts,
}

impl Ballot<'_, '_> {
    /// Finds out which of at most [`TOGETHER`] postings have the pitch of what asks for them. Most keys name the steps beside theirs
    /// too, and most postings of those are too high or too low: told before anything else of their peaks is looked up.
    fn find(&mut self, postings: &[u32], part: Range<usize>, same: &[u64]) {
        let mut pitches = [0; TOGETHER];
        for (pitch, place) in pitches.iter_mut().zip(part.clone()) {
            if let Some(&soon) = postings.get(place + TOGETHER) {
                self.sound.prefetch_pitch(soon);
            }
            *pitch = self.sound.pitch(postings[place]).unwrap_or(u16::MAX);
        }
        let mut near = [0; TOGETHER];
        for anchor in same.iter().map(|&wanted| wanted as u32) {
            let (asked, mut count) = (self.query[anchor as usize].pitch, 0);
            // No processor guesses which are near: each is written, and the next over those that are not.
            for (&posting, pitch) in postings[part.clone()].iter().zip(pitches) {
                near[count] = posting;
                count += usize::from(asked.abs_diff(pitch) <= PITCH_TOLERANCE);
            }
            for &posting in &near[..count] {
                self.sound.prefetch_time(posting);
                self.near.push((posting, anchor));
            }
        }
    }

    /// Takes the votes of those that are near.
    fn vote(&mut self) {
        let counted = self.votes.len();
        for (posting, anchor) in self.near.drain(..) {
            let Some((time, lane)) = self.sound.time(posting).zip(self.sound.lane(posting)) else { continue };
            // Not below zero: times are below 2^32.
            let cell = (i64::from(time) - i64::from(self.query[anchor as usize].time) + (1 << 32)) / CELL;
            let place = u64::from(lane) << (CELL_BITS + 1) | cell as u64;
            self.counts.ask_for(place);
            self.votes.push(place << ANCHOR_BITS | u64::from(anchor));
        }
        self.votes[counted..].iter().for_each(|vote| self.counts.put(vote >> ANCHOR_BITS));
    }
}

/// Postings that a search reads for one window and mix, of either kind of landmarks: what an index of some 60 h has for the
/// busiest of windows. More only says more of what all works share.
pub(super) const MOST_POSTINGS: u64 = 4_000_000;

/// What asks for one key, sorted, and where the key's postings stand.
pub(super) struct Asked<'w> {
    pub(super) same: &'w [u64],
    pub(super) postings: Range<usize>,
}

/// What was found of keys, in ascending order.
pub(super) struct Found<'w> {
    pub(super) asked: Vec<Asked<'w>>,
    /// Those of all keys.
    pub(super) postings: Vec<u32>,
    /// How many these are with those of the keys that have too many.
    pub(super) of_all_keys: u64,
}

/// Sorts what is `wanted`, a key above 32 bits each, and looks the keys up: in ascending order, and where they have more than
/// so many postings together the rarest of them alone. Of keys that have more than `most_of_key` none are read.
pub(super) fn look_up<'w>(
    wanted: &'w mut [u64],
    sound: &Sound<'_>,
    landmarks: Landmarks,
    most_postings: u64,
    most_of_key: u64,
) -> Result<Found<'w>, IndexError> {
    wanted.sort_unstable();
    let mut found = Found { asked: Vec::new(), postings: Vec::new(), of_all_keys: 0 };
    let (mut lists, mut next) = (sound.posting_lists(landmarks), 0);
    // Nearly always all are read: at once, while they are passed.
    for same in wanted.chunk_by(|a, b| a >> 32 == b >> 32) {
        next += same.len();
        wanted.get(next + KEYS_AHEAD).into_iter().for_each(|soon| lists.ask_for((soon >> 32) as u32));
        let Some(postings) = lists.find((same[0] >> 32) as u32)? else { continue };
        found.of_all_keys = found.of_all_keys.saturating_add(postings.len());
        if found.of_all_keys > most_postings {
            return look_rarest_up(wanted, sound, landmarks, most_postings, most_of_key);
        }
        if postings.len() <= most_of_key {
            let start = found.postings.len();
            lists.read(&mut found.postings)?;
            found.asked.push(Asked { same, postings: start..found.postings.len() });
        }
    }
    Ok(found)
}

/// The same, sorted, where not all can be read.
fn look_rarest_up<'w>(
    wanted: &'w [u64],
    sound: &Sound<'_>,
    landmarks: Landmarks,
    most_postings: u64,
    most_of_key: u64,
) -> Result<Found<'w>, IndexError> {
    let mut asked: Vec<(&[u64], PostingList<'_>)> = Vec::new();
    let (mut lists, mut next) = (sound.posting_lists(landmarks), 0);
    for same in wanted.chunk_by(|a, b| a >> 32 == b >> 32) {
        next += same.len();
        wanted.get(next + KEYS_AHEAD).into_iter().for_each(|soon| lists.ask_for((soon >> 32) as u32));
        asked.extend(lists.find((same[0] >> 32) as u32)?.map(|postings| (same, postings)));
    }
    asked.sort_unstable_by_key(|(same, postings)| (postings.len(), same[0]));
    let mut found = Found { asked: Vec::new(), postings: Vec::new(), of_all_keys: 0 };
    let few = asked.iter().take_while(|(_, postings)| {
        let read = found.of_all_keys.saturating_add(postings.len());
        found.of_all_keys = if read <= most_postings { read } else { found.of_all_keys };
        read <= most_postings
    });
    let few = few.count();
    asked.truncate(few);
    asked.sort_unstable_by_key(|(same, _)| same[0]);
    for (same, postings) in asked.into_iter().filter(|(_, postings)| postings.len() <= most_of_key) {
        let start = found.postings.len();
        sound.read_postings(&postings, &mut found.postings)?;
        found.asked.push(Asked { same, postings: start..found.postings.len() });
    }
    Ok(found)
}

/// The alignments of the fullest cells. Nearly all votes are chance: those of cells that, with a neighbour, cannot be among the
/// fullest are left out before anything is sorted.
fn most_voted(votes: &[u64], counts: &Counts, most: usize) -> Vec<Alignment> {
    // Rivals are looked for further down than alignments are kept.
    let candidates = 8 * most;
    let lowest = libm::ceilf(FEWEST_VOTES) as u32;
    let mut least = counts.of_many(4 * candidates).max(lowest);
    loop {
        let mut some: Vec<u64> = Vec::with_capacity(votes.len() / 4);
        let mut wanted = [0; TOGETHER];
        for votes in votes.chunks(TOGETHER) {
            // No processor guesses which are wanted: each is written, and the next over those that are not.
            let mut count = 0;
            for &vote in votes {
                wanted[count] = vote;
                count += usize::from(counts.with_neighbour(vote >> ANCHOR_BITS) >= least);
            }
            some.extend(&wanted[..count]);
        }
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
