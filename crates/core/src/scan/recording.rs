//! What is made of recordings and films: an item with the fingerprint of the sound, of the pictures, or of both.

use std::ops::ControlFlow;

use minutia_media::{Ffmpeg, Format, Problem, Source};

use super::film::{self, Seen, listed_film, read_film, tracks};
use super::in_process::caught;
use super::sound::{read_sound, read_track};
use super::{Coverage, Item, Pass, Request, SoundCoverage};
use crate::fingerprint::{AudioFingerprinter, Fingerprint};

/// A recording.
pub(super) fn sound_item(
    source: &Source,
    format: Format,
    request: &Request,
    ffmpeg: Option<&Ffmpeg>,
) -> Result<Item, Problem> {
    let mut item = Item::of(format);
    item.tracks = caught(|| tracks(source, format))?.map_or_else(Vec::new, |has| has.listed);
    match request.pass {
        Pass::Full => hear(source, format, request, ffmpeg, &mut item)?,
        Pass::Triage => item.coverage.in_part = true,
    }
    Ok(item)
}

/// A film: what can be heard of it and what can be seen. A track that the container does not have is no problem, as long as
/// there is another; one that cannot be read is.
///
/// # Errors
/// Where neither can be read, what keeps it from being seen.
pub(super) fn film_item(
    source: &Source,
    format: Format,
    request: &Request,
    ffmpeg: Option<&Ffmpeg>,
) -> Result<Item, Problem> {
    let mut item = Item::of(format);
    if request.pass == Pass::Triage {
        item.coverage.in_part = true;
        see(source, format, request, ffmpeg, &mut item)?;
        return Ok(item);
    }
    let has = caught(|| tracks(source, format))?;
    item.tracks = has.as_ref().map_or_else(Vec::new, |has| has.listed.clone());
    let has = has.as_ref();
    let heard = hear(source, format, request, ffmpeg, &mut item);
    let seen = see(source, format, request, ffmpeg, &mut item);
    match (heard, seen) {
        (Ok(()), Ok(())) => {}
        (Err(of_sound), Err(of_picture)) => {
            if let (Problem::Unsupported { .. }, Problem::Unsupported { .. }) = (&of_sound, &of_picture) {
                let decoder = source.piped_film().map(|piped| piped.decoder.clone()).or(ffmpeg.map(Ffmpeg::decoder));
                if let Some(problem) = film::empty(source, format, has, decoder) {
                    return Err(problem);
                }
            }
            if let (None, Problem::Damaged { .. }, Problem::Unsupported { .. }) = (has, &of_sound, &of_picture)
                && (source.piped_film().is_some() || ffmpeg.is_some())
            {
                return Err(of_sound);
            }
            return Err(if has.is_none_or(|has| has.picture) { of_picture } else { of_sound });
        }
        // Containers whose tracks are not told here may have either alone; the program looked, and found one.
        (Ok(()), Err(Problem::Unsupported { .. })) | (Err(Problem::Unsupported { .. }), Ok(())) if has.is_none() => {}
        (Ok(()), Err(problem)) if has.is_none_or(|has| has.picture) => item.problems.push(problem),
        (Err(problem), Ok(())) if has.is_none_or(|has| has.sound) => item.problems.push(problem),
        _ => {}
    }
    Ok(item)
}

/// A film as vPDQ hashes it.
pub(super) fn vpdq_item(
    source: &Source,
    format: Format,
    request: &Request,
    every_frame: bool,
    ffmpeg: Option<&Ffmpeg>,
) -> Result<Item, Problem> {
    let (listed, film, problems) = caught(|| listed_film(source, format, request, every_frame, ffmpeg))?;
    let coverage = Coverage { film: Some(film), ..Coverage::default() };
    Ok(Item { listed, coverage, problems, ..Item::of(format) })
}

/// Sound tracks of one file that are read: a film may be dubbed into many languages, and one that declares thousands is
/// hostile.
const MOST_TRACKS: u32 = 8;

/// Adds the sound to `item`: the first track, and those further ones that can be read here.
fn hear(
    source: &Source,
    format: Format,
    request: &Request,
    ffmpeg: Option<&Ffmpeg>,
    item: &mut Item,
) -> Result<(), Problem> {
    let mut fingerprinter = fingerprinter(request, 0);
    let read = caught(|| {
        read_sound(source, format, &request.limits, ffmpeg, &mut |samples| {
            fingerprinter.push(&samples);
            ControlFlow::Continue(())
        })
    });
    let heard_ms = fingerprinter.duration_ms();
    let (mut sound, problems) = match read {
        Ok(read) => read,
        Err(problem) if heard_ms == 0 => return Err(problem),
        Err(problem) => (SoundCoverage { decoded_ms: heard_ms, ..SoundCoverage::default() }, vec![problem]),
    };
    item.problems.extend(problems);
    if request.tiers.codes {
        finish(fingerprinter, item);
    }
    let outside = source.piped().map(|piped| piped.decoder.clone()).or(ffmpeg.map(Ffmpeg::decoder));
    let by_program = outside.is_some_and(|decoder| decoder == sound.decoder);
    for track in 1..sound.tracks.min(MOST_TRACKS) {
        let mut fingerprinter = self::fingerprinter(request, track);
        let read = caught(|| {
            read_track(source, format, track, &request.limits, &mut |samples| {
                fingerprinter.push(&samples);
                ControlFlow::Continue(())
            })
        });
        match read {
            Ok(problems) => item.problems.extend(problems),
            // That it was not read is in the counts.
            Err(Problem::Unsupported { .. }) => continue,
            // Here the file cannot be opened, and the first was read by a program.
            Err(Problem::Damaged { .. }) if by_program => continue,
            Err(problem) => {
                item.problems.push(problem);
                continue;
            }
        }
        sound.tracks_read += 1;
        if request.tiers.codes {
            finish(fingerprinter, item);
        }
    }
    item.coverage.sound = Some(sound);
    Ok(())
}

fn fingerprinter(request: &Request, track: u32) -> AudioFingerprinter {
    match request.tiers.landmarks {
        true => AudioFingerprinter::new(track),
        false => AudioFingerprinter::without_peaks(track),
    }
}

fn finish(fingerprinter: AudioFingerprinter, item: &mut Item) {
    match caught(|| Ok(fingerprinter.finish())) {
        Ok(fingerprint) => item.fingerprints.push(Fingerprint::Audio(fingerprint)),
        Err(problem) => item.problems.push(problem),
    }
}

/// Adds the pictures to `item`.
fn see(
    source: &Source,
    format: Format,
    request: &Request,
    ffmpeg: Option<&Ffmpeg>,
    item: &mut Item,
) -> Result<(), Problem> {
    let Seen { mut fingerprinter, coverage, problems } = caught(|| read_film(source, format, request, ffmpeg))?;
    // The last key frame is shown until the end.
    let end_ms = coverage.declared_ms.filter(|_| coverage.key_frames && coverage.to_the_end);
    item.coverage.film = Some(coverage);
    // What the sound has told of the file already is told once.
    let more: Vec<Problem> = problems.into_iter().filter(|problem| !item.problems.contains(problem)).collect();
    item.problems.extend(more);
    if request.tiers.codes {
        let beginning = fingerprinter.beginning();
        let finish = || match end_ms {
            Some(ms) => fingerprinter.finish_at(ms.saturating_mul(1_000)),
            None => fingerprinter.finish(),
        };
        match caught(|| Ok(finish())) {
            Ok(fingerprint) => {
                item.fingerprints.extend([Some(fingerprint), beginning].into_iter().flatten().map(Fingerprint::Film));
            }
            Err(problem) => item.problems.push(problem),
        }
    }
    Ok(())
}
