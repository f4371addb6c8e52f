//! The format chunk of a WAV file, looked at before the demuxer, whose arithmetic overflows on impossible ones.

use super::limited::check_shape;
use crate::{Limits, Problem, Source};

/// The most chunks before the format.
const MAX_CHUNKS: u32 = 64;

/// Refuses channels, rates and widths that no recording has.
///
/// # Errors
/// [`Problem::Damaged`], [`Problem::Limit`], [`Problem::Io`].
pub(super) fn check_format(source: &Source, limits: &Limits) -> Result<(), Problem> {
    let mut at = 12;
    for _ in 0..MAX_CHUNKS {
        let mut head = [0; 24];
        let read = source.read_at(at, &mut head)?;
        let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        if read == head.len() && head.starts_with(b"fmt ") {
            let channels = u16::from_le_bytes([head[10], head[11]]);
            let rate_hz = u32::from_le_bytes([head[12], head[13], head[14], head[15]]);
            let bits = u16::from_le_bytes([head[22], head[23]]);
            if bits > 64 {
                return Err(Problem::Damaged { detail: format!("samples of {bits} bits") });
            }
            return check_shape(rate_hz, channels.into(), limits);
        }
        at += 8 + u64::from(size) + u64::from(size & 1);
    }
    Ok(())
}
