//! The pairs of views that an alignment is followed in, and the codes that are compared in them.

use minutia_machine::hamming::distance;

use super::FilmHit;
use super::alignment::Alignment;
use super::query::Query;
use crate::fingerprint::{FilmFingerprint, FilmView};
use crate::index::FilmFrames;

/// Pairs of views of frames that are followed. The nearest counts at each step: a border may be found in one shot and not in
/// the next, and a caption covers now this corner and now that.
const MOST_LANES: usize = 5;
/// And pairs of views of frame differences, beside those of the same parts as the pairs of frames.
const MOST_MOTION_LANES: usize = 3;
/// Hits so near an alignment speak for the views that they are between.
const NEAR_MS: f64 = FilmFingerprint::REFERENCE_STEP_MS as f64;
/// Frames of a query so far from where they should be are not compared: where views stand at each of its
/// samples, and where at every second one.
const REACH_MS: [f64; 2] = [190.0, 280.0];

/// From which view to which view of which film.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Lane {
    pub(super) film: u32,
    pub(super) query_view: u32,
    pub(super) reference_view: u32,
}

/// What is compared: the frames themselves, or their differences to what was shown a second before. Differences leave out what
/// does not move, be it a scene that hardly changes or a logo over one that does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Compare {
    Frames,
    Differences,
}

impl Compare {
    pub(super) const BOTH: [Compare; 2] = [Compare::Frames, Compare::Differences];
}

/// The views that an alignment is followed in.
#[derive(Clone, Debug)]
pub(super) struct Lanes {
    frames: Vec<Lane>,
    differences: Vec<Lane>,
    /// How far frames of the query may be from where they should be.
    pub(super) reach_ms: f64,
}

impl Lanes {
    /// The views that hits near the alignment are between, most voted first. Where the whole frame of the reference is among
    /// them its differences are compared too, whether they voted or not: they may speak against it.
    pub(super) fn of(alignment: &Alignment, hits: &[FilmHit], frames: &FilmFrames<'_>, query: &Query<'_>) -> Lanes {
        let voted = voted(alignment, hits, NEAR_MS);
        let is_motion = |lane: &&Lane| query.view(lane.query_view).motion;
        let mut differences: Vec<Lane> = voted.iter().filter(is_motion).take(MOST_MOTION_LANES).copied().collect();
        let of_frames: Vec<Lane> = voted.iter().filter(|lane| !is_motion(lane)).take(MOST_LANES).copied().collect();
        let whole = of_frames.iter().filter(|lane| lane.reference_view == 0);
        for lane in whole.filter_map(|lane| of_differences(lane, frames, query)) {
            if !differences.contains(&lane) {
                differences.push(lane);
            }
        }
        let is_sparse = |lane: &Lane| !query.view(lane.query_view).is_dense();
        let sparse = of_frames.iter().chain(&differences).any(is_sparse);
        Lanes { frames: of_frames, differences, reach_ms: REACH_MS[usize::from(sparse)] }
    }

    /// One more pair of views of frames, of which that of the query stands where those for a second look do.
    pub(super) fn add(&mut self, query_view: u32, reference_view: u32, film: u32) {
        self.frames.push(Lane { film, query_view, reference_view });
        self.reach_ms = REACH_MS[1];
    }

    pub(super) fn of_frames(&self) -> &[Lane] {
        &self.frames
    }

    fn of_kind(&self, compare: Compare) -> &[Lane] {
        match compare {
            Compare::Frames => &self.frames,
            Compare::Differences => &self.differences,
        }
    }

    /// How far the views of a frame are from those of the frames of the query around a time: distance, frame, views.
    pub(super) fn compared(
        &self,
        compare: Compare,
        frames: &FilmFrames<'_>,
        reference_frame: usize,
        query: &Query<'_>,
        query_ms: f64,
    ) -> impl Iterator<Item = (u32, usize, Lane)> {
        let near = query.frames().partition_point(|frame| f64::from(frame.time_ms) < query_ms - self.reach_ms);
        let beyond = query.frames().partition_point(|frame| f64::from(frame.time_ms) <= query_ms + self.reach_ms);
        let lanes = self.of_kind(compare);
        let pairs = (near..beyond).flat_map(move |place| lanes.iter().map(move |&lane| (place, lane)));
        pairs.filter_map(move |(place, lane)| {
            let reference = reference_code(frames, reference_frame, lane.reference_view)?;
            Some((distance(&query.code(place, lane.query_view)?, reference), place, lane))
        })
    }
}

/// All views that hits nearer to the alignment than so many milliseconds are between, most voted first.
pub(super) fn voted(alignment: &Alignment, hits: &[FilmHit], near_ms: f64) -> Vec<Lane> {
    let start = hits.partition_point(|hit| hit.film < alignment.film);
    let of_film = hits[start..].iter().take_while(|hit| hit.film == alignment.film);
    let mut votes: Vec<(u16, u16, u32)> = of_film
        .filter(|hit| {
            let apart = f64::from(hit.reference_ms) - alignment.reference_ms(hit.query_ms.into());
            apart.abs() < near_ms
        })
        .map(|hit| (hit.query_view, hit.reference_view, super::RADIUS + 10 - hit.distance))
        .collect();
    votes.sort_unstable();
    let mut lanes: Vec<(u32, Lane)> = votes
        .chunk_by(|a, b| (a.0, a.1) == (b.0, b.1))
        .map(|same| {
            let lane = Lane { film: alignment.film, query_view: same[0].0.into(), reference_view: same[0].1.into() };
            (same.iter().map(|vote| vote.2).sum(), lane)
        })
        .collect();
    lanes.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    lanes.into_iter().map(|(_, lane)| lane).collect()
}

/// Between the differences of the frames that a lane is between, where both have them.
fn of_differences(lane: &Lane, frames: &FilmFrames<'_>, query: &Query<'_>) -> Option<Lane> {
    let wanted = FilmView { motion: true, ..query.view(lane.query_view) };
    let query_view = query.film().views.iter().position(|view| *view == wanted)? as u32;
    let reference_view = (0..frames.views).find(|&view| frames.is_motion(view))? as u32;
    Some(Lane { query_view, reference_view, ..*lane })
}

/// The code of a view: where the frame has none, and looks as a frame before it that has, that one's.
pub(super) fn reference_code<'i>(frames: &FilmFrames<'i>, frame: usize, view: u32) -> Option<&'i [u64; 4]> {
    let own = frames.code(frame, view as usize);
    let code = own.or_else(|| {
        let before = frames.wide_before(frame)?;
        let unchanged = distance(frames.code(before, 0)?, frames.code(frame, 0)?) <= FilmFingerprint::UNCHANGED_BITS;
        frames.code(before, view as usize).filter(|_| unchanged)
    });
    code.filter(|&&code| code != [0; 4])
}
