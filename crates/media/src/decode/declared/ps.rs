//! What of a program stream is locked (ISO 13818-1, 2.4.3.7): packets of discs under CSS, the Content Scramble System of DVDs, say so.

use super::mpeg::unit;
use super::{Listed, Sort, read};
use crate::{Problem, Source};

/// Where a stream is looked at, in quarters of its length, and how much of it there: titles of a disc begin in the clear at times.
const PLACES: u64 = 4;
const LOOK_BYTES: usize = 1 << 20;
/// The most that would be looked through in vain for the first pack.
const MAX_GAP_BYTES: usize = 64 << 10;
/// What is scrambled of a sector begins here, which in a packet may be a little sooner.
const CLEAR_BYTES: usize = 128;
/// Packets of pictures from which on something is said.
const LEAST_PACKETS: u32 = 8;

/// Packets of pictures that are marked, and all, and how many of the marked have a start code behind what stays clear: one in
/// thousands has where they are scrambled, nearly all have where they are not. Tools that unlock may leave the mark.
#[derive(Clone, Copy, Default)]
struct Packets {
    all: u32,
    marked: u32,
    legible: u32,
    sound_marked: bool,
}

/// The tracks, where its pictures are locked.
pub(super) fn locked(source: &Source) -> Result<Vec<Listed>, Problem> {
    let mut packets = Packets::default();
    let quarter = source.len().div_ceil(PLACES);
    let len = usize::try_from(quarter).unwrap_or(LOOK_BYTES).min(LOOK_BYTES);
    for place in 0..PLACES {
        look(&read(source, quarter * place, len)?, &mut packets);
    }
    let Packets { all, marked, legible, sound_marked } = packets;
    if all < LEAST_PACKETS || marked < all.div_ceil(4) || legible > marked / 4 {
        return Ok(Vec::new());
    }
    let by = || Some("the Content Scramble System of DVDs (CSS)".to_owned());
    let mut listed = vec![Listed { number: 0xe0, sort: Sort::Picture, codec: "MPEG-2", locked_by: by() }];
    if sound_marked {
        listed.push(Listed { number: 0xbd, sort: Sort::Sound, codec: "", locked_by: by() });
    }
    Ok(listed)
}

/// Counts the packets of a part of a stream, from the first pack on.
fn look(bytes: &[u8], packets: &mut Packets) {
    let gap = bytes.len().min(MAX_GAP_BYTES);
    let Some(first) = bytes[..gap].windows(4).position(|window| window == [0, 0, 1, 0xba]) else { return };
    let mut rest = &bytes[first..];
    while let Some(length) = unit(rest).filter(|&length| length <= rest.len()) {
        let (packet, behind) = rest.split_at(length);
        rest = behind;
        // Of MPEG-1 the byte behind the length is something else.
        let Some(flags) = packet.get(6).filter(|flags| *flags & 0xc0 == 0x80) else { continue };
        let is_marked = flags & 0x30 != 0;
        match packet[3] {
            0xe0..=0xef => {
                packets.all += 1;
                packets.marked += u32::from(is_marked);
                let scrambled = packet.get(CLEAR_BYTES..).unwrap_or_default();
                packets.legible += u32::from(is_marked && scrambled.windows(3).any(|window| window == [0, 0, 1]));
            }
            0xbd | 0xc0..=0xdf => packets.sound_marked |= is_marked,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream of so many packets of pictures, one in `every` of them marked, with start codes or without.
    fn stream(packets: usize, every: usize, legible: bool) -> Source {
        let mut bytes = Vec::new();
        for number in 0..packets {
            bytes.extend([0, 0, 1, 0xba, 0x44, 0, 4, 0, 4, 1, 0, 0, 3, 0xf8]);
            let marked = number % every == 0;
            bytes.extend([0, 0, 1, 0xe0, 3, 0xf8, if marked { 0x90 } else { 0x80 }, 0, 0]);
            let at = bytes.len();
            bytes.extend((0..1_013).map(|place| (place * 7 + number * 31) as u8 | 2));
            if legible || !marked {
                bytes[at + 700..at + 704].copy_from_slice(&[0, 0, 1, 5]);
            }
        }
        Source::from_bytes(bytes)
    }

    #[test]
    fn packets_that_say_so_and_cannot_be_read_are_locked() {
        let is_locked = |packets, every, legible| !locked(&stream(packets, every, legible)).unwrap().is_empty();
        assert!(is_locked(40, 1, false));
        assert!(is_locked(40, 2, false), "half of a disc's sectors");
        assert!(!is_locked(40, 1, true), "a tool left the mark");
        assert!(!is_locked(40, 40, false), "one of forty");
        assert!(!is_locked(7, 1, false), "too few to tell");
        assert!(locked(&Source::from_bytes(Vec::new())).unwrap().is_empty());
    }
}
