//! Scanning: reading a source into items ([`Reader`]) and examining the items against an index.

#[cfg(feature = "image")]
mod in_process;
mod item;
mod reader;

#[cfg(feature = "image")]
pub use in_process::InProcess;
pub use item::{Coverage, Item};
pub use minutia_media::Preview;
pub use reader::{Reader, Request, Tiers};
