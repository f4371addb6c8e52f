//! Examining films: what an item shows against the films of an index, to findings with their spans; and what these say
//! together with what was heard.

use std::ops::Range;

use minutia_media::Kind;

use super::Item;
use super::registered::{Found, Registered};
use crate::fingerprint::{FilmFingerprint, Fingerprint};
use crate::index::{Index, IndexError};
use crate::search::{FilmMatch, FilmSearch};
use crate::verdict::{Evidence, FilmJudge, Finding, Shared};

/// How far picture and sound may drift apart, and their speeds, to be of one copy. Of a short stretch the speed is known no
/// better than its ends are.
const MOST_APART_MS: f64 = 500.0;
/// How far they may lie apart all along. Sound is told from its first sample, which in a stream that was cut out of a broadcast
/// or copied between key frames comes up to some seconds before or after the first picture.
const MOST_SHIFTED_MS: f64 = 3_000.0;
const MOST_SPEED_APART: f64 = 0.002;

/// What `query` shares with the films of `index`, by the second look of its `beginning` where it is too long for its own: a
/// finding for each stretch, in no particular order.
///
/// # Errors
/// [`IndexError::Damaged`].
pub(super) fn by_frames(
    query: &FilmFingerprint,
    beginning: Option<&FilmFingerprint>,
    index: &Index,
    search: &FilmSearch<'_>,
    judge: &FilmJudge,
) -> Result<Vec<Finding>, IndexError> {
    let least = judge.least_score();
    let found = match beginning {
        Some(beginning) => search.find_long(query, beginning, least),
        None => search.find(query, least),
    };
    findings(query, index, judge, found)
}

/// The films of an item, each with its beginning, where it is too long for a second look: that stands behind it as another film of
/// the same stream.
pub(super) fn films(item: &Item) -> Vec<(&FilmFingerprint, Option<&FilmFingerprint>)> {
    let films: Vec<&FilmFingerprint> = item.fingerprints.iter().filter_map(Fingerprint::film).collect();
    let of_one = films.chunk_by(|a, b| a.stream == b.stream);
    of_one.map(|of_one| (of_one[0], of_one.get(1).copied())).collect()
}

/// The findings of matches that reach a level.
///
/// # Errors
/// [`IndexError::Damaged`].
pub(super) fn findings(
    query: &FilmFingerprint,
    index: &Index,
    judge: &FilmJudge,
    matches: Vec<FilmMatch>,
) -> Result<Vec<Finding>, IndexError> {
    matches.into_iter().filter_map(|found| finding(query, index, judge, found).transpose()).collect()
}

fn finding(
    query: &FilmFingerprint,
    index: &Index,
    judge: &FilmJudge,
    found: FilmMatch,
) -> Result<Option<Finding>, IndexError> {
    let Some((level, threshold)) = judge.level(found.score, found.same_recording, query.duration_ms) else {
        return Ok(None);
    };
    let film = index.film(found.segment, found.film)?;
    let Some(&reference_view) = film.views.get(found.reference_view as usize) else { return Ok(None) };
    let registered = Registered { work: film.work, source_name: film.source_name, source_digest: film.source_digest };
    let found = Found {
        modality: Kind::Video,
        level,
        evidence: Evidence::Film {
            frames: found.frames,
            score: found.score,
            threshold,
            speed: found.speed,
            distance_bits: found.distance,
            shifted_bits: found.shifted,
            nearness: found.nearness,
            changes: found.changes,
            same_recording: found.same_recording,
            query_view: found.view,
            reference_view,
            query_stream: query.stream,
            reference_stream: film.stream,
        },
        query_span_ms: Some(found.query_span_ms),
        reference_span_ms: Some(found.reference_span_ms),
        expected: judge.expected_false_matches(found.score, query.duration_ms),
    };
    registered.found(index, found).map(Some)
}

/// Says of each stretch of a film whether picture and sound were found alike, one only, or one beside other sound. `heard`
/// is whether the item has sound that says something, `None` where that was not looked at or could not be read; `has_sound`
/// whether a finding's reference has.
pub(super) fn together(findings: &mut [Finding], heard: Option<bool>, has_sound: impl Fn(&Finding) -> bool) {
    let placed: Vec<Option<Placed>> = findings.iter().map(Placed::of).collect();
    for (place, finding) in findings.iter_mut().enumerate() {
        let Some(this) = &placed[place] else { continue };
        let same_file = |other: &&Placed| (&other.work, &other.file) == (&this.work, &this.file);
        let others = placed.iter().flatten().filter(|other| other.is_picture != this.is_picture);
        finding.shared = Some(if others.filter(same_file).any(|other| this.agrees_with(other)) {
            Shared::PictureAndSound
        } else if this.is_picture {
            let redubbed = if has_sound(finding) { heard } else { Some(false) };
            Shared::PictureOnly { redubbed }
        } else {
            Shared::SoundOnly
        });
    }
}

/// A stretch by its place.
struct Placed {
    work: String,
    file: String,
    is_picture: bool,
    query: Range<u64>,
    reference_start: u64,
    speed: f64,
}

impl Placed {
    fn of(finding: &Finding) -> Option<Placed> {
        let (is_picture, speed) = match finding.evidence {
            Evidence::Film { speed, .. } => (true, speed),
            Evidence::Audio { speed, .. } => (false, speed),
            Evidence::Identical | Evidence::Code { .. } => return None,
        };
        Some(Placed {
            work: finding.work.as_str().to_owned(),
            file: finding.reference_name.clone(),
            is_picture,
            query: finding.query_span_ms.clone()?,
            reference_start: finding.reference_span_ms.as_ref()?.start,
            speed,
        })
    }

    fn reference_ms(&self, query_ms: u64) -> f64 {
        self.reference_start as f64 + self.speed * (query_ms as f64 - self.query.start as f64)
    }

    fn agrees_with(&self, other: &Placed) -> bool {
        let (start, end) = (self.query.start.max(other.query.start), self.query.end.min(other.query.end));
        if start >= end {
            return false;
        }
        let apart = [start, end].map(|at| self.reference_ms(at) - other.reference_ms(at));
        let known = MOST_SPEED_APART.max(MOST_APART_MS / (end - start) as f64);
        apart.iter().all(|apart| apart.abs() <= MOST_SHIFTED_MS)
            && (apart[1] - apart[0]).abs() <= MOST_APART_MS
            && (self.speed / other.speed - 1.0).abs() <= known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picture_and_sound_are_one_copy_where_place_and_speed_agree() {
        let placed = |query: Range<u64>, reference_start, speed| Placed {
            work: String::new(),
            file: String::new(),
            is_picture: true,
            query,
            reference_start,
            speed,
        };
        let check = |other: &Placed, expected| {
            assert_eq!(placed(1_000..61_000, 5_000, 1.0).agrees_with(other), expected);
            assert_eq!(other.agrees_with(&placed(1_000..61_000, 5_000, 1.0)), expected);
        };
        check(&placed(1_000..61_000, 5_000, 1.0), true);
        check(&placed(31_000..41_000, 35_400, 1.0), true);
        check(&placed(31_000..41_000, 35_600, 1.0), true);
        check(&placed(31_000..41_000, 32_100, 1.0), true);
        check(&placed(31_000..41_000, 31_900, 1.0), false);
        check(&placed(31_000..41_000, 38_100, 1.0), false);
        check(&placed(2_000..52_000, 6_000, 1.012), false);
        check(&placed(1_000..61_000, 5_000, 1.01), false);
        check(&placed(30_000..34_000, 34_000, 1.01), true);
        check(&placed(61_000..71_000, 65_000, 1.0), false);
    }
}
