//! From the values of the library to records: the one place that knows both.

use minutia::fingerprint::{AlgorithmId, Dihedral, Fingerprint, Region, RegionKind};
use minutia::scan::{Examined, Item};
use minutia::verdict::{Evidence, Finding, Level, Outcome};
use minutia_media::{FORMATS, Format, Kind, Orientation, Problem};

use crate::record::{Coverage, FindingRecord, ItemRecord, Part, ProblemRecord, SoundCoverage};
use crate::time::rfc3339;

/// What is known of a file beside its content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileFacts {
    /// The path's bytes.
    pub path: Vec<u8>,
    /// Length in bytes, where it was opened.
    pub size: Option<u64>,
    /// BLAKE3, where it was read to its end.
    pub blake3: Option<[u8; 32]>,
    /// SHA-256, where it was read to its end.
    pub sha256: Option<[u8; 32]>,
    /// When it was last modified: seconds since 1970 and nanoseconds.
    pub modified: Option<(i64, u32)>,
    /// It was opened in a way that may have changed its access time.
    pub access_time_unprotected: bool,
}

/// The record of an item that was examined.
pub fn item(facts: &FileFacts, item: &Item, examined: &Examined) -> ItemRecord {
    let first = item.fingerprints.first().map(|Fingerprint::Image(image)| image);
    let (rows_read, rows_declared) = item.coverage.partial_rows.unzip();
    let coverage = Coverage {
        frames_read: item.coverage.frames_read,
        frames_kept: item.coverage.frames_kept,
        rows_read,
        rows_declared,
        sound: item.coverage.sound.as_ref().map(|sound| SoundCoverage {
            decoder: sound.decoder.clone(),
            codec: sound.codec.clone(),
            tracks: sound.tracks,
            declared_ms: sound.declared_ms,
            decoded_ms: sound.decoded_ms,
        }),
    };
    let looked_at = item.format.is_some() || item.problems.iter().any(|p| matches!(p, Problem::NotMedia { .. }));
    ItemRecord {
        member: item.member.clone(),
        outcome: examined.outcome.name().to_owned(),
        format: item.format.map(|format| format.row().name.to_owned()),
        extension_mismatch: looked_at && item.member.is_empty() && mismatch(&facts.path, item.format),
        width: first.map(|image| image.width),
        height: first.map(|image| image.height),
        orientation: first.map(|image| orientation(image.orientation).to_owned()),
        coverage: (item.coverage.frames_read > 0 || coverage.sound.is_some()).then_some(coverage),
        findings: examined.findings.iter().map(finding).collect(),
        problems: item.problems.iter().map(problem).collect(),
        ..of_file(facts)
    }
}

/// The record of what was not looked into: `outcome` for the reason `code`, with a sentence.
pub fn fate(facts: &FileFacts, outcome: Outcome, code: &str, message: String) -> ItemRecord {
    let problems = vec![ProblemRecord { code: code.to_owned(), message }];
    ItemRecord { outcome: outcome.name().to_owned(), problems, ..of_file(facts) }
}

fn of_file(facts: &FileFacts) -> ItemRecord {
    let path = String::from_utf8_lossy(&facts.path).into_owned();
    let lossy = path.as_bytes() != facts.path;
    ItemRecord {
        path,
        path_bytes: lossy.then(|| hex(&facts.path)),
        size: facts.size,
        blake3: facts.blake3.map(|digest| hex(&digest)),
        sha256: facts.sha256.map(|digest| hex(&digest)),
        modified: facts.modified.map(|(seconds, nanoseconds)| rfc3339(seconds, nanoseconds)),
        access_time_unprotected: facts.access_time_unprotected,
        ..ItemRecord::default()
    }
}

/// True where the name promises something else than the content is: another format's extension, or a medium's extension
/// on what is no media. A name without an extension promises nothing.
fn mismatch(path: &[u8], format: Option<Format>) -> bool {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    let Some(dot) = name.iter().rposition(|&byte| byte == b'.').filter(|&dot| dot > 0) else { return false };
    let extension = String::from_utf8_lossy(&name[dot + 1..]).to_ascii_lowercase();
    match format {
        Some(format) => !format.row().extensions.contains(&extension.as_str()),
        None => FORMATS.iter().any(|row| row.extensions.contains(&extension.as_str())),
    }
}

fn problem(problem: &Problem) -> ProblemRecord {
    ProblemRecord { code: problem.code().to_owned(), message: problem.to_string() }
}

fn finding(finding: &Finding) -> FindingRecord {
    let span = |span: &Option<std::ops::Range<u64>>| span.as_ref().map(|span| (span.start, span.end));
    let plain = FindingRecord {
        work: finding.work.as_str().to_owned(),
        title: finding.title.clone(),
        policy: finding.policy.name().to_owned(),
        reference: finding.reference_name.clone(),
        reference_blake3: finding.reference_digest.map(|digest| hex(&digest)),
        modality: kind(finding.modality).to_owned(),
        level: level(finding.level).to_owned(),
        expected_false_matches: finding.expected_false_matches,
        extrapolated: finding.extrapolated,
        confidence: finding.confidence,
        method: "identical".to_owned(),
        algorithm: None,
        reference_algorithm: None,
        distance_bits: None,
        score: None,
        threshold: None,
        query_redundancy: None,
        reference_redundancy: None,
        turn: None,
        inverted: None,
        query_part: None,
        reference_part: None,
        query_span_ms: span(&finding.query_span_ms),
        reference_span_ms: span(&finding.reference_span_ms),
    };
    let Evidence::Code {
        algorithm,
        reference_algorithm,
        distance_bits,
        score,
        threshold,
        query_redundancy,
        reference_redundancy,
        transform,
        query_frame,
        reference_frame,
        query_quality,
        reference_quality,
    } = finding.evidence
    else {
        return plain;
    };
    FindingRecord {
        method: "code".to_owned(),
        algorithm: Some(algorithm_name(algorithm)),
        reference_algorithm: (reference_algorithm != algorithm).then(|| algorithm_name(reference_algorithm)),
        distance_bits: Some(distance_bits),
        score: Some(score),
        threshold: Some(threshold),
        query_redundancy: Some(query_redundancy),
        reference_redundancy: Some(reference_redundancy),
        turn: Some(turn(transform.turn).to_owned()),
        inverted: Some(transform.inverted),
        query_part: Some(part(transform.query_region, query_frame, query_quality)),
        reference_part: Some(part(transform.reference_region, reference_frame, reference_quality)),
        ..plain
    }
}

/// The name of an algorithm, whatever its number.
pub(crate) fn algorithm_name(algorithm: AlgorithmId) -> String {
    algorithm.row().map_or_else(|| format!("number {}", algorithm.0), |row| row.name.to_owned())
}

pub(crate) fn part(region: Region, frame: u32, quality: u8) -> Part {
    let Region { kind, left, top, right, bottom } = region;
    Part { kind: region_kind(kind).to_owned(), region: [left, top, right, bottom], frame, quality }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut out, byte| {
        // Writing to a string does not fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

// The words of the schema. They stand here and not beside the types, since they are promised and those are not.

pub(crate) fn region_kind(kind: RegionKind) -> &'static str {
    match kind {
        RegionKind::Whole => "whole",
        RegionKind::Trimmed => "trimmed",
        RegionKind::Framed => "framed",
        RegionKind::Crop => "crop",
    }
}

fn turn(turn: Dihedral) -> &'static str {
    match turn {
        Dihedral::Identity => "none",
        Dihedral::Rotate90 => "rotate_90",
        Dihedral::Rotate180 => "rotate_180",
        Dihedral::Rotate270 => "rotate_270",
        Dihedral::FlipX => "flip_x",
        Dihedral::FlipY => "flip_y",
        Dihedral::FlipPlus1 => "flip_plus_1",
        Dihedral::FlipMinus1 => "flip_minus_1",
    }
}

fn orientation(orientation: Orientation) -> &'static str {
    match orientation {
        Orientation::Upright => "upright",
        Orientation::FlipX => "flip_x",
        Orientation::Rotate180 => "rotate_180",
        Orientation::FlipY => "flip_y",
        Orientation::Transpose => "transpose",
        Orientation::Rotate90 => "rotate_90",
        Orientation::Transverse => "transverse",
        Orientation::Rotate270 => "rotate_270",
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Image => "image",
        Kind::Audio => "audio",
        Kind::Video => "video",
        Kind::Other => "other",
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Match => "match",
        Level::Possible => "possible",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_promises_something_else_shows() {
        let check = |path: &str, format, expected| assert_eq!(mismatch(path.as_bytes(), format), expected, "{path}");
        check("a/b.jpg", Some(Format::Jpeg), false);
        check("a/b.JPEG", Some(Format::Jpeg), false);
        check("a/b.png", Some(Format::Jpeg), true);
        check("a/b.docx", Some(Format::Jpeg), true);
        check("a/b.jpg", None, true);
        check("a/b.txt", None, false);
        check("a.jpg/b", None, false);
        check("a/.jpg", Some(Format::Png), false);
        check("a/b", Some(Format::Png), false);
        check("a/b.", Some(Format::Png), true);
    }

    #[test]
    fn a_path_that_is_no_text_keeps_its_bytes() {
        let facts = FileFacts { path: b"caf\xe9".to_vec(), ..FileFacts::default() };
        let record = fate(&facts, Outcome::Skipped, "fifo", String::new());
        assert_eq!((record.path.as_str(), record.path_bytes.as_deref()), ("caf\u{fffd}", Some("636166e9")));
        let facts = FileFacts { path: "café".as_bytes().to_vec(), ..FileFacts::default() };
        assert_eq!(fate(&facts, Outcome::Skipped, "fifo", String::new()).path_bytes, None);
    }
}
