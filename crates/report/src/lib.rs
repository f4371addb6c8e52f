//! What is written down: records of what was examined, what was found in it and how sure that is.
//!
//! A record is made from values of [`minutia`] ([`item`]), becomes one line of JSON in a hash chain ([`Chain`]) or lines
//! for people ([`format`]), and can be read again ([`Line::parse`]). The fields are documented in `docs/REPORT.md`. Nothing
//! here searches, decodes, prints or knows the time.
#![forbid(unsafe_code)]

mod chain;
mod convert;
pub mod escape;
pub mod format;
mod record;
mod time;

pub use chain::{Chain, ChainError};
pub use convert::{FileFacts, fate, item};
pub use record::{
    AccessTimes, CalibrationFacts, Coverage, FindingRecord, IndexFacts, ItemRecord, LimitFacts, Line, Part,
    ProblemRecord, Reading, Record, RunRecord, SCHEMA, Schema, SummaryRecord, Totals, WorkerFacts,
};
pub use time::rfc3339;
