//! The probe: what a file is, by its content alone. A name or an extension is never believed.

use crate::{Problem, Source};

/// How many bytes from the start the probe looks at.
pub const PROBE_BYTES: usize = 4096;

/// The broad kind of a piece of media.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Kind {
    /// Still pictures and short animations.
    Image,
    /// Sound.
    Audio,
    /// Moving pictures, with or without sound.
    Video,
    /// Anything else.
    Other,
}

/// A recognised format. The number is an index into [`FORMATS`] and is not stored anywhere; the name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
#[allow(missing_docs)] // the table below says what each one is
pub enum Format {
    Jpeg,
    Png,
}

/// One row of [`FORMATS`].
#[derive(Clone, Copy, Debug)]
pub struct FormatRow {
    /// The format.
    pub format: Format,
    /// The name that people and records use, for example `JPEG`.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// Its media type, for example `image/jpeg`.
    pub media_type: &'static str,
    /// Extensions that do not surprise, lower case, without the dot.
    pub extensions: &'static [&'static str],
}

/// Every format that the probe can name.
pub const FORMATS: &[FormatRow] = &[
    FormatRow {
        format: Format::Jpeg,
        name: "JPEG",
        kind: Kind::Image,
        media_type: "image/jpeg",
        extensions: &["jpg", "jpeg", "jpe", "jfif"],
    },
    FormatRow {
        format: Format::Png,
        name: "PNG",
        kind: Kind::Image,
        media_type: "image/png",
        extensions: &["png", "apng"],
    },
];

impl Format {
    /// The format's row in [`FORMATS`].
    pub fn row(self) -> &'static FormatRow {
        FORMATS.iter().find(|row| row.format == self).expect("every format has a row: a test walks them")
    }
}

/// Tells what `source` is.
///
/// # Errors
/// [`Problem::Io`] when it cannot be read, [`Problem::NotMedia`] for what is no media, with what it seems to be.
pub fn probe(source: &Source) -> Result<Format, Problem> {
    let head = source.head(PROBE_BYTES)?;
    if head.starts_with(&[0xff, 0xd8, 0xff]) {
        Ok(Format::Jpeg)
    } else if head.starts_with(b"\x89PNG\r\n\x1a\n") {
        Ok(Format::Png)
    } else {
        Err(Problem::NotMedia { found: if head.is_empty() { "an empty file" } else { "unknown data" }.to_owned() })
    }
}
