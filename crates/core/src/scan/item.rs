//! An item: one piece of media found in a source, as far as it could be read.

use minutia_media::{Format, Preview, Problem};

use crate::fingerprint::{Fingerprint, VpdqFrame};
use crate::verdict::{Finding, Level, Outcome, outcome_of_failure};

/// One piece of media: the file itself, or a member of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Item {
    /// Where in the source: empty for the file itself, else the names of the members on the way down.
    pub member: Vec<String>,
    /// What the probe recognised; `None` for what is no media.
    pub format: Option<Format>,
    /// How much of it was read.
    pub coverage: Coverage,
    /// What is kept of it; one for a still. Of an animation, one per distinct frame: those whose whole picture has the
    /// code of an earlier frame are left out, and the first keeps its number and time; and where it lasts a second or longer,
    /// that of a film behind them. Of sound, one per audio stream; of a
    /// film one of its pictures beside that of its sound.
    pub fingerprints: Vec<Fingerprint>,
    /// The frames of a film as vPDQ hashes them, in their order, where that was asked for ([`Exchange::Vpdq`]).
    ///
    /// [`Exchange::Vpdq`]: super::Exchange::Vpdq
    pub listed: Vec<VpdqFrame>,
    /// What else the container holds: every track of it, its cover art and attachments, in its order. Empty where nobody here
    /// can read the container, and for what has none.
    pub tracks: Vec<Track>,
    /// A small picture of the first frame, where one was asked for and could be made.
    pub preview: Option<Preview>,
    /// What went wrong on the way.
    pub problems: Vec<Problem>,
}

impl Item {
    /// A file of that format, or what is no media, of which nothing is known yet.
    pub fn of(format: impl Into<Option<Format>>) -> Item {
        Item {
            member: Vec::new(),
            format: format.into(),
            coverage: Coverage::default(),
            fingerprints: Vec::new(),
            listed: Vec::new(),
            tracks: Vec::new(),
            preview: None,
            problems: Vec::new(),
        }
    }

    /// The item's outcome, with what was found in it.
    pub fn outcome(&self, findings: &[Finding]) -> Outcome {
        if findings.iter().any(|finding| finding.level == Level::Match) {
            return Outcome::Match;
        }
        if !findings.is_empty() {
            return Outcome::Possible;
        }
        if let Some(outcome) = self.problems.iter().map(outcome_of_failure).min() {
            return outcome;
        }
        let too_little = self.coverage.in_part || self.fingerprints.iter().all(Fingerprint::says_too_little);
        if too_little { Outcome::Undecided } else { Outcome::NoMatch }
    }
}

/// A track of a container, or a file that travels in it. Texts are the container's own, and may be anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Track {
    /// What it holds: `picture`, `sound`, `subtitle`, `cover`, `attachment`, `other`.
    pub kind: String,
    /// The codec by the name that people know, else by the container's own; of an attachment its media type.
    pub codec: String,
    /// The language as the container names it; empty for none.
    pub language: String,
    /// The track's title, the attachment's file name; empty for none.
    pub name: String,
    /// Width in pixels as stored; 0 where it has none.
    pub width: u32,
    /// Height in pixels as stored; 0 where it has none.
    pub height: u32,
    /// The scheme that locks it.
    pub locked_by: Option<String>,
}

impl Track {
    /// What [`Track::kind`] says of pictures.
    pub const PICTURE: &str = "picture";

    /// What [`Track::kind`] says of sound.
    pub const SOUND: &str = "sound";

    /// The most that an item has.
    pub const MOST: usize = 1_000;
}

/// How much of an item was read, against what it declares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Coverage {
    /// Frames of a picture or an animation decoded.
    pub frames_read: u32,
    /// Frames that carried something new: as many as there are fingerprints.
    pub frames_kept: u32,
    /// Pixel rows decoded and declared, where a picture was cut short.
    pub partial_rows: Option<(u32, u32)>,
    /// Its sound, where any was decoded.
    pub sound: Option<SoundCoverage>,
    /// Its moving pictures, where any were decoded.
    pub film: Option<FilmCoverage>,
    /// Whether a part of it was passed over because that was asked for: where nothing was found in the rest, that says little.
    pub in_part: bool,
}

/// How much of a recording, or of a film's sound, was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SoundCoverage {
    /// Which decoder read it, with its version: `symphonia 0.6.1`, `ffmpeg 7.1`.
    pub decoder: String,
    /// The codec; empty where the decoder does not tell.
    pub codec: String,
    /// Sound tracks of the container; 0 where the decoder does not tell.
    pub tracks: u32,
    /// How many of them were read: the first, and those further ones that a decoder here knows, eight at most. What else is
    /// said here is of the first.
    pub tracks_read: u32,
    /// The length that the container declares, in milliseconds.
    pub declared_ms: Option<u64>,
    /// The length that was decoded.
    pub decoded_ms: u64,
}

/// How much of a film's pictures was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FilmCoverage {
    /// Which decoder read them, with its version: `rust_h264 0.6.0`, `ffmpeg 7.1`.
    pub decoder: String,
    /// The codec; empty where nobody here knows the container.
    pub codec: String,
    /// Width of the upright frames in pixels.
    pub width: u32,
    /// Height of the upright frames in pixels.
    pub height: u32,
    /// Picture tracks of the container, of which the first is read; 0 where nobody here knows the container.
    pub tracks: u32,
    /// Frames that were looked at, at most eight a second. A second reading, frame by frame, does not count.
    pub frames_read: u64,
    /// The length that the container declares, in milliseconds.
    pub declared_ms: Option<u64>,
    /// How far decoding came, in milliseconds.
    pub decoded_ms: u64,
    /// Whether that is the film's end, as far as the decoder can tell.
    pub to_the_end: bool,
    /// Whether the views for a second look were made, by which a query is found that was turned, framed or cut oddly. Those
    /// of long films would take hundreds of megabytes.
    pub second_look: bool,
    /// Whether only frames were looked at that are stored whole, at most one a second.
    pub key_frames: bool,
}
