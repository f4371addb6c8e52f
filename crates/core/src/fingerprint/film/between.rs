//! Frames between the steps at which a query is sampled, kept until the next step tells how fast the film moves.
//!
//! Samples a quarter of a second apart are near each other in most films. Where they are not, the frame in the middle of a step
//! says how fast it goes: if that is near neither end, only a sample of the very frame finds what a reference has of it, so that
//! from the next step on each frame is kept (a visualisation of music, a film of flashes, slides that fly by).

use std::rc::Rc;

use minutia_media::Luma;

use super::super::pdq::Low;
use super::FilmFingerprint;
use super::plane::Plane;
use super::transforms::{bits_apart, is_cut, whole};

/// Samples in turn, and frames in their middle, are far apart by so many bits.
pub(super) const FAST_BITS: u32 = 60;
/// Kept frames of which the views for a second look are made too, of a film.
const MOST_SECOND_LOOK: u32 = 240;

/// The frames that were kept since the last step.
#[derive(Debug)]
pub(super) struct Between {
    step_us: u64,
    waiting: Vec<Waiting>,
    is_frame_by_frame: bool,
    /// How many more frames may be kept beyond the one in the middle, and how many of them for a second look.
    left: u32,
    left_second: u32,
}

#[derive(Debug)]
struct Waiting {
    time_us: u64,
    begins_us: u64,
    picture: Picture,
}

/// Whole as long as it is likely that nobody asks for it.
#[derive(Debug)]
enum Picture {
    Whole(Luma),
    Reduced(Rc<Plane>),
}

/// A frame between two steps.
#[derive(Debug)]
pub(super) struct Kept {
    /// Where it stands among the samples.
    pub(super) time_us: u64,
    /// When it begins, as samples count.
    pub(super) begins_us: u64,
    pub(super) plane: Rc<Plane>,
    /// Whether the views for a second look are made of it.
    pub(super) second: bool,
}

/// What the frames between two steps say.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) kept: Vec<Kept>,
    /// Whether the steps are far apart, so that what is between them is sampled.
    pub(super) is_fast: bool,
    /// Where a shot begins: with the kept frame of that number, or behind all of them with the step.
    pub(super) cut: Option<usize>,
}

impl Between {
    pub(super) fn new(step_us: u64) -> Between {
        Between {
            step_us,
            waiting: Vec::new(),
            is_frame_by_frame: false,
            left: FilmFingerprint::MOST_FRAME_BY_FRAME,
            left_second: MOST_SECOND_LOOK,
        }
    }

    pub(super) fn forget(&mut self) {
        self.waiting.clear();
        self.is_frame_by_frame = false;
    }

    /// The place among the samples of a frame that begins then, if it is to be kept: one in the middle of a step, or each.
    pub(super) fn place_of(&self, begins_us: u64) -> Option<u64> {
        let apart_us = match self.is_frame_by_frame {
            true => u64::from(FilmFingerprint::FRAME_STEP_MS) * 1_000,
            false => self.step_us / 2,
        };
        let time_us = begins_us / apart_us * apart_us;
        let is_first = self.waiting.last().is_none_or(|last| last.time_us < time_us);
        (is_first && !time_us.is_multiple_of(self.step_us)).then_some(time_us)
    }

    /// Keeps a frame at its [place](Between::place_of).
    pub(super) fn keep(&mut self, time_us: u64, begins_us: u64, frame: Luma) {
        let step = time_us / self.step_us;
        self.waiting.retain(|waiting| waiting.time_us / self.step_us == step);
        let picture = match self.is_frame_by_frame {
            true => Picture::Reduced(Rc::new(Plane::of(frame))),
            false => Picture::Whole(frame),
        };
        self.waiting.push(Waiting { time_us, begins_us, picture });
    }

    /// Ends the step before `next_us`, of which what was kept is told between a sample with the transform `before`, if there is one,
    /// and the next with its plane and transform.
    pub(super) fn end_step(&mut self, next_us: u64, before: Option<&Low>, next: (&Plane, &Low)) -> Told {
        let waiting = std::mem::take(&mut self.waiting);
        let of_step =
            waiting.into_iter().filter(|kept| next_us < kept.time_us + self.step_us && kept.time_us < next_us);
        let kept = of_step.map(|waiting| Kept {
            time_us: waiting.time_us,
            begins_us: waiting.begins_us,
            plane: match waiting.picture {
                Picture::Whole(frame) => Rc::new(Plane::of(frame)),
                Picture::Reduced(plane) => plane,
            },
            second: false,
        });
        let mut told = Told {
            kept: kept.filter(|kept| kept.plane.size() == next.0.size()).collect(),
            is_fast: before.is_some_and(|before| bits_apart(before, next.1) >= FAST_BITS),
            cut: None,
        };
        let was_frame_by_frame = std::mem::take(&mut self.is_frame_by_frame);
        let Some(before) = before.filter(|_| told.is_fast) else { return told };
        let mut shown = vec![*before];
        shown.extend(told.kept.iter().map(|kept| whole(&kept.plane)));
        shown.push(*next.1);
        if is_cut(before, next.1) {
            // Where those at the ends are of two shots, and one between is near to both, it is one shot that moves fast.
            told.cut = shown.windows(2).rposition(|pair| is_cut(&pair[0], &pair[1]));
        }
        if was_frame_by_frame {
            self.left -= (told.kept.len() as u32).min(self.left);
            for kept in &mut told.kept {
                kept.second = self.left_second > 0;
                self.left_second -= u32::from(kept.second);
            }
        }
        let middle = told.kept.iter().position(|kept| kept.time_us + self.step_us / 2 >= next_us);
        let of_a_step = (self.step_us / 1_000) as u32 / FilmFingerprint::FRAME_STEP_MS;
        self.is_frame_by_frame = self.left >= of_a_step
            && middle.is_some_and(|middle| {
                [before, next.1].iter().all(|end| bits_apart(end, &shown[middle + 1]) >= FAST_BITS)
            });
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP_US: u64 = FilmFingerprint::QUERY_STEP_MS as u64 * 1_000;

    /// A frame that is like no other: of each number other squares are light.
    fn flash(number: u64) -> Luma {
        let mut state = number;
        let light: Vec<u8> = (0..64)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 57) as u8
            })
            .collect();
        Luma::new(64, 64, (0..64 * 64).map(|n| 40 + light[n / 512 * 8 + n / 8 % 8]).collect()).unwrap()
    }

    #[test]
    fn no_more_frames_are_kept_than_there_may_be() {
        let mut between = Between::new(STEP_US);
        let (mut kept, mut second, mut before) = (Vec::new(), 0, None);
        // 30 a second, for three minutes.
        let mut next_us = 0;
        for number in 0..3 * 60 * 30_u64 {
            let begins_us = number * 100_000 / 3;
            if begins_us < next_us {
                let place = between.place_of(begins_us);
                place.into_iter().for_each(|time_us| between.keep(time_us, begins_us, flash(number)));
                continue;
            }
            let plane = Plane::of(flash(number));
            let now = whole(&plane);
            let told = between.end_step(next_us, before.as_ref(), (&plane, &now));
            assert!(told.is_fast == before.is_some() && told.kept.is_sorted_by(|a, b| a.time_us < b.time_us));
            second += told.kept.iter().filter(|kept| kept.second).count();
            kept.push(told.kept.len());
            before = Some(now);
            next_us += STEP_US;
        }
        // Nothing before the first, one in the middle while nothing is known, then six or seven, and one again when there may be no more.
        assert_eq!(kept[..2], [0, 1]);
        let of_each = kept.iter().skip(2).take_while(|&&kept| kept > 1).count();
        assert!(of_each > 150 && kept[of_each + 2..].iter().all(|&kept| kept == 1), "{of_each} of {kept:?}");
        let all: usize = kept[2..of_each + 2].iter().sum();
        let most = FilmFingerprint::MOST_FRAME_BY_FRAME as usize;
        assert!((most - 10..=most).contains(&all) && second == MOST_SECOND_LOOK as usize, "{all}, {second}");
    }
}
