//! JSON lines: the records themselves.

use super::Format;

pub(super) const FORMAT: Format = Format {
    name: "json",
    about: "one record a line, every item and a summary, as documented in docs/REPORT.md",
    write: |_, json| Some(json.to_owned()),
};
