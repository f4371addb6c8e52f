//! The fingerprint of a sound recording: spectral peaks, from which landmarks are made, and Chromaprint items.

mod chromaprint;
mod compressed;
mod fft;
mod fingerprinter;
mod landmark;
mod peaks;
mod resample;

pub use chromaprint::{Chromaprint, chromaprint, simhash};
pub use compressed::{CHROMAPRINT_2, CompressedError, compress, compress_to_text, decompress, decompress_text};
pub use fingerprinter::AudioFingerprinter;
pub use landmark::{CONSTELLATION_KEY_BITS, CONSTELLATION_PLACE_BITS, PAIR_KEY_BITS, constellations, pairs};
pub(crate) use landmark::{
    CONSTELLATION_RANK, Zone, constellation_key, constellation_steps, constellations_of, nearest, pair_key,
};
pub(crate) use landmark::{PAIR_GAP_STEP, PAIR_PITCH_STEP};

/// A peak of the spectrum over log-frequency: a note's onset, a partial, a consonant.
///
/// ```
/// # use minutia::fingerprint::Peak;
/// let a4 = Peak { time: 8 * 86, pitch: 564, rank: 0 };
/// assert!((a4.seconds() - 0.998).abs() < 0.001 && (a4.hertz() - 440.7).abs() < 0.5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Peak {
    /// When, in units of [`Peak::TIME_UNIT`] from the first sample.
    pub time: u32,
    /// Which frequency: steps of 1/240 octave (5 cents) above [`Peak::LOWEST_HZ`].
    pub pitch: u16,
    /// How many peaks of the second around it stand out more, 255 for that many or more: what is kept when fewer are
    /// wanted.
    pub rank: u8,
}

impl Mix {
    /// Both, in the order in which their peaks are numbered.
    pub const ALL: [Mix; 2] = [Mix::Mid, Mix::Side];
}

impl Peak {
    /// Pitches are below this: 2,048 steps span eight octaves and a half.
    pub const PITCHES: u16 = 2_048;
    /// Seconds of one unit of time: an eighth of 128 samples at 11,025 Hz, 1.451 ms.
    pub const TIME_UNIT: f64 = 16.0 / 11_025.0;
    /// The frequency of pitch 0.
    pub const LOWEST_HZ: f64 = 86.5;
    /// Steps of pitch in an octave.
    pub const PITCHES_PER_OCTAVE: u32 = 240;

    /// Its time in seconds from the first sample.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        f64::from(self.time) * Peak::TIME_UNIT
    }

    /// Its frequency.
    #[must_use]
    pub fn hertz(&self) -> f64 {
        Peak::LOWEST_HZ * libm::exp2(f64::from(self.pitch) / f64::from(Peak::PITCHES_PER_OCTAVE))
    }
}

/// From which mix of the channels peaks were picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Mix {
    /// The mean of all channels.
    Mid,
    /// Half the difference of the first two channels: what is left where the centre was removed, and where a channel was
    /// inverted.
    Side,
}

/// What is kept of one audio stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AudioFingerprint {
    /// The stream's number in its file, from 0.
    pub stream: u32,
    /// Length of what was decoded, in milliseconds.
    pub duration_ms: u64,
    /// How much of that has content enough to be told from other sound, in milliseconds: silence, steady tones, hum and
    /// noise have none.
    pub content_ms: u64,
    /// Peaks of [`Mix::Mid`], sorted.
    pub mid: Vec<Peak>,
    /// Peaks of [`Mix::Side`], sorted; none where the channels hardly differ.
    pub side: Vec<Peak>,
    /// Items of Chromaprint algorithm 2, one each 1,365 samples at 11,025 Hz (123.8 ms).
    pub chromaprint: Vec<u32>,
}

impl AudioFingerprint {
    /// Recordings with less content than this are not told from others: the shortest that a calibrated search finds.
    pub const LEAST_CONTENT_MS: u64 = 1_500;
    /// A query has the peaks of smaller rank: some eighty a second.
    pub const QUERY_RANK: u8 = 80;
    /// An index keeps the peaks of smaller rank of [`Mix::Mid`]: some thirty a second.
    pub const REFERENCE_RANK: u8 = 32;
    /// And of [`Mix::Side`].
    pub const REFERENCE_SIDE_RANK: u8 = 12;

    /// The fingerprint as an index keeps it: the peaks that stand out most ([`AudioFingerprint::REFERENCE_RANK`],
    /// [`AudioFingerprint::REFERENCE_SIDE_RANK`]). Thinning again changes nothing.
    ///
    /// ```
    /// # use minutia::fingerprint::{AudioFingerprint, Peak};
    /// let peak = |time, rank| Peak { time, pitch: 240, rank };
    /// let whole = AudioFingerprint { mid: vec![peak(5, 0), peak(6, 90), peak(9, 31)], ..AudioFingerprint::default() };
    /// assert_eq!(whole.thinned().mid, [peak(5, 0), peak(9, 31)]);
    /// assert_eq!(whole.thinned().thinned(), whole.thinned());
    /// ```
    #[must_use]
    pub fn thinned(&self) -> AudioFingerprint {
        let kept = |peaks: &[Peak], rank: u8| {
            let kept = |peak: &&Peak| peak.rank < rank && peak.pitch < Peak::PITCHES;
            let mut kept: Vec<Peak> = peaks.iter().filter(kept).copied().collect();
            // No work where they are in order, as they should be.
            kept.sort();
            kept
        };
        AudioFingerprint {
            mid: kept(&self.mid, AudioFingerprint::REFERENCE_RANK),
            side: kept(&self.side, AudioFingerprint::REFERENCE_SIDE_RANK),
            chromaprint: self.chromaprint.clone(),
            ..*self
        }
    }

    /// The peaks picked from that mix.
    #[must_use]
    pub fn peaks(&self, mix: Mix) -> &[Peak] {
        match mix {
            Mix::Mid => &self.mid,
            Mix::Side => &self.side,
        }
    }
}
