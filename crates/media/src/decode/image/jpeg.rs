//! JPEG by `zune-jpeg`: the luma plane alone where that is wanted, which leaves half of the work undone.

use std::ops::ControlFlow;

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::errors::{DecodeErrors, UnsupportedSchemes};
use zune_jpeg::{ImageInfo, JpegDecoder};

use super::convert::luma;
use super::orient::upright;
use super::{Channels, Decoded, Frame, FrameSink, check_size};
use crate::{Limits, Luma, Orientation, Picture, Problem, Rgb};

/// The sides that a JPEG's header can declare.
const LONGEST: usize = u16::MAX as usize;

/// What `zune-jpeg` leaves in rows that it could not read.
const FILL: u8 = 128;

pub(super) fn decode(
    bytes: &[u8],
    channels: Channels,
    limits: &Limits,
    sink: FrameSink<'_>,
) -> Result<Decoded, Problem> {
    let mut headers = decoder(bytes, ColorSpace::Luma, true);
    headers.decode_headers().map_err(|error| unsupported_process(bytes).unwrap_or_else(|| problem(error)))?;
    let stored = headers.input_colorspace().unwrap_or(ColorSpace::YCbCr);
    let info = headers.info().ok_or_else(|| damaged("no picture behind the headers"))?;
    let wanted = match (channels, stored) {
        (Channels::Luma, ColorSpace::YCbCr | ColorSpace::Luma) => ColorSpace::Luma,
        _ => ColorSpace::RGB,
    };
    check_size(info.width.into(), info.height.into(), bytes_per_pixel(&info, wanted), limits)?;
    let orientation = headers.exif().map_or(Orientation::Upright, |exif| orientation(exif));

    let mut decoded = Decoded { frames: 1, ..Decoded::default() };
    let mut pixels = vec![FILL; usize::from(info.width) * usize::from(info.height) * wanted.num_components()];
    if let Err(error) = decoder(bytes, wanted, true).decode_into(&mut pixels) {
        // What a strict reading refuses may still be a picture: read again, leniently, and say so.
        pixels.fill(FILL);
        let lenient = decoder(bytes, wanted, false).decode_into(&mut pixels);
        let rows = rows_read(&pixels, usize::from(info.width) * wanted.num_components());
        if rows == 0 {
            return Err(problem(lenient.err().unwrap_or(error)));
        }
        decoded.problems.push(problem(error));
        if rows < u32::from(info.height) {
            decoded.partial_rows = Some((rows, info.height.into()));
        }
    }
    let picture = picture(pixels, &info, wanted, channels)?;
    let picture = upright(picture, orientation);
    let _: ControlFlow<()> = sink(Frame { number: 0, time_ms: 0, duration_ms: 0, orientation, picture });
    Ok(decoded)
}

fn decoder(bytes: &[u8], colour: ColorSpace, strict: bool) -> JpegDecoder<ZCursor<&[u8]>> {
    let options = DecoderOptions::default()
        .set_max_width(LONGEST)
        .set_max_height(LONGEST)
        .set_strict_mode(strict)
        .jpeg_set_out_colorspace(colour);
    JpegDecoder::new_with_options(ZCursor::new(bytes), options)
}

/// The peak of what decoding holds, for each pixel: the picture, and in a progressive file two bytes for each
/// coefficient of each component (those of subsampled components are fewer; the bound counts them whole).
fn bytes_per_pixel(info: &ImageInfo, wanted: ColorSpace) -> u64 {
    let output = wanted.num_components() as u64;
    if info.sof.is_sequential_dct() { output } else { output + 2 * u64::from(info.components) }
}

/// Rows from the top that hold something other than the fill.
fn rows_read(pixels: &[u8], row_bytes: usize) -> u32 {
    pixels
        .chunks_exact(row_bytes)
        .rposition(|row| row.iter().any(|&value| value != FILL))
        .map_or(0, |row| row as u32 + 1)
}

fn picture(pixels: Vec<u8>, info: &ImageInfo, found: ColorSpace, wanted: Channels) -> Result<Picture, Problem> {
    let (width, height) = (info.width.into(), info.height.into());
    let made = match (found, wanted) {
        (ColorSpace::Luma, _) => Luma::new(width, height, pixels).map(Picture::Luma),
        (_, Channels::Rgb) => Rgb::new(width, height, pixels).map(Picture::Rgb),
        _ => {
            let plane = pixels.as_chunks::<3>().0.iter().map(|&pixel| luma(pixel)).collect();
            Luma::new(width, height, plane).map(Picture::Luma)
        }
    };
    made.ok_or_else(|| damaged("the decoder gave a picture of another size"))
}

/// The orientation that EXIF data declare: tag 0x0112 of the first directory.
fn orientation(exif: &[u8]) -> Orientation {
    image::metadata::Orientation::from_exif_chunk(exif)
        .map_or(Orientation::Upright, |found| Orientation::from_exif(found.to_exif().into()))
}

fn damaged(detail: &str) -> Problem {
    Problem::Damaged { detail: detail.to_owned() }
}

fn problem(error: DecodeErrors) -> Problem {
    match error {
        DecodeErrors::Unsupported(scheme) => unsupported(match scheme {
            UnsupportedSchemes::LosslessHuffman | UnsupportedSchemes::LosslessArithmetic => LOSSLESS,
            UnsupportedSchemes::ExtendedSequentialDctArithmetic | UnsupportedSchemes::ProgressiveDctArithmetic => {
                ARITHMETIC
            }
            _ => "this kind of JPEG",
        }),
        other => Problem::Damaged { detail: other.to_string() },
    }
}

const LOSSLESS: &str = "lossless JPEG";
const ARITHMETIC: &str = "JPEG with arithmetic coding";

fn unsupported(format: &str) -> Problem {
    let hint = "convert the picture to PNG and examine that beside it".to_owned();
    Problem::Unsupported { format: format.to_owned(), hint }
}

/// The coding process of the first frame header (T.81, table B.1), where the decoder has none for it: it passes over the
/// header and then misses it.
fn unsupported_process(bytes: &[u8]) -> Option<Problem> {
    let mut at = 2;
    loop {
        let &[0xff, marker, high, low] = bytes.get(at..at + 4)? else { return None };
        match marker {
            0xc3 | 0xcb => return Some(unsupported(LOSSLESS)),
            0xc5..=0xc7 | 0xcd..=0xcf => return Some(unsupported("hierarchical JPEG")),
            0xc9 | 0xca => return Some(unsupported(ARITHMETIC)),
            0xc0..=0xc2 | 0xd0..=0xda => return None,
            _ => at += 2 + usize::from(u16::from_be_bytes([high, low])),
        }
    }
}
