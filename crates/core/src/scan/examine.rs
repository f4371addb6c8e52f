//! Examining: items against an index, to findings and one outcome each.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::OnceLock;

use minutia_media::Kind;
use rayon::prelude::*;

use super::registered::{Found, Registered};
use super::stills::{Asked, FilmStills, Still, stills_of};
use super::{Item, Track, aligned, chroma, key_frames, seen};
use crate::fingerprint::{AlgorithmId, AudioFingerprint, Code, FilmFingerprint, Fingerprint};
use crate::index::{Index, IndexError, Reference, WorkId};
use crate::search::{self, FilmSearch, Hit, QueryGroup, SoundSearch, Within};
use crate::verdict::calibration::{Calibration, FILM_CALIBRATION, SOUND_CALIBRATION};
use crate::verdict::{
    Allowed, Evidence, FilmJudge, Finding, Judge, Level, Outcome, Penalty, SoundJudge, Transform, redundancy,
};

/// One item to examine, and the digest of the file that it is.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// BLAKE3 of the whole file; `None` for members of containers and where no digest was taken.
    pub digest: Option<&'a [u8; 32]>,
    /// The item as it was read.
    pub item: &'a Item,
}

/// What came of one item.
#[derive(Clone, Debug, PartialEq)]
pub struct Examined {
    /// Its outcome.
    pub outcome: Outcome,
    /// What was found, at most one finding for each registered file, and of sound and of moving pictures one each for each
    /// span that runs along a span of such a file: the surest first, ties by work, file name and place in the query.
    pub findings: Vec<Finding>,
}

/// Examines items against one index, at stated thresholds.
#[derive(Debug)]
pub struct Examiner<'i> {
    index: &'i Index,
    judge: Judge,
    allowed: Allowed,
    settings: search::Settings,
    /// Opened by the first query that has sound.
    sound: OnceLock<(SoundSearch<'i>, SoundJudge)>,
    /// Opened by the first query that is a film.
    film: OnceLock<(FilmSearch<'i>, FilmJudge)>,
    /// Made for the first picture, or the first film of a quick pass, where there are films.
    stills: OnceLock<FilmStills<'i>>,
    /// Files with sound, by work and name, for the first film that was found.
    with_sound: OnceLock<BTreeSet<(WorkId, String)>>,
}

/// A hit that kept a threshold.
struct Kept {
    hit: Hit,
    /// Places of the picture, and of the view among its views.
    image: usize,
    view: usize,
    score: f64,
    redundancies: (f64, f64),
    level: Level,
    threshold: u32,
    reference: Reference,
}

impl<'i> Examiner<'i> {
    /// For `index`, with as many false matches `allowed` for one item.
    pub fn new(index: &'i Index, allowed: Allowed, settings: search::Settings) -> Examiner<'i> {
        let calibration = Calibration::of(AlgorithmId::PDQ_AREA).expect("a test walks the table of calibrations");
        let judge = Judge::new(calibration, index.pictures(), allowed);
        let (sound, film, stills, with_sound) = Default::default();
        Examiner { index, judge, allowed, settings, sound, film, stills, with_sound }
    }

    /// The thresholds and the calibration behind them.
    pub fn judge(&self) -> &Judge {
        &self.judge
    }

    /// The thresholds of sound and the calibration behind them.
    ///
    /// # Errors
    /// [`IndexError::Damaged`].
    pub fn sound_judge(&self) -> Result<&SoundJudge, IndexError> {
        Ok(&self.sound()?.1)
    }

    fn sound(&self) -> Result<&(SoundSearch<'i>, SoundJudge), IndexError> {
        if let Some(sound) = self.sound.get() {
            return Ok(sound);
        }
        let search = SoundSearch::new(self.index)?;
        let judge = SoundJudge::new(SOUND_CALIBRATION, search.tracks(), self.allowed);
        Ok(self.sound.get_or_init(|| (search, judge)))
    }

    /// The thresholds of films and what they rest on.
    ///
    /// # Errors
    /// [`IndexError::Damaged`].
    pub fn film_judge(&self) -> Result<&FilmJudge, IndexError> {
        Ok(&self.film()?.1)
    }

    fn film(&self) -> Result<&(FilmSearch<'i>, FilmJudge), IndexError> {
        if let Some(film) = self.film.get() {
            return Ok(film);
        }
        let search = FilmSearch::new(self.index)?;
        let judge = FilmJudge::new(FILM_CALIBRATION, self.index.info()?.films, self.allowed);
        Ok(self.film.get_or_init(|| (search, judge)))
    }

    fn stills(&self) -> Result<&FilmStills<'i>, IndexError> {
        if let Some(stills) = self.stills.get() {
            return Ok(stills);
        }
        let stills = FilmStills::of(self.index)?;
        Ok(self.stills.get_or_init(|| stills))
    }

    fn with_sound(&self) -> Result<&BTreeSet<(WorkId, String)>, IndexError> {
        if let Some(files) = self.with_sound.get() {
            return Ok(files);
        }
        let tracks = self.index.tracks()?.into_iter();
        let files = tracks.map(|track| (track.work, track.source_name)).collect();
        Ok(self.with_sound.get_or_init(|| files))
    }

    /// Examines `queries` in one search; one answer each, in order. How items are batched changes the speed alone.
    ///
    /// # Errors
    /// [`IndexError`] where the index turns out to be damaged.
    pub fn examine(&self, queries: &[Query<'_>]) -> Result<Vec<Examined>, IndexError> {
        let mut found = queries.iter().map(|query| self.identical(query)).collect::<Result<Vec<_>, _>>()?;
        let images: Vec<(usize, Asked<'_>)> = queries
            .iter()
            .enumerate()
            .flat_map(|(n, query)| {
                let images = query.item.fingerprints.iter().filter_map(Fingerprint::image);
                images.map(move |image| (n, Asked { image, span_ms: None }))
            })
            .collect();
        // Each registered file is found once, of which there may be as many as works that share one code.
        let file = |number: usize, finding: &Finding| (number, finding.work.clone(), finding.reference_name.clone());
        let identical = found.iter().enumerate().flat_map(|(n, found)| found.iter().map(move |one| file(n, one)));
        let identical: HashSet<_> = identical.collect();
        let mut known = identical.clone();
        for (number, finding) in self.near(&images, &self.judge)?.into_iter().chain(self.posters(queries)?) {
            if known.insert(file(number, &finding)) {
                found[number].push(finding);
            }
        }
        for (number, finding) in self.heard(queries)?.into_iter().chain(self.seen(queries)?) {
            let file = file(number, &finding);
            if !identical.contains(&file) {
                known.insert(file);
                found[number].push(finding);
            }
        }
        for (number, finding) in self.frames(queries)? {
            if known.insert(file(number, &finding)) {
                found[number].push(finding);
            }
        }
        for (query, findings) in queries.iter().zip(&mut found) {
            self.together(query.item, findings)?;
        }
        let judged = queries.iter().zip(found).map(|(query, mut findings)| {
            findings.sort_by(surest_first);
            Examined { outcome: query.item.outcome(&findings), findings }
        });
        Ok(judged.collect())
    }

    /// Findings by the file's digest alone: the registered files that are byte for byte the same.
    fn identical(&self, query: &Query<'_>) -> Result<Vec<Finding>, IndexError> {
        let Some(digest) = query.digest else { return Ok(Vec::new()) };
        let files = self.index.files_with_digest(digest)?;
        files
            .into_iter()
            .map(|file| {
                let (work, source_name, source_digest) = (file.work, file.source_name, file.source_digest);
                let found = Found {
                    modality: query.item.format.map_or(Kind::Other, |format| format.row().kind),
                    level: Level::Match,
                    evidence: Evidence::Identical,
                    query_span_ms: None,
                    reference_span_ms: None,
                    expected: (0.0, false),
                };
                Registered { work, source_name, source_digest }.found(self.index, found)
            })
            .collect()
    }

    /// Findings by sound: for each item one a stretch that runs along a stretch of a registered recording.
    fn heard(&self, queries: &[Query<'_>]) -> Result<Vec<(usize, Finding)>, IndexError> {
        let recordings: Vec<(usize, &AudioFingerprint)> = queries
            .iter()
            .enumerate()
            .flat_map(|(n, query)| query.item.fingerprints.iter().filter_map(move |print| Some((n, print.audio()?))))
            .collect();
        if recordings.is_empty() {
            return Ok(Vec::new());
        }
        let (search, judge) = self.sound()?;
        let found: Result<Vec<Vec<(usize, Finding)>>, IndexError> = recordings
            .par_iter()
            .map(|&(number, audio)| {
                let mut findings = aligned::by_landmarks(audio, self.index, search, judge)?;
                findings.extend(chroma::near_chromaprint(audio, self.index, search.sounds())?);
                Ok(findings.into_iter().map(|finding| (number, finding)).collect())
            })
            .collect();
        Ok(found?.into_iter().flatten().collect())
    }

    /// Findings by moving pictures: for each item one a stretch that runs along a stretch of a registered film.
    fn seen(&self, queries: &[Query<'_>]) -> Result<Vec<(usize, Finding)>, IndexError> {
        let films: Vec<(usize, (&FilmFingerprint, Option<&FilmFingerprint>))> = queries
            .iter()
            .enumerate()
            .flat_map(|(n, query)| seen::films(query.item).into_iter().map(move |film| (n, film)))
            .collect();
        if films.is_empty() {
            return Ok(Vec::new());
        }
        let (search, judge) = self.film()?;
        let found: Result<Vec<Vec<(usize, Finding)>>, IndexError> = films
            .par_iter()
            .map(|&(number, (film, beginning))| {
                let coverage = queries[number].item.coverage.film.as_ref();
                let of_key_frames = coverage.is_some_and(|coverage| coverage.key_frames);
                let findings = match of_key_frames {
                    true => {
                        let stills = self.stills()?;
                        key_frames::by_key_frames(film, self.index, search, judge, stills, self.allowed)?
                    }
                    false => seen::by_frames(film, beginning, self.index, search, judge)?,
                };
                Ok(findings.into_iter().map(|finding| (number, finding)).collect())
            })
            .collect();
        Ok(found?.into_iter().flatten().collect())
    }

    /// Registered pictures that are seen in films: for each item and picture the nearest frame.
    fn posters(&self, queries: &[Query<'_>]) -> Result<Vec<(usize, Finding)>, IndexError> {
        if self.index.pictures() == 0 {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for (number, query) in queries.iter().enumerate() {
            let stills = stills(query.item);
            let judge = Judge::new(
                self.judge.calibration(),
                self.index.pictures().max(Judge::FEWEST_PICTURES).saturating_mul(stills.len() as u64),
                self.allowed,
            );
            let asked: Vec<(usize, Asked<'_>)> = asked(&stills).map(|asked| (number, asked)).collect();
            found.extend(self.near(&asked, &judge)?);
        }
        Ok(found)
    }

    /// Frames of registered films that were kept as pictures.
    fn frames(&self, queries: &[Query<'_>]) -> Result<Vec<(usize, Finding)>, IndexError> {
        let mut found = Vec::new();
        for (number, query) in queries.iter().enumerate() {
            let pictures = query.item.fingerprints.iter().filter_map(Fingerprint::image);
            let wanted: Vec<Asked<'_>> = pictures.map(|image| Asked { image, span_ms: None }).collect();
            if wanted.is_empty() || self.index.info()?.films == 0 {
                continue;
            }
            let findings = self.stills()?.find(&wanted, self.index, self.allowed, self.settings.level)?;
            found.extend(findings.into_iter().map(|finding| (number, finding)));
        }
        Ok(found)
    }

    /// Says of a film's findings what they share beside each other.
    fn together(&self, item: &Item, findings: &mut [Finding]) -> Result<(), IndexError> {
        if findings.is_empty() || !item.fingerprints.iter().any(|print| print.film().is_some()) {
            return Ok(());
        }
        let with_sound = self.with_sound()?;
        seen::together(findings, heard(item), |finding| {
            with_sound.contains(&(finding.work.clone(), finding.reference_name.clone()))
        });
        Ok(())
    }

    /// Findings by codes: for each item and registered file the lowest score over all views and frames.
    fn near(&self, images: &[(usize, Asked<'_>)], judge: &Judge) -> Result<Vec<(usize, Finding)>, IndexError> {
        // Every item is compared with pdq-area; with other codes the answer would mean nothing.
        let algorithm = AlgorithmId::PDQ_AREA;
        if let Some(index) = self.index.algorithm().filter(|&index| !algorithm.compares_with(index)) {
            return Err(IndexError::Incomparable { algorithm, index });
        }
        let Some(highest) = judge.thresholds().possible_score else { return Ok(Vec::new()) };
        let penalties: Vec<Vec<Penalty>> = images
            .iter()
            .map(|(_, asked)| asked.image.views.iter().map(|v| Penalty::of(&v.code, v.plain_rim)).collect())
            .collect();
        let radius = penalties.iter().flatten().filter_map(|penalty| penalty.radius(highest.into())).max();
        let Some(radius) = radius else { return Ok(Vec::new()) };
        let codes: Vec<Vec<Code>> =
            images.iter().map(|(_, asked)| asked.image.views.iter().map(|view| view.code).collect()).collect();
        let groups: Vec<QueryGroup<'_>> = codes.iter().map(|codes| QueryGroup { views: codes }).collect();
        let within = Within { near: radius, complement: Some(radius) };

        let views = |(image, codes): (usize, &Vec<Code>)| (0..codes.len()).map(move |view| (image, view));
        let places: Vec<(usize, usize)> = codes.iter().enumerate().flat_map(views).collect();

        let mut best: BTreeMap<(usize, String, String), Kept> = BTreeMap::new();
        for hit in search::search(&groups, self.index, within, &self.settings)? {
            let (image, view) = places[hit.query as usize];
            let penalty = &penalties[image][view];
            // Without the reference's share first: that needs no look at the reference.
            if penalty.score(hit.distance.into(), 0.0) > f64::from(highest) {
                continue;
            }
            let reference = self.index.reference(hit.reference)?;
            let reference_redundancy = redundancy(&reference.code);
            let score = penalty.score(hit.distance.into(), reference_redundancy);
            let Some((level, threshold)) = judge.level(score) else { continue };
            let redundancies = (penalty.redundancy(), reference_redundancy);
            let key = (images[image].0, reference.work.as_str().to_owned(), reference.source_name.clone());
            let kept = Kept { hit, image, view, score, redundancies, level, threshold, reference };
            // Hits come in a total order, and the first of equals stays.
            match best.get_mut(&key) {
                Some(known) if known.score <= score => {}
                Some(known) => *known = kept,
                None => drop(best.insert(key, kept)),
            }
        }
        best.into_iter().map(|((number, ..), kept)| Ok((number, self.finding(images, judge, kept)?))).collect()
    }

    fn finding(&self, images: &[(usize, Asked<'_>)], judge: &Judge, kept: Kept) -> Result<Finding, IndexError> {
        let Kept { hit, image, view, score, redundancies, level, threshold, reference } = kept;
        let (_, Asked { image, span_ms }) = &images[image];
        let view = &image.views[view];
        let registered = Registered {
            work: reference.work,
            source_name: reference.source_name,
            source_digest: reference.source_digest,
        };
        let found = Found {
            modality: Kind::Image,
            level,
            evidence: Evidence::Code {
                algorithm: AlgorithmId::PDQ_AREA,
                reference_algorithm: reference.algorithm,
                distance_bits: hit.distance.into(),
                score,
                threshold,
                query_redundancy: redundancies.0,
                reference_redundancy: redundancies.1,
                transform: Transform {
                    turn: view.turn,
                    inverted: hit.complement,
                    query_region: view.region,
                    reference_region: reference.region,
                },
                query_frame: image.frame,
                reference_frame: reference.frame,
                query_quality: view.quality,
                reference_quality: reference.quality,
            },
            query_span_ms: span_ms.clone(),
            reference_span_ms: None,
            expected: judge.expected_false_matches(score),
        };
        registered.found(self.index, found)
    }
}

/// Whether a film has sound that says something; `None` where it has some that was not searched, or may have.
fn heard(item: &Item) -> Option<bool> {
    let mut sounds = item.fingerprints.iter().filter(|print| print.audio().is_some()).peekable();
    let without_sound = !item.tracks.is_empty() && item.tracks.iter().all(|track| track.kind != Track::SOUND);
    if item.coverage.sound.as_ref().is_some_and(|sound| sound.tracks_read < sound.tracks) {
        return None;
    }
    let is_animation = item.format.is_some_and(|format| format.row().kind == Kind::Image);
    (sounds.peek().is_some() || without_sound || is_animation).then(|| sounds.any(|sound| !sound.says_too_little()))
}

/// The stills of an item's films; of an animated picture every frame is compared anyway.
fn stills(item: &Item) -> Vec<Still> {
    if item.fingerprints.iter().any(|print| print.image().is_some()) {
        return Vec::new();
    }
    item.fingerprints.iter().filter_map(Fingerprint::film).flat_map(stills_of).collect()
}

fn asked(stills: &[Still]) -> impl Iterator<Item = Asked<'_>> {
    stills.iter().map(|still| Asked { image: &still.image, span_ms: Some(still.span_ms.clone()) })
}

/// By level, then by expected false matches, then by score, then by name and place: a total order.
fn surest_first(a: &Finding, b: &Finding) -> std::cmp::Ordering {
    let score = |finding: &Finding| match &finding.evidence {
        Evidence::Identical => f64::NEG_INFINITY,
        Evidence::Code { score, .. } => *score,
        // Of what runs along higher is surer.
        Evidence::Audio { score, .. } | Evidence::Film { score, .. } => -*score,
    };
    let place = |finding: &Finding| {
        [&finding.query_span_ms, &finding.reference_span_ms]
            .map(|span| span.as_ref().map(|span| (span.start, span.end)))
    };
    (a.level.cmp(&b.level))
        .then(a.expected_false_matches.total_cmp(&b.expected_false_matches))
        .then(score(a).total_cmp(&score(b)))
        .then_with(|| (&a.work, &a.reference_name).cmp(&(&b.work, &b.reference_name)))
        .then_with(|| place(a).cmp(&place(b)))
}
