//! Decoders, one folder a kind of media, each behind its feature, and what those of sound and of films share.

#[cfg(feature = "audio")]
pub mod audio;
#[cfg(any(feature = "audio", feature = "video"))]
mod caught;
#[cfg(any(feature = "audio", feature = "video"))]
mod declared;
#[cfg(feature = "image")]
pub mod image;
#[cfg(feature = "video")]
pub mod video;
