//! How well harmonies agree: the Chromaprint items of a copy differ in fewer bits than elsewhere in the same recording.
//!
//! Peaks of a copy are lost and moved by rooms and crowds; which notes sound, and how that changes over seconds, is less.
//! Notes that sound alike all along, and drums, which have none, are as much alike at other places of the recording.

use std::ops::Range;

use minutia_machine::{Level, Work, wide};

use super::Verified;
use crate::fingerprint::Chromaprint;

/// Units of time of an item, 124 ms.
const ITEM: f64 = Chromaprint::ITEM_SAMPLES as f64 / 16.0;
/// Items change with speed and with pitch: neither differs by more than this (a share, and steps of 5 cents).
const MOST_SPEED: f64 = 0.003;
const MOST_PITCH: f64 = 5.0;
/// Fewer items than this say nothing: 1 s.
const FEWEST_ITEMS: usize = 8;
/// Places of the recording that are compared with lie so many items away: 20 s to each side, but not within half a second.
const AROUND: i64 = 160;
const NEAREST: i64 = 4;
/// And every second of them: items that follow each other are nearly the same.
const APART: usize = 2;
/// Fewer places than this say nothing of what is usual.
const FEWEST_PLACES: usize = 8;
/// Places hardly ever differ by less than this share of the bits; where they do there are few.
const LEAST_DEVIATION: f64 = 0.012;
/// The best of the alignments that are tried has so much by chance, and a long query has it in every window.
const BY_CHANCE: f64 = 2.0;

/// How much the items of a stretch speak for a copy: half the square of how many standard deviations fewer bits differ under
/// its alignment than at places around, beyond what chance has. That is the logarithm of how much likelier it is, were the places'
/// shares normally distributed. 0 where there are too few items, and at another speed or pitch.
pub(in crate::search::sound) fn harmony(query: &[u32], reference: &[u32], verified: &Verified) -> f64 {
    wide(Level::best(), Harmony { query, reference, verified })
}

struct Harmony<'a> {
    query: &'a [u32],
    reference: &'a [u32],
    verified: &'a Verified,
}

impl Work for Harmony<'_> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let Harmony { query, reference, verified } = self;
        let alignment = &verified.alignment;
        if (alignment.speed - 1.0).abs() > MOST_SPEED || alignment.pitch.abs() > MOST_PITCH {
            return 0.0;
        }
        let item = |time: u32| ((f64::from(time) / ITEM) as usize).min(query.len());
        let stretch = item(verified.query.start)..item(verified.query.end);
        if stretch.len() < FEWEST_ITEMS {
            return 0.0;
        }
        let start = verified.query.start;
        let lag = libm::floor((verified.reference_time(start) - f64::from(start)) / ITEM) as i64;
        // Items of the recording begin between two of the query's.
        let exact = [lag, lag + 1].into_iter().filter_map(|lag| differing(query, reference, &stretch, lag));
        let Some(here) = exact.min_by(f64::total_cmp) else { return 0.0 };
        let (mut places, mut sum, mut squares) = (0.0, 0.0, 0.0);
        for away in (-AROUND..=AROUND).step_by(APART).filter(|away| away.abs() > NEAREST) {
            if let Some(share) = differing(query, reference, &stretch, lag + away) {
                (places, sum, squares) = (places + 1.0, sum + share, squares + share * share);
            }
        }
        if places < FEWEST_PLACES as f64 {
            return 0.0;
        }
        let mean = sum / places;
        let deviation = (squares / places - mean * mean).max(0.0).sqrt().max(LEAST_DEVIATION);
        let fewer = ((mean - here) / deviation).max(0.0);
        (0.5 * fewer * fewer - BY_CHANCE).max(0.0)
    }
}

/// The share of the bits that differ where an item of the query is compared with the one `lag` items further in the
/// reference; `None` where less than half of the stretch has one.
#[inline(always)]
fn differing(query: &[u32], reference: &[u32], stretch: &Range<usize>, lag: i64) -> Option<f64> {
    let last = reference.len() as i64 - lag;
    let start = (stretch.start as i64).max(-lag);
    let end = (stretch.end as i64).min(last);
    let count = end - start;
    if count <= 0 || 2 * count < stretch.len() as i64 {
        return None;
    }
    let (query, reference) =
        (&query[start as usize..end as usize], &reference[(start + lag) as usize..(end + lag) as usize]);
    let bits: u32 = query.iter().zip(reference).map(|(one, other)| (one ^ other).count_ones()).sum();
    Some(f64::from(bits) / (32 * count) as f64)
}

#[cfg(test)]
mod tests {
    use super::super::Beside;
    use super::*;
    use crate::fingerprint::Mix;
    use crate::search::sound::alignment::Alignment;

    /// Items of a recording: each holds most bits of the one before.
    fn items(seed: u32, count: usize) -> Vec<u32> {
        let mut noise = seed;
        let mut next = || {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            noise.rotate_left(16)
        };
        let (mut item, mut items) = (next(), Vec::new());
        for _ in 0..count {
            item ^= next() & next();
            items.push(item);
        }
        items
    }

    /// So many seconds of a query, which lies `offset` seconds into the recording.
    fn verified(seconds: f64, offset: f64, speed: f64) -> Verified {
        let units = |seconds: f64| seconds * 11_025.0 / 16.0;
        Verified {
            alignment: Alignment {
                track: 0,
                mix: Mix::Mid,
                speed,
                offset: units(offset),
                pitch: 0.0,
                free: false,
                votes: 9.0,
                rival: 0.0,
            },
            query: 0..units(seconds) as u32,
            likelihood: 9.0,
            alone: 9.0,
            beside: Beside::default(),
            coinciding: 20,
            peaks: 40,
        }
    }

    #[test]
    fn a_copy_differs_less_than_other_places() {
        let recording = items(1, 600);
        // A quarter of the bits changed, ten seconds from its 200th item on, which is at 24.76 s.
        let copy: Vec<u32> =
            recording[200..280].iter().zip(items(9, 240).chunks(3)).map(|(item, n)| item ^ (n[0] & n[1])).collect();
        let at = |offset: f64| harmony(&copy, &recording, &verified(9.9, offset, 1.0));
        assert!(at(24.76) > 10.0, "{}", at(24.76));
        // The frames of the original begin between those of the copy.
        assert_eq!(at(24.70), at(24.76));
        assert!(at(32.0) < 1.0, "{}", at(32.0));
        // Neither at another speed, nor within a second, nor where the recording has no other places.
        assert_eq!(harmony(&copy, &recording, &verified(9.9, 24.76, 1.04)), 0.0);
        assert_eq!(harmony(&copy, &recording, &verified(0.9, 24.76, 1.0)), 0.0);
        assert_eq!(harmony(&copy[..16], &recording[200..216], &verified(1.99, 0.0, 1.0)), 0.0);
        assert_eq!(harmony(&[], &recording, &verified(9.9, 24.76, 1.0)), 0.0);
        assert_eq!(harmony(&copy, &recording, &verified(9.9, -1e6, 1.0)), 0.0);
    }

    #[test]
    fn what_sounds_alike_all_along_says_nothing() {
        let chord = vec![0x5a5a_1234; 600];
        assert_eq!(harmony(&chord[..80], &chord, &verified(9.9, 20.0, 1.0)), 0.0);
    }

    #[test]
    fn every_level_says_the_same() {
        let (query, reference) = (items(3, 240), items(3, 700));
        let verified = verified(28.0, 0.0, 1.0);
        let work = || Harmony { query: &query, reference: &reference, verified: &verified };
        let told: Vec<u64> = Level::all_here().into_iter().map(|level| wide(level, work()).to_bits()).collect();
        assert!(told.iter().all(|one| *one == told[0]) && f64::from_bits(told[0]) > 0.0);
    }
}
