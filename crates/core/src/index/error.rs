//! What can be wrong with an index, and what to do about it.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::fingerprint::AlgorithmId;

/// Why an index cannot be used, sorted by who can act. Each says what was expected, what was found and what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum IndexError {
    /// The environment: reading or writing failed.
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was being done.
        during: &'static str,
        /// What the system said.
        error: std::io::Error,
    },
    /// The caller: there is no index at this place.
    NotAnIndex {
        /// The place.
        path: PathBuf,
        /// What is there instead.
        found: &'static str,
    },
    /// Files of an index without the one that says which belong together.
    LostManifest {
        /// The directory.
        path: PathBuf,
    },
    /// The caller: more than an index can number.
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// The most that fits.
        most: u64,
    },
    /// The caller: codes that mean nothing beside the index's.
    Incomparable {
        /// Whose codes.
        algorithm: AlgorithmId,
        /// Whose codes the index holds.
        index: AlgorithmId,
    },
    /// Another writer is at work.
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// Written by a newer build.
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format version.
        found: u32,
        /// The newest version that this build reads.
        known: u32,
    },
    /// Needs something that this build does not have.
    UnknownSection {
        /// The segment.
        path: PathBuf,
        /// The number of the section's kind.
        kind: u32,
    },
    /// Damaged or forged.
    Damaged(Damage),
}

/// One thing that is wrong in an index's files.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Damage {
    /// The file.
    pub path: PathBuf,
    /// The part of it.
    pub section: String,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl IndexError {
    /// A stable code for records.
    pub fn code(&self) -> &'static str {
        match self {
            IndexError::Io { .. } => "io",
            IndexError::NotAnIndex { .. } => "not_an_index",
            IndexError::LostManifest { .. } => "lost_manifest",
            IndexError::TooLarge { .. } => "too_large",
            IndexError::Incomparable { .. } => "incomparable",
            IndexError::Locked { .. } => "locked",
            IndexError::Newer { .. } => "newer",
            IndexError::UnknownSection { .. } => "unknown_section",
            IndexError::Damaged(_) => "damaged",
        }
    }

    pub(super) fn io(path: &Path, during: &'static str) -> impl FnOnce(std::io::Error) -> IndexError {
        let path = path.to_owned();
        move |error| IndexError::Io { path, during, error }
    }

    pub(super) fn damaged(
        path: &Path,
        section: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> IndexError {
        IndexError::Damaged(Damage {
            path: path.to_owned(),
            section: section.into(),
            expected: expected.into(),
            found: found.into(),
        })
    }
}

impl fmt::Display for IndexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IndexError::Io { path, during, error } => write!(f, "{}: {during}: {error}", path.display()),
            IndexError::NotAnIndex { path, found } => write!(
                f,
                "{}: expected the directory of an index, with a file MANIFEST; found {found}. Check the path; `index \
                 add` makes an index in a new or empty directory",
                path.display()
            ),
            IndexError::LostManifest { path } => write!(
                f,
                "{}: expected a file MANIFEST beside the segments of an index; found none. Nothing else says which of \
                 them belong together: put it back from a copy of the index. Nothing was changed",
                path.display()
            ),
            IndexError::TooLarge { what, most } => {
                write!(f, "too many {what}: an index numbers at most {most}. Spread the works over several indexes")
            }
            IndexError::Incomparable { algorithm, index } => {
                let name = |id: &AlgorithmId| id.row().map_or("an unknown algorithm", |row| row.name);
                write!(
                    f,
                    "expected codes that compare with the index's, which are of {}; found codes of {}. Use an index of \
                     their own",
                    name(index),
                    name(algorithm)
                )
            }
            IndexError::Locked { path } => write!(
                f,
                "{}: another writer holds this lock. Wait until it has finished; readers need not wait",
                path.display()
            ),
            IndexError::Newer { path, found, known } => write!(
                f,
                "{}: format {found}, and this build reads up to {known}. Use a newer build, or index the references \
                 again with this one",
                path.display()
            ),
            IndexError::UnknownSection { path, kind } => write!(
                f,
                "{}: needs sections of kind {kind}, which this build does not know. Use the build that wrote it or a \
                 newer one, or index the references again",
                path.display()
            ),
            IndexError::Damaged(damage) => damage.fmt(f),
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} is damaged: expected {}, found {}. Restore the index from a copy, or index the references again",
            self.path.display(),
            self.section,
            self.expected,
            self.found
        )
    }
}

impl std::error::Error for IndexError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // The error itself is told already.
            IndexError::Io { error, .. } => error.source(),
            _ => None,
        }
    }
}
