//! Image decoding: pictures and the frames of animations, upright, within [`Limits`].

use std::ops::ControlFlow;

use crate::{Format, Limits, Orientation, Picture, Problem, Source};

/// What the caller wants of each picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    /// One luma plane. A JPEG gives its own Y; everything else is converted by ITU-R BT.601 weights, rounded.
    Luma,
    /// Red, green, blue as stored.
    Rgb,
}

/// One decoded picture of a file: a still's only one, or a frame of an animation as a viewer shows it (composited).
#[derive(Clone, Debug)]
pub struct Frame {
    /// Number in the file, from 0.
    pub number: u32,
    /// Presentation time from the animation's start in milliseconds, 0 for stills.
    pub time_ms: u64,
    /// How the pixels were stored; the picture is upright already.
    pub orientation: Orientation,
    /// The pixels.
    pub picture: Picture,
}

/// How far decoding came.
#[derive(Clone, Debug, Default)]
pub struct Decoded {
    /// Frames handed to the sink.
    pub frames: u32,
    /// Rows that were read of the last picture and rows that it declares, where it was cut short.
    pub partial_rows: Option<(u32, u32)>,
    /// What went wrong on the way; what was read before counts.
    pub problems: Vec<Problem>,
}

/// Decodes `source`, which the probe recognised as `format`, and hands each frame to `sink` until it breaks off.
///
/// # Errors
/// The problem that left nothing to hand over: [`Problem::Unsupported`], [`Problem::Limit`], [`Problem::Damaged`],
/// [`Problem::Io`]. Where something was handed over, the problem is in [`Decoded::problems`] instead.
pub fn decode(
    source: &Source,
    format: Format,
    channels: Channels,
    limits: &Limits,
    sink: &mut dyn FnMut(Frame) -> ControlFlow<()>,
) -> Result<Decoded, Problem> {
    let _ = (source, format, channels, limits, sink);
    Err(Problem::Unsupported { format: format.row().name.to_owned(), hint: String::new() })
}
