//! Problems: why a piece of media, or a part of it, could not be read. Each has a stable code, since reports print it.

use std::fmt;

/// Why something could not be read. Problems are values of a record as much as errors: damaged media gives what was
/// read *and* its problems.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Problem {
    /// The medium could not be read: I/O error, permission, vanished.
    Io {
        /// What was being done, for example `opening`.
        during: String,
        /// What the system said.
        error: String,
    },
    /// Not media that this project looks into: text, an archive, a program, nothing at all.
    NotMedia {
        /// What it is, as far as the probe can tell.
        found: String,
    },
    /// Media that this build cannot decode.
    Unsupported {
        /// The format's or the variant's name.
        format: String,
        /// What to do about it.
        hint: String,
    },
    /// Encrypted or otherwise locked.
    Protected {
        /// The scheme.
        by: String,
    },
    /// A limit was reached.
    Limit {
        /// Which one.
        limit: LimitKind,
        /// The most that is allowed, in the limit's unit.
        allowed: u64,
        /// What the file asks for, or where reading stopped.
        found: u64,
    },
    /// The content contradicts its format: cut short, flipped bits, impossible fields.
    Damaged {
        /// What the decoder said.
        detail: String,
    },
    /// The decoder ended without an answer: a crash or a panic, in a worker or caught in process.
    Crashed {
        /// Signal, exit status or panic message.
        detail: String,
    },
    /// The worker was killed at its deadline.
    TimedOut {
        /// The deadline in milliseconds.
        after_ms: u64,
    },
}

/// Which limit of [`Limits`](crate::Limits) was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum LimitKind {
    /// Bytes of one file.
    FileBytes,
    /// Pixels of one picture.
    Pixels,
    /// Pixels of the longer side.
    Side,
    /// Pixels of all frames of an animation together.
    AnimationPixels,
    /// Frames of an animation.
    Frames,
    /// Bytes a decoder may hold.
    DecoderBytes,
    /// Bytes of memory of the whole worker.
    WorkerBytes,
    /// Seconds of a recording.
    AudioSeconds,
    /// Channels of a recording.
    Channels,
    /// Frames a second of a recording.
    SampleRate,
    /// Seconds of a film.
    FilmSeconds,
    /// Pixels of one frame of a film.
    FilmPixels,
    /// Frames of a film.
    FilmFrames,
}

impl LimitKind {
    /// The name that records and options use, unit last.
    pub fn name(self) -> &'static str {
        match self {
            LimitKind::FileBytes => "file_bytes",
            LimitKind::Pixels => "pixels",
            LimitKind::Side => "side_px",
            LimitKind::AnimationPixels => "animation_pixels",
            LimitKind::Frames => "frames",
            LimitKind::DecoderBytes => "decoder_bytes",
            LimitKind::WorkerBytes => "worker_bytes",
            LimitKind::AudioSeconds => "audio_seconds",
            LimitKind::Channels => "channels",
            LimitKind::SampleRate => "sample_rate_hz",
            LimitKind::FilmSeconds => "film_seconds",
            LimitKind::FilmPixels => "film_pixels",
            LimitKind::FilmFrames => "film_frames",
        }
    }
}

impl Problem {
    /// A problem of reading the medium.
    pub fn io(during: &str, error: &std::io::Error) -> Problem {
        Problem::Io { during: during.to_owned(), error: error.to_string() }
    }

    /// The stable code that records carry.
    pub fn code(&self) -> &'static str {
        match self {
            Problem::Io { .. } => "io",
            Problem::NotMedia { .. } => "not_media",
            Problem::Unsupported { .. } => "unsupported",
            Problem::Protected { .. } => "protected",
            Problem::Limit { .. } => "limit",
            Problem::Damaged { .. } => "damaged",
            Problem::Crashed { .. } => "crashed",
            Problem::TimedOut { .. } => "timed_out",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Io { during, error } => write!(f, "{during}: {error}"),
            Problem::NotMedia { found } => write!(f, "not media: {found}"),
            Problem::Unsupported { format, hint } => write!(f, "{format} is not supported by this build: {hint}"),
            Problem::Protected { by } => write!(f, "protected by {by}"),
            // How much more is not known: what it held already counts too.
            Problem::Limit { limit: limit @ LimitKind::WorkerBytes, allowed, .. } => write!(
                f,
                "limit {} reached: reading it takes more than the {allowed} bytes of memory that a worker may have",
                limit.name()
            ),
            Problem::Limit { limit, allowed, found } => {
                write!(f, "limit {} reached: {found} asked for, {allowed} allowed", limit.name())
            }
            Problem::Damaged { detail } => write!(f, "damaged: {detail}"),
            Problem::Crashed { detail } => write!(f, "the decoder crashed: {detail}"),
            Problem::TimedOut { after_ms } => write!(f, "stopped at the deadline of {after_ms} ms"),
        }
    }
}

impl std::error::Error for Problem {}
