//! Decoders, one file a kind of media, each behind its feature.

#[cfg(feature = "audio")]
pub mod audio;
#[cfg(any(feature = "audio", feature = "video"))]
mod caught;
#[cfg(feature = "image")]
pub mod image;
#[cfg(feature = "video")]
pub mod video;
