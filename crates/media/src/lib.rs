//! What Minutia reads: values of decoded media, the probe that tells a file's type by its content, and the decoders.
//!
//! Nothing here knows a fingerprint. The values ([`Luma`], [`Rgb`], [`Picture`], [`Samples`], [`Source`], [`Problem`], [`Limits`])
//! need no decoder; decoders stand behind features (`image`, `audio`, `video`).
#![forbid(unsafe_code)]

pub mod decode;
mod ffmpeg;
mod limits;
mod picture;
mod probe;
mod problem;
#[cfg(any(feature = "audio", feature = "video"))]
mod program;
mod samples;
mod source;

pub use ffmpeg::Ffmpeg;
pub use limits::Limits;
pub use picture::{Luma, Orientation, Picture, Preview, Rgb};
pub use probe::{FORMATS, Format, FormatRow, Kind, PROBE_BYTES, probe};
pub use problem::{LimitKind, Problem};
#[cfg(any(feature = "audio", feature = "video"))]
pub use program::{Access, in_memory, rewound};
pub use samples::Samples;
pub use source::{Piped, Source};
