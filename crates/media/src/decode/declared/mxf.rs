//! MXF by its first partition (SMPTE 377-1, 7.1): one that was closed says where the last is.

use super::read;
use crate::{Problem, Source};

/// The key of a partition, and that of its length at the least.
const KEY_BYTES: usize = 16;
const LEAST_BYTES: u64 = 20;

/// Bytes that are missing up to the last partition, which begins behind the pictures and the sound. What stands before the first
/// partition is not looked over.
pub(super) fn missing_bytes(source: &Source) -> Result<u64, Problem> {
    let head = read(source, 0, 64)?;
    let length_bytes = match head.get(KEY_BYTES) {
        Some(&byte) if byte & 0x80 != 0 => 1 + usize::from(byte & 0x7f),
        _ => 1,
    };
    // Version, grid, this partition and the one before are in front of it.
    let last =
        head.get(KEY_BYTES + length_bytes + 24..).and_then(|rest| rest.first_chunk()).map(|at| u64::from_be_bytes(*at));
    let begins = head.starts_with(b"\x06\x0e\x2b\x34");
    Ok(last.filter(|&at| begins && at > 0).map_or(0, |at| at.saturating_add(LEAST_BYTES).saturating_sub(source.len())))
}
