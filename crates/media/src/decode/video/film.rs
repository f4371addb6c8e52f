//! A film as its container describes it.

use super::demux;
use crate::decode::caught::caught;
use crate::decode::declared;
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
    /// Every track, in the order of the container, at most [`Film::MOST_TRACKS`].
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
    /// What the container calls it: of an attachment its file's name, of a track its title; empty for none. At most 100
    /// characters, which may be anything.
    pub name: String,
    /// Width and height in pixels, as stored; 0 where it has none.
    pub size_px: (u32, u32),
    /// The scheme that locks it, and for whom its keys are held, where the container tells: `cenc, for Widevine, PlayReady`.
    pub locked_by: Option<String>,
    /// Whether the container says that it is kept in another file, which nobody here opens.
    pub elsewhere: bool,
}

impl TrackKind {
    /// The name that records use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            TrackKind::Picture => "picture",
            TrackKind::Sound => "sound",
            TrackKind::Subtitle => "subtitle",
            TrackKind::Cover => "cover",
            TrackKind::Attachment => "attachment",
            TrackKind::Other => "other",
        }
    }
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
    /// The most tracks and attachments that are listed: what stands behind them is not.
    pub const MOST_TRACKS: usize = 1_000;

    /// The picture tracks, cover art not counted.
    pub fn pictures(&self) -> impl Iterator<Item = &Track> {
        self.tracks.iter().filter(|track| track.kind == TrackKind::Picture)
    }

    /// Why picture track number `track`, from 0, cannot be decoded by anybody: it is locked, or in another file.
    #[must_use]
    pub fn refused(&self, track: u32) -> Option<Problem> {
        let track = self.pictures().nth(track as usize)?;
        if let Some(by) = track.locked_by.clone() {
            return Some(Problem::Protected { by });
        }
        let format = self.format.map_or("a film", |format| format.row().name);
        track.elsewhere.then(|| Problem::Unsupported {
            format: format!("{format} whose pictures are in another file"),
            hint: "examine that file, where it was seized too".to_owned(),
        })
    }
}

impl Track {
    /// A still picture, a file or whatever else, of which nothing but its being there is told.
    pub(super) fn still(number: u64, kind: TrackKind, codec: &str) -> Track {
        Track {
            number,
            kind,
            codec: codec.to_owned(),
            language: String::new(),
            name: String::new(),
            size_px: (0, 0),
            locked_by: None,
            elsewhere: false,
        }
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

/// That the file ends before its container does, where the container can be read here: a program that decodes what is there may
/// not say so. Costs the reading of the heads of its outermost parts; what cannot be read is not known to be cut.
#[must_use]
pub fn cut_short(source: &Source, format: Format) -> Option<Problem> {
    let missing = caught(|| demux::missing_bytes(source, format)).unwrap_or(0);
    let before = || format!("the file ends {missing} bytes before its container does");
    (missing > 0).then(|| Problem::Damaged { detail: declared::told(format, missing).unwrap_or_else(before) })
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
