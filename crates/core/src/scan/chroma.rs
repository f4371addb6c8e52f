//! Examining sound against references of which only Chromaprint items are known: those that lists brought.
//!
//! Such references are found at their own speed alone. A stretch is judged by its weight, which is what its bits differ less
//! than by chance, divided by the square root of its items that tell something: that does not grow with length of itself.

use minutia_media::Kind;

use super::registered::{Found, Registered};
use crate::fingerprint::{AudioFingerprint, Mix};
use crate::index::{Index, IndexError, Sound};
use crate::search::{Alignment, align};
use crate::verdict::{AudioMethod, Evidence, Finding, Level, confidence};

/// What weights are judged by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChromaprintScale {
    /// The least weight of a `match`.
    pub at_match: f64,
    /// The least weight of a `possible`.
    pub at_possible: f64,
    /// The recordings that were measured, in words.
    pub data: &'static str,
    /// The command that measured them.
    pub command: &'static str,
}

/// The scale of this build: of the pairs 1.2 % reach 12, 11 reach 16, one 20 and none 22; of those in which 24 items or more tell
/// something none reaches 18.
pub const CHROMAPRINT_SCALE: ChromaprintScale = ChromaprintScale {
    at_match: 24.0,
    at_possible: 18.0,
    data: "16,206 pairs of 74 unrelated recordings: speech, music recorded, of modules and of MIDI files; whole, 30 s and 10 s",
    command: "cargo run -p minutia-benches --example chroma_weights LIST",
};
/// Findings have at least so many items that tell something: 3 s.
const LEAST_TELLING: u32 = 24;
/// Items that differ in at most so many bits agree.
const AGREES_BITS: u32 = 8;
/// An item is made of the sound from its place on to so many items further.
const REACH: u32 = 20;
/// An item's length in samples, of which there are [`RATE_HZ`] a second.
const ITEM_SAMPLES: u64 = 1_365;
const RATE_HZ: u64 = 11_025;
/// Share of unrelated pairs that reach [`TAIL_WEIGHT`], and by what that falls with each point above it.
const TAIL_SHARE: f64 = 0.012;
const TAIL_WEIGHT: f64 = 12.0;
const TAIL_DECLINE: f64 = 0.6065;

/// What `query` shares with those recordings of `sounds`, which `index` has, that have items and no peaks: a finding for each
/// stretch, in no particular order.
///
/// # Errors
/// [`IndexError::Damaged`].
pub(super) fn near_chromaprint(
    query: &AudioFingerprint,
    index: &Index,
    sounds: &[(usize, Sound<'_>)],
) -> Result<Vec<Finding>, IndexError> {
    let mut findings = Vec::new();
    if query.content_ms < AudioFingerprint::LEAST_CONTENT_MS {
        return Ok(findings);
    }
    let tracks: u64 = sounds.iter().map(|(_, sound)| imported(sound)).sum();
    if tracks == 0 {
        return Ok(findings);
    }
    for &(segment, ref sound) in sounds {
        for track in (0..sound.len()).filter(|&track| sound.is_alive(track) && is_imported(sound, track)) {
            let items = sound.chromaprint(track);
            for alignment in align(&query.chromaprint, items) {
                findings.extend(finding(query, index, (segment, track), items, &alignment)?);
            }
        }
    }
    for finding in &mut findings {
        finding.expected_false_matches *= tracks as f64;
        finding.confidence = confidence(finding.expected_false_matches);
    }
    Ok(findings)
}

/// How many living tracks of this segment have items and no peaks.
fn imported(sound: &Sound<'_>) -> u64 {
    (0..sound.len()).filter(|&track| sound.is_alive(track) && is_imported(sound, track)).count() as u64
}

fn is_imported(sound: &Sound<'_>, track: u32) -> bool {
    !sound.chromaprint(track).is_empty() && Mix::ALL.into_iter().all(|mix| sound.peaks(track, mix).is_empty())
}

/// The finding of an alignment, whose expected false matches are those of one track; `None` where it says too little.
fn finding(
    query: &AudioFingerprint,
    index: &Index,
    (segment, track): (usize, u32),
    items: &[u32],
    alignment: &Alignment,
) -> Result<Option<Finding>, IndexError> {
    let weight = f64::from(alignment.score) / f64::from(alignment.telling.max(1)).sqrt();
    let scale = CHROMAPRINT_SCALE;
    let (level, threshold) = match weight {
        _ if alignment.telling < LEAST_TELLING => return Ok(None),
        _ if weight >= scale.at_match => (Level::Match, scale.at_match),
        _ if weight >= scale.at_possible => (Level::Possible, scale.at_possible),
        _ => return Ok(None),
    };
    let track = index.track(segment, track)?;
    let places = |start: u32| start as usize..start as usize + alignment.length as usize;
    let pairs = query.chromaprint[places(alignment.query_start)].iter().zip(&items[places(alignment.reference_start)]);
    let votes = pairs.filter(|&(a, b)| (a ^ b).count_ones() <= AGREES_BITS).count() as u32;
    let ms = |items: u32| u64::from(items) * ITEM_SAMPLES * 1_000 / RATE_HZ;
    // A list's durations may be shorter than its items.
    let span = |start: u32, most: u64| {
        ms(start)..ms(start + alignment.length + REACH).min(most).max(ms(start + alignment.length))
    };
    let expected = TAIL_SHARE * libm::pow(TAIL_DECLINE, weight - TAIL_WEIGHT);
    let registered =
        Registered { work: track.work, source_name: track.source_name, source_digest: track.source_digest };
    let found = Found {
        modality: Kind::Audio,
        level,
        evidence: Evidence::Audio {
            method: AudioMethod::Chromaprint,
            votes,
            score: weight,
            threshold,
            speed: 1.0,
            tempo: 1.0,
            pitch_cents: 0.0,
            aligned_share: f64::from(votes) / f64::from(alignment.length.max(1)),
            proof: None,
            query_mix: Mix::Mid,
            reference_mix: Mix::Mid,
            query_stream: query.stream,
            reference_stream: track.stream,
        },
        query_span_ms: Some(span(alignment.query_start, query.duration_ms)),
        reference_span_ms: Some(span(alignment.reference_start, track.duration_ms)),
        expected: (expected, true),
    };
    registered.found(index, found).map(Some)
}
