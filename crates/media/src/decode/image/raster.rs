//! Everything that the `image` crate decodes and that is no JPEG and no animation.

use std::io::Cursor;
use std::ops::ControlFlow;

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader};

use super::convert::picture;
use super::orient::upright;
use super::{Channels, Decoded, Frame, FrameSink, check_size};
use crate::{Format, LimitKind, Limits, Orientation, Problem};

pub(super) fn decode(
    bytes: &[u8],
    format: Format,
    channels: Channels,
    limits: &Limits,
    sink: FrameSink<'_>,
) -> Result<Decoded, Problem> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), image_format(format)?);
    reader.limits(image_limits(limits));
    let decoder = reader.into_decoder().map_err(|error| problem(error, limits))?;
    let frame = still(decoder, channels, limits)?;
    let _: ControlFlow<()> = sink(frame);
    Ok(Decoded { frames: 1, ..Decoded::default() })
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
    Ok(Frame { number: 0, time_ms: 0, orientation, picture })
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
