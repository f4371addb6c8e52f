//! Findings and outcomes: the values that records carry.

use std::ops::Range;

use minutia_media::Kind;

use crate::fingerprint::{AlgorithmId, Dihedral, FilmView, Mix, Region};
use crate::index::{Policy, WorkId};

/// What came of one item: the first that applies, in this order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Outcome {
    /// Left out by a rule, or a link.
    Skipped,
    /// I/O error, permission, vanished.
    Unreadable,
    /// No media.
    Other,
    /// Encrypted or locked.
    Protected,
    /// Media that this build cannot decode.
    Unsupported,
    /// At least one finding at the level `match`.
    Match,
    /// At least one finding at the level `possible`.
    Possible,
    /// A limit, a time-out or a crash, and nothing found before it.
    Failed,
    /// Read in part, nothing found in that part.
    Damaged,
    /// Too little content to tell.
    Undecided,
    /// Read whole, nothing found.
    NoMatch,
}

/// How sure a finding is: two stated levels of one calibration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Level {
    /// At the stated false-match rate.
    Match,
    /// Worth a look by a person.
    Possible,
}

/// One copy found: which work, where in both, and how sure.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Finding {
    /// The work.
    pub work: WorkId,
    /// Its title, from the catalogue.
    pub title: Option<String>,
    /// What a match on it means.
    pub policy: Policy,
    /// The reference's file name when it was registered.
    pub reference_name: String,
    /// BLAKE3 of the reference's file, where it is known (hexadecimal in records).
    pub reference_digest: Option<[u8; 32]>,
    /// What was compared.
    pub modality: Kind,
    /// How sure.
    pub level: Level,
    /// The numbers that decided.
    pub evidence: Evidence,
    /// Where in the query, in milliseconds; `None` for stills.
    pub query_span_ms: Option<Range<u64>>,
    /// Where in the reference, in milliseconds; `None` for stills.
    pub reference_span_ms: Option<Range<u64>>,
    /// Of a stretch of a film: whether its picture, its sound or both are the reference's; `None` for all else.
    pub shared: Option<Shared>,
    /// How many unrelated references would score as well in this search.
    pub expected_false_matches: f64,
    /// The calibration's data do not reach this far: the tail was extrapolated.
    pub extrapolated: bool,
    /// `1 - min(1, expected_false_matches)`; not a posterior probability.
    pub confidence: f64,
}

/// The numbers behind a finding.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Evidence {
    /// The files are byte for byte the same (BLAKE3).
    Identical,
    /// Codes of two views are close.
    Code {
        /// Whose codes the query has.
        algorithm: AlgorithmId,
        /// Whose code the reference has: another dialect where it came from a hash list.
        reference_algorithm: AlgorithmId,
        /// Bits that differ (after complementing, where `transform.inverted`).
        distance_bits: u32,
        /// The distance and what was added because the two codes say little: what decided.
        score: f64,
        /// The score was to be at most this at the finding's level.
        threshold: u32,
        /// Redundancy of the query's code, about 1 for one that says much.
        query_redundancy: f64,
        /// Redundancy of the reference's code.
        reference_redundancy: f64,
        /// How the query differs from the reference.
        transform: Transform,
        /// Frame of the query, 0 for stills.
        query_frame: u32,
        /// Frame of the reference, 0 for stills.
        reference_frame: u32,
        /// Quality of the query's view, 0..=100.
        query_quality: u8,
        /// Quality of the reference's view, 0..=100.
        reference_quality: u8,
    },
    /// A span of a film's pictures runs along a span of a reference: [`Finding::query_span_ms`] and
    /// [`Finding::reference_span_ms`].
    Film {
        /// Frames that were compared along the span.
        frames: u32,
        /// What decided; higher is surer.
        score: f64,
        /// The score was to be at least this at the finding's level.
        threshold: f64,
        /// Seconds of the reference in a second of the query: above 1 the query plays faster.
        speed: f64,
        /// Mean distance of the frames' codes in bits.
        distance_bits: f64,
        /// The mean distance where the reference is shifted by a second or more.
        shifted_bits: f64,
        /// What of the score is for how near the frames are, before what short stretches and odd speeds cost it.
        nearness: f64,
        /// And for how much nearer they are than where the reference is shifted.
        changes: f64,
        /// Frames change and change alike. A scene that hardly changes may be another recording of it, and is `possible`
        /// at most.
        same_recording: bool,
        /// The view of the query that agrees: which part of it, and how it was turned.
        query_view: FilmView,
        /// The view of the reference that it agrees with.
        reference_view: FilmView,
        /// The video stream of the query, from 0.
        query_stream: u32,
        /// The video stream of the reference, from 0.
        reference_stream: u32,
    },
    /// A span of sound runs along a span of a reference: [`Finding::query_span_ms`] and [`Finding::reference_span_ms`].
    Audio {
        /// What was compared.
        method: AudioMethod,
        /// Peaks of the query that coincide with one of the reference; of Chromaprint the items that agree.
        votes: u32,
        /// What decided; higher is surer.
        score: f64,
        /// The score was to be at least this at the finding's level.
        threshold: f64,
        /// Seconds of the reference in a second of the query: above 1 the query plays faster.
        speed: f64,
        /// What of the speed did not change the pitch: `speed` divided by the ratio of `pitch_cents`.
        tempo: f64,
        /// How much higher the query sounds, in hundredths of a semitone.
        pitch_cents: f64,
        /// Share of the query's peaks inside of its span that coincide with one of the reference, 0..=1.
        aligned_share: f64,
        /// What the score is made of; of landmarks alone.
        proof: Option<SoundProof>,
        /// From which mix of its channels the query's peaks are.
        query_mix: Mix,
        /// From which mix the reference's are.
        reference_mix: Mix,
        /// The audio stream of the query, from 0.
        query_stream: u32,
        /// The audio stream of the reference, from 0.
        reference_stream: u32,
    },
}

/// Which parts of a film are another's. Picture and sound are aligned apart, and are of one copy where both lie at the same
/// place of the reference (within half a second) and run at the same speed (within 0.2 %).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Shared {
    /// Both.
    PictureAndSound,
    /// The picture.
    PictureOnly {
        /// Whether both films have sound, and it is not the same one here; `Some(false)` where one of them has none. `None` where
        /// the sound of the query was not compared, and nobody knows that it has none.
        redubbed: Option<bool>,
    },
    /// The sound.
    SoundOnly,
}

/// What a score of landmarks is made of, all logarithms: see [`SoundMatch::score`](crate::search::SoundMatch::score).
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SoundProof {
    /// How much likelier what coincides is in a copy than in other music of that rhythm and those notes.
    pub likelihood: f64,
    /// How much more coincides than under the next best alignment that the rhythm offers.
    pub contrast: f64,
    /// How much more exactly it coincides than in other music.
    pub closeness: f64,
    /// How much better harmonies agree than at other places of the recording.
    pub harmony: f64,
}

/// What was compared of sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum AudioMethod {
    /// Peaks of the spectrum, found by landmarks.
    Landmarks,
    /// Items of Chromaprint.
    Chromaprint,
}

/// How a query differs from the reference it was copied from, as far as the matching views tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Transform {
    /// How the query was turned to match.
    pub turn: Dihedral,
    /// The query is the negative.
    pub inverted: bool,
    /// The part of the query that matches.
    pub query_region: Region,
    /// The part of the reference that it matches.
    pub reference_region: Region,
}
