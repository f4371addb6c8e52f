//! Where a film's pictures come from: the `ffmpeg` program, which is several times faster, a pipe that somebody else has it
//! write into, or the decoder here. What is made of them is the same.

use std::ops::ControlFlow;

use minutia_media::decode::image::upright;
use minutia_media::decode::video::ffmpeg::Access;
use minutia_media::decode::video::{self, Decoded, Film, Frame, Selection, TrackKind, Wanted};
use minutia_media::{Ffmpeg, Format, Picture, Problem, Source};

use super::{FilmCoverage, Pass, Request};
use crate::fingerprint::{FilmFingerprinter, FilmViews, Views};

/// Frames a second that are looked at, where the request says nothing: those that thresholds were measured with.
const RATE_FPS: u32 = 8;
/// Of key frames so many a second are enough.
const KEY_FRAMES_FPS: u32 = 1;
/// Films up to so long have the views for a second look: their codes take 20 kB a second.
const SECOND_LOOK_MS: u64 = 20 * 60 * 1_000;

/// A film's pictures, as far as they were read.
pub(super) struct Seen {
    pub(super) fingerprinter: FilmFingerprinter,
    pub(super) coverage: FilmCoverage,
    pub(super) problems: Vec<Problem>,
}

/// What the container says without decoding: `None` where nobody here can read it.
pub(super) fn tracks(source: &Source, format: Format) -> Result<Option<Tracks>, Problem> {
    let film = video::describe(source, format, 0)?;
    let has = |kind| film.tracks.iter().any(|track| track.kind == kind);
    Ok((!film.tracks.is_empty()).then(|| Tracks { picture: has(TrackKind::Picture), sound: has(TrackKind::Sound) }))
}

/// Which tracks a container has.
#[derive(Clone, Copy)]
pub(super) struct Tracks {
    pub(super) picture: bool,
    pub(super) sound: bool,
}

/// What a request wants of a film's pictures: for whoever has a program decode them.
#[must_use]
pub fn film_wanted(request: &Request) -> Wanted {
    let us = |ms: u64| ms.saturating_mul(1_000);
    let span_us = request.span_ms.as_ref().map(|span| us(span.start)..us(span.end));
    let (selection, rate_fps) = match (request.pass, request.views) {
        (Pass::Triage, _) => (Selection::KeyFrames, KEY_FRAMES_FPS),
        // What is registered is every bit as the stream says.
        (Pass::Full, Views::Reference) => (Selection::All, RATE_FPS),
        (Pass::Full, Views::Query) => (Selection::Sparse, RATE_FPS),
    };
    Wanted { selection, rate_fps: Some(request.rate_fps.unwrap_or(rate_fps)), span_us, track: None }
}

/// Whether the decoders here are asked before a program is: of key frames they read no byte of the others.
#[must_use]
pub fn film_begins_here(request: &Request, format: Format) -> bool {
    request.pass == Pass::Triage && video::is_native(format)
}

/// Reads the pictures of `source`. A program is asked first where there is one, and the decoder here where nothing came of
/// that.
///
/// # Errors
/// The problem that left nothing.
pub(super) fn read_film(
    source: &Source,
    format: Format,
    request: &Request,
    ffmpeg: Option<&Ffmpeg>,
) -> Result<Seen, Problem> {
    let film = video::describe(source, format, 0)?;
    let views = match request.views {
        Views::Reference => FilmViews::Reference,
        Views::Query if request.pass == Pass::Triage => FilmViews::FirstLook,
        Views::Query if film.declared_ms.is_some_and(|ms| ms <= SECOND_LOOK_MS) => FilmViews::BothLooks,
        Views::Query => FilmViews::FirstLook,
    };
    let wanted = film_wanted(request);
    let orientation = film.orientation;
    let mut fingerprinter = match request.pass {
        Pass::Full => FilmFingerprinter::new(0, views),
        Pass::Triage => FilmFingerprinter::of_key_frames(0, views),
    };
    let mut sink = |frame: Frame| {
        if let Picture::Luma(luma) = upright(Picture::Luma(frame.luma), orientation) {
            fingerprinter.push(frame.pts_us, luma);
        }
        ControlFlow::Continue(())
    };
    let limits = &request.limits;
    if film_begins_here(request, format) {
        match video::decode(source, format, &wanted, limits, &mut sink) {
            // Nothing was handed over yet.
            Err(Problem::Unsupported { .. }) if source.piped_film().is_some() || ffmpeg.is_some() => {}
            decoded => {
                let decoded = decoded?;
                let coverage = coverage(&decoded, &film, request, views);
                return Ok(Seen { fingerprinter, coverage, problems: decoded.problems });
            }
        }
    }
    let outside = match (source.piped_film(), ffmpeg) {
        (Some(piped), _) => {
            let mut pipe = &piped.pipe;
            Some(video::decode_pipe(&mut pipe, &piped.decoder, film.clone(), &wanted, limits, &mut sink))
        }
        // An old ffmpeg opens the file anew, which touches its access time: it gets a copy, unless the film is too long.
        (None, Some(ffmpeg)) if ffmpeg.access(format) == Some(Access::Reopened) && source.file().is_some() => {
            let copy = source.read_all(limits.file_bytes).ok().map(Source::from_bytes);
            copy.map(|copy| ffmpeg.decode_film(&copy, format, &wanted, limits, &mut sink))
        }
        (None, Some(ffmpeg)) => Some(ffmpeg.decode_film(source, format, &wanted, limits, &mut sink)),
        (None, None) => None,
    };
    let decoded = match outside {
        // Nothing was handed over yet.
        None | Some(Err(_)) if video::is_native(format) => {
            let here = video::decode(source, format, &wanted, limits, &mut sink);
            match (here, outside) {
                (Err(Problem::Unsupported { .. }), Some(Err(problem))) => return Err(problem),
                (here, _) => here?,
            }
        }
        Some(decoded) => decoded?,
        None => video::decode(source, format, &wanted, limits, &mut sink)?,
    };
    let coverage = coverage(&decoded, &film, request, views);
    Ok(Seen { fingerprinter, coverage, problems: decoded.problems })
}

fn coverage(decoded: &Decoded, film: &Film, request: &Request, views: FilmViews) -> FilmCoverage {
    use minutia_media::Orientation::{Rotate90, Rotate270, Transpose, Transverse};
    let swaps = matches!(film.orientation, Transpose | Rotate90 | Transverse | Rotate270);
    let (width, height) = (decoded.film.width, decoded.film.height);
    let (width, height) = if swaps { (height, width) } else { (width, height) };
    FilmCoverage {
        decoder: decoded.decoder.clone(),
        codec: decoded.film.codec.clone(),
        width,
        height,
        tracks: u32::try_from(film.pictures().count()).unwrap_or(u32::MAX),
        frames_read: decoded.frames,
        declared_ms: film.declared_ms,
        decoded_ms: decoded.last_us.unwrap_or(0) / 1_000,
        to_the_end: decoded.to_the_end,
        second_look: views == FilmViews::BothLooks,
        key_frames: request.pass == Pass::Triage,
    }
}
