//! Two recordings or films aligned as a scan would align them: B is registered in an index of its own, and A is examined
//! against it.

use anyhow::{Context, Result};
use minutia::fingerprint::{AudioFingerprint, FilmFingerprint, Fingerprint};
use minutia::index::{Access, Entry, Index, Work, WorkId, Writer};
use minutia::scan::{Examiner, Query};
use minutia::search;
use minutia::verdict::{Allowed, FilmJudge, Outcome, SoundJudge};
use minutia_report::escape::name;
use minutia_report::{ItemRecord, format, item};

use crate::pairs::Side;

/// What two recordings or films have in common.
pub(crate) struct Heard {
    /// A, as a scan would record it.
    pub(crate) record: ItemRecord,
    pub(crate) outcome: Outcome,
    pub(crate) judge: SoundJudge,
    /// Where both have pictures.
    pub(crate) film_judge: Option<FilmJudge>,
    /// Both have sound.
    pub(crate) sound: bool,
    /// One is a film and the other a picture.
    pub(crate) still: bool,
}

/// Aligns A with B; `None` unless both have sound, both are films, or one is a film and the other a picture.
pub(crate) fn align(a: &Side, b: &Side) -> Result<Option<Heard>> {
    let (Ok(of_a), Ok(_)) = (&a.item, &b.item) else { return Ok(None) };
    let both = |has: fn(&Side) -> bool| has(a) && has(b);
    let (hear, see) = (both(|side| side.sounds().next().is_some()), both(|side| side.films().next().is_some()));
    let still = |picture: &Side, film: &Side| {
        let (of_picture, of_film) = (picture.pictures().next(), film.pictures().next());
        of_picture.is_some() && of_film.is_none() && film.films().next().is_some()
    };
    let still = still(a, b) || still(b, a);
    if !hear && !see && !still {
        return Ok(None);
    }
    let directory = tempfile::tempdir().context("making a directory for the recording that is compared with")?;
    let mut writer = Writer::open(directory.path())?;
    writer.add(Entry {
        work: Work::new(WorkId::new("B").context("expected B to be an id")?),
        source_name: name(&b.facts.path),
        source_digest: b.facts.blake3,
        fingerprints: b
            .sounds()
            .cloned()
            .map(Fingerprint::Audio)
            .chain(b.films().cloned().map(Fingerprint::Film))
            .chain(b.pictures().filter(|_| still).cloned().map(Fingerprint::Image))
            .collect(),
        thumbnail: None,
    })?;
    writer.commit()?;
    let index = Index::open(directory.path(), Access::InMemory)?;
    let examiner = Examiner::new(&index, Allowed::default(), search::Settings::default());
    // Without its digest: where the two are the same file it shows in the alignment too.
    let mut examined = examiner.examine(&[Query { digest: None, item: of_a }])?;
    let examined = examined.pop().context("expected an answer for the one query")?;
    let judge = *examiner.sound_judge()?;
    let film_judge = if see { Some(*examiner.film_judge()?) } else { None };
    let record = item(&a.facts, of_a, &examined);
    Ok(Some(Heard { record, outcome: examined.outcome, judge, film_judge, sound: hear, still }))
}

impl Heard {
    /// A line for each stretch.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |finding| format!("  {}", format::described(finding));
        self.record.findings.iter().map(line).collect()
    }

    /// What is known where nothing was found.
    pub(crate) fn thresholds(&self) -> String {
        if self.still {
            return "no frame of the film is near the picture".to_owned();
        }
        let (at_match, at_possible) = self.judge.thresholds(1);
        let sound = format!("match from {at_match}, possible from {at_possible}, and higher for long recordings");
        let Some(judge) = &self.film_judge else { return sound };
        let (at_match, at_possible) = judge.thresholds(0);
        let sound = if self.sound { format!("; sound: {sound}") } else { String::new() };
        format!("pictures: match from {at_match}, possible from {at_possible}, and higher for long films{sound}")
    }
}

impl Side {
    /// Its recordings.
    pub(crate) fn sounds(&self) -> impl Iterator<Item = &AudioFingerprint> {
        let fingerprints = self.item.as_ref().map_or(&[][..], |item| &item.fingerprints);
        fingerprints.iter().filter_map(Fingerprint::audio)
    }

    /// Its moving pictures.
    pub(crate) fn films(&self) -> impl Iterator<Item = &FilmFingerprint> {
        let fingerprints = self.item.as_ref().map_or(&[][..], |item| &item.fingerprints);
        fingerprints.iter().filter_map(Fingerprint::film)
    }
}
