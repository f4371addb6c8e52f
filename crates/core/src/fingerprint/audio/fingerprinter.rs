//! From decoded sound to its fingerprint, block by block.

use minutia_media::Samples;

use super::peaks::{HOP, PeakPicker};
use super::resample::{Downmix, Kernel};
use super::{AudioFingerprint, Chromaprint};

/// Makes the fingerprint of one audio stream. Memory grows with what is kept of it, some 2 MB an hour, not with its samples.
///
/// ```
/// # use minutia::fingerprint::AudioFingerprinter;
/// # use minutia::media::Samples;
/// let mut fingerprinter = AudioFingerprinter::new(0);
/// fingerprinter.push(&Samples { rate_hz: 44_100, channels: 1, interleaved: vec![0.0; 88_200] });
/// let silence = fingerprinter.finish();
/// assert_eq!((silence.duration_ms, silence.content_ms, silence.mid.len()), (2_000, 0, 0));
/// ```
#[derive(Debug)]
pub struct AudioFingerprinter {
    stream: u32,
    peaks: bool,
    downmix: Downmix,
    mid: PeakPicker,
    side: Side,
    chromaprint: Chromaprint,
    /// Sums of squares of both mixes.
    energy: [u64; 2],
    rate_hz: u32,
    frames: u64,
    earlier_ms: u64,
}

/// The difference of the channels, which many recordings do not have.
#[derive(Debug)]
enum Side {
    /// Nothing but zeros so far, so many.
    Silent(u64),
    Heard(Box<PeakPicker>),
}

impl AudioFingerprinter {
    /// For the stream of that number in its file.
    #[must_use]
    pub fn new(stream: u32) -> AudioFingerprinter {
        AudioFingerprinter {
            stream,
            peaks: true,
            downmix: Downmix::new(Kernel::LIBRARY, true),
            mid: PeakPicker::new(AudioFingerprint::QUERY_RANK, 0),
            side: Side::Silent(0),
            chromaprint: Chromaprint::new(),
            energy: [0; 2],
            rate_hz: 0,
            frames: 0,
            earlier_ms: 0,
        }
    }

    /// For Chromaprint items alone: half the work. The fingerprint has no peaks, and tells nothing of its content.
    #[must_use]
    pub fn without_peaks(stream: u32) -> AudioFingerprinter {
        let downmix = Downmix::new(Kernel::LIBRARY, false);
        AudioFingerprinter { peaks: false, downmix, ..AudioFingerprinter::new(stream) }
    }

    /// Takes the next block of the stream.
    pub fn push(&mut self, samples: &Samples) {
        if samples.rate_hz != self.rate_hz {
            (self.earlier_ms, self.frames, self.rate_hz) = (self.duration_ms(), 0, samples.rate_hz);
        }
        self.frames += samples.frames() as u64;
        let (mid, side) = self.downmix.push(samples);
        self.chromaprint.push(mid);
        if !self.peaks {
            return;
        }
        self.energy[0] = self.energy[0].saturating_add(energy(mid));
        self.energy[1] = self.energy[1].saturating_add(energy(side));
        self.mid.push(mid);
        self.side.push(side);
    }

    /// How much sound was taken so far, in milliseconds.
    #[must_use]
    pub fn duration_ms(&self) -> u64 {
        self.earlier_ms + self.frames.saturating_mul(1_000) / u64::from(self.rate_hz.max(1))
    }

    /// The fingerprint of all that was taken.
    #[must_use]
    pub fn finish(self) -> AudioFingerprint {
        let duration_ms = self.duration_ms();
        let (mid, content_ms) = self.mid.finish();
        // 30 dB below the mean of the channels a difference is what a codec leaves.
        let differs = self.energy[1] > self.energy[0] / 1_000;
        let (side, side_content_ms) = match self.side {
            Side::Heard(picker) if differs => picker.finish(),
            _ => (Vec::new(), 0),
        };
        AudioFingerprint {
            stream: self.stream,
            duration_ms,
            content_ms: content_ms.max(side_content_ms).min(duration_ms),
            mid,
            side,
            chromaprint: self.chromaprint.finish(),
        }
    }
}

impl Side {
    fn push(&mut self, samples: &[i16]) {
        let heard = match self {
            Side::Heard(picker) => return picker.push(samples),
            Side::Silent(zeros) => match samples.iter().position(|&sample| sample != 0) {
                None => {
                    *zeros += samples.len() as u64;
                    return;
                }
                Some(_) => *zeros,
            },
        };
        let mut picker = Box::new(PeakPicker::new(AudioFingerprint::QUERY_RANK, heard / HOP as u64));
        picker.push(&vec![0; (heard % HOP as u64) as usize]);
        picker.push(samples);
        *self = Side::Heard(picker);
    }
}

/// The sum of squares.
fn energy(samples: &[i16]) -> u64 {
    // A block of 2^32 samples would be needed to pass 2^63.
    samples.iter().fold(0_u64, |sum, &sample| {
        let sample = i64::from(sample);
        sum.wrapping_add(sample.wrapping_mul(sample) as u64)
    })
}
