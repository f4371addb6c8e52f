//! What is written down: records of what was examined, what was found in it and how sure that is.
//!
//! A record is made from values of [`minutia`] ([`item`]), becomes one line of JSON in a hash chain ([`Chain`]) or lines
//! for people ([`mod@format`]), and can be read again ([`Line::parse`]). The fields are documented in `docs/REPORT.md`. Nothing
//! here searches, decodes, prints or knows the time. Hash lists that others made are read and written in [`lists`], an
//! index in one file in [`archive`].
#![forbid(unsafe_code)]

pub mod archive;
mod chain;
mod convert;
pub mod escape;
pub mod format;
pub mod lists;
mod lookup;
mod many;
mod record;
mod time;

pub use chain::{Chain, ChainError};
pub use convert::{FileFacts, fate, film_part, findings, item, tracks};
pub use lookup::{FilmQueryFacts, HitRecord, LOOKUP_SCHEMA, LookupLine, LookupRecord, LookupSummary, QueryFacts};
pub use many::many;
pub use record::{
    AccessTimes, CalibrationFacts, ConfinementFacts, Coverage, FilmCoverage, FilmFacts, FilmPart, FindingRecord,
    IndexFacts, ItemRecord, LimitFacts, Line, Part, ProblemRecord, ProcessFacts, ProgramFacts, Reading, Record,
    RunRecord, SCHEMA, Schema, SoundCalibrationFacts, SoundCoverage, SoundFacts, SoundPart, SummaryRecord, Totals,
    TrackRecord, WorkerFacts,
};
pub use time::rfc3339;
