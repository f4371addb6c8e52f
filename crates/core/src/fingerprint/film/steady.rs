//! A slanted picture held still: where each frame of a shot has what was found in the mean of all of them.
//!
//! A hand shakes: the screen that it films is a little elsewhere in each frame, by more than a code bears. Around the sides that
//! were found the picture is sampled across them, and each frame is given the shift and the small turn under which its steps
//! lie on the sides most. With the frames held still the sides are found again, now that they are sharp.

use minutia_media::Luma;

use super::perspective::{Corners, size, straightened};
use super::shot::trimmed;

/// Places along a side that are looked at, and the share of the side at each end that is left out.
const POINTS: usize = 40;
const ENDS: f32 = 0.1;
/// Pixels across a side that are looked at, to each side of it.
const REACH: usize = 20;
const SAMPLES: usize = 2 * REACH + 1;
/// Samples on each side of a place whose difference is its step, and the levels that count whole.
const BESIDE: usize = 2;
const FULL_STEP: f32 = 24.0;
/// A step of so many levels is hardly one.
const FAINT_STEP: f32 = 8.0;
/// Shifts that are tried, in half pixels to each side, and turns, in steps of so many radians.
const SHIFTS: i32 = 28;
const TURNS: i32 = 4;
const TURN_STEP: f32 = 0.003;
/// How much less the farthest shift counts, so that where nothing is to see nothing moves.
const FAR_LOSS: f32 = 0.2;
/// How far the ends of a side are moved when it is found again, in half pixels.
const ENDS_MOVED: i32 = 12;
/// The step in which they are moved first, in half pixels.
const COARSE: i32 = 2;
/// Frames by which sides are found again.
const SHARPENED: usize = 12;
/// Pictures whose corners are all within so much of the frame's longer side are one.
const SAME_SHARE: f32 = 0.005;
/// Frames whose border is looked for, and the longer side of these.
const STRAIGHTENED: usize = 8;
const STRAIGHTENED_LONGEST: f32 = 240.0;
/// Nearer to a side than so much of the picture what is beside the screen is seen, and would be taken for its border.
const RIM: f32 = 0.015;

/// A slanted picture in the frames of a shot.
#[derive(Clone, Debug)]
pub(super) struct Screen {
    /// Its corners in each frame.
    pub(super) corners: Vec<Corners>,
    /// What of it is picture, in shares of its sides (left, top, right, bottom): a film in bars has them on a screen too.
    pub(super) inside: [f32; 4],
}

const WHOLE: [f32; 4] = [0.0, 0.0, 1.0, 1.0];

impl Screen {
    /// The part that `crop` says of what is picture, in shares of the screen.
    pub(super) fn part(&self, crop: [f32; 4]) -> [f32; 4] {
        let [left, top, right, bottom] = self.inside;
        let (width, height) = (right - left, bottom - top);
        [left + crop[0] * width, top + crop[1] * height, left + crop[2] * width, top + crop[3] * height]
    }
}

/// The pictures that were found, held still in planes of one size, those with the sharpest sides first and each once.
pub(super) fn screens(planes: &[&Luma], found: &[Corners], most: usize) -> Vec<Screen> {
    let Some(first) = planes.first() else { return Vec::new() };
    let longest = first.width().max(first.height()) as f32;
    let some: Vec<&Luma> = planes.iter().step_by(planes.len().div_ceil(SHARPENED)).copied().collect();
    let mut all: Vec<Sharpened> = found.iter().filter_map(|corners| Sharpened::of(&some, corners)).collect();
    // Ties fall to those that were found first.
    all.sort_by(|a, b| b.worth.total_cmp(&a.worth));
    let mut kept: Vec<Sharpened> = Vec::new();
    for next in all {
        if kept.len() < most && !kept.iter().any(|other| other.is_about(&next, SAME_SHARE * longest)) {
            kept.push(next);
        }
    }
    let screens = kept.into_iter().flat_map(|Sharpened { corners, .. }| {
        let moved = |plane: &&Luma| Profiles::of(plane, &corners).moved(&corners).of(&corners);
        let whole = Screen { corners: planes.iter().map(moved).collect(), inside: WHOLE };
        // What seems a border of the film may be a part of it: where there is one, both count.
        let inside = inside(planes, &whole.corners);
        let without = (inside != WHOLE).then(|| Screen { inside, corners: whole.corners.clone() });
        without.into_iter().chain([whole])
    });
    screens.take(most).collect()
}

/// Corners that were found again: in the mean, in the first frame, and how sharp the sides are there.
struct Sharpened {
    corners: Corners,
    in_first: Corners,
    worth: f32,
}

impl Sharpened {
    /// Near these, where the sides of the planes held still are sharpest; `None` where there are no planes.
    fn of(planes: &[&Luma], corners: &Corners) -> Option<Sharpened> {
        let still = |corners: &Corners| {
            let profiles: Vec<Profiles> = planes.iter().map(|plane| Profiles::of(plane, corners)).collect();
            let moves: Vec<Move> = profiles.iter().map(|profiles| profiles.moved(corners)).collect();
            (held(&profiles, &moves, corners), moves)
        };
        let corners = found_again(&still(corners).0, corners);
        let (still, moves) = still(&corners);
        let worths = still.map(|side| {
            side.iter().map(|steps| between(steps, 0.0).min(FULL_STEP)).sum::<f32>() / (FULL_STEP * POINTS as f32)
        });
        let least = worths.iter().copied().fold(f32::MAX, f32::min);
        let worth = least + worths.iter().sum::<f32>() / 4.0;
        Some(Sharpened { corners, in_first: moves.first()?.of(&corners), worth })
    }

    fn is_about(&self, other: &Sharpened, most: f32) -> bool {
        let both = self.in_first.iter().zip(&other.in_first);
        both.map(|(a, b)| (a.0 - b.0).abs().max((a.1 - b.1).abs())).fold(0.0, f32::max) < most
    }
}

/// What of a picture with these corners is within its border.
fn inside(planes: &[&Luma], corners: &[Corners]) -> [f32; 4] {
    let every = planes.len().div_ceil(STRAIGHTENED).max(1);
    let Some((width, height)) = corners.first().map(size) else { return WHOLE };
    let scale = STRAIGHTENED_LONGEST / width.max(height).max(1.0);
    let side = |side: f32| ((side * scale) as u32).clamp(32, STRAIGHTENED_LONGEST as u32);
    let (width, height) = (side(width), side(height));
    let both = planes.iter().zip(corners).step_by(every);
    let crop = [RIM, RIM, 1.0 - RIM, 1.0 - RIM];
    let straight: Vec<Luma> = both.map(|(plane, corners)| straightened(plane, corners, crop, width, height)).collect();
    let Some(rect) = trimmed(&straight.iter().collect::<Vec<_>>()) else { return WHOLE };
    // A side that nothing is cut from is the screen's.
    let share = |at: usize, of: u32| match at {
        0 => 0.0,
        at if at == of as usize => 1.0,
        at => RIM + (1.0 - 2.0 * RIM) * at as f32 / of as f32,
    };
    [share(rect.left, width), share(rect.top, height), share(rect.right, width), share(rect.bottom, height)]
}

/// A shift in pixels and a turn in radians about the middle.
#[derive(Clone, Copy, Debug, Default)]
struct Move {
    x: f32,
    y: f32,
    turn: f32,
}

impl Move {
    fn of(self, corners: &Corners) -> Corners {
        let (middle_x, middle_y) = middle(corners);
        corners.map(|(x, y)| (x + self.x - self.turn * (y - middle_y), y + self.y + self.turn * (x - middle_x)))
    }
}

fn middle(corners: &Corners) -> (f32, f32) {
    let mean = |of: fn(&(f32, f32)) -> f32| corners.iter().map(of).sum::<f32>() / 4.0;
    (mean(|corner| corner.0), mean(|corner| corner.1))
}

/// The sides as pairs of corners in the order left, right, top, bottom, from above or from the left.
const SIDES: [[usize; 2]; 4] = [[0, 3], [1, 2], [0, 1], [3, 2]];
/// Inwards across them.
const INWARDS: [(f32, f32); 4] = [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)];

/// How far along its side a place is, in shares of it.
fn along(point: usize) -> f32 {
    ENDS + (1.0 - 2.0 * ENDS) * (point as f32 + 0.5) / POINTS as f32
}

/// The places along a side, in pixels.
fn places(corners: &Corners, side: usize) -> [(f32, f32); POINTS] {
    let [(from_x, from_y), (to_x, to_y)] = SIDES[side].map(|corner| corners[corner]);
    std::array::from_fn(|point| {
        let along = along(point);
        (from_x + (to_x - from_x) * along, from_y + (to_y - from_y) * along)
    })
}

/// What a frame shows across the sides, from without inwards.
struct Profiles([[[f32; SAMPLES]; POINTS]; 4]);

impl Profiles {
    fn of(plane: &Luma, corners: &Corners) -> Profiles {
        Profiles(std::array::from_fn(|side| places(corners, side).map(|place| profile(plane, side, place))))
    }

    /// The move under which the steps lie on the sides most.
    fn moved(&self, corners: &Corners) -> Move {
        let steps: Vec<[[f32; SAMPLES]; POINTS]> =
            self.0.iter().map(|side| side.map(|profile| shares(&steps(&profile)))).collect();
        let (middle_x, middle_y) = middle(corners);
        // How far a turn by one radian moves each place across its side, inwards.
        let turned: [[f32; POINTS]; 4] = std::array::from_fn(|side| {
            let (in_x, in_y) = INWARDS[side];
            places(corners, side).map(|(x, y)| in_y * (x - middle_x) - in_x * (y - middle_y))
        });
        let mut best = (f32::MIN, Move::default());
        for turn in near_first(TURNS) {
            let by = turn as f32 * TURN_STEP;
            let sums: [[f32; SAMPLES]; 4] = std::array::from_fn(|side| {
                let mut sums = [0.0; SAMPLES];
                steps[side].iter().zip(&turned[side]).for_each(|(steps, turned)| add(&mut sums, steps, by * turned));
                sums
            });
            // Left and right see the shift across, the others the one down.
            let along = |sides: [usize; 2]| {
                let tried = near_first(SHIFTS).map(|shift| {
                    let half = shift as f32 / 2.0;
                    let loss = 1.0 - FAR_LOSS * (shift.abs() as f32 / SHIFTS as f32);
                    ((between(&sums[sides[0]], half) + between(&sums[sides[1]], -half)) * loss, half)
                });
                tried.fold((f32::MIN, 0.0), |best, next| if next.0 > best.0 { next } else { best })
            };
            let (across, down) = (along([0, 1]), along([2, 3]));
            let loss = 1.0 - FAR_LOSS / 4.0 * (turn.abs() as f32 / TURNS as f32);
            let sum = (across.0 + down.0) * loss;
            if sum > best.0 {
                best = (sum, Move { x: across.1, y: down.1, turn: by });
            }
        }
        best.1
    }
}

/// What stands across a side at one of its places: pixel by pixel, each between its neighbours, and those of the rim beyond it.
fn profile(plane: &Luma, side: usize, (x, y): (f32, f32)) -> [f32; SAMPLES] {
    let (width, height) = (plane.width() as isize, plane.height() as isize);
    let pixels = plane.pixels();
    let split = |at: f32| {
        let whole = libm::floorf(at.clamp(-1e4, 1e4) - 0.5);
        (whole as isize, at.clamp(-1e4, 1e4) - 0.5 - whole)
    };
    let ((column, right), (row, below)) = (split(x), split(y));
    let reach = REACH as isize;
    // One more than there are samples, each of which is between two.
    let mut levels = [0.0_f32; SAMPLES + 1];
    let share = if side < 2 {
        let line = |row: isize| &pixels[(row.clamp(0, height - 1) * width) as usize..][..width as usize];
        let (upper, lower) = (line(row), line(row + 1));
        for (place, level) in (column - reach..).zip(&mut levels) {
            let place = place.clamp(0, width - 1) as usize;
            *level = f32::from(upper[place]) * (1.0 - below) + f32::from(lower[place]) * below;
        }
        right
    } else {
        let (left, next) = (column.clamp(0, width - 1) as usize, (column + 1).clamp(0, width - 1) as usize);
        for (place, level) in (row - reach..).zip(&mut levels) {
            let line = &pixels[(place.clamp(0, height - 1) * width) as usize..][..width as usize];
            *level = f32::from(line[left]) * (1.0 - right) + f32::from(line[next]) * right;
        }
        below
    };
    let mut profile = [0.0; SAMPLES];
    profile
        .iter_mut()
        .zip(levels.windows(2))
        .for_each(|(sample, two)| *sample = two[0] * (1.0 - share) + two[1] * share);
    if side % 2 == 1 {
        profile.reverse();
    }
    profile
}

/// Zero, and then farther and farther from it.
fn near_first(most: i32) -> impl Iterator<Item = i32> {
    (0..=2 * most).map(|n| if n % 2 == 0 { n / 2 } else { -(n + 1) / 2 })
}

/// How unlike a profile is on both sides of each place, in levels.
fn steps(profile: &[f32; SAMPLES]) -> [f32; SAMPLES] {
    let mut steps = [0.0; SAMPLES];
    for (step, around) in steps[BESIDE..].iter_mut().zip(profile.windows(2 * BESIDE + 1)) {
        // The place itself is on the line.
        let (outside, inside) = (around[..BESIDE].iter().sum::<f32>(), around[BESIDE + 1..].iter().sum::<f32>());
        *step = (inside - outside).abs() / BESIDE as f32;
    }
    steps
}

/// The same in shares of the greatest of them: each place has its say of where the side is, however pale.
fn shares(steps: &[f32; SAMPLES]) -> [f32; SAMPLES] {
    let most = steps.iter().copied().fold(0.0, f32::max) + FAINT_STEP;
    steps.map(|step| step / most)
}

/// The step between two places.
fn between(steps: &[f32; SAMPLES], depth: f32) -> f32 {
    let at = depth + REACH as f32;
    if at < 0.0 || at >= (SAMPLES - 1) as f32 {
        return 0.0;
    }
    let whole = at as usize;
    let share = at - whole as f32;
    steps[whole] * (1.0 - share) + steps[whole + 1] * share
}

/// Adds steps as they stand when the line is so many pixels further inwards.
fn add(sums: &mut [f32; SAMPLES], steps: &[f32; SAMPLES], by: f32) {
    let whole = libm::floorf(by.clamp(-(REACH as f32), REACH as f32));
    let (share, whole) = (by - whole, whole as isize);
    let (before, skipped) = ((-whole).max(0) as usize, whole.max(0) as usize);
    let pairs = steps.windows(2).skip(skipped);
    sums.iter_mut().skip(before).zip(pairs).for_each(|(sum, two)| *sum += two[0] * (1.0 - share) + two[1] * share);
}

/// The steps across the sides of the mean of frames held still.
fn held(profiles: &[Profiles], moves: &[Move], corners: &Corners) -> [[[f32; SAMPLES]; POINTS]; 4] {
    let (middle_x, middle_y) = middle(corners);
    std::array::from_fn(|side| {
        let (in_x, in_y) = INWARDS[side];
        let places = places(corners, side);
        std::array::from_fn(|point| {
            let (x, y) = places[point];
            let mut sums = [0.0_f32; SAMPLES];
            for (profiles, moved) in profiles.iter().zip(moves) {
                let by_x = moved.x - moved.turn * (y - middle_y);
                let by_y = moved.y + moved.turn * (x - middle_x);
                let by = in_x * by_x + in_y * by_y;
                let profile = &profiles.0[side][point];
                for (sample, sum) in sums.iter_mut().enumerate() {
                    let at = (sample as f32 + by).clamp(0.0, (SAMPLES - 1) as f32);
                    let whole = (at as usize).min(SAMPLES - 2);
                    let share = at - whole as f32;
                    *sum += profile[whole] * (1.0 - share) + profile[whole + 1] * share;
                }
            }
            steps(&sums.map(|sum| sum / profiles.len() as f32))
        })
    })
}

/// The corners where the sides of the frames held still are sharpest.
fn found_again(still: &[[[f32; SAMPLES]; POINTS]; 4], corners: &Corners) -> Corners {
    // Sides are moved across alone, so that a corner moves by what its two sides do; slants are small.
    let mut moved = *corners;
    for (side, still) in still.iter().enumerate() {
        let still = still.each_ref().map(shares);
        let sum = |from: f32, to: f32| -> f32 {
            still.iter().enumerate().map(|(point, steps)| between(steps, from + (to - from) * along(point))).sum()
        };
        // How far the side goes inwards at its ends: in whole pixels, and then in halves near the best of these.
        let mut best = (sum(0.0, 0.0), [0, 0]);
        for (reach, step) in [(ENDS_MOVED, COARSE), (COARSE - 1, 1)] {
            let about = best.1;
            for from in near_first(reach / step) {
                for to in near_first(reach / step) {
                    let ends = [about[0] + from * step, about[1] + to * step];
                    let found = sum(ends[0] as f32 / 2.0, ends[1] as f32 / 2.0);
                    if found > best.0 {
                        best = (found, ends);
                    }
                }
            }
        }
        let (in_x, in_y) = INWARDS[side];
        for (corner, inwards) in SIDES[side].iter().zip(best.1) {
            moved[*corner].0 += in_x * inwards as f32 / 2.0;
            moved[*corner].1 += in_y * inwards as f32 / 2.0;
        }
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::super::slanted::tests::is_inside;
    use super::*;

    /// What a camera sees of a screen in a dark room: what `shown` gives, by how far it is from the screen's first corner.
    fn filmed(corners: &Corners, shown: impl Fn(f32, f32) -> u8) -> Luma {
        let pixel = |n: usize| {
            let (x, y) = ((n % 320) as f32 + 0.5, (n / 320) as f32 + 0.5);
            if is_inside(corners, x, y) { shown(x - corners[0].0, y - corners[0].1) } else { 20 + (n % 5) as u8 }
        };
        Luma::new(320, 240, (0..320 * 240).map(pixel).collect()).unwrap()
    }

    fn apart(a: &Corners, b: &Corners) -> f32 {
        a.iter().zip(b).map(|(a, b)| (a.0 - b.0).abs().max((a.1 - b.1).abs())).fold(0.0, f32::max)
    }

    const SCREEN: Corners = [(48.0, 36.0), (270.0, 28.0), (282.0, 200.0), (40.0, 208.0)];

    /// A hand that shakes, and what it films changes.
    fn shaken() -> (Vec<Luma>, Vec<Corners>) {
        let moves = (0..20_i32).map(|time| Move {
            x: (time * 7 % 9 - 4) as f32 * 0.8,
            y: (time * 5 % 7 - 3) as f32 * 0.9,
            turn: (time % 5 - 2) as f32 * 0.003,
        });
        let corners: Vec<Corners> = moves.map(|moved| moved.of(&SCREEN)).collect();
        let frame = |(time, corners): (usize, &Corners)| {
            filmed(corners, |x, y| (70 + (x as usize / 23 * 61 + y as usize / 19 * 37 + time * 29) % 150) as u8)
        };
        (corners.iter().enumerate().map(frame).collect(), corners)
    }

    #[test]
    fn a_shaken_screen_is_where_it_is_in_each_frame() {
        let (frames, corners) = shaken();
        let planes: Vec<&Luma> = frames.iter().collect();
        let about = [(51.0, 33.0), (273.0, 31.0), (279.0, 203.0), (37.0, 205.0)];
        let found = screens(&planes, &[about, SCREEN], 4);
        assert_eq!(found.len(), 1, "one screen, whichever way it was found");
        assert_eq!((found[0].inside, found[0].corners.len()), (WHOLE, frames.len()));
        let far: Vec<f32> = found[0].corners.iter().zip(&corners).map(|(a, b)| apart(a, b)).collect();
        assert!(far.iter().all(|&far| far < 2.2), "{far:?}");
        assert!(far.iter().sum::<f32>() / (far.len() as f32) < 1.3, "{far:?}");
        let unmoved: f32 = corners.iter().map(|corners| apart(corners, &SCREEN)).sum::<f32>() / corners.len() as f32;
        assert!(unmoved > 2.5, "or nothing was shown: {unmoved}");
    }

    #[test]
    fn what_a_film_has_around_it_is_no_part_of_it_but_may_be() {
        let bars = filmed(&SCREEN, |x, y| match y as usize {
            0..30 | 142.. => 60,
            y => (70 + (x as usize / 23 * 61 + y / 19 * 37) % 150) as u8,
        });
        let found = screens(&[&bars], &[SCREEN], 4);
        assert_eq!(found.len(), 2);
        let [left, top, right, bottom] = found[0].inside;
        assert!(
            (left, right) == (0.0, 1.0) && (0.12..0.26).contains(&top) && (0.74..0.9).contains(&bottom),
            "{found:?}"
        );
        assert_eq!(found[1].inside, WHOLE);
        assert_eq!(found[0].part([0.0, 0.0, 1.0, 1.0]), found[0].inside);
        assert_eq!(found[1].part([0.25, 0.5, 0.75, 1.0]), [0.25, 0.5, 0.75, 1.0]);
    }

    #[test]
    fn nothing_moves_where_nothing_is_to_see() {
        let even = Luma::new(320, 240, vec![90; 320 * 240]).unwrap();
        let found = screens(&[&even, &even], &[SCREEN], 4);
        assert_eq!(found[0].corners, [SCREEN, SCREEN]);
        assert!(screens(&[], &[SCREEN], 4).is_empty());
        // Corners may lie outside of the frame, and frames may be tiny.
        let tiny = Luma::new(1, 1, vec![90]).unwrap();
        assert!(screens(&[&tiny], &[SCREEN], 4).iter().all(|screen| screen.corners.len() == 1));
    }

    #[test]
    fn steps_added_at_once_are_those_between_the_places() {
        let steps: [f32; SAMPLES] = std::array::from_fn(|n| (n * n % 17) as f32);
        for by in [-20.0, -3.7, -1.0, -0.25, 0.0, 0.5, 2.0, 6.3, 19.0] {
            let mut sums = [0.0; SAMPLES];
            add(&mut sums, &steps, by);
            for (place, sum) in sums.iter().enumerate() {
                let depth = place as f32 - REACH as f32 + by;
                if by.abs() < 18.0 && depth.abs() < REACH as f32 - 1.0 {
                    assert!((sum - between(&steps, depth)).abs() < 1e-3, "{place} at {by}");
                }
            }
        }
    }
}
