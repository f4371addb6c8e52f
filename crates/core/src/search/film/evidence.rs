//! What an alignment comes to: the stretches along it in which frames agree, and how much that proves.

use std::ops::Range;

use super::alignment::Alignment;
use super::beside::Beside;
use super::lanes::{Compare, Lane};
use super::query::Query;
use super::steps::{BIAS, LEAST_WEIGHT, STEP_MS, Step};
use crate::fingerprint::FilmView;
use crate::index::FilmFrames;

/// A frame that is nearer than a shifted one counts by how much, in shares of so many bits and of so much of both
/// distances: a copy that is as good as the original is much nearer than the shifted one even where few bits change.
const CHANGE_BITS: f64 = 12.0;
const CHANGE_SHARE: f64 = 0.3;
/// And at most so much.
const MOST_CHANGE: f64 = 1.5;
/// Up to so many bits shifted frames are of the same scene, and from so many on other pictures.
const SAME_SCENE: f64 = 30.0;
const OTHER_PICTURE: f64 = 60.0;
/// What a frame at no distance is worth. It falls with the square: chance comes to 60 bits often and to 30 never.
const WHOLE_NEARNESS: f64 = 2.0;
/// And the least of a frame difference: noise of a coder where hardly anything moves must not undo what the frames prove.
const MOST_AGAINST: f64 = -0.1;
/// A stretch that is shorter than this, and than the query, counts by its share of it, down to the least.
const LONG_MS: f64 = 3_000.0;
const LEAST_SHARE: f64 = 0.4;
/// Films are seldom made much faster or slower, and chance has more ways to agree under many speeds: a stretch counts less by
/// so much of how far the logarithm of its speed is beyond this.
const PLAIN_SPEED: f64 = 0.1;
const ODD_SPEED: f64 = 0.7;
/// Of stretches over one part of a query one at a speed beyond that is preferred by so much of its score.
const ODD_PREFERENCE: f64 = 0.6;
/// A stretch of fewer frames counts by theirs.
const FEWEST_FRAMES: f64 = 5.0;
/// Stretches under one alignment are one where no more than so much lies between them, and alignments that differ by no
/// more than so much at both are one.
const MOST_GAP_MS: u64 = 2_600;
const SAME_MS: f64 = 350.0;
/// Stretches that share more than this of what they lie over are alternatives.
const SAME_SHARE: f64 = 0.8;
/// What is left of a query beside a stretch belongs to it where it is less than so many steps: one step alone, of which half stands
/// beside the stretch, tells nothing.
const END_STEPS: f64 = 1.5;

/// A stretch that agrees.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    pub(super) lane: Lane,
    /// The view of the query in it.
    pub(super) view: FilmView,
    pub(super) alignment: Alignment,
    pub(super) query_length_ms: f64,
    pub(super) query_ms: Range<u64>,
    pub(super) reference_ms: Range<u64>,
    pub(super) frames: u32,
    pub(super) distance: f64,
    pub(super) nearness: f64,
    pub(super) changes: f64,
    pub(super) shifted: f64,
    pub(super) weight: f64,
    /// True where what lies before it under its alignment speaks against that one.
    pub(super) is_parted: bool,
}

impl Stretch {
    /// Nearness and changes, of short stretches less: a logo, a title and what else two films share by chance are short.
    pub(super) fn score(&self) -> f64 {
        let long = self.query_length_ms.clamp(1.0, LONG_MS);
        let share = self.query_ms.end.saturating_sub(self.query_ms.start) as f64 / long;
        let few = f64::from(self.frames) / FEWEST_FRAMES;
        let odd = (libm::log(self.alignment.speed.max(0.01)).abs() - PLAIN_SPEED).max(0.0);
        (self.nearness + self.changes) * share.min(few).clamp(LEAST_SHARE, 1.0) * (1.0 - ODD_SPEED * odd).max(0.5)
    }

    /// True where `next` goes on under the same alignment, beside or after this.
    pub(super) fn continued_by(&self, next: &Stretch) -> bool {
        let (here, there) = (&self.query_ms, &next.query_ms);
        let apart = |at: u64| (self.alignment.reference_ms(at as f64) - next.alignment.reference_ms(at as f64)).abs();
        let gap = if next.is_parted { 0 } else { MOST_GAP_MS };
        there.start <= here.end.saturating_add(gap)
            && apart(there.start) < SAME_MS
            && apart(here.end.max(there.end)) < 2.0 * SAME_MS
    }

    /// True where `next` lies where this does: another alignment of the same stretch.
    fn is_instead_of(&self, next: &Stretch) -> bool {
        let (here, there) = (&self.query_ms, &next.query_ms);
        let both = here.end.min(there.end).saturating_sub(here.start.max(there.start));
        let either = here.end.max(there.end).saturating_sub(here.start.min(there.start));
        both as f64 > SAME_SHARE * either as f64
    }

    /// Takes in a stretch that continues this one.
    pub(super) fn join(&mut self, next: &Stretch) {
        let length = next.query_ms.end.saturating_sub(next.query_ms.start).max(1) as f64;
        let more = next.query_ms.end.saturating_sub(self.query_ms.end.max(next.query_ms.start)) as f64 / length;
        if more <= 0.0 {
            return;
        }
        let (here, there) = (f64::from(self.frames), f64::from(next.frames) * more);
        let mean = |a: f64, b: f64| (a * here + b * there) / (here + there);
        self.distance = mean(self.distance, next.distance);
        self.shifted = mean(self.shifted, next.shifted);
        self.nearness += next.nearness * more;
        self.changes += next.changes * more;
        self.weight += next.weight * more;
        self.frames += there as u32;
        self.query_ms.end = next.query_ms.end;
        self.reference_ms.end = self.reference_ms.end.max(next.reference_ms.end);
        let spans = [&self.query_ms, &self.reference_ms].map(|span| span.end.saturating_sub(span.start) as f64);
        if spans[0] > 0.0 {
            self.alignment.speed = spans[1] / spans[0];
            self.alignment.offset = self.reference_ms.start as f64 - self.alignment.speed * self.query_ms.start as f64;
        }
    }
}

/// What a frame at that distance speaks for a copy, beyond the bias against.
pub(super) fn worth(distance: f64) -> f64 {
    let near = (BIAS - distance) / BIAS;
    WHOLE_NEARNESS * near * near.abs()
}

/// What it proves that a frame is nearer than a shifted one.
pub(super) fn change(distance: f64, shifted: f64) -> f64 {
    ((shifted - distance) / (CHANGE_BITS + CHANGE_SHARE * (shifted + distance))).clamp(-1.0, MOST_CHANGE)
}

/// How much of that counts for a frame of that weight: all of it where the shifted one is of the same scene, and as much as the frame
/// is new where it is another picture. A logo or a slide that comes with a cut and goes with one is nearer than what is beside
/// it for as long as it stands, whichever film shows it.
fn told_anew(weight: f64, shifted: f64) -> f64 {
    let is_other = ((shifted - SAME_SCENE) / (OTHER_PICTURE - SAME_SCENE)).clamp(0.0, 1.0);
    let new = ((weight - LEAST_WEIGHT) / (1.0 - LEAST_WEIGHT)).clamp(0.0, 1.0);
    1.0 - is_other * (1.0 - new)
}

/// What a stretch proves.
pub(super) fn judged(
    frames: &FilmFrames<'_>,
    query: &Query<'_>,
    alignment: &Alignment,
    steps: &[Step],
    besides: &[[Option<Beside>; 2]],
) -> Option<Stretch> {
    let (first, last) = (steps.first()?, steps.last()?);
    let (mut nearness, mut changes, mut weight, mut bits) = (0.0, 0.0, 0.0, 0.0);
    let (mut shifted_sum, mut shifted_count, mut count) = (0.0, 0.0, 0.0);
    let both = steps.iter().zip(besides).flat_map(|step| Compare::BOTH.map(|compare| (step, compare)));
    for ((step, beside), compare) in both {
        let Some(compared) = step.compared[compare as usize] else { continue };
        count += 1.0;
        bits += compared.distance;
        weight += compared.weight;
        let near = compared.weight * worth(compared.distance);
        nearness += if compare == Compare::Differences { near.max(MOST_AGAINST) } else { near };
        let Some(beside) = beside[compare as usize] else { continue };
        let other = beside.usual.min(BIAS);
        shifted_sum += other;
        shifted_count += 1.0;
        changes += change(compared.distance, other) * told_anew(compared.weight, other);
    }
    // What is told of is the frames' own views, where there are any.
    let lanes_of = |compare: Compare| steps.iter().filter_map(move |step| Some(step.compared[compare as usize]?.lane));
    let mut chosen: Vec<Lane> = lanes_of(Compare::Frames).collect();
    if chosen.is_empty() {
        chosen.extend(lanes_of(Compare::Differences));
    }
    chosen.sort_unstable();
    let most = chosen.chunk_by(|a, b| a == b).max_by_key(|same| same.len());
    let lane = most.map(|same| same[0])?;
    // A step stands for half a step around it.
    let query_end = query.duration_ms();
    let step = STEP_MS / alignment.speed;
    let half = step / 2.0;
    let mut start = alignment.query_ms(first.reference_ms) - half;
    let mut end = alignment.query_ms(last.reference_ms) + half;
    if start < END_STEPS * step {
        start = 0.0;
    }
    if end > query_end - END_STEPS * step {
        end = query_end;
    }
    start = start.max(alignment.query_ms(0.0)).max(0.0);
    end = end.min(alignment.query_ms(frames.duration_ms as f64)).min(query_end);
    let span = |from: f64, to: f64| from.max(0.0) as u64..to.max(0.0) as u64;
    Some(Stretch {
        lane,
        view: query.view(lane.query_view),
        alignment: *alignment,
        query_length_ms: query_end,
        query_ms: span(start, end),
        reference_ms: span(alignment.reference_ms(start), alignment.reference_ms(end)),
        frames: steps.len() as u32,
        distance: bits / count,
        nearness,
        changes,
        shifted: if shifted_count > 0.0 { shifted_sum / shifted_count } else { 0.0 },
        weight,
        is_parted: false,
    })
}

/// By what of several stretches over one part of a query the surest is chosen. Several excerpts of one scene agree a little under
/// one odd speed too, all together, and better each under its own.
pub(super) fn preference(score: f64, speed: f64) -> f64 {
    let odd = libm::log(speed.max(0.01)).abs() > PLAIN_SPEED;
    score * if odd { ODD_PREFERENCE } else { 1.0 }
}

/// True where `others` lie over more than half of `span`.
pub(super) fn is_covered<'s>(span: &Range<u64>, others: impl Iterator<Item = &'s Range<u64>>) -> bool {
    let both = |other: &Range<u64>| other.end.min(span.end).saturating_sub(other.start.max(span.start));
    2 * others.map(both).sum::<u64>() > span.end.saturating_sub(span.start)
}

/// Of the stretches of one film that lie over the same part of the query keeps the surest, and joins those that continue
/// each other.
pub(super) fn kept(found: Vec<Stretch>) -> Vec<Stretch> {
    let mut found = joined(found);
    found.sort_by(|a, b| {
        let by_score = preference(b.score(), b.alignment.speed).total_cmp(&preference(a.score(), a.alignment.speed));
        let start = |stretch: &Stretch| (stretch.query_ms.start, stretch.reference_ms.start, stretch.query_ms.end);
        a.lane.film.cmp(&b.lane.film).then(by_score).then(a.lane.cmp(&b.lane)).then(start(a).cmp(&start(b)))
    });
    let mut kept: Vec<Stretch> = Vec::new();
    for stretch in found {
        let of_film = kept.iter().rev().take_while(|other| other.lane.film == stretch.lane.film);
        if !is_covered(&stretch.query_ms, of_film.map(|other| &other.query_ms)) {
            kept.push(stretch);
        }
    }
    kept.sort_by(|a, b| {
        (a.lane.film, a.query_ms.start, a.reference_ms.start).cmp(&(
            b.lane.film,
            b.query_ms.start,
            b.reference_ms.start,
        ))
    });
    kept
}

/// Makes one of the stretches that continue each other.
fn joined(mut found: Vec<Stretch>) -> Vec<Stretch> {
    found.sort_by(|a, b| {
        let start = |stretch: &Stretch| (stretch.lane.film, stretch.query_ms.start, stretch.reference_ms.start);
        start(a).cmp(&start(b)).then(b.score().total_cmp(&a.score())).then(a.lane.cmp(&b.lane))
    });
    let mut joined: Vec<Stretch> = Vec::with_capacity(found.len());
    for next in found {
        let mut earlier = joined.iter_mut().rev().take_while(|other| other.lane.film == next.lane.film);
        match earlier.find(|before| before.continued_by(&next)) {
            Some(before) if !before.is_instead_of(&next) => before.join(&next),
            Some(before) if before.score() < next.score() => *before = next,
            Some(_) => {}
            None => joined.push(next),
        }
    }
    joined
}
