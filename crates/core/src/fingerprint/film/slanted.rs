//! Pictures whose sides are not upright: a screen that somebody filmed from a hand.
//!
//! The frames of a shot are averaged, so that what moves on the screen blurs and its outline stays, a little wide from the
//! shaking hand. For each side straight lines of any small slant are tried, as in a Hough transform, and the worth of a
//! line is how unlike the picture is on its two sides, where nearer to the rim it is more even. Of the likeliest
//! lines of the four sides those are taken together whose worth between the corners that they make is greatest.

use std::ops::Range;

use super::perspective::Corners;
use super::plane::Plane;

/// A step of so many levels counts whole.
const FULL_STEP: f32 = 24.0;
/// Pixels on each side of a line whose difference is its step.
const REACH: usize = 3;
/// Slants that are tried: how much a line leaves its direction over the whole side, and in how many steps to each side.
const MOST_SLANT: f32 = 0.24;
const SLANTS: i32 = 12;
/// A side lies within so much of the frame, from its own side inwards.
const DEEPEST: f32 = 0.36;
/// Lines that are kept of each side.
const LINES: usize = 3;
/// Pictures whose corners are all so near in pixels are one.
const SAME: f32 = 1.5;
/// The least worth of a side.
const LEAST_WORTH: f32 = 0.15;

/// A line near one side: where it is at the start and at the end of the frame, in pixels from that side, and its worth.
#[derive(Clone, Copy, Debug)]
struct Line {
    from: f32,
    to: f32,
    worth: f32,
}

/// The likeliest such pictures in frames of one size, at most `most`, as corners in pixels of the planes.
pub(super) fn slanted_parts(planes: &[&Plane], most: usize) -> Vec<Corners> {
    let Some((width, height)) = planes.first().map(|plane| plane.size()) else { return Vec::new() };
    if width.min(height) < 32 || planes.iter().any(|plane| plane.size().0 != width) {
        return Vec::new();
    }
    let mean = Mean::of(planes);
    let sides = Side::ALL.map(|side| mean.lines(side));
    let mut found: Vec<(f32, Corners)> = Vec::new();
    for left in &sides[0] {
        for right in &sides[1] {
            for top in &sides[2] {
                for bottom in &sides[3] {
                    let worth = |side, line, across: [&Line; 2]| mean.worth_between(side, line, across);
                    let worths = [
                        worth(Side::Left, left, [top, bottom]),
                        worth(Side::Right, right, [top, bottom]),
                        worth(Side::Top, top, [left, right]),
                        worth(Side::Bottom, bottom, [left, right]),
                    ];
                    let least = worths.iter().copied().fold(f32::MAX, f32::min);
                    if least >= LEAST_WORTH {
                        let sum = least + worths.iter().sum::<f32>() / 4.0;
                        found.push((sum, mean.corners(left, right, top, bottom)));
                    }
                }
            }
        }
    }
    // Ties fall to the lines that were found first.
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let near =
        |a: &Corners, b: &Corners| a.iter().zip(b).all(|(a, b)| (a.0 - b.0).abs() < SAME && (a.1 - b.1).abs() < SAME);
    let mut kept: Vec<(f32, Corners)> = Vec::new();
    for next in found {
        if kept.len() < most && !kept.iter().any(|other| near(&other.1, &next.1)) {
            kept.push(next);
        }
    }
    let scale_x = width as f32 / mean.width as f32;
    let scale_y = height as f32 / mean.height as f32;
    kept.into_iter().map(|(_, corners)| corners.map(|(x, y)| (x * scale_x, y * scale_y))).collect()
}

/// Of the steps along a line of pixels from the rim inwards those that stand out from all before: what is on the screen has
/// edges too, but the screen's own comes first.
fn first_steps(steps: Vec<f32>) -> Vec<f32> {
    let mut outside = vec![0.0_f32; steps.len() + 1];
    for (depth, &step) in steps.iter().enumerate() {
        outside[depth + 1] = outside[depth].max(step);
    }
    let before = |depth: usize| outside[depth.saturating_sub(2 * REACH)];
    steps.iter().enumerate().map(|(depth, &step)| (step - before(depth)).max(0.0)).collect()
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    Left,
    Right,
    Top,
    Bottom,
}

impl Side {
    const ALL: [Side; 4] = [Side::Left, Side::Right, Side::Top, Side::Bottom];
}

/// The mean of the frames, as steps from each side inwards.
struct Mean {
    width: usize,
    height: usize,
    /// For each side, for each line of pixels across it, the steps by their depth, in shares of a full step.
    steps: [Vec<Vec<f32>>; 4],
    /// And the differences between neighbours, in levels.
    edges: [Vec<Vec<f32>>; 4],
}

impl Mean {
    fn of(planes: &[&Plane]) -> Mean {
        let (width, height) = (planes[0].small().width() as usize, planes[0].small().height() as usize);
        let mut sums = vec![0_u32; width * height];
        for plane in planes {
            sums.iter_mut().zip(plane.small().pixels()).for_each(|(sum, &pixel)| *sum += u32::from(pixel));
        }
        let means: Vec<f32> = sums.iter().map(|&sum| sum as f32 / planes.len() as f32).collect();
        let at = |x: usize, y: usize| means[y * width + x];
        let across = |side: Side| match side {
            Side::Left | Side::Right => (height, width),
            Side::Top | Side::Bottom => (width, height),
        };
        let value = |side: Side, line: usize, depth: usize| match side {
            Side::Left => at(depth, line),
            Side::Right => at(width - 1 - depth, line),
            Side::Top => at(line, depth),
            Side::Bottom => at(line, height - 1 - depth),
        };
        let depths = |deep: usize| ((deep as f32 * DEEPEST * 1.4) as usize).min(deep - 1);
        let edges = Side::ALL.map(|side| {
            let (across, deep) = across(side);
            let edge = |line: usize, depth: usize| match depth.checked_sub(1) {
                Some(before) => (value(side, line, depth) - value(side, line, before)).abs(),
                None => 0.0,
            };
            (0..across).map(|line| (0..depths(deep)).map(|depth| edge(line, depth)).collect()).collect()
        });
        let steps = Side::ALL.map(|side| {
            let (across, deep) = across(side);
            let depths = depths(deep);
            let value = |line: usize, depth: usize| value(side, line, depth);
            let mean_of = |line: usize, depths: Range<usize>| {
                let count = depths.len().max(1) as f32;
                depths.map(|depth| value(line, depth)).sum::<f32>() / count
            };
            let step = |line: usize, depth: usize| {
                let outside = mean_of(line, depth.saturating_sub(REACH)..depth);
                let inside = mean_of(line, depth..(depth + REACH).min(deep));
                if depth == 0 { 0.0 } else { ((inside - outside).abs() / FULL_STEP).min(1.0) }
            };
            (0..across).map(|line| first_steps((0..depths).map(|depth| step(line, depth)).collect())).collect()
        });
        Mean { width, height, steps, edges }
    }

    /// How deep the frame is seen from a side, and how long the side.
    fn sizes(&self, side: Side) -> (f32, f32) {
        match side {
            Side::Left | Side::Right => (self.width as f32, self.height as f32),
            Side::Top | Side::Bottom => (self.height as f32, self.width as f32),
        }
    }

    /// The mean step along a line, over the lines of pixels across it from where to where.
    fn worth(&self, side: Side, from: f32, to: f32, lines: Range<usize>) -> f32 {
        let steps = &self.steps[side as usize];
        let lines = lines.start.min(steps.len())..lines.end.min(steps.len());
        let count = lines.len().max(1) as f32;
        let slope = (to - from) / steps.len() as f32;
        let step = |line: usize| {
            let depth = from + slope * (line as f32 + 0.5);
            steps[line].get((depth + 0.5).max(0.0) as usize).copied().unwrap_or(0.0)
        };
        lines.map(step).sum::<f32>() / count
    }

    /// What [`Mean::worth`] says of the lines from `middle` - `half` to `middle` + `half`, for each middle there is room for. Each
    /// line of pixels is crossed by all of them at neighbouring depths, which are added side by side.
    fn worths(&self, side: Side, half: f32, lines: Range<usize>, worths: &mut [f32]) {
        let steps = &self.steps[side as usize];
        let lines = lines.start.min(steps.len())..lines.end.min(steps.len());
        let count = lines.len().max(1) as f32;
        let slope = 2.0 * half / steps.len() as f32;
        worths.fill(0.0);
        for line in lines {
            let depth = libm::floorf(slope * (line as f32 + 0.5) - half + 0.5) as isize;
            let before = (-depth).max(0) as usize;
            let crossed = steps[line].get(depth.max(0) as usize..).unwrap_or(&[]);
            worths.iter_mut().skip(before).zip(crossed).for_each(|(worth, step)| *worth += step);
        }
        worths.iter_mut().for_each(|worth| *worth /= count);
    }

    /// The lines of a side with the greatest worth, each unlike the others.
    fn lines(&self, side: Side) -> Vec<Line> {
        let (deep, long) = self.sizes(side);
        let mut all: Vec<Line> = Vec::new();
        let most = (deep * DEEPEST) as usize;
        // The ends of the side are outside of the picture.
        let lines = (long * 0.2) as usize..(long * 0.8) as usize;
        let mut worths = vec![0.0; most];
        for slant in -SLANTS..=SLANTS {
            let half = MOST_SLANT * long * slant as f32 / SLANTS as f32 / 2.0;
            self.worths(side, half, lines.clone(), &mut worths);
            for (middle, &worth) in worths.iter().enumerate().skip(1) {
                let (from, to) = (middle as f32 - half, middle as f32 + half);
                if from >= 0.0 && to >= 0.0 {
                    all.push(Line { from, to, worth });
                }
            }
        }
        all.sort_by(|a, b| b.worth.total_cmp(&a.worth));
        let mut kept: Vec<Line> = Vec::new();
        for line in all {
            if kept.len() == LINES || line.worth < LEAST_WORTH {
                break;
            }
            let near = |other: &Line| (other.from - line.from).abs() < 5.0 && (other.to - line.to).abs() < 5.0;
            if !kept.iter().any(near) {
                kept.push(line);
            }
        }
        kept.into_iter().map(|line| self.exact(side, line)).collect()
    }

    /// A line near that one where the differences between neighbours are greatest: a code is that of another picture where
    /// its corners are a fiftieth of a side off.
    fn exact(&self, side: Side, line: Line) -> Line {
        let edges = &self.edges[side as usize];
        let long = edges.len();
        let (start, end) = (long / 8, long - long / 8);
        let sum = |from: f32, to: f32| -> f32 {
            let slope = (to - from) / long as f32;
            let edge = |n: usize| {
                let depth = (from + slope * (n as f32 + 0.5)).max(0.0);
                let whole = depth as usize;
                let share = depth - whole as f32;
                let at = |depth: usize| edges[n].get(depth).copied().unwrap_or(0.0);
                (at(whole) * (1.0 - share) + at(whole + 1) * share).min(FULL_STEP)
            };
            (start..end).map(edge).sum()
        };
        let mut best = (sum(line.from, line.to), line);
        // Within four pixels by whole ones, and about the best of these by halves.
        for (range, by) in [(-4..=4, 1.0), (-1..=1, 0.5)] {
            let Line { from, to, worth } = best.1;
            let range: std::ops::RangeInclusive<i32> = range;
            let all = range.clone().flat_map(|a| range.clone().map(move |b| [a as f32 * by, b as f32 * by]));
            for (from, to) in all.map(|[a, b]| (from + a, to + b)) {
                let found = sum(from, to);
                if found > best.0 {
                    best = (found, Line { from, to, worth });
                }
            }
        }
        best.1
    }

    /// The worth of a line between the two that cross it.
    fn worth_between(&self, side: Side, line: &Line, across: [&Line; 2]) -> f32 {
        let (_, long) = self.sizes(side);
        let start = (across[0].from + across[0].to) / 2.0;
        let end = long - (across[1].from + across[1].to) / 2.0;
        self.worth(side, line.from, line.to, start.max(0.0) as usize..end.max(0.0) as usize)
    }

    /// Where the lines cross.
    fn corners(&self, left: &Line, right: &Line, top: &Line, bottom: &Line) -> Corners {
        let (width, height) = (self.width as f32, self.height as f32);
        // x = a + b y of the upright sides, y = c + d x of the level ones.
        let upright = |line: &Line, mirrored: bool| {
            let (from, to) = if mirrored { (width - line.from, width - line.to) } else { (line.from, line.to) };
            (from, (to - from) / height)
        };
        let level = |line: &Line, mirrored: bool| {
            let (from, to) = if mirrored { (height - line.from, height - line.to) } else { (line.from, line.to) };
            (from, (to - from) / width)
        };
        let crossing = |(a, b): (f32, f32), (c, d): (f32, f32)| {
            // Slants are small: the divisor is near 1.
            let x = (a + b * c) / (1.0 - b * d);
            (x, c + d * x)
        };
        let (left, right) = (upright(left, false), upright(right, true));
        let (top, bottom) = (level(top, false), level(bottom, true));
        [crossing(left, top), crossing(right, top), crossing(right, bottom), crossing(left, bottom)]
    }
}

#[cfg(test)]
pub(super) mod tests {
    use minutia_media::Luma;

    use super::*;

    /// True where a point is on the inner side of all four sides, the corners clockwise.
    pub(in super::super) fn is_inside(corners: &Corners, x: f32, y: f32) -> bool {
        (0..4).all(|n| {
            let ((ax, ay), (bx, by)) = (corners[n], corners[(n + 1) % 4]);
            (bx - ax) * (y - ay) - (by - ay) * (x - ax) >= 0.0
        })
    }

    #[test]
    fn finds_the_corners_of_a_screen_in_a_dark_room() {
        for corners in [
            [(40.0, 30.0), (280.0, 40.0), (290.0, 170.0), (30.0, 160.0)],
            [(25.0, 12.0), (300.0, 20.0), (292.0, 185.0), (36.0, 178.0)],
            [(60.0, 20.0), (270.0, 15.0), (285.0, 180.0), (48.0, 188.0)],
        ] {
            let frame = |time: usize| {
                let pixel = |n: usize| {
                    let (x, y) = (n % 320, n / 320);
                    let on_screen = 90 + (x / 40 * 37 + y / 40 * 53 + time * 29) % 120;
                    if is_inside(&corners, x as f32, y as f32) { on_screen as u8 } else { (10 + n % 7) as u8 }
                };
                Plane::of(Luma::new(320, 200, (0..320 * 200).map(pixel).collect()).unwrap())
            };
            let frames: Vec<Plane> = (0..8).map(frame).collect();
            let found = slanted_parts(&frames.iter().collect::<Vec<_>>(), 4);
            let apart = |a: &Corners| -> f32 {
                let far = |n: usize| -> f32 { (a[n].0 - corners[n].0).abs().max((a[n].1 - corners[n].1).abs()) };
                (0..4).map(far).fold(0.0, f32::max)
            };
            assert!(found.iter().any(|found| apart(found) < 6.0), "{corners:?}: {found:?}");
        }
    }

    #[test]
    fn lines_tried_side_by_side_are_worth_what_each_is_alone() {
        let pixel = |n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8;
        let noise = Plane::of(Luma::new(160, 100, (0..160 * 100).map(pixel).collect()).unwrap());
        let mean = Mean::of(&[&noise]);
        let (mut tried, mut alike) = (0, 0);
        for side in Side::ALL {
            let (deep, long) = mean.sizes(side);
            let lines = (long * 0.2) as usize..(long * 0.8) as usize;
            let mut worths = vec![0.0; (deep * DEEPEST) as usize];
            for slant in -SLANTS..=SLANTS {
                let half = MOST_SLANT * long * slant as f32 / SLANTS as f32 / 2.0;
                mean.worths(side, half, lines.clone(), &mut worths);
                for (middle, &worth) in worths.iter().enumerate() {
                    let (from, to) = (middle as f32 - half, middle as f32 + half);
                    if from >= 0.0 && to >= 0.0 {
                        tried += 1;
                        alike += usize::from((mean.worth(side, from, to, lines.clone()) - worth).abs() < 1e-6);
                    }
                }
            }
        }
        // But for lines that fall between two pixels, which are rounded otherwise.
        assert!(tried > 3_000 && alike * 100 > tried * 95, "{alike} of {tried}");
    }

    #[test]
    fn an_even_picture_has_none() {
        let even = |width, height| Plane::of(Luma::new(width, height, vec![90; (width * height) as usize]).unwrap());
        assert_eq!(slanted_parts(&[&even(320, 200), &even(320, 200)], 4), Vec::<Corners>::new());
        assert_eq!(slanted_parts(&[&even(4, 4)], 4), Vec::<Corners>::new());
        assert_eq!(slanted_parts(&[], 4), Vec::<Corners>::new());
    }
}
