//! Where the references of a code stand.

use std::ops::Range;

use super::IndexError;
use super::layout::{Kind, SharedRow};
use super::segment::Segment;

/// The references of each code of a segment. Nearly every code has one, so that a code's number and how many more
/// references there are before it say which.
pub(crate) struct References<'s, B> {
    pub(super) segment: &'s Segment<B>,
    pub(super) shared: &'s [SharedRow],
    pub(super) ends: &'s [u32],
    /// Codes and references of the segment.
    pub(super) codes: u32,
    pub(super) most: u32,
}

impl<B: AsRef<[u8]>> References<'_, B> {
    /// The references of the code of that number.
    #[inline(always)]
    pub(crate) fn of(&self, code: u32) -> Result<Range<u32>, IndexError> {
        match self.find(code) {
            Some(range) if code < self.codes && range.start < range.end && range.end <= self.most => Ok(range),
            _ => Err(self.wrong(code)),
        }
    }

    #[inline(always)]
    fn find(&self, code: u32) -> Option<Range<u32>> {
        if self.ends.is_empty() {
            return Some(code..code.checked_add(1)?);
        }
        let [low, high, before] = *self.shared.get((code / 64) as usize)?;
        let bits = (u64::from(high) << 32 | u64::from(low)) >> (code % 64);
        let here = (u64::from(high) << 32 | u64::from(low)) & ((1 << (code % 64)) - 1);
        let before = before.checked_add(here.count_ones())? as usize;
        let more = before.checked_sub(1).map_or(Some(0), |last| self.ends.get(last).copied())?;
        let more_after = if bits & 1 == 1 { *self.ends.get(before)? } else { more };
        Some(code.checked_add(more)?..code.checked_add(1)?.checked_add(more_after)?)
    }

    #[cold]
    fn wrong(&self, code: u32) -> IndexError {
        let expected = format!("references up to {} of code {code} of {}", self.most, self.codes);
        self.segment.wrong(Kind::Shared, expected, format!("{:?}", self.find(code)))
    }
}
