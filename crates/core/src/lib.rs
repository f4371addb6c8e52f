//! Minutia finds copies: which registered work a picture or a recording was copied from, where in it, and how sure that is.
//!
//! Data flows one way: [`fingerprint`] → [`index`] → [`search`] → [`verdict`] → [`scan`]. Nothing here reads the clock,
//! the environment or random numbers, and nothing prints: the same input, index and build give the same answer.
#![forbid(unsafe_code)]

pub mod fingerprint;
pub mod index;
pub mod scan;
pub mod search;
pub mod verdict;

pub use minutia_media as media;

/// The README's example, run as a test.
#[cfg(all(doctest, feature = "image"))]
#[doc = include_str!("../../../README.md")]
struct Readme;
