//! Borders: where a picture really begins, when it stands in a frame, in bars, or on a page.
//!
//! Two looks, both on a plane of at most 512 pixels a side. [`flat`] cuts lines from the outside that are one colour,
//! tolerant of noise, of compression and of a little lettering. [`edges`] finds the rectangle bounded by the strongest
//! straight edges, which also sees frames that are not flat: a blurred copy of the picture itself, a page, a texture. It is
//! often wrong on pictures that contain straight lines; its rectangle is one more view, never a replacement.
//!
//! The constants were found on altered copies of 40 pictures of the development set.

use minutia_media::Luma;

/// A rectangle in pixels, half open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) left: usize,
    pub(super) top: usize,
    pub(super) right: usize,
    pub(super) bottom: usize,
}

impl Rect {
    pub(super) fn of(plane: &Luma) -> Rect {
        Rect { left: 0, top: 0, right: plane.width() as usize, bottom: plane.height() as usize }
    }

    fn width(self) -> usize {
        self.right - self.left
    }

    fn height(self) -> usize {
        self.bottom - self.top
    }

    /// Every side is where the other's is, but for a fiftieth of it and two pixels.
    pub(super) fn is_about(self, other: Rect) -> bool {
        let near = |a: usize, b: usize, side: usize| a.abs_diff(b) <= side / 50 + 2;
        near(self.left, other.left, self.width())
            && near(self.right, other.right, self.width())
            && near(self.top, other.top, self.height())
            && near(self.bottom, other.bottom, self.height())
    }

    /// What is left of `whole` is too little to stand for the picture.
    fn too_small_for(self, whole: Rect) -> bool {
        let small = |side: usize, of: usize| side < 16 || side * 100 < of * 15;
        small(self.width(), whole.width()) || small(self.height(), whole.height())
    }
}

/// Pixels of a line are averaged in blocks of this many: noise and compression even out, a border stays flat.
const BLOCK: usize = 8;
/// A line belongs to the border when at least this share of its blocks (in percent) does.
const FLAT_PERCENT: usize = 95;
/// Levels up to this are black.
const BLACK: i32 = 24;
/// A soft edge is so many lines.
const EDGE_LINES: usize = 4;
/// At most this share (in percent) is cut from a side in one step.
const MOST_PERCENT: usize = 45;
const ROUNDS: usize = 3;
/// Smaller rectangles are left as they are.
const SMALLEST: usize = 24;

/// What counts as a border.
#[derive(Clone, Copy, Debug)]
pub(super) struct Border {
    /// Its blocks are within so many levels of its colour.
    pub(super) tolerance: i32,
    /// Where it is not black, so many percent of the blocks of the line where the picture begins are not of its colour: a sky
    /// or a wall ends slowly.
    pub(super) edge_percent: usize,
}

impl Border {
    /// That of pictures.
    pub(super) const OF_PICTURES: Border = Border { tolerance: 12, edge_percent: 0 };
}

/// `within` without its flat borders.
pub(super) fn flat(plane: &Luma, within: Rect, border: Border) -> Rect {
    let mut rect = within;
    for _ in 0..ROUNDS {
        if rect.width() < SMALLEST || rect.height() < SMALLEST {
            break;
        }
        let before = rect;
        let (top, bottom) = (rect.top, rect.bottom);
        rect.top += flat_lines(border, |n| row_blocks(plane, rect, top + n), bottom - top);
        let height = bottom - rect.top;
        rect.bottom -= flat_lines(border, |n| row_blocks(plane, rect, bottom - 1 - n), height);
        let (left, right) = (rect.left, rect.right);
        rect.left += flat_lines(border, |n| column_blocks(plane, rect, left + n), right - left);
        let width = right - rect.left;
        rect.right -= flat_lines(border, |n| column_blocks(plane, rect, right - 1 - n), width);
        if rect == before {
            break;
        }
    }
    if rect.too_small_for(within) { within } else { rect }
}

/// How many lines to cut from a side: those that look like its three outer lines, and one more where the cut is deep
/// enough to have a soft inner edge.
fn flat_lines(border: Border, blocks: impl Fn(usize) -> Vec<i32>, lines: usize) -> usize {
    if lines < 4 {
        return 0;
    }
    let mut outer: Vec<i32> = (0..3).flat_map(&blocks).collect();
    let middle = outer.len() / 2;
    let colour = *outer.select_nth_unstable(middle).1;
    let most = lines * MOST_PERCENT / 100;
    let percent_alike = |n: usize| {
        let line = blocks(n);
        let alike = line.iter().filter(|&&block| (block - colour).abs() <= border.tolerance).count();
        alike * 100 / line.len().max(1)
    };
    let cut = (0..most).take_while(|&n| percent_alike(n) >= FLAT_PERCENT).count();
    let begins = |n: usize| percent_alike(n) <= 100 - border.edge_percent;
    if colour > BLACK && border.edge_percent > 0 && !(cut..(cut + EDGE_LINES).min(lines)).any(begins) {
        return 0;
    }
    cut + usize::from(cut > 2)
}

fn row_blocks(plane: &Luma, rect: Rect, y: usize) -> Vec<i32> {
    let row = &plane.pixels()[y * plane.width() as usize..][rect.left..rect.right];
    blocks(row.iter().copied(), row.len())
}

fn column_blocks(plane: &Luma, rect: Rect, x: usize) -> Vec<i32> {
    let width = plane.width() as usize;
    let column = plane.pixels()[rect.top * width + x..].iter().step_by(width).take(rect.height()).copied();
    blocks(column, rect.height())
}

/// Means of whole blocks, rounded; single pixels where the line is too short for four blocks.
fn blocks(line: impl Iterator<Item = u8>, length: usize) -> Vec<i32> {
    let size = if length / BLOCK < 4 { 1 } else { BLOCK };
    let mut means = vec![0; length / size];
    for (place, value) in line.take(means.len() * size).enumerate() {
        means[place / size] += i32::from(value);
    }
    means.iter_mut().for_each(|sum| *sum = (*sum + size as i32 / 2) / size as i32);
    means
}

/// A step of this many levels between two neighbours (two pixels apart) counts as a full edge.
const FULL_STEP: u8 = 32;
/// A line is an edge when its mean step, less half the mean around it, exceeds this share of a full edge
/// (in percent).
const EDGE_PERCENT: usize = 27;
/// The neighbourhood of a line: this many lines around it.
const AROUND: usize = 15;
/// Edges are looked for at least this many lines inside.
const INSIDE: usize = 4;

/// The rectangle bounded by the strongest straight edges of `plane`; the whole where there are none.
pub(super) fn edges(plane: &Luma) -> Rect {
    let whole = Rect::of(plane);
    if whole.width() < 2 * BLOCK * 2 || whole.height() < 2 * BLOCK * 2 {
        return whole;
    }
    let mut rect = whole;
    for _ in 0..ROUNDS {
        let rows = row_steps(plane, rect.left, rect.right);
        let columns = column_steps(plane, rect.top, rect.bottom);
        let (top, bottom) = strongest(&rows, whole.height(), rect.width());
        let (left, right) = strongest(&columns, whole.width(), rect.height());
        let found = Rect { left, top, right, bottom };
        if found == rect {
            break;
        }
        rect = found;
    }
    if rect.too_small_for(whole) { whole } else { rect }
}

/// The step between two pixels, cut at a full edge.
fn step(a: u8, b: u8) -> u16 {
    u16::from(a.abs_diff(b).min(FULL_STEP))
}

// Sums of steps over a plane's 512 pixels are at most 16,384 and fit 16 bits. They wrap in name only: a check at every
// addition would keep the loops from being vectorised.

/// The sum of the steps across each row but the first and the last, over the columns `left..right`.
fn row_steps(plane: &Luma, left: usize, right: usize) -> Vec<u16> {
    let width = plane.width() as usize;
    let rows: Vec<&[u8]> = plane.pixels().chunks_exact(width).map(|row| &row[left..right]).collect();
    rows.windows(3).map(|three| row_step(three[0], three[2])).collect()
}

/// The sum of the steps between two rows, sixteen columns at once.
fn row_step(above: &[u8], below: &[u8]) -> u16 {
    let ((above, above_rest), (below, below_rest)) = (above.as_chunks::<16>(), below.as_chunks::<16>());
    let mut sums = [0_u16; 16];
    for (a, b) in above.iter().zip(below) {
        for (sum, (&a, &b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum = sum.wrapping_add(step(a, b));
        }
    }
    let rest = above_rest.iter().zip(below_rest).map(|(&a, &b)| step(a, b));
    sums.iter().copied().chain(rest).fold(0, u16::wrapping_add)
}

/// The sum of the steps across each column but the first and the last, over the rows `top..bottom`.
fn column_steps(plane: &Luma, top: usize, bottom: usize) -> Vec<u16> {
    let width = plane.width() as usize;
    let mut sums = vec![0_u16; width - 2];
    for row in plane.pixels().chunks_exact(width).take(bottom).skip(top) {
        for ((sum, &a), &b) in sums.iter_mut().zip(row).zip(&row[2..]) {
            *sum = sum.wrapping_add(step(a, b));
        }
    }
    sums
}

/// The strongest edge of each half of `length` lines; the picture's own where there is none. `steps[n]` is the sum of the
/// steps across line `n + 1`, which is `across` pixels long.
fn strongest(steps: &[u16], length: usize, across: usize) -> (usize, usize) {
    let n = steps.len();
    let half = AROUND / 2;
    // How much a line's step exceeds half of the mean around it, times twice `AROUND` lines of `across` pixels.
    let mut around: i32 = steps.iter().take(half).map(|&step| i32::from(step)).sum();
    let stands_out: Vec<i32> = (0..n)
        .map(|place| {
            around += steps.get(place + half).map_or(0, |&entered| i32::from(entered));
            if place > half {
                around -= i32::from(steps[place - half - 1]);
            }
            2 * AROUND as i32 * i32::from(steps[place]) - around
        })
        .collect();
    let least = (EDGE_PERCENT * 2 * AROUND * across * usize::from(FULL_STEP) / 100) as i32;
    // The first of equals, so that the answer does not depend on the order of comparison.
    let best = |range: std::ops::Range<usize>| {
        let (mut at, mut most) = (None, least);
        for place in range {
            if stands_out[place] > most {
                (at, most) = (Some(place), stands_out[place]);
            }
        }
        at
    };
    let middle = length / 2;
    let first = best(INSIDE - 1..(middle - 1).min(n)).map_or(0, |place| place + 2);
    let last = best(middle.min(n)..(length - INSIDE - 2).min(n)).map_or(length, |place| place + 1);
    (first, last)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A patchwork with a frame of `width` pixels of `colour` and a little noise.
    fn framed(width: usize, colour: u8) -> Luma {
        let (w, h) = (200, 160);
        let inside = |x: usize, y: usize| (width..w - width).contains(&x) && (width..h - width).contains(&y);
        let pixels = (0..w * h)
            .map(|n| {
                let (x, y) = (n % w, n / w);
                let noise = (x * 7919 + y * 104_729 + x * y * 31) % 251;
                if inside(x, y) {
                    (30 + (x / 11 * 53 + y / 9 * 97) % 160) as u8
                } else {
                    colour.saturating_add((noise % 5) as u8)
                }
            })
            .collect();
        Luma::new(w as u32, h as u32, pixels).unwrap()
    }

    #[test]
    fn cuts_a_noisy_frame_and_nothing_else() {
        for (width, colour) in [(10, 0), (25, 250), (40, 90)] {
            let plane = framed(width, colour);
            let found = flat(&plane, Rect::of(&plane), Border::OF_PICTURES);
            // One line more is cut behind a deep border, so that its soft edge goes too.
            for (found, wanted) in
                [(found.left, width), (found.top, width), (200 - found.right, width), (160 - found.bottom, width)]
            {
                assert!((wanted..=wanted + 3).contains(&found), "{found} cut from a frame of {wanted}");
            }
        }
        let bare = framed(0, 0);
        assert_eq!(flat(&bare, Rect::of(&bare), Border::OF_PICTURES), Rect::of(&bare));
    }

    #[test]
    fn a_blank_picture_keeps_its_size() {
        let blank = Luma::new(100, 100, vec![255; 10_000]).unwrap();
        assert_eq!(flat(&blank, Rect::of(&blank), Border::OF_PICTURES), Rect::of(&blank));
        assert_eq!(edges(&blank), Rect::of(&blank));
    }

    #[test]
    fn finds_a_picture_pasted_on_a_page() {
        let waves = |x: usize, y: usize| (90.0 + 50.0 * ((x * y) as f32 / 900.0).sin() + (x + y) as f32 / 8.0) as u8;
        let page = |x: usize, y: usize| (230 + (x / 3 + y / 5) % 20) as u8;
        let pasted = |x: usize, y: usize| (40..150).contains(&x) && (30..120).contains(&y);
        let pixels = (0..200 * 160)
            .map(|n| (n % 200, n / 200))
            .map(|(x, y)| if pasted(x, y) { waves(x, y) } else { page(x, y) })
            .collect();
        let found = edges(&Luma::new(200, 160, pixels).unwrap());
        for (found, wanted) in [(found.left, 40), (found.right, 150), (found.top, 30), (found.bottom, 120)] {
            assert!(found.abs_diff(wanted) <= 1, "{found} instead of {wanted}");
        }
    }

    #[test]
    fn tiny_pictures_are_left_alone() {
        for (w, h) in [(1, 1), (1, 300), (300, 1), (5, 5), (31, 33), (24, 24)] {
            let plane = Luma::new(w, h, (0..w * h).map(|n| (n * 37 % 256) as u8).collect()).unwrap();
            let rect = flat(&plane, edges(&plane), Border::OF_PICTURES);
            assert!(rect.left < rect.right && rect.top < rect.bottom, "{w}x{h}");
        }
    }
}
