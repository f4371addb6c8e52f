//! What the parent believes of an item that a worker sent.

use minutia::fingerprint::{AudioFingerprint, FilmFingerprint, Fingerprint, ImageFingerprint, Peak, Thumbnail, Views};
use minutia::scan::{Exchange, Item, Request, Track};
use minutia_media::decode::image::PREVIEW_MAX_PX;
use minutia_media::{Limits, Preview, Problem};

use super::{
    MAX_DEPTH, MAX_PEAKS_A_SECOND, MAX_PREVIEW_BYTES, MAX_PROBLEMS, MAX_STREAMS, MAX_TEXT_BYTES, MAX_VIEWS, WireError,
};

/// Looks through an item that was made for `request`: whatever a reader of ours could make passes, and everything
/// behind this door may rely on what it says.
///
/// # Errors
/// The first thing that no reader makes.
pub fn check_item(item: &Item, request: &Request) -> Result<(), WireError> {
    at_most("levels of members", item.member.len(), MAX_DEPTH)?;
    item.member.iter().try_for_each(|name| check_text(name))?;
    at_most("problems", item.problems.len(), MAX_PROBLEMS)?;
    item.problems.iter().try_for_each(check_problem)?;
    let coverage = &item.coverage;
    let pictures = item.fingerprints.iter().filter_map(Fingerprint::image).count();
    possible("number of frames", coverage.frames_kept as usize == pictures)?;
    at_most("audio and video streams", item.fingerprints.len() - pictures, MAX_STREAMS)?;
    possible("number of frames", coverage.frames_kept <= coverage.frames_read)?;
    at_most("frames", coverage.frames_read as usize, request.limits.frames.max(1) as usize)?;
    possible("number of rows", coverage.partial_rows.is_none_or(|(read, declared)| read <= declared))?;
    at_most("tracks", item.tracks.len(), Track::MOST)?;
    for Track { kind, codec, language, name, locked_by, .. } in &item.tracks {
        [kind, codec, language, name].into_iter().chain(locked_by).try_for_each(|text| check_text(text))?;
    }
    if let Some(sound) = &coverage.sound {
        check_text(&sound.decoder)?;
        check_text(&sound.codec)?;
        possible("length of sound", sound.decoded_ms <= u64::from(request.limits.audio_seconds) * 1_000)?;
    }
    if let Some(film) = &coverage.film {
        check_text(&film.decoder)?;
        check_text(&film.codec)?;
        possible("size of a film", u64::from(film.width) * u64::from(film.height) <= request.limits.film_pixels)?;
        possible("number of frames", film.frames_read <= request.limits.film_frames)?;
        possible("length of a film", film.decoded_ms <= u64::from(request.limits.film_seconds) * 1_000)?;
    }
    check_listed(item, request)?;
    for fingerprint in &item.fingerprints {
        match fingerprint {
            Fingerprint::Image(image) => check_image(image, &request.limits)?,
            Fingerprint::Audio(audio) => check_audio(audio)?,
            Fingerprint::Film(film) => check_film(film, request)?,
        }
    }
    item.preview.as_ref().map_or(Ok(()), |preview| check_preview(preview, request.preview_px))
}

/// Looks through a problem.
///
/// # Errors
/// [`WireError::TooMany`] for texts longer than [`MAX_TEXT_BYTES`].
pub fn check_problem(problem: &Problem) -> Result<(), WireError> {
    match problem {
        Problem::Io { during: a, error: b } | Problem::Unsupported { format: a, hint: b } => {
            check_text(a)?;
            check_text(b)
        }
        Problem::NotMedia { found: text }
        | Problem::Protected { by: text }
        | Problem::Damaged { detail: text }
        | Problem::Crashed { detail: text } => check_text(text),
        Problem::Limit { .. } | Problem::TimedOut { .. } => Ok(()),
        _ => Err(WireError::Value { what: "problem" }),
    }
}

fn check_listed(item: &Item, request: &Request) -> Result<(), WireError> {
    let wanted = matches!(request.exchange, Some(Exchange::Vpdq { .. }));
    possible("list of frames", wanted || item.listed.is_empty())?;
    let read = item.coverage.film.as_ref().map_or(0, |film| film.frames_read);
    possible("number of frames", item.listed.last().is_none_or(|frame| frame.number < read))?;
    possible("order of frames", item.listed.is_sorted_by(|a, b| a.number < b.number))?;
    possible("quality", item.listed.iter().all(|frame| frame.quality <= 100))
}

fn check_image(image: &ImageFingerprint, limits: &Limits) -> Result<(), WireError> {
    let (width, height) = (image.width, image.height);
    possible("size of a picture", width > 0 && height > 0 && width.max(height) <= limits.side_px)?;
    possible("size of a picture", u64::from(width) * u64::from(height) <= limits.pixels)?;
    at_most("views", image.views.len(), MAX_VIEWS)?;
    for view in &image.views {
        let region = &view.region;
        // Empty after rounding is possible: one pixel of sixty thousand.
        possible("region", region.left <= region.right && region.right <= 10_000)?;
        possible("region", region.top <= region.bottom && region.bottom <= 10_000)?;
        possible("quality", view.quality <= 100)?;
    }
    Ok(())
}

fn check_audio(audio: &AudioFingerprint) -> Result<(), WireError> {
    // A second more than it lasts: windows begin before its start and end after its end.
    let window_ms = audio.duration_ms.saturating_add(1_000);
    let last_time = window_ms as f64 / 1_000.0 / Peak::TIME_UNIT;
    possible("length of content", audio.content_ms <= window_ms)?;
    for peaks in [&audio.mid, &audio.side] {
        let allowed = window_ms.saturating_mul(MAX_PEAKS_A_SECOND) / 1_000;
        at_most("peaks", peaks.len(), usize::try_from(allowed).unwrap_or(usize::MAX))?;
        possible("pitch", peaks.iter().all(|peak| peak.pitch < Peak::PITCHES))?;
        possible("order of peaks", peaks.is_sorted())?;
        possible("time of a peak", peaks.last().is_none_or(|peak| f64::from(peak.time) <= last_time))?;
    }
    // 1,365 samples of 11,025 a second each.
    let allowed = u128::from(window_ms) * 11_025 / 1_365_000;
    at_most("Chromaprint items", audio.chromaprint.len(), usize::try_from(allowed).unwrap_or(usize::MAX))
}

fn check_film(film: &FilmFingerprint, request: &Request) -> Result<(), WireError> {
    possible("size of a film", u64::from(film.width) * u64::from(film.height) <= request.limits.film_pixels)?;
    // The last frame is taken to stay as long as the one before it, which is no longer than the film.
    possible("length of a film", film.duration_ms <= u64::from(request.limits.film_seconds) * 2_000)?;
    at_most("views", film.views.len(), MAX_VIEWS)?;
    for view in &film.views {
        let [left, top, right, bottom] = view.crop;
        possible("part of a frame", left < right && right <= 1_000 && top < bottom && bottom <= 1_000)?;
        possible("turn of a frame", (-90..=90).contains(&view.degrees))?;
    }
    let by_steps = film.duration_ms / u64::from(FilmFingerprint::FAST_STEP_MS) + 2;
    let by_frames = film.duration_ms / u64::from(FilmFingerprint::FRAME_STEP_MS);
    let allowed = by_steps + by_frames.min(FilmFingerprint::MOST_FRAME_BY_FRAME.into());
    at_most("frames", film.frames.len(), usize::try_from(allowed).unwrap_or(usize::MAX))?;
    possible("order of frames", film.frames.is_sorted_by(|a, b| a.time_ms < b.time_ms))?;
    let last = film.frames.last().map_or(0, |frame| u64::from(frame.time_ms));
    possible("time of a frame", last <= film.duration_ms)?;
    possible("quality", film.frames.iter().all(|frame| frame.quality <= 100))?;
    possible("number of codes", film.frames.len().checked_mul(film.views.len()) == Some(film.codes.len()))?;
    possible("order of thumbnails", film.thumbnails.is_sorted_by(|a, b| a.frame <= b.frame))?;
    let allowed = film.frames.len().saturating_mul(Thumbnail::MOST);
    at_most("thumbnails", film.thumbnails.len(), allowed)?;
    let last = film.thumbnails.last().map_or(0, |thumbnail| thumbnail.frame as usize);
    possible("number of a thumbnail", film.thumbnails.is_empty() || last < film.frames.len())?;
    let whole = |thumbnail: &Thumbnail| thumbnail.levels.len() == Thumbnail::SIDE * Thumbnail::SIDE;
    possible("size of a thumbnail", film.thumbnails.iter().all(whole))?;
    possible("film", request.views == Views::Query || film.is_reference())
}

fn check_preview(preview: &Preview, wanted_px: Option<u16>) -> Result<(), WireError> {
    let wanted_px = wanted_px.map_or(0, |px| u32::from(px.clamp(1, PREVIEW_MAX_PX)));
    let (width, height) = (preview.width, preview.height);
    possible("size of a preview", width > 0 && height > 0 && width.max(height) <= wanted_px)?;
    at_most("bytes of a preview", preview.jpeg.len(), MAX_PREVIEW_BYTES)?;
    possible("preview", preview.jpeg.starts_with(&[0xff, 0xd8, 0xff]))
}

fn check_text(text: &str) -> Result<(), WireError> {
    at_most("bytes of text", text.len(), MAX_TEXT_BYTES)
}

pub(super) fn at_most(what: &'static str, found: usize, allowed: usize) -> Result<(), WireError> {
    if found <= allowed {
        return Ok(());
    }
    Err(WireError::TooMany { what, found: found as u64, allowed: allowed as u64 })
}

pub(super) fn possible(what: &'static str, holds: bool) -> Result<(), WireError> {
    if holds { Ok(()) } else { Err(WireError::Value { what }) }
}
