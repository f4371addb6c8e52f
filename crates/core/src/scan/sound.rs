//! Where sound comes from: a decoder here, the `ffmpeg` program, or a pipe that somebody else has it write into.

use std::ops::ControlFlow;

use minutia_media::decode::audio::{self, Decoded};
use minutia_media::{Ffmpeg, Format, Limits, Problem, Samples, Source};

use super::SoundCoverage;

/// Streams the sound of `source` to `sink`, and says how far it came. `ffmpeg` is asked where the decoders here do not
/// know the format or its codec.
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
    let decoded = match (source.piped(), ffmpeg) {
        (Some(piped), _) => {
            let mut pipe = &piped.pipe;
            audio::decode_pipe(&mut pipe, &piped.decoder, format, audio::declared(source, format), limits, sink)?
        }
        (None, Some(ffmpeg)) if !audio::is_native(format) => ffmpeg.decode(source, format, limits, sink)?,
        (None, _) => match (audio::decode(source, format, limits, sink), ffmpeg) {
            (Err(Problem::Unsupported { .. }), Some(ffmpeg)) => ffmpeg.decode(source, format, limits, sink)?,
            (decoded, _) => decoded?,
        },
    };
    Ok(coverage(decoded))
}

fn coverage(decoded: Decoded) -> (SoundCoverage, Vec<Problem>) {
    let Decoded { tracks, codec, decoder, declared_ms, decoded_ms, problems, .. } = decoded;
    (SoundCoverage { decoder, codec, tracks, declared_ms, decoded_ms }, problems)
}
