//! Scanning: reading a source into items ([`Reader`]) and examining the items against an index.

mod aligned;
mod chroma;
mod examine;
#[cfg(feature = "image")]
mod in_process;
mod item;
mod reader;
#[cfg(all(feature = "image", not(feature = "audio")))]
#[path = "no_sound.rs"]
mod sound;
#[cfg(all(feature = "image", feature = "audio"))]
mod sound;

pub use chroma::{CHROMAPRINT_SCALE, ChromaprintScale};
pub use examine::{Examined, Examiner, Query};
#[cfg(feature = "image")]
pub use in_process::{InProcess, WithFfmpeg};
pub use item::{Coverage, Item, SoundCoverage};
pub use minutia_media::Preview;
pub use reader::{Reader, Request, Tiers};
