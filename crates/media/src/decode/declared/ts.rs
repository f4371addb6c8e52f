//! What of a transport stream is locked (ISO 13818-1, 2.4.3.3 and 2.6.16; ETSI TS 100 289): packets say so, and tables, which stay plain,
//! name the tracks and who holds the keys.

use std::collections::{BTreeMap, BTreeSet};

use super::{Listed, Sort};
use crate::{Problem, Source};

/// How much of the stream is looked at: at 20 Mbit/s, a second and a half.
const LOOK_BYTES: usize = 4 << 20;
/// How far into a file a stream may begin, and packets in a row that begin one.
pub(super) const MAX_GAP_BYTES: usize = 64 << 10;
const PACKETS: usize = 5;

/// By whom keys are held, by the high byte of a system's number (DVB, "CA_system_ID").
const SYSTEMS: [(u8, &str); 9] = [
    (0x01, "Seca"),
    (0x05, "Viaccess"),
    (0x06, "Irdeto"),
    (0x09, "Videoguard"),
    (0x0b, "Conax"),
    (0x0d, "Cryptoworks"),
    (0x0e, "PowerVu"),
    (0x18, "Nagravision"),
    (0x26, "BISS"),
];

/// What the packets of one track are like.
#[derive(Clone, Copy, Default)]
struct Packets {
    locked: u32,
    /// That begin something in the clear, whatever they say: recorders that unlock may leave the mark.
    plain: u32,
}

/// The tracks, where one of pictures or sound is locked from the beginning.
pub(super) fn locked(source: &Source) -> Result<Vec<Listed>, Problem> {
    let bytes = source.head(LOOK_BYTES)?;
    let Some((start, step)) = synced(&bytes) else { return Ok(Vec::new()) };
    let (mut tables, mut tracks, mut systems) = (BTreeSet::new(), BTreeMap::new(), BTreeSet::new());
    let mut packets: BTreeMap<u16, Packets> = BTreeMap::new();
    for packet in bytes[start..].chunks(step).filter_map(|packet| packet.first_chunk::<188>()) {
        let Some((header, payload)) = payload(packet) else { continue };
        let number = u16::from_be_bytes([header[1] & 0x1f, header[2]]);
        let (begins, is_locked) = (header[1] & 0x40 != 0, header[3] & 0x80 != 0);
        if begins && !is_locked && number == 0 {
            programs(payload, &mut tables);
        } else if begins && !is_locked && tables.contains(&number) {
            streams(payload, &mut tracks, &mut systems);
        } else if (0x10..0x1fff).contains(&number) {
            let of = packets.entry(number).or_default();
            of.plain += u32::from(begins && payload.starts_with(&[0, 0, 1]));
            of.locked += u32::from(is_locked);
        }
    }
    let by = || {
        let names: Vec<&str> = systems.iter().copied().collect();
        let of = if names.is_empty() { String::new() } else { format!(", for {}", names.join(", ")) };
        format!("transport stream scrambling{of}")
    };
    let is_locked = |of: &Packets| of.locked > 0 && of.plain == 0;
    if tracks.is_empty() && packets.values().any(is_locked) && packets.values().all(|of| of.plain == 0) {
        // Without tables one cannot be told from the other.
        return Ok(vec![Listed { number: 0, sort: Sort::Picture, codec: "", locked_by: Some(by()) }]);
    }
    let listed = tracks.into_iter().map(|(number, (sort, codec))| {
        let is_locked = packets.get(&number).is_some_and(is_locked);
        Listed { number: number.into(), sort, codec, locked_by: is_locked.then(by) }
    });
    let mut listed: Vec<Listed> = listed.collect();
    // Of several programs one that is plain goes first.
    listed.sort_by_key(|track| track.locked_by.is_some());
    let is_lost = |track: &Listed| track.locked_by.is_some() && track.sort != Sort::Other;
    Ok(if listed.iter().any(is_lost) { listed } else { Vec::new() })
}

/// Where packets begin, and how far apart.
pub(super) fn synced(bytes: &[u8]) -> Option<(usize, usize)> {
    let is_row = |at: usize, step: usize| (0..PACKETS).all(|n| bytes.get(at + n * step) == Some(&0x47));
    (0..bytes.len().min(MAX_GAP_BYTES))
        .filter(|&at| bytes[at] == 0x47)
        .find_map(|at| [188, 192].into_iter().find(|&step| is_row(at, step)).map(|step| (at, step)))
}

/// The header, and what stands behind it and its fields; `None` for a packet that carries nothing or is none.
fn payload(packet: &[u8; 188]) -> Option<([u8; 4], &[u8])> {
    let header = *packet.first_chunk::<4>()?;
    let has_fields = header[3] & 0x20 != 0;
    let start = if has_fields { 5 + usize::from(packet[4]) } else { 4 };
    let carries = header[0] == 0x47 && header[1] & 0x80 == 0 && header[3] & 0x10 != 0;
    packet.get(start..).filter(|payload| carries && !payload.is_empty()).map(|payload| (header, payload))
}

/// The body of a table of that kind, as far as the packet has it, without the checksum.
fn section(payload: &[u8], kind: u8) -> Option<&[u8]> {
    let table = payload.get(1 + usize::from(payload[0])..)?;
    let length = usize::from(u16::from_be_bytes([*table.get(1)?, *table.get(2)?]) & 0xfff);
    let body = &table[3..table.len().min(3 + length.checked_sub(4)?)];
    (table[0] == kind).then_some(body)
}

/// Where the tables of programs are.
fn programs(payload: &[u8], tables: &mut BTreeSet<u16>) {
    let Some(rows) = section(payload, 0).and_then(|body| body.get(5..)) else { return };
    for row in rows.as_chunks::<4>().0.iter().filter(|row| row[..2] != [0, 0]) {
        tables.insert(u16::from_be_bytes([row[2] & 0x1f, row[3]]));
    }
}

/// The tracks of a program, and who holds its keys.
fn streams(payload: &[u8], tracks: &mut BTreeMap<u16, (Sort, &'static str)>, systems: &mut BTreeSet<&'static str>) {
    let length = |at: &[u8]| usize::from(u16::from_be_bytes([at[0], at[1]]) & 0xfff);
    let Some(body) = section(payload, 2).filter(|body| body.len() >= 9) else { return };
    let (of_program, mut rest) = body[9..].split_at(length(&body[7..]).min(body.len() - 9));
    holders(of_program, systems);
    while let Some((row, behind)) = rest.split_first_chunk::<5>() {
        let (described, behind) = behind.split_at(length(&row[3..]).min(behind.len()));
        holders(described, systems);
        tracks.insert(u16::from_be_bytes([row[1] & 0x1f, row[2]]), kind(row[0], described));
        rest = behind;
    }
}

/// Descriptors: their tags and bodies.
fn descriptors(mut rest: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (&[tag, length], behind) = rest.split_first_chunk::<2>()?;
        let (body, behind) = behind.split_at_checked(length.into())?;
        rest = behind;
        Some((tag, body))
    })
}

fn holders(described: &[u8], systems: &mut BTreeSet<&'static str>) {
    const ACCESS: u8 = 9;
    let numbers = descriptors(described).filter(|(tag, _)| *tag == ACCESS).filter_map(|(_, body)| body.first());
    systems
        .extend(numbers.filter_map(|number| SYSTEMS.iter().find(|(known, _)| known == number)).map(|(_, name)| *name));
}

/// What a stream of that type holds (ISO 13818-1, table 2-34; ATSC A/53; and by the descriptors of DVB, EN 300 468).
fn kind(number: u8, described: &[u8]) -> (Sort, &'static str) {
    match number {
        0x01 => (Sort::Picture, "MPEG-1"),
        0x02 => (Sort::Picture, "MPEG-2"),
        0x10 => (Sort::Picture, "MPEG-4 part 2"),
        0x1b => (Sort::Picture, "H.264"),
        0x24 => (Sort::Picture, "HEVC"),
        0x1e..=0x23 | 0x33 | 0x42 | 0xd1 | 0xea => (Sort::Picture, ""),
        0x03 | 0x04 => (Sort::Sound, "MPEG audio"),
        0x0f | 0x11 => (Sort::Sound, "AAC"),
        0x81 => (Sort::Sound, "AC-3"),
        0x80 | 0x82..=0x87 => (Sort::Sound, ""),
        0x06 if descriptors(described).any(|(tag, _)| matches!(tag, 0x6a | 0x7a | 0x7b | 0x7c)) => (Sort::Sound, ""),
        _ => (Sort::Other, ""),
    }
}
