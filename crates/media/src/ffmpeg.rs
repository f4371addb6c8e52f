//! The `ffmpeg` program as a value: where it is and what it can.

use std::path::PathBuf;

/// The `ffmpeg` program that may be asked for sound which no decoder here can read. Whoever knows the environment finds it
/// once (`Ffmpeg::at`, with the feature `audio`) and passes it on; nothing below looks for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Ffmpeg {
    /// Absolute path of the program.
    pub program: PathBuf,
    /// What it says of itself, for example `7.1`.
    pub version: String,
    /// Whether it reads from inherited descriptors with random access (`fd:`, since 6.0).
    pub reads_descriptors: bool,
    /// Whether it plays modules of trackers: it was built with libopenmpt.
    pub plays_modules: bool,
}

impl Ffmpeg {
    /// The name that records carry for what it decoded, for example `ffmpeg 7.1`.
    pub fn decoder(&self) -> String {
        format!("ffmpeg {}", self.version)
    }
}
