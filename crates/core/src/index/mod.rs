//! The index: registered works, their references' codes, and where everything stands on disk.
//!
//! An index is a directory of immutable segments and one MANIFEST (see `docs/FORMAT.md`). What is read is a function of
//! bytes: [`Segment`] works on any `AsRef<[u8]>`.

mod catalogue;
mod error;

pub use catalogue::{Identifier, Policy, Scheme, Work, WorkId};
pub use error::IndexError;
