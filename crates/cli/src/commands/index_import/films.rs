//! Films of which a list has frame hashes (vPDQ) into an index, without the films.

use std::collections::HashSet;

use anyhow::Result;
use minutia::fingerprint::{FilmFingerprint, Fingerprint};
use minutia::index::{Entry, WorkId};
use minutia_report::lists::{ListedFilm, Wrong, id_of_frames};

use super::Importing;
use crate::listed_films::{Gathering, has_content, name_of};

/// Frames between commits: some 500 hours, 115 MB.
const FRAMES_PER_COMMIT: usize = 1 << 21;

/// The films of one list.
#[derive(Default)]
pub(super) struct Films {
    gathering: Gathering,
    /// Names that were given to films of a work, which replace each other where they are the same.
    seen: HashSet<(WorkId, String)>,
    /// Files that the index has more of than a list tells, from the first film on.
    richer: Option<HashSet<(WorkId, String)>>,
    since_commit: usize,
    /// What was wrong with whole films.
    pub(super) wrong: Vec<Wrong>,
}

impl Importing<'_> {
    /// Takes frames that the list has; the film is complete where another begins.
    pub(super) fn take_film(&mut self, film: ListedFilm) -> Result<()> {
        // It may say more of its work.
        self.last = None;
        let complete = self.films.gathering.take(film);
        complete.map_or(Ok(()), |(film, wrong)| self.put_film(film, wrong))
    }

    /// Takes the film that the list's end completes.
    pub(super) fn close_film(&mut self) -> Result<()> {
        let complete = self.films.gathering.finish();
        complete.map_or(Ok(()), |(film, wrong)| self.put_film(film, wrong))
    }

    /// Files whose sound is registered, or whose pictures were read.
    fn richer(&mut self) -> Result<&HashSet<(WorkId, String)>> {
        if self.films.richer.is_none() {
            let mut files = HashSet::new();
            if let Some(base) = self.writer.base() {
                files.extend(base.tracks()?.into_iter().map(|track| (track.work, track.source_name)));
                let listed = FilmFingerprint::of_list(&[]).views;
                let read = base.all_films()?.into_iter().filter(|film| film.views != listed);
                files.extend(read.map(|film| (film.work, film.source_name)));
            }
            self.films.richer = Some(files);
        }
        Ok(self.films.richer.get_or_insert_default())
    }

    fn put_film(&mut self, film: ListedFilm, wrong: Option<Wrong>) -> Result<()> {
        self.films.wrong.extend(wrong);
        if !has_content(&film.frames) {
            let message = "expected a frame with something in it, found none: every bit of each is the same".to_owned();
            self.films.wrong.push(Wrong { line: film.line, message });
            return Ok(());
        }
        let mut source_name = name_of(&film);
        if self.richer()?.contains(&(film.work.id.clone(), source_name.clone())) {
            // It would take the place of what is there.
            source_name = format!("{source_name} (vpdq)");
        }
        if !self.films.seen.insert((film.work.id.clone(), source_name.clone())) {
            // Another stream or version of the same film.
            source_name = format!("{source_name} ({})", id_of_frames(&film.frames));
            self.films.seen.insert((film.work.id.clone(), source_name.clone()));
        }
        let fingerprint = FilmFingerprint::of_list(&film.frames);
        self.done.films += 1;
        self.done.frames += film.frames.len() as u64;
        self.done.kept += fingerprint.frames.len() as u64;
        self.films.since_commit += fingerprint.frames.len();
        let work = self.work(&film.work)?;
        let fingerprints = vec![Fingerprint::Film(fingerprint)];
        self.writer.add(Entry { work, source_name, source_digest: film.digest, fingerprints, thumbnail: None })?;
        if self.films.since_commit >= FRAMES_PER_COMMIT {
            self.films.since_commit = 0;
            self.done.refused += self.writer.commit()?.refused_low_information;
        }
        Ok(())
    }
}
