//! Pictures beside films: a poster inside of a film, and a frame of a film kept as a picture.
//!
//! Of a film those frames are compared that show something new, at most one a second, as pictures are. Each of them beside
//! each picture is one more comparison that may match by chance, and the judge counts all of them.

use std::ops::Range;

use minutia_machine::Level as Kernel;
use minutia_media::{Kind, Orientation};

use super::registered::{Found, Registered};
use crate::fingerprint::{
    AlgorithmId, Code, FilmBase, FilmFingerprint, FilmView, ImageFingerprint, Region, RegionKind, View,
};
use crate::index::{FilmFrames, Films, Index, IndexError};
use crate::search;
use crate::verdict::calibration::Calibration;
use crate::verdict::{Allowed, Evidence, Finding, Judge, Level, Penalty, Transform, redundancy};

/// A frame is new if its first code differs by so many bits from that of the last one that was.
const NEW_BITS: u32 = 32;
/// From one still of a film to the next, in milliseconds.
const STEP_MS: u32 = 1_000;
/// Frames of a lower quality (PDQ, 0 to 100) are black, logos on a plain ground, titles: they prove nothing.
pub(super) const LEAST_QUALITY: u8 = 50;
/// Stills of one film at most: of longer ones every second, third, ... is taken.
const MOST_STILLS: usize = 1_000;

/// A frame of a film as a picture.
pub(super) struct Still {
    pub(super) image: ImageFingerprint,
    /// From when to when it, or what is like it, is on screen, in milliseconds.
    pub(super) span_ms: Range<u64>,
}

/// Places of those of some frames that show something new, and until when each does.
fn new_frames<'c>(
    times: impl Iterator<Item = (u32, u8, Option<&'c [u64; 4]>)>,
    duration_ms: u64,
) -> Vec<(u32, Range<u64>)> {
    let mut found: Vec<(u32, Range<u64>)> = Vec::new();
    let mut last: Option<(&[u64; 4], u32)> = None;
    for (place, (time_ms, quality, code)) in (0..).zip(times) {
        let Some(code) = code.filter(|&&code| code != [0; 4]) else { continue };
        let is_new = last.is_none_or(|(before, at)| {
            time_ms.saturating_sub(at) >= STEP_MS && minutia_machine::hamming::distance(before, code) > NEW_BITS
        });
        if !is_new {
            continue;
        }
        last = Some((code, time_ms));
        if let Some((_, before)) = found.last_mut() {
            before.end = before.end.min(time_ms.into());
        }
        if quality >= LEAST_QUALITY {
            found.push((place, time_ms.into()..duration_ms.max(time_ms.into())));
        }
    }
    found
}

/// The stills of a film, by the views that every query is searched by and by rectangles whose edges stay.
pub(super) fn stills_of(film: &FilmFingerprint) -> Vec<Still> {
    let kept: Vec<usize> = (0..film.views.len())
        .filter(|&view| {
            let FilmView { base, crop, degrees, motion, .. } = film.views[view];
            let framed = matches!(base, FilmBase::Framed(_)) && crop == WHOLE && degrees == 0;
            !motion && (framed || !film.views[view].is_second_look())
        })
        .collect();
    let codes: Vec<Option<[u64; 4]>> =
        (0..film.frames.len()).map(|frame| film.codes_of(frame).first().map(|code| bytemuck::cast(code.0))).collect();
    let times = film.frames.iter().zip(&codes).map(|(frame, code)| (frame.time_ms, frame.quality, code.as_ref()));
    let new = new_frames(times, film.duration_ms);
    let step = new.len().div_ceil(MOST_STILLS).max(1);
    let still = |(place, span_ms): (u32, Range<u64>)| {
        let (codes, quality) = (film.codes_of(place as usize), film.frames[place as usize].quality);
        let view = |&number: &usize| {
            let (view, code) = (&film.views[number], *codes.get(number).filter(|code| code.0 != [0; 32])?);
            Some(View { region: region(view), turn: view.turn, code, quality, plain_rim: 0 })
        };
        let image = ImageFingerprint {
            frame: place,
            time_ms: span_ms.start,
            width: film.width,
            height: film.height,
            orientation: Orientation::Upright,
            views: kept.iter().filter_map(view).collect(),
        };
        Still { image, span_ms }
    };
    new.into_iter().step_by(step).map(still).collect()
}

const WHOLE: [u16; 4] = [0, 0, 1_000, 1_000];

/// The part of a frame, told as that of a picture is; of what is cut from a frame without its border, in parts of that.
pub(super) fn region(view: &FilmView) -> Region {
    let kind = match view.base {
        FilmBase::Framed(_) | FilmBase::Sharp | FilmBase::Slanted(_) => RegionKind::Framed,
        _ if view.strip.is_some() => RegionKind::Crop,
        _ if view.crop != WHOLE => RegionKind::Crop,
        FilmBase::Trimmed => RegionKind::Trimmed,
        FilmBase::Whole => RegionKind::Whole,
    };
    let [left, top, right, bottom] = view.crop.map(|thousandths| thousandths.saturating_mul(10));
    Region { kind, left, top, right, bottom }
}

/// The stills of the films of an index, to be compared with pictures: their first views alone.
#[derive(Debug)]
pub(super) struct FilmStills<'i> {
    films: Vec<(usize, Films<'i>)>,
    codes: Vec<[u64; 4]>,
    places: Vec<Place>,
}

/// Where a still is from.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Place among `films`, and the film in it.
    part: u32,
    film: u32,
    frame: u32,
    end_ms: u64,
}

/// A picture that is compared with stills.
pub(super) struct Asked<'q> {
    pub(super) image: &'q ImageFingerprint,
    /// Of a still of a film where it is in it.
    pub(super) span_ms: Option<Range<u64>>,
}

/// The nearest still of a film.
struct Nearest {
    place: usize,
    asked: usize,
    view: usize,
    distance: u32,
    inverted: bool,
    score: f64,
    redundancies: (f64, f64),
    level: Level,
    threshold: u32,
}

impl<'i> FilmStills<'i> {
    /// Those of `index`, black frames and repetitions left out. Takes 56 bytes for each, some 2,000 an hour.
    ///
    /// # Errors
    /// [`IndexError::Damaged`].
    pub(super) fn of(index: &'i Index) -> Result<FilmStills<'i>, IndexError> {
        let films = index.films()?;
        let (mut codes, mut places) = (Vec::new(), Vec::new());
        for (part, (_, of_part)) in (0..).zip(&films) {
            for film in (0..of_part.len()).filter(|&film| of_part.is_alive(film)) {
                let frames = of_part.frames(film);
                let times = frames.times.iter().zip(frames.qualities).enumerate();
                let times = times.map(|(place, (&time, &quality))| (time, quality, frames.code(place, 0)));
                let new = new_frames(times, frames.duration_ms);
                codes.extend(new.iter().filter_map(|(frame, _)| frames.code(*frame as usize, 0)));
                places.extend(new.iter().map(|(frame, span)| Place { part, film, frame: *frame, end_ms: span.end }));
            }
        }
        Ok(FilmStills { films, codes, places })
    }

    /// The frames of a film, numbered as [`Index::film`] does.
    pub(super) fn frames(&self, segment: usize, film: u32) -> Option<FilmFrames<'i>> {
        let (_, films) = self.films.iter().find(|(place, _)| *place == segment)?;
        (film < films.len()).then(|| films.frames(film))
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        self.codes.len() as u64
    }

    /// Of each film that is near one of `asked` the nearest pair. The judge counts the comparisons: stills here times pictures asked about.
    ///
    /// # Errors
    /// [`IndexError::Damaged`].
    pub(super) fn find(
        &self,
        asked: &[Asked<'_>],
        index: &Index,
        allowed: Allowed,
        kernel: Kernel,
    ) -> Result<Vec<Finding>, IndexError> {
        let calibration = Calibration::of(AlgorithmId::PDQ_AREA).expect("a test walks the table of calibrations");
        let judge = Judge::new(calibration, self.len().saturating_mul(asked.len() as u64), allowed);
        let Some(highest) = judge.thresholds().possible_score.filter(|_| self.len() > 0) else { return Ok(Vec::new()) };
        let (mut queries, mut views) = (Vec::new(), Vec::new());
        for (number, asked) in asked.iter().enumerate() {
            for (place, view) in asked.image.views.iter().enumerate() {
                queries.push(bytemuck::cast(view.code.0));
                views.push((number, place, Penalty::of(&view.code, view.plain_rim)));
            }
        }
        let radii = views.iter().filter_map(|(_, _, penalty)| penalty.radius(highest.into()));
        let Some(radius) = radii.max() else { return Ok(Vec::new()) };
        let mut best: std::collections::BTreeMap<(u32, u32), Nearest> = std::collections::BTreeMap::new();
        for found in search::among(&self.codes, &queries, radius, kernel) {
            let (asked, view, penalty) = &views[found.query as usize];
            let place = found.row as usize;
            let (distance, inverted) =
                if found.distance <= 128 { (found.distance, false) } else { (256 - found.distance, true) };
            let of_reference = redundancy(&Code(bytemuck::cast(self.codes[place])));
            let score = penalty.score(distance, of_reference);
            let Some((level, threshold)) = judge.level(score) else { continue };
            let nearest = Nearest {
                place,
                asked: *asked,
                view: *view,
                distance,
                inverted,
                score,
                redundancies: (penalty.redundancy(), of_reference),
                level,
                threshold,
            };
            let key = |nearest: &Nearest| (nearest.asked, nearest.view, nearest.place);
            let film = (self.places[place].part, self.places[place].film);
            match best.get_mut(&film) {
                Some(known) if known.score.total_cmp(&score).then(key(known).cmp(&key(&nearest))).is_le() => {}
                Some(known) => *known = nearest,
                None => drop(best.insert(film, nearest)),
            }
        }
        best.into_values().map(|nearest| self.finding(asked, index, &judge, &nearest)).collect()
    }

    fn finding(
        &self,
        asked: &[Asked<'_>],
        index: &Index,
        judge: &Judge,
        nearest: &Nearest,
    ) -> Result<Finding, IndexError> {
        let place = self.places[nearest.place];
        let (segment, films) = &self.films[place.part as usize];
        let frames = films.frames(place.film);
        let film = index.film(*segment, place.film)?;
        let asked = &asked[nearest.asked];
        let view = &asked.image.views[nearest.view];
        let whole = film.views.first().map(region);
        let start_ms = frames.times.get(place.frame as usize).map_or(0, |&time| time.into());
        let registered =
            Registered { work: film.work, source_name: film.source_name, source_digest: film.source_digest };
        let found = Found {
            modality: Kind::Image,
            level: nearest.level,
            evidence: Evidence::Code {
                algorithm: AlgorithmId::PDQ_AREA,
                reference_algorithm: AlgorithmId::PDQ_AREA,
                distance_bits: nearest.distance,
                score: nearest.score,
                threshold: nearest.threshold,
                query_redundancy: nearest.redundancies.0,
                reference_redundancy: nearest.redundancies.1,
                transform: Transform {
                    turn: view.turn,
                    inverted: nearest.inverted,
                    query_region: view.region,
                    reference_region: whole.unwrap_or(view.region),
                },
                query_frame: asked.image.frame,
                reference_frame: place.frame,
                query_quality: view.quality,
                reference_quality: frames.qualities.get(place.frame as usize).copied().unwrap_or(0),
            },
            query_span_ms: asked.span_ms.clone(),
            reference_span_ms: Some(start_ms..place.end_ms.max(start_ms)),
            expected: judge.expected_false_matches(nearest.score),
        };
        registered.found(index, found)
    }
}
