//! One copy found: of what, where in both, and how sure that is.

use serde::{Deserialize, Serialize};

/// One copy found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FindingRecord {
    /// The work's id.
    pub work: String,
    /// Its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What a match on it means: `infringing`, `licensed`, `ignore`.
    pub policy: String,
    /// The reference's file name when it was registered.
    pub reference: String,
    /// BLAKE3 of the reference's file, hexadecimal.
    pub reference_blake3: Option<String>,
    /// What was compared: `image`, `audio`, `video`, `other`.
    pub modality: String,
    /// `match` or `possible`.
    pub level: String,
    /// How many unrelated references would score as well in this search.
    pub expected_false_matches: f64,
    /// The calibration's data do not reach this far.
    pub extrapolated: bool,
    /// `1 - min(1, expected_false_matches)`.
    pub confidence: f64,
    /// `identical`, `code`, `frames`, `landmarks` or `chromaprint`.
    pub method: String,
    /// The algorithm of the codes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// The algorithm that made the reference's code, where it is another: it came from a hash list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_algorithm: Option<String>,
    /// Bits that differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance_bits: Option<u32>,
    /// Of codes the distance and what was added because they say little; of sound and films what decided, higher is surer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The score was to be at most this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<u32>,
    /// Of sound and films: the score was to be at least this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_score: Option<f64>,
    /// Peaks (of `chromaprint` items) that coincide; of films the frames that were compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coinciding: Option<u32>,
    /// Share of the query's peaks inside of its span that do, 0..=1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aligned_share: Option<f64>,
    /// Of landmarks, what the score is made of, all logarithms: how much likelier what coincides is in a copy than in other music of
    /// that rhythm and those notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub likelihood: Option<f64>,
    /// How much more coincides than under the next best alignment that the rhythm offers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contrast: Option<f64>,
    /// How much more exactly it coincides than in other music.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closeness: Option<f64>,
    /// How much better harmonies agree than at other places of the recording.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harmony: Option<f64>,
    /// Seconds of the reference in a second of the query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<f64>,
    /// What of the speed did not change the pitch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tempo: Option<f64>,
    /// How much higher the query sounds, in hundredths of a semitone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pitch_cents: Option<f64>,
    /// The audio stream of the query, and the mix of its channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_sound: Option<SoundPart>,
    /// The audio stream of the reference, and the mix of its channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_sound: Option<SoundPart>,
    /// Redundancy of the query's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_redundancy: Option<f64>,
    /// Redundancy of the reference's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_redundancy: Option<f64>,
    /// How the query was turned to match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<String>,
    /// The query is the negative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inverted: Option<bool>,
    /// Of a film: `picture+sound`, `picture only` or `sound only`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<String>,
    /// Where the picture only is the reference's: whether both films have sound, and it is not the same one.
    /// Absent where the sound was not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redubbed: Option<bool>,
    /// Of a film: the mean distance of its frames in bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_distance_bits: Option<f64>,
    /// Of a film: the mean distance where the reference is shifted by a second or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shifted_distance_bits: Option<f64>,
    /// Of a film: what of the score is for how near its frames are, before what short stretches and odd speeds cost it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearness: Option<f64>,
    /// Of a film: what of the score is for how much nearer they are than where the reference is shifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<f64>,
    /// Of a film: frames change and change alike. Else it may be another recording of the same scene.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_recording: Option<bool>,
    /// Of a film: the part of the query's frames that matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_view: Option<FilmPart>,
    /// Of a film: the part of the reference's frames that it matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_view: Option<FilmPart>,
    /// The part of the query that matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_part: Option<Part>,
    /// The part of the reference that it matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_part: Option<Part>,
    /// Start and end in the query in milliseconds, half open; absent for stills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_span_ms: Option<(u64, u64)>,
    /// Start and end in the reference in milliseconds, half open; absent for stills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_span_ms: Option<(u64, u64)>,
}

/// A part of a picture that was compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// How it was chosen: `whole`, `trimmed`, `framed`, `crop`.
    pub kind: String,
    /// Left, top, right, bottom in 1/10000 of the picture, half open.
    pub region: [u16; 4],
    /// Frame number, 0 for stills.
    pub frame: u32,
    /// PDQ quality of the view, 0..=100.
    pub quality: u8,
}

/// A part of the frames of a film that was compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilmPart {
    /// The number of the video stream in its file, from 0.
    pub stream: u32,
    /// What it is a part of: `trimmed` (the frame without the border of its shot), `whole`, `framed` (a rectangle inside of
    /// the frame whose edges stay), `sharp` (what is sharper than what surrounds it) or `slanted` (four sides that need not be
    /// upright, as of a filmed screen).
    pub kind: String,
    /// Left, top, right, bottom in 1/10000 of that, half open.
    pub region: [u16; 4],
    /// Where there is a number, of that only an upright strip 0.42 times as wide as high, its middle so many hundredths of
    /// the height to the right of that of the region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strip: Option<i8>,
    /// By how many degrees it was turned clockwise before.
    pub degrees: i8,
}

/// What of a recording was compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoundPart {
    /// The number of the audio stream in its file, from 0.
    pub stream: u32,
    /// `mid` (the mean of the channels) or `side` (half the difference of the first two).
    pub mix: String,
}
