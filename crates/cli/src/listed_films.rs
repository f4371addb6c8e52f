//! Films in hash lists, put together from the frames that stand in them one after the other.

use std::mem;

use minutia::fingerprint::VpdqFrame;
use minutia::index::WorkId;
use minutia_report::lists::{ListedFilm, Wrong, id_of_frames};

/// Frames of one film that are held at once: 19 hours of 30 a second, 100 MB.
const MOST_FRAMES: usize = 1 << 21;

/// Puts films together.
#[derive(Default)]
pub(crate) struct Gathering {
    open: Option<ListedFilm>,
    /// Frames of the open film beyond those that are held.
    beyond: u64,
}

impl Gathering {
    /// Takes frames; the film that is complete with that, since these are none of it.
    pub(crate) fn take(&mut self, next: ListedFilm) -> Option<(ListedFilm, Option<Wrong>)> {
        match &mut self.open {
            Some(open) if open.goes_on_with(&next) => {
                let room = MOST_FRAMES.saturating_sub(open.frames.len());
                self.beyond += next.frames.len().saturating_sub(room) as u64;
                open.frames.extend(next.frames.into_iter().take(room));
                None
            }
            _ => {
                let complete = self.finish();
                self.open = Some(next);
                complete
            }
        }
    }

    /// The film that the end of the list completes, its frames in order of time, and what of it was too much.
    pub(crate) fn finish(&mut self) -> Option<(ListedFilm, Option<Wrong>)> {
        let mut film = self.open.take()?;
        let beyond = mem::take(&mut self.beyond);
        // Stable: frames of one time stay as they were listed.
        film.frames.sort_by_key(|frame| frame.time_ms);
        if !film.named
            && let Some(id) = WorkId::new(id_of_frames(&film.frames))
        {
            film.work.id = id;
        }
        let message =
            || format!("expected at most {MOST_FRAMES} frames of a film, found {beyond} more, which were left out");
        let wrong = (beyond > 0).then(|| Wrong { line: film.line, message: message() });
        Some((film, wrong))
    }
}

/// What a film is called: by its file, else by its id.
pub(crate) fn name_of(film: &ListedFilm) -> String {
    film.file.clone().unwrap_or_else(|| film.work.id.as_str().to_owned())
}

/// Whether any frame has something to see.
pub(crate) fn has_content(frames: &[VpdqFrame]) -> bool {
    frames.iter().any(|frame| frame.code.0 != [0; 32] && frame.code.0 != [0xff; 32])
}
