//! Films of which a list has frame hashes (vPDQ) against the films of an index.

use anyhow::{Context, Result};
use minutia::fingerprint::{FilmFingerprint, Fingerprint};
use minutia::index::{Index, Policy};
use minutia::scan::{Examiner, Item, Query};
use minutia::search::Settings;
use minutia::verdict::Allowed;
use minutia_report::lists::{ListedFilm, Wrong};
use minutia_report::{FilmQueryFacts, FindingRecord, findings};

use crate::listed_films::{Gathering, has_content, name_of};

/// What was found of a film.
pub(super) struct Answer {
    pub(super) query: FilmQueryFacts,
    pub(super) findings: Vec<FindingRecord>,
    /// Whether a match is on a work whose policy is `infringing`.
    pub(super) infringing: bool,
    /// What was wrong with it.
    pub(super) wrong: Option<Wrong>,
}

/// Films on their way from a list.
pub(super) struct Looking<'i> {
    examiner: Examiner<'i>,
    gathering: Gathering,
}

impl<'i> Looking<'i> {
    pub(super) fn new(index: &'i Index, settings: Settings) -> Looking<'i> {
        Looking { examiner: Examiner::new(index, Allowed::default(), settings), gathering: Gathering::default() }
    }

    /// Takes frames; the answer for the film that is complete with that.
    pub(super) fn take(&mut self, film: ListedFilm, list: &str) -> Result<Option<Answer>> {
        let complete = self.gathering.take(film);
        complete.map(|(film, wrong)| self.answer(&film, wrong, list)).transpose()
    }

    /// The answer for the film that the list's end completes.
    pub(super) fn finish(&mut self, list: &str) -> Result<Option<Answer>> {
        let complete = self.gathering.finish();
        complete.map(|(film, wrong)| self.answer(&film, wrong, list)).transpose()
    }

    fn answer(&self, film: &ListedFilm, wrong: Option<Wrong>, list: &str) -> Result<Answer> {
        let fingerprint = FilmFingerprint::query_of_list(&film.frames);
        let query = FilmQueryFacts {
            id: film.work.id.as_str().to_owned(),
            file: name_of(film),
            frames: film.frames.len() as u64,
            duration_ms: fingerprint.duration_ms,
            algorithm: "vpdq".to_owned(),
            list: list.to_owned(),
            line: film.line,
        };
        let too_little = || Wrong {
            line: film.line,
            message: "expected a frame with something in it, found none: every bit of each is the same".to_owned(),
        };
        if !has_content(&film.frames) {
            return Ok(Answer {
                query,
                findings: Vec::new(),
                infringing: false,
                wrong: wrong.or_else(|| Some(too_little())),
            });
        }
        let item = Item { fingerprints: vec![Fingerprint::Film(fingerprint)], ..Item::of(None) };
        let mut examined = self.examiner.examine(&[Query { digest: film.digest.as_ref(), item: &item }])?;
        let examined = examined.pop().context("expected an answer for the one query")?;
        let findings = findings(&examined);
        let infringing =
            findings.iter().any(|finding| finding.level == "match" && finding.policy == Policy::Infringing.name());
        Ok(Answer { query, findings, infringing, wrong })
    }
}
