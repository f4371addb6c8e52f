//! Landmarks: few peaks as a short key, so that what two recordings share is found by looking keys up.
//!
//! A *pair* is a peak, its anchor, with a later one: pitch, rise and gap. It is found again where neither speed nor pitch
//! were changed, in much noise (Wang, 2003). A *constellation* is an anchor with two later ones: both rises and the share
//! of the first gap in the second. It holds no pitch and no time, so that it is found again at every tempo and pitch; what
//! they were follows from the two anchors. (The idea of keys that scaling leaves alone: Sonnleitner and Widmer, Robust
//! Quad-Based Audio Fingerprinting, 2016.)
//!
//! Times are in [`Peak::TIME_UNIT`], pitches in steps of 5 cents.

use super::Peak;

/// Bits of a pair's key.
pub const PAIR_KEY_BITS: u32 = 20;
/// Bits of a constellation's key.
pub const CONSTELLATION_KEY_BITS: u32 = 20;
/// Bits of a constellation's number that tell its last peak from its anchor.
pub const CONSTELLATION_PLACE_BITS: u32 = 4;

/// From 35 ms to 1.05 s, and up to an octave.
pub(crate) const PAIR_GAPS: std::ops::RangeInclusive<u32> = 24..=720;
const PAIR_RISE: u16 = 240;
/// Later peaks that a reference's anchor is paired with: those that stand out most.
const PAIR_FAN: usize = 5;
/// Steps of a pair's pitch and rise (40 cents) and of its gap (29 ms).
pub(crate) const PAIR_PITCH_STEP: f32 = 8.0;
pub(crate) const PAIR_GAP_STEP: f32 = 20.0;

/// Constellations are made of the peaks of smaller rank: some sixteen a second.
pub(crate) const CONSTELLATION_RANK: u8 = 16;
/// 70 ms to 1.28 s in references; a query's may be half as fast or twice.
const CONSTELLATION_GAPS: std::ops::RangeInclusive<u32> = 48..=880;
const CONSTELLATION_RISE: u16 = 300;
/// Of the next so many peaks those that stand out most are taken, two at a time.
const CONSTELLATION_REACH: usize = (1 << CONSTELLATION_PLACE_BITS) - 1;
const CONSTELLATION_FAN: usize = 3;
/// Steps of a constellation's rises (50 cents), and how finely the share of its gaps is cut.
pub(crate) const CONSTELLATION_PITCH_STEP: f32 = 10.0;
pub(crate) const CONSTELLATION_SHARES: f32 = 24.0;

/// Which later peaks an anchor goes with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Zone {
    /// The least and the greatest gap.
    pub(crate) gaps: (u32, u32),
    /// The greatest rise or fall.
    pub(crate) rise: u16,
    /// Peaks looked at, from the next on.
    pub(crate) reach: usize,
    /// How many of them are taken: those that stand out most.
    pub(crate) fan: usize,
}

impl Zone {
    pub(crate) const PAIRS: Zone =
        Zone { gaps: (*PAIR_GAPS.start(), *PAIR_GAPS.end()), rise: PAIR_RISE, reach: usize::MAX, fan: PAIR_FAN };
    pub(crate) const CONSTELLATIONS: Zone = Zone {
        gaps: (*CONSTELLATION_GAPS.start(), *CONSTELLATION_GAPS.end()),
        rise: CONSTELLATION_RISE,
        reach: CONSTELLATION_REACH,
        fan: CONSTELLATION_FAN,
    };

    /// The places of the peaks that `anchor` goes with, ascending.
    pub(crate) fn of(&self, peaks: &[Peak], anchor: usize, places: &mut Vec<usize>) {
        places.clear();
        let first = peaks[anchor];
        for (place, peak) in peaks.iter().enumerate().skip(anchor + 1).take(self.reach) {
            let gap = peak.time.saturating_sub(first.time);
            if gap > self.gaps.1 {
                break;
            }
            if gap >= self.gaps.0 && peak.pitch.abs_diff(first.pitch) <= self.rise {
                places.push(place);
            }
        }
        if places.len() > self.fan {
            places.select_nth_unstable_by_key(self.fan, |&place| (peaks[place].rank, place));
            places.truncate(self.fan);
            places.sort_unstable();
        }
    }
}

/// The key of a pair, of whole steps of [`PAIR_PITCH_STEP`] and [`PAIR_GAP_STEP`]; `None` beyond its bits.
pub(crate) fn pair_key(pitch: i32, rise: i32, gap: i32) -> Option<u32> {
    let fits = (0..256).contains(&pitch) && (-31..=31).contains(&rise) && (0..64).contains(&gap);
    fits.then(|| (pitch as u32) << 12 | ((rise + 32) as u32) << 6 | gap as u32)
}

/// The key of a constellation, of whole steps.
pub(crate) fn constellation_key(first_rise: i32, second_rise: i32, share: i32) -> Option<u32> {
    let rises = -63..=63;
    let fits = rises.contains(&first_rise) && rises.contains(&second_rise) && (0..64).contains(&share);
    fits.then(|| ((first_rise + 64) as u32) << 13 | ((second_rise + 64) as u32) << 6 | share as u32)
}

/// From a difference of pitches or times to steps.
pub(crate) fn steps(from: impl Into<f64>, to: impl Into<f64>, step: f32) -> f32 {
    (to.into() - from.into()) as f32 / step
}

/// The nearest whole number, halves away from zero.
pub(crate) fn nearest(steps: f32) -> i32 {
    libm::roundf(steps) as i32
}

/// Calls `found(key, anchor)` for each pair of sorted `peaks`, as references are indexed: its key, below
/// 2^[`PAIR_KEY_BITS`], and the place of its earlier peak.
pub fn pairs(peaks: &[Peak], found: &mut dyn FnMut(u32, u32)) {
    let mut places = Vec::new();
    for (anchor, first) in peaks.iter().enumerate() {
        Zone::PAIRS.of(peaks, anchor, &mut places);
        for second in places.iter().map(|&place| peaks[place]) {
            let rise = steps(first.pitch, second.pitch, PAIR_PITCH_STEP);
            let gap = steps(first.time, second.time, PAIR_GAP_STEP);
            let pitch = f32::from(first.pitch) / PAIR_PITCH_STEP;
            if let Some(key) = pair_key(nearest(pitch), nearest(rise), nearest(gap)) {
                found(key, anchor as u32);
            }
        }
    }
}

/// The three peaks of each constellation of sorted `peaks`, which are those of small rank alone.
pub(crate) fn constellations_of(peaks: &[Peak], zone: &Zone, found: &mut dyn FnMut([usize; 3])) {
    let mut places = Vec::new();
    for anchor in 0..peaks.len() {
        zone.of(peaks, anchor, &mut places);
        for (n, &second) in places.iter().enumerate() {
            for &third in &places[n + 1..] {
                if peaks[third].time.saturating_sub(peaks[second].time) >= zone.gaps.0 {
                    found([anchor, second, third]);
                }
            }
        }
    }
}

/// The key of a constellation's rises and gaps, in parts of a step.
pub(crate) fn constellation_steps(peaks: &[Peak], [anchor, second, third]: [usize; 3]) -> [f32; 3] {
    let [anchor, second, third] = [peaks[anchor], peaks[second], peaks[third]];
    let share = (second.time - anchor.time) as f32 / (third.time - anchor.time).max(1) as f32;
    [
        steps(anchor.pitch, second.pitch, CONSTELLATION_PITCH_STEP),
        steps(anchor.pitch, third.pitch, CONSTELLATION_PITCH_STEP),
        share * CONSTELLATION_SHARES,
    ]
}

/// Calls `found(key, number)` for each constellation of sorted `peaks`, as references are indexed. The number is the place
/// of its anchor times 2^[`CONSTELLATION_PLACE_BITS`], and how many peaks of rank below 16 its last
/// peak is behind the anchor.
pub fn constellations(peaks: &[Peak], found: &mut dyn FnMut(u32, u32)) {
    let (places, few): (Vec<usize>, Vec<Peak>) =
        peaks.iter().copied().enumerate().filter(|(_, peak)| peak.rank < CONSTELLATION_RANK).unzip();
    constellations_of(&few, &Zone::CONSTELLATIONS, &mut |three| {
        let [first_rise, second_rise, share] = constellation_steps(&few, three).map(nearest);
        if let Some(key) = constellation_key(first_rise, second_rise, share) {
            let number = (places[three[0]] as u32) << CONSTELLATION_PLACE_BITS | (three[2] - three[0]) as u32;
            found(key, number);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some_peaks() -> Vec<Peak> {
        let noise = |n: u32| n.wrapping_mul(2_654_435_761) >> 16;
        let mut time = 0;
        let peaks = (1..400).map(|n| {
            time += noise(n) % 60;
            Peak { time, pitch: (200 + noise(n + 7_777) % 900) as u16, rank: (noise(n + 999) % 32) as u8 }
        });
        let mut peaks: Vec<Peak> = peaks.collect();
        peaks.sort();
        peaks
    }

    fn keys(peaks: &[Peak], make: fn(&[Peak], &mut dyn FnMut(u32, u32))) -> Vec<u32> {
        let mut keys = Vec::new();
        make(peaks, &mut |key, _| keys.push(key));
        keys
    }

    #[test]
    fn keys_fit_their_bits_and_name_peaks() {
        let peaks = some_peaks();
        let mut count = [0; 2];
        pairs(&peaks, &mut |key, anchor| {
            assert!(key < 1 << PAIR_KEY_BITS && (anchor as usize) < peaks.len());
            count[0] += 1;
        });
        constellations(&peaks, &mut |key, number| {
            assert!(key < 1 << CONSTELLATION_KEY_BITS);
            let anchor = (number >> CONSTELLATION_PLACE_BITS) as usize;
            let mut behind = peaks[anchor..].iter().filter(|peak| peak.rank < CONSTELLATION_RANK);
            assert!(behind.nth(number as usize & CONSTELLATION_REACH).is_some());
            count[1] += 1;
        });
        assert!(count[0] > 1_000 && count[1] > 200, "{count:?}");
    }

    /// Twice as slow and a fifth higher, constellations keep their keys, and pairs do not.
    #[test]
    fn constellations_know_no_tempo_and_no_pitch() {
        let peaks: Vec<Peak> = some_peaks().into_iter().map(|peak| Peak { time: peak.time / 3, ..peak }).collect();
        let changed: Vec<Peak> =
            peaks.iter().map(|peak| Peak { time: peak.time * 2, pitch: peak.pitch + 140, rank: peak.rank }).collect();
        let shared = |make| {
            let (before, after) = (keys(&peaks, make), keys(&changed, make));
            before.iter().filter(|key| after.contains(key)).count() as f64 / before.len() as f64
        };
        assert!(shared(constellations) > 0.5, "{}", shared(constellations));
        assert!(shared(pairs) < 0.2, "{}", shared(pairs));
    }
}
