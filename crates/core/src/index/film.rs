//! The films of a segment: of each the frames that were sampled, in order of time, and the codes of their views.
//!
//! Codes stand in the order of time and not by their bytes: a code's number says its film, frame and view without
//! postings, and neighbours in time are neighbours in memory when an alignment is followed. Every frame has its first
//! views, the *narrow* ones, and only some frames, the *wide* ones, have the others too. A view in which there is nothing
//! to see (no border, nothing that moves) is one that a frame has, but has no code: one view in eight.

use std::ops::Range;

use super::layout::{FilmRow, Kind};
use super::segment::Segment;
use super::tombstones::Dead;
use super::{Index, IndexError, WorkId};
use crate::fingerprint::{
    Code, FilmFingerprint, FilmFrame, FilmView, film_view_set, film_views, is_listed_set, narrow_views,
};

/// What the film sections hold.
#[derive(Clone, Debug, Default)]
pub(super) struct FilmTable {
    pub(super) rows: Vec<FilmRow>,
    pub(super) times: Vec<u32>,
    pub(super) qualities: Vec<u8>,
    pub(super) ends: Vec<u32>,
    pub(super) seen: Vec<u16>,
    pub(super) codes: Vec<[u64; 4]>,
}

/// Of what a frame has: that it is wide. The bits below are those of the views that have a code.
const WIDE: u16 = 1 << 15;
/// The code of a view in which there is nothing to see.
const NOTHING: [u64; 4] = [0; 4];

/// The films of one segment of an index. Films have numbers from 0; frames of all films together have, those of a film
/// following one another; and so have codes, those of a frame following one another in the order of
/// [`FilmFingerprint::views`].
#[derive(Debug)]
pub struct Films<'i> {
    rows: &'i [FilmRow],
    times: &'i [u32],
    qualities: &'i [u8],
    /// Of each frame the end of its codes, and which of its views have one.
    ends: &'i [u32],
    seen: &'i [u16],
    codes: &'i [[u64; 4]],
    /// The views that the films have, by film.
    views: Vec<Views>,
    dead: Vec<bool>,
}

/// How many views the frames of a film have.
#[derive(Clone, Copy, Debug)]
struct Views {
    /// All frames, the first of all.
    narrow: u32,
    /// Wide frames.
    all: u32,
}

impl Views {
    /// Of a set; `None` for one that this build does not know.
    fn of_set(set: u32) -> Option<Views> {
        let views = film_views(set)?;
        Some(Views { narrow: narrow_views(&views) as u32, all: views.len() as u32 })
    }

    /// The bits of the views that a frame may have.
    fn of_frame(self, is_wide: bool) -> u16 {
        let views = if is_wide { self.all } else { self.narrow };
        (1 << views.min(WIDE.trailing_zeros())) - 1
    }
}

/// The frames of one film.
#[derive(Clone, Copy, Debug)]
pub struct FilmFrames<'i> {
    /// Their times in milliseconds, ascending. Each is on screen until the next.
    pub times: &'i [u32],
    /// PDQ qualities of their first views.
    pub qualities: &'i [u8],
    /// Of each the end of its codes among those of all films, where those of the first begin, and which views have one.
    ends: &'i [u32],
    start: u32,
    seen: &'i [u16],
    /// The codes of all films.
    codes: &'i [[u64; 4]],
    /// Views of a wide frame, at least 1, and those that every frame has.
    pub views: usize,
    narrow: usize,
    /// How long the film is, in milliseconds.
    pub duration_ms: u64,
    /// Whether the frames stand at their own times and say nothing of the time between.
    of_list: bool,
}

/// A wide frame comes at least once in three seconds, that is six frames. Films of other makers may have fewer.
const WIDE_WITHIN: usize = 64;
/// A frame of a list stands for no more than so much around its time, in milliseconds.
const LISTED_REACH_MS: f64 = 200.0;

impl<'i> FilmFrames<'i> {
    /// The frame that shows what was on screen at a time, in milliseconds: the last one until then; of a list the nearest,
    /// where it is near enough to tell.
    pub(crate) fn at(&self, ms: f64) -> Option<usize> {
        let next = self.times.partition_point(|&time| f64::from(time) <= ms);
        let last = next.checked_sub(1);
        if !self.of_list {
            return last;
        }
        let apart = |&frame: &usize| self.times.get(frame).map_or(f64::MAX, |&time| (f64::from(time) - ms).abs());
        let nearest = last.into_iter().chain([next]).min_by(|a, b| apart(a).total_cmp(&apart(b)));
        nearest.filter(|frame| apart(frame) <= LISTED_REACH_MS)
    }

    /// The frame before, which may have views that this has not: where all have the same, this frame.
    pub(crate) fn wider(&self, frame: usize) -> usize {
        if self.of_list { frame } else { frame.saturating_sub(1) }
    }

    /// The last sample that a frame stands for: the one before the next frame. Of a list its own time.
    pub(crate) fn last_ms(&self, frame: usize) -> u32 {
        let own = self.times.get(frame).copied().unwrap_or(0);
        if self.of_list {
            return own;
        }
        self.times.get(frame + 1).map_or(own, |&next| next.saturating_sub(FilmFingerprint::REFERENCE_STEP_MS))
    }

    /// The code of a view of a frame, where it has that view: all zero bits where there is nothing to see in it.
    pub(crate) fn code(&self, frame: usize, view: usize) -> Option<&'i [u64; 4]> {
        let seen = *self.seen.get(frame)?;
        if view >= self.views || view >= self.narrow && seen & WIDE == 0 {
            return None;
        }
        if seen >> view & 1 == 0 {
            return Some(&NOTHING);
        }
        let start = frame.checked_sub(1).map_or(Some(&self.start), |before| self.ends.get(before))?;
        let before = (seen & ((1 << view) - 1)).count_ones();
        self.codes.get(*start as usize + before as usize)
    }

    /// True for a frame that has all views.
    fn is_wide(&self, frame: usize) -> bool {
        self.seen.get(frame).is_some_and(|seen| seen & WIDE != 0)
    }

    /// True for a view that is of frame differences.
    pub(crate) fn is_motion(&self, view: usize) -> bool {
        (1..self.narrow).contains(&view)
    }

    /// The last wide frame before that one, where it is near.
    pub(crate) fn wide_before(&self, frame: usize) -> Option<usize> {
        (frame.saturating_sub(WIDE_WITHIN)..frame).rev().find(|&before| self.is_wide(before))
    }
}

/// One video stream of a registered file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Film {
    /// The work.
    pub work: WorkId,
    /// The file's name when it was registered.
    pub source_name: String,
    /// BLAKE3 of the file, where it is known.
    pub source_digest: Option<[u8; 32]>,
    /// The stream's number in its file.
    pub stream: u32,
    /// Its length in milliseconds.
    pub duration_ms: u64,
    /// Frames that are kept of it.
    pub frames: u32,
    /// The views that its frames have.
    pub views: Vec<FilmView>,
}

impl Index {
    /// The films of each segment that has any.
    ///
    /// # Errors
    /// [`IndexError::Damaged`].
    pub fn films(&self) -> Result<Vec<(usize, Films<'_>)>, IndexError> {
        let mut films = Vec::new();
        for (place, part) in self.parts().iter().enumerate() {
            films.extend(Films::open(&part.segment, &part.dead)?.map(|films| (place, films)));
        }
        Ok(films)
    }

    /// Every film that is registered, by segment.
    ///
    /// # Errors
    /// [`IndexError::Damaged`].
    pub fn all_films(&self) -> Result<Vec<Film>, IndexError> {
        let mut all = Vec::new();
        for (segment, films) in self.films()? {
            for film in (0..films.len()).filter(|&film| films.is_alive(film)) {
                all.push(self.film(segment, film)?);
            }
        }
        Ok(all)
    }

    /// A film of that segment, both numbered as [`Index::films`] does.
    ///
    /// # Errors
    /// [`IndexError::Damaged`], also for numbers that this generation does not have.
    pub fn film(&self, segment: usize, film: u32) -> Result<Film, IndexError> {
        let part = self.part(segment)?;
        let row: FilmRow = part.segment.row(Kind::Films, film)?;
        let item = part.segment.item(row[0])?;
        Ok(Film {
            work: part.work_id(item.work)?,
            source_name: item.source_name.into_owned(),
            source_digest: item.source_digest,
            stream: row[1],
            duration_ms: u64::from(row[3]) << 32 | u64::from(row[2]),
            frames: row[7],
            views: film_views(row[8]).unwrap_or_default(),
        })
    }
}

impl<'i> Films<'i> {
    /// The films of a segment, `None` where it has none. Everything that the accessors rely on is checked here.
    pub(super) fn open<B: AsRef<[u8]>>(segment: &'i Segment<B>, dead: &Dead) -> Result<Option<Films<'i>>, IndexError> {
        if segment.header().section(Kind::Films).is_none() {
            return Ok(None);
        }
        let rows = segment.rows::<FilmRow>(Kind::Films);
        let mut frames = 0_u64;
        let mut views = Vec::with_capacity(rows.len());
        for (number, row) in rows.iter().enumerate() {
            let Some(of_set) = Views::of_set(row[8]) else {
                let expected = "a set of views that this build knows: films have to be indexed anew".to_owned();
                return Err(segment.wrong(Kind::Films, expected, format!("set {}", row[8])));
            };
            if frames != u64::from(row[6]) {
                let expected = format!("film {number} from frame {frames} on");
                return Err(segment.wrong(Kind::Films, expected, format!("{row:?}")));
            }
            views.push(of_set);
            frames += u64::from(row[7]);
        }
        let times = segment.counted_rows(Kind::FilmTimes, frames)?;
        let qualities = segment.counted_rows(Kind::FilmQualities, frames)?;
        let ends: &[u32] = segment.counted_rows(Kind::FilmCodeEnds, frames)?;
        let seen = segment.counted_rows(Kind::FilmViewsSeen, frames)?;
        let codes = segment.counted_rows(Kind::FilmCodes, ends.last().copied().unwrap_or(0).into())?;
        let dead = rows.iter().map(|row| dead.item(row[0])).collect();
        Ok(Some(Films { rows, times, qualities, ends, seen, codes, views, dead }))
    }

    /// The first film whose frames are not in order of time, or have not the codes that they say.
    pub(super) fn wrong_frames(&self) -> Option<u32> {
        (0..self.len()).find(|&film| {
            let (frames, views) = (self.frames(film), self.views[film as usize]);
            let mut start = frames.start;
            let counted = frames.ends.iter().zip(frames.seen).all(|(&end, &seen)| {
                let of_views = seen & !WIDE;
                let right = start.checked_add(of_views.count_ones()) == Some(end);
                start = end;
                right && of_views & !views.of_frame(seen & WIDE != 0) == 0
            });
            !(frames.times.is_sorted_by(|a, b| a < b) && counted)
        })
    }

    /// The item of a film.
    pub(super) fn item(&self, film: u32) -> u32 {
        self.rows.get(film as usize).map_or(u32::MAX, |row| row[0])
    }

    /// The films of an item, where the rows are in order.
    pub(super) fn films_of(&self, item: u32) -> Range<u32> {
        let start = self.rows.partition_point(|row| row[0] < item);
        let end = start + self.rows[start..].partition_point(|row| row[0] == item);
        start as u32..end as u32
    }

    /// The film as it was registered.
    pub(super) fn fingerprint(&self, film: u32) -> FilmFingerprint {
        let row = self.rows.get(film as usize).copied().unwrap_or_default();
        let frames = self.frames(film);
        let views = film_views(row[8]).unwrap_or_default();
        let of_frame = |number: usize| (0..views.len()).map(move |view| frames.code(number, view).copied());
        let code = |code: Option<[u64; 4]>| Code(bytemuck::cast(code.unwrap_or_default()));
        let frame = |(number, (&time_ms, &quality)): (usize, (&u32, &u8))| FilmFrame {
            time_ms,
            quality,
            wide: frames.is_wide(number),
        };
        FilmFingerprint {
            stream: row[1],
            duration_ms: frames.duration_ms,
            width: row[4],
            height: row[5],
            frames: frames.times.iter().zip(frames.qualities).enumerate().map(frame).collect(),
            codes: (0..frames.times.len()).flat_map(of_frame).map(code).collect(),
            views,
            thumbnails: Vec::new(),
        }
    }

    /// The films of a table whose rows are right: that of [`FilmTable::put`] is.
    pub(super) fn of(table: &'i FilmTable) -> Films<'i> {
        let dead = vec![false; table.rows.len()];
        let views = |row: &FilmRow| Views::of_set(row[8]).unwrap_or(Views { narrow: 1, all: 1 });
        let views = table.rows.iter().map(views).collect();
        let FilmTable { rows, times, qualities, ends, seen, codes } = table;
        Films { rows, times, qualities, ends, seen, codes, views, dead }
    }

    /// How many films there are, the dead among them.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.rows.len() as u32
    }

    /// True where there is no film.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// False for a film of a file that was removed, and for a number that no film has.
    #[must_use]
    pub fn is_alive(&self, film: u32) -> bool {
        self.dead.get(film as usize) == Some(&false)
    }

    /// The codes of all films.
    pub(crate) fn codes(&self) -> &'i [[u64; 4]] {
        self.codes
    }

    /// The frames of a film; none for a number that no film has.
    #[must_use]
    pub fn frames(&self, film: u32) -> FilmFrames<'i> {
        let row = self.rows.get(film as usize).copied().unwrap_or_default();
        let views = self.views.get(film as usize).copied().unwrap_or(Views { narrow: 1, all: 1 });
        let range = row[6] as usize..row[6] as usize + row[7] as usize;
        FilmFrames {
            times: &self.times[range.clone()],
            qualities: &self.qualities[range.clone()],
            ends: &self.ends[range.clone()],
            start: self.start_of(row[6]),
            seen: &self.seen[range],
            codes: self.codes,
            views: views.all as usize,
            narrow: views.narrow as usize,
            duration_ms: u64::from(row[3]) << 32 | u64::from(row[2]),
            of_list: is_listed_set(row[8]),
        }
    }

    /// Where the codes of a frame begin, the frames of all films being numbered through.
    fn start_of(&self, frame: u32) -> u32 {
        frame.checked_sub(1).and_then(|before| self.ends.get(before as usize)).copied().unwrap_or(0)
    }

    /// The film of a code, the frame in it and the view.
    pub(crate) fn place(&self, code: u32) -> Option<(u32, u32, u32)> {
        let frame = self.ends.partition_point(|&end| end <= code);
        // Films without frames may begin with the same one; the last that begins so has it.
        let film = self.rows.partition_point(|row| row[6] as usize <= frame).checked_sub(1)?;
        let mut seen = self.seen.get(frame)? & !WIDE;
        let before = code.saturating_sub(self.start_of(frame as u32));
        for _ in 0..before.min(u16::BITS) {
            seen &= seen.wrapping_sub(1);
        }
        (seen != 0).then(|| (film as u32, frame as u32 - self.rows[film][6], seen.trailing_zeros()))
    }
}

impl FilmTable {
    /// Adds a film of that item. `None` where there would be more frames or codes than 32 bits number.
    pub(super) fn put(&mut self, item: u32, film: &FilmFingerprint) -> Option<()> {
        let count = |length: usize| u32::try_from(length).ok();
        let row = [
            item,
            film.stream,
            film.duration_ms as u32,
            (film.duration_ms >> 32) as u32,
            film.width,
            film.height,
            count(self.times.len())?,
            count(film.frames.len())?,
            film_view_set(&film.views)?,
        ];
        count(self.codes.len() + film.codes.len())?;
        self.rows.push(row);
        self.times.extend(film.frames.iter().map(|frame| frame.time_ms));
        self.qualities.extend(film.frames.iter().map(|frame| frame.quality));
        for (number, frame) in film.frames.iter().enumerate() {
            let mut seen = if frame.wide { WIDE } else { 0 };
            let codes = film.codes_of(number).iter().map(|code| bytemuck::cast::<_, [u64; 4]>(code.0));
            for (view, code) in codes.enumerate().filter(|(_, code)| *code != NOTHING) {
                seen |= 1 << view;
                self.codes.push(code);
            }
            self.seen.push(seen);
            self.ends.push(self.codes.len() as u32);
        }
        Some(())
    }
}

/// Films in memory, without an index on disk: for experiments and tests.
#[derive(Debug, Default)]
pub struct FilmsInMemory(FilmTable);

impl FilmsInMemory {
    /// Adds a film; it has the next number. Nothing happens where there are too many frames already.
    pub fn add(&mut self, film: &FilmFingerprint) {
        let _ = self.0.put(self.0.rows.len() as u32, film);
    }

    /// What was added.
    #[must_use]
    pub fn films(&self) -> Films<'_> {
        Films::of(&self.0)
    }
}
