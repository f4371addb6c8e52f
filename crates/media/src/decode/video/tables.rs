//! The samples of an MP4 or QuickTime track by its tables, read as they are needed: a table of a day's film has megabytes, and
//! one that lies has more.

use super::demux::{Sample, be32, be64, microseconds, read};
use super::mp4::{Edit, Table, Track};
use crate::{Problem, Source};

/// How much of a table is read at once.
const READ_BYTES: usize = 16 << 10;
/// Samples in which the first that an edit list shows is looked for, and of those that it shows.
const MAX_LOOKED_AT: u32 = 5_000;
const MAX_REORDERED: u32 = 32;

/// Reads a table entry by entry.
struct Cursor<'a> {
    source: &'a Source,
    table: Table,
    /// The next entry.
    at: u32,
    buffer: Vec<u8>,
    /// The first entry in the buffer.
    buffered: u32,
}

impl<'a> Cursor<'a> {
    fn new(source: &'a Source, table: Table) -> Cursor<'a> {
        Cursor { source, table, at: 0, buffer: Vec::new(), buffered: 0 }
    }

    /// The next entry; `None` at the end of the table or of the file.
    fn next(&mut self) -> Result<Option<&[u8]>, Problem> {
        let width = usize::from(self.table.width);
        if self.at >= self.table.count || width == 0 {
            return Ok(None);
        }
        let mut start = (self.at - self.buffered) as usize * width;
        if start + width > self.buffer.len() {
            let left = (self.table.count - self.at) as usize * width;
            let offset = self.table.start.saturating_add(u64::from(self.at) * width as u64);
            self.buffer = read(self.source, offset, left.min(READ_BYTES - READ_BYTES % width))?;
            (self.buffered, start) = (self.at, 0);
        }
        self.at += 1;
        Ok(self.buffer.get(start..start + width))
    }
}

/// Runs of equal values: how many are left of the present one, and its value.
struct Runs<'a> {
    cursor: Cursor<'a>,
    left: u32,
    value: u32,
}

impl<'a> Runs<'a> {
    fn new(source: &'a Source, table: Table) -> Runs<'a> {
        Runs { cursor: Cursor::new(source, table), left: 0, value: 0 }
    }

    /// The next value; behind the end of the table the last one, or 0.
    fn next(&mut self) -> Result<u32, Problem> {
        while self.left == 0 {
            let Some(entry) = self.cursor.next()? else { return Ok(self.value) };
            (self.left, self.value) = (be32(&entry[..4]), be32(&entry[4..]));
        }
        self.left -= 1;
        Ok(self.value)
    }
}

pub(super) struct Samples<'a> {
    timeline: Timeline,
    uniform_size: u32,
    count: u32,
    sizes: Cursor<'a>,
    chunks: Cursor<'a>,
    runs: Cursor<'a>,
    durations: Runs<'a>,
    offsets: Runs<'a>,
    keys: Option<Cursor<'a>>,
    next_key: u32,
    /// Number of the next sample, from 1.
    number: u32,
    /// Number of the present chunk, from 1.
    chunk: u32,
    /// Samples a chunk, and description, of the present run of chunks, and where the next run begins.
    run: (u32, u32),
    next_run: Option<(u32, u32, u32)>,
    left_in_chunk: u32,
    position: u64,
    dts: i64,
}

impl<'a> Samples<'a> {
    pub(super) fn new(source: &'a Source, track: &Track, film_timescale: u32) -> Samples<'a> {
        let tables = &track.tables;
        let timeline = Timeline { late: track.late, ..Timeline::new(&track.edits, track.timescale, film_timescale) };
        Samples {
            timeline,
            uniform_size: tables.uniform_size,
            count: tables.sizes.count,
            sizes: Cursor::new(source, tables.sizes),
            chunks: Cursor::new(source, tables.chunks),
            runs: Cursor::new(source, tables.runs),
            durations: Runs::new(source, tables.durations),
            offsets: Runs::new(source, tables.offsets),
            keys: tables.keys.map(|table| Cursor::new(source, table)),
            next_key: 0,
            number: 1,
            chunk: 0,
            run: (0, 0),
            next_run: None,
            left_in_chunk: 0,
            position: 0,
            dts: 0,
        }
    }

    /// How long after the beginning of its first piece the first picture inside it begins, in ticks of the track. An edit may
    /// begin inside a picture: ffmpeg drops that one and moves the next to the film's zero, and so do we.
    ///
    /// # Errors
    /// [`Problem::Io`].
    pub(super) fn late(mut self) -> Result<i64, Problem> {
        let &(from, to, _) = self.timeline.pieces.first().unwrap_or(&(i64::MIN, 0, 0));
        if from == i64::MIN {
            return Ok(0);
        }
        let (mut late, mut seen) = (None, 0);
        for _ in 0..MAX_LOOKED_AT {
            let shown = match self.step() {
                Ok(Some((_, shown))) => shown,
                Err(problem @ Problem::Io { .. }) => return Err(problem),
                Ok(None) | Err(_) => break,
            };
            if (from..to).contains(&shown) {
                late = Some(late.map_or(shown - from, |least: i64| least.min(shown - from)));
                seen += 1;
                if seen > MAX_REORDERED {
                    break;
                }
            }
        }
        Ok(late.unwrap_or(0))
    }

    pub(super) fn next(&mut self) -> Result<Option<Sample>, Problem> {
        Ok(self.step()?.map(|(sample, _)| sample))
    }

    /// The next sample, and when it is shown by the track's own clock.
    fn step(&mut self) -> Result<Option<(Sample, i64)>, Problem> {
        if self.number > self.count || self.left_in_chunk == 0 && !self.next_chunk()? {
            return Ok(None);
        }
        let size = if self.uniform_size > 0 {
            self.uniform_size
        } else {
            let Some(entry) = self.sizes.next()? else { return Ok(None) };
            be32(entry)
        };
        let key = match &mut self.keys {
            None => true,
            Some(keys) => {
                while self.next_key < self.number {
                    self.next_key = keys.next()?.map_or(u32::MAX, be32);
                }
                self.next_key == self.number
            }
        };
        let shown = self.dts.saturating_add(i64::from(self.offsets.next()?.cast_signed()));
        self.dts = self.dts.saturating_add(self.durations.next()?.into());
        let (offset, size, pts_us) = (self.position, u64::from(size), self.timeline.place(shown));
        self.position = self.position.saturating_add(size);
        self.left_in_chunk -= 1;
        self.number = self.number.saturating_add(1);
        Ok(Some((Sample { offset, size, pts_us, key, description: self.run.1 }, shown)))
    }

    /// Goes on to the next chunk; `false` where there is none.
    fn next_chunk(&mut self) -> Result<bool, Problem> {
        let Some(entry) = self.chunks.next()? else { return Ok(false) };
        self.position = if entry.len() == 8 { be64(entry) } else { u64::from(be32(entry)) };
        self.chunk += 1;
        loop {
            if self.next_run.is_none() {
                let next = self.runs.next()?;
                self.next_run = next.map(|entry| (be32(&entry[..4]), be32(&entry[4..8]), be32(&entry[8..])));
            }
            match self.next_run {
                Some((first, samples, description)) if first <= self.chunk => {
                    self.run = (samples, description.saturating_sub(1));
                    self.next_run = None;
                }
                _ => break,
            }
        }
        self.left_in_chunk = self.run.0;
        if self.left_in_chunk == 0 {
            return Err(Problem::Damaged { detail: format!("chunk {} has no samples", self.chunk) });
        }
        Ok(true)
    }
}

/// An edit list as a function from a track's time to the film's.
pub(super) struct Timeline {
    timescale: u32,
    /// Track time from, track time to (exclusive), the film's time at the start in microseconds.
    pieces: Vec<(i64, i64, i64)>,
    /// What is taken off, in ticks of the track: see [`Samples::late`].
    late: i64,
}

impl Timeline {
    /// Pieces that go back in the track's time would show frames twice: of such a list the first piece counts, and what
    /// follows it in the track's time.
    pub(super) fn new(edits: &[Edit], timescale: u32, film_timescale: u32) -> Timeline {
        let (mut pieces, mut film_us) = (Vec::new(), 0_i64);
        for edit in edits {
            let length_us = microseconds(i64::try_from(edit.duration).unwrap_or(i64::MAX), film_timescale);
            if let Some(media_time) = edit.media_time {
                let from = i64::try_from(media_time).unwrap_or(i64::MAX);
                let to = if edit.duration == 0 {
                    i64::MAX
                } else {
                    let length = i128::from(edit.duration) * i128::from(timescale);
                    let scale = i128::from(film_timescale.max(1));
                    from.saturating_add(i64::try_from((length + scale / 2) / scale).unwrap_or(i64::MAX))
                };
                if pieces.last().is_some_and(|&(_, last, _)| from < last) {
                    pieces.truncate(1);
                    pieces[0].1 = i64::MAX;
                    break;
                }
                pieces.push((from, to, film_us));
            }
            film_us = film_us.saturating_add(length_us);
        }
        if pieces.is_empty() {
            pieces.push((i64::MIN, i64::MAX, 0));
        }
        Timeline { timescale, pieces, late: 0 }
    }

    /// When a frame is shown; `None` where it lies outside the edits.
    pub(super) fn place(&self, shown: i64) -> Option<i64> {
        let &(from, _, film_us) = self.pieces.iter().find(|(from, to, _)| (*from..*to).contains(&shown))?;
        let from = if from == i64::MIN { 0 } else { from };
        Some(film_us.saturating_add(microseconds(shown.saturating_sub(from).saturating_sub(self.late), self.timescale)))
    }
}
