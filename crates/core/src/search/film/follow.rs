//! Alignments followed from one end of a window to the other: the stretches along them in which frames agree.

use std::ops::Range;

use super::FilmHit;
use super::alignment::Alignment;
use super::backwards::backwards;
use super::beside::{Beside, besides, gained, is_contrary, tells};
use super::evidence::{Stretch, judged};
use super::fitted::{fitted, is_worth_fitting};
use super::lanes::{Compare, Lanes};
use super::query::Query;
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
/// A fitted part is followed where the alignment scores more than so many times as much by it.
const FIT_GAIN: f64 = 1.2;
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
#[derive(Clone)]
struct Line<'a, 'i> {
    frames: FilmFrames<'i>,
    query: Query<'a>,
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

    /// The alignment, fitted to what agrees along it, and the part of the query too where that may decide; `None` where nothing
    /// agrees.
    fn line(&self, alignment: &Alignment) -> Option<Line<'a, 'i>> {
        let frames = self.films.frames(alignment.film);
        let query = Query::of(self.query);
        let lanes = Lanes::of(alignment, &self.hits, &frames, &query);
        let mut line = Line { frames, query, alignment: *alignment, lanes, steps: Vec::new() };
        self.compare(&mut line);
        let run = line.best_run()?;
        let line = self.with_part(&line, run).unwrap_or(line);
        line.best_run().map(|_| line)
    }

    /// Compares along a line, fits its times to what agrees, and compares along it anew.
    fn compare(&self, line: &mut Line<'a, 'i>) {
        let compared = |line: &Line<'a, 'i>| {
            steps(&line.frames, &line.query, &self.window, &line.alignment, &line.lanes, &self.rarity)
        };
        line.steps = compared(line);
        let Some(run) = line.best_run() else { return };
        let pairs = line.steps[run].iter().filter_map(|step| {
            let compared = step.compared[Compare::Frames as usize].or(step.compared[Compare::Differences as usize])?;
            Some((step.reference_ms, step.reference_frame, compared.lane))
        });
        if let Some(refined) = refined(&line.frames, &line.query, &line.alignment, pairs) {
            line.alignment = refined;
            line.steps = compared(line);
        }
    }

    /// The line with the part of the query fitted to the reference; `None` where that is not worth it, or no better.
    fn with_part(&self, line: &Line<'a, 'i>, run: Range<usize>) -> Option<Line<'a, 'i>> {
        let score = line.score(run.clone()).filter(|&score| is_worth_fitting(score))?;
        let (part, reference_view) = fitted(&line.frames, &line.query, &line.alignment, &line.lanes, &line.steps[run])?;
        let mut with_part = line.clone();
        let query_view = with_part.query.add(part);
        with_part.lanes.add(query_view, reference_view, line.alignment.film);
        self.compare(&mut with_part);
        let better = with_part.score(with_part.best_run()?)?;
        (better > FIT_GAIN * score).then_some(with_part)
    }
}

impl Line<'_, '_> {
    /// Where it agrees best.
    fn best_run(&self) -> Option<Range<usize>> {
        let values: Vec<f64> = self.steps.iter().map(value).collect();
        runs(&values, LEAST_NEARNESS, f64::INFINITY).first().cloned()
    }

    fn score(&self, run: Range<usize>) -> Option<f64> {
        let beside: Vec<[Option<Beside>; 2]> = self.steps[run.clone()].iter().map(|step| self.beside(step)).collect();
        Some(self.judged(run, &beside)?.score())
    }

    fn query_ms(&self, step: &Step) -> f64 {
        self.alignment.query_ms(step.reference_ms)
    }

    fn beside(&self, step: &Step) -> [Option<Beside>; 2] {
        besides(&self.frames, &self.query, &self.alignment, &self.lanes, step)
    }

    fn judged(&self, part: Range<usize>, beside: &[[Option<Beside>; 2]]) -> Option<Stretch> {
        judged(&self.frames, &self.query, &self.alignment, &self.steps[part], beside)
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
        let parts = backwards(&self.frames, &self.query, &self.alignment, &self.lanes, &self.steps).into_iter();
        parts.map(|part| self.query_ms(&self.steps[part.start])..self.query_ms(&self.steps[part.end - 1]))
    }
}
