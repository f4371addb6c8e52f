//! Scanning: reading a source into items ([`Reader`]) and examining the items against an index.

mod aligned;
#[cfg(feature = "image")]
mod animation;
mod chroma;
#[cfg(feature = "image")]
mod closely;
mod examine;
#[cfg(all(feature = "image", feature = "video"))]
mod film;
#[cfg(all(feature = "image", not(feature = "video")))]
#[path = "no_film.rs"]
mod film;
#[cfg(feature = "image")]
mod in_process;
mod item;
mod key_frames;
mod reader;
#[cfg(feature = "image")]
mod recording;
mod registered;
mod seen;
#[cfg(all(feature = "image", not(feature = "audio")))]
#[path = "no_sound.rs"]
mod sound;
#[cfg(all(feature = "image", feature = "audio"))]
mod sound;
mod stills;

pub use chroma::{CHROMAPRINT_SCALE, ChromaprintScale};
#[cfg(feature = "image")]
pub use closely::read_closely;
pub use examine::{Examined, Examiner, Query};
#[cfg(all(feature = "image", feature = "video"))]
pub use film::{film_begins_here, film_wanted, read_vpdq};
#[cfg(feature = "image")]
pub use in_process::{InProcess, WithFfmpeg};
pub use item::{Coverage, FilmCoverage, Item, SoundCoverage, Track};
pub use minutia_media::Preview;
pub use reader::{Exchange, Pass, Reader, Request, Tiers};
