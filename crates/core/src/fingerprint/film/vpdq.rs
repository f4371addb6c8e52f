//! vPDQ: a film as PDQ codes of its frames, which hash lists of films hold (Meta, ThreatExchange's `vpdq`, 2022).
//!
//! The reference has FFmpeg decode each frame to RGB, as it is stored and at its full size, and hashes that as `pdq` does a
//! picture; a frame has a number, a quality and a time, which is its number over the frame rate. Here the luma plane is
//! hashed in the range in which it is stored, which rounds nothing: a code is up to 6 bits from the reference's, whose own
//! differ as much between builds of FFmpeg. Frames near black have codes of noise, there as here.
//!
//! A list has the whole frame and nothing else. As a reference it is held as a set of views of its own, with its frames at
//! their own times; as a query it is looked up in the eight positions that its bits can be turned to.

use minutia_media::Luma;

use super::super::pdq::{Hash, odd, pdq_stored};
use super::super::{Code, Dihedral};
use super::views::{FilmBase, FilmView};
use super::{FilmFingerprint, FilmFrame};

/// The number on disk of the set of views that films of lists have. Far from those of references, which count from 1.
const LISTED_VIEW_SET: u32 = 256;

/// Of a list at most one frame is kept in so many milliseconds.
const STEP_MS: u64 = FilmFingerprint::REFERENCE_STEP_MS as u64;

/// One frame of a vPDQ list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct VpdqFrame {
    /// When it is shown, in milliseconds from the first frame.
    pub time_ms: u32,
    /// Its number in the film, from 0.
    pub number: u64,
    /// PDQ quality, 0..=100.
    pub quality: u8,
    /// The code of the whole frame.
    pub code: Code,
}

/// Code and quality of one frame, given as it is stored: luma of 8 bits with black at 16 and white at 235, as nearly all
/// films have it, not turned upright.
///
/// ```
/// # use minutia::fingerprint::vpdq;
/// # use minutia::media::Luma;
/// let ramp = (0..64 * 48).map(|n| 16 + (n % 64 * 3) as u8).collect();
/// let hash = vpdq(&Luma::new(64, 48, ramp).ok_or("size and bytes disagree")?);
/// assert!(hash.quality > 0);
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn vpdq(stored: &Luma) -> Hash {
    pdq_stored(stored)
}

impl FilmFingerprint {
    /// What an index keeps of the film that a list has these frames of, in order of time: the first frame of each half
    /// second, with its whole as the one view. A frame that is not later than the one before is left out.
    #[must_use]
    pub fn of_list(frames: &[VpdqFrame]) -> FilmFingerprint {
        let mut made = FilmFingerprint { views: vec![whole(Dihedral::Identity)], ..FilmFingerprint::default() };
        for frame in thinned(frames) {
            made.frames.push(FilmFrame { time_ms: frame.time_ms, quality: frame.quality, wide: false });
            made.codes.push(frame.code);
        }
        made.duration_ms = length(frames);
        made
    }

    /// What such a list is looked for by: the same frames in eight positions.
    #[must_use]
    pub fn query_of_list(frames: &[VpdqFrame]) -> FilmFingerprint {
        let views = Dihedral::ALL.map(whole).to_vec();
        let mut made = FilmFingerprint { views, ..FilmFingerprint::default() };
        for frame in thinned(frames) {
            made.frames.push(FilmFrame { time_ms: frame.time_ms, quality: frame.quality, wide: true });
            made.codes.extend(Dihedral::ALL.map(|turn| turned_code(&frame.code, turn)));
        }
        made.duration_ms = length(frames);
        made
    }

    /// The frames that have something to see, as a list has them: the first view of each. Of a film that was not itself
    /// a list that is the frame without its border. Frames are numbered from 0.
    #[must_use]
    pub fn listed(&self) -> Vec<VpdqFrame> {
        let frames = self.frames.iter().enumerate();
        let listed = frames.filter_map(|(place, frame)| {
            let code = *self.codes_of(place).first()?;
            let FilmFrame { time_ms, quality, .. } = *frame;
            (code.0 != [0; 32]).then_some(VpdqFrame { time_ms, number: place as u64, quality, code })
        });
        listed.collect()
    }

    /// True for a film that came from a list: its frames stand at their own times and say nothing of the time between.
    #[must_use]
    pub fn is_of_list(&self) -> bool {
        self.views == listed_views()
    }
}

/// The number of the set, where these are its views.
pub(super) fn listed_set(views: &[FilmView]) -> Option<u32> {
    (views == listed_views()).then_some(LISTED_VIEW_SET)
}

/// The views of that set.
pub(super) fn of_listed_set(set: u32) -> Option<Vec<FilmView>> {
    (set == LISTED_VIEW_SET).then(|| listed_views().to_vec())
}

/// Whether the films of a set are sampled at their own times, and not at each half second.
pub(crate) fn is_listed_set(set: u32) -> bool {
    set == LISTED_VIEW_SET
}

fn listed_views() -> [FilmView; 1] {
    [whole(Dihedral::Identity)]
}

fn whole(turn: Dihedral) -> FilmView {
    FilmView { base: FilmBase::Whole, crop: [0, 0, 1000, 1000], strip: None, degrees: 0, turn, motion: false }
}

/// The first frame of each half second.
fn thinned(frames: &[VpdqFrame]) -> impl Iterator<Item = &VpdqFrame> {
    let mut next_ms = 0;
    frames.iter().filter(move |frame| {
        let time_ms = u64::from(frame.time_ms);
        let first = time_ms >= next_ms;
        if first {
            next_ms = (time_ms / STEP_MS + 1) * STEP_MS;
        }
        first
    })
}

/// To the end of the last frame, which is taken to stay as long as the one before it.
fn length(frames: &[VpdqFrame]) -> u64 {
    let Some(last) = frames.last() else { return 0 };
    let before = frames.iter().rev().find(|frame| frame.time_ms < last.time_ms);
    u64::from(last.time_ms) + before.map_or(0, |before| u64::from(last.time_ms - before.time_ms))
}

/// The code of the frame in another position, as far as its bits tell: a bit says whether a coefficient lies above the median,
/// and the median lies near zero, so that a coefficient whose sign changes is mostly on the other side of it. Some 15 bits are
/// wrong, which a search within 63 bears.
fn turned_code(code: &Code, turn: Dihedral) -> Code {
    let bit = |i: usize, j: usize| {
        let place = 16 * i + j;
        code.0[31 - place / 8] >> (place % 8) & 1 == 1
    };
    let mut bytes = [0; 32];
    for place in 0..256 {
        let (i, j) = (place / 16, place % 16);
        // As `turned` in `pdq.rs` moves the coefficients themselves.
        let set = match turn {
            Dihedral::Identity => bit(i, j),
            Dihedral::Rotate90 => bit(j, i) != odd(i),
            Dihedral::Rotate180 => bit(i, j) != (odd(i) != odd(j)),
            Dihedral::Rotate270 => bit(j, i) != odd(j),
            Dihedral::FlipX => bit(i, j) != odd(i),
            Dihedral::FlipY => bit(i, j) != odd(j),
            Dihedral::FlipPlus1 => bit(j, i),
            Dihedral::FlipMinus1 => bit(j, i) != (odd(i) != odd(j)),
        };
        if set {
            bytes[31 - place / 8] |= 1 << (place % 8);
        }
    }
    // Nothing to see stays nothing.
    if code.0 == [0; 32] { *code } else { Code(bytes) }
}

#[cfg(test)]
mod tests {
    use minutia_media::Picture;

    use super::super::super::pdq_dihedral;
    use super::*;

    fn frame(number: u64, time_ms: u32) -> VpdqFrame {
        VpdqFrame { time_ms, number, quality: 100, code: Code([1 + number as u8; 32]) }
    }

    #[test]
    fn a_list_keeps_the_first_frame_of_each_half_second() {
        let check = |times: &[u32], kept: &[u32], duration_ms: u64| {
            let frames: Vec<VpdqFrame> = (0..).zip(times).map(|(number, &time_ms)| frame(number, time_ms)).collect();
            let film = FilmFingerprint::of_list(&frames);
            assert_eq!(film.frames.iter().map(|frame| frame.time_ms).collect::<Vec<_>>(), kept, "{times:?}");
            assert_eq!((film.duration_ms, film.is_reference(), film.is_of_list()), (duration_ms, true, true));
            assert_eq!(film.codes.len(), kept.len());
        };
        check(&[], &[], 0);
        check(&[0], &[0], 0);
        check(&[0, 1_000, 2_000], &[0, 1_000, 2_000], 3_000);
        check(&[0, 968, 1_935, 2_903], &[0, 968, 1_935, 2_903], 3_871);
        check(&[0, 33, 67, 467, 500, 533, 1_001, 990, 1_600], &[0, 500, 1_001, 1_600], 2_210);
        check(&[700, 700, 700], &[700], 700);
        check(&[u32::MAX - 1, u32::MAX], &[u32::MAX - 1], u64::from(u32::MAX) + 1);
    }

    #[test]
    fn what_a_list_keeps_is_a_list_again() {
        let frames: Vec<VpdqFrame> = (0..5).map(|number| frame(number, number as u32 * 1_000)).collect();
        assert_eq!(FilmFingerprint::of_list(&frames).listed(), frames);
        let query = FilmFingerprint::query_of_list(&frames);
        assert_eq!((query.views.len(), query.codes.len(), query.is_reference()), (8, 40, false));
        assert_eq!(query.listed(), frames);
    }

    #[test]
    fn bits_can_be_turned() {
        let (mut worst, mut sum) = (0, 0);
        for seed in 0..12_u32 {
            // Patches of every shade, as the frequencies of real pictures are of every strength.
            let shade = |n: u32| {
                let place = n % 160 / 7 + n / 160 / 5 * 40 + seed * 1_000;
                (place.wrapping_mul(2_654_435_761) >> 13) as u8
            };
            let picture = Picture::Luma(Luma::new(160, 120, (0..160 * 120).map(shade).collect()).unwrap());
            let codes = pdq_dihedral(&picture).codes;
            for (turn, code) in Dihedral::ALL.into_iter().zip(codes) {
                let bits = turned_code(&codes[0], turn).distance(&code);
                assert!(turn != Dihedral::Identity || bits == 0);
                (worst, sum) = (worst.max(bits), sum + bits);
            }
        }
        assert!(worst <= 32 && sum <= 12 * 7 * 18, "{worst} bits, {sum} in all");
        assert_eq!(turned_code(&Code([0; 32]), Dihedral::FlipY), Code([0; 32]));
    }

    #[test]
    fn the_quality_is_that_of_what_is_shown() {
        let shade = |n: u32| ((n % 96) * (n / 96) * 5 % 219) as u8;
        let stored = Luma::new(96, 64, (0..96 * 64).map(|n| 16 + shade(n)).collect()).unwrap();
        let shown = |n: u32| ((u32::from(shade(n)) * 255 + 109) / 219) as u8;
        let shown = Picture::Luma(Luma::new(96, 64, (0..96 * 64).map(shown).collect()).unwrap());
        let (found, expected) = (vpdq(&stored), pdq_dihedral(&shown));
        assert!(found.quality.abs_diff(expected.quality) <= 1, "{found:?} {}", expected.quality);
        assert!(found.code.distance(&expected.codes[0]) <= 2);
        assert_eq!(vpdq(&Luma::new(4, 900, vec![77; 3_600]).unwrap()).quality, 0);
    }
}
