//! ISO media boxes that say what of a track is the recording, and what is locked (ISO 14496-12: `elst`, `sinf`; Apple's
//! `iTunSMPB` tag). The demuxer keeps these to itself.

use std::ops::Range;

use super::window::Told;
use crate::{Problem, Source};

/// The most boxes that are looked at: films have some hundred.
const MAX_BOXES: u32 = 20_000;

/// The largest box that is read whole: sample descriptions, edit lists and tags are far smaller.
const MAX_READ_BYTES: u64 = 64 << 10;

/// What one track says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Track {
    pub(super) id: u32,
    /// Ticks a second of the track.
    pub(super) timescale: u32,
    /// Where the recording begins, in ticks of the track.
    pub(super) media_time: Option<u64>,
    /// How long it is, in ticks of the film; `None` where several pieces are played.
    pub(super) segment_duration: Option<u64>,
    /// The scheme that locks it.
    pub(super) locked_by: Option<String>,
    /// What kind of track it is: `soun`, `vide`.
    pub(super) handler: [u8; 4],
    /// How it is coded: the kind of its first sample description.
    pub(super) coding: [u8; 4],
}

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Boxes {
    /// Ticks a second of the film.
    pub(super) timescale: u32,
    pub(super) tracks: Vec<Track>,
    /// Frames before and behind the recording by iTunes, and the recording's own.
    pub(super) itunes: Option<(u32, u32, u64)>,
}

/// Names of codecs by the kind of their sample description, of those that are not decoded here.
const CODECS: &[(&[u8; 4], &str)] = &[
    (b".mp1", "MP1"),
    (b".mp2", "MP2"),
    (b".mp3", "MP3"),
    (b"ac-3", "AC-3"),
    (b"ac-4", "AC-4"),
    (b"agsm", "GSM 06.10"),
    (b"alac", "ALAC"),
    (b"alaw", "A-law"),
    (b"dtsc", "DTS"),
    (b"dtse", "DTS Express"),
    (b"dtsh", "DTS-HD"),
    (b"dtsl", "DTS-HD"),
    (b"dtsx", "DTS:X"),
    (b"ec-3", "E-AC-3"),
    (b"ima4", "IMA ADPCM"),
    (b"iamf", "IAMF"),
    (b"MAC3", "MACE 3:1"),
    (b"MAC6", "MACE 6:1"),
    (b"mha1", "MPEG-H Audio"),
    (b"mha2", "MPEG-H Audio"),
    (b"mhm1", "MPEG-H Audio"),
    (b"mhm2", "MPEG-H Audio"),
    (b"mlpa", "TrueHD"),
    (b"QDM2", "QDesign Music 2"),
    (b"Qclp", "Qualcomm PureVoice"),
    (b"samr", "AMR"),
    (b"sawb", "AMR-WB"),
    (b"sawp", "AMR-WB+"),
    (b"ulaw", "\u{b5}-law"),
];

impl Boxes {
    /// What the first sound track calls its codec.
    pub(super) fn codec(&self) -> Option<String> {
        let coding = self.tracks.iter().find(|track| &track.handler == b"soun")?.coding;
        let known = CODECS.iter().find(|(kind, _)| **kind == coding).map(|(_, name)| (*name).to_owned());
        let text = || match coding {
            // Numbers of Windows.
            [b'm', b's', high, low] if !high.is_ascii_graphic() => format!("codec 0x{high:02x}{low:02x} of Windows"),
            _ => format!("codec {}", coding.escape_ascii()),
        };
        (coding != [0; 4]).then(|| known.unwrap_or_else(text))
    }
}

/// Looks through the boxes. What is damaged is left out: the demuxer will say so.
///
/// # Errors
/// [`Problem::Io`].
pub(super) fn boxes(source: &Source) -> Result<Boxes, Problem> {
    let mut walk = Walk { source, left: MAX_BOXES, found: Boxes::default(), tag: Vec::new() };
    walk.level(0..source.len(), 0)?;
    Ok(walk.found)
}

/// What is told of a file whose media is cut short behind its directory: the demuxer passes over a box that ends behind the file.
///
/// # Errors
/// [`Problem::Io`].
pub(super) fn told(source: &Source) -> Result<Told, Problem> {
    let (mut at, mut has_directory) = (0, false);
    for _ in 0..MAX_BOXES {
        let mut head = [0; 16];
        let read = source.read_at(at, &mut head)?;
        if read < 8 {
            break;
        }
        let size = match be32(&head[..4]) {
            // Until the end.
            0 => break,
            1 if read < 16 => break,
            1 => u64::from(be32(&head[8..12])) << 32 | u64::from(be32(&head[12..])),
            size => u64::from(size),
        };
        // A file may grow while it is read.
        let there = source.len().saturating_sub(at);
        if size > there {
            if &head[4..8] != b"mdat" || !has_directory {
                break;
            }
            // What is too long for the field has no fewer bytes in it.
            let replaced = match u32::try_from(there) {
                Ok(there) if be32(&head[..4]) != 1 => (at, there.to_be_bytes().to_vec()),
                _ => (at + 8, there.to_be_bytes().to_vec()),
            };
            return Ok(Told { replaced: vec![replaced], missing_bytes: size - there, is_open: false });
        }
        has_directory |= &head[4..8] == b"moov";
        if size < 8 {
            break;
        }
        at += size;
    }
    Ok(Told::default())
}

struct Walk<'a> {
    source: &'a Source,
    left: u32,
    found: Boxes,
    /// The name of the free-form tag that is being read.
    tag: Vec<u8>,
}

impl Walk<'_> {
    fn level(&mut self, range: Range<u64>, depth: u32) -> Result<(), Problem> {
        let mut at = range.start;
        while range.end.saturating_sub(at) >= 8 && self.left > 0 {
            self.left -= 1;
            let mut head = [0; 16];
            let read = self.source.read_at(at, &mut head)?;
            if read < 8 {
                break;
            }
            let (mut size, mut header) = (u64::from(be32(&head[..4])), 8);
            if size == 1 && read == 16 {
                (size, header) = (u64::from(be32(&head[8..12])) << 32 | u64::from(be32(&head[12..])), 16);
            } else if size == 0 {
                size = range.end - at;
            }
            if size < header {
                break;
            }
            let end = at.saturating_add(size).min(range.end);
            self.one([head[4], head[5], head[6], head[7]], at + header..end, depth)?;
            at = end;
        }
        Ok(())
    }

    fn one(&mut self, kind: [u8; 4], body: Range<u64>, depth: u32) -> Result<(), Problem> {
        let within = match &kind {
            b"moov" | b"mdia" | b"minf" | b"stbl" | b"edts" | b"udta" | b"ilst" | b"----" => Some(body.start),
            b"trak" => {
                self.found.tracks.push(Track::default());
                Some(body.start)
            }
            // A full box in MPEG-4, a plain one in QuickTime.
            b"meta" => {
                let head = self.read(&(body.start..body.end.min(body.start.saturating_add(8))))?;
                let plain = head.get(4..8).is_some_and(|kind| kind == b"hdlr");
                Some(body.start.saturating_add(if plain { 0 } else { 4 }))
            }
            _ => None,
        };
        if let Some(start) = within {
            return if depth < 10 { self.level(start..body.end, depth + 1) } else { Ok(()) };
        }
        match &kind {
            b"mvhd" => {
                let data = self.read(&body)?;
                self.found.timescale = timescale(&data);
            }
            b"tkhd" | b"mdhd" | b"hdlr" | b"elst" | b"stsd" => {
                let data = self.read(&body)?;
                let Some(track) = self.found.tracks.last_mut() else { return Ok(()) };
                match &kind {
                    b"tkhd" => track.id = field(&data, if data.first() == Some(&1) { 20 } else { 12 }),
                    b"mdhd" => track.timescale = timescale(&data),
                    b"elst" => edit_list(&data, track),
                    // QuickTime has another for the data itself.
                    b"hdlr" if track.handler == [0; 4] => track.handler = field(&data, 8).to_be_bytes(),
                    b"hdlr" => {}
                    _ => {
                        track.locked_by = lock(&data);
                        track.coding = field(&data, 12).to_be_bytes();
                    }
                }
            }
            b"name" => self.tag = self.read(&body)?.get(4..).unwrap_or(&[]).to_vec(),
            b"data" if self.tag == b"iTunSMPB" => {
                let data = self.read(&body)?;
                self.found.itunes = itunes(data.get(8..).unwrap_or(&[]));
            }
            _ => {}
        }
        Ok(())
    }

    fn read(&self, range: &Range<u64>) -> Result<Vec<u8>, Problem> {
        let mut data = vec![0; usize::try_from((range.end - range.start).min(MAX_READ_BYTES)).unwrap_or(0)];
        let read = self.source.read_at(range.start, &mut data)?;
        data.truncate(read);
        Ok(data)
    }
}

fn be32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |value, &byte| value << 8 | u32::from(byte))
}

/// The 32-bit field at `at`, 0 where there is none.
fn field(data: &[u8], at: usize) -> u32 {
    data.get(at..at + 4).map_or(0, be32)
}

/// Whether a duration is one: all ones, of 32 bits or 64, say that it is not known (ISO 14496-12:2022, 8.2.2, 8.4.2).
pub(super) fn is_known(ticks: u64) -> bool {
    ticks != u64::from(u32::MAX) && ticks != u64::MAX
}

fn timescale(data: &[u8]) -> u32 {
    field(data, if data.first() == Some(&1) { 20 } else { 12 })
}

/// Takes the first piece that is no gap before the recording; more pieces are played as they are stored.
fn edit_list(data: &[u8], track: &mut Track) {
    let wide = data.first() == Some(&1);
    let step = if wide { 20 } else { 12 };
    let mut pieces = Vec::new();
    for entry in data.get(8..).unwrap_or(&[]).chunks_exact(step).take(field(data, 4) as usize) {
        let (duration, media_time) = if wide {
            let long = |at: usize| u64::from(field(entry, at)) << 32 | u64::from(field(entry, at + 4));
            (long(0), long(8).cast_signed())
        } else {
            (u64::from(field(entry, 0)), i64::from(field(entry, 4).cast_signed()))
        };
        if let Ok(media_time) = u64::try_from(media_time) {
            pieces.push((duration, media_time));
        }
    }
    track.media_time = pieces.first().map(|(_, media_time)| *media_time);
    track.segment_duration =
        if let [(duration, _)] = pieces[..] { Some(duration).filter(|&d| d > 0 && is_known(d)) } else { None };
}

/// The scheme of a sample description that is locked: `enca` with its `schm`, or FairPlay's `drms`.
fn lock(data: &[u8]) -> Option<String> {
    match data.get(12..16)? {
        b"drms" => Some("FairPlay".to_owned()),
        b"enca" | b"encv" => {
            let at = data.windows(4).position(|kind| kind == b"schm");
            let scheme = at.and_then(|at| data.get(at + 8..at + 12)).filter(|scheme| scheme.is_ascii());
            let scheme = scheme.map(|scheme| String::from_utf8_lossy(scheme).trim().to_owned());
            Some(scheme.filter(|scheme| !scheme.is_empty()).unwrap_or_else(|| "common encryption".to_owned()))
        }
        _ => None,
    }
}

/// ` 00000000 00000840 000001CA 00000000003F31F6 ...`: reserved, frames before, frames behind, frames of the recording.
fn itunes(text: &[u8]) -> Option<(u32, u32, u64)> {
    let text = std::str::from_utf8(text).ok()?;
    let mut words = text.split_ascii_whitespace().skip(1);
    let before = u32::from_str_radix(words.next()?, 16).ok()?;
    let behind = u32::from_str_radix(words.next()?, 16).ok()?;
    let frames = u64::from_str_radix(words.next()?, 16).ok()?;
    Some((before, behind, frames))
}
