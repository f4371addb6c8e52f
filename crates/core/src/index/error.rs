//! What can be wrong with an index, and what to do about it.

use std::fmt;
use std::path::PathBuf;

/// Why an index cannot be used. Each says what was expected, what was found and what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum IndexError {
    /// Reading or writing failed.
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was being done.
        during: &'static str,
        /// What the system said.
        error: std::io::Error,
    },
}

impl fmt::Display for IndexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IndexError::Io { path, during, error } => write!(f, "{}: {during}: {error}", path.display()),
        }
    }
}

impl std::error::Error for IndexError {}
