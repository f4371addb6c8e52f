//! A film as its container describes it.

use crate::{Format, Orientation, Problem, Source};

/// What a film's container says. Empty as far as nobody here can read the container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Film {
    /// The container.
    pub format: Option<Format>,
    /// The codec of the picture track that was asked for, for example `H.264`; empty where it is not known.
    pub codec: String,
    /// Width in pixels as stored, before it is turned upright; 0 where it is not known.
    pub width: u32,
    /// Height in pixels as stored, likewise.
    pub height: u32,
    /// How a stored picture is shown upright.
    pub orientation: Orientation,
    /// The declared length of the picture track, else of the film, in milliseconds.
    pub declared_ms: Option<u64>,
    /// Every track, in the order of the container.
    pub tracks: Vec<Track>,
}

/// One track of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Track {
    /// The container's own number for it; of attachments the place among them, from 1.
    pub number: u64,
    /// What it holds.
    pub kind: TrackKind,
    /// The codec by the name that people know, else by the container's own.
    pub codec: String,
    /// The language as the container names it; empty for none.
    pub language: String,
    /// Width and height in pixels, as stored; 0 where it has none.
    pub size_px: (u32, u32),
    /// The scheme that locks it.
    pub locked_by: Option<String>,
}

/// What a track holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum TrackKind {
    /// Moving pictures.
    Picture,
    /// Sound.
    Sound,
    /// Text, or pictures of it.
    Subtitle,
    /// A still picture that stands for the film.
    Cover,
    /// A file that travels with the film: a font, a picture.
    Attachment,
    /// Time codes, hints, chapters, data.
    Other,
}

impl Film {
    /// The picture tracks, cover art not counted.
    pub fn pictures(&self) -> impl Iterator<Item = &Track> {
        self.tracks.iter().filter(|track| track.kind == TrackKind::Picture)
    }

    /// The scheme that locks picture track number `track`, from 0.
    pub fn locked_by(&self, track: u32) -> Option<String> {
        self.pictures().nth(track as usize)?.locked_by.clone()
    }
}

/// What the container says of the film and of its picture track number `track` (from 0), without decoding. Costs the
/// reading of its directory.
///
/// # Errors
/// [`Problem::Io`]. A container that cannot be read here, or is damaged, gives what was found.
pub fn describe(source: &Source, format: Format, track: u32) -> Result<Film, Problem> {
    let _ = (source, track);
    Ok(Film { format: Some(format), ..Film::default() })
}
