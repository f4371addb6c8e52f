//! Where sound comes from: a decoder here, the `ffmpeg` program, or a pipe that somebody else has it write into.

use std::ops::ControlFlow;

use minutia_media::decode::audio::{self, Decoded};
use minutia_media::{Ffmpeg, Format, Limits, Problem, Samples, Source};

use super::SoundCoverage;

/// Streams the sound of `source` to `sink`, and says how far it came. A program is asked where the decoders here do not know
/// the format or its codec, or cannot open the file: what the program reads is not damaged.
///
/// # Errors
/// The problem that left nothing to hand over.
pub(super) fn read_sound(
    source: &Source,
    format: Format,
    limits: &Limits,
    ffmpeg: Option<&Ffmpeg>,
    sink: &mut dyn FnMut(Samples) -> ControlFlow<()>,
) -> Result<(SoundCoverage, Vec<Problem>), Problem> {
    let has_outside = source.piped().is_some() || ffmpeg.is_some();
    let decoded = if has_outside && !audio::is_native(format) {
        outside(source, format, limits, ffmpeg, sink)?
    } else {
        match audio::decode(source, format, limits, sink) {
            // Nothing was handed over yet.
            Err(Problem::Unsupported { .. }) if has_outside => outside(source, format, limits, ffmpeg, sink)?,
            Err(damaged @ Problem::Damaged { .. }) if has_outside => {
                let decoded = outside(source, format, limits, ffmpeg, sink).map_err(|_| damaged.clone())?;
                if decoded.decoded_ms == 0 {
                    return Err(damaged);
                }
                decoded
            }
            decoded => decoded?,
        }
    };
    Ok(coverage(decoded))
}

/// Streams a further sound track, counted from 0, where a decoder here knows it.
///
/// # Errors
/// As [`read_sound`].
pub(super) fn read_track(
    source: &Source,
    format: Format,
    track: u32,
    limits: &Limits,
    sink: &mut dyn FnMut(Samples) -> ControlFlow<()>,
) -> Result<Vec<Problem>, Problem> {
    audio::decode_track(source, format, track, limits, sink).map(|decoded| decoded.problems)
}

/// What a program decodes: the pipe that somebody else has it write into goes before a program of our own.
fn outside(
    source: &Source,
    format: Format,
    limits: &Limits,
    ffmpeg: Option<&Ffmpeg>,
    sink: &mut dyn FnMut(Samples) -> ControlFlow<()>,
) -> Result<Decoded, Problem> {
    match (source.piped(), ffmpeg) {
        (Some(piped), _) => {
            let mut pipe = &piped.pipe;
            audio::decode_pipe(&mut pipe, &piped.decoder, format, audio::declared(source, format), limits, sink)
        }
        (None, Some(ffmpeg)) => ffmpeg.decode(source, format, limits, sink),
        (None, None) => audio::decode(source, format, limits, sink),
    }
}

fn coverage(decoded: Decoded) -> (SoundCoverage, Vec<Problem>) {
    let Decoded { tracks, codec, decoder, declared_ms, decoded_ms, problems, .. } = decoded;
    (SoundCoverage { decoder, codec, tracks, tracks_read: 1, declared_ms, decoded_ms }, problems)
}
