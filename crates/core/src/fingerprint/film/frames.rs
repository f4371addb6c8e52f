//! Rectangles whose edges stay where they are while what they show changes: a picture in a picture, a filmed screen, one
//! of two films side by side.
//!
//! Of a small plane's steps between neighbouring pixels the lower quartile over the frames is kept: what moves leaves
//! nothing. Lines with many such steps are candidates, and a rectangle of four lines is worth the share of its least
//! supported side; the frame's own sides count half.

use minutia_media::Luma;

use super::super::trim::Rect;
use super::plane::Plane;

/// A persistent step of so many levels is an edge.
const STEP: u8 = 6;
/// Lines on each axis.
const LINES: usize = 11;
/// Pixels without an edge that do not end a run.
const GAP: u32 = 2;
/// A line has at least this share of edges, of the side that crosses it.
const LEAST_SHARE: f32 = 0.15;
/// A rectangle's sides are at least this share of the frame's.
const LEAST_SIDE: f32 = 0.24;
/// What a side of the frame itself counts for.
const OWN_SIDE: f32 = 0.45;

/// The likeliest rectangles of frames of one size, at most `most`, in pixels of the planes; never the whole frame.
pub(super) fn rectangles(planes: &[&Plane], most: usize) -> Vec<Rect> {
    let Some(first) = planes.first() else { return Vec::new() };
    let small: Vec<&Luma> = planes.iter().map(|plane| plane.small()).collect();
    let (width, height) = (small[0].width() as usize, small[0].height() as usize);
    if width < 32 || height < 32 || small.iter().any(|plane| plane.width() as usize != width) {
        return Vec::new();
    }
    // An edge left of the pixel, and above it.
    let mut beside = persistent(&small, 1);
    // What stands before the first pixel of a row is the last of the row above.
    beside.iter_mut().step_by(width).for_each(|edge| *edge = false);
    let above = persistent(&small, width);
    // Sums down each column and along each row, so that a side's edges are a difference.
    let mut down = vec![0_u32; width * (height + 1)];
    for y in 0..height {
        for x in 0..width {
            down[(y + 1) * width + x] = down[y * width + x] + u32::from(beside[y * width + x]);
        }
    }
    let mut along = vec![0_u32; height * (width + 1)];
    for y in 0..height {
        for x in 0..width {
            along[y * (width + 1) + x + 1] = along[y * (width + 1) + x] + u32::from(above[y * width + x]);
        }
    }
    // An edge may be soft or fall between two pixels: the better of two neighbours counts.
    let column = |x: usize, top: usize, bottom: usize| {
        let of = |x: usize| down[bottom * width + x] - down[top * width + x];
        let sum = of(x).max(if x + 1 < width { of(x + 1) } else { 0 }).max(of(x - 1));
        sum as f32 / (bottom - top) as f32
    };
    let row = |y: usize, left: usize, right: usize| {
        let of = |y: usize| along[y * (width + 1) + right] - along[y * (width + 1) + left];
        let sum = of(y).max(if y + 1 < height { of(y + 1) } else { 0 }).max(of(y - 1));
        sum as f32 / (right - left) as f32
    };
    // A side is a run of edges; a texture that stands still has as many, but scattered.
    let columns = lines(width, |x| longest_run((0..height).map(|y| beside[y * width + x])), height);
    let rows = lines(height, |y| longest_run((0..width).map(|x| above[y * width + x])), width);
    let mut found: Vec<(u32, Rect)> = Vec::new();
    for (place, &left) in columns.iter().enumerate() {
        for &right in &columns[place + 1..] {
            if ((right - left) as f32) < LEAST_SIDE * width as f32 {
                continue;
            }
            for (place, &top) in rows.iter().enumerate() {
                for &bottom in &rows[place + 1..] {
                    let whole = right - left == width && bottom - top == height;
                    if whole || ((bottom - top) as f32) < LEAST_SIDE * height as f32 {
                        continue;
                    }
                    let side = |own: bool, share: f32| if own { OWN_SIDE } else { share };
                    let sides = [
                        side(left == 0, if left == 0 { 0.0 } else { column(left, top, bottom) }),
                        side(right == width, if right == width { 0.0 } else { column(right, top, bottom) }),
                        side(top == 0, if top == 0 { 0.0 } else { row(top, left, right) }),
                        side(bottom == height, if bottom == height { 0.0 } else { row(bottom, left, right) }),
                    ];
                    let least = sides.iter().copied().fold(1.0, f32::min);
                    let worth = least + sides.iter().sum::<f32>() / 8.0;
                    if least >= LEAST_SHARE {
                        found.push(((worth * 10_000.0) as u32, Rect { left, top, right, bottom }));
                    }
                }
            }
        }
    }
    let key = |rect: &Rect| (rect.left, rect.top, rect.right, rect.bottom);
    found.sort_by(|(a, at), (b, bt)| b.cmp(a).then(key(at).cmp(&key(bt))));
    found.truncate(most);
    let scale = |value: usize, side: usize, of: usize| (value * of + side / 2) / side;
    let (to_width, to_height) = (first.size().0 as usize, first.size().1 as usize);
    let large = |rect: Rect| Rect {
        left: scale(rect.left, width, to_width),
        top: scale(rect.top, height, to_height),
        right: scale(rect.right, width, to_width),
        bottom: scale(rect.bottom, height, to_height),
    };
    found.into_iter().map(|(_, rect)| large(rect)).collect()
}

/// Where the lower quartile over the frames of the step from the pixel so many places before is an edge: where no more than a
/// quarter of the frames have none.
fn persistent(planes: &[&Luma], back: usize) -> Vec<bool> {
    let mut without = vec![0_u16; planes[0].pixels().len() - back];
    for plane in planes {
        let steps = plane.pixels().iter().zip(&plane.pixels()[back..]).map(|(before, here)| before.abs_diff(*here));
        // A shot has far fewer frames than are counted here.
        without.iter_mut().zip(steps).for_each(|(sum, step)| *sum = sum.wrapping_add(u16::from(step < STEP)));
    }
    let quarter = planes.len() / 4;
    let first = std::iter::repeat_n(false, back);
    first.chain(without.into_iter().map(|count| usize::from(count) <= quarter)).collect()
}

/// The edges of the longest run.
fn longest_run(edges: impl Iterator<Item = bool>) -> u32 {
    let (mut longest, mut run, mut gap) = (0, 0, 0);
    for edge in edges {
        if edge {
            (run, gap) = (run + 1, 0);
            longest = longest.max(run);
        } else {
            gap += 1;
            if gap > GAP {
                run = 0;
            }
        }
    }
    longest
}

/// The lines of one axis with the longest runs of edges, the frame's own two among them, ascending.
fn lines(length: usize, edges: impl Fn(usize) -> u32, across: usize) -> Vec<usize> {
    let mut counts: Vec<u32> = (0..length).map(edges).collect();
    let mut kept = vec![0, length];
    for _ in 0..LINES {
        let (mut at, mut most) = (0, 0);
        for (place, &count) in counts.iter().enumerate().skip(2).take(length.saturating_sub(4)) {
            if count > most {
                (at, most) = (place, count);
            }
        }
        if (most as f32) < LEAST_SHARE * LEAST_SIDE * across as f32 || most == 0 {
            break;
        }
        kept.push(at);
        counts[at.saturating_sub(2)..(at + 3).min(length)].fill(0);
    }
    kept.sort_unstable();
    kept
}
