//! Packets of MPEG transport streams (ISO 13818-1, 2.4.3). Each begins with the same byte and with no other sign, and tables of
//! small records have that byte at such distances too: so what the packets count has to agree.

use std::collections::BTreeMap;

/// From one packet to the next; those of M2TS have a stamp of four bytes before each.
const STEPS: [usize; 2] = [188, 192];
const STAMP: usize = 4;
const SYNC: u8 = 0x47;
/// Fewer packets at the start of a file are none.
const FEWEST: usize = 4;
/// So many at the start of a file of which two were never of one stream are none either.
const FEWEST_COUNTED: usize = 8;
/// So many in a row, where something else stands before them.
const IN_A_ROW: usize = 24;
/// The stream of packets without content.
const EMPTY: u16 = 0x1fff;

/// Whether a file with this head begins with packets.
pub(super) fn begin(head: &[u8]) -> bool {
    let [plain, stamped] = STEPS;
    [(head, plain), (head.get(STAMP..).unwrap_or(&[]), stamped)].into_iter().any(|(packets, step)| {
        let whole = (packets.len() + step - STEPS[0]) / step;
        whole >= FEWEST && follow(packets, step, whole.min(IN_A_ROW))
    })
}

/// Whether packets stand here, one behind the other.
pub(super) fn stand(rest: &[u8]) -> bool {
    STEPS.into_iter().any(|step| follow(rest, step, IN_A_ROW))
}

/// None of their bytes but the first are all the sync byte. Each has a body or a field that says why not, and no lock of a kind that there
/// is not: letters would be one. Packets of one stream are numbered, those with a body upwards.
fn follow(bytes: &[u8], step: usize, count: usize) -> bool {
    let synced = |from: usize| (0..count).all(|n| bytes.get(from + n * step) == Some(&SYNC));
    if !synced(0) || (1..step).any(synced) {
        return false;
    }
    let (mut numbers, mut agree, mut differ) = (BTreeMap::new(), 0, 0);
    for packet in bytes.chunks(step).take(count) {
        let &[_, high, low, flags, ..] = packet else { return false };
        if flags & 0x30 == 0 || flags >> 6 == 1 {
            return false;
        }
        let (stream, number) = (u16::from(high & 0x1f) << 8 | u16::from(low), flags & 0x0f);
        if stream == EMPTY {
            continue;
        }
        let with_body = flags >> 4 & 1;
        match numbers.insert(stream, number) {
            Some(before) if (before + with_body) & 0x0f == number => agree += 1,
            Some(_) => differ += 1,
            None => {}
        }
    }
    // Packets are lost, and in a recording of a broadcast the first ones are.
    agree >= differ && (agree > 0 || count < FEWEST_COUNTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets of streams in turn, with stamps before them or without.
    fn packets(streams: &[u16], step: usize, change: impl Fn(usize, &mut [u8])) -> Vec<u8> {
        let mut numbers = BTreeMap::new();
        let mut bytes = Vec::new();
        for (place, &stream) in streams.iter().enumerate() {
            let number: &mut u8 = numbers.entry(stream).or_default();
            let [high, low] = stream.to_be_bytes();
            let mut packet = vec![0xa5; step];
            packet[..4].copy_from_slice(&[SYNC, high, low, 0x10 | *number]);
            *number = (*number + 1) & 0x0f;
            change(place, &mut packet);
            bytes.extend(packet);
        }
        bytes
    }

    #[test]
    fn packets_are_told_by_their_numbers() {
        let streams: Vec<u16> = (0..40).map(|place| [0, 0x100, 0x100, 0x101, EMPTY][place % 5]).collect();
        for step in STEPS {
            let told = |change: fn(usize, &mut [u8])| {
                let bytes = packets(&streams, step, change);
                let stamped = [&[0; STAMP][..step - STEPS[0]], &bytes].concat();
                (begin(&stamped), stand(&bytes))
            };
            assert_eq!(told(|_, _| {}), (true, true));
            // A stream that was lost for a moment, and one that counts on with no body.
            assert_eq!(told(|place, packet| packet[3] ^= u8::from(place > 20)), (true, true));
            assert_eq!(told(|_, packet| packet[3] = 0x20), (true, true));
            // Records that say the same each time, whatever, or what no packet does.
            assert_eq!(told(|_, packet| packet[3] = 0x13), (false, false));
            assert_eq!(told(|place, packet| packet[3] = 0x10 | (place * place * 7 % 16) as u8), (false, false));
            assert_eq!(told(|place, packet| packet[2] = place as u8), (false, false));
            assert_eq!(told(|_, packet| packet[3] &= 0x0f), (false, false));
            assert_eq!(told(|_, packet| packet[3] |= 0x40), (false, false));
            assert_eq!(told(|_, packet| packet[24] = SYNC), (false, false));
            assert_eq!(told(|_, packet| packet[0] = 0), (false, false));
        }
    }

    #[test]
    fn a_few_packets_make_a_file_and_hardly_any_do_not() {
        let bytes = packets(&[0, 0x100, 0x101, 0x102, 0x101], STEPS[0], |_, _| {});
        for (whole, expected) in [(5, true), (4, true), (3, false)] {
            assert_eq!(begin(&bytes[..whole * STEPS[0]]), expected, "{whole}");
        }
        assert!(!begin(&[]) && !stand(&[]) && !stand(&bytes));
        for end in 0..bytes.len() {
            let _ = (begin(&bytes[..end]), stand(&bytes[end..]));
        }
    }
}
