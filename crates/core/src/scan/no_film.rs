//! Where no decoder of films is built in.

use minutia_media::{Ffmpeg, Format, Problem, Source};

use super::{FilmCoverage, Request, Track};
use crate::fingerprint::{FilmFingerprinter, VpdqFrame};

/// Never made here.
pub(super) struct Seen {
    pub(super) fingerprinter: FilmFingerprinter,
    pub(super) coverage: FilmCoverage,
    pub(super) problems: Vec<Problem>,
}

/// Never known here.
#[derive(Clone)]
pub(super) struct Tracks {
    pub(super) picture: bool,
    pub(super) sound: bool,
    pub(super) listed: Vec<Track>,
}

/// Nothing is known of any container.
#[allow(clippy::unnecessary_wraps, reason = "its twin can fail")]
pub(super) fn tracks(_: &Source, _: Format) -> Result<Option<Tracks>, Problem> {
    Ok(None)
}

/// Nothing better is known here than what the parts say.
pub(super) fn empty(_: &Source, _: Format, _: Option<&Tracks>, _: Option<String>) -> Option<Problem> {
    None
}

/// Refuses all films.
pub(super) fn listed_film(
    _: &Source,
    format: Format,
    _: &Request,
    _: bool,
    _: Option<&Ffmpeg>,
) -> Result<(Vec<VpdqFrame>, FilmCoverage, Vec<Problem>), Problem> {
    Err(refused(format))
}

/// Refuses all films.
pub(super) fn read_film(_: &Source, format: Format, _: &Request, _: Option<&Ffmpeg>) -> Result<Seen, Problem> {
    Err(refused(format))
}

fn refused(format: Format) -> Problem {
    let hint = "this build reads no moving pictures".to_owned();
    Problem::Unsupported { format: format.row().name.to_owned(), hint }
}
