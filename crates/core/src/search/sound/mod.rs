//! Searching sound: which recordings an excerpt was taken from, where in both, at what speed and pitch.
//!
//! A query is cut into windows. For each, landmarks that it shares with the index vote for an [`Alignment`]: pairs for
//! sound at its own speed and pitch and at those of PAL, constellations for every other. The alignments with most votes are
//! refined on the peaks themselves and judged by how many coincide, against how many would by chance in music of that rhythm
//! and those notes. What is found in neighbouring windows under one alignment is one match.

mod alignment;
mod counts;
mod logarithm;
mod shapes;
mod verify;
mod votes;

use std::ops::Range;

use rayon::prelude::*;

use crate::fingerprint::{AudioFingerprint, Mix, Peak};
use crate::index::{Index, IndexError, Sound};

use alignment::Alignment;
use verify::{Verified, Window, beside, verify};
use votes::Effort;

/// Length of a window and from one to the next, in [`Peak::TIME_UNIT`]: 30 s and 15 s.
const WINDOW: u32 = 20_672;
const WINDOW_STEP: u32 = WINDOW / 2;
/// A query up to so much longer is one window.
const SINGLE_WINDOW: u32 = WINDOW + WINDOW / 2;
/// Fewer peaks than this in a window are not searched.
const FEWEST_PEAKS: usize = 8;
/// Alignments that are verified, of each kind.
const MOST_ALIGNMENTS: usize = 12;
/// And for each of [`USUAL_SPEEDS`].
const MOST_SPED: usize = 3;
/// Of these the likeliest are set beside other alignments of the same recording.
const MOST_CONTRASTS: usize = 4;
/// A window of which so much is explained at its own speed by a score like this is not searched at others.
const ENOUGH_SHARE: f32 = 0.8;
const ENOUGH_SCORE: f64 = 100.0;
/// Films of 24 frames a second are shown and sold at 25, and the other way round: no other change of speed is met so often. What
/// is too short or too noisy for the search at any speed is found where the speed is known.
const USUAL_SPEEDS: [f64; 2] = [25.0 / 24.0, 24.0 / 25.0];
/// A match is at least this long, 2.6 s, or this share of a short query: shorter ones are sounds that many works share.
const SHORTEST: u32 = 1_790;
const SHORTEST_SHARE: f64 = 0.55;
/// Of a match that is shorter than 8 s, and than the query, most counts by the square of its share of that.
const LONG: f64 = 5_512.0;
/// Matches of a window that are kept for one recording.
const MOST_SEGMENTS: usize = 4;

/// A stretch of a query that is a stretch of a registered recording.
#[derive(Clone, Debug, PartialEq)]
pub struct SoundMatch {
    /// The segment of the index, and the track in it, as [`Index::track`] takes them.
    pub segment: usize,
    /// The track.
    pub track: u32,
    /// The mix of the query whose peaks coincide.
    pub query_mix: Mix,
    /// And that of the reference.
    pub reference_mix: Mix,
    /// Where in the query, in milliseconds.
    pub query_span_ms: Range<u64>,
    /// Where in the reference, in milliseconds.
    pub reference_span_ms: Range<u64>,
    /// Seconds of the reference in a second of the query.
    pub speed: f64,
    /// How much higher the reference is than the query, in cents.
    pub pitch_cents: f64,
    /// What decides: half of the likelihood, of the contrast up to one and a half times the likelihood, and of what the
    /// closeness has beyond 2 a second, up to twice the likelihood, and the harmony up to the likelihood; less for a match that
    /// is short. Higher is surer.
    pub score: f64,
    /// Logarithm of how much likelier what coincides is in a copy than in other music of that rhythm and those notes.
    pub likelihood: f64,
    /// How much more coincides than under the next best alignment that the rhythm offers: a Poisson deviance.
    pub contrast: f64,
    /// How much more exactly what coincides does so than in other music, and than under the alignments that the rhythm
    /// offers: the logarithm of a likelihood ratio.
    pub closeness: f64,
    /// How much better harmonies agree than at other places of the recording: the logarithm of a likelihood ratio. 0 at
    /// another speed or pitch.
    pub harmony: f64,
    /// Peaks of the query that coincide.
    pub coinciding: u32,
    /// Peaks of the query in the span.
    pub peaks: u32,
    /// Windows of the query that were searched.
    pub windows: u32,
}

/// An index opened for searching sound.
#[derive(Debug)]
pub struct SoundSearch<'i> {
    sounds: Vec<(usize, Sound<'i>)>,
}

impl<'i> SoundSearch<'i> {
    /// Over the sound of `index`.
    ///
    /// # Errors
    /// [`IndexError::Damaged`].
    pub fn new(index: &'i Index) -> Result<SoundSearch<'i>, IndexError> {
        Ok(SoundSearch { sounds: index.sounds()? })
    }

    /// The sound of each segment, by its number.
    pub(crate) fn sounds(&self) -> &[(usize, Sound<'i>)] {
        &self.sounds
    }

    /// Tracks that a query is compared with.
    #[must_use]
    pub fn tracks(&self) -> u64 {
        let alive = |sound: &Sound<'_>| (0..sound.len()).filter(|&track| sound.is_alive(track)).count() as u64;
        self.sounds.iter().map(|(_, sound)| alive(sound)).sum()
    }

    /// What `query` was copied from: matches of at least `least_score`, for each track the surest first; ordered by
    /// segment and track. A long query takes the threads of the current rayon pool.
    ///
    /// # Errors
    /// [`IndexError::Damaged`].
    pub fn find(&self, query: &AudioFingerprint, least_score: f64) -> Result<Vec<SoundMatch>, IndexError> {
        let mut matches = Vec::new();
        let windows = windows_of(query);
        for &(segment, ref sound) in &self.sounds {
            let of_windows: Vec<Vec<(Lane, Verified)>> = windows
                .par_iter()
                .map(|window| search_window(sound, query, window.clone()))
                .collect::<Result<_, _>>()?;
            let mut found = of_windows.concat();
            found.sort_by_key(|(lane, verified)| (*lane, verified.query.start, verified.query.end));
            let shortest = (f64::from(length_of(query)) * SHORTEST_SHARE).min(f64::from(SHORTEST)) as u32;
            let long = f64::from(length_of(query)).clamp(1.0, LONG);
            let score = |verified: &Verified| {
                let share = f64::from(verified.query.end - verified.query.start) / long;
                verified.score(share.min(1.0))
            };
            let mut joined = join_neighbours(found);
            joined.retain(|(_, verified)| {
                score(verified) >= least_score && verified.query.end - verified.query.start >= shortest
            });
            keep_surest(&mut joined, score);
            matches.extend(joined.into_iter().map(|(lane, verified)| SoundMatch {
                segment,
                track: lane.track,
                query_mix: lane.query_mix,
                reference_mix: lane.reference_mix,
                query_span_ms: milliseconds(verified.query.start.into())..milliseconds(verified.query.end.into()),
                reference_span_ms: milliseconds(verified.reference_time(verified.query.start))
                    ..milliseconds(verified.reference_time(verified.query.end)),
                speed: verified.alignment.speed,
                pitch_cents: verified.alignment.pitch * CENTS_PER_PITCH,
                score: score(&verified),
                likelihood: verified.likelihood,
                contrast: verified.beside().contrast,
                closeness: verified.beside().closeness,
                harmony: verified.beside().harmony,
                coinciding: verified.coinciding,
                peaks: verified.peaks,
                windows: windows.len() as u32,
            }));
        }
        Ok(matches)
    }
}

const CENTS_PER_PITCH: f64 = 1_200.0 / Peak::PITCHES_PER_OCTAVE as f64;

/// From which mix to which mix of which track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Lane {
    pub(super) track: u32,
    pub(super) query_mix: Mix,
    pub(super) reference_mix: Mix,
}

fn milliseconds(time: f64) -> u64 {
    libm::round(time.max(0.0) * Peak::TIME_UNIT * 1_000.0) as u64
}

fn length_of(query: &AudioFingerprint) -> u32 {
    (query.duration_ms as f64 / 1_000.0 / Peak::TIME_UNIT).min(f64::from(u32::MAX)) as u32
}

/// The windows that a query is searched by.
fn windows_of(query: &AudioFingerprint) -> Vec<Range<u32>> {
    let last = |peaks: &[Peak]| peaks.last().map_or(0, |peak| peak.time.saturating_add(1));
    let length = last(&query.mid).max(last(&query.side));
    if length <= SINGLE_WINDOW {
        return std::iter::once(0..length).collect();
    }
    let starts = (0..length.saturating_sub(WINDOW_STEP)).step_by(WINDOW_STEP as usize);
    starts.map(|start| start..start.saturating_add(WINDOW).min(length)).collect()
}

/// How candidates for a window are found.
#[derive(Clone, Copy, Debug)]
enum Candidates {
    /// By pairs, at the query's own speed and pitch.
    Pairs(Effort),
    /// By constellations, at any.
    Shapes,
    /// By few pairs, at [`USUAL_SPEEDS`].
    Sped,
}

impl Candidates {
    /// Where one finds enough, the next is not tried.
    const IN_TURN: [Candidates; 4] =
        [Candidates::Pairs(Effort::LITTLE), Candidates::Pairs(Effort::FULL), Candidates::Shapes, Candidates::Sped];

    fn of(self, sound: &Sound<'_>, peaks: &[Peak]) -> Result<Vec<Alignment>, IndexError> {
        match self {
            Candidates::Pairs(effort) => votes::alignments(sound, peaks, &effort, MOST_ALIGNMENTS),
            Candidates::Shapes => shapes::alignments(sound, peaks, MOST_ALIGNMENTS),
            Candidates::Sped => {
                let mut alignments = Vec::new();
                for speed in USUAL_SPEEDS {
                    alignments.extend(votes::alignments_sped(sound, peaks, speed, MOST_SPED)?);
                }
                Ok(alignments)
            }
        }
    }
}

/// What one window shares with the tracks of a segment.
fn search_window(
    sound: &Sound<'_>,
    query: &AudioFingerprint,
    window: Range<u32>,
) -> Result<Vec<(Lane, Verified)>, IndexError> {
    let mut found = Vec::new();
    let mixes = Mix::ALL.map(|mix| (mix, within(query.peaks(mix), &window)));
    let mixes: Vec<(Mix, &[Peak], Window<'_>)> = mixes
        .into_iter()
        .filter(|(_, peaks)| peaks.len() >= FEWEST_PEAKS)
        .map(|(mix, peaks)| (mix, peaks, Window::new(peaks)))
        .collect();
    let enough = |(_, verified): &(Lane, Verified)| {
        let share = (verified.query.end - verified.query.start) as f32 / (window.end - window.start).max(1) as f32;
        verified.score(1.0) >= ENOUGH_SCORE && share >= ENOUGH_SHARE
    };
    for kind in Candidates::IN_TURN {
        for (mix, peaks, window) in &mixes {
            let alignments = kind.of(sound, peaks)?;
            found.extend(verified(sound, *mix, window, &query.chromaprint, &alignments));
        }
        if found.iter().any(enough) {
            break;
        }
    }
    keep_surest_fit(&mut found);
    Ok(found)
}

/// Of what one alignment came to over the same part of a window, fitted from more than one candidate, keeps what the surest says, of
/// the stretch of all: the others are no more evidence, and not the less for coming first.
fn keep_surest_fit(found: &mut Vec<(Lane, Verified)>) {
    found.sort_by(|(a_lane, a), (b_lane, b)| {
        let by_score = b.score(1.0).total_cmp(&a.score(1.0));
        a_lane.cmp(b_lane).then(by_score).then(a.query.start.cmp(&b.query.start))
    });
    let mut kept: Vec<(Lane, Verified)> = Vec::with_capacity(found.len());
    for (lane, verified) in found.drain(..) {
        let mut of_lane = kept.iter_mut().rev().take_while(|(other, _)| *other == lane);
        match of_lane.find(|(_, surer)| surer.same_as(&verified)) {
            Some((_, surer)) => surer.widen(&verified),
            None => kept.push((lane, verified)),
        }
    }
    *found = kept;
}

/// What the alignments came to, the likeliest with what they have beside others. `items` are the query's, of Chromaprint.
fn verified(
    sound: &Sound<'_>,
    mix: Mix,
    window: &Window<'_>,
    items: &[u32],
    alignments: &[Alignment],
) -> Vec<(Lane, Verified)> {
    let alive = alignments.iter().filter(|alignment| sound.is_alive(alignment.track));
    let verified = alive.filter_map(|alignment| {
        let lane = Lane { track: alignment.track, query_mix: mix, reference_mix: alignment.mix };
        verify(window, sound.peaks(alignment.track, alignment.mix), alignment).map(|verified| (lane, verified))
    });
    let mut verified: Vec<(Lane, Verified)> = verified.collect();
    verified.sort_by(|(_, a), (_, b)| b.likelihood.total_cmp(&a.likelihood));
    for (lane, verified) in verified.iter_mut().take(MOST_CONTRASTS) {
        let peaks = sound.peaks(lane.track, lane.reference_mix);
        verified.set_beside(beside(window, peaks, [items, sound.chromaprint(lane.track)], verified));
    }
    verified
}

/// The peaks of a window.
fn within<'p>(peaks: &'p [Peak], window: &Range<u32>) -> &'p [Peak] {
    let start = peaks.partition_point(|peak| peak.time < window.start);
    let end = start + peaks[start..].partition_point(|peak| peak.time < window.end);
    &peaks[start..end]
}

/// Makes one of what stands in neighbouring windows under one alignment. Sorted by lane and start.
fn join_neighbours(found: Vec<(Lane, Verified)>) -> Vec<(Lane, Verified)> {
    let mut joined: Vec<(Lane, Verified)> = Vec::with_capacity(found.len());
    for (lane, next) in found {
        let earlier = joined.iter_mut().rev().take_while(|(other, _)| *other == lane);
        match earlier.filter_map(|(_, before)| before.continued_by(&next).then_some(before)).next() {
            Some(before) => before.join(&next),
            None => joined.push((lane, next)),
        }
    }
    joined
}

/// Of the matches of one track that lie over the same part of the query keeps the surest, whatever the mix.
fn keep_surest(found: &mut Vec<(Lane, Verified)>, score: impl Fn(&Verified) -> f64) {
    found.sort_by(|(a_lane, a), (b_lane, b)| {
        let by_score = score(b).total_cmp(&score(a));
        a_lane.track.cmp(&b_lane.track).then(by_score).then(a_lane.cmp(b_lane)).then(a.query.start.cmp(&b.query.start))
    });
    let mut kept: Vec<(Lane, Verified)> = Vec::with_capacity(found.len());
    for (lane, verified) in found.drain(..) {
        let of_track = kept.iter().rev().take_while(|(other, _)| other.track == lane.track);
        let (mut count, mut covered) = (0, false);
        for (_, other) in of_track {
            count += 1;
            let both =
                other.query.end.min(verified.query.end).saturating_sub(other.query.start.max(verified.query.start));
            covered |= 2 * both > verified.query.end - verified.query.start;
        }
        if !covered && count < MOST_SEGMENTS * 16 {
            kept.push((lane, verified));
        }
    }
    *found = kept;
}
