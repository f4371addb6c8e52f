//! An alignment: which time and pitch of a reference a time and pitch of the query are.

use crate::fingerprint::Mix;

/// Maps a query onto one mix of a track: `reference time = speed * query time + offset`, `reference pitch = query pitch +
/// pitch`. Times are in units of peaks, pitches in their steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Alignment {
    pub(super) track: u32,
    pub(super) mix: Mix,
    pub(super) speed: f64,
    pub(super) offset: f64,
    pub(super) pitch: f64,
    /// How the alignment was found: at the query's own speed and pitch, or at any.
    pub(super) free: bool,
    pub(super) votes: f32,
    /// Votes of the next best alignment with the same mix of the same track.
    pub(super) rival: f32,
}

/// Tells each alignment its rival. Most voted first; those that `same` calls one alignment are none of each other's.
pub(super) fn set_rivals(found: &mut [Alignment], same: impl Fn(&Alignment, &Alignment) -> bool) {
    for place in 0..found.len() {
        let here = found[place];
        let of_lane = |other: &&Alignment| (other.track, other.mix) == (here.track, here.mix);
        let rival = found.iter().filter(of_lane).find(|other| !same(other, &here));
        found[place].rival = rival.map_or(0.0, |other| other.votes);
    }
}

/// The most voted first; ties by track, mix and offset, so that the order is the same everywhere.
pub(super) fn most_voted_first(a: &Alignment, b: &Alignment) -> std::cmp::Ordering {
    let by_votes = b.votes.total_cmp(&a.votes);
    by_votes.then((a.track, a.mix).cmp(&(b.track, b.mix))).then(a.offset.total_cmp(&b.offset))
}
