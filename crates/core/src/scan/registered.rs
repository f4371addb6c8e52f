//! What every finding says of the registered file, whatever was compared.

use std::ops::Range;

use minutia_media::Kind;

use crate::index::{Index, IndexError, Policy, WorkId};
use crate::verdict::{Evidence, Finding, Level, confidence};

/// A file as it was registered.
pub(super) struct Registered {
    pub(super) work: WorkId,
    pub(super) source_name: String,
    pub(super) source_digest: Option<[u8; 32]>,
}

/// What was found of it.
pub(super) struct Found {
    pub(super) modality: Kind,
    pub(super) level: Level,
    pub(super) evidence: Evidence,
    pub(super) query_span_ms: Option<Range<u64>>,
    pub(super) reference_span_ms: Option<Range<u64>>,
    /// How many false ones are expected, and whether the calibration's data do not reach so far.
    pub(super) expected: (f64, bool),
}

impl Registered {
    /// The finding, with the title and the policy that the work has now.
    ///
    /// # Errors
    /// [`IndexError::Damaged`].
    pub(super) fn found(self, index: &Index, found: Found) -> Result<Finding, IndexError> {
        let work = index.work(&self.work)?;
        let (expected_false_matches, extrapolated) = found.expected;
        Ok(Finding {
            title: work.as_ref().and_then(|work| work.title.clone()),
            policy: work.map_or(Policy::default(), |work| work.policy),
            work: self.work,
            reference_name: self.source_name,
            reference_digest: self.source_digest,
            modality: found.modality,
            level: found.level,
            evidence: found.evidence,
            query_span_ms: found.query_span_ms,
            reference_span_ms: found.reference_span_ms,
            shared: None,
            expected_false_matches,
            extrapolated,
            confidence: confidence(expected_false_matches),
        })
    }
}
