//! Where a film's pictures come from: the `ffmpeg` program, which is several times faster, a pipe that somebody else has it
//! write into, or the decoder here. What is made of them is the same.

use std::ops::ControlFlow;

use minutia_media::decode::image::upright;
use minutia_media::decode::video::ffmpeg::{Access, is_told_by_end};
use minutia_media::decode::video::{self, Decoded, Film, Frame, FrameSink, Selection, TrackKind, Wanted};
use minutia_media::{Ffmpeg, Format, Limits, Picture, Problem, Source};

use super::{Exchange, FilmCoverage, Pass, Request, Track};
use crate::fingerprint::{FilmFingerprint, FilmFingerprinter, FilmViews, Views, VpdqFrame, vpdq};

/// Frames a second that are looked at, where the request says nothing: one for each sample that there may be, unless a film
/// moves so fast that it is read again.
const QUERY_FPS: u32 = 1_000 / FilmFingerprint::FAST_STEP_MS;
const REFERENCE_FPS: u32 = 1_000 / FilmFingerprint::REFERENCE_STEP_MS;
/// A decoder hands over the frames that are sampled.
const _: () = assert!(Wanted::EARLY_US == FilmFingerprint::EARLY_US);
/// Of key frames so many a second are enough.
const KEY_FRAMES_FPS: u32 = 1;
/// A film that does not say how long it is, and is larger, is taken to be too long for a second look: so are 20 minutes of more
/// than 14 million bits a second.
const SECOND_LOOK_BYTES: u64 = 2 << 30;

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
    let (picture, sound) = (has(TrackKind::Picture), has(TrackKind::Sound));
    let listed = film.tracks.into_iter().map(|track| Track {
        kind: track.kind.name().to_owned(),
        codec: track.codec,
        language: track.language,
        name: track.name,
        width: track.size_px.0,
        height: track.size_px.1,
        locked_by: track.locked_by,
    });
    let listed: Vec<Track> = listed.take(Track::MOST).collect();
    Ok((!listed.is_empty()).then_some(Tracks { picture, sound, listed }))
}

/// What keeps a film from being read in which neither pictures nor sound were found by what this build and `decoder`, a program,
/// know; `None` where that is told better by its parts.
pub(super) fn empty(source: &Source, format: Format, has: Option<&Tracks>, decoder: Option<String>) -> Option<Problem> {
    if let Some(cut_short) = video::cut_short(source, format) {
        return Some(cut_short);
    }
    let name = format.row().name;
    match (has, decoder) {
        (Some(has), _) if !has.picture && !has.sound => Some(Problem::Unsupported {
            format: format!("{name} without pictures and sound"),
            hint: "nothing in it can be compared".to_owned(),
        }),
        (None, Some(decoder)) => Some(Problem::Unsupported {
            format: format!("{name} in which {decoder} finds neither pictures nor sound"),
            hint: "it may not know the codecs, which another program may convert, or the file is damaged".to_owned(),
        }),
        _ => None,
    }
}

/// Which tracks a container has.
#[derive(Clone)]
pub(super) struct Tracks {
    pub(super) picture: bool,
    pub(super) sound: bool,
    pub(super) listed: Vec<Track>,
}

/// What a request wants of a film's pictures: for whoever has a program decode them.
#[must_use]
pub fn film_wanted(request: &Request) -> Wanted {
    // Frames are numbered, so that none may be left out.
    if matches!(request.exchange, Some(Exchange::Vpdq { .. })) {
        return Wanted::default();
    }
    let us = |ms: u64| ms.saturating_mul(1_000);
    let span_us = request.span_ms.as_ref().map(|span| us(span.start)..us(span.end));
    let (selection, rate_fps) = match (request.pass, request.views) {
        (Pass::Triage, _) => (Selection::KeyFrames, KEY_FRAMES_FPS),
        // What is registered is every bit as the stream says.
        (Pass::Full, Views::Reference) => (Selection::All, REFERENCE_FPS),
        (Pass::Full, Views::Query) => (Selection::Sparse, QUERY_FPS),
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
    let is_long = match film.declared_ms {
        Some(declared_ms) => declared_ms > FilmFingerprint::SECOND_LOOK_MS,
        None => source.len() > SECOND_LOOK_BYTES,
    };
    let views = match request.views {
        Views::Reference => FilmViews::Reference,
        Views::Query if request.pass == Pass::Triage => FilmViews::FirstLook,
        Views::Query => FilmViews::BothLooks,
    };
    let wanted = film_wanted(request);
    let orientation = film.orientation;
    let mut fingerprinter = match request.pass {
        Pass::Full => FilmFingerprinter::new(0, views),
        Pass::Triage => FilmFingerprinter::of_key_frames(0, views),
    };
    if is_long {
        fingerprinter = fingerprinter.second_look_until(FilmFingerprint::BEGINNING_MS);
    }
    let mut sink = |frame: Frame| {
        if let Picture::Luma(luma) = upright(Picture::Luma(frame.luma), orientation) {
            fingerprinter.push(frame.pts_us, luma);
        }
        ControlFlow::Continue(())
    };
    let mut decoded = frames(source, format, &film, &wanted, request, ffmpeg, &mut sink)?;
    // How a program ended is told last: whoever reads the pipe of somebody else's learns it later than all other problems.
    let by_end = decoded.problems.pop_if(|problem| is_told_by_end(problem));
    let known = |problem: &Problem| matches!(problem, Problem::Damaged { .. } | Problem::Limit { .. });
    if !decoded.problems.iter().any(known) {
        decoded.problems.extend(video::cut_short(source, format));
    }
    decoded.problems.extend(by_end);
    let coverage = coverage(&decoded, &film, request, fingerprinter.has_second_look());
    Ok(Seen { fingerprinter, coverage, problems: decoded.problems })
}

/// Has the frames that are wanted decoded: by a pipe that somebody else fills, by a program, or here.
fn frames(
    source: &Source,
    format: Format,
    film: &Film,
    wanted: &Wanted,
    request: &Request,
    ffmpeg: Option<&Ffmpeg>,
    sink: FrameSink<'_>,
) -> Result<Decoded, Problem> {
    if let Some(problem) = film.refused(0) {
        return Err(problem);
    }
    let limits = &request.limits;
    if film_begins_here(request, format) {
        match video::decode(source, format, wanted, limits, sink) {
            // Nothing was handed over yet.
            Err(Problem::Unsupported { .. }) if source.piped_film().is_some() || ffmpeg.is_some() => {}
            decoded => return decoded,
        }
    }
    let outside = match (source.piped_film(), ffmpeg) {
        (Some(piped), _) => {
            let mut pipe = &piped.pipe;
            Some(video::decode_pipe(&mut pipe, &piped.decoder, film.clone(), wanted, limits, sink))
        }
        // An old ffmpeg opens the file anew, which touches its access time: it gets a copy, unless the film is too long.
        (None, Some(ffmpeg)) if ffmpeg.access(format) == Some(Access::Reopened) && source.file().is_some() => {
            let copy = source.read_all(limits.file_bytes).ok().map(Source::from_bytes);
            copy.map(|copy| ffmpeg.decode_film(&copy, format, wanted, limits, sink))
        }
        (None, Some(ffmpeg)) => Some(ffmpeg.decode_film(source, format, wanted, limits, sink)),
        (None, None) => None,
    };
    match outside {
        // Nothing was handed over yet.
        None | Some(Err(_)) if video::is_native(format) => {
            let here = video::decode(source, format, wanted, limits, sink);
            match (here, outside) {
                (Err(Problem::Unsupported { .. }), Some(Err(problem)))
                | (Err(Problem::Damaged { .. }), Some(Err(problem @ Problem::Crashed { .. }))) => Err(problem),
                (here, _) => here,
            }
        }
        Some(decoded) => decoded,
        None => video::decode(source, format, wanted, limits, sink),
    }
}

/// A film as vPDQ hashes it: each frame, or of each second from the first frame on the first. Frames are taken as they are
/// stored, and those that the container hides are not counted. A program is asked first, as for a scan.
///
/// # Errors
/// The problem that left nothing. What went wrong behind that is in [`Decoded::problems`].
pub fn read_vpdq(
    source: &Source,
    format: Format,
    limits: &Limits,
    every_frame: bool,
    ffmpeg: Option<&Ffmpeg>,
) -> Result<(Vec<VpdqFrame>, Decoded), Problem> {
    let request = Request { limits: *limits, exchange: Some(Exchange::Vpdq { every_frame }), ..Request::query() };
    let film = video::describe(source, format, 0)?;
    listed(source, format, &film, &request, every_frame, ffmpeg)
}

/// The same, and how much of the film was read.
pub(super) fn listed_film(
    source: &Source,
    format: Format,
    request: &Request,
    every_frame: bool,
    ffmpeg: Option<&Ffmpeg>,
) -> Result<(Vec<VpdqFrame>, FilmCoverage, Vec<Problem>), Problem> {
    let film = video::describe(source, format, 0)?;
    let (frames, decoded) = listed(source, format, &film, request, every_frame, ffmpeg)?;
    let coverage = coverage(&decoded, &film, request, false);
    Ok((frames, coverage, decoded.problems))
}

fn listed(
    source: &Source,
    format: Format,
    film: &Film,
    request: &Request,
    every_frame: bool,
    ffmpeg: Option<&Ffmpeg>,
) -> Result<(Vec<VpdqFrame>, Decoded), Problem> {
    let (mut listed, mut number, mut first_us, mut next_us) = (Vec::new(), 0, None, 0);
    let mut sink = |frame: Frame| {
        let time_us = frame.pts_us - *first_us.get_or_insert(frame.pts_us);
        let Ok(time_ms) = u32::try_from((time_us + 500) / 1_000) else { return ControlFlow::Break(()) };
        if every_frame || time_us >= next_us {
            next_us = (time_us / 1_000_000 + 1) * 1_000_000;
            let hash = vpdq(&frame.luma);
            listed.push(VpdqFrame { time_ms, number, quality: hash.quality, code: hash.code });
        }
        number += 1;
        ControlFlow::Continue(())
    };
    let decoded = frames(source, format, film, &film_wanted(request), request, ffmpeg, &mut sink)?;
    Ok((listed, decoded))
}

fn coverage(decoded: &Decoded, film: &Film, request: &Request, second_look: bool) -> FilmCoverage {
    use minutia_media::Orientation::{Rotate90, Rotate270, Transpose, Transverse};
    let swaps = matches!(film.orientation, Transpose | Rotate90 | Transverse | Rotate270);
    let (width, height) = (decoded.film.width, decoded.film.height);
    let (width, height) = if swaps { (height, width) } else { (width, height) };
    // Of no frame: what the container says, which may be impossible.
    let possible = u64::from(width) * u64::from(height) <= request.limits.film_pixels;
    let (width, height) = if possible { (width, height) } else { (0, 0) };
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
        second_look,
        key_frames: request.pass == Pass::Triage,
    }
}
