//! Verdicts: what the hits mean. An outcome per item, findings with their strength, and the calibration they rest on.

pub mod calibration;
mod finding;
mod judge;
mod outcome;
mod score;

pub use finding::{AudioMethod, Evidence, Finding, Level, Outcome, Shared, SoundProof, Transform};
pub(crate) use judge::confidence;
pub use judge::{Allowed, FilmJudge, Judge, SoundJudge, Thresholds};
pub use outcome::outcome_of_failure;
pub use score::{Penalty, redundancy};
