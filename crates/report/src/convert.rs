//! From the values of the library to records: the one place that knows both.

mod words;

use minutia::fingerprint::{AlgorithmId, FilmView, Fingerprint, Region};
use minutia::scan::{Examined, Item, Track};
use minutia::verdict::{Evidence, Finding, Outcome, Shared};
use minutia_media::{FORMATS, Format, Problem};

use crate::record::{
    Coverage, FilmCoverage, FilmPart, FindingRecord, ItemRecord, Part, ProblemRecord, SoundCoverage, SoundPart,
    TrackRecord,
};
use crate::time::rfc3339;
use words::{audio_method, film_base, kind, level, mix, orientation, shared_name, turn};

pub(crate) use words::region_kind;

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
    /// Found by a quick pass.
    pub triage: bool,
    /// The batch of workers that read it, from 1; `None` where none did.
    pub batch: Option<u64>,
    /// When it was last modified: seconds since 1970 and nanoseconds.
    pub modified: Option<(i64, u32)>,
    /// It was opened in a way that may have changed its access time.
    pub access_time_unprotected: bool,
}

/// The record of an item that was examined.
pub fn item(facts: &FileFacts, item: &Item, examined: &Examined) -> ItemRecord {
    let first = item.fingerprints.iter().find_map(Fingerprint::image);
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
            tracks_read: sound.tracks_read,
            declared_ms: sound.declared_ms,
            decoded_ms: sound.decoded_ms,
        }),
        film: item.coverage.film.as_ref().map(|film| FilmCoverage {
            decoder: film.decoder.clone(),
            codec: film.codec.clone(),
            tracks: film.tracks,
            frames_read: film.frames_read,
            declared_ms: film.declared_ms,
            decoded_ms: film.decoded_ms,
            to_the_end: film.to_the_end,
            second_look: film.second_look,
            key_frames: film.key_frames,
        }),
        in_part: item.coverage.in_part,
    };
    let lengths = item.fingerprints.iter().filter_map(|print| match print {
        Fingerprint::Audio(audio) => Some(audio.duration_ms),
        Fingerprint::Film(film) => Some(film.duration_ms),
        Fingerprint::Image(_) => None,
    });
    let duration_ms = lengths.max().or(coverage.sound.as_ref().map(|sound| sound.decoded_ms));
    let film = item.coverage.film.as_ref();
    let looked_at = item.format.is_some() || item.problems.iter().any(|p| matches!(p, Problem::NotMedia { .. }));
    ItemRecord {
        member: item.member.clone(),
        outcome: examined.outcome.name().to_owned(),
        format: item.format.map(|format| format.row().name.to_owned()),
        extension_mismatch: looked_at && item.member.is_empty() && mismatch(&facts.path, item.format),
        width: first.map(|image| image.width).or(film.map(|film| film.width)),
        height: first.map(|image| image.height).or(film.map(|film| film.height)),
        orientation: first.map(|image| orientation(image.orientation).to_owned()),
        duration_ms,
        tracks: tracks(&item.tracks),
        coverage: (item.coverage.frames_read > 0 || coverage.sound.is_some() || film.is_some() || coverage.in_part)
            .then_some(coverage),
        findings: findings(examined),
        problems: item.problems.iter().map(problem).collect(),
        ..of_file(facts)
    }
}

/// The records of what a container holds.
pub fn tracks(tracks: &[Track]) -> Vec<TrackRecord> {
    tracks.iter().map(track).collect()
}

/// The records of what was found.
pub fn findings(examined: &Examined) -> Vec<FindingRecord> {
    examined.findings.iter().map(finding).collect()
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
        pass: facts.triage.then(|| "triage".to_owned()),
        batch: facts.batch,
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

fn track(track: &Track) -> TrackRecord {
    let Track { kind, codec, language, name, width, height, locked_by } = track.clone();
    let side = |px: u32| Some(px).filter(|&px| px > 0);
    TrackRecord { kind, codec, language, name, width: side(width), height: side(height), locked_by }
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
        query_span_ms: span(&finding.query_span_ms),
        reference_span_ms: span(&finding.reference_span_ms),
        shared: finding.shared.map(|shared| shared_name(shared).to_owned()),
        redubbed: match finding.shared {
            Some(Shared::PictureOnly { redubbed }) => redubbed,
            _ => None,
        },
        ..FindingRecord::default()
    };
    match finding.evidence {
        Evidence::Identical => plain,
        Evidence::Code {
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
        } => FindingRecord {
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
        },
        Evidence::Film {
            frames,
            score,
            threshold,
            speed,
            distance_bits,
            shifted_bits,
            nearness,
            changes,
            same_recording,
            query_view,
            reference_view,
            query_stream,
            reference_stream,
        } => FindingRecord {
            method: "frames".to_owned(),
            score: Some(score),
            least_score: Some(threshold),
            coinciding: Some(frames),
            speed: Some(speed),
            mean_distance_bits: Some(distance_bits),
            shifted_distance_bits: Some(shifted_bits),
            nearness: Some(nearness),
            changes: Some(changes),
            same_recording: Some(same_recording),
            turn: Some(turn(query_view.turn).to_owned()),
            query_view: Some(film_part(&query_view, query_stream)),
            reference_view: Some(film_part(&reference_view, reference_stream)),
            ..plain
        },
        Evidence::Audio {
            method,
            votes,
            score,
            threshold,
            speed,
            tempo,
            pitch_cents,
            aligned_share,
            proof,
            query_mix,
            reference_mix,
            query_stream,
            reference_stream,
        } => FindingRecord {
            method: audio_method(method).to_owned(),
            score: Some(score),
            least_score: Some(threshold),
            coinciding: Some(votes),
            aligned_share: Some(aligned_share),
            likelihood: proof.map(|proof| proof.likelihood),
            contrast: proof.map(|proof| proof.contrast),
            closeness: proof.map(|proof| proof.closeness),
            harmony: proof.map(|proof| proof.harmony),
            speed: Some(speed),
            tempo: Some(tempo),
            pitch_cents: Some(pitch_cents),
            query_sound: Some(SoundPart { stream: query_stream, mix: mix(query_mix).to_owned() }),
            reference_sound: Some(SoundPart { stream: reference_stream, mix: mix(reference_mix).to_owned() }),
            ..plain
        },
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

/// A view of the frames of a film, in the words of the schema.
pub fn film_part(view: &FilmView, stream: u32) -> FilmPart {
    FilmPart {
        stream,
        kind: film_base(view.base).to_owned(),
        region: view.crop.map(|thousandths| thousandths.saturating_mul(10)),
        strip: view.strip,
        degrees: view.degrees,
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut out, byte| {
        // Writing to a string does not fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests;
