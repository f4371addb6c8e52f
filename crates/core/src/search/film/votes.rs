//! Which alignments the near frames vote for.

use super::FilmHit;
use super::RADIUS;
use super::alignment::Alignment;
use crate::index::Films;

/// Speeds that are tried: powers of this.
const SPEED_STEP: f64 = 1.04;
const SPEED_STEPS: i32 = 11;
/// Milliseconds of a cell of offsets.
const CELL_MS: f64 = 250.0;
/// Alignments of one film that are kept.
const MOST_OF_FILM: usize = 12;
/// Alignments this close at both ends of all votes are one, and of those this close at both ends of what votes for them so
/// many are kept: they may fit other speeds.
const APART_MS: f64 = 700.0;
const MOST_ALIKE: usize = 3;
/// Those ends, in standard deviations from the mean: of votes that come evenly from one stretch.
const ENDS: f64 = 1.732;

/// A hit as it votes: of one frame pair the nearest views.
#[derive(Clone, Copy, Debug)]
struct Vote {
    query_frame: u32,
    query_ms: f64,
    reference_ms: f64,
    weight: f64,
}

/// The most voted alignments, at most `most`.
pub(super) fn alignments(films: &Films<'_>, hits: &[FilmHit], most: usize) -> Vec<Alignment> {
    let mut found = Vec::new();
    for of_film in hits.chunk_by(|a, b| a.film == b.film) {
        let frames = films.frames(of_film[0].film);
        let mut votes: Vec<Vote> = Vec::new();
        for of_frame in of_film.chunk_by(|a, b| a.query_frame == b.query_frame) {
            let pairs: Vec<&FilmHit> = of_frame
                .chunk_by(|a, b| a.reference_frame == b.reference_frame)
                .filter_map(|pair| pair.first())
                .collect();
            // A frame that is like many others of one film says little about when.
            let share = 1.0 / (pairs.len() as f64).sqrt();
            for hit in pairs {
                let weight = share * f64::from(RADIUS + 1 - hit.distance) / f64::from(RADIUS + 1);
                let vote = |reference_ms: u32| Vote {
                    query_frame: hit.query_frame,
                    query_ms: hit.query_ms.into(),
                    reference_ms: reference_ms.into(),
                    weight,
                };
                votes.push(vote(hit.reference_ms));
                // A still is there until the next frame, and votes for both ends.
                let end = frames.last_ms(hit.reference_frame as usize);
                if end > hit.reference_ms {
                    votes.push(vote(end));
                }
            }
        }
        of_votes(of_film[0].film, &votes, &mut found);
    }
    found.sort_by(|a, b| b.votes.total_cmp(&a.votes).then(a.film.cmp(&b.film)).then(a.offset.total_cmp(&b.offset)));
    found.truncate(most);
    found
}

/// An alignment, and the times of the query that vote for it.
struct Candidate {
    alignment: Alignment,
    ends_ms: [f64; 2],
}

/// The votes of a cell of offsets.
#[derive(Clone, Copy, Debug)]
struct Cell {
    number: i64,
    sum: f64,
    /// The sums of what votes, by the time of the query and by its square.
    first: f64,
    second: f64,
}

impl Cell {
    fn ends_ms(&self) -> [f64; 2] {
        let mean = self.first / self.sum;
        let deviation = (self.second / self.sum - mean * mean).max(0.0).sqrt();
        [mean - ENDS * deviation, mean + ENDS * deviation]
    }
}

/// Adds the alignments that the votes of one film are for.
fn of_votes(film: u32, votes: &[Vote], found: &mut Vec<Alignment>) {
    let mut cells: Vec<Candidate> = Vec::new();
    for power in -SPEED_STEPS..=SPEED_STEPS {
        let speed = libm::pow(SPEED_STEP, power.into());
        let sums = cells_of(votes, speed);
        let plain = 1.0 - 0.01 * f64::from(power.abs());
        for (place, cell) in sums.iter().enumerate() {
            let beside = |other: Option<&Cell>, wanted: i64| {
                other.filter(|other| other.number == wanted).map_or(0.0, |other| other.sum)
            };
            let around = beside(place.checked_sub(1).and_then(|place| sums.get(place)), cell.number - 1)
                + beside(sums.get(place + 1), cell.number + 1);
            let votes = (cell.sum + 0.7 * around) * plain;
            let alignment = Alignment { film, speed, offset: (cell.number as f64 + 0.5) * CELL_MS, votes };
            cells.push(Candidate { alignment, ends_ms: cell.ends_ms() });
        }
    }
    cells.sort_by(|Candidate { alignment: a, .. }, Candidate { alignment: b, .. }| {
        b.votes.total_cmp(&a.votes).then(a.speed.total_cmp(&b.speed)).then(a.offset.total_cmp(&b.offset))
    });
    cells.truncate(400);
    let (first, last) = votes
        .iter()
        .fold((f64::MAX, 0.0_f64), |(first, last), vote| (first.min(vote.query_ms), last.max(vote.query_ms)));
    let near = |a: &Alignment, b: &Alignment, ends_ms: [f64; 2]| {
        ends_ms.iter().all(|&at| (a.reference_ms(at) - b.reference_ms(at)).abs() < APART_MS)
    };
    let mut kept: Vec<Alignment> = Vec::new();
    for Candidate { alignment, ends_ms } in cells {
        if kept.len() == MOST_OF_FILM {
            break;
        }
        let is_one = kept.iter().any(|other| near(other, &alignment, [first, last]));
        // Under many odd speeds a stretch agrees nearly as well, and they must not leave no room for others.
        let alike = kept.iter().filter(|other| near(other, &alignment, ends_ms)).count();
        if !is_one && alike < MOST_ALIKE {
            kept.push(alignment);
        }
    }
    found.extend(kept.into_iter().map(|alignment| fitted(alignment, votes)));
}

/// The sum of each cell of offsets that has votes, ascending. Of one frame of the query the best vote counts in a cell.
fn cells_of(votes: &[Vote], speed: f64) -> Vec<Cell> {
    let place = |vote: &Vote| {
        let offset = vote.reference_ms - speed * vote.query_ms;
        (libm::floor(offset / CELL_MS) as i64, vote.query_frame, vote.weight, vote.query_ms)
    };
    let mut places: Vec<(i64, u32, f64, f64)> = votes.iter().map(place).collect();
    places.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(b.2.total_cmp(&a.2)));
    places.dedup_by_key(|place| (place.0, place.1));
    let cell = |same: &[(i64, u32, f64, f64)]| {
        let sum = |of: fn(f64) -> f64| same.iter().map(|place| place.2 * of(place.3)).sum();
        Cell { number: same[0].0, sum: sum(|_| 1.0), first: sum(|at| at), second: sum(|at| at * at) }
    };
    places.chunk_by(|a, b| a.0 == b.0).map(cell).collect()
}

/// The alignment as a line through the votes near it, by least squares with shrinking tolerance. The speed stays the
/// query's own where the votes do not speak against it.
fn fitted(alignment: Alignment, votes: &[Vote]) -> Alignment {
    let mut line = alignment;
    for tolerance in [650.0, 450.0, 350.0] {
        let near = votes.iter().filter(|vote| (vote.reference_ms - line.reference_ms(vote.query_ms)).abs() < tolerance);
        let (mut sum, mut x, mut y) = (0.0, 0.0, 0.0);
        let near: Vec<&Vote> = near.collect();
        for vote in &near {
            sum += vote.weight;
            x += vote.weight * vote.query_ms;
            y += vote.weight * vote.reference_ms;
        }
        if sum <= 0.0 {
            break;
        }
        let (mean_x, mean_y) = (x / sum, y / sum);
        let (mut across, mut along) = (0.0, 0.0);
        for vote in &near {
            across += vote.weight * (vote.query_ms - mean_x) * (vote.query_ms - mean_x);
            along += vote.weight * (vote.query_ms - mean_x) * (vote.reference_ms - mean_y);
        }
        let mut speed = line.speed;
        if across > 0.0 {
            let fit = (along / across).clamp(0.6, 1.7);
            let rest: f64 = near
                .iter()
                .map(|vote| {
                    let error = vote.reference_ms - mean_y - fit * (vote.query_ms - mean_x);
                    vote.weight * error * error
                })
                .sum();
            // The standard error of the slope.
            let error = (rest / sum).sqrt() / (across / sum).sqrt() / (near.len() as f64).sqrt();
            speed = [1.0, 25.0 / 24.0, 24.0 / 25.0]
                .into_iter()
                .find(|&plain| (fit - plain).abs() < 2.5 * error)
                .unwrap_or(fit);
        }
        line.speed = speed;
        line.offset = mean_y - speed * mean_x;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cell by cell, as it is defined: of each frame of the query the best vote.
    fn naive(votes: &[Vote], speed: f64, cell: i64) -> f64 {
        let mut frames: Vec<u32> = votes.iter().map(|vote| vote.query_frame).collect();
        frames.sort_unstable();
        frames.dedup();
        let of_frame = |frame: u32| {
            let offset = |vote: &&Vote| libm::floor((vote.reference_ms - speed * vote.query_ms) / CELL_MS) as i64;
            let here = votes.iter().filter(|vote| vote.query_frame == frame && offset(vote) == cell);
            here.map(|vote| vote.weight).fold(0.0, f64::max)
        };
        frames.into_iter().map(of_frame).sum()
    }

    #[test]
    fn finds_a_planted_alignment_among_chance_and_counts_as_it_is_defined() {
        for (round, &speed) in [1.0, 25.0 / 24.0, 0.8, 1.25, 24.0 / 25.0, 1.08].iter().enumerate() {
            let mut state = round as u64 + 3;
            let mut below = |most: u64| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                ((state >> 33) % most) as f64
            };
            let mut votes = Vec::new();
            for frame in 0..40_u32 {
                let query_ms = f64::from(frame) * 250.0;
                let vote = |reference_ms: f64, weight: f64| Vote { query_frame: frame, query_ms, reference_ms, weight };
                if frame % 3 != 0 {
                    votes.push(vote(speed * query_ms + 7_300.0 + below(200) - 100.0, 0.6));
                }
                votes.push(vote(below(60_000), 0.4));
                votes.push(vote(below(60_000), 0.3));
            }
            let mut found = Vec::new();
            of_votes(5, &votes, &mut found);
            let best = found[0];
            let apart = (best.reference_ms(5_000.0) - (speed * 5_000.0 + 7_300.0)).abs();
            assert!(best.film == 5 && apart < 150.0 && (best.speed - speed).abs() < 0.03, "{speed}: {best:?}");
            let cells = -40..250;
            let sums = cells_of(&votes, 1.0);
            for cell in cells {
                let sum = sums.iter().find(|sum| sum.number == cell).map_or(0.0, |sum| sum.sum);
                assert!((sum - naive(&votes, 1.0, cell)).abs() < 1e-9, "cell {cell}");
            }
        }
    }

    #[test]
    fn a_stretch_that_agrees_under_many_speeds_leaves_room_for_the_next() {
        // Three seconds of a minute's query have many votes under any speed that is tried, and three others few.
        let stretch = |begin_ms: u32, offset_ms: f64, weight: f64| {
            (begin_ms..begin_ms + 3_000).step_by(250).map(move |at| Vote {
                query_frame: at / 250,
                query_ms: at.into(),
                reference_ms: f64::from(at) + offset_ms,
                weight,
            })
        };
        let votes: Vec<Vote> = stretch(2_000, 9_000.0, 0.9).chain(stretch(54_000, 40_000.0, 0.15)).collect();
        let mut found = Vec::new();
        of_votes(1, &votes, &mut found);
        let at = |query_ms: f64, reference_ms: f64| {
            found.iter().filter(|one| (one.reference_ms(query_ms) - reference_ms).abs() < APART_MS).count()
        };
        assert_eq!(at(3_500.0, 12_500.0), MOST_ALIKE);
        assert!(at(55_500.0, 95_500.0) > 0, "{found:?}");
    }
}
