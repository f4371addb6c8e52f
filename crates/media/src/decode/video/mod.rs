//! Film decoding: the frames of a film's picture track in the order in which they are shown, within [`Limits`].
//!
//! Two ways lead through it. `native` reads MP4, QuickTime and Matroska in this process, with demuxers of our own and the
//! pure-Rust decoders of [`CODECS`]: H.264, and with the feature `av1` AV1, whose decoder has a limit that its page tells.
//! Everything else is read by the `ffmpeg` program where it is installed, which is faster too: [`ffmpeg`] builds its command,
//! and [`decode_pipe`] reads what it writes. It is told which demuxer to use by our own probe, and neither scales nor turns
//! nor converts what has luma: the plane comes as the stream stores it, so that one stream gives the same bits whichever decoder read
//! it.
//!
//! **Luma** is 8 bits a pixel, the whole picture, cropped as the stream says, and **as stored**: most films use 16 for black
//! and 235 for white, and no decoder here stretches that. Samples of more bits lose their lower ones. What is stored turned
//! stays turned: [`Film::orientation`] says how to show it. What is stored as red, green and blue has no luma, and is converted
//! by the program (BT.601, 16 to 235).
//!
//! **Time** is presentation time in microseconds from the film's own zero, rounded to the nearest: edit lists and the offsets
//! of tracks are applied. What the container hides before its zero or outside its edits is not handed over. Transport and
//! program streams, AVI and Flash have clocks without a zero: theirs is where the first of their streams begins. Streams of MPEG,
//! H.264 and HEVC without a container have no times at all: theirs are by the rate that they state, or 25 frames a second. Where a clock
//! jumps back by more than a second (recordings one behind the other in one file), the program's frames go on a step behind the
//! latest one.

#[cfg(feature = "av1")]
mod av1;
mod blocks;
mod codec;
mod demux;
mod directory;
pub mod ffmpeg;
mod film;
mod fragments;
mod h264;
mod locks;
mod matroska;
mod mp4;
mod native;
mod nut;
mod out;
#[cfg(feature = "av1")]
mod sequence;
mod tables;

use std::ops::{ControlFlow, Range};

use crate::{Format, Limits, Luma, Problem, Source};

pub use codec::{CODECS, Codec};
pub use directory::DirectoryFirst;
pub use film::{Film, Track, TrackKind, cut_short, describe};
pub use nut::decode_pipe;

/// What the program is called that reads films which this build does not, for hints.
const INSTALL: &str = "install ffmpeg, which reads it";

/// One picture of a film.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// When it is shown, in microseconds from the film's zero.
    pub pts_us: u64,
    /// The picture, as stored: see the module's page.
    pub luma: Luma,
    /// Whether it can be decoded without others. `None` where the decoder does not tell.
    pub key: Option<bool>,
}

/// Which frames are decoded at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Selection {
    /// Every frame.
    #[default]
    All,
    /// Those that no other frame refers to are left out where the decoder can, and edges between blocks are not smoothed.
    /// Luma is near that of [`Selection::All`] and not equal to it, and two decoders give different bits.
    Sparse,
    /// Those that the container marks as decodable alone: here, the bytes of others are not even read, and luma is that of
    /// [`Selection::All`]. Prefer [`decode`] to [`ffmpeg`], which reads everything, and of H.264 whose groups of pictures are
    /// open loses the order of key frames, and with it most of them.
    KeyFrames,
}

/// What of a film is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Wanted {
    /// Which frames are decoded.
    pub selection: Selection,
    /// Of those, the most that are handed over: the first frame of each of so many equal parts of a second (`0..1/n`,
    /// `1/n..2/n`, ...), each of which begins [`Wanted::EARLY_US`] early. `None` for every one. 0 is taken as 1.
    pub rate_fps: Option<u32>,
    /// The part in time that is wanted, in microseconds, half-open: frames whose time lies in it.
    pub span_us: Option<Range<u64>>,
    /// Which of the picture tracks, from 0, cover art not counted; `None` for the first.
    pub track: Option<u32>,
}

impl Wanted {
    /// Half of the time for which a frame is shown at 25 a second, in microseconds: frames that are taken at a rate are so
    /// about those nearest to the parts' beginnings, and not those after them.
    pub const EARLY_US: u64 = 20_000;
}

/// What was decoded, and how far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// What the container says.
    pub film: Film,
    /// Which decoder it was, with its version: `rust_h264 0.6.0` or `ffmpeg 7.1`.
    pub decoder: String,
    /// Frames handed over.
    pub frames: u64,
    /// Frames decoded, handed over or not, as far as the decoder tells.
    pub decoded_frames: u64,
    /// The time of the first frame handed over.
    pub first_us: Option<u64>,
    /// How far decoding came: the time of the last frame that was decoded. Where [`Wanted::span_us`] ended it or the sink
    /// broke off, not the film's end.
    pub last_us: Option<u64>,
    /// Whether the film's end was reached, as far as the decoder can tell.
    pub to_the_end: bool,
    /// What went wrong on the way; what was read before counts.
    pub problems: Vec<Problem>,
}

/// Where frames go. Each is shown later than the one before: what breaks that order is dropped. Their size may change.
pub type FrameSink<'a> = &'a mut dyn FnMut(Frame) -> ControlFlow<()>;

/// Decodes what is wanted of `source`, which the probe recognised as `format`, and hands it to `sink` until it breaks off.
/// Holds no more than the frames that the stream's own order needs.
///
/// # Errors
/// The problem that left nothing to hand over: [`Problem::Unsupported`], where [`ffmpeg`] may know more,
/// [`Problem::Protected`], [`Problem::Limit`], [`Problem::Damaged`], [`Problem::Io`], [`Problem::Crashed`]. Where something
/// was handed over, the problem is in [`Decoded::problems`] instead.
pub fn decode(
    source: &Source,
    format: Format,
    wanted: &Wanted,
    limits: &Limits,
    sink: FrameSink<'_>,
) -> Result<Decoded, Problem> {
    if !is_native(format) {
        let track = wanted.track.unwrap_or(0);
        return Err(describe(source, format, track)?.refused(track).unwrap_or_else(|| unsupported(format, None)));
    }
    native::decode(source, format, wanted, limits, sink)
}

/// Whether film is decoded here at all: some codecs inside such a container may still need [`ffmpeg`].
pub fn is_native(format: Format) -> bool {
    matches!(format, Format::Mp4 | Format::M4a | Format::Matroska)
}

fn unsupported(format: Format, codec: Option<&str>) -> Problem {
    let row = format.row();
    let format = codec.map_or_else(|| row.name.to_owned(), |codec| format!("{codec} in {}", row.name));
    let hint = if row.demuxer.is_some() { INSTALL } else { "convert it to MP4 with H.264 and examine that beside it" };
    Problem::Unsupported { format, hint: hint.to_owned() }
}

#[cfg(test)]
mod tests;
