//! The wire: frames between parent and worker, and what the parent believes of them.
//!
//! A frame is the length of its payload (`u32`, little-endian, at most [`MAX_FRAME_BYTES`]), the protocol's version (one
//! byte) and the payload in postcard's format (<https://postcard.jamesmunns.com/wire-format>). The parent sends [`Ask`]s,
//! the worker [`Answer`]s. The long lists of recordings and films travel ahead of their item, in [`Piece`]s. The parent
//! treats the worker as hostile: no memory is taken for bytes that have not come, and an item is looked through by
//! [`check_item`] before anybody else sees it.

use minutia::scan::{Item, Request};
use minutia_media::Problem;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::confine::Confinement;

mod checks;
mod pieces;
#[cfg(test)]
mod tests;

use checks::at_most;
pub use checks::{check_item, check_problem};
pub use pieces::{Piece, Pieces, hand_over};

/// The version of this protocol. Parent and worker are the same program, so that no other version is ever understood.
pub const PROTOCOL: u8 = 6;

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

/// The most thumbnails of films in one piece: 1 MiB.
pub const MAX_THUMBNAILS_IN_PIECE: usize = 1 << 8;

/// The most codes and frames of films in all pieces of one source: a day with 28 views of each frame.
pub const MAX_FILM: usize = 11_000_000;

/// The most frames of a vPDQ list in one piece: some 3 MiB.
pub const MAX_LISTED_IN_PIECE: usize = 1 << 16;

/// The most frames of the vPDQ list of one source: a day at 100 a second. They take 48 bytes each in memory.
pub const MAX_LISTED: usize = 8_640_000;

/// The most audio and video streams of one item.
pub const MAX_STREAMS: usize = 256;

/// The most peaks of one mix in a second, over a whole recording.
pub const MAX_PEAKS_A_SECOND: u64 = 500;

/// The most items of one source.
pub const MAX_ITEMS: usize = 1_024;

/// The most views of one fingerprint.
pub const MAX_VIEWS: usize = 512;

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
