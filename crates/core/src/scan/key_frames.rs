//! Examining the key frames of a film, as a quick pass reads them: stretches where some of them agree, and of other films the
//! one that is nearest, judged as a picture beside pictures.

use minutia_media::Kind;

use super::registered::{Found, Registered};
use super::seen;
use super::stills::{FilmStills, LEAST_QUALITY, region, stills_of};
use crate::fingerprint::{AlgorithmId, Code, FilmFingerprint, FilmView};
use crate::index::{Index, IndexError};
use crate::search::{FilmSearch, FramePair};
use crate::verdict::calibration::Calibration;
use crate::verdict::{Allowed, Evidence, FilmJudge, Finding, Judge, Level, Penalty, Transform, redundancy};

/// What the key frames of `query` say of the films of `index`: a finding for each stretch, and one for each other film that
/// shows one of them. One frame is `possible` at most: it says that it is the same scene.
///
/// # Errors
/// [`IndexError::Damaged`].
pub(super) fn by_key_frames(
    query: &FilmFingerprint,
    index: &Index,
    search: &FilmSearch<'_>,
    judge: &FilmJudge,
    stills: &FilmStills<'_>,
    allowed: Allowed,
) -> Result<Vec<Finding>, IndexError> {
    let (stretches, pairs) = search.find_key_frames(query, judge.least_score());
    let mut findings = seen::findings(query, index, judge, stretches)?;
    let calibration = Calibration::of(AlgorithmId::PDQ_AREA).expect("a test walks the table of calibrations");
    // Each frame beside each that shows something else is a chance.
    let comparisons = stills.len().saturating_mul(stills_of(query).len() as u64);
    let pictures = Judge::new(calibration, comparisons, allowed);
    for of_film in pairs.chunk_by(|a, b| (a.segment, a.film) == (b.segment, b.film)) {
        let scored = of_film.iter().filter_map(|pair| Scored::of(query, stills, pair));
        let Some(best) = scored.min_by(|a, b| a.score.total_cmp(&b.score)) else { continue };
        let Some((_, threshold)) = pictures.level(best.score) else { continue };
        let film = index.film(best.pair.segment, best.pair.film)?;
        let known = |found: &Finding| (&found.work, &found.reference_name) == (&film.work, &film.source_name);
        if findings.iter().any(known) {
            continue;
        }
        let views = film.views;
        let registered =
            Registered { work: film.work, source_name: film.source_name, source_digest: film.source_digest };
        let expected = pictures.expected_false_matches(best.score);
        findings.extend(
            best.found(query, &views, threshold, expected).map(|found| registered.found(index, found)).transpose()?,
        );
    }
    Ok(findings)
}

/// A pair of frames with what it says.
struct Scored<'p> {
    pair: &'p FramePair,
    score: f64,
    redundancies: (f64, f64),
    qualities: (u8, u8),
    query_ms: (u64, u64),
    reference_ms: (u64, u64),
}

impl<'p> Scored<'p> {
    /// `None` for a pair that proves nothing: of black frames, logos on a plain ground, titles.
    fn of(query: &FilmFingerprint, stills: &FilmStills<'_>, pair: &'p FramePair) -> Option<Scored<'p>> {
        let frames = stills.frames(pair.segment, pair.film)?;
        let (here, there) = (pair.query_frame as usize, pair.reference_frame as usize);
        let (frame, quality) = (query.frames.get(here)?, *frames.qualities.get(there)?);
        if frame.quality.min(quality) < LEAST_QUALITY {
            return None;
        }
        let code = query.codes_of(here).get(pair.query_view as usize)?;
        let reference = Code(bytemuck::cast(*frames.code(there, pair.reference_view as usize)?));
        let (penalty, of_reference) = (Penalty::of(code, 0), redundancy(&reference));
        let end = |next: Option<u32>, otherwise: u64| next.map_or(otherwise, u64::from);
        let next = query.frames.get(here + 1).map(|next| next.time_ms);
        let start = u64::from(*frames.times.get(there)?);
        let reference_end = end(frames.times.get(there + 1).copied(), frames.duration_ms);
        Some(Scored {
            pair,
            score: penalty.score(pair.distance, of_reference),
            redundancies: (penalty.redundancy(), of_reference),
            qualities: (frame.quality, quality),
            query_ms: (frame.time_ms.into(), end(next, query.duration_ms).max(frame.time_ms.into())),
            reference_ms: (start, reference_end.max(start)),
        })
    }

    fn found(
        &self,
        query: &FilmFingerprint,
        views: &[FilmView],
        threshold: u32,
        expected: (f64, bool),
    ) -> Option<Found> {
        let view = query.views.get(self.pair.query_view as usize)?;
        let reference_view = views.get(self.pair.reference_view as usize)?;
        Some(Found {
            modality: Kind::Image,
            level: Level::Possible,
            evidence: Evidence::Code {
                algorithm: AlgorithmId::PDQ_AREA,
                reference_algorithm: AlgorithmId::PDQ_AREA,
                distance_bits: self.pair.distance,
                score: self.score,
                threshold,
                query_redundancy: self.redundancies.0,
                reference_redundancy: self.redundancies.1,
                transform: Transform {
                    turn: view.turn,
                    inverted: false,
                    query_region: region(view),
                    reference_region: region(reference_view),
                },
                query_frame: self.pair.query_frame,
                reference_frame: self.pair.reference_frame,
                query_quality: self.qualities.0,
                reference_quality: self.qualities.1,
            },
            query_span_ms: Some(self.query_ms.0..self.query_ms.1),
            reference_span_ms: Some(self.reference_ms.0..self.reference_ms.1),
            expected,
        })
    }
}
