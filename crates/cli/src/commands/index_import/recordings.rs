//! Lists of recordings, as `fpcalc -json` prints them, into an index: Chromaprint items without any peaks.

use std::collections::HashSet;

use anyhow::{Context, Result};
use minutia::fingerprint::{AudioFingerprint, CHROMAPRINT_2, Fingerprint};
use minutia::index::{Entry, Work, WorkId, Writer};
use minutia_report::lists::Wrong;
use minutia_report::lists::recordings::{Read, Reader, Recording};

use crate::hash_lists::{ListFile, Lists};

/// Chromaprint items between commits: some 300 hours, which bounds the memory.
const ITEMS_PER_COMMIT: usize = 10_000_000;

/// A list of recordings on its way into an index.
pub(super) struct Importing<'w> {
    writer: &'w mut Writer,
    owner: Option<&'w str>,
    /// Names that were given to recordings of a work, which replace each other where they are the same.
    seen: HashSet<(WorkId, String)>,
    /// Files whose pictures are registered, from the first recording on.
    films: Option<HashSet<(WorkId, String)>>,
    since_commit: usize,
    pub(super) recordings: u64,
}

impl<'w> Importing<'w> {
    pub(super) fn new(writer: &'w mut Writer, owner: Option<&'w str>) -> Importing<'w> {
        Importing { writer, owner, seen: HashSet::new(), films: None, since_commit: 0, recordings: 0 }
    }

    /// Reads a list to its end; wrong objects are told and counted.
    pub(super) fn read(&mut self, file: ListFile, lists: &mut Lists) -> Result<()> {
        let list = file.name.clone();
        lists.begin();
        for read in Reader::new(file.into_read()) {
            match read.with_context(|| format!("{list}: reading the list"))? {
                Read::Wrong(wrong) => lists.wrong(&list, &wrong),
                Read::Other(kind) => lists.leave_out(&kind),
                Read::Recording(recording) => {
                    let line = recording.line;
                    if let Err(message) = self.take(*recording)? {
                        lists.wrong(&list, &Wrong { line, message });
                    }
                }
            }
        }
        lists.end(&list);
        Ok(())
    }

    /// Takes a recording, or says why not.
    fn take(&mut self, recording: Recording) -> Result<Result<(), String>> {
        let Recording { items, algorithm, duration_ms, id, file, .. } = recording;
        if algorithm != CHROMAPRINT_2 {
            return Ok(Err(format!(
                "expected items of Chromaprint algorithm 2, as fpcalc makes unless told otherwise, found those of \
                 algorithm {}",
                u32::from(algorithm) + 1
            )));
        }
        if items.is_empty() {
            return Ok(Err("expected at least one item, found a fingerprint without any".to_owned()));
        }
        let bytes: Vec<u8> = items.iter().flat_map(|item| item.to_le_bytes()).collect();
        let digits = blake3::hash(&bytes).to_hex();
        // What has no name is named after its items, so that importing again adds nothing.
        let films = match &self.films {
            Some(films) => films,
            None => {
                let films = self.writer.base().map(|base| base.all_films()).transpose()?.unwrap_or_default();
                self.films.insert(films.into_iter().map(|film| (film.work, film.source_name)).collect())
            }
        };
        let mut source_name = file.clone().unwrap_or_else(|| format!("chromaprint-{}", &digits[..16]));
        let id = id.or(file).unwrap_or_else(|| source_name.clone());
        let Some(id) = WorkId::new(&id) else {
            return Ok(Err("expected an id of 1 to 512 bytes without control characters".to_owned()));
        };
        if films.contains(&(id.clone(), source_name.clone())) {
            // It would take the place of what is there.
            source_name = format!("{source_name} (chromaprint)");
        }
        if !self.seen.insert((id.clone(), source_name.clone())) {
            // Another stream or version of the same file.
            source_name = format!("{source_name} ({})", &digits[..16]);
            self.seen.insert((id.clone(), source_name.clone()));
        }
        let mut work = self.writer.work(&id)?.unwrap_or_else(|| Work::new(id));
        work.holder = work.holder.or_else(|| self.owner.map(str::to_owned));
        let items_ms = items.len() as u64 * 1_365_000 / 11_025;
        self.since_commit += items.len();
        self.recordings += 1;
        let audio = AudioFingerprint {
            duration_ms: duration_ms.unwrap_or(items_ms),
            // The list does not say it.
            content_ms: items_ms,
            chromaprint: items,
            ..AudioFingerprint::default()
        };
        let fingerprints = vec![Fingerprint::Audio(audio)];
        self.writer.add(Entry { work, source_name, source_digest: None, fingerprints, thumbnail: None })?;
        if self.since_commit >= ITEMS_PER_COMMIT {
            self.since_commit = 0;
            self.writer.commit()?;
        }
        Ok(Ok(()))
    }
}
