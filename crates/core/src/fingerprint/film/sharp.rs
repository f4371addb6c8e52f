//! The part of a film's picture that is sharper than what surrounds it: a film before a blurred copy of itself, as wide films
//! are shown on upright screens.
//!
//! How sharp a line of pixels is, is told by its second differences along it, over the frames of a shot: blur leaves none,
//! whatever it blurs. Who shows a film so puts it in the middle, so that two edges are looked for first that are as far from
//! both sides, with what is sharper between them. Where there are none the lines are cut where those within are most unlike
//! those without, in steps of octaves, and nothing depends on where edges are.

use std::ops::Range;

use minutia_media::Luma;

use super::super::trim::Rect;

/// Frames of a shot that are looked at.
const FRAMES: usize = 8;
/// Lines are taken together until there are no more than so many.
const LINES: usize = 120;
/// Lines to each side of an edge that are compared to find it exactly.
const NEAR: usize = 3;
/// An eighth of a level is the second difference of a blank part.
const BLANK: f32 = 0.125;
/// How many octaves sharper the part is than what surrounds it, at least.
const LEAST_OCTAVES: f32 = 1.2;
/// The least share of the lines that is within, and that is without.
const LEAST_WITHIN: f32 = 0.2;
const LEAST_WITHOUT: f32 = 0.1;

/// The part in the middle begins within this share of the frame, and ends as far from the other side, give or take so many
/// lines.
const CENTRED_SHARE: std::ops::Range<f32> = 0.04..0.4;
const OFF_CENTRE: isize = 2;
/// It is so many octaves sharper than what surrounds it.
const LEAST_CENTRED_OCTAVES: f32 = 0.6;
/// And the steps across both its edges are together so many octaves higher than those near them.
const LEAST_EDGES: f32 = 2.5;
/// Lines from an edge to where steps near it begin, and to where they end.
const BESIDE: std::ops::Range<usize> = 3..8;
/// Steps of so many levels come of rounding and of noise.
const NOISE: f32 = 1.0;

/// The sharper part of frames of one size; `None` where nothing surrounds it.
pub(super) fn sharp_part(planes: &[&Luma]) -> Option<Rect> {
    let first = planes.first()?;
    let (width, height) = (first.width() as usize, first.height() as usize);
    if width < 32 || height < 32 || planes.iter().any(|plane| plane.width() != first.width()) {
        return None;
    }
    let every = planes.len().div_ceil(FRAMES);
    let (mut rows, mut columns) = (Lines::new(height), Lines::new(width));
    // Sums of some thousand values of 10 bits: they wrap in name only, so that the loops can be vectorised.
    let add = |sum: &mut u32, value: u32| *sum = sum.wrapping_add(value);
    for plane in planes.iter().step_by(every) {
        let pixels = plane.pixels();
        let row = |y: usize| &pixels[y * width..][..width];
        for y in 0..height {
            let (before, here, after) = (row(y), &row(y)[1..], &row(y)[2..]);
            let bends = before.iter().zip(here).zip(after).map(|((&before, &here), &after)| bend(before, here, after));
            add(&mut rows.bends[y], bends.fold(0, u32::wrapping_add));
            let steps = before.iter().zip(here).map(|(&before, &here)| u32::from(before.abs_diff(here)));
            columns.steps[1..].iter_mut().zip(steps).for_each(|(sum, step)| add(sum, step));
        }
        for y in 1..height {
            let steps = row(y - 1).iter().zip(row(y)).map(|(&above, &here)| u32::from(above.abs_diff(here)));
            add(&mut rows.steps[y], steps.fold(0, u32::wrapping_add));
        }
        for y in 1..height - 1 {
            let [above, here, below] = [y - 1, y, y + 1].map(row);
            let bends = above.iter().zip(here).zip(below).map(|((&above, &here), &below)| bend(above, here, below));
            columns.bends.iter_mut().zip(bends).for_each(|(sum, bend)| add(sum, bend));
        }
    }
    let count = planes.len().div_ceil(every);
    rows.of = (width - 2) * count;
    columns.of = (height - 2) * count;
    let by = |find: fn(&Lines) -> Option<Band>| {
        // One of both: what is blurred lies above and below, or at the sides.
        match (find(&rows), find(&columns)) {
            (None, None) => None,
            (Some(down), Some(across)) if down.sure >= across.sure => Some((down.lines, 0..width)),
            (Some(down), None) => Some((down.lines, 0..width)),
            (_, Some(across)) => Some((0..height, across.lines)),
        }
    };
    let (down, across) = by(Lines::centred).or_else(|| by(Lines::band))?;
    Some(Rect { left: across.start, top: down.start, right: across.end, bottom: down.end })
}

/// The second difference of three pixels.
fn bend(before: u8, here: u8, after: u8) -> u32 {
    (2 * i16::from(here) - i16::from(before) - i16::from(after)).unsigned_abs().into()
}

/// Lines that are sharper than those around them.
struct Band {
    /// How sure that is, in octaves.
    sure: f32,
    lines: Range<usize>,
}

/// The lines of pixels across a frame, one way.
struct Lines {
    /// Sums of second differences along each, and of how many.
    bends: Vec<u32>,
    of: usize,
    /// Sums of differences to the line before.
    steps: Vec<u32>,
}

impl Lines {
    fn new(count: usize) -> Lines {
        Lines { bends: vec![0; count], of: 1, steps: vec![0; count] }
    }

    /// The lines from where to where, in the middle, begin and end with an edge and are sharper than those around them, and
    /// how sure that is.
    fn centred(&self) -> Option<Band> {
        let count = self.bends.len();
        let step = |at: usize| self.steps[at] as f32 / self.of as f32 + NOISE;
        let mean = |lines: Range<usize>| lines.clone().map(step).sum::<f32>() / lines.len() as f32;
        let edge = |at: usize| {
            let beside = mean(at - BESIDE.end + 1..at - BESIDE.start + 1).max(mean(at + BESIDE.start..at + BESIDE.end));
            libm::log2f(step(at) / beside).max(-0.5)
        };
        let mut until = vec![0.0_f32; count + 1];
        for (at, &bends) in self.bends.iter().enumerate() {
            until[at + 1] = until[at] + libm::log2f(bends as f32 / self.of as f32 + BLANK);
        }
        let within = CENTRED_SHARE;
        let starts = ((count as f32 * within.start) as usize).max(BESIDE.end)..(count as f32 * within.end) as usize;
        let mut best: Option<Band> = None;
        for start in starts {
            for off in -OFF_CENTRE..=OFF_CENTRE {
                let Some(end) = (count - start).checked_add_signed(off).filter(|&end| end + BESIDE.end <= count) else {
                    continue;
                };
                let sum = until[end] - until[start];
                let more = sum / (end - start) as f32 - (until[count] - sum) / (count - end + start) as f32;
                let edges = edge(start) + edge(end);
                let worth = more + edges;
                if more >= LEAST_CENTRED_OCTAVES
                    && edges >= LEAST_EDGES
                    && best.as_ref().is_none_or(|best| worth > best.sure)
                {
                    best = Some(Band { sure: worth, lines: start..end });
                }
            }
        }
        best
    }

    /// The lines from where to where are sharper than those around them, and by how many octaves.
    fn band(&self) -> Option<Band> {
        let (sums, of) = (&self.bends, self.of);
        let together = sums.len().div_ceil(LINES);
        // Logarithms, so that what counts is how many times sharper.
        let octaves: Vec<f32> = sums
            .chunks(together)
            .map(|lines| {
                let mean = lines.iter().sum::<u32>() as f32 / (lines.len() * of.max(1)) as f32;
                libm::log2f(mean + BLANK)
            })
            .collect();
        let count = octaves.len();
        let mut until = vec![0.0_f32; count + 1];
        for (place, value) in octaves.iter().enumerate() {
            until[place + 1] = until[place] + value;
        }
        let mut best: Option<(f32, f32, usize, usize)> = None;
        for start in 0..count {
            for end in start + 1..=count {
                let (within, without) = ((end - start) as f32, (count - end + start) as f32);
                if within < LEAST_WITHIN * count as f32 || without < LEAST_WITHOUT * count as f32 {
                    continue;
                }
                let sum = until[end] - until[start];
                let more = sum / within - (until[count] - sum) / without;
                let worth = more * (within * without).sqrt();
                if more >= LEAST_OCTAVES && best.is_none_or(|best| worth > best.0) {
                    best = Some((worth, more, start, end));
                }
            }
        }
        let (_, more, start, end) = best?;
        let (start, end) = (start * together, (end * together).min(sums.len()));
        // A code is that of another part where its part is a fiftieth off: to the line.
        let exact = |near: usize, ends: bool| {
            let octave = |lines: Range<usize>| {
                let count = lines.len().max(1);
                let mean = sums[lines].iter().sum::<u32>() as f32 / (count * of.max(1)) as f32;
                libm::log2f(mean + BLANK)
            };
            let step = |at: usize| {
                let rise = octave(at..(at + NEAR).min(sums.len())) - octave(at.saturating_sub(NEAR)..at);
                if ends { -rise } else { rise }
            };
            let around = near.saturating_sub(2 * together).max(1)..(near + 2 * together + 1).min(sums.len());
            around.max_by(|&a, &b| step(a).total_cmp(&step(b)).then(b.cmp(&a))).unwrap_or(near)
        };
        let start = if start == 0 { 0 } else { exact(start, false) };
        let end = if end == sums.len() { end } else { exact(end, true) };
        (start < end).then_some(Band { sure: more, lines: start..end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texture between two rows, and a soft slope around it.
    fn frame(width: usize, height: usize, within: std::ops::Range<usize>) -> Luma {
        let pixels = (0..height).flat_map(|y| {
            let within = within.clone();
            (0..width).map(move |x| match within.contains(&y) {
                true => (x * 37 % 101 + y * 53 % 89 + x * y % 31) as u8,
                false => (80 + x * 60 / width + y * 40 / height) as u8,
            })
        });
        Luma::new(width as u32, height as u32, pixels.collect()).unwrap()
    }

    #[test]
    fn finds_the_sharp_part_above_and_below_and_at_the_sides() {
        for within in [160..320, 100..200, 0..300] {
            let upright = frame(270, 480, within.clone());
            let found = sharp_part(&[&upright, &upright]).unwrap();
            assert!(found.top.abs_diff(within.start) <= 4 && found.bottom.abs_diff(within.end) <= 4, "{found:?}");
            assert_eq!((found.left, found.right), (0, 270));
            let turned = (0..270).flat_map(|x| (0..480).map(move |y| (x, y)));
            let pixels = turned.map(|(x, y)| upright.pixels()[y * 270 + x]).collect();
            let found = sharp_part(&[&Luma::new(480, 270, pixels).unwrap()]).unwrap();
            assert!(found.left.abs_diff(within.start) <= 4 && found.right.abs_diff(within.end) <= 4, "{found:?}");
        }
    }

    #[test]
    fn a_smooth_floor_is_still_of_the_part_in_the_middle() {
        let sharp = frame(270, 480, 140..341);
        let floor =
            |n: usize, level: u8| if (250..341).contains(&(n / 270)) { 190 + (n % 270 / 40) as u8 } else { level };
        let pixels = sharp.pixels().iter().enumerate().map(|(n, &level)| floor(n, level)).collect();
        let found = sharp_part(&[&Luma::new(270, 480, pixels).unwrap()]).unwrap();
        assert!(found.top.abs_diff(140) <= 2 && found.bottom.abs_diff(341) <= 2, "{found:?}");
    }

    #[test]
    fn what_is_sharp_everywhere_or_nowhere_has_no_such_part() {
        assert_eq!(sharp_part(&[&frame(320, 200, 0..200)]), None);
        assert_eq!(sharp_part(&[&frame(320, 200, 0..0)]), None);
        assert_eq!(sharp_part(&[&frame(8, 8, 0..4)]), None);
        assert_eq!(sharp_part(&[]), None);
    }
}
