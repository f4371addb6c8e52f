//! An alignment: which time of a film a time of the query is.

/// `reference time = speed * query time + offset`, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Alignment {
    pub(super) film: u32,
    pub(super) speed: f64,
    pub(super) offset: f64,
    pub(super) votes: f64,
}

impl Alignment {
    pub(super) fn reference_ms(&self, query_ms: f64) -> f64 {
        self.speed * query_ms + self.offset
    }

    pub(super) fn query_ms(&self, reference_ms: f64) -> f64 {
        (reference_ms - self.offset) / self.speed
    }
}
