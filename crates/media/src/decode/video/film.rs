//! A film as its container describes it.

use super::demux;
use crate::decode::caught::caught;
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

impl Track {
    /// A still picture or a file, of which nothing but its being there is told.
    pub(super) fn still(number: u64, kind: TrackKind, codec: &str) -> Track {
        Track { number, kind, codec: codec.to_owned(), language: String::new(), size_px: (0, 0), locked_by: None }
    }
}

/// What the container says of the film and of its picture track number `track` (from 0), without decoding. Costs the
/// reading of its directory.
///
/// # Errors
/// [`Problem::Io`]. A container that cannot be read here, or is damaged, gives what was found.
pub fn describe(source: &Source, format: Format, track: u32) -> Result<Film, Problem> {
    match caught(|| demux::open(source, format, track)) {
        Ok(Ok(opened)) => Ok(opened.film),
        Ok(Err(film)) => Ok(film),
        Err(problem @ Problem::Io { .. }) => Err(problem),
        Err(_) => Ok(Film { format: Some(format), ..Film::default() }),
    }
}

/// The names that people know, by the four letters of MP4 and by Matroska's names; else what the container says.
pub(super) fn codec_name(id: &str) -> String {
    const NAMES: &[(&str, &str)] = &[
        ("avc1", "H.264"),
        ("avc2", "H.264"),
        ("avc3", "H.264"),
        ("avc4", "H.264"),
        ("V_MPEG4/ISO/AVC", "H.264"),
        ("hev1", "HEVC"),
        ("hvc1", "HEVC"),
        ("dvh1", "HEVC"),
        ("dvhe", "HEVC"),
        ("V_MPEGH/ISO/HEVC", "HEVC"),
        ("av01", "AV1"),
        ("V_AV1", "AV1"),
        ("vp08", "VP8"),
        ("V_VP8", "VP8"),
        ("vp09", "VP9"),
        ("V_VP9", "VP9"),
        ("mp4v", "MPEG-4 part 2"),
        ("V_MPEG4/ISO/ASP", "MPEG-4 part 2"),
        ("V_MPEG4/ISO/SP", "MPEG-4 part 2"),
        ("V_MPEG2", "MPEG-2"),
        ("V_MPEG1", "MPEG-1"),
        ("V_THEORA", "Theora"),
        ("jpeg", "Motion JPEG"),
        ("mjpa", "Motion JPEG"),
        ("V_MJPEG", "Motion JPEG"),
        ("s263", "H.263"),
        ("apch", "ProRes"),
        ("apcn", "ProRes"),
        ("mp4a", "AAC"),
        ("A_AAC", "AAC"),
        ("A_AC3", "AC-3"),
        ("ac-3", "AC-3"),
        ("ec-3", "E-AC-3"),
        ("A_EAC3", "E-AC-3"),
        ("A_DTS", "DTS"),
        ("Opus", "Opus"),
        ("A_OPUS", "Opus"),
        ("A_VORBIS", "Vorbis"),
        ("A_FLAC", "FLAC"),
        ("A_MPEG/L3", "MP3"),
        (".mp3", "MP3"),
        ("tx3g", "timed text"),
        ("S_TEXT/UTF8", "SubRip"),
        ("S_TEXT/ASS", "ASS"),
        ("S_HDMV/PGS", "PGS"),
        ("S_VOBSUB", "VobSub"),
    ];
    NAMES.iter().find(|(known, _)| *known == id).map_or_else(|| id.to_owned(), |(_, name)| (*name).to_owned())
}
