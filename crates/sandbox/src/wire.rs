//! The wire: frames between parent and worker, and what the parent believes of them.
//!
//! A frame is the length of its payload (`u32`, little-endian, at most [`MAX_FRAME_BYTES`]), the protocol's version (one
//! byte) and the payload in postcard's format (<https://postcard.jamesmunns.com/wire-format>). The parent sends [`Ask`]s,
//! the worker [`Answer`]s. The long lists of recordings and films travel ahead of their item, in [`Piece`]s. The parent
//! treats the worker as hostile: no memory is taken for bytes that have not come, and an item is looked through by
//! [`check_item`] before anybody else sees it.

use std::collections::BTreeMap;

use minutia::fingerprint::{
    AudioFingerprint, Code, FilmFingerprint, FilmFrame, Fingerprint, ImageFingerprint, Peak, Views,
};
use minutia::scan::{Item, Request};
use minutia_media::decode::image::PREVIEW_MAX_PX;
use minutia_media::{Limits, Preview, Problem};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::confine::Confinement;

/// The version of this protocol. Parent and worker are the same program, so that no other version is ever understood.
pub const PROTOCOL: u8 = 5;

/// What both sides must have in common.
pub const BUILD: &str = concat!("minutia-sandbox ", env!("CARGO_PKG_VERSION"));

/// The longest payload: an animation of a thousand distinct frames takes about a third of it. In memory a payload can grow
/// to some thirty times its length (a list of empty names), which this bounds too.
pub const MAX_FRAME_BYTES: usize = 8 << 20;

/// The most bytes that a worker may answer for one source: a recording of a day at a hundred peaks a second in each of
/// two mixes takes about 140 MB, the pictures of a film of a day with 28 views of each frame about 310 MB.
pub const MAX_ANSWER_BYTES: usize = 512 << 20;

/// The most numbers in one piece: some 2 MiB.
pub const MAX_PIECE: usize = 1 << 18;

/// The most peaks and Chromaprint items in all pieces of one source: two days at a hundred peaks a second in each of two
/// mixes. They take eight bytes each in memory.
pub const MAX_SOUND: usize = 36_000_000;

/// The most codes of films in one piece: 2 MiB.
pub const MAX_CODES_IN_PIECE: usize = 1 << 16;

/// The most codes and frames of films in all pieces of one source: a day with 28 views of each frame.
pub const MAX_FILM: usize = 11_000_000;

/// The most audio and video streams of one item.
pub const MAX_STREAMS: usize = 256;

/// The most peaks of one mix in a second, over a whole recording.
pub const MAX_PEAKS_A_SECOND: u64 = 500;

/// The most items of one source.
pub const MAX_ITEMS: usize = 1_024;

/// The most views of one fingerprint.
pub const MAX_VIEWS: usize = 256;

/// The most problems of one item.
pub const MAX_PROBLEMS: usize = 256;

/// The longest text inside a problem or a member's name, in bytes.
pub const MAX_TEXT_BYTES: usize = 4_096;

/// The deepest nesting of members.
pub const MAX_DEPTH: usize = 16;

/// The longest preview in bytes: 512 x 512 px as JPEG stay far below.
pub const MAX_PREVIEW_BYTES: usize = 1 << 20;

const HEADER_BYTES: usize = 5;

/// From parent to worker.
#[derive(Debug, Serialize, Deserialize)]
pub enum Ask {
    /// The first frame: confine yourself and say so.
    Start {
        /// The limit of the address space.
        address_space_bytes: u64,
    },
    /// Read the first descriptor that comes beside this frame.
    Read {
        /// How.
        request: Request,
        /// Processor time that it may take.
        cpu_seconds: u64,
        /// The program that decodes its sound into the pipe that is the next descriptor.
        sound: Option<String>,
        /// The program that decodes its pictures into the pipe that is the descriptor after that.
        film: Option<String>,
    },
}

/// From worker to parent.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[allow(clippy::large_enum_variant, reason = "one at a time is held, and most are items")]
pub enum Answer {
    /// Confined and ready.
    Ready {
        /// The worker's [`BUILD`].
        build: String,
        /// What confines it.
        confinement: Confinement,
    },
    /// A piece of a recording or a film in the item that comes next: it belongs at the end of its list.
    Piece {
        /// Its place among the item's fingerprints.
        of: u32,
        /// The piece.
        piece: Piece,
    },
    /// An item of the source, without what came in pieces.
    Item(Item),
    /// The end of the source.
    Done(Result<(), Problem>),
}

/// A piece of a list of a recording or a film, at most [`MAX_PIECE`] long, of codes [`MAX_CODES_IN_PIECE`].
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub enum Piece {
    /// Peaks of the mean of the channels.
    Mid(Vec<Peak>),
    /// Peaks of half their difference.
    Side(Vec<Peak>),
    /// Chromaprint items.
    Chromaprint(Vec<u32>),
    /// Frames of a film.
    Frames(Vec<FilmFrame>),
    /// Codes of a film.
    Codes(Vec<Code>),
}

/// Bytes that are no frame of this protocol, or values that no reader makes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// Another version, or no frame at all.
    #[error("a frame of protocol {found} where {PROTOCOL} was expected")]
    Version {
        /// The version byte.
        found: u8,
    },
    /// More than is allowed.
    #[error("{found} {what} where at most {allowed} are allowed")]
    TooMany {
        /// What was counted.
        what: &'static str,
        /// How many.
        found: u64,
        /// The most.
        allowed: u64,
    },
    /// The payload is not what postcard writes for this message.
    #[error("a payload of {len} bytes that is no message")]
    Payload {
        /// Its length.
        len: usize,
    },
    /// A value that no reader makes.
    #[error("an impossible {what}")]
    Value {
        /// Which.
        what: &'static str,
    },
    /// A message that has no place here.
    #[error("a message out of turn")]
    Turn,
}

/// Frames a message.
///
/// # Errors
/// [`WireError::TooMany`] for a message longer than [`MAX_FRAME_BYTES`].
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, WireError> {
    let mut frame = postcard::to_extend(message, vec![0; HEADER_BYTES]).map_err(|_| WireError::Payload { len: 0 })?;
    let len = frame.len() - HEADER_BYTES;
    at_most("bytes in a frame", len, MAX_FRAME_BYTES)?;
    let len = u32::try_from(len).map_err(|_| WireError::Payload { len })?;
    frame[..4].copy_from_slice(&len.to_le_bytes());
    frame[4] = PROTOCOL;
    Ok(frame)
}

/// Takes the first complete frame off the front of `bytes`; `None` while it has not all come.
///
/// # Errors
/// What makes it no frame; nothing behind it can be understood any more.
pub fn take<T: DeserializeOwned>(bytes: &mut Vec<u8>) -> Result<Option<T>, WireError> {
    let Some((&[a, b, c, d, version], rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else { return Ok(None) };
    let len = u32::from_le_bytes([a, b, c, d]) as usize;
    if version != PROTOCOL {
        return Err(WireError::Version { found: version });
    }
    at_most("bytes in a frame", len, MAX_FRAME_BYTES)?;
    let Some(payload) = rest.get(..len) else { return Ok(None) };
    let message = match postcard::take_from_bytes(payload) {
        Ok((message, [])) => message,
        _ => return Err(WireError::Payload { len }),
    };
    bytes.drain(..HEADER_BYTES + len);
    Ok(Some(message))
}

/// The answers that hand over an item: pieces of its sound and its pictures first.
///
/// # Errors
/// The first of `send`.
pub fn hand_over<E>(mut item: Item, send: &mut dyn FnMut(Answer) -> Result<(), E>) -> Result<(), E> {
    for (of, fingerprint) in (0_u32..).zip(&mut item.fingerprints) {
        if let Fingerprint::Film(film) = fingerprint {
            for frames in std::mem::take(&mut film.frames).chunks(MAX_PIECE) {
                send(Answer::Piece { of, piece: Piece::Frames(frames.to_vec()) })?;
            }
            for codes in std::mem::take(&mut film.codes).chunks(MAX_CODES_IN_PIECE) {
                send(Answer::Piece { of, piece: Piece::Codes(codes.to_vec()) })?;
            }
        }
        let Fingerprint::Audio(audio) = fingerprint else { continue };
        for peaks in std::mem::take(&mut audio.mid).chunks(MAX_PIECE) {
            send(Answer::Piece { of, piece: Piece::Mid(peaks.to_vec()) })?;
        }
        for peaks in std::mem::take(&mut audio.side).chunks(MAX_PIECE) {
            send(Answer::Piece { of, piece: Piece::Side(peaks.to_vec()) })?;
        }
        for items in std::mem::take(&mut audio.chromaprint).chunks(MAX_PIECE) {
            send(Answer::Piece { of, piece: Piece::Chromaprint(items.to_vec()) })?;
        }
    }
    send(Answer::Item(item))
}

/// The long lists of one source, as they come in.
#[derive(Debug, Default)]
pub struct Pieces {
    of_sound: usize,
    of_film: usize,
    sounds: BTreeMap<u32, AudioFingerprint>,
    films: BTreeMap<u32, FilmFingerprint>,
}

impl Pieces {
    /// Puts a piece to those before it.
    ///
    /// # Errors
    /// [`WireError::TooMany`] for more than [`MAX_SOUND`] numbers of sound or [`MAX_FILM`] of films, for a piece that is too
    /// long and for more than [`MAX_STREAMS`] lists.
    pub fn take(&mut self, of: u32, piece: Piece) -> Result<(), WireError> {
        let (len, most, all, allowed) = match &piece {
            Piece::Mid(peaks) | Piece::Side(peaks) => (peaks.len(), MAX_PIECE, &mut self.of_sound, MAX_SOUND),
            Piece::Chromaprint(items) => (items.len(), MAX_PIECE, &mut self.of_sound, MAX_SOUND),
            Piece::Frames(frames) => (frames.len(), MAX_PIECE, &mut self.of_film, MAX_FILM),
            Piece::Codes(codes) => (codes.len(), MAX_CODES_IN_PIECE, &mut self.of_film, MAX_FILM),
        };
        at_most("numbers in a piece", len, most)?;
        *all = all.saturating_add(len);
        let what = if allowed == MAX_SOUND { "peaks and items of sound" } else { "codes and frames of films" };
        at_most(what, *all, allowed)?;
        match piece {
            Piece::Mid(peaks) => self.sounds.entry(of).or_default().mid.extend(peaks),
            Piece::Side(peaks) => self.sounds.entry(of).or_default().side.extend(peaks),
            Piece::Chromaprint(items) => self.sounds.entry(of).or_default().chromaprint.extend(items),
            Piece::Frames(frames) => self.films.entry(of).or_default().frames.extend(frames),
            Piece::Codes(codes) => self.films.entry(of).or_default().codes.extend(codes),
        }
        at_most("audio and video streams", self.sounds.len() + self.films.len(), MAX_STREAMS)
    }

    /// Gives an item what came of it before.
    ///
    /// # Errors
    /// [`WireError::Value`] for pieces of what is no recording or no film of the item.
    pub fn complete(&mut self, item: &mut Item) -> Result<(), WireError> {
        for (of, came) in std::mem::take(&mut self.sounds) {
            let Some(Fingerprint::Audio(audio)) = item.fingerprints.get_mut(of as usize) else {
                return Err(WireError::Value { what: "piece of sound" });
            };
            possible("list beside its pieces", audio.mid.is_empty() && audio.side.is_empty())?;
            possible("list beside its pieces", audio.chromaprint.is_empty())?;
            (audio.mid, audio.side, audio.chromaprint) = (came.mid, came.side, came.chromaprint);
        }
        for (of, came) in std::mem::take(&mut self.films) {
            let Some(Fingerprint::Film(film)) = item.fingerprints.get_mut(of as usize) else {
                return Err(WireError::Value { what: "piece of a film" });
            };
            possible("list beside its pieces", film.frames.is_empty() && film.codes.is_empty())?;
            (film.frames, film.codes) = (came.frames, came.codes);
        }
        Ok(())
    }

    /// Whether everything that came belonged to an item.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.sounds.is_empty() && self.films.is_empty()
    }
}

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
    let allowed = film.duration_ms / u64::from(FilmFingerprint::QUERY_STEP_MS) + 2;
    at_most("frames", film.frames.len(), usize::try_from(allowed).unwrap_or(usize::MAX))?;
    possible("order of frames", film.frames.is_sorted_by(|a, b| a.time_ms < b.time_ms))?;
    let last = film.frames.last().map_or(0, |frame| u64::from(frame.time_ms));
    possible("time of a frame", last <= film.duration_ms)?;
    possible("quality", film.frames.iter().all(|frame| frame.quality <= 100))?;
    possible("number of codes", film.frames.len().checked_mul(film.views.len()) == Some(film.codes.len()))?;
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

fn at_most(what: &'static str, found: usize, allowed: usize) -> Result<(), WireError> {
    if found <= allowed {
        return Ok(());
    }
    Err(WireError::TooMany { what, found: found as u64, allowed: allowed as u64 })
}

fn possible(what: &'static str, holds: bool) -> Result<(), WireError> {
    if holds { Ok(()) } else { Err(WireError::Value { what }) }
}

#[cfg(test)]
mod tests {
    use minutia::fingerprint::{Code, Dihedral, FilmBase, FilmView, Region, RegionKind, View};
    use minutia::scan::{Coverage, FilmCoverage, SoundCoverage};
    use minutia_media::{Format, LimitKind, Orientation};
    use proptest::prelude::*;

    use super::*;

    fn sound() -> Item {
        let region = Region { kind: RegionKind::Crop, left: 1, top: 2, right: 10_000, bottom: 9_999 };
        let view = View { region, turn: Dihedral::FlipX, code: Code([9; 32]), quality: 100, plain_rim: 255 };
        let image = ImageFingerprint {
            frame: 3,
            time_ms: 40,
            width: 600,
            height: 400,
            orientation: Orientation::Rotate90,
            views: vec![view; MAX_VIEWS],
        };
        Item {
            member: vec!["archive".to_owned(); MAX_DEPTH],
            format: Some(Format::Png),
            coverage: Coverage {
                frames_read: 2,
                frames_kept: 1,
                partial_rows: Some((7, 7)),
                sound: Some(heard()),
                film: Some(seen()),
                in_part: true,
            },
            fingerprints: vec![Fingerprint::Image(image), Fingerprint::Audio(recording()), Fingerprint::Film(film())],
            preview: Some(Preview { width: 64, height: 48, jpeg: vec![0xff, 0xd8, 0xff, 0xe0] }),
            problems: vec![Problem::Limit { limit: LimitKind::Frames, allowed: 2, found: 3 }; MAX_PROBLEMS],
        }
    }

    fn recording() -> AudioFingerprint {
        let peak = |place: u32| Peak { time: place / 2, pitch: 7 + (place % 2) as u16, rank: 9 };
        AudioFingerprint {
            stream: 1,
            duration_ms: 3_000,
            content_ms: 2_900,
            mid: (0..600).map(peak).collect(),
            side: (0..3).map(peak).collect(),
            chromaprint: vec![u32::MAX; 20],
        }
    }

    fn heard() -> SoundCoverage {
        let (decoder, codec) = ("symphonia 0.6.1".to_owned(), "MP3".to_owned());
        SoundCoverage { decoder, codec, tracks: 1, declared_ms: Some(2_000), decoded_ms: 1_000 }
    }

    fn film() -> FilmFingerprint {
        let view =
            FilmView { base: FilmBase::Framed(3), crop: [0, 0, 1_000, 999], degrees: -4, turn: Dihedral::Rotate90 };
        let frame = |n: u32| FilmFrame { time_ms: 250 * n, quality: 100, wide: true };
        FilmFingerprint {
            stream: 0,
            duration_ms: 1_000,
            width: 64,
            height: 48,
            views: vec![view; MAX_VIEWS],
            frames: (0..5).map(frame).collect(),
            codes: vec![Code([7; 32]); 5 * MAX_VIEWS],
        }
    }

    fn seen() -> FilmCoverage {
        FilmCoverage { width: 64, height: 48, decoded_ms: 1_000, frames_read: 25, ..FilmCoverage::default() }
    }

    fn request() -> Request {
        let mut request = Request::query();
        request.preview_px = Some(64);
        request.limits.frames = 2;
        request.limits.audio_seconds = 1;
        request.limits.film_seconds = 1;
        request
    }

    #[test]
    fn what_is_framed_comes_back_byte_by_byte() {
        let answers =
            [Answer::Item(sound()), Answer::Done(Err(Problem::TimedOut { after_ms: 5 })), Answer::Done(Ok(()))];
        let sent: Vec<u8> = answers.iter().flat_map(|answer| encode(answer).unwrap()).collect();
        let mut inbox = Vec::new();
        let mut received = Vec::new();
        for byte in sent {
            inbox.push(byte);
            received.extend(take::<Answer>(&mut inbox).unwrap());
        }
        assert_eq!(received, answers);
        assert!(inbox.is_empty());
    }

    #[test]
    fn long_lists_travel_in_pieces_and_come_back_whole() {
        let mut sent = sound();
        let Fingerprint::Audio(audio) = &mut sent.fingerprints[1] else { panic!("a recording") };
        audio.duration_ms = 36_000_000;
        audio.mid = (0..2 * MAX_PIECE as u32 + 5).map(|time| Peak { time, pitch: 2_047, rank: 255 }).collect();
        let mut answers = Vec::new();
        let mut send = |answer: Answer| {
            let frame = encode(&answer)?;
            answers.push(frame);
            Ok::<(), WireError>(())
        };
        hand_over(sent.clone(), &mut send).unwrap();
        // Three of the mid mix, one each of the side mix, the items, frames and codes, and the item.
        assert_eq!(answers.len(), 8);
        let mut inbox = answers.concat();
        let mut pieces = Pieces::default();
        while let Some(answer) = take::<Answer>(&mut inbox).unwrap() {
            match answer {
                Answer::Piece { of, piece } => pieces.take(of, piece).unwrap(),
                Answer::Item(mut item) => {
                    pieces.complete(&mut item).unwrap();
                    assert_eq!(item, sent);
                    assert_eq!(check_item(&item, &request()), Ok(()));
                    assert!(pieces.is_settled());
                    // Of a picture, of nothing, and beside a list that is there.
                    for of in [0, 9, 1] {
                        pieces.take(of, Piece::Side(Vec::new())).unwrap();
                        assert!(pieces.complete(&mut item).is_err());
                    }
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(pieces.take(0, Piece::Chromaprint(vec![0; MAX_PIECE + 1])).is_err());
        let full = (0..200).find_map(|_| pieces.take(0, Piece::Chromaprint(vec![0; MAX_PIECE])).err());
        assert!(full.is_some(), "without end");
        let mut pieces = Pieces::default();
        assert!((0..).find_map(|of| pieces.take(of, Piece::Mid(Vec::new())).err()).is_some());
    }

    #[test]
    fn a_reader_can_make_no_item_that_is_refused() {
        assert_eq!(check_item(&sound(), &request()), Ok(()));
        let bare = Item { fingerprints: Vec::new(), preview: None, problems: Vec::new(), ..sound() };
        let bare = Item { coverage: Coverage::default(), format: None, member: Vec::new(), ..bare };
        assert_eq!(check_item(&bare, &Request::reference()), Ok(()));
    }

    #[test]
    fn each_impossible_value_is_refused() {
        type Forge = fn(&mut Item);
        fn image(item: &mut Item) -> &mut ImageFingerprint {
            let Fingerprint::Image(image) = &mut item.fingerprints[0] else { panic!("a picture") };
            image
        }
        fn audio(item: &mut Item) -> &mut AudioFingerprint {
            let Fingerprint::Audio(audio) = &mut item.fingerprints[1] else { panic!("a recording") };
            audio
        }
        fn film(item: &mut Item) -> &mut FilmFingerprint {
            let Fingerprint::Film(film) = &mut item.fingerprints[2] else { panic!("a film") };
            film
        }
        let forgeries: &[(&str, Forge)] = &[
            ("too deep", |item| item.member.push(String::new())),
            ("a long name", |item| item.member[0] = "x".repeat(MAX_TEXT_BYTES + 1)),
            ("many problems", |item| item.problems.push(Problem::TimedOut { after_ms: 1 })),
            ("a long problem", |item| item.problems[0] = Problem::Damaged { detail: "x".repeat(MAX_TEXT_BYTES + 1) }),
            ("a long hint", |item| {
                item.problems[0] = Problem::Unsupported { format: String::new(), hint: "x".repeat(MAX_TEXT_BYTES + 1) };
            }),
            ("a frame that was not kept", |item| item.coverage.frames_kept = 2),
            ("more kept than read", |item| item.coverage.frames_read = 0),
            ("more frames than allowed", |item| item.coverage.frames_read = 3),
            ("more rows than declared", |item| item.coverage.partial_rows = Some((8, 7))),
            ("more sound than allowed", |item| item.coverage.sound.as_mut().unwrap().decoded_ms = 1_001),
            ("a long decoder", |item| item.coverage.sound.as_mut().unwrap().decoder = "x".repeat(MAX_TEXT_BYTES + 1)),
            ("no width", |item| image(item).width = 0),
            ("no height", |item| image(item).height = 0),
            ("a side beyond the limit", |item| image(item).width = (1 << 18) + 1),
            ("an area beyond the limit", |item| (image(item).width, image(item).height) = (16_001, 16_000)),
            ("many views", |item| image(item).views = vec![image(item).views[0]; MAX_VIEWS + 1]),
            ("a quality", |item| image(item).views[MAX_VIEWS - 1].quality = 101),
            ("left of right", |item| image(item).views[0].region.left = 10_001),
            ("right", |item| image(item).views[0].region.right = 10_001),
            ("top of bottom", |item| image(item).views[0].region.top = 10_000),
            ("bottom", |item| image(item).views[0].region.bottom = 10_001),
            ("a film of too many pixels", |item| film(item).width = 36_000_001),
            ("a film without end", |item| film(item).duration_ms = 2_001),
            ("many views of a film", |item| film(item).views = vec![film(item).views[0]; MAX_VIEWS + 1]),
            ("a part beyond the frame", |item| film(item).views[1].crop[2] = 1_001),
            ("an empty part", |item| film(item).views[1].crop[3] = 0),
            ("a turn", |item| film(item).views[1].degrees = 91),
            ("frames in disorder", |item| film(item).frames.reverse()),
            ("a frame after the end", |item| film(item).frames[4].time_ms = 1_001),
            ("a quality of a frame", |item| film(item).frames[2].quality = 101),
            ("a code too few", |item| film(item).codes.truncate(5 * MAX_VIEWS - 1)),
            ("too many frames", |item| {
                film(item).duration_ms = 500;
                film(item).frames.iter_mut().zip(0..).for_each(|(frame, time)| frame.time_ms = time);
            }),
            ("more film than allowed", |item| item.coverage.film.as_mut().unwrap().decoded_ms = 1_001),
            ("more frames of a film than allowed", |item| {
                item.coverage.film.as_mut().unwrap().frames_read = 6_000_001;
            }),
            ("many streams", |item| {
                let audio = item.fingerprints[1].clone();
                item.fingerprints.extend(vec![audio; MAX_STREAMS]);
            }),
            ("more content than sound", |item| audio(item).content_ms = 4_001),
            ("peaks in disorder", |item| audio(item).mid.reverse()),
            ("peaks of the side in disorder", |item| audio(item).side.reverse()),
            ("a pitch", |item| audio(item).side[2].pitch = Peak::PITCHES),
            ("a peak after the end", |item| audio(item).mid[599].time = 2_757),
            ("too many peaks", |item| audio(item).mid = vec![audio(item).mid[0]; 2_001]),
            ("too many items", |item| audio(item).chromaprint = vec![0; 33]),
            ("a wide preview", |item| item.preview.as_mut().unwrap().width = 65),
            ("a flat preview", |item| item.preview.as_mut().unwrap().height = 0),
            ("a preview that is no JPEG", |item| item.preview.as_mut().unwrap().jpeg = b"<svg onload=x>".to_vec()),
            ("a long preview", |item| item.preview.as_mut().unwrap().jpeg.resize(MAX_PREVIEW_BYTES + 1, 0)),
        ];
        for (what, forge) in forgeries {
            let mut item = sound();
            forge(&mut item);
            assert!(check_item(&item, &request()).is_err(), "{what}");
        }
        assert!(check_item(&sound(), &Request { preview_px: None, ..request() }).is_err(), "a preview nobody wanted");
        let reference = Request { views: Views::Reference, ..request() };
        assert!(check_item(&sound(), &reference).is_err(), "a film that is no reference");
    }

    proptest! {
        #[test]
        fn any_bytes_are_answers_or_an_error(mut bytes: Vec<u8>, framed: bool) {
            if framed {
                let header = [&(bytes.len() as u32).to_le_bytes()[..], &[PROTOCOL]].concat();
                bytes.splice(..0, header);
            }
            while let Ok(Some(answer)) = take::<Answer>(&mut bytes) {
                if let Answer::Item(item) = answer {
                    let _ = check_item(&item, &Request::query());
                }
            }
        }

        #[test]
        fn a_flipped_byte_never_makes_more_than_one_message(place: prop::sample::Index, flip in 1..=255_u8) {
            let mut bytes = encode(&Answer::Item(sound())).unwrap();
            let place = place.index(bytes.len());
            bytes[place] ^= flip;
            if let Ok(Some(answer)) = take::<Answer>(&mut bytes) {
                prop_assert!(bytes.is_empty());
                prop_assert!(answer != Answer::Item(sound()));
            }
        }
    }
}
