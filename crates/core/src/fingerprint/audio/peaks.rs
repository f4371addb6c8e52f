//! Spectral peaks of sound: what is found again after noise, codecs, rooms and changes of speed.
//!
//! The logarithm of the spectrum's power is whitened in part: half of its mean over seven seconds and a fifth of its
//! recent past are taken away, so that an equaliser matters less and an onset more, while what is loud still stands out
//! of noise. A peak is the highest point of a small field of time and frequency. Of the peaks of a second those that stand
//! out most are kept, and each knows how many stand out more, so that a thinner set is a subset of a denser one.
//!
//! Landmarks of peaks come from Wang (An Industrial-Strength Audio Search Algorithm, 2003); whole numbers from the power on
//! make the result the same on every machine. The constants were chosen by how many peaks of a recording are found again
//! in altered excerpts of it; docs/ACCURACY.md has the data and the outcome.

use std::collections::VecDeque;

use minutia_machine::{Level, Work, wide};

use super::Peak;
use super::fft::RealFft;
use super::resample::RATE_HZ;

/// Samples of a frame: 92.9 ms.
const FRAME: usize = 1_024;
/// Samples from a frame to the next: 11.6 ms.
pub(super) const HOP: usize = 128;
/// Bins of a frame.
const BINS: usize = FRAME / 2;
/// Frames a second, rounded down.
const FRAMES_PER_SECOND: usize = RATE_HZ as usize / HOP;
/// Units of [`Peak::TIME_UNIT`] of a hop.
const UNITS: u32 = 8;
/// Bins in which peaks are looked for: 97 Hz to 4.9 kHz.
const FIRST_BIN: usize = 9;
const LAST_BIN: usize = 460;
/// Levels are logarithms to base 2 of the power in this many steps.
const STEPS: i32 = 256;
/// The level of silence: power 2^-20 of full scale in a frame, and less.
const SILENCE: i16 = -20 * STEPS as i16;
/// Frames to each side over which the mean is taken: 3.7 s.
const MEAN_REACH: usize = 320;
/// A peak is the highest of so many frames and bins to each side.
const TIME_REACH: usize = 2;
const BIN_REACH: usize = 5;
/// Bins to each side that a peak must stand out of to be content, and by how much: noise does not reach it.
const CONTENT_REACH: usize = 24;
const CONTENT_STEPS: i32 = 5 * STEPS;
/// A peak that is further below the loudest bin of its frame, 36 dB, is none: what a codec leaves beside a tone.
const AUDIBLE_STEPS: i32 = 12 * STEPS;
/// What stood out so many frames before too, each time by no more or less than this, stays: the overtones of a steady tone are
/// peaks now and then, by rounding.
const STAYED_FRAMES: [u64; 4] = [21, 42, 63, 84];
const STAYED_STEPS: i32 = 2 * STEPS;
/// How often content is looked for, in frames, and how long a pitch counts as heard already.
const CONTENT_CELL: u64 = 21;
const HEARD_FRAMES: u64 = 86;
/// Cells of content count where there are so many within so many cells, 1.7 seconds within 21: in noise there is one now and
/// then, more of them where a codec has left holes in it.
const LEAST_CELLS: usize = 7;
const WITHIN_CELLS: u64 = 85;
/// Pitches of a step of [`Content`].
const HEARD_PITCHES: usize = 10;

/// A value for each bin.
type Row = Box<[i16]>;

/// Picks the peaks of mono sound at 11,025 Hz, handed over block by block.
#[derive(Debug)]
pub(super) struct PeakPicker {
    fft: RealFft<8>,
    window: Vec<f32>,
    frames: [Vec<f32>; 2],
    powers: [Vec<f32>; 2],
    /// Samples that are still needed, in parts of full scale.
    waiting: Vec<f32>,
    /// Levels of frames from `first` on.
    levels: VecDeque<Row>,
    first: u64,
    /// Sum of the levels in `levels`, a bin each.
    sums: Vec<i32>,
    /// The next frame to whiten.
    next: u64,
    /// What each bin was lately, with eight more bits.
    recent: Vec<i32>,
    /// The last whitened frames and, of each, the highest value within reach of each bin.
    white: VecDeque<(Row, Row)>,
    ranker: Ranker,
    content: Content,
}

impl PeakPicker {
    /// Keeps the peaks that fewer than `most` of the second around them surpass. So many `hops` of silence went before.
    pub(super) fn new(most: u8, hops: u64) -> PeakPicker {
        let angle = |k: usize| 2.0 * std::f64::consts::PI * (k as f64 + 0.5) / FRAME as f64;
        PeakPicker {
            fft: RealFft::new(FRAME),
            window: (0..FRAME).map(|k| (0.5 - 0.5 * libm::cos(angle(k))) as f32).collect(),
            frames: [vec![0.0; FRAME], vec![0.0; FRAME]],
            powers: [vec![0.0; BINS], vec![0.0; BINS]],
            waiting: Vec::new(),
            levels: VecDeque::new(),
            first: hops,
            sums: vec![0; BINS],
            next: hops,
            recent: Vec::new(),
            white: VecDeque::new(),
            ranker: Ranker { most, fresh: Vec::new(), done: Vec::new() },
            content: Content {
                heard: vec![None; usize::from(Peak::PITCHES) / HEARD_PITCHES + 3],
                cells: 0,
                recent: VecDeque::new(),
                uncounted: 0,
            },
        }
    }

    /// Takes more samples.
    pub(super) fn push(&mut self, samples: &[i16]) {
        wide(Level::best(), Push { picker: self, samples, last: false });
    }

    /// Two frames are transformed at a time. One that is alone waits for more samples, unless these are the `last`.
    #[inline(always)]
    fn take(&mut self, samples: &[i16], last: bool) {
        self.waiting.extend(samples.iter().map(|&sample| f32::from(sample) / 32_768.0));
        let mut at = 0;
        while at + FRAME <= self.waiting.len() {
            let count = if at + HOP + FRAME <= self.waiting.len() { 2 } else { 1 };
            if count == 1 && !last {
                break;
            }
            for (number, frame) in self.frames.iter_mut().take(count).enumerate() {
                let samples = &self.waiting[at + number * HOP..];
                for ((value, sample), weight) in frame.iter_mut().zip(samples).zip(&self.window) {
                    *value = sample * weight;
                }
            }
            let ([one, other], [power, other_power]) = (&self.frames, &mut self.powers);
            self.fft.power([one, other], [power, other_power]);
            for number in 0..count {
                self.take_frame(number);
            }
            at += count * HOP;
        }
        self.waiting.drain(..at);
        while last && self.next < self.first + self.levels.len() as u64 {
            self.whiten();
        }
    }

    /// Takes the power of the frame of this number.
    #[inline(always)]
    fn take_frame(&mut self, number: usize) {
        // Collected, they would not be inlined, and go without the wider instructions.
        let mut levels: Box<[i16]> = [0; BINS].into();
        levels.iter_mut().zip(&self.powers[number]).for_each(|(value, &power)| *value = level(power));
        add(&mut self.sums, &levels);
        self.levels.push_back(levels);
        if self.next + (MEAN_REACH as u64) < self.first + self.levels.len() as u64 {
            self.whiten();
        }
    }

    /// The peaks, sorted, and for how long there is content, in milliseconds.
    pub(super) fn finish(mut self) -> (Vec<Peak>, u64) {
        wide(Level::best(), Push { picker: &mut self, samples: &[], last: true });
        let cell_ms = CONTENT_CELL * HOP as u64 * 1_000 / u64::from(RATE_HZ);
        (self.ranker.finish(), self.content.cells * cell_ms)
    }

    /// Whitens the next frame, and picks the peaks of the frame [`TIME_REACH`] before it.
    #[inline(always)]
    fn whiten(&mut self) {
        while self.first + (MEAN_REACH as u64) < self.next {
            let gone = self.levels.pop_front().expect("there is a frame before the next");
            subtract(&mut self.sums, &gone);
            self.first += 1;
        }
        let twice = 2.0 * self.levels.len() as f32;
        let levels = &self.levels[(self.next - self.first) as usize];
        let mut white: Box<[i16]> = levels
            .iter()
            .zip(&self.sums)
            // Half the mean, rounded towards zero. Sums are below 2^24 and means below 2^12: what is no whole number is further
            // from one, by a thousandth at least, than a quotient of 24 bits is from what it stands for.
            .map(|(&level, &sum)| level.wrapping_sub((sum as f32 / twice) as i32 as i16))
            .collect();
        if self.recent.is_empty() {
            self.recent = white.iter().map(|&value| i32::from(value) * STEPS).collect();
        }
        for (value, recent) in white.iter_mut().zip(&mut self.recent) {
            // Values of 16 bits with eight more stay within 32; wrapping only spares the checks.
            let now = i32::from(*value).wrapping_mul(STEPS);
            // A fifth of the past; then a twentieth of the way on.
            *value = (now.wrapping_sub(*recent / 5) / STEPS) as i16;
            *recent = recent.wrapping_add(now.wrapping_sub(*recent) / 20);
        }
        let highest = highest_within_reach(&white);
        self.white.push_back((white, highest));
        self.next += 1;
        if self.white.len() > 2 * TIME_REACH {
            self.pick(self.next - 1 - TIME_REACH as u64);
            self.white.pop_front();
        }
    }

    /// The peaks of a frame, which stands in the middle of `white`.
    #[inline(always)]
    fn pick(&mut self, frame: u64) {
        let here = &self.white[TIME_REACH].0;
        let mut field = self.white[0].1.clone();
        for (_, highest) in self.white.iter().skip(1) {
            field.iter_mut().zip(highest).for_each(|(most, &other)| *most = (*most).max(other));
        }
        let levels = |frame: u64| &self.levels[(frame - self.first) as usize];
        let (before, now, after) = (levels(frame - 1), levels(frame), levels(frame + 1));
        let loudest = now[FIRST_BIN..LAST_BIN].iter().copied().max().map_or(0, i32::from);
        for bin in FIRST_BIN..LAST_BIN {
            let value = here[bin];
            if value < field[bin] || now[bin] <= SILENCE + 2 * STEPS as i16 {
                continue;
            }
            // Of equals the first counts.
            let equal_before = self
                .white
                .iter()
                .take(TIME_REACH)
                .any(|(white, _)| white[bin - BIN_REACH..=bin + BIN_REACH].contains(&value))
                || here[bin - BIN_REACH..bin].contains(&value);
            if equal_before {
                continue;
            }
            let along_bins = vertex(now[bin - 1], now[bin], now[bin + 1]);
            let along_time = vertex(before[bin], now[bin], after[bin]);
            let hertz = (bin as f64 + f64::from(along_bins)) * f64::from(RATE_HZ) / FRAME as f64;
            let pitch = f64::from(Peak::PITCHES_PER_OCTAVE) * libm::log2(hertz / Peak::LOWEST_HZ);
            if !(0.0..f64::from(Peak::PITCHES)).contains(&pitch) {
                continue;
            }
            // The middle of the frame, half a frame behind its first sample.
            let middle = frame * u64::from(UNITS) + (FRAME / 2 / (HOP / UNITS as usize)) as u64;
            let time = middle as i64 + libm::rintf(along_time * UNITS as f32) as i64;
            let pitch = pitch as u16;
            let is_audible = i32::from(now[bin]) >= loudest - AUDIBLE_STEPS;
            if is_audible && stands_out(now, bin) && !stays(&self.levels, self.first, frame, bin) {
                self.content.hear(frame, pitch);
            }
            self.ranker.push(Candidate { time: time.clamp(0, i64::from(u32::MAX)) as u32, pitch, value });
        }
        if frame.is_multiple_of(4 * FRAMES_PER_SECOND as u64) {
            self.ranker.settle();
        }
    }
}

/// [`PeakPicker::take`].
struct Push<'a> {
    picker: &'a mut PeakPicker,
    samples: &'a [i16],
    last: bool,
}

impl Work for Push<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.picker.take(self.samples, self.last);
    }
}

/// The logarithm of a power to base 2 in [`STEPS`], not below [`SILENCE`]. The mantissa's logarithm is a polynomial that is
/// exact at both ends and off by less than 0.01 between.
#[inline(always)]
fn level(power: f32) -> i16 {
    let power = if power > 1e-9 { power } else { 1e-9 };
    let bits = power.to_bits();
    let exponent = (bits >> 23) as i32 - 127;
    let mantissa = f32::from_bits(bits & 0x7f_ffff | 0x3f80_0000) - 1.0;
    let fraction = mantissa * (1.3465 + mantissa * (-0.3465));
    ((exponent * STEPS) + (fraction * STEPS as f32) as i32).clamp(i32::from(SILENCE), 30 * STEPS) as i16
}

// Sums of at most 641 levels of 16 bits stay within 32.
#[inline(always)]
fn add(sums: &mut [i32], levels: &[i16]) {
    sums.iter_mut().zip(levels).for_each(|(sum, &level)| *sum = sum.wrapping_add(i32::from(level)));
}

#[inline(always)]
fn subtract(sums: &mut [i32], levels: &[i16]) {
    sums.iter_mut().zip(levels).for_each(|(sum, &level)| *sum = sum.wrapping_sub(i32::from(level)));
}

/// For each bin the highest value of those within [`BIN_REACH`]; at the ends, where no peaks are looked for, of fewer.
#[inline(always)]
fn highest_within_reach(values: &[i16]) -> Box<[i16]> {
    const { assert!(BIN_REACH == 5, "the doubling below covers 11 bins") };
    // Each then is the highest of itself and ten after it.
    let mut ahead = values.to_vec();
    for reach in [1, 2, 4, 3] {
        for at in 0..ahead.len().saturating_sub(reach) {
            ahead[at] = ahead[at].max(ahead[at + reach]);
        }
    }
    let mut highest: Box<[i16]> = values.into();
    let inner = values.len().saturating_sub(2 * BIN_REACH);
    highest[BIN_REACH..][..inner].copy_from_slice(&ahead[..inner]);
    highest
}

/// Where between -0.5 and 0.5 the parabola through three values at -1, 0 and 1 has its highest point.
fn vertex(before: i16, here: i16, after: i16) -> f32 {
    let [before, here, after] = [before, here, after].map(i32::from);
    let bend = before - 2 * here + after;
    if bend >= 0 { 0.0 } else { ((before - after) as f32 / (2 * bend) as f32).clamp(-0.5, 0.5) }
}

/// True where a bin is far above the mean level around it, as a tone is and noise is not.
fn stands_out(levels: &[i16], bin: usize) -> bool {
    let around = &levels[bin.saturating_sub(CONTENT_REACH)..(bin + CONTENT_REACH + 1).min(levels.len())];
    let sum: i32 = around.iter().map(|&level| i32::from(level)).sum();
    i32::from(levels[bin]) - sum / around.len() as i32 >= CONTENT_STEPS
}

/// True where a bin that stands out in a frame stood out a second before and since, as loud as now.
fn stays(levels: &VecDeque<Row>, first: u64, frame: u64, bin: usize) -> bool {
    let level_of = |frame: u64| frame.checked_sub(first).and_then(|place| levels.get(place as usize));
    let Some(now) = level_of(frame) else { return false };
    STAYED_FRAMES.iter().all(|&back| {
        let then = frame.checked_sub(back).and_then(level_of);
        then.is_some_and(|then| {
            let alike = |other: usize| (i32::from(then[other]) - i32::from(now[bin])).abs() < STAYED_STEPS;
            (bin - 1..=bin + 1).any(|other| alike(other) && stands_out(then, other))
        })
    })
}

/// Counts the stretches of sound in which something new is heard: a tone that was there a second before is not new.
#[derive(Debug)]
struct Content {
    /// When each step of pitch stood out last.
    heard: Vec<Option<u64>>,
    cells: u64,
    /// Cells in which something new was heard lately, and how many of the last of them were not counted yet.
    recent: VecDeque<u64>,
    uncounted: usize,
}

impl Content {
    fn hear(&mut self, frame: u64, pitch: u16) {
        let step = usize::from(pitch) / HEARD_PITCHES + 1;
        let known = self.heard[step - 1..=step + 1].iter().flatten().any(|&at| frame - at < HEARD_FRAMES);
        self.heard[step] = Some(frame);
        let cell = frame / CONTENT_CELL;
        if known || self.recent.back() == Some(&cell) {
            return;
        }
        self.recent.push_back(cell);
        self.uncounted += 1;
        while self.recent.front().is_some_and(|&first| cell - first >= WITHIN_CELLS) {
            self.recent.pop_front();
        }
        self.uncounted = self.uncounted.min(self.recent.len());
        if self.recent.len() >= LEAST_CELLS {
            self.cells += self.uncounted as u64;
            self.uncounted = 0;
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    time: u32,
    pitch: u16,
    value: i16,
}

/// Gives peaks their ranks, as soon as all that are within half a second are known.
#[derive(Debug)]
struct Ranker {
    most: u8,
    /// In the order of frames, which is that of times but for neighbours.
    fresh: Vec<Candidate>,
    done: Vec<Peak>,
}

/// Half a second, in units of time.
const HALF_SECOND: u32 = (FRAMES_PER_SECOND as u32).div_ceil(2) * UNITS;

impl Ranker {
    fn push(&mut self, candidate: Candidate) {
        self.fresh.push(candidate);
    }

    /// Ranks what no later peak can change.
    #[inline(always)]
    fn settle(&mut self) {
        let Some(last) = self.fresh.last() else { return };
        let until = last.time.saturating_sub(HALF_SECOND + 2 * UNITS);
        self.rank(until);
        let from = until.saturating_sub(HALF_SECOND + UNITS);
        self.fresh.retain(|candidate| candidate.time >= from);
    }

    fn finish(mut self) -> Vec<Peak> {
        self.rank(u32::MAX);
        self.done.sort_unstable();
        self.done
    }

    /// Ranks the peaks before `until` that are later than all that were ranked before.
    #[inline(always)]
    fn rank(&mut self, until: u32) {
        self.fresh.sort_by_key(|candidate| (candidate.time, candidate.pitch));
        let values: Vec<i16> = self.fresh.iter().map(|candidate| candidate.value).collect();
        let ranked = self.done.last().map_or(0, |peak| peak.time + 1);
        let (mut from, mut to) = (0, 0);
        for (place, candidate) in self.fresh.iter().enumerate() {
            if candidate.time < ranked || candidate.time >= until {
                continue;
            }
            while self.fresh[from].time + HALF_SECOND < candidate.time {
                from += 1;
            }
            while self.fresh.get(to).is_some_and(|other| other.time <= candidate.time.saturating_add(HALF_SECOND)) {
                to += 1;
            }
            // A second has 87 frames with 42 peaks at most: 16 bits are enough to count them, and eight lanes fit a vector.
            let count = |rivals: &[i16], surpasses: fn(i16, i16) -> bool| {
                rivals.iter().fold(0_u16, |sum, &rival| sum.wrapping_add(surpasses(rival, candidate.value).into()))
            };
            let rank = count(&values[from..place], |rival, own| rival >= own)
                + count(&values[place..to], |rival, own| rival > own);
            if rank < u16::from(self.most) {
                self.done.push(Peak { time: candidate.time, pitch: candidate.pitch, rank: rank as u8 });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_gives_the_same_peaks() {
        // Knocks of changing pitch under noise: seconds enough that the mean has a past.
        let mut noise = 1_u32;
        let mut sample = |n: u32| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let wave = (n / 2_000 % 23 + 3) * n % 701;
            (wave as i32 * 40 - 14_000 + (noise >> 20) as i32) as i16
        };
        let samples: Vec<i16> = (0..15 * RATE_HZ).map(&mut sample).collect();
        let mut told = Vec::new();
        for level in Level::all_here() {
            let mut picker = PeakPicker::new(30, 0);
            samples.chunks(3_000).for_each(|samples| wide(level, Push { picker: &mut picker, samples, last: false }));
            told.push(picker.finish());
        }
        assert!(told[0].0.len() > 300, "{} peaks", told[0].0.len());
        assert!(told.iter().all(|one| one == &told[0]), "{} levels", told.len());
    }
}
