//! Image decoding: pictures and the frames of animations, upright, within [`Limits`].
//!
//! Colour profiles are not applied: the same picture with and without its profile, or converted between profiles by a
//! program that keeps the numbers, must match. Transparent pixels are composited over [`BACKGROUND`], so that what hides
//! under them does not count.

mod animation;
mod convert;
mod jpeg;
mod orient;
mod preview;
mod raster;

use std::ops::ControlFlow;

use crate::{Format, LimitKind, Limits, Orientation, Picture, Problem, Source};

pub use convert::BACKGROUND;
pub use orient::upright;
pub use preview::{PREVIEW_MAX_PX, preview};

/// The decoder of animated pictures, with its version, as records name it.
pub const ANIMATION_DECODER: &str = "image 0.25.10";

/// What the caller wants of each picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    /// One luma plane. A JPEG gives its own Y; everything else is converted by the weights of ITU-R BT.601, rounded.
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
    /// For how long it is shown, in milliseconds, 0 for stills. A delay below 20 ms is shown for 100, as browsers and ffmpeg do.
    pub duration_ms: u64,
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
    /// Pixel rows that were read of a picture, and that it declares, where it was cut short.
    pub partial_rows: Option<(u32, u32)>,
    /// What went wrong on the way; what was read before counts.
    pub problems: Vec<Problem>,
}

/// Where frames go.
pub type FrameSink<'a> = &'a mut dyn FnMut(Frame) -> ControlFlow<()>;

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
    sink: FrameSink<'_>,
) -> Result<Decoded, Problem> {
    if let Some(hint) = unsupported_hint(format) {
        return Err(Problem::Unsupported { format: format.row().name.to_owned(), hint: hint.to_owned() });
    }
    let bytes = source.read_all(limits.file_bytes)?;
    match format {
        Format::Jpeg => jpeg::decode(&bytes, channels, limits, sink),
        Format::Gif | Format::WebP | Format::Png => animation::decode(&bytes, format, channels, limits, sink),
        _ => raster::decode(&bytes, format, channels, limits, sink),
    }
}

/// Why a recognised format is not decoded here; `None` for those that are.
fn unsupported_hint(format: Format) -> Option<&'static str> {
    match format {
        Format::Jpeg
        | Format::Png
        | Format::Gif
        | Format::WebP
        | Format::Tiff
        | Format::Bmp
        | Format::Ico
        | Format::Pnm
        | Format::Tga
        | Format::Qoi => None,
        _ if format.row().kind == crate::Kind::Image => Some("convert the picture to PNG and examine that beside it"),
        _ => Some("this is no image"),
    }
}

/// Refuses a picture by its declared size, before anything is allocated for it. `bytes_per_pixel` is what the decoder
/// will hold for each pixel at its peak.
fn check_size(width: u32, height: u32, bytes_per_pixel: u64, limits: &Limits) -> Result<(), Problem> {
    let over = |limit, allowed, found| Err(Problem::Limit { limit, allowed, found });
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 {
        return Err(Problem::Damaged { detail: format!("the picture is declared as {width}x{height} pixels") });
    }
    if pixels > limits.pixels {
        return over(LimitKind::Pixels, limits.pixels, pixels);
    }
    let side = width.max(height);
    if side > limits.side_px {
        return over(LimitKind::Side, u64::from(limits.side_px), u64::from(side));
    }
    let bytes = pixels.saturating_mul(bytes_per_pixel);
    if bytes > limits.decoder_bytes {
        return over(LimitKind::DecoderBytes, limits.decoder_bytes, bytes);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
