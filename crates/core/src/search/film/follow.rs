//! Alignments followed from one end of a window to the other: the stretches along them in which frames agree.

use std::ops::Range;

use super::FilmHit;
use super::alignment::Alignment;
use super::backwards::backwards;
use super::beside::{Beside, besides, gained, is_contrary, tells};
use super::evidence::{Stretch, judged};
use super::lanes::{Compare, Lanes};
use super::rarity::Rarity;
use super::runs::runs;
use super::steps::{STEP_MS, Step, steps, value};
use super::timing::refined;
use crate::fingerprint::FilmFingerprint;
use crate::index::{FilmFrames, Films};

/// A stretch is worth at least this.
const LEAST_NEARNESS: f64 = 0.6;
/// A step that speaks against the alignment does so by this. Of a stretch no more than so much may be lost between two parts, and
/// so many such steps part it.
const CONTRARY: f64 = -1.5;
const MOST_LOST: f64 = 2.6;
const PARTING: usize = 2;
/// A stretch of at least this score goes on while what is beside it tells so.
const SURE_SCORE: f64 = 8.0;
/// A step stands for so much to each side of it.
const HALF_MS: f64 = STEP_MS / 2.0;

/// A window of a query, whose alignments are followed.
pub(super) struct Following<'a, 'i> {
    films: &'a Films<'i>,
    query: &'a FilmFingerprint,
    window: Range<u32>,
    /// Those within the window, sorted.
    hits: Vec<FilmHit>,
    rarity: Rarity,
    /// Of which films something is shown backwards, and from when to when in the query. One alignment tells, and others that
    /// are nearly as good do not.
    turned: Vec<(u32, Range<f64>)>,
}

/// An alignment, and what is compared along it.
struct Line<'a, 'i> {
    frames: FilmFrames<'i>,
    query: &'a FilmFingerprint,
    alignment: Alignment,
    lanes: Lanes,
    steps: Vec<Step>,
}

impl<'a, 'i> Following<'a, 'i> {
    pub(super) fn new(
        films: &'a Films<'i>,
        query: &'a FilmFingerprint,
        window: Range<u32>,
        hits: Vec<FilmHit>,
    ) -> Following<'a, 'i> {
        let rarity = Rarity::of(&hits, &query.views);
        Following { films, query, window, hits, rarity, turned: Vec::new() }
    }

    pub(super) fn hits(&self) -> &[FilmHit] {
        &self.hits
    }

    /// The stretches that agree along an alignment, in order of time.
    pub(super) fn follow(&mut self, alignment: &Alignment) -> Vec<Stretch> {
        let Some(line) = self.line(alignment) else { return Vec::new() };
        let steps = &line.steps;
        let beside: Vec<[Option<Beside>; 2]> = steps.iter().map(|step| line.beside(step)).collect();
        let mut contrary: Vec<bool> =
            steps.iter().zip(&beside).map(|(step, beside)| is_contrary(step, beside)).collect();
        let mut tells: Vec<f64> = steps.iter().zip(&beside).map(|(step, beside)| tells(step, beside)).collect();
        let judge = |part: Range<usize>| line.judged(part.clone(), &beside[part]);
        let is_sure = |part: Range<usize>| judge(part).is_some_and(|stretch| stretch.score() >= SURE_SCORE);
        if line.parts(&contrary).into_iter().any(is_sure) {
            self.turned.extend(line.backwards().map(|at| (line.alignment.film, at)));
        }
        for (place, step) in steps.iter().enumerate() {
            if self.is_turned(line.alignment.film, line.query_ms(step)) {
                (contrary[place], tells[place]) = (true, CONTRARY);
            }
        }
        let parts = line.parts(&contrary);
        let mut found = Vec::new();
        for (place, part) in parts.iter().enumerate() {
            let before = place.checked_sub(1).map_or(0, |place| parts[place].end);
            let after = parts.get(place + 1).map_or(steps.len(), |part| part.start);
            let Some(mut stretch) = judge(part.clone()) else { continue };
            if stretch.score() >= SURE_SCORE {
                let further = part.start - gained(tells[before..part.start].iter().rev())
                    ..part.end + gained(tells[part.end..after].iter());
                stretch = judge(further).unwrap_or(stretch);
            }
            stretch.is_parted = contrary[before..part.start].iter().filter(|&&contrary| contrary).count() >= PARTING;
            found.push(stretch);
        }
        found
    }

    /// Whether the query is known to show something of that film backwards at a time.
    fn is_turned(&self, film: u32, query_ms: f64) -> bool {
        let mut of_film = self.turned.iter().filter(|(other, _)| *other == film);
        of_film.any(|(_, at)| (at.start - HALF_MS..at.end + HALF_MS).contains(&query_ms))
    }

    /// The alignment, fitted to what agrees along it; `None` where nothing does.
    fn line(&self, alignment: &Alignment) -> Option<Line<'a, 'i>> {
        let frames = self.films.frames(alignment.film);
        let lanes = Lanes::of(alignment, &self.hits, &frames, self.query);
        let followed = |alignment: &Alignment| {
            let steps = steps(&frames, self.query, &self.window, alignment, &lanes, &self.rarity);
            let values: Vec<f64> = steps.iter().map(value).collect();
            let best = runs(&values, LEAST_NEARNESS, f64::INFINITY).first().cloned();
            (steps, best)
        };
        let (mut steps, mut best) = followed(alignment);
        let mut alignment = *alignment;
        let pairs = steps[best.clone()?].iter().filter_map(|step| {
            let compared = step.compared[Compare::Frames as usize].or(step.compared[Compare::Differences as usize])?;
            Some((step.reference_ms, step.reference_frame, compared.lane))
        });
        if let Some(refined) = refined(&frames, self.query, &alignment, pairs) {
            alignment = refined;
            (steps, best) = followed(&alignment);
        }
        best.map(|_| Line { frames, query: self.query, alignment, lanes, steps })
    }
}

impl Line<'_, '_> {
    fn query_ms(&self, step: &Step) -> f64 {
        self.alignment.query_ms(step.reference_ms)
    }

    fn beside(&self, step: &Step) -> [Option<Beside>; 2] {
        besides(&self.frames, self.query, &self.alignment, &self.lanes, step)
    }

    fn judged(&self, part: Range<usize>, beside: &[[Option<Beside>; 2]]) -> Option<Stretch> {
        judged(&self.frames, self.query, &self.alignment, &self.steps[part], beside)
    }

    /// Where steps agree, in order of time.
    fn parts(&self, contrary: &[bool]) -> Vec<Range<usize>> {
        let value = |(step, &contrary): (&Step, &bool)| if contrary { value(step).min(CONTRARY) } else { value(step) };
        let values: Vec<f64> = self.steps.iter().zip(contrary).map(value).collect();
        let mut parts = runs(&values, LEAST_NEARNESS, MOST_LOST);
        parts.sort_by_key(|part| part.start);
        parts
    }

    /// From when to when in the query something is shown backwards.
    fn backwards(&self) -> impl Iterator<Item = Range<f64>> {
        let parts = backwards(&self.frames, self.query, &self.alignment, &self.lanes, &self.steps).into_iter();
        parts.map(|part| self.query_ms(&self.steps[part.start])..self.query_ms(&self.steps[part.end - 1]))
    }
}
