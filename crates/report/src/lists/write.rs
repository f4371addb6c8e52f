//! Lists written: an index's references as CSV that [`Reader`](super::Reader) reads again.

use minutia::fingerprint::{AlgorithmId, Fingerprint, ImageFingerprint, Region, View};
use minutia::index::Entry;

use super::fields::{COLUMNS, WHOLE};
use super::{Hash, ListedWork};
use crate::convert::{algorithm_name, hex, region_kind};

/// The header, without a line end.
pub fn header() -> String {
    COLUMNS.join(",")
}

/// A hash as a row, without a line end. Cells are what they are, but for control characters, which become spaces, and for
/// those that a spreadsheet would take for a formula: they get an apostrophe, which is taken away when they are read again.
pub fn row(hash: &Hash) -> String {
    let work = &hash.work;
    let Region { kind, left, top, right, bottom } = hash.region;
    let text = |text: &Option<String>| cell(text.as_deref().unwrap_or(""));
    let unless_0 = |number: u64| if number == 0 { String::new() } else { number.to_string() };
    let identifiers = work.identifiers.iter().flatten().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let cells: [String; COLUMNS.len()] = [
        hash.digits(),
        cell(work.id.as_str()),
        text(&work.holder),
        hash.quality.map_or_else(String::new, |quality| quality.to_string()),
        algorithm_name(hash.algorithm),
        text(&work.title),
        cell(&identifiers),
        text(&work.territory),
        text(&work.window),
        work.policy.map_or("", |policy| policy.name()).to_owned(),
        text(&hash.file),
        hash.digest.map_or_else(String::new, |digest| hex(&digest)),
        unless_0(hash.frame.into()),
        unless_0(hash.time_ms),
        if hash.region == WHOLE {
            String::new()
        } else {
            format!("{} {left} {top} {right} {bottom}", region_kind(kind))
        },
    ];
    cells.join(",")
}

/// The hashes of a registered file, picture by picture. A blank picture has none, and neither has sound.
pub fn hashes(entry: &Entry, algorithm: AlgorithmId) -> Vec<Hash> {
    let Entry { work, source_name, source_digest, fingerprints, thumbnail: _ } = entry;
    let work = ListedWork::from(work.clone());
    let of_picture = |image: &ImageFingerprint| {
        let of_view = |view: &View| Hash {
            line: 0,
            code: view.code,
            algorithm,
            quality: Some(view.quality),
            work: work.clone(),
            file: Some(source_name.clone()),
            digest: *source_digest,
            frame: image.frame,
            time_ms: image.time_ms,
            size: (image.width, image.height),
            region: view.region,
        };
        image.views.iter().map(of_view).collect::<Vec<Hash>>()
    };
    fingerprints.iter().filter_map(Fingerprint::image).flat_map(of_picture).collect()
}

/// A cell, quoted where it must be.
pub(super) fn cell(text: &str) -> String {
    // Most are digits and ids, by the million.
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return text.to_owned();
    }
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let guard = if text.starts_with(GUARDED) { "'" } else { "" };
    // What is not quoted is trimmed by those who read it.
    let quote = text.contains([',', '"', ';']) || text.trim() != text;
    if quote { format!("\"{guard}{}\"", text.replace('"', "\"\"")) } else { format!("{guard}{text}") }
}

/// What a spreadsheet takes for the beginning of a formula, and the guard itself.
const GUARDED: [char; 6] = ['=', '+', '-', '@', '\t', '\''];

/// A cell's text without the guard.
pub(super) fn unguarded(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|text| text.starts_with(GUARDED)).unwrap_or(cell)
}
