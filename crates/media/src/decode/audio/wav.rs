//! The sound that a program writes into a pipe: 16-bit PCM in WAV, whose header tells rate and channels. Its lengths
//! are not known when it is written, and not believed.

use std::io::{self, Read};
use std::ops::ControlFlow;

use super::limited::Limited;
use super::{Declared, Decoded, SampleSink, check_length, ends_early, is_known_damaged, slack_ms};
use crate::decode::declared as containers;
use crate::{Format, Kind, Limits, Problem, Samples};

/// The most that may stand before the samples.
const MAX_HEADER_BYTES: usize = 64 << 10;

/// Bytes of samples in one block.
const BLOCK_BYTES: usize = 64 << 10;

/// Hands over what `pipe` brings until it ends. `declared` is what the container says.
///
/// # Errors
/// [`Problem::Protected`] where it is declared so, [`Problem::Damaged`] where no sound came of a recording,
/// [`Problem::Unsupported`] where none came of a film, [`Problem::Limit`], [`Problem::Io`].
pub fn decode_pipe(
    pipe: &mut dyn Read,
    decoder: &str,
    format: Format,
    declared: Declared,
    limits: &Limits,
    sink: SampleSink<'_>,
) -> Result<Decoded, Problem> {
    if let Some(by) = declared.locked_by {
        return Err(Problem::Protected { by });
    }
    let io = |error: io::Error| match error.kind() {
        io::ErrorKind::UnexpectedEof => no_sound(decoder, format, &declared),
        _ => Problem::io("reading sound from a program", &error),
    };
    let (rate_hz, channels) = header(pipe).map_err(io)?;
    let mut out = Limited::new(sink, limits);
    let mut decoded = Decoded {
        decoder: decoder.to_owned(),
        codec: declared.codec.clone(),
        declared_ms: declared.ms,
        tracks: declared.tracks,
        ..Decoded::default()
    };
    let width = 2 * usize::from(channels.max(1));
    let mut bytes = vec![0; BLOCK_BYTES.max(width)];
    let (mut filled, mut has_enough) = (0, false);
    loop {
        let read = match pipe.read(&mut bytes[filled..]) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if !out.heard() => return Err(io(error)),
            Err(error) => {
                decoded.problems.push(io(error));
                0
            }
        };
        filled += read;
        let whole = filled - filled % width;
        if whole == bytes.len() - bytes.len() % width || read == 0 {
            let interleaved = bytes[..whole]
                .chunks_exact(2)
                .map(|b| f32::from(i16::from_le_bytes([b[0], b[1]])) / 32_768.0)
                .collect();
            match out.take(Samples { rate_hz, channels, interleaved }) {
                ControlFlow::Continue(()) => {}
                ControlFlow::Break(None) => {
                    decoded.declared_ms = None;
                    has_enough = true;
                    break;
                }
                ControlFlow::Break(Some(problem)) if !out.heard() => return Err(problem),
                ControlFlow::Break(Some(problem)) => {
                    decoded.problems.push(problem);
                    break;
                }
            }
            bytes.copy_within(whole..filled, 0);
            filled -= whole;
        }
        if read == 0 {
            break;
        }
    }
    (decoded.rate_hz, decoded.channels, decoded.decoded_ms) = (out.rate_hz(), out.channels(), out.decoded_ms());
    if !out.heard() {
        return Err(no_sound(decoder, format, &declared));
    }
    if declared.missing_bytes > 0 && !has_enough && !is_known_damaged(&decoded) {
        let within = containers::told(format, declared.missing_bytes).map(|detail| Problem::Damaged { detail });
        decoded.problems.push(within.unwrap_or_else(|| ends_early(declared.missing_bytes)));
    }
    let slack = decoded.declared_ms.map_or(0, slack_ms);
    check_length(&mut decoded, slack);
    Ok(decoded)
}

/// A recording has sound, a film may have none. Where the container names a codec, the program may not know it.
fn no_sound(decoder: &str, format: Format, declared: &Declared) -> Problem {
    let name = format.row().name;
    if !declared.codec.is_empty() {
        let hint = format!(
            "{decoder} makes nothing of it: convert the sound to FLAC with a program that knows it and examine that beside it; \
             where none can, it is damaged"
        );
        return Problem::Unsupported { format: format!("{} in {name}", declared.codec), hint };
    }
    if format.row().kind == Kind::Audio {
        return Problem::Damaged { detail: format!("{decoder} found no sound in this {name}") };
    }
    let hint = "where there should be sound, it is of a codec that neither knows, or damaged".to_owned();
    Problem::Unsupported { format: format!("{name} in which {decoder} finds no sound"), hint }
}

/// Reads up to the first sample; gives rate and channels.
fn header(pipe: &mut dyn Read) -> io::Result<(u32, u16)> {
    let wrong = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let mut start = [0; 12];
    pipe.read_exact(&mut start)?;
    if !start.starts_with(b"RIFF") || !start.ends_with(b"WAVE") {
        return Err(wrong());
    }
    let mut shape = None;
    let mut left = MAX_HEADER_BYTES;
    loop {
        let mut head = [0; 8];
        pipe.read_exact(&mut head)?;
        if head.starts_with(b"data") {
            return shape.ok_or_else(wrong);
        }
        let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        left = left.checked_sub(size.saturating_add(9)).ok_or_else(wrong)?;
        let mut body = vec![0; size + size % 2];
        pipe.read_exact(&mut body)?;
        if head.starts_with(b"fmt ") {
            let fields = body.first_chunk::<16>().ok_or_else(wrong)?;
            if (fields[14], fields[15]) != (16, 0) {
                return Err(wrong());
            }
            let rate_hz = u32::from_le_bytes([fields[4], fields[5], fields[6], fields[7]]);
            shape = Some((rate_hz, u16::from_le_bytes([fields[2], fields[3]])));
        }
    }
}
