//! Verdicts: what the hits mean. An outcome per item, findings with their strength, and the calibration they rest on.

mod finding;

pub use finding::{Evidence, Finding, Level, Outcome, Transform};
