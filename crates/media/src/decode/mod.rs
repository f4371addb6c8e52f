//! Decoders, one file a kind of media, each behind its feature.

#[cfg(feature = "audio")]
pub mod audio;
#[cfg(feature = "image")]
pub mod image;
#[cfg(feature = "video")]
pub mod video;
