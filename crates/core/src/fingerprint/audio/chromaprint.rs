//! Chromaprint algorithm 2: 32 bits of the harmony of each 2.6 seconds, eight times a second.
//!
//! Frames of 4,096 samples, 1,365 apart, under a Hamming window; the power of each becomes energies of the twelve notes from
//! 28 to 3,520 Hz, which are smoothed over five frames and brought to length 1. Sixteen rectangles of sums over 16 frames are
//! compared in logarithms and cut to two bits each, in Gray code. Lukáš Lalinský, "How does Chromaprint work?", 2011
//! (<https://oxygene.sk/2011/01/how-does-chromaprint-work/>), after Ke, Hoiem and Sukthankar, "Computer Vision for Music
//! Identification", 2005; rectangles and thresholds are those that the reference library was trained to (2011).

use minutia_machine::{Level, Work, wide};
use minutia_media::Samples;

use super::fft::RealFft;
use super::resample::{Downmix, Kernel, RATE_HZ};

/// Samples of a frame.
const FRAME: usize = 4096;
/// Samples from a frame to the next.
const HOP: usize = FRAME / 3;
/// Notes of an octave.
const NOTES: usize = 12;
/// Bins from 28 Hz up to, not including, 3,520 Hz.
const BINS: std::ops::Range<usize> = 10..1308;
/// Weights of five frames, the oldest first.
const SMOOTHING: [f64; 5] = [0.25, 0.75, 1.0, 0.75, 0.25];
/// Frames below this length are silence: all zero.
const SILENCE: f64 = 0.01;
/// Frames that an item looks at.
const WIDTH: usize = 16;

/// Energies of the notes, A first.
type Chroma = [f64; NOTES];

/// Makes the items of one recording, as it comes in.
///
/// ```
/// use minutia::fingerprint::Chromaprint;
///
/// let mut chromaprint = Chromaprint::new();
/// for block in vec![0; 4 * 11_025].chunks(1_000) {
///     chromaprint.push(block);
/// }
/// assert_eq!(chromaprint.finish(), [627_964_279; 11]);
/// ```
#[derive(Clone, Debug)]
pub struct Chromaprint {
    fft: RealFft<4>,
    window: Vec<f32>,
    /// Runs of bins that are of one note.
    runs: Vec<(std::ops::Range<usize>, usize)>,
    /// Samples of frames that are still to come.
    waiting: Vec<i16>,
    frame: Vec<f32>,
    power: Vec<f32>,
    /// The last five frames, the oldest first, and how many there are.
    raw: [Chroma; SMOOTHING.len()],
    raws: usize,
    /// The last frames smoothed, the oldest first, and how many there are.
    smooth: [Chroma; WIDTH],
    smooths: usize,
    items: Vec<u32>,
}

impl Default for Chromaprint {
    fn default() -> Chromaprint {
        Chromaprint::new()
    }
}

impl Chromaprint {
    /// Samples a second of what comes in.
    pub const RATE_HZ: u32 = RATE_HZ;
    /// Samples from an item to the next: 123.8 ms.
    pub const ITEM_SAMPLES: u32 = HOP as u32;
    /// Samples that the first item looks at, 2.6 s; each further one takes [`Chromaprint::ITEM_SAMPLES`] more.
    pub const FIRST_SAMPLES: u32 = (FRAME + (WIDTH + SMOOTHING.len() - 2) * HOP) as u32;

    /// Of a recording that begins.
    #[must_use]
    pub fn new() -> Chromaprint {
        // The library scales samples by the greatest one.
        let hamming = |n: usize| {
            let turn = 2.0 * std::f64::consts::PI * n as f64 / (FRAME - 1) as f64;
            ((0.54 - 0.46 * libm::cos(turn)) / 32_767.0) as f32
        };
        Chromaprint {
            fft: RealFft::new(FRAME),
            window: (0..FRAME).map(hamming).collect(),
            runs: runs(),
            waiting: Vec::new(),
            frame: vec![0.0; FRAME],
            power: vec![0.0; FRAME / 2],
            raw: [[0.0; NOTES]; SMOOTHING.len()],
            raws: 0,
            smooth: [[0.0; NOTES]; WIDTH],
            smooths: 0,
            items: Vec::new(),
        }
    }

    /// Takes more samples: one channel, 16 bits, at [`Chromaprint::RATE_HZ`].
    pub fn push(&mut self, samples: &[i16]) {
        wide(Level::best(), Push(self, samples));
    }

    #[inline(always)]
    fn take_all(&mut self, samples: &[i16]) {
        for block in samples.chunks(2 * FRAME) {
            self.waiting.extend_from_slice(block);
            let mut start = 0;
            while self.waiting.len() - start >= FRAME {
                let chroma = self.chroma(start);
                self.take(chroma);
                start += HOP;
            }
            self.waiting.drain(..start);
        }
    }

    /// The items so far, one each [`Chromaprint::ITEM_SAMPLES`].
    #[must_use]
    pub fn items(&self) -> &[u32] {
        &self.items
    }

    /// The items; none of a recording that is shorter than [`Chromaprint::FIRST_SAMPLES`].
    #[must_use]
    pub fn finish(self) -> Vec<u32> {
        self.items
    }

    /// Energies of the notes in the frame that begins at sample `start` of those waiting.
    #[inline(always)]
    fn chroma(&mut self, start: usize) -> Chroma {
        let samples = &self.waiting[start..][..FRAME];
        for ((value, &sample), &weight) in self.frame.iter_mut().zip(samples).zip(&self.window) {
            *value = f32::from(sample) * weight;
        }
        self.fft.power([&self.frame], [&mut self.power]);
        let mut chroma = [0.0; NOTES];
        for (bins, note) in &self.runs {
            chroma[*note] = self.power[bins.clone()].iter().fold(chroma[*note], |sum, &power| sum + f64::from(power));
        }
        chroma
    }

    /// Takes the notes of a frame; tells an item where there are frames enough.
    fn take(&mut self, chroma: Chroma) {
        self.raw.rotate_left(1);
        self.raw[SMOOTHING.len() - 1] = chroma;
        self.raws = (self.raws + 1).min(SMOOTHING.len());
        if self.raws < SMOOTHING.len() {
            return;
        }
        let smoothed = std::array::from_fn(|note| {
            self.raw.iter().zip(SMOOTHING).fold(0.0, |sum, (frame, weight)| sum + frame[note] * weight)
        });
        self.smooth.rotate_left(1);
        self.smooth[WIDTH - 1] = normal(smoothed);
        self.smooths = (self.smooths + 1).min(WIDTH);
        if self.smooths == WIDTH {
            self.items.push(item(&self.smooth));
        }
    }
}

/// [`Chromaprint::take_all`].
struct Push<'a>(&'a mut Chromaprint, &'a [i16]);

impl Work for Push<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.0.take_all(self.1);
    }
}

/// The items of a recording, of any rate and channels, in blocks: its mean over the channels, brought to 11,025 Hz.
///
/// ```
/// use minutia::fingerprint::chromaprint;
/// use minutia::media::Samples;
///
/// let silence = Samples { rate_hz: 44_100, channels: 2, interleaved: vec![0.0; 8 * 44_100] };
/// assert_eq!(chromaprint([&silence]), [627_964_279; 11]);
/// ```
pub fn chromaprint<'a>(blocks: impl IntoIterator<Item = &'a Samples>) -> Vec<u32> {
    let mut downmix = Downmix::new(Kernel::LIBRARY, false);
    let mut chromaprint = Chromaprint::new();
    for block in blocks {
        chromaprint.push(downmix.push(block).0);
    }
    chromaprint.finish()
}

/// One item for many: each bit as most of them have it. What the reference library calls SimHash; 0 of none.
#[must_use]
pub fn simhash(items: &[u32]) -> u32 {
    (0..32)
        .filter(|bit| items.iter().filter(|&&item| item >> bit & 1 == 1).count() * 2 > items.len())
        .fold(0, |hash, bit| hash | 1 << bit)
}

/// Which bins are of which note: runs of them, in order.
fn runs() -> Vec<(std::ops::Range<usize>, usize)> {
    let note = |bin: usize| {
        let hertz = bin as f64 * f64::from(RATE_HZ) / FRAME as f64;
        // Octaves above an A of 27.5 Hz.
        let octave = libm::log2(hertz / (440.0 / 16.0));
        (NOTES as f64 * (octave - libm::floor(octave))) as usize
    };
    let mut runs: Vec<(std::ops::Range<usize>, usize)> = Vec::new();
    for bin in BINS {
        match runs.last_mut() {
            Some((bins, last)) if *last == note(bin) => bins.end = bin + 1,
            _ => runs.push((bin..bin + 1, note(bin))),
        }
    }
    runs
}

/// Brought to length 1.
fn normal(chroma: Chroma) -> Chroma {
    let length = libm::sqrt(chroma.iter().fold(0.0, |sum, value| sum + value * value));
    if length < SILENCE { [0.0; NOTES] } else { chroma.map(|value| value / length) }
}

/// How a rectangle of frames and notes is cut in two.
#[derive(Clone, Copy)]
enum Cut {
    /// Not: against nothing.
    Whole,
    /// Upper notes against lower.
    Notes,
    /// Later frames against earlier.
    Frames,
    /// Two opposite quarters against the others.
    Quarters,
    /// The middle third of the notes against the others.
    MiddleNotes,
    /// The middle third of the frames against the others.
    MiddleFrames,
}

/// A rectangle from frame 0 on: how it is cut, its first note, how many notes, how many frames; and the thresholds between
/// the four values that it may have.
type Classifier = (Cut, usize, usize, usize, [f64; 3]);

/// Those of algorithm 2, the highest bits first.
const CLASSIFIERS: [Classifier; 16] = [
    (Cut::Whole, 4, 3, 15, [1.98215, 2.35817, 2.63523]),
    (Cut::MiddleNotes, 4, 6, 15, [-1.03809, -0.651211, -0.282167]),
    (Cut::Notes, 0, 4, 16, [-0.298702, 0.119262, 0.558497]),
    (Cut::Quarters, 8, 2, 12, [-0.105439, 0.0153946, 0.135898]),
    (Cut::Quarters, 4, 4, 8, [-0.142891, 0.0258736, 0.200632]),
    (Cut::MiddleNotes, 0, 3, 5, [-0.826319, -0.590612, -0.368214]),
    (Cut::Notes, 2, 2, 9, [-0.557409, -0.233035, 0.0534525]),
    (Cut::Frames, 7, 3, 4, [-0.0646826, 0.00620476, 0.0784847]),
    (Cut::Frames, 6, 2, 16, [-0.192387, -0.029699, 0.215855]),
    (Cut::Frames, 1, 3, 2, [-0.0397818, -0.00568076, 0.0292026]),
    (Cut::MiddleFrames, 10, 1, 15, [-0.53823, -0.369934, -0.190235]),
    (Cut::Quarters, 6, 2, 10, [-0.124877, 0.0296483, 0.139239]),
    (Cut::Frames, 1, 1, 14, [-0.101475, 0.0225617, 0.231971]),
    (Cut::Quarters, 5, 6, 4, [-0.0799915, -0.00729616, 0.063262]),
    (Cut::Notes, 9, 2, 12, [-0.272556, 0.019424, 0.302559]),
    (Cut::Quarters, 4, 2, 14, [-0.164292, -0.0321188, 0.0846339]),
];

/// The item of the frames.
fn item(frames: &[Chroma; WIDTH]) -> u32 {
    // Sums of all frames and notes before.
    let mut sums = [[0.0; NOTES + 1]; WIDTH + 1];
    for frame in 0..WIDTH {
        let mut row = 0.0;
        for note in 0..NOTES {
            row += frames[frame][note];
            sums[frame + 1][note + 1] = sums[frame][note + 1] + row;
        }
    }
    let area = |frames: std::ops::Range<usize>, notes: std::ops::Range<usize>| {
        sums[frames.end][notes.end] - sums[frames.start][notes.end] - sums[frames.end][notes.start]
            + sums[frames.start][notes.start]
    };
    CLASSIFIERS.iter().fold(0, |item, &(cut, first, notes, frames, thresholds)| {
        let last = first + notes;
        let (half, third) = (first + notes / 2, notes / 3);
        let (one, other) = match cut {
            Cut::Whole => (area(0..frames, first..last), 0.0),
            Cut::Notes => (area(0..frames, half..last), area(0..frames, first..half)),
            Cut::Frames => (area(frames / 2..frames, first..last), area(0..frames / 2, first..last)),
            Cut::Quarters => (
                area(0..frames / 2, half..last) + area(frames / 2..frames, first..half),
                area(0..frames / 2, first..half) + area(frames / 2..frames, half..last),
            ),
            Cut::MiddleNotes => (
                area(0..frames, first + third..first + 2 * third),
                area(0..frames, first..first + third) + area(0..frames, first + 2 * third..last),
            ),
            Cut::MiddleFrames => (
                area(frames / 3..2 * (frames / 3), first..last),
                area(0..frames / 3, first..last) + area(2 * (frames / 3)..frames, first..last),
            ),
        };
        let value = libm::log((1.0 + one) / (1.0 + other));
        let step = thresholds.iter().filter(|&&threshold| value >= threshold).count() as u32;
        // Neighbours differ in a bit.
        item << 2 | (step ^ step >> 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_gives_the_same_items() {
        let samples: Vec<i16> = (0..8 * Chromaprint::RATE_HZ)
            .map(|n| ((n / 1_900 % 17 + 2) * n % 613 * 40) as i16 ^ (n.wrapping_mul(2_654_435_761) >> 24) as i16)
            .collect();
        let of_level = |level: Level| {
            let mut chromaprint = Chromaprint::new();
            samples.chunks(5_003).for_each(|samples| wide(level, Push(&mut chromaprint, samples)));
            chromaprint.finish()
        };
        let told: Vec<Vec<u32>> = Level::all_here().into_iter().map(of_level).collect();
        assert!(told[0].len() > 30 && told.iter().all(|one| *one == told[0]), "{} items", told[0].len());
    }

    #[test]
    fn the_reference_library_finds_the_same_notes() {
        let Some(folder) = std::env::var_os("MINUTIA_VECTORS").map(std::path::PathBuf::from) else {
            println!("skipped: MINUTIA_VECTORS is not set; 14 frames of 12 notes were not compared");
            return;
        };
        let folder = folder.join("chromaprint");
        let expected = std::fs::read(folder.join("expected.json")).unwrap();
        let expected: serde_json::Value = serde_json::from_slice(&expected).unwrap();
        let expected: Vec<Vec<f64>> = serde_json::from_value(expected["chromagram_test_stereo_44100"].clone()).unwrap();
        let bytes = std::fs::read(folder.join("test_stereo_44100.raw")).unwrap();
        let interleaved =
            bytes.as_chunks::<2>().0.iter().map(|&pair| f32::from(i16::from_le_bytes(pair)) / 32_768.0).collect();
        let mut downmix = Downmix::new(Kernel::LIBRARY, false);
        let mut chromaprint = Chromaprint::new();
        chromaprint.waiting = downmix.push(&Samples { rate_hz: 44_100, channels: 2, interleaved }).0.to_vec();
        let frames = (chromaprint.waiting.len() - FRAME) / HOP + 1;
        assert_eq!((frames, expected.len()), (14, 14));
        for (frame, expected) in expected.iter().enumerate() {
            let found = normal(chromaprint.chroma(frame * HOP));
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-5, "frame {frame}: {found} against {expected}");
            }
        }
    }

    #[test]
    fn blocks_do_not_show() {
        let samples: Vec<i16> = (0..60_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 16) as i16).collect();
        let mut whole = Chromaprint::new();
        whole.push(&samples);
        let mut pieces = Chromaprint::new();
        samples.chunks(977).for_each(|piece| pieces.push(piece));
        let items = whole.finish();
        assert_eq!(items, pieces.finish());
        assert_eq!(items.len(), (60_000 - Chromaprint::FIRST_SAMPLES as usize) / HOP + 1);
    }

    #[test]
    fn what_is_too_short_has_no_item() {
        for (samples, items) in [(0, 0), (Chromaprint::FIRST_SAMPLES - 1, 0), (Chromaprint::FIRST_SAMPLES, 1)] {
            let mut chromaprint = Chromaprint::new();
            chromaprint.push(&vec![0; samples as usize]);
            assert_eq!(chromaprint.finish().len(), items, "{samples}");
        }
    }
}
