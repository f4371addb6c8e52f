//! GIF, WebP and PNG: stills, and animations frame by frame as a viewer shows them.

use std::io::Cursor;
use std::ops::ControlFlow;

use image::codecs::{gif::GifDecoder, png::PngDecoder, webp::WebPDecoder};
use image::{AnimationDecoder, Delay, DynamicImage, Frames, ImageDecoder};

use super::convert::picture;
use super::orient::upright;
use super::raster::{image_limits, problem, still};
use super::{Channels, Decoded, Frame, FrameSink, check_size};
use crate::{Format, LimitKind, Limits, Orientation, Problem};

pub(super) fn decode(
    bytes: &[u8],
    format: Format,
    channels: Channels,
    limits: &Limits,
    sink: FrameSink<'_>,
) -> Result<Decoded, Problem> {
    let reader = Cursor::new(bytes);
    match format {
        Format::Gif => {
            let mut decoder = GifDecoder::new(reader).map_err(|error| problem(error, limits))?;
            let (width, height) = decoder.dimensions();
            check_size(width, height, ANIMATION_BYTES_PER_PIXEL, limits)?;
            decoder.set_limits(image_limits(limits)).map_err(|error| problem(error, limits))?;
            frames(decoder.into_frames(), (width, height), Orientation::Upright, channels, limits, sink)
        }
        Format::WebP => {
            let mut decoder = WebPDecoder::new(reader).map_err(|error| problem(error, limits))?;
            if !decoder.has_animation() {
                return one(decoder, channels, limits, sink);
            }
            let (width, height) = decoder.dimensions();
            check_size(width, height, ANIMATION_BYTES_PER_PIXEL, limits)?;
            decoder.set_limits(image_limits(limits)).map_err(|error| problem(error, limits))?;
            let orientation = orientation_of(&mut decoder);
            frames(decoder.into_frames(), (width, height), orientation, channels, limits, sink)
        }
        _ => {
            let mut decoder =
                PngDecoder::with_limits(reader, png_limits(limits)).map_err(|error| problem(error, limits))?;
            if !decoder.is_apng().unwrap_or(false) {
                return one(decoder, channels, limits, sink);
            }
            let (width, height) = decoder.dimensions();
            check_size(width, height, ANIMATION_BYTES_PER_PIXEL, limits)?;
            let orientation = orientation_of(&mut decoder);
            let decoder = decoder.apng().map_err(|error| problem(error, limits))?;
            frames(decoder.into_frames(), (width, height), orientation, channels, limits, sink)
        }
    }
}

/// Canvas, frame and converted picture are held at once, four bytes a pixel each, and the frame before may be kept as luma.
const ANIMATION_BYTES_PER_PIXEL: u64 = 13;

/// Frames that are to be shown for less than this are shown for longer, by every viewer alike.
const LEAST_SHOWN_MS: u64 = 20;
const SHOWN_INSTEAD_MS: u64 = 100;

/// For how long a frame is shown, in milliseconds.
fn shown_ms(delay: Delay) -> u64 {
    let (numerator, denominator) = delay.numer_denom_ms();
    match u64::from(numerator) / u64::from(denominator.max(1)) {
        0..LEAST_SHOWN_MS => SHOWN_INSTEAD_MS,
        ms => ms,
    }
}

/// Sizes are checked by [`check_size`], which names the limit with its numbers; the PNG decoder keeps the bytes only.
fn png_limits(limits: &Limits) -> image::Limits {
    let mut wanted = image_limits(limits);
    wanted.max_image_width = None;
    wanted.max_image_height = None;
    wanted
}

fn orientation_of(decoder: &mut impl ImageDecoder) -> Orientation {
    decoder.orientation().map_or(Orientation::Upright, |o| Orientation::from_exif(o.to_exif().into()))
}

fn one(
    decoder: impl ImageDecoder,
    channels: Channels,
    limits: &Limits,
    sink: FrameSink<'_>,
) -> Result<Decoded, Problem> {
    let _: ControlFlow<()> = sink(still(decoder, channels, limits)?);
    Ok(Decoded { frames: 1, ..Decoded::default() })
}

fn frames(
    frames: Frames<'_>,
    (width, height): (u32, u32),
    orientation: Orientation,
    channels: Channels,
    limits: &Limits,
    sink: FrameSink<'_>,
) -> Result<Decoded, Problem> {
    let mut decoded = Decoded::default();
    let mut time_ms = 0_u64;
    let pixels = u64::from(width) * u64::from(height);
    for frame in frames {
        if decoded.frames >= limits.frames {
            let allowed = u64::from(limits.frames);
            decoded.problems.push(Problem::Limit { limit: LimitKind::Frames, allowed, found: allowed + 1 });
            break;
        }
        let total = pixels * (u64::from(decoded.frames) + 1);
        if total > limits.animation_pixels {
            let allowed = limits.animation_pixels;
            decoded.problems.push(Problem::Limit { limit: LimitKind::AnimationPixels, allowed, found: total });
            break;
        }
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) => {
                let problem = problem(error, limits);
                if decoded.frames == 0 {
                    return Err(problem);
                }
                decoded.problems.push(problem);
                break;
            }
        };
        let duration_ms = shown_ms(frame.delay());
        let picture = upright(picture(DynamicImage::ImageRgba8(frame.into_buffer()), channels)?, orientation);
        let number = decoded.frames;
        decoded.frames += 1;
        if sink(Frame { number, time_ms, duration_ms, orientation, picture }).is_break() {
            break;
        }
        time_ms = time_ms.saturating_add(duration_ms);
    }
    if decoded.frames == 0 {
        return Err(Problem::Damaged { detail: "an animation without a frame".to_owned() });
    }
    Ok(decoded)
}
