//! The directory of MP4 and QuickTime files: tracks, how they are coded and locked, edit lists, and where the tables of
//! samples are (ISO 14496-12:2022; QuickTime File Format, 2012). Tables stay in the file: see `tables`.

use std::ops::Range;

use super::demux::{be32, be64, field, read};
use super::film::{Film, TrackKind, codec_name};
use super::locks::{self, MAX_SYSTEMS};
use crate::{Format, Orientation, Problem, Source};

/// The most boxes of the directory that are looked at: films have some hundred.
const MAX_BOXES: u32 = 20_000;
/// The most boxes beside the directory: fragments come by the second.
const MAX_OUTER_BOXES: u32 = 1_000_000;
/// The largest box that is read whole: sample descriptions and edit lists are far smaller.
const MAX_READ_BYTES: u64 = 64 << 10;
/// The most entries of sample descriptions, and pieces of an edit list.
const MAX_ENTRIES: usize = 1_000;

/// A table in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Table {
    /// Where its first entry is.
    pub(super) start: u64,
    /// Entries, as many as are in the box.
    pub(super) count: u32,
    /// Bytes of an entry.
    pub(super) width: u8,
}

/// The tables of a track.
#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    /// `stsz`, `stz2`: sizes in bytes; where all are alike, no entries are there.
    pub(super) sizes: Table,
    pub(super) uniform_size: u32,
    /// `stco`, `co64`: where chunks begin.
    pub(super) chunks: Table,
    /// `stsc`: first chunk, samples a chunk, description.
    pub(super) runs: Table,
    /// `stts`: samples, duration.
    pub(super) durations: Table,
    /// `ctts`: samples, how much later they are shown than decoded.
    pub(super) offsets: Table,
    /// `stss`: numbers of those that can be decoded alone; `None` where all can.
    pub(super) keys: Option<Table>,
}

/// One entry of a sample description.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    /// The codec; of a locked entry that which is locked.
    pub(super) kind: [u8; 4],
    pub(super) size_px: (u32, u32),
    pub(super) config: Vec<u8>,
    pub(super) locked_by: Option<String>,
}

/// A piece of an edit list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    /// In ticks of the film; 0 for all that is left.
    pub(super) duration: u64,
    /// In ticks of the track; `None` for a gap.
    pub(super) media_time: Option<u64>,
}

/// What fragments need not repeat (`trex`).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Defaults {
    pub(super) description: u32,
    pub(super) duration: u32,
    pub(super) size: u32,
    pub(super) flags: u32,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Track {
    pub(super) id: u32,
    pub(super) handler: [u8; 4],
    pub(super) timescale: u32,
    duration: u64,
    language: String,
    orientation: Orientation,
    pub(super) edits: Vec<Edit>,
    pub(super) entries: Vec<Entry>,
    pub(super) tables: Tables,
    /// Whether a data reference names another file.
    elsewhere: bool,
    /// See `tables::Samples::late`.
    pub(super) late: i64,
    pub(super) defaults: Defaults,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Movie {
    /// Ticks a second of the film.
    pub(super) timescale: u32,
    duration: u64,
    tracks: Vec<Track>,
    /// Where to look for fragments, where the directory announces some.
    pub(super) fragments_from: Option<u64>,
    covers: u32,
    /// Who holds keys, by the boxes that say so.
    systems: Vec<String>,
}

/// A box: what it is, what is in it.
#[derive(Clone, Debug)]
pub(super) struct Boxed {
    pub(super) kind: [u8; 4],
    pub(super) body: Range<u64>,
}

/// The box at `at`, inside something that ends at `end`. `None` where there is none.
pub(super) fn box_at(source: &Source, at: u64, end: u64) -> Result<Option<Boxed>, Problem> {
    if end.saturating_sub(at) < 8 {
        return Ok(None);
    }
    let head = read(source, at, 16)?;
    if head.len() < 8 {
        return Ok(None);
    }
    let (mut size, mut header) = (u64::from(be32(&head[..4])), 8);
    if size == 1 && head.len() == 16 {
        (size, header) = (be64(&head[8..]), 16);
    } else if size == 0 {
        size = end - at;
    }
    if size < header {
        return Ok(None);
    }
    Ok(Some(Boxed { kind: [head[4], head[5], head[6], head[7]], body: at + header..at.saturating_add(size).min(end) }))
}

/// How many bytes of the last box are missing at the end of the file. What is no box of a film's may stand behind it.
///
/// # Errors
/// [`Problem::Io`].
pub(super) fn missing_bytes(source: &Source) -> Result<u64, Problem> {
    let mut at = 0;
    for _ in 0..MAX_OUTER_BOXES {
        // Inside something without an end, lengths stay what they are declared to be.
        let Some(found) = box_at(source, at, u64::MAX)? else { break };
        // One whose length is 0 reaches to the end, wherever that is.
        if found.body.end == u64::MAX {
            break;
        }
        at = found.body.end;
        if at > source.len() {
            let of_film = matches!(&found.kind, b"mdat" | b"moov" | b"moof");
            return Ok(if of_film { at - source.len() } else { 0 });
        }
    }
    Ok(0)
}

/// Reads the directory.
///
/// # Errors
/// [`Problem::Damaged`] where there is none, [`Problem::Io`].
pub(super) fn movie(source: &Source) -> Result<Movie, Problem> {
    let mut at = 0;
    for _ in 0..MAX_OUTER_BOXES {
        let Some(found) = box_at(source, at, source.len())? else { break };
        if &found.kind == b"moov" {
            let after = found.body.end;
            let mut walk =
                Walk { source, left: MAX_BOXES, movie: Movie::default(), trex: Vec::new(), fragmented: false };
            walk.level(found.body, 0)?;
            let mut movie = walk.movie;
            movie.fragments_from = walk.fragmented.then_some(after);
            for track in &mut movie.tracks {
                let defaults = walk.trex.iter().find(|(id, _)| *id == track.id);
                track.defaults = defaults.map_or_else(Defaults::default, |(_, defaults)| *defaults);
            }
            return Ok(movie);
        }
        at = found.body.end;
    }
    Err(Problem::Damaged { detail: "the directory (moov) is missing".to_owned() })
}

struct Walk<'a> {
    source: &'a Source,
    left: u32,
    movie: Movie,
    trex: Vec<(u32, Defaults)>,
    fragmented: bool,
}

impl Walk<'_> {
    fn level(&mut self, range: Range<u64>, depth: u32) -> Result<(), Problem> {
        let mut at = range.start;
        while self.left > 0 {
            self.left -= 1;
            let Some(found) = box_at(self.source, at, range.end)? else { break };
            at = found.body.end;
            self.one(found, depth)?;
        }
        Ok(())
    }

    fn one(&mut self, found: Boxed, depth: u32) -> Result<(), Problem> {
        let body = found.body;
        let within = match &found.kind {
            b"mdia" | b"minf" | b"dinf" | b"stbl" | b"edts" | b"udta" | b"ilst" | b"mvex" => Some(body.start),
            b"trak" if self.movie.tracks.len() < Film::MOST_TRACKS => {
                self.movie.tracks.push(Track::default());
                Some(body.start)
            }
            // A full box in MPEG-4, a plain one in QuickTime.
            b"meta" => {
                let head = self.head(&body, 8)?;
                let plain = head.get(4..8).is_some_and(|kind| kind == b"hdlr");
                Some(body.start.saturating_add(if plain { 0 } else { 4 }))
            }
            _ => None,
        };
        if let Some(start) = within {
            return if depth < 8 { self.level(start..body.end, depth + 1) } else { Ok(()) };
        }
        match &found.kind {
            b"mvhd" => {
                let data = self.head(&body, 40)?;
                (self.movie.timescale, self.movie.duration) = clock(&data);
            }
            b"trex" => {
                self.fragmented = true;
                let data = self.head(&body, 24)?;
                let defaults = Defaults {
                    description: field(&data, 8).saturating_sub(1),
                    duration: field(&data, 12),
                    size: field(&data, 16),
                    flags: field(&data, 20),
                };
                if self.trex.len() < MAX_ENTRIES {
                    self.trex.push((field(&data, 4), defaults));
                }
            }
            b"covr" => self.movie.covers += 1,
            b"pssh" => {
                let system = locks::system(&self.head(&body, 20)?);
                if self.movie.systems.len() < MAX_SYSTEMS && !self.movie.systems.contains(&system) {
                    self.movie.systems.push(system);
                }
            }
            _ => return self.of_track(&found.kind, &body),
        }
        Ok(())
    }

    fn of_track(&mut self, kind: &[u8; 4], body: &Range<u64>) -> Result<(), Problem> {
        let wide = |data: &[u8]| data.first() == Some(&1);
        let data = match kind {
            b"tkhd" | b"mdhd" | b"hdlr" | b"elst" | b"stsd" | b"dref" => self.head(body, MAX_READ_BYTES)?,
            b"stsz" | b"stz2" | b"stco" | b"co64" | b"stsc" | b"stts" | b"ctts" | b"stss" => self.head(body, 12)?,
            _ => return Ok(()),
        };
        let Some(track) = self.movie.tracks.last_mut() else { return Ok(()) };
        // As many entries as fit into the box.
        let table = |skip: u64, width: u8| {
            let room = body.end.saturating_sub(body.start.saturating_add(skip)) / u64::from(width.max(1));
            let count = u64::from(field(&data, skip as usize - 4)).min(room);
            Table { start: body.start.saturating_add(skip), count: count as u32, width }
        };
        match kind {
            b"tkhd" => {
                let at = if wide(&data) { 20 } else { 12 };
                track.id = field(&data, at);
                track.orientation = orientation(&data, if wide(&data) { 52 } else { 40 });
            }
            b"mdhd" => {
                (track.timescale, track.duration) = clock(&data);
                track.language = language(field(&data, if wide(&data) { 32 } else { 20 }) >> 16);
            }
            // QuickTime has another for the data itself.
            b"hdlr" if track.handler == [0; 4] => track.handler = field(&data, 8).to_be_bytes(),
            b"elst" => track.edits = edits(&data),
            b"stsd" => track.entries = entries(&data),
            b"dref" => track.elsewhere = elsewhere(&data),
            b"stsz" => {
                track.tables.uniform_size = field(&data, 4);
                track.tables.sizes = if track.tables.uniform_size == 0 {
                    table(12, 4)
                } else {
                    Table { start: 0, count: field(&data, 8), width: 0 }
                };
            }
            b"stz2" => match data.get(7) {
                Some(8) => track.tables.sizes = table(12, 1),
                Some(16) => track.tables.sizes = table(12, 2),
                // Half bytes: no film has samples of at most 15 bytes.
                _ => {}
            },
            b"stco" => track.tables.chunks = table(8, 4),
            b"co64" => track.tables.chunks = table(8, 8),
            b"stsc" => track.tables.runs = table(8, 12),
            b"stts" => track.tables.durations = table(8, 8),
            b"ctts" => track.tables.offsets = table(8, 8),
            b"stss" => track.tables.keys = Some(table(8, 4)),
            _ => {}
        }
        Ok(())
    }

    fn head(&self, body: &Range<u64>, most: u64) -> Result<Vec<u8>, Problem> {
        read(self.source, body.start, (body.end.saturating_sub(body.start)).min(most) as usize)
    }
}

/// Ticks a second, and how many there are: 0 where that is not known.
fn clock(data: &[u8]) -> (u32, u64) {
    if data.first() == Some(&1) {
        (field(data, 20), known(u64::from(field(data, 24)) << 32 | u64::from(field(data, 28))))
    } else {
        (field(data, 12), known(u64::from(field(data, 16))))
    }
}

/// A duration; 0 for all ones, of 32 bits or 64, which say that it is not known (ISO 14496-12:2022, 8.2.2, 8.4.2).
fn known(ticks: u64) -> u64 {
    if ticks == u64::from(u32::MAX) || ticks == u64::MAX { 0 } else { ticks }
}

/// Three letters of 5 bits; `und` is none.
fn language(packed: u32) -> String {
    let letter = |shift: u32| char::from(0x60 + (packed >> shift & 0x1f) as u8);
    let letters: String = [10, 5, 0].map(letter).iter().collect();
    let known = letters.bytes().all(|letter| letter.is_ascii_lowercase()) && letters != "und";
    if known { letters } else { String::new() }
}

/// By the matrix that places the track: turns and mirrors, whatever it moves or scales.
fn orientation(data: &[u8], at: usize) -> Orientation {
    let sign = |place: usize| field(data, at + 4 * place).cast_signed().signum();
    match (sign(0), sign(1), sign(3), sign(4)) {
        (-1, 0, 0, 1) => Orientation::FlipX,
        (-1, 0, 0, -1) => Orientation::Rotate180,
        (1, 0, 0, -1) => Orientation::FlipY,
        (0, 1, 1, 0) => Orientation::Transpose,
        (0, 1, -1, 0) => Orientation::Rotate90,
        (0, -1, -1, 0) => Orientation::Transverse,
        (0, -1, 1, 0) => Orientation::Rotate270,
        _ => Orientation::Upright,
    }
}

fn edits(data: &[u8]) -> Vec<Edit> {
    let wide = data.first() == Some(&1);
    let long = |entry: &[u8], at: usize| u64::from(field(entry, at)) << 32 | u64::from(field(entry, at + 4));
    let pieces = data.get(8..).unwrap_or(&[]).chunks_exact(if wide { 20 } else { 12 });
    pieces
        .take((field(data, 4) as usize).min(MAX_ENTRIES))
        .map(|entry| {
            let (duration, media_time) = if wide {
                (long(entry, 0), long(entry, 8).cast_signed())
            } else {
                (u64::from(field(entry, 0)), i64::from(field(entry, 4).cast_signed()))
            };
            Edit { duration: known(duration), media_time: u64::try_from(media_time).ok() }
        })
        .collect()
}

/// Whether a data reference is not the file itself: the lowest flag says that it is (ISO 14496-12, 8.7.2).
fn elsewhere(data: &[u8]) -> bool {
    let mut rest = data.get(8..).unwrap_or(&[]);
    while rest.len() >= 12 {
        if rest[11] & 1 == 0 {
            return true;
        }
        let size = field(rest, 0) as usize;
        rest = rest.get(size.max(12)..).unwrap_or(&[]);
    }
    false
}

fn entries(data: &[u8]) -> Vec<Entry> {
    let mut found = Vec::new();
    let mut rest = data.get(8..).unwrap_or(&[]);
    while found.len() < (field(data, 4) as usize).min(MAX_ENTRIES) {
        let size = field(rest, 0) as usize;
        let Some(entry) = rest.get(..size).filter(|entry| entry.len() >= 16) else { break };
        found.push(one_entry(entry));
        rest = &rest[size..];
    }
    found
}

/// An entry as of pictures: its own boxes are behind 86 bytes. Of other entries only the kind and the lock are right.
fn one_entry(entry: &[u8]) -> Entry {
    let kind = [entry[4], entry[5], entry[6], entry[7]];
    let size = field(entry, 32);
    let mut described = Entry { kind, size_px: (size >> 16, size & 0xffff), ..Entry::default() };
    if let Some(locked) = locks::of_entry(kind, entry) {
        described.locked_by = Some(locked.by);
        described.kind = locked.kind;
    }
    let mut rest = entry.get(86..).unwrap_or(&[]);
    while rest.len() >= 8 {
        let size = field(rest, 0) as usize;
        let Some(body) = rest.get(8..size) else { break };
        if matches!(&rest[4..8], b"avcC" | b"av1C") {
            described.config = body.to_vec();
        }
        rest = &rest[size..];
    }
    described
}

/// Four letters as text; what is none becomes a dot.
pub(super) fn letters(kind: [u8; 4]) -> String {
    kind.iter().map(|&byte| if (0x20..0x7f).contains(&byte) { char::from(byte) } else { '.' }).collect()
}

impl Movie {
    /// The picture tracks.
    pub(super) fn pictures(&self) -> impl Iterator<Item = &Track> {
        self.tracks.iter().filter(|track| track.kind() == TrackKind::Picture)
    }

    /// What the file says, seen from picture track number `wanted`.
    pub(super) fn film(&self, format: Format, wanted: u32) -> Film {
        let mut film = Film { format: Some(format), ..Film::default() };
        let ms = |ticks: u64, scale: u32| {
            u64::try_from(u128::from(ticks) * 1_000 / u128::from(scale.max(1))).unwrap_or(u64::MAX)
        };
        film.declared_ms = Some(ms(self.duration, self.timescale)).filter(|&length| length > 0);
        if let Some(track) = self.pictures().nth(wanted as usize) {
            let entry = track.entries.first().cloned().unwrap_or_default();
            film.codec = codec_name(&letters(entry.kind));
            (film.width, film.height) = entry.size_px;
            film.orientation = track.orientation;
            let shown = track.edits.iter().fold(0_u64, |sum, edit| sum.saturating_add(edit.duration));
            let by_edits = Some(ms(shown, self.timescale)).filter(|&length| length > 0);
            let by_track = Some(ms(track.duration, track.timescale)).filter(|&length| length > 0);
            film.declared_ms = by_edits.or(by_track).or(film.declared_ms);
        }
        film.tracks = self.tracks.iter().map(|track| track.described(&self.systems)).collect();
        for cover in 0..self.covers.min(MAX_ENTRIES as u32) {
            film.tracks.push(super::film::Track::still(u64::from(cover) + 1, TrackKind::Cover, "cover art"));
        }
        film.tracks.truncate(Film::MOST_TRACKS);
        film
    }
}

impl Track {
    fn kind(&self) -> TrackKind {
        match &self.handler {
            b"vide" => TrackKind::Picture,
            b"soun" => TrackKind::Sound,
            b"subt" | b"sbtl" | b"text" | b"clcp" | b"subp" => TrackKind::Subtitle,
            _ => TrackKind::Other,
        }
    }

    /// The scheme that locks it, and for whom.
    fn locked_by(&self, systems: &[String]) -> Option<String> {
        let scheme = self.entries.iter().find_map(|entry| entry.locked_by.clone())?;
        Some(if systems.is_empty() { scheme } else { format!("{scheme}, for {}", systems.join(", ")) })
    }

    fn described(&self, systems: &[String]) -> super::film::Track {
        let entry = self.entries.first().cloned().unwrap_or_default();
        let kind = self.kind();
        super::film::Track {
            number: self.id.into(),
            kind,
            codec: codec_name(&letters(entry.kind)),
            language: self.language.clone(),
            name: String::new(),
            size_px: if kind == TrackKind::Picture { entry.size_px } else { (0, 0) },
            locked_by: self.locked_by(systems),
            elsewhere: self.elsewhere,
        }
    }
}
