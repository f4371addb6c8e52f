//! What became of one item: the file, how much of it was read, and what went wrong.

use serde::{Deserialize, Serialize};

use super::FindingRecord;
use crate::escape;

/// What became of one item.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ItemRecord {
    /// The path as it was given and walked; bytes that are no UTF-8 stand as U+FFFD.
    pub path: String,
    /// The path's bytes in hexadecimal, where they are no UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_bytes: Option<String>,
    /// The names of the members on the way down, for an item inside a container.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub member: Vec<String>,
    /// What came of it: one of the names of [`minutia::verdict::Outcome`].
    pub outcome: String,
    /// `triage` for what a quick pass found; absent for a full one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass: Option<String>,
    /// The batch of files, numbered from 1 along the walk, to which the workers that read it were kept; absent where no
    /// worker did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<u64>,
    /// Length of the file in bytes; `null` where it was not opened.
    pub size: Option<u64>,
    /// BLAKE3 of the file, hexadecimal; `null` where it was not read to its end.
    pub blake3: Option<String>,
    /// SHA-256 of the file, hexadecimal; `null` where it was not read to its end.
    pub sha256: Option<String>,
    /// When the file was last modified, as its file system says; RFC 3339 in UTC.
    pub modified: Option<String>,
    /// The format found in the content; `null` for what is no media or was not read.
    pub format: Option<String>,
    /// The name's extension belongs to something else than the content.
    pub extension_mismatch: bool,
    /// Width of the upright picture in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Height of the upright picture in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// How the pixels are stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orientation: Option<String>,
    /// Length in milliseconds: of the longest audio or video stream, as it was decoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// What the container holds: each track, cover and attachment; absent where it has none, or nobody here can read it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tracks: Vec<TrackRecord>,
    /// How much was read; absent where nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
    /// What was found, the surest first.
    pub findings: Vec<FindingRecord>,
    /// What went wrong, or why it was left out.
    pub problems: Vec<ProblemRecord>,
    /// `true` where the file had to be opened in a way that may have changed its access time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub access_time_unprotected: bool,
}

/// A track of a container, or a file that travels in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackRecord {
    /// What it holds: `picture`, `sound`, `subtitle`, `cover`, `attachment`, `other`.
    pub kind: String,
    /// The codec; of an attachment its media type.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub codec: String,
    /// The language as the container names it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub language: String,
    /// The track's title, the attachment's file name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Width in pixels, as stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Height in pixels, as stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// The scheme that locks it, and for whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_by: Option<String>,
}

/// How much of an item was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Frames decoded.
    pub frames_read: u32,
    /// Frames that carried something new.
    pub frames_kept: u32,
    /// Pixel rows decoded, where a picture was cut short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_read: Option<u32>,
    /// Pixel rows that it declares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_declared: Option<u32>,
    /// Its sound, where any was decoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sound: Option<SoundCoverage>,
    /// Its moving pictures, where any were decoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub film: Option<FilmCoverage>,
    /// A part was passed over, as a quick pass does: where nothing was found in the rest, that says little.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_part: bool,
}

/// How much of a recording, or of a film's sound, was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoundCoverage {
    /// Which decoder read it, with its version.
    pub decoder: String,
    /// The codec, where the decoder tells.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub codec: String,
    /// Sound tracks of the container; 0 where the decoder does not tell.
    pub tracks: u32,
    /// How many of them were read, the first among them, of which the rest is said. Absent (0) in older records.
    #[serde(default)]
    pub tracks_read: u32,
    /// The length that the container declares, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_ms: Option<u64>,
    /// The length that was decoded.
    pub decoded_ms: u64,
}

/// How much of a film's pictures was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilmCoverage {
    /// Which decoder read them, with its version.
    pub decoder: String,
    /// The codec, where the container tells.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub codec: String,
    /// Picture tracks of the container, of which the first is read; 0 where nobody here can read the container.
    pub tracks: u32,
    /// Frames that were looked at, at most eight a second. A second reading, frame by frame, does not count.
    pub frames_read: u64,
    /// The length that the container declares, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_ms: Option<u64>,
    /// How far decoding came.
    pub decoded_ms: u64,
    /// Whether that is the film's end, as far as the decoder can tell.
    pub to_the_end: bool,
    /// Whether the views for a second look were made.
    pub second_look: bool,
    /// Only frames were looked at that are stored whole, at most one a second.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub key_frames: bool,
}

/// A problem: a stable code and a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemRecord {
    /// The code.
    pub code: String,
    /// The sentence.
    pub message: String,
}

impl ItemRecord {
    /// The path for a terminal, whatever its bytes, with the members on the way down.
    pub fn shown_path(&self) -> String {
        let mut out = escape::name(&self.path_as_bytes());
        for member in &self.member {
            out.push_str(" > ");
            out.push_str(&escape::text(member));
        }
        out
    }

    /// The path's own bytes.
    pub fn path_as_bytes(&self) -> Vec<u8> {
        self.path_bytes.as_deref().and_then(unhex).unwrap_or_else(|| self.path.as_bytes().to_vec())
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pair = |pair: &[u8; 2]| Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if rest.is_empty() { pairs.iter().map(pair).collect() } else { None }
}
