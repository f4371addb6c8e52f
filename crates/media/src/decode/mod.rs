//! Decoders, one file a kind of media, each behind its feature.

#[cfg(feature = "image")]
pub mod image;
