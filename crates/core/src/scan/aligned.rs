//! Examining sound: an item's recordings against those of an index, to findings with their spans.

use minutia_media::Kind;

use crate::fingerprint::AudioFingerprint;
use crate::index::{Index, IndexError, Policy};
use crate::search::{SoundMatch, SoundSearch};
use crate::verdict::{AudioMethod, Evidence, Finding, SoundJudge, confidence};

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
    let work = index.work(&track.work)?;
    let (expected_false_matches, extrapolated) = judge.expected_false_matches(found.score, found.windows);
    // Of the query against the reference, as an ear would say it.
    let pitch_cents = -found.pitch_cents;
    Ok(Some(Finding {
        title: work.as_ref().and_then(|work| work.title.clone()),
        policy: work.map_or(Policy::default(), |work| work.policy),
        work: track.work,
        reference_name: track.source_name,
        reference_digest: track.source_digest,
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
            query_mix: found.query_mix,
            reference_mix: found.reference_mix,
            query_stream: query.stream,
            reference_stream: track.stream,
        },
        query_span_ms: Some(found.query_span_ms),
        reference_span_ms: Some(found.reference_span_ms),
        shared: None,
        expected_false_matches,
        extrapolated,
        confidence: confidence(expected_false_matches),
    }))
}
