//! The wire: frames between parent and worker, and what the parent believes of them.
//!
//! A frame is the length of its payload (`u32`, little-endian, at most [`MAX_FRAME_BYTES`]), the protocol's version (one
//! byte) and the payload in postcard's format (<https://postcard.jamesmunns.com/wire-format>). The parent sends [`Ask`]s,
//! the worker [`Answer`]s. The parent treats the worker as hostile: no memory is taken for bytes that have not come,
//! and an item is looked through by [`check_item`] before anybody else sees it.

use minutia::fingerprint::{Fingerprint, ImageFingerprint};
use minutia::scan::{Item, Request};
use minutia_media::decode::image::PREVIEW_MAX_PX;
use minutia_media::{Limits, Preview, Problem};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::confine::Confinement;

/// The version of this protocol. Parent and worker are the same program, so that no other version is ever understood.
pub const PROTOCOL: u8 = 1;

/// What both sides must have in common.
pub const BUILD: &str = concat!("minutia-sandbox ", env!("CARGO_PKG_VERSION"));

/// The longest payload: an animation of a thousand distinct frames takes about a third of it. In memory a payload can grow
/// to some thirty times its length (a list of empty names), which this bounds too.
pub const MAX_FRAME_BYTES: usize = 8 << 20;

/// The most bytes that a worker may answer for one source.
pub const MAX_ANSWER_BYTES: usize = 64 << 20;

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
        /// The program that decodes its sound into the pipe that is the second descriptor.
        sound: Option<String>,
    },
}

/// From worker to parent.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// Confined and ready.
    Ready {
        /// The worker's [`BUILD`].
        build: String,
        /// What confines it.
        confinement: Confinement,
    },
    /// An item of the source.
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
    possible("number of frames", coverage.frames_kept as usize == item.fingerprints.len())?;
    possible("number of frames", coverage.frames_kept <= coverage.frames_read)?;
    at_most("frames", coverage.frames_read as usize, request.limits.frames.max(1) as usize)?;
    possible("number of rows", coverage.partial_rows.is_none_or(|(read, declared)| read <= declared))?;
    if let Some(sound) = &coverage.sound {
        check_text(&sound.decoder)?;
        check_text(&sound.codec)?;
        possible("length of sound", sound.decoded_ms <= u64::from(request.limits.audio_seconds) * 1_000)?;
    }
    for fingerprint in &item.fingerprints {
        match fingerprint {
            Fingerprint::Image(image) => check_image(image, &request.limits)?,
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
    use minutia::fingerprint::{Code, Dihedral, Region, RegionKind, View};
    use minutia::scan::{Coverage, SoundCoverage};
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
            coverage: Coverage { frames_read: 2, frames_kept: 1, partial_rows: Some((7, 7)), sound: Some(heard()) },
            fingerprints: vec![Fingerprint::Image(image)],
            preview: Some(Preview { width: 64, height: 48, jpeg: vec![0xff, 0xd8, 0xff, 0xe0] }),
            problems: vec![Problem::Limit { limit: LimitKind::Frames, allowed: 2, found: 3 }; MAX_PROBLEMS],
        }
    }

    fn heard() -> SoundCoverage {
        let (decoder, codec) = ("symphonia 0.6.1".to_owned(), "MP3".to_owned());
        SoundCoverage { decoder, codec, tracks: 1, declared_ms: Some(2_000), decoded_ms: 1_000 }
    }

    fn request() -> Request {
        let mut request = Request::query();
        request.preview_px = Some(64);
        request.limits.frames = 2;
        request.limits.audio_seconds = 1;
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
            let Fingerprint::Image(image) = &mut item.fingerprints[0];
            image
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
