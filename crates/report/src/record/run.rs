//! What the records of a run depend on beside the evidence: the index, the thresholds, the limits, and who read.

use serde::{Deserialize, Serialize};

/// What the records of a run depend on beside the evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Version of the tool.
    pub version: String,
    /// BLAKE3 of the program's file, hexadecimal.
    pub build: String,
    /// What was scanned, as it was given.
    pub paths: Vec<String>,
    /// The passes over it in their order, where there was not just a full one: `triage`, `full`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passes: Vec<String>,
    /// The index.
    pub index: IndexFacts,
    /// Name of the algorithm whose codes were compared.
    pub algorithm: String,
    /// What the thresholds rest on.
    pub calibration: CalibrationFacts,
    /// False matches allowed for one item at the level `match`.
    pub allowed_at_match: f64,
    /// False matches allowed for one item at the level `possible`.
    pub allowed_at_possible: f64,
    /// Greatest score of a `match`; `null` where no score is rare enough.
    pub match_score: Option<u32>,
    /// Greatest score of a `possible`.
    pub possible_score: Option<u32>,
    /// The same of sound; absent where the index has no recordings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sound: Option<SoundFacts>,
    /// The same of films; absent where the index has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub film: Option<FilmFacts>,
    /// What one file may cost.
    pub limits: LimitFacts,
    /// How files were read.
    pub reading: Reading,
    /// How names were resolved: `openat2` (the kernel keeps them beneath the tree) or `openat` (one component at a time).
    pub resolution: String,
}

/// Which index, in which state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexFacts {
    /// Tells its state from any other; hexadecimal.
    pub manifest_digest: String,
    /// Commits so far.
    pub generation: u64,
    /// Works.
    pub works: u64,
    /// Registered files.
    pub files: u64,
    /// Pictures in them.
    pub pictures: u64,
    /// Views of the pictures.
    pub references: u64,
    /// Recordings: audio streams of the files; absent where there is none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub recordings: u64,
    /// Films: video streams of the files; absent where there is none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub films: u64,
}

/// Whether a count is left out.
pub(crate) fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What the thresholds rest on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalibrationFacts {
    /// The pictures that were measured.
    pub data: String,
    /// The command that measured them.
    pub command: String,
    /// Pairs of unrelated pictures.
    pub pairs: u64,
}

/// How sound is judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SoundFacts {
    /// What the thresholds rest on.
    pub calibration: SoundCalibrationFacts,
    /// Least score of a `match` for a recording of one window; longer ones need more.
    pub match_score: f64,
    /// Least score of a `possible` for a recording of one window.
    pub possible_score: f64,
}

/// What the thresholds of sound rest on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoundCalibrationFacts {
    /// The recordings that were measured.
    pub data: String,
    /// The command that measured them.
    pub command: String,
    /// Pairs of a window and an unrelated recording.
    pub pairs: u64,
}

/// How films are judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FilmFacts {
    /// The films that the thresholds were measured on.
    pub data: String,
    /// The command that measured them.
    pub command: String,
    /// Pairs of a minute of a film and an unrelated film.
    pub pairs: u64,
    /// Least score of a `match` for a film of up to a minute; longer ones need more.
    pub match_score: f64,
    /// Least score of a `possible` for a film of up to a minute.
    pub possible_score: f64,
}

/// The budgets of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each is the field of the same name of minutia_media::Limits")]
pub struct LimitFacts {
    pub file_bytes: u64,
    pub pixels: u64,
    pub side_px: u32,
    pub animation_pixels: u64,
    pub frames: u32,
    pub decoder_bytes: u64,
    #[serde(default)]
    pub audio_seconds: u32,
    #[serde(default)]
    pub channels: u16,
    #[serde(default)]
    pub sample_rate_hz: u32,
    #[serde(default)]
    pub film_seconds: u32,
    #[serde(default)]
    pub film_pixels: u64,
    #[serde(default)]
    pub film_frames: u64,
}

/// Where files were decoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "in", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "there is one in a run")]
pub enum Reading {
    /// In worker processes.
    Worker(WorkerFacts),
    /// In the scanning process itself, as was asked for.
    Process(ProcessFacts),
}

/// How the scanning process read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessFacts {
    /// The ffmpeg program that decoded for it; absent where there was none or it was not to be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ffmpeg: Option<ProgramFacts>,
}

/// How workers read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerFacts {
    /// Address space of one in bytes.
    pub address_space_bytes: u64,
    /// Wall time for one file in milliseconds.
    pub deadline_ms: u64,
    /// Wall time beside that for each MiB.
    pub deadline_ms_per_mib: u64,
    /// The same of sound.
    #[serde(default)]
    pub sound_deadline_ms_per_mib: u64,
    /// The same of a film.
    #[serde(default)]
    pub film_deadline_ms_per_mib: u64,
    /// A worker was replaced after so many files, and after any problem that a decoder had. As many entries of the walk
    /// are a batch, and no worker read files of two.
    pub files_per_worker: u32,
    /// What confined the workers.
    pub confinement: ConfinementFacts,
    /// The ffmpeg program that decoded for them; absent where there was none or it was not to be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ffmpeg: Option<ProgramFacts>,
}

/// What confined a process. Each is what was in force, or `not available: ` and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfinementFacts {
    /// `in force`: no file written, no core dumps, bounded memory and descriptors, no privileges, nothing inherited.
    pub limits: String,
    /// Landlock's version: no file could be reached by its name but what a program needs to start, no network.
    pub landlock: String,
    /// No system calls but those of a list.
    pub seccomp: String,
}

/// A program that decoded for those who read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramFacts {
    /// What it says of itself.
    pub version: String,
    /// What confined it; absent where nothing did, as in process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confinement: Option<ConfinementFacts>,
}
