//! The long lists of recordings and films, which travel ahead of their item in pieces.

use std::collections::BTreeMap;

use minutia::fingerprint::{
    AudioFingerprint, Code, FilmFingerprint, FilmFrame, Fingerprint, Peak, Thumbnail, VpdqFrame,
};
use minutia::scan::Item;
use serde::{Deserialize, Serialize};

use super::checks::{at_most, possible};
use super::{
    Answer, MAX_CODES_IN_PIECE, MAX_FILM, MAX_LISTED, MAX_LISTED_IN_PIECE, MAX_PIECE, MAX_SOUND, MAX_STREAMS,
    MAX_THUMBNAILS_IN_PIECE, WireError,
};

/// A piece of a list of a recording or a film, at most [`MAX_PIECE`] long, of codes [`MAX_CODES_IN_PIECE`], of
/// thumbnails [`MAX_THUMBNAILS_IN_PIECE`], of vPDQ frames [`MAX_LISTED_IN_PIECE`].
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
    /// What frames of a film look like.
    Thumbnails(Vec<Thumbnail>),
    /// Frames of the item's vPDQ list.
    Listed(Vec<VpdqFrame>),
}

/// What a thumbnail counts among codes: it takes as much as so many.
const CODES_OF_THUMBNAIL: usize = Thumbnail::SIDE * Thumbnail::SIDE / size_of::<Code>();

/// The answers that hand over an item: pieces of its sound and its pictures first.
///
/// # Errors
/// The first of `send`.
pub fn hand_over<E>(mut item: Item, send: &mut dyn FnMut(Answer) -> Result<(), E>) -> Result<(), E> {
    for frames in std::mem::take(&mut item.listed).chunks(MAX_LISTED_IN_PIECE) {
        send(Answer::Piece { of: 0, piece: Piece::Listed(frames.to_vec()) })?;
    }
    for (of, fingerprint) in (0_u32..).zip(&mut item.fingerprints) {
        if let Fingerprint::Film(film) = fingerprint {
            for frames in std::mem::take(&mut film.frames).chunks(MAX_PIECE) {
                send(Answer::Piece { of, piece: Piece::Frames(frames.to_vec()) })?;
            }
            for codes in std::mem::take(&mut film.codes).chunks(MAX_CODES_IN_PIECE) {
                send(Answer::Piece { of, piece: Piece::Codes(codes.to_vec()) })?;
            }
            for thumbnails in std::mem::take(&mut film.thumbnails).chunks(MAX_THUMBNAILS_IN_PIECE) {
                send(Answer::Piece { of, piece: Piece::Thumbnails(thumbnails.to_vec()) })?;
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
    of_lists: usize,
    listed: Vec<VpdqFrame>,
}

impl Pieces {
    /// Puts a piece to those before it.
    ///
    /// # Errors
    /// [`WireError::TooMany`] for more than [`MAX_SOUND`] numbers of sound, [`MAX_FILM`] of films or [`MAX_LISTED`] frames, for a piece that is too
    /// long and for more than [`MAX_STREAMS`] lists.
    pub fn take(&mut self, of: u32, piece: Piece) -> Result<(), WireError> {
        let (len, most, all, allowed) = match &piece {
            Piece::Mid(peaks) | Piece::Side(peaks) => (peaks.len(), MAX_PIECE, &mut self.of_sound, MAX_SOUND),
            Piece::Chromaprint(items) => (items.len(), MAX_PIECE, &mut self.of_sound, MAX_SOUND),
            Piece::Frames(frames) => (frames.len(), MAX_PIECE, &mut self.of_film, MAX_FILM),
            Piece::Codes(codes) => (codes.len(), MAX_CODES_IN_PIECE, &mut self.of_film, MAX_FILM),
            Piece::Thumbnails(all) => (all.len(), MAX_THUMBNAILS_IN_PIECE, &mut self.of_film, MAX_FILM),
            Piece::Listed(frames) => (frames.len(), MAX_LISTED_IN_PIECE, &mut self.of_lists, MAX_LISTED),
        };
        at_most("numbers in a piece", len, most)?;
        let each = if matches!(piece, Piece::Thumbnails(_)) { CODES_OF_THUMBNAIL } else { 1 };
        *all = all.saturating_add(len * each);
        let what = match allowed {
            MAX_SOUND => "peaks and items of sound",
            MAX_LISTED => "frames of a list",
            _ => "codes and frames of films",
        };
        at_most(what, *all, allowed)?;
        match piece {
            Piece::Mid(peaks) => self.sounds.entry(of).or_default().mid.extend(peaks),
            Piece::Side(peaks) => self.sounds.entry(of).or_default().side.extend(peaks),
            Piece::Chromaprint(items) => self.sounds.entry(of).or_default().chromaprint.extend(items),
            Piece::Frames(frames) => self.films.entry(of).or_default().frames.extend(frames),
            Piece::Codes(codes) => self.films.entry(of).or_default().codes.extend(codes),
            Piece::Listed(frames) => self.listed.extend(frames),
            Piece::Thumbnails(thumbnails) => self.films.entry(of).or_default().thumbnails.extend(thumbnails),
        }
        at_most("audio and video streams", self.sounds.len() + self.films.len(), MAX_STREAMS)
    }

    /// Gives an item what came of it before.
    ///
    /// # Errors
    /// [`WireError::Value`] for pieces of what is no recording or no film of the item.
    pub fn complete(&mut self, item: &mut Item) -> Result<(), WireError> {
        possible("list beside its pieces", item.listed.is_empty())?;
        item.listed = std::mem::take(&mut self.listed);
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
            possible("list beside its pieces", film.thumbnails.is_empty())?;
            (film.frames, film.codes, film.thumbnails) = (came.frames, came.codes, came.thumbnails);
        }
        Ok(())
    }

    /// Whether everything that came belonged to an item.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.sounds.is_empty() && self.films.is_empty() && self.listed.is_empty()
    }
}
