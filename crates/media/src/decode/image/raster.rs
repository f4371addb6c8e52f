//! Everything that the `image` crate decodes and that is no JPEG and no animation.

use std::io::Cursor;
use std::ops::ControlFlow;

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader};

use super::convert::picture;
use super::orient::upright;
use super::{Channels, Decoded, Frame, FrameSink, animation, check_size};
use crate::{Format, LimitKind, Limits, Orientation, Problem};

pub(super) fn decode(
    bytes: &[u8],
    format: Format,
    channels: Channels,
    limits: &Limits,
    sink: FrameSink<'_>,
) -> Result<Decoded, Problem> {
    match format {
        // These decoders call sizes that they refuse unsupported or damaged.
        Format::Bmp => bmp_size(bytes).map_or(Ok(()), |(width, height)| check_size(width, height, 1, limits))?,
        Format::Qoi => qoi_size(bytes).map_or(Ok(()), |(width, height)| check_size(width, height, 1, limits))?,
        // The decoder wants RGBA inside, where icons in use hold every kind of PNG.
        Format::Ico => {
            if let Some(png) = largest_in_icon(bytes).filter(|entry| entry.starts_with(PNG)) {
                return animation::decode(png, Format::Png, channels, limits, sink);
            }
        }
        _ => {}
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), image_format(format)?);
    reader.limits(image_limits(limits));
    let decoder = reader.into_decoder().map_err(|error| problem(error, limits))?;
    let frame = still(decoder, channels, limits)?;
    let _: ControlFlow<()> = sink(frame);
    Ok(Decoded { frames: 1, ..Decoded::default() })
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Width and height as a bitmap's header declares them; a negative height says that the top row comes first.
fn bmp_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let four = |at: usize| bytes.get(at..at + 4).and_then(|four| <[u8; 4]>::try_from(four).ok());
    if u32::from_le_bytes(four(14)?) == 12 {
        let [width, wide, height, high] = four(18)?.map(u32::from);
        return Some((width | wide << 8, height | high << 8));
    }
    let side = |at| four(at).map(|bytes| i32::from_le_bytes(bytes).unsigned_abs());
    Some((side(18)?, side(22)?))
}

/// Width and height as the header of a QOI picture declares them.
fn qoi_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let side = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    Some((side(4)?, side(8)?))
}

/// The bytes of an icon's largest picture: by area, then by bits a pixel, the first of equals.
fn largest_in_icon(bytes: &[u8]) -> Option<&[u8]> {
    let count = usize::from(u16::from_le_bytes(bytes.get(4..6)?.try_into().ok()?));
    let entries = bytes.get(6..)?.as_chunks::<16>().0.iter().take(count);
    // A side of 256 is written as zero.
    let side = |byte: u8| if byte == 0 { 256 } else { u32::from(byte) };
    let rank = |entry: &[u8; 16]| (side(entry[0]) * side(entry[1]), u16::from_le_bytes([entry[6], entry[7]]));
    let entry = entries.rev().max_by_key(|entry| rank(entry))?;
    let field = |at: usize| u32::from_le_bytes([entry[at], entry[at + 1], entry[at + 2], entry[at + 3]]) as usize;
    bytes.get(field(12)..)?.get(..field(8))
}

/// The one picture of a decoder, upright.
pub(super) fn still(mut decoder: impl ImageDecoder, channels: Channels, limits: &Limits) -> Result<Frame, Problem> {
    let (width, height) = decoder.dimensions();
    // Beside the decoder's own buffer stands the converted picture.
    let channels_out = if channels == Channels::Luma { 1 } else { 3 };
    check_size(width, height, u64::from(decoder.color_type().bytes_per_pixel()) + channels_out, limits)?;
    let orientation =
        decoder.orientation().map_or(Orientation::Upright, |o| Orientation::from_exif(o.to_exif().into()));
    let image = DynamicImage::from_decoder(decoder).map_err(|error| problem(error, limits))?;
    let picture = upright(picture(image, channels)?, orientation);
    Ok(Frame { number: 0, time_ms: 0, duration_ms: 0, orientation, picture })
}

fn image_format(format: Format) -> Result<ImageFormat, Problem> {
    Ok(match format {
        Format::Tiff => ImageFormat::Tiff,
        Format::Bmp => ImageFormat::Bmp,
        Format::Ico => ImageFormat::Ico,
        Format::Pnm => ImageFormat::Pnm,
        Format::Tga => ImageFormat::Tga,
        Format::Qoi => ImageFormat::Qoi,
        other => {
            return Err(Problem::Unsupported { format: other.row().name.to_owned(), hint: "no decoder".to_owned() });
        }
    })
}

pub(super) fn image_limits(limits: &Limits) -> image::Limits {
    let mut wanted = image::Limits::default();
    wanted.max_image_width = Some(limits.side_px);
    wanted.max_image_height = Some(limits.side_px);
    wanted.max_alloc = Some(limits.decoder_bytes);
    wanted
}

/// The `image` crate's errors, sorted by who can act.
pub(super) fn problem(error: ImageError, limits: &Limits) -> Problem {
    match error {
        ImageError::Limits(inner) => match inner.kind() {
            image::error::LimitErrorKind::DimensionError => Problem::Limit {
                limit: LimitKind::Side,
                allowed: u64::from(limits.side_px),
                found: u64::from(limits.side_px) + 1,
            },
            _ => Problem::Limit {
                limit: LimitKind::DecoderBytes,
                allowed: limits.decoder_bytes,
                found: limits.decoder_bytes.saturating_add(1),
            },
        },
        ImageError::Unsupported(inner) => Problem::Unsupported {
            format: inner.to_string(),
            hint: "convert the picture to PNG and examine that beside it".to_owned(),
        },
        other => Problem::Damaged { detail: other.to_string() },
    }
}
