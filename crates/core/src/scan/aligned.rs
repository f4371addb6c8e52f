//! Examining sound: an item's recordings against those of an index, to findings with their spans.

use minutia_media::Kind;

use super::registered::{Found, Registered};
use crate::fingerprint::AudioFingerprint;
use crate::index::{Index, IndexError};
use crate::search::{SoundMatch, SoundSearch};
use crate::verdict::{AudioMethod, Evidence, Finding, SoundJudge, SoundProof};

/// What `query` shares with the recordings of `index`: a finding for each stretch, in no particular order.
///
/// # Errors
/// [`IndexError::Damaged`].
pub(super) fn by_landmarks(
    query: &AudioFingerprint,
    index: &Index,
    search: &SoundSearch<'_>,
    judge: &SoundJudge,
) -> Result<Vec<Finding>, IndexError> {
    let matches = search.find(query, judge.least_score())?;
    let findings = matches.into_iter().filter_map(|found| finding(query, index, judge, found).transpose());
    findings.collect()
}

fn finding(
    query: &AudioFingerprint,
    index: &Index,
    judge: &SoundJudge,
    found: SoundMatch,
) -> Result<Option<Finding>, IndexError> {
    let Some((level, threshold)) = judge.level(found.score, found.windows) else { return Ok(None) };
    let track = index.track(found.segment, found.track)?;
    // Of the query against the reference, as an ear would say it.
    let pitch_cents = -found.pitch_cents;
    let registered =
        Registered { work: track.work, source_name: track.source_name, source_digest: track.source_digest };
    let found = Found {
        modality: Kind::Audio,
        level,
        evidence: Evidence::Audio {
            method: AudioMethod::Landmarks,
            votes: found.coinciding,
            score: found.score,
            threshold,
            speed: found.speed,
            tempo: found.speed / libm::exp2(pitch_cents / 1_200.0),
            pitch_cents,
            aligned_share: f64::from(found.coinciding) / f64::from(found.peaks.max(1)),
            proof: Some(SoundProof {
                likelihood: found.likelihood,
                contrast: found.contrast,
                closeness: found.closeness,
                harmony: found.harmony,
            }),
            query_mix: found.query_mix,
            reference_mix: found.reference_mix,
            query_stream: query.stream,
            reference_stream: track.stream,
        },
        query_span_ms: Some(found.query_span_ms),
        reference_span_ms: Some(found.reference_span_ms),
        expected: judge.expected_false_matches(found.score, found.windows),
    };
    registered.found(index, found).map(Some)
}
