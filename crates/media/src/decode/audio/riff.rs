//! The format chunk of a WAV file, looked at before the demuxer, whose arithmetic overflows on impossible ones; and where its
//! sound ends.

use super::limited::check_shape;
use super::native::Told;
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

/// What SoX writes for a length that it does not know, less what is no whole block.
const SOX_UNKNOWN: u32 = 0x7fff_f000;

/// What is told of a file that was written where nobody could go back to its header: into a pipe, or by a recorder that lost
/// its power. Its length is 0, or the largest that there is.
///
/// # Errors
/// [`Problem::Io`].
pub(super) fn told(source: &Source) -> Result<Told, Problem> {
    let mut at = 12;
    let mut block_bytes = 1;
    for _ in 0..MAX_CHUNKS {
        let mut head = [0; 24];
        let read = source.read_at(at, &mut head)?;
        if read < 8 {
            break;
        }
        let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        if head.starts_with(b"fmt ") && read == head.len() {
            block_bytes = u32::from(u16::from_le_bytes([head[20], head[21]])).max(1);
        }
        if head.starts_with(b"data") {
            let by_sox = size <= SOX_UNKNOWN && size > SOX_UNKNOWN.saturating_sub(block_bytes);
            let short = at.saturating_add(8).saturating_add(size.into()) > source.len();
            // An empty chunk with nothing behind it is empty.
            let is_open = size == u32::MAX || by_sox && short || size == 0 && source.len() > at + 8;
            let unknown = u32::MAX.to_le_bytes().to_vec();
            let replaced = if is_open { vec![(4, unknown.clone()), (at + 4, unknown)] } else { Vec::new() };
            return Ok(Told { replaced, missing_bytes: 0, is_open });
        }
        at += 8 + u64::from(size) + u64::from(size & 1);
    }
    Ok(Told::default())
}
