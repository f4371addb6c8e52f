//! Sound decoding: the samples of a recording or of a film's sound track, block by block, within [`Limits`].
//!
//! Two decoders stand behind it. `native` reads what symphonia and a pure-Rust Opus decoder can, in this process. Everything
//! else is read by the `ffmpeg` program where it is installed: [`ffmpeg`] builds its command, and [`decode_pipe`] reads
//! what it writes. Both get the demuxer from our own probe: symphonia resynchronises on MPEG frames inside foreign
//! containers and then reports success, and ffmpeg follows playlists.
//!
//! What an encoder put before and behind the recording is cut off as the container says (LAME and iTunes tags, edit lists,
//! Opus pre-skip, granule positions), so that times agree with those of other decoders to a millisecond.

mod caf;
mod codec;
mod declared;
pub mod ffmpeg;
mod limited;
mod matroska;
mod mp4;
mod mpeg;
mod native;
mod opus;
mod riff;
mod wav;
mod window;

use std::ops::ControlFlow;

use crate::{Format, Limits, Problem, Samples, Source};

pub use declared::Declared;
pub use wav::decode_pipe;

/// The decoders that are built in, with their versions.
pub const DECODERS: [&str; 2] = [native::SYMPHONIA, native::OPUS];

/// What the program is called that reads sound which this build does not, for hints.
const INSTALL: &str = "install ffmpeg, which reads it, or convert the sound to FLAC and examine that beside it";
const INSTALL_FOR_MODULES: &str =
    "install an ffmpeg that has libopenmpt, which plays it, or convert the sound to FLAC and examine that beside it";

/// What was decoded, and how far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// Sound tracks of the container. 0 where the decoder does not tell.
    pub tracks: u32,
    /// The track's codec, for example `AAC`; empty where the decoder does not tell.
    pub codec: String,
    /// Which decoder it was, with its version: `symphonia 0.6.1`, `opus-pure 0.2.2` or `ffmpeg 7.1`.
    pub decoder: String,
    /// Frames a second of the last block; 0 where there was none.
    pub rate_hz: u32,
    /// Channels of the last block.
    pub channels: u16,
    /// The length that the container declares, in milliseconds. An estimate of a demuxer is none.
    pub declared_ms: Option<u64>,
    /// The length that was decoded, in milliseconds, rounded down.
    pub decoded_ms: u64,
    /// What went wrong on the way; what was read before counts.
    pub problems: Vec<Problem>,
}

/// Where samples go. Rate and channels may change between blocks: Ogg streams can be chained.
pub type SampleSink<'a> = &'a mut dyn FnMut(Samples) -> ControlFlow<()>;

/// Decodes the first sound track of `source`, which the probe recognised as `format`, and hands it to `sink` until it breaks
/// off. Never holds more than some blocks.
///
/// # Errors
/// The problem that left nothing to hand over: [`Problem::Unsupported`], where [`ffmpeg`] may know more,
/// [`Problem::Protected`], [`Problem::Limit`], [`Problem::Damaged`], [`Problem::Io`]. Where something was handed over, the
/// problem is in [`Decoded::problems`] instead.
pub fn decode(source: &Source, format: Format, limits: &Limits, sink: SampleSink<'_>) -> Result<Decoded, Problem> {
    decode_track(source, format, 0, limits, sink)
}

/// As [`decode`], of the sound track of that number, counted from 0 in the container's order.
///
/// # Errors
/// As [`decode`]; [`Problem::Unsupported`] for a number that no track has.
pub fn decode_track(
    source: &Source,
    format: Format,
    track: u32,
    limits: &Limits,
    sink: SampleSink<'_>,
) -> Result<Decoded, Problem> {
    if !is_native(format) {
        let locked = declared(source, format).locked_by;
        return Err(locked.map_or_else(|| unsupported(format, None), |by| Problem::Protected { by }));
    }
    native::decode(source, container_of(format), track, limits, sink)
}

/// The container that the demuxers here know: the sound of a film in Ogg stands as in any Ogg.
fn container_of(format: Format) -> Format {
    match format {
        Format::OggFilm => Format::Ogg,
        other => other,
    }
}

/// Whether sound is decoded here at all: some codecs inside such a container may still need [`ffmpeg`].
pub fn is_native(format: Format) -> bool {
    matches!(
        format,
        Format::Mp3
            | Format::Aac
            | Format::Flac
            | Format::Wav
            | Format::Aiff
            | Format::Caf
            | Format::Ogg
            | Format::OggFilm
            | Format::M4a
            | Format::Mp4
            | Format::Matroska
    )
}

/// What the container says of its sound, as far as it can be read here: beside what [`ffmpeg`] decodes of it.
pub fn declared(source: &Source, format: Format) -> Declared {
    let format = container_of(format);
    let mut declared = native::declared(source, format);
    // What cannot be read says nothing; the program will.
    let _ = declared::add(source, format, &mut declared);
    declared
}

fn unsupported(format: Format, codec: Option<&str>) -> Problem {
    let row = format.row();
    let format = codec.map_or_else(|| row.name.to_owned(), |codec| format!("{codec} in {}", row.name));
    let hint = match row.demuxer {
        Some(_) if row.format == Format::TrackerModule => INSTALL_FOR_MODULES,
        Some(_) => INSTALL,
        None => "convert it to FLAC and examine that beside it",
    };
    Problem::Unsupported { format, hint: hint.to_owned() }
}

/// How much less than a container declares may come without being told: sound may end before the pictures do, and lengths are
/// rounded. A file that was cut lacks more.
fn slack_ms(declared_ms: u64) -> u64 {
    (declared_ms / 20 + 500).min(5_000)
}

/// Says so where less came than was declared. Containers round their lengths, and those of films are those of the
/// pictures: `slack_ms` and a hundredth are nothing.
fn check_length(decoded: &mut Decoded, slack_ms: u64) {
    let Some(declared) = decoded.declared_ms else { return };
    if !is_known_damaged(decoded)
        && decoded.decoded_ms.saturating_add(slack_ms).saturating_add(declared / 100) < declared
    {
        let detail = format!("the sound ends after {} of {declared} ms", decoded.decoded_ms);
        decoded.problems.push(Problem::Damaged { detail });
    }
}

/// Whether it is told already why there may be less than was declared.
fn is_known_damaged(decoded: &Decoded) -> bool {
    decoded.problems.iter().any(|problem| matches!(problem, Problem::Damaged { .. } | Problem::Limit { .. }))
}

/// What is said of a file that was cut short.
const ENDS_EARLY: &str = "the file ends too early";

fn ends_early(missing_bytes: u64) -> Problem {
    Problem::Damaged { detail: format!("{ENDS_EARLY}: {missing_bytes} bytes are missing") }
}

#[cfg(test)]
mod tests;
