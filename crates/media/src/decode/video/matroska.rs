//! Matroska and WebM: tracks, attachments, and where the blocks of a track are (RFC 9559; EBML, RFC 8794).

use std::ops::Range;

use super::demux::{be64, read};
use super::film::{Film, TrackKind, codec_name};
use crate::{Format, Orientation, Problem, Source};

/// The most elements before the clusters, and the most outside of clusters in a row.
pub(super) const MAX_ELEMENTS: u32 = 20_000;
/// The largest value that is read: codec configurations are far smaller.
const MAX_VALUE_BYTES: u64 = 64 << 10;

const SEGMENT: u32 = 0x1853_8067;
pub(super) const CLUSTER: u32 = 0x1f43_b675;
const INFO: u32 = 0x1549_a966;
const TIMESTAMP_SCALE: u32 = 0x2a_d7b1;
const DURATION: u32 = 0x4489;
const TRACKS: u32 = 0x1654_ae6b;
const TRACK: u32 = 0xae;
const TRACK_NUMBER: u32 = 0xd7;
const TRACK_TYPE: u32 = 0x83;
const NAME: u32 = 0x536e;
const LANGUAGE: u32 = 0x22_b59c;
const LANGUAGE_BCP47: u32 = 0x22_b59d;
const CODEC_ID: u32 = 0x86;
const CODEC_PRIVATE: u32 = 0x63a2;
const VIDEO: u32 = 0xe0;
const PIXEL_WIDTH: u32 = 0xb0;
const PIXEL_HEIGHT: u32 = 0xba;
const PROJECTION: u32 = 0x7670;
const PROJECTION_ROLL: u32 = 0x7675;
const ENCODINGS: u32 = 0x6d80;
const ENCODING: u32 = 0x6240;
const COMPRESSION: u32 = 0x5034;
const COMPRESSION_ALGORITHM: u32 = 0x4254;
const COMPRESSION_SETTINGS: u32 = 0x4255;
const ENCRYPTION: u32 = 0x5035;
const ENCRYPTION_ALGORITHM: u32 = 0x47e1;
const ATTACHMENTS: u32 = 0x1941_a469;
const ATTACHED_FILE: u32 = 0x61a7;
const FILE_NAME: u32 = 0x466e;
const FILE_MEDIA_TYPE: u32 = 0x4660;
pub(super) const OUTERMOST: [u32; 8] =
    [CLUSTER, INFO, TRACKS, ATTACHMENTS, 0x1c53_bb6b, 0x114d_9b74, 0x1043_a770, 0x1254_c367];

/// What a `Compression` without an algorithm means: zlib.
const ZLIB: u64 = 0;
const HEADER_STRIPPING: u64 = 3;

/// What encrypts, by number (RFC 9559, 5.1.4.1.31.9).
const ENCRYPTIONS: [Option<&str>; 6] =
    [None, Some("DES"), Some("Triple DES"), Some("Twofish"), Some("Blowfish"), Some("AES")];

#[derive(Clone, Debug, Default)]
pub(super) struct Track {
    number: u64,
    kind: u64,
    language: String,
    name: String,
    codec_id: String,
    pub(super) config: Vec<u8>,
    size_px: (u32, u32),
    roll_degrees: f64,
    locked_by: Option<String>,
    /// Bytes taken away from the start of each block.
    pub(super) prefix: Vec<u8>,
    algorithm: u64,
    compressed: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Segment {
    /// Nanoseconds of a tick.
    scale_ns: u64,
    /// In ticks.
    duration: f64,
    tracks: Vec<Track>,
    /// Name and media type of each.
    attachments: Vec<(String, String)>,
    /// Where the first cluster is, and where the segment ends.
    clusters: Range<u64>,
}

/// The blocks of a track.
#[derive(Clone, Debug)]
pub(super) struct Clusters {
    pub(super) range: Range<u64>,
    pub(super) scale_ns: u64,
    pub(super) track: u64,
}

/// An element's head.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element {
    pub(super) id: u32,
    pub(super) start: u64,
    pub(super) end: u64,
    /// Whether it ends where something of its parent's level begins.
    pub(super) open: bool,
}

/// The element at `at`, in something that ends at `end`.
pub(super) fn element(source: &Source, at: u64, end: u64) -> Result<Option<Element>, Problem> {
    let mut head = [0; 12];
    let most = end.saturating_sub(at).min(12) as usize;
    let got = source.read_at(at, &mut head[..most])?;
    let found = || {
        let (id, id_bytes) = element_id(&head[..got])?;
        let (size, size_bytes) = number(&head[id_bytes..got])?;
        let start = at + (id_bytes + size_bytes) as u64;
        let open = size == (1 << (7 * size_bytes)) - 1;
        Some(Element { id, start, end: if open { end } else { start.saturating_add(size).min(end) }, open })
    };
    Ok(found())
}

/// An element's identifier, its marker bit included, with its length.
fn element_id(head: &[u8]) -> Option<(u32, usize)> {
    let len = head.first()?.leading_zeros() as usize + 1;
    let bytes = head.get(..len).filter(|_| len <= 4)?;
    Some((bytes.iter().fold(0, |id, &byte| id << 8 | u32::from(byte)), len))
}

/// A size without its marker bit, with its length.
pub(super) fn number(head: &[u8]) -> Option<(u64, usize)> {
    let first = *head.first()?;
    let len = first.leading_zeros() as usize + 1;
    let bytes = head.get(..len).filter(|_| len <= 8)?;
    let first = u64::from(first) & ((1 << (8 - len)) - 1);
    Some((bytes[1..].iter().fold(first, |value, &byte| value << 8 | u64::from(byte)), len))
}

/// How many bytes of the segment are missing at the end of the file; 0 for a segment without a length.
///
/// # Errors
/// [`Problem::Io`].
pub(super) fn missing_bytes(source: &Source) -> Result<u64, Problem> {
    let mut at = 0;
    for _ in 0..16 {
        // In something without an end, lengths stay what they are declared to be.
        let Some(found) = element(source, at, u64::MAX)? else { break };
        if found.id == SEGMENT {
            return Ok(if found.open { 0 } else { found.end.saturating_sub(source.len()) });
        }
        at = found.end;
    }
    Ok(0)
}

/// Reads what stands before the first cluster, and the attachments where they stand behind.
///
/// # Errors
/// [`Problem::Damaged`] where there is no segment, [`Problem::Io`].
pub(super) fn segment(source: &Source) -> Result<Segment, Problem> {
    let mut at = 0;
    for _ in 0..16 {
        let Some(found) = element(source, at, source.len())? else { break };
        if found.id == SEGMENT {
            let mut walk =
                Walk { source, left: MAX_ELEMENTS, segment: Segment { scale_ns: 1_000_000, ..Segment::default() } };
            walk.segment.clusters = found.end..found.end;
            walk.level(found.start..found.end, 0)?;
            return Ok(walk.segment);
        }
        at = found.end;
    }
    Err(Problem::Damaged { detail: "no segment".to_owned() })
}

struct Walk<'a> {
    source: &'a Source,
    left: u32,
    segment: Segment,
}

impl Walk<'_> {
    /// Walks one level; `false` where no more need be looked at.
    fn level(&mut self, range: Range<u64>, depth: u32) -> Result<bool, Problem> {
        let mut at = range.start;
        while at < range.end && self.left > 0 {
            self.left -= 1;
            let Some(found) = element(self.source, at, range.end)? else { return Ok(true) };
            if found.id == CLUSTER {
                let first = &mut self.segment.clusters.start;
                *first = (*first).min(at);
                // Live recordings have clusters without an end, and nothing behind them.
                if found.open || !self.segment.tracks.is_empty() && self.left < MAX_ELEMENTS / 2 {
                    return Ok(false);
                }
            }
            let within = matches!(
                found.id,
                INFO | TRACKS
                    | TRACK
                    | VIDEO
                    | PROJECTION
                    | ENCODINGS
                    | ENCODING
                    | COMPRESSION
                    | ENCRYPTION
                    | ATTACHMENTS
                    | ATTACHED_FILE
            );
            self.enter(found.id);
            if within && depth < 8 {
                if !self.level(found.start..found.end, depth + 1)? {
                    return Ok(false);
                }
            } else {
                self.value(found)?;
            }
            at = found.end;
        }
        Ok(true)
    }

    fn enter(&mut self, id: u32) {
        match id {
            TRACK if self.segment.tracks.len() < Film::MOST_TRACKS => self.segment.tracks.push(Track::default()),
            ATTACHED_FILE if self.segment.attachments.len() < Film::MOST_TRACKS => {
                self.segment.attachments.push((String::new(), String::new()));
            }
            ENCRYPTION => {
                if let Some(track) = self.segment.tracks.last_mut() {
                    track.locked_by = Some("Matroska encryption".to_owned());
                }
            }
            COMPRESSION => {
                if let Some(track) = self.segment.tracks.last_mut() {
                    (track.compressed, track.algorithm) = (true, ZLIB);
                }
            }
            _ => {}
        }
    }

    fn value(&mut self, found: Element) -> Result<(), Problem> {
        let wanted = matches!(
            found.id,
            TIMESTAMP_SCALE
                | DURATION
                | TRACK_NUMBER
                | TRACK_TYPE
                | NAME
                | LANGUAGE
                | LANGUAGE_BCP47
                | CODEC_ID
                | CODEC_PRIVATE
                | PIXEL_WIDTH
                | PIXEL_HEIGHT
                | PROJECTION_ROLL
                | COMPRESSION_ALGORITHM
                | COMPRESSION_SETTINGS
                | ENCRYPTION_ALGORITHM
                | FILE_NAME
                | FILE_MEDIA_TYPE
        );
        if !wanted {
            return Ok(());
        }
        let data = read(self.source, found.start, (found.end - found.start).min(MAX_VALUE_BYTES) as usize)?;
        let number = be64(&data[..data.len().min(8)]);
        let px = u32::try_from(number).unwrap_or(u32::MAX);
        let text = || String::from_utf8_lossy(&data).trim_end_matches('\0').chars().take(100).collect::<String>();
        match found.id {
            TIMESTAMP_SCALE => self.segment.scale_ns = number.clamp(1, 1_000_000_000),
            DURATION => self.segment.duration = float(&data),
            FILE_NAME | FILE_MEDIA_TYPE => {
                if let Some((name, media_type)) = self.segment.attachments.last_mut() {
                    *if found.id == FILE_NAME { name } else { media_type } = text();
                }
            }
            _ => {
                let Some(track) = self.segment.tracks.last_mut() else { return Ok(()) };
                match found.id {
                    TRACK_NUMBER => track.number = number,
                    TRACK_TYPE => track.kind = number,
                    NAME => track.name = text(),
                    // Undetermined is none.
                    LANGUAGE | LANGUAGE_BCP47 => {
                        track.language = Some(text()).filter(|of| of != "und").unwrap_or_default()
                    }
                    CODEC_ID => track.codec_id = text(),
                    CODEC_PRIVATE => track.config = data,
                    PIXEL_WIDTH => track.size_px.0 = px,
                    PIXEL_HEIGHT => track.size_px.1 = px,
                    PROJECTION_ROLL => track.roll_degrees = float(&data),
                    COMPRESSION_ALGORITHM => track.algorithm = number,
                    COMPRESSION_SETTINGS => track.prefix = data,
                    _ => {
                        let by = ENCRYPTIONS.get(number as usize).copied().flatten();
                        let by = by.map_or_else(String::new, |by| format!(" by {by}"));
                        track.locked_by = Some(format!("Matroska encryption{by}"));
                    }
                }
            }
        }
        Ok(())
    }
}

fn float(data: &[u8]) -> f64 {
    match *data {
        [a, b, c, d] => f64::from(f32::from_be_bytes([a, b, c, d])),
        [a, b, c, d, e, f, g, h] => f64::from_be_bytes([a, b, c, d, e, f, g, h]),
        _ => 0.0,
    }
}

impl Segment {
    /// The picture tracks.
    pub(super) fn pictures(&self) -> impl Iterator<Item = &Track> {
        self.tracks.iter().filter(|track| track.kind() == TrackKind::Picture)
    }

    /// What the file says, seen from picture track number `wanted`.
    pub(super) fn film(&self, format: Format, wanted: u32) -> Film {
        let mut film = Film { format: Some(format), ..Film::default() };
        // A conversion from a float saturates, and makes 0 of what is no number.
        film.declared_ms = Some((self.duration * self.scale_ns as f64 / 1e6) as u64).filter(|&length| length > 0);
        if let Some(track) = self.pictures().nth(wanted as usize) {
            film.codec = codec_name(&track.codec_id);
            (film.width, film.height) = track.size_px;
            // The roll of a projection turns against the clock.
            film.orientation = match track.roll_degrees {
                90.0 => Orientation::Rotate270,
                -90.0 => Orientation::Rotate90,
                180.0 | -180.0 => Orientation::Rotate180,
                _ => Orientation::Upright,
            };
        }
        film.tracks = self.tracks.iter().map(Track::described).collect();
        for ((name, media_type), number) in self.attachments.iter().zip(1..) {
            let kind = if media_type.starts_with("image/") { TrackKind::Cover } else { TrackKind::Attachment };
            let still = super::film::Track::still(number, kind, media_type);
            film.tracks.push(super::film::Track { name: name.clone(), ..still });
        }
        film.tracks.truncate(Film::MOST_TRACKS);
        film
    }

    /// Where the blocks of a track are.
    pub(super) fn clusters(&self, track: &Track) -> Clusters {
        Clusters { range: self.clusters.clone(), scale_ns: self.scale_ns, track: track.number }
    }
}

impl Track {
    fn kind(&self) -> TrackKind {
        match self.kind {
            1 => TrackKind::Picture,
            2 => TrackKind::Sound,
            17 => TrackKind::Subtitle,
            _ => TrackKind::Other,
        }
    }

    /// Whether blocks are packed in a way that is not undone here.
    pub(super) fn is_packed(&self) -> bool {
        self.compressed && self.algorithm != HEADER_STRIPPING
    }

    fn described(&self) -> super::film::Track {
        super::film::Track {
            number: self.number,
            kind: self.kind(),
            codec: codec_name(&self.codec_id),
            language: self.language.clone(),
            name: self.name.clone(),
            size_px: self.size_px,
            locked_by: self.locked_by.clone(),
            elsewhere: false,
        }
    }
}
