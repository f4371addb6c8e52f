//! The films of a segment: of each the frames that were sampled, in order of time, and the codes of their views.
//!
//! Codes stand in the order of time and not by their bytes: a code's number says its film, frame and view by arithmetic,
//! without postings, and neighbours in time are neighbours in memory when an alignment is followed.

use std::ops::Range;

use super::layout::{FilmRow, Kind};
use super::segment::Segment;
use super::tombstones::Dead;
use super::{Index, IndexError, WorkId};
use crate::fingerprint::{Code, FILM_VIEW_SET, FilmFingerprint, FilmFrame, film_views};

/// What the film sections hold.
#[derive(Clone, Debug, Default)]
pub(super) struct FilmTable {
    pub(super) rows: Vec<FilmRow>,
    pub(super) times: Vec<u32>,
    pub(super) qualities: Vec<u8>,
    pub(super) codes: Vec<[u64; 4]>,
}

/// The films of one segment of an index. Films have numbers from 0; frames of all films together have, those of a film
/// following one another; and so have codes, those of a frame following one another in the order of
/// [`FilmFingerprint::views`].
#[derive(Debug)]
pub struct Films<'i> {
    rows: &'i [FilmRow],
    times: &'i [u32],
    qualities: &'i [u8],
    codes: &'i [[u64; 4]],
    dead: Vec<bool>,
}

/// The frames of one film.
#[derive(Clone, Copy, Debug)]
pub struct FilmFrames<'i> {
    /// Their times in milliseconds, ascending. Each is on screen until the next.
    pub times: &'i [u32],
    /// PDQ qualities of their first views.
    pub qualities: &'i [u8],
    /// Their codes, those of a frame together.
    pub(crate) codes: &'i [[u64; 4]],
    /// Views of a frame, at least 1.
    pub views: usize,
    /// How long the film is, in milliseconds.
    pub duration_ms: u64,
}

impl<'i> FilmFrames<'i> {
    /// The code of a view of a frame.
    pub(crate) fn code(&self, frame: usize, view: usize) -> Option<&'i [u64; 4]> {
        self.codes.get(frame * self.views + view)
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

    /// A film of that segment, both numbered as [`Index::films`] does.
    ///
    /// # Errors
    /// [`IndexError::Damaged`], also for numbers that this generation does not have.
    pub fn film(&self, segment: usize, film: u32) -> Result<Film, IndexError> {
        let part = self.parts().get(segment).ok_or_else(|| {
            IndexError::damaged(self.directory(), "index", "a segment of this index", segment.to_string())
        })?;
        let row: FilmRow = part.segment.row(Kind::Films, film)?;
        let item = part.segment.item(row[0])?;
        Ok(Film {
            work: part.work_id(item.work)?,
            source_name: item.source_name.to_owned(),
            source_digest: item.source_digest,
            stream: row[1],
            duration_ms: u64::from(row[3]) << 32 | u64::from(row[2]),
            frames: row[7],
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
        let (mut frames, mut codes) = (0_u64, 0_u64);
        for (number, row) in rows.iter().enumerate() {
            let views = film_views(row[10]).map(|views| views.len() as u64);
            let follows = u64::from(row[6]) == frames && u64::from(row[8]) == codes && row[11] == 0;
            if !follows || views != Some(row[9].into()) {
                let expected =
                    format!("film {number} from frame {frames} and code {codes} on, views of this build, a zero");
                return Err(segment.wrong(Kind::Films, expected, format!("{row:?}")));
            }
            frames += u64::from(row[7]);
            codes += u64::from(row[7]) * u64::from(row[9]);
        }
        let (times, qualities) = (segment.rows::<u32>(Kind::FilmTimes), segment.section(Kind::FilmQualities));
        let of_films = segment.rows::<[u64; 4]>(Kind::FilmCodes);
        for (kind, expected, found) in [
            (Kind::FilmTimes, frames, times.len()),
            (Kind::FilmQualities, frames, qualities.len()),
            (Kind::FilmCodes, codes, of_films.len()),
        ] {
            if expected != found as u64 || expected > u64::from(u32::MAX) {
                return Err(segment.wrong(kind, format!("{expected} rows, each numbered by 32 bits"), found));
            }
        }
        let dead = rows.iter().map(|row| dead.item(row[0])).collect();
        Ok(Some(Films { rows, times, qualities, codes: of_films, dead }))
    }

    /// The first film whose frames are not in order of time.
    pub(super) fn wrong_frames(&self) -> Option<u32> {
        (0..self.len()).find(|&film| !self.frames(film).times.is_sorted_by(|a, b| a < b))
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
        let frame = |(&time_ms, &quality): (&u32, &u8)| FilmFrame { time_ms, quality };
        FilmFingerprint {
            stream: row[1],
            duration_ms: frames.duration_ms,
            width: row[4],
            height: row[5],
            views: film_views(row[10]).unwrap_or_default(),
            frames: frames.times.iter().zip(frames.qualities).map(frame).collect(),
            codes: frames.codes.iter().map(|code| Code(bytemuck::cast(*code))).collect(),
        }
    }

    /// The films of a table whose rows are right: that of [`FilmTable::put`] is.
    pub(super) fn of(table: &'i FilmTable) -> Films<'i> {
        let dead = vec![false; table.rows.len()];
        Films { rows: &table.rows, times: &table.times, qualities: &table.qualities, codes: &table.codes, dead }
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
        let (frames, codes) = (frames_of(&row), codes_of(&row));
        FilmFrames {
            times: &self.times[frames.clone()],
            qualities: &self.qualities[frames],
            codes: &self.codes[codes],
            views: (row[9] as usize).max(1),
            duration_ms: u64::from(row[3]) << 32 | u64::from(row[2]),
        }
    }

    /// The film of a code, the frame in it and the view.
    pub(crate) fn place(&self, code: u32) -> Option<(u32, u32, u32)> {
        let film = self.rows.partition_point(|row| row[8] <= code).checked_sub(1)?;
        let row = &self.rows[film];
        let (within, views) = (code - row[8], row[9].max(1));
        (within / views < row[7]).then_some((film as u32, within / views, within % views))
    }
}

fn frames_of(row: &FilmRow) -> Range<usize> {
    row[6] as usize..row[6] as usize + row[7] as usize
}

fn codes_of(row: &FilmRow) -> Range<usize> {
    row[8] as usize..row[8] as usize + row[7] as usize * row[9] as usize
}

impl FilmTable {
    /// Adds a film of that item. `None` where there would be more frames or codes than 32 bits number.
    pub(super) fn put(&mut self, item: u32, film: &FilmFingerprint) -> Option<()> {
        let most = |length: usize, more: usize| u32::try_from(length + more).ok().map(|_| length as u32);
        let first_frame = most(self.times.len(), film.frames.len())?;
        let first_code = most(self.codes.len(), film.codes.len())?;
        let views = film.views.len() as u32;
        let low_and_high = [film.duration_ms as u32, (film.duration_ms >> 32) as u32];
        self.rows.push([
            item,
            film.stream,
            low_and_high[0],
            low_and_high[1],
            film.width,
            film.height,
            first_frame,
            film.frames.len() as u32,
            first_code,
            views,
            FILM_VIEW_SET,
            0,
        ]);
        self.times.extend(film.frames.iter().map(|frame: &FilmFrame| frame.time_ms));
        self.qualities.extend(film.frames.iter().map(|frame| frame.quality));
        self.codes.extend(film.codes.iter().map(|code| bytemuck::cast::<_, [u64; 4]>(code.0)));
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
