//! How records are written: a table of formats, one file each.

mod json;
mod text;

pub use text::{along, changes, described, summary};

use crate::record::Line;

/// One row of [`FORMATS`].
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is for, in a line.
    pub about: &'static str,
    /// What is written for one record, given also as its line of JSON; lines without their last line feed, `None` for
    /// nothing.
    pub write: fn(record: &Line, json: &str) -> Option<String>,
}

/// Every format.
pub const FORMATS: &[Format] = &[json::FORMAT, text::FORMAT];
