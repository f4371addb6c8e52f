//! The one trait that crosses rooms: from a source to a stream of items, in this process or in a confined one.

use std::ops::Range;

use minutia_media::{Limits, Problem, Source};

use super::Item;
use crate::fingerprint::{AlgorithmId, Views};

/// Which looks at a piece of media are wanted. Later tiers (local features, denser samplings) are added here; a caller
/// may ask again for the same source with another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Tiers {
    /// Codes of the whole picture and its views (T1); of sound, Chromaprint items.
    pub codes: bool,
    /// Of sound, the peaks that landmarks are made of. Takes as long again as the items.
    pub landmarks: bool,
}

/// How much of a source is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Pass {
    /// Everything.
    #[default]
    Full,
    /// What is quick and tells most: pictures as in a full pass, of films the key frames, at most one a second, and no sound.
    Triage,
}

/// Codes as lists exchange them, in place of what indexes hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Exchange {
    /// The code of a picture, of an animation that of its first frame, by an algorithm of
    /// [`ALGORITHMS`](crate::fingerprint::ALGORITHMS): the one view of the item's one fingerprint, with quality 0 where the
    /// algorithm has none.
    Code(AlgorithmId),
    /// A film as vPDQ hashes it, in [`Item::listed`](super::Item::listed).
    Vpdq {
        /// Each frame; the first of each second otherwise.
        every_frame: bool,
    },
}

/// What the caller wants of a source.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Request {
    /// Which looks.
    pub tiers: Tiers,
    /// As a reference or as a query.
    pub views: Views,
    /// Frames a second, for moving pictures; `None` for the kind's own rate. Images ignore it: every frame of an
    /// animation is read.
    pub rate_fps: Option<u32>,
    /// The part in time that is wanted, in milliseconds; `None` for all. Images ignore it, animated ones too.
    pub span_ms: Option<Range<u64>>,
    /// Longer side of a preview in pixels, at most 512; `None` for none.
    pub preview_px: Option<u16>,
    /// What the source may cost.
    pub limits: Limits,
    /// How much is read.
    pub pass: Pass,
    /// What is made of it in place of what indexes hold.
    pub exchange: Option<Exchange>,
}

impl Request {
    /// What a scan asks for: codes of a query, no preview.
    pub fn query() -> Request {
        Request {
            tiers: Tiers { codes: true, landmarks: true },
            views: Views::Query,
            rate_fps: None,
            span_ms: None,
            preview_px: None,
            limits: Limits::default(),
            pass: Pass::Full,
            exchange: None,
        }
    }

    /// What a scan asks for that wants to know soon where to look.
    pub fn triage() -> Request {
        Request { pass: Pass::Triage, ..Request::query() }
    }

    /// What `index add` asks for: codes of a reference, no preview.
    pub fn reference() -> Request {
        Request { views: Views::Reference, ..Request::query() }
    }
}

/// Turns a source into items. Implemented in process for those who link the library, and by a confined worker.
pub trait Reader {
    /// Reads `source` as `request` says and hands each item to `sink` as soon as it is complete.
    ///
    /// # Errors
    /// The problem that kept the source as a whole from being read; items handed over before it stand. What went wrong
    /// inside one item is in [`Item::problems`], and an item of which something was read is no error.
    fn read(&mut self, source: &Source, request: &Request, sink: &mut dyn FnMut(Item)) -> Result<(), Problem>;
}
