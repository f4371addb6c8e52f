//! The part of a film's picture that is sharper than what surrounds it: a film before a blurred copy of itself, as wide films
//! are shown on upright screens.
//!
//! How sharp a line of pixels is, is told by its second differences along it, over the frames of a shot. The lines are
//! cut where those within are most unlike those without, in steps of octaves; blur leaves no second differences, whatever it
//! blurs, and nothing depends on where edges are.

use std::ops::Range;

use minutia_media::Luma;

use super::super::trim::Rect;

/// Frames of a shot that are looked at.
const FRAMES: usize = 8;
/// Lines are taken together until there are no more than so many.
const LINES: usize = 120;
/// Lines to each side of an edge that are compared to find it exactly.
const NEAR: usize = 3;
/// How many octaves sharper the part is than what surrounds it, at least.
const LEAST_OCTAVES: f32 = 1.2;
/// The least share of the lines that is within, and that is without.
const LEAST_WITHIN: f32 = 0.2;
const LEAST_WITHOUT: f32 = 0.1;

/// The sharper part of frames of one size; `None` where nothing surrounds it.
pub(super) fn sharp_part(planes: &[&Luma]) -> Option<Rect> {
    let first = planes.first()?;
    let (width, height) = (first.width() as usize, first.height() as usize);
    if width < 32 || height < 32 || planes.iter().any(|plane| plane.width() != first.width()) {
        return None;
    }
    let step = planes.len().div_ceil(FRAMES);
    let (mut rows, mut columns) = (vec![0_u32; height], vec![0_u32; width]);
    for plane in planes.iter().step_by(step) {
        let pixels = plane.pixels();
        for (y, sum) in rows.iter_mut().enumerate() {
            let row = &pixels[y * width..][..width];
            *sum += row.windows(3).map(|three| bend(three[0], three[1], three[2])).sum::<u32>();
        }
        for y in 1..height - 1 {
            let [above, here, below] = [y - 1, y, y + 1].map(|y| &pixels[y * width..][..width]);
            let bends = above.iter().zip(here).zip(below).map(|((&above, &here), &below)| bend(above, here, below));
            columns.iter_mut().zip(bends).for_each(|(sum, bend)| *sum += bend);
        }
    }
    let count = planes.len().div_ceil(step);
    let down = band(&rows, (width - 2) * count);
    let across = band(&columns, (height - 2) * count);
    let ((top, bottom), (left, right)) = match (down, across) {
        (None, None) => return None,
        // One of both: what is blurred lies above and below, or at the sides.
        (Some(down), Some(across)) if down.0 >= across.0 => (down.1, (0, width)),
        (Some(down), None) => (down.1, (0, width)),
        (_, Some(across)) => ((0, height), across.1),
    };
    Some(Rect { left, top, right, bottom })
}

/// The second difference of three pixels.
fn bend(before: u8, here: u8, after: u8) -> u32 {
    (2 * i32::from(here) - i32::from(before) - i32::from(after)).unsigned_abs()
}

/// The lines from where to where are sharper than those around them, and by how many octaves.
fn band(sums: &[u32], of: usize) -> Option<(f32, (usize, usize))> {
    let together = sums.len().div_ceil(LINES);
    // Logarithms, so that what counts is how many times sharper; an eighth of a level is the noise of a blank part.
    let octaves: Vec<f32> = sums
        .chunks(together)
        .map(|lines| {
            let mean = lines.iter().sum::<u32>() as f32 / (lines.len() * of.max(1)) as f32;
            libm::log2f(mean + 0.125)
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
            libm::log2f(mean + 0.125)
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
    (start < end).then_some((more, (start, end)))
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
    fn what_is_sharp_everywhere_or_nowhere_has_no_such_part() {
        assert_eq!(sharp_part(&[&frame(320, 200, 0..200)]), None);
        assert_eq!(sharp_part(&[&frame(320, 200, 0..0)]), None);
        assert_eq!(sharp_part(&[&frame(8, 8, 0..4)]), None);
        assert_eq!(sharp_part(&[]), None);
    }
}
