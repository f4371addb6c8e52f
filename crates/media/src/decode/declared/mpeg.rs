//! Where MPEG streams end (ISO 13818-1): they do not say how long they are, but packets do, and a file that was cut ends within one.
//! A recording that was broken off between two packets is whole.

use super::{read, ts};
use crate::{Problem, Source};

/// How much of the end is looked at.
const TAIL_BYTES: u64 = 256 << 10;
/// Packets in a row that tell where they lie.
const PACKETS: usize = 16;
/// Packets of a program stream in a row.
const UNITS: usize = 4;

/// Bytes that the last packet of a transport stream lacks; 0 where the end is none of it.
pub(super) fn missing_of_transport_stream(source: &Source) -> Result<u64, Problem> {
    let Some((_, step)) = ts::synced(&source.head(ts::MAX_GAP_BYTES + 192 * PACKETS)?) else { return Ok(0) };
    let tail = tail(source)?;
    // How far before the end the last packet begins, of which 188 bytes are due: four of the next may be before it.
    let is_row = |back: usize| {
        let at = |n: usize| tail.len().checked_sub(back + n * step).and_then(|at| tail.get(at));
        (0..PACKETS).all(|n| at(n) == Some(&0x47))
    };
    if is_row(188) {
        return Ok(0);
    }
    let back = (1..=step).find(|&back| is_row(back)).unwrap_or(188);
    Ok(((step + 188 - back) % step) as u64)
}

/// Bytes that the last packet of a program stream lacks; 0 where the end is none of it.
pub(super) fn missing_of_program_stream(source: &Source) -> Result<u64, Problem> {
    let tail = tail(source)?;
    let packs = (0..tail.len().saturating_sub(14)).filter(|&at| tail[at..].starts_with(&[0, 0, 1, 0xba]));
    for pack in packs {
        let (mut at, mut units) = (pack, 0);
        while let Some(bytes) = unit(&tail[at..]) {
            if at + bytes > tail.len() && units >= UNITS {
                return Ok((at + bytes - tail.len()) as u64);
            }
            (at, units) = (at.saturating_add(bytes).min(tail.len()), units + 1);
        }
        if units >= UNITS {
            break;
        }
    }
    Ok(0)
}

/// The length of a pack header or a packet, the least that it may have where that is cut off; `None` for the end and for anything
/// else.
pub(super) fn unit(rest: &[u8]) -> Option<usize> {
    match *rest {
        [0, 0, 1, 0xba, fifth, ..] if fifth & 0xc4 == 0x44 => Some(14 + usize::from(rest.get(13).unwrap_or(&0) & 7)),
        [0, 0, 1, 0xba, fifth, ..] if fifth & 0xf1 == 0x21 => Some(12),
        [0, 0, 1, 0xbb..=0xff, high, low, ..] => {
            // A length of 0 is none.
            Some(usize::from(u16::from_be_bytes([high, low]))).filter(|&length| length > 0).map(|length| 6 + length)
        }
        _ => None,
    }
}

fn tail(source: &Source) -> Result<Vec<u8>, Problem> {
    let start = source.len().saturating_sub(TAIL_BYTES);
    read(source, start, usize::try_from(source.len() - start).unwrap_or(0))
}
