//! Decoded sound as mono at 11,025 Hz, in 16-bit whole numbers: what both sound fingerprints are made of.
//!
//! A polyphase filter: a sinc under a Kaiser window, cut at so many positions between two samples, each row scaled to a sum
//! of 32,768 and rounded to 16 bits. Sums are whole numbers, so their order and the processor do not matter. The arithmetic
//! is that of the resampler in Chromaprint's reference library, whose published vectors come out bit by bit.
//!
//! Sound that has the rate already passes as it is. The first output lies on the first sample, before which sound is taken as mirrored; the last is the last whose row
//! lies within the samples. Nothing is added behind the end.

use minutia_machine::{Level, Work, wide};
use minutia_media::Samples;

/// Rate of what comes out, in Hz.
pub(crate) const RATE_HZ: u32 = 11_025;
/// The highest rate that is read as it is; higher ones are taken for this one.
const MOST_HZ: u32 = 768_000;
/// Samples that are brought in at a time.
const BLOCK: usize = 1 << 13;
/// Rows are filled up with zeros to a multiple of this.
const LANES: usize = 16;
/// Coefficients and samples have 15 bits behind the point.
const POINT: u32 = 15;

/// A shape of the filter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Kernel {
    /// Zero crossings of the sinc under the window, both sides together.
    pub(crate) lobes: u32,
    /// Positions between two samples are cut to this many.
    pub(crate) phases: u32,
    /// The highest frequency that passes, as a part of half the lower rate.
    pub(crate) cutoff: f64,
}

impl Kernel {
    /// That of Chromaprint's reference library. Newer versions of it cut positions to 256 where its published vectors rest on
    /// 1,024; `fpcalc` interpolates between 256, which 1,024 come nearer to. Where one rate divides the other it is the same.
    pub(crate) const LIBRARY: Kernel = Kernel { lobes: 16, phases: 1024, cutoff: 0.8 };
    /// Twice as steep, and with nearly the whole band.
    #[allow(dead_code, reason = "for peaks near the end of the band")]
    pub(crate) const STEEP: Kernel = Kernel { lobes: 32, phases: 1024, cutoff: 0.97 };
    /// The beta of its Kaiser window.
    const BETA: f64 = 9.0;
}

/// Brings one channel from a rate to another.
#[derive(Clone, Debug)]
pub(crate) struct Resampler {
    kernel: Kernel,
    /// Cutoff as a part of half the rate of what comes in.
    factor: f64,
    /// Samples a row lies over.
    taps: usize,
    /// `taps` filled up to a multiple of [`LANES`].
    stride: usize,
    /// Rows of coefficients, `stride` apart, made when they are first used.
    rows: Vec<i16>,
    made: Vec<bool>,
    /// Phases from an output to the next, and what is left over in parts of the rate of what comes out.
    step: usize,
    step_rest: u32,
    from_hz: u32,
    to_hz: u32,
    /// Samples of which outputs are still to come; then [`LANES`] zeros.
    waiting: Vec<i16>,
    /// The mirrored beginning stands in `waiting`.
    begun: bool,
    /// The next output's row begins so many phases behind the first sample waiting.
    at: usize,
    rest: u32,
}

impl Resampler {
    /// From `from_hz`, 1..=768,000, to `to_hz`.
    pub(crate) fn new(from_hz: u32, to_hz: u32, kernel: Kernel) -> Resampler {
        let from_hz = from_hz.clamp(1, MOST_HZ);
        let factor = (f64::from(to_hz) * kernel.cutoff / f64::from(from_hz)).min(1.0);
        let taps = (libm::ceil(f64::from(kernel.lobes) / factor) as usize).max(1);
        let stride = taps.next_multiple_of(LANES);
        let phases = kernel.phases as usize;
        let steps = u64::from(from_hz) * u64::from(kernel.phases);
        Resampler {
            kernel,
            factor,
            taps,
            stride,
            rows: vec![0; stride * phases],
            made: vec![false; phases],
            step: (steps / u64::from(to_hz)) as usize,
            step_rest: (steps % u64::from(to_hz)) as u32,
            from_hz,
            to_hz,
            waiting: vec![0; LANES],
            begun: false,
            at: 0,
            rest: 0,
        }
    }

    /// Takes more samples, and appends what can be told of what they become.
    pub(crate) fn push(&mut self, samples: &[i16], out: &mut Vec<i16>) {
        self.push_at(Level::best(), samples, out);
    }

    fn push_at(&mut self, level: Level, samples: &[i16], out: &mut Vec<i16>) {
        if self.from_hz == self.to_hz {
            out.extend_from_slice(samples);
            return;
        }
        for block in samples.chunks(BLOCK) {
            self.waiting.truncate(self.waiting.len() - LANES);
            self.waiting.extend_from_slice(block);
            if !self.begun {
                self.begin();
            }
            self.waiting.extend_from_slice(&[0; LANES]);
            if self.begun {
                wide(level, Drain(self, out));
            }
        }
    }

    /// Puts the mirrored beginning before the first sample, once there are enough to mirror.
    fn begin(&mut self) {
        let before = (self.taps - 1) / 2;
        if self.waiting.len() > before {
            let mirrored: Vec<i16> = self.waiting[1..=before].iter().rev().copied().collect();
            self.waiting.splice(..0, mirrored);
            self.begun = true;
        }
    }

    #[inline(always)]
    fn drain(&mut self, out: &mut Vec<i16>) {
        let phases = self.kernel.phases as usize;
        let shift = self.kernel.phases.trailing_zeros();
        let held = self.waiting.len() - LANES;
        loop {
            let (sample, phase) = (self.at >> shift, self.at & (phases - 1));
            if sample + self.taps > held {
                break;
            }
            if !self.made[phase] {
                self.make(phase);
            }
            let row = &self.rows[phase * self.stride..][..self.stride];
            out.push(weigh(&self.waiting[sample..][..self.stride], row));
            self.at += self.step;
            self.rest += self.step_rest;
            if self.rest >= self.to_hz {
                self.rest -= self.to_hz;
                self.at += 1;
            }
        }
        let done = (self.at >> shift).min(held);
        self.at -= done << shift;
        self.waiting.drain(..done);
    }

    /// Makes the row of a phase.
    fn make(&mut self, phase: usize) {
        let centre = ((self.taps - 1) / 2) as f64;
        let offset = phase as f64 / f64::from(self.kernel.phases);
        let heights = |tap: usize| {
            let x = std::f64::consts::PI * ((tap as f64 - centre) - offset) * self.factor;
            let sinc = if x == 0.0 { 1.0 } else { libm::sin(x) / x };
            let w = 2.0 * x / (self.factor * self.taps as f64 * std::f64::consts::PI);
            sinc * bessel_i0(Kernel::BETA * libm::sqrt((1.0 - w * w).max(0.0)))
        };
        let heights: Vec<f64> = (0..self.taps).map(heights).collect();
        let sum: f64 = heights.iter().sum();
        let row = &mut self.rows[phase * self.stride..][..self.taps];
        for (coefficient, height) in row.iter_mut().zip(heights) {
            let scaled = (height * f64::from(1_u32 << POINT) / sum) as f32;
            *coefficient = libm::rintf(scaled).clamp(-32_768.0, 32_767.0) as i16;
        }
        debug_assert!(row.iter().map(|&coefficient| i32::from(coefficient).abs()).sum::<i32>() < 1 << 16);
        self.made[phase] = true;
    }
}

/// [`Resampler::drain`].
struct Drain<'a>(&'a mut Resampler, &'a mut Vec<i16>);

impl Work for Drain<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.0.drain(self.1);
    }
}

/// The sum of samples, each by its weight, rounded and within 16 bits.
#[inline(always)]
fn weigh(samples: &[i16], row: &[i16]) -> i16 {
    // A row's weights amount to less than 2^16 and samples to 2^15 at most, so the sum stays within 32 bits; wrapping only
    // spares the checks.
    let sum = samples
        .iter()
        .zip(row)
        .fold(0_i32, |sum, (&sample, &weight)| sum.wrapping_add(i32::from(sample).wrapping_mul(i32::from(weight))));
    (sum.wrapping_add(1 << (POINT - 1)) >> POINT).clamp(-32_768, 32_767) as i16
}

/// The modified Bessel function of the first kind and order 0, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut sum, mut term, mut k) = (1.0, 1.0, 1.0);
    loop {
        term *= quarter / (k * k);
        let next = sum + term;
        if next == sum {
            return sum;
        }
        sum = next;
        k += 1.0;
    }
}

/// Mixes blocks of decoded sound to mono and brings them to [`RATE_HZ`].
///
/// A block of another rate or number of channels than the one before begins anew behind what came out so far.
#[derive(Clone, Debug)]
pub(crate) struct Downmix {
    kernel: Kernel,
    with_side: bool,
    /// Rate and channels of the blocks that come in, and the resamplers for them.
    input: Option<(u32, u16, Resampler, Resampler)>,
    mixed: Vec<i16>,
    mid: Vec<i16>,
    side: Vec<i16>,
}

impl Downmix {
    /// Of the mean of all channels and, where `with_side` asks for it, half the difference of the first two.
    pub(crate) fn new(kernel: Kernel, with_side: bool) -> Downmix {
        Downmix { kernel, with_side, input: None, mixed: Vec::new(), mid: Vec::new(), side: Vec::new() }
    }

    /// Takes a block; returns what it adds to the mean, and to the side: as much, zeros where there is one channel, or
    /// nothing where it was not asked for. A last frame that is not complete is left out.
    pub(crate) fn push(&mut self, samples: &Samples) -> (&[i16], &[i16]) {
        let (rate_hz, channels) = (samples.rate_hz, samples.channels.max(1));
        if self.input.as_ref().is_none_or(|input| (input.0, input.1) != (rate_hz, channels)) {
            let resampler = Resampler::new(rate_hz, RATE_HZ, self.kernel);
            self.input = Some((rate_hz, channels, resampler.clone(), resampler));
        }
        self.mid.clear();
        self.side.clear();
        if let Some((_, _, mid, side)) = &mut self.input {
            for block in samples.interleaved.chunks(BLOCK * usize::from(channels)) {
                mix_mid(block, channels, &mut self.mixed);
                mid.push(&self.mixed, &mut self.mid);
                if self.with_side && channels > 1 {
                    mix_side(block, channels, &mut self.mixed);
                    side.push(&self.mixed, &mut self.side);
                }
            }
        }
        if self.with_side {
            self.side.resize(self.mid.len(), 0);
        }
        (&self.mid, &self.side)
    }
}

/// The mean of all channels, rounded towards zero.
fn mix_mid(interleaved: &[f32], channels: u16, out: &mut Vec<i16>) {
    out.clear();
    match channels {
        1 => out.extend(interleaved.iter().map(|&value| whole(value) as i16)),
        2 => {
            let (frames, _) = interleaved.as_chunks::<2>();
            out.extend(frames.iter().map(|&[left, right]| (whole(left).wrapping_add(whole(right)) / 2) as i16));
        }
        _ => {
            let frames = interleaved.chunks_exact(usize::from(channels));
            // 65,535 channels of 16 bits stay within 32.
            let sum = |frame: &[f32]| frame.iter().fold(0_i32, |sum, &value| sum.wrapping_add(whole(value)));
            out.extend(frames.map(|frame| (sum(frame) / i32::from(channels)) as i16));
        }
    }
}

/// Half the difference of the first two channels, rounded towards zero.
fn mix_side(interleaved: &[f32], channels: u16, out: &mut Vec<i16>) {
    out.clear();
    let half = |left: f32, right: f32| (whole(left).wrapping_sub(whole(right)) / 2) as i16;
    if channels == 2 {
        let (frames, _) = interleaved.as_chunks::<2>();
        out.extend(frames.iter().map(|&[left, right]| half(left, right)));
    } else {
        out.extend(interleaved.chunks_exact(usize::from(channels)).map(|frame| half(frame[0], frame[1])));
    }
}

/// A sample in 16 bits, rounded to the nearest, to even where two are as near, and within -32,768..=32,767; what is no
/// number is the least.
#[inline(always)]
fn whole(value: f32) -> i32 {
    let scaled = value * 32_768.0;
    let scaled = if scaled > -32_768.0 { scaled } else { -32_768.0 };
    let scaled = if scaled < 32_767.0 { scaled } else { 32_767.0 };
    // Beside 1.5 * 2^23 a float has no bits for fractions: the addition rounds, and the low bits are the number.
    const ROUND: f32 = 12_582_912.0;
    ((scaled + ROUND).to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(count: usize) -> Vec<i16> {
        (0..count as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 16) as i16).collect()
    }

    #[test]
    fn every_level_gives_the_same_samples() {
        let samples = noise(60_000);
        for (from_hz, to_hz) in [(44_100, 11_025), (48_000, 11_025), (8_000, 11_025)] {
            let of_level = |level: Level| {
                let (mut resampler, mut out) = (Resampler::new(from_hz, to_hz, Kernel::LIBRARY), Vec::new());
                samples.chunks(7_001).for_each(|samples| resampler.push_at(level, samples, &mut out));
                out
            };
            let told: Vec<Vec<i16>> = Level::all_here().into_iter().map(of_level).collect();
            assert!(told[0].len() > 10_000 && told.iter().all(|one| *one == told[0]), "{from_hz} to {to_hz} Hz");
        }
    }

    #[test]
    fn the_reference_library_resamples_the_same() {
        let Some(folder) = std::env::var_os("MINUTIA_VECTORS").map(std::path::PathBuf::from) else {
            println!("skipped: MINUTIA_VECTORS is not set; 4 resampled recordings were not compared");
            return;
        };
        let read = |name: &str| -> Vec<i16> {
            let bytes = std::fs::read(folder.join("chromaprint").join(name)).unwrap();
            bytes.as_chunks::<2>().0.iter().map(|&pair| i16::from_le_bytes(pair)).collect()
        };
        for (to_hz, name) in [(11_025, "test_mono_11025.raw"), (8_000, "test_mono_8000.raw")] {
            let wanted = read(name);
            let mut out = Vec::new();
            Resampler::new(44_100, to_hz, Kernel::LIBRARY).push(&read("test_mono_44100.raw"), &mut out);
            assert_eq!(out, wanted, "{name}");
        }
        let interleaved: Vec<f32> =
            read("test_stereo_44100.raw").into_iter().map(|value| f32::from(value) / 32_768.0).collect();
        let mut mixed = Vec::new();
        mix_mid(&interleaved, 2, &mut mixed);
        assert_eq!(mixed, read("test_mono_44100.raw"));
        let mut downmix = Downmix::new(Kernel::LIBRARY, false);
        let (mid, side) = downmix.push(&Samples { rate_hz: 44_100, channels: 2, interleaved });
        assert_eq!((mid, side), (&read("test_mono_11025.raw")[..], &[][..]));
    }

    #[test]
    fn blocks_do_not_show() {
        for rate_hz in [1, 8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 768_000] {
            let samples = noise(if rate_hz == 1 { 40 } else { 40_000 });
            let mut whole = Vec::new();
            Resampler::new(rate_hz, RATE_HZ, Kernel::LIBRARY).push(&samples, &mut whole);
            let mut pieces = Vec::new();
            let mut resampler = Resampler::new(rate_hz, RATE_HZ, Kernel::LIBRARY);
            for piece in samples.chunks(if rate_hz == 1 { 1 } else { 977 }) {
                resampler.push(piece, &mut pieces);
            }
            assert_eq!(whole, pieces, "{rate_hz} Hz");
            let expected = samples.len() as f64 * f64::from(RATE_HZ) / f64::from(rate_hz);
            let lost = expected - whole.len() as f64;
            assert!(
                lost >= -1.0 && lost <= 12.0_f64.max(9.0 * 11_025.0 / f64::from(rate_hz)),
                "{rate_hz} Hz: {lost} lost"
            );
        }
    }

    #[test]
    fn samples_round_as_16_bits_do() {
        for value in i16::MIN..=i16::MAX {
            assert_eq!(whole(f32::from(value) / 32_768.0), i32::from(value));
        }
        let cases = [
            (0.5, 0),
            (1.5, 2),
            (-0.5, 0),
            (-1.5, -2),
            (2.4, 2),
            (32_767.6, 32_767),
            (1e30, 32_767),
            (-1e30, -32_768),
            (f32::INFINITY, 32_767),
            (f32::NAN, -32_768),
        ];
        for (value, expected) in cases {
            assert_eq!(whole(value / 32_768.0), expected, "{value}");
        }
    }

    #[test]
    fn channels_are_mixed_towards_zero() {
        let samples = |channels, values: &[i16]| Samples {
            rate_hz: RATE_HZ,
            channels,
            interleaved: values.iter().map(|&value| f32::from(value) / 32_768.0).collect(),
        };
        let mut mixed = Vec::new();
        mix_mid(&samples(2, &[3, 4, -3, -4, 32_767, 32_767, -32_768, -32_768, 9]).interleaved, 2, &mut mixed);
        assert_eq!(mixed, [3, -3, 32_767, -32_768]);
        mix_mid(&samples(3, &[1, 1, 3, -1, -1, -3]).interleaved, 3, &mut mixed);
        assert_eq!(mixed, [1, -1]);
        mix_side(&samples(2, &[3, -4, -32_768, 32_767]).interleaved, 2, &mut mixed);
        assert_eq!(mixed, [3, -32_767]);
        mix_side(&samples(3, &[3, -4, 100]).interleaved, 3, &mut mixed);
        assert_eq!(mixed, [3]);
    }

    #[test]
    fn side_keeps_step_with_mid() {
        let mut downmix = Downmix::new(Kernel::LIBRARY, true);
        let block = |rate_hz, channels| Samples { rate_hz, channels, interleaved: vec![0.25; 6_000] };
        for (rate_hz, channels) in [(44_100, 1), (44_100, 2), (48_000, 2), (48_000, 6), (48_000, 6)] {
            let (mid, side) = downmix.push(&block(rate_hz, channels));
            assert_eq!(mid.len(), side.len());
            assert!(!mid.is_empty() && mid.iter().all(|&value| (8_190..=8_194).contains(&value)), "{mid:?}");
            assert!(side.iter().all(|&value| value == 0));
        }
    }
}
