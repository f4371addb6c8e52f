//! Regions: 64x64 values of a part of a plane, from which PDQ's transform makes a code.
//!
//! A cell's value is the mean under a tent as wide as the cell, centred on it: what PDQ's two box filters amount to, for
//! a rectangle anywhere in the picture. Sums are `f32` in a fixed order.

use minutia_machine::{Level, Work, wide};
use minutia_media::{Luma, Picture};

use super::pdq::SIDE;

/// The longer side of the plane from which views are cut.
pub(super) const LONGEST: usize = 512;

/// The picture's luma, each pixel the mean of those that it stands for, its longer side at most [`LONGEST`].
pub(super) fn reduced(picture: &Picture) -> Luma {
    shrunk(picture, LONGEST)
}

/// The same with another longest side.
pub(super) fn shrunk(picture: &Picture, most: usize) -> Luma {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let longest = width.max(height);
    let fit = |side: usize| if longest <= most { side } else { ((side * most + longest / 2) / longest).max(1) };
    let (to_width, to_height) = (fit(width), fit(height));
    let pixels = match picture {
        Picture::Luma(luma) if (to_width, to_height) == (width, height) => luma.pixels().to_vec(),
        Picture::Luma(luma) => shrink(luma.pixels(), width, height, to_width, to_height),
        Picture::Rgb(rgb) => {
            let grey: Vec<u8> = rgb.pixels().as_chunks::<3>().0.iter().map(|&pixel| luma_of(pixel)).collect();
            shrink(&grey, width, height, to_width, to_height)
        }
    };
    Luma::new(to_width as u32, to_height as u32, pixels).expect("the sides were just chosen")
}

/// ITU-R BT.601 luma in 16-bit fixed point, rounded.
fn luma_of([r, g, b]: [u8; 3]) -> u8 {
    ((19_595 * u32::from(r) + 38_470 * u32::from(g) + 7_471 * u32::from(b) + 32_768) >> 16) as u8
}

fn shrink(from: &[u8], width: usize, height: usize, to_width: usize, to_height: usize) -> Vec<u8> {
    let start = |n: usize, side: usize, of: usize| n * side / of;
    let columns: Vec<usize> = (0..=to_width).map(|x| start(x, width, to_width)).collect();
    let narrow = width / to_width;
    // Sums of 8-bit values of fewer than 2^24 pixels: they wrap in name only, so that the loops can be vectorised.
    let mut sums = vec![0_u32; width];
    let mut out = Vec::with_capacity(to_width * to_height);
    for y in 0..to_height {
        let rows = start(y, height, to_height)..start(y + 1, height, to_height);
        sums.fill(0);
        for row in from.chunks_exact(width).take(rows.end).skip(rows.start) {
            sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum = sum.wrapping_add(u32::from(value)));
        }
        // Columns of a result stand for `narrow` columns or one more.
        let means = [narrow, narrow + 1].map(|columns| Mean::of(columns * rows.len()));
        out.extend(columns.windows(2).map(|pair| {
            let sum = sums[pair[0]..pair[1]].iter().fold(0, |sum: u32, &value| sum.wrapping_add(value));
            means[pair[1] - pair[0] - narrow].round(sum)
        }));
    }
    out
}

/// Rounded means of so many values, without a division each.
#[derive(Clone, Copy)]
struct Mean {
    half: u64,
    reciprocal: u64,
}

impl Mean {
    /// Of `count` values of 8 bits, at least one. The quotient is exact while 256 * count squared is below 2^48, and a
    /// picture that could have a larger block has more pixels than any decoder hands over.
    fn of(count: usize) -> Mean {
        let count = count as u64;
        debug_assert!(count < 1 << 20);
        Mean { half: count / 2, reciprocal: (1 << 48) / count + 1 }
    }

    fn round(self, sum: u32) -> u8 {
        (((u64::from(sum) + self.half) * self.reciprocal) >> 48) as u8
    }
}

/// A part of a plane in pixels, not necessarily whole ones, half open.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Part {
    pub(super) left: f32,
    pub(super) top: f32,
    pub(super) right: f32,
    pub(super) bottom: f32,
}

/// The 64x64 values of `part`, row-major.
pub(super) fn values(plane: &Luma, part: Part) -> Vec<f32> {
    wide(Level::best(), Values { plane, part })
}

struct Values<'a> {
    plane: &'a Luma,
    part: Part,
}

impl Work for Values<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run(self) -> Vec<f32> {
        /// Rows of cells whose sums along a line are taken side by side.
        const TOGETHER: usize = 8;
        let Values { plane, part } = self;
        let width = plane.width() as usize;
        let rows = Tents::of(plane.height() as usize, part.top, part.bottom);
        let columns = Tents::of(width, part.left, part.right);
        let (first, last) = (columns.places[0].from, columns.end());
        let mut line = vec![0.0_f32; last - first];
        let mut lines = vec![[0.0_f32; TOGETHER]; last - first];
        let mut values = vec![0.0_f32; SIDE * SIDE];
        for (some, values) in values.chunks_exact_mut(SIDE * TOGETHER).enumerate() {
            for lane in 0..TOGETHER {
                let (from, weights) = rows.tent(some * TOGETHER + lane);
                line.fill(0.0);
                for (row, &weight) in plane.pixels().chunks_exact(width).skip(from).zip(weights) {
                    line.iter_mut().zip(&row[first..last]).for_each(|(sum, &value)| *sum += weight * f32::from(value));
                }
                lines.iter_mut().zip(&line).for_each(|(lanes, &value)| lanes[lane] = value);
            }
            for cell in 0..SIDE {
                let (from, weights) = columns.tent(cell);
                let mut sums = [0.0_f32; TOGETHER];
                for (lanes, &weight) in lines[from - first..].iter().zip(weights) {
                    sums.iter_mut().zip(lanes).for_each(|(sum, &value)| *sum += weight * value);
                }
                sums.iter().enumerate().for_each(|(lane, &sum)| values[lane * SIDE + cell] = sum);
            }
        }
        values
    }
}

/// The 64x64 values of `part` as it stands in the plane turned by so many degrees about the part's centre: of each cell the
/// mean of a few points between pixels.
pub(super) fn turned_values(plane: &Luma, part: Part, degrees: f32) -> Vec<f32> {
    let angle = degrees * (std::f32::consts::PI / 180.0);
    let (sin, cos) = (libm::sinf(angle), libm::cosf(angle));
    let (middle_x, middle_y) = ((part.left + part.right) / 2.0, (part.top + part.bottom) / 2.0);
    let (width, height) = (part.right - part.left, part.bottom - part.top);
    sampled(plane, |across, down| {
        let dx = across * width + part.left - middle_x;
        let dy = down * height + part.top - middle_y;
        (middle_x + cos * dx - sin * dy, middle_y + sin * dx + cos * dy)
    })
}

/// The corners of a part whose sides need not be upright, in pixels: left above, right above, right below, left below.
pub(super) type Corners = [(f32, f32); 4];

/// The 64x64 values of the part of a slanted picture that `crop` says, in shares of its sides (left, top, right, bottom), seen
/// straight.
pub(super) fn slanted_values(plane: &Luma, corners: &Corners, crop: [f32; 4]) -> Vec<f32> {
    let place = projected(corners);
    sampled(plane, |u, v| place(crop[0] + u * (crop[2] - crop[0]), crop[1] + v * (crop[3] - crop[1])))
}

/// The same part as a picture of so many pixels: each what is between the pixels where its middle is.
pub(super) fn straightened(plane: &Luma, corners: &Corners, crop: [f32; 4], width: u32, height: u32) -> Luma {
    let place = projected(corners);
    let centres =
        |from: f32, to: f32, side: u32| (0..side).map(move |n| from + (to - from) * (n as f32 + 0.5) / side as f32);
    let pixel = |(u, v)| {
        let (x, y) = place(u, v);
        (between(plane, x, y) + 0.5) as u8
    };
    let places = centres(crop[1], crop[3], height).flat_map(|v| centres(crop[0], crop[2], width).map(move |u| (u, v)));
    let pixels = places.map(pixel).collect();
    Luma::new(width, height, pixels).expect("a pixel for each place")
}

/// The level between the pixels at a place, that of the rim beyond it.
fn between(plane: &Luma, x: f32, y: f32) -> f32 {
    let (width, height) = (plane.width() as usize, plane.height() as usize);
    let (x, y) = ((x - 0.5).clamp(0.0, (width - 1) as f32), (y - 0.5).clamp(0.0, (height - 1) as f32));
    let (left, top) = (x as usize, y as usize);
    let (share_x, share_y) = (x - left as f32, y - top as f32);
    let (right, below) = ((left + 1).min(width - 1), (top + 1).min(height - 1));
    let line = |row: usize| {
        let at = |column: usize| f32::from(plane.pixels()[row * width + column]);
        at(left) * (1.0 - share_x) + at(right) * share_x
    };
    line(top) * (1.0 - share_y) + line(below) * share_y
}

/// The projective map that takes the unit square to the corners (Heckbert, "Fundamentals of Texture Mapping and Image Warping",
/// 1989, section 2.2.3).
fn projected(corners: &Corners) -> impl Fn(f32, f32) -> (f32, f32) + Copy {
    let [(x0, y0), (x1, y1), (x2, y2), (x3, y3)] = *corners;
    let (sum_x, sum_y) = (x0 - x1 + x2 - x3, y0 - y1 + y2 - y3);
    let (dx1, dx2, dy1, dy2) = (x1 - x2, x3 - x2, y1 - y2, y3 - y2);
    let across = dx1 * dy2 - dx2 * dy1;
    let across = if across.abs() < 1.0 { 1.0 } else { across };
    let (g, h) = ((sum_x * dy2 - dx2 * sum_y) / across, (dx1 * sum_y - sum_x * dy1) / across);
    let (a, b) = (x1 - x0 + g * x1, x3 - x0 + h * x3);
    let (d, e) = (y1 - y0 + g * y1, y3 - y0 + h * y3);
    move |u, v| {
        let below = (g * u + h * v + 1.0).max(0.1);
        ((a * u + b * v + x0) / below, (d * u + e * v + y0) / below)
    }
}

/// Of each of 64x64 cells the mean of a few points between pixels; `place` tells where in the plane the point is that lies so
/// far from left to right and from top to bottom, both 0 to 1.
fn sampled(plane: &Luma, place: impl Fn(f32, f32) -> (f32, f32)) -> Vec<f32> {
    wide(Level::best(), Sampled { plane, place })
}

struct Sampled<'a, P> {
    plane: &'a Luma,
    place: P,
}

impl<P: Fn(f32, f32) -> (f32, f32)> Work for Sampled<'_, P> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run(self) -> Vec<f32> {
        points(self.plane, self.place)
    }
}

#[inline(always)]
fn points(plane: &Luma, place: impl Fn(f32, f32) -> (f32, f32)) -> Vec<f32> {
    const POINTS: usize = 2;
    let (width, height) = (plane.width() as usize, plane.height() as usize);
    let side = (SIDE * POINTS) as f32;
    let pixels = plane.pixels();
    // In whole numbers: places in 1/65536 of a pixel, shares of a neighbour in 1/256. With floats this was half of the time
    // that all views of a frame took. Planes have sides of at most 512 pixels.
    const ONE: i32 = 1 << 16;
    let fixed = |value: f32| ((value - 0.5) * ONE as f32) as i32;
    let (most_x, most_y) = ((width as i32 - 1) * ONE, (height as i32 - 1) * ONE);
    let mut values = vec![0.0_f32; SIDE * SIDE];
    for (row, values) in values.chunks_exact_mut(SIDE).enumerate() {
        let mut sums = [0_i32; SIDE];
        for line in 0..POINTS {
            let down = ((row * POINTS + line) as f32 + 0.5) / side;
            for (column, sum) in sums.iter_mut().enumerate() {
                for point in 0..POINTS {
                    let (x, y) = place(((column * POINTS + point) as f32 + 0.5) / side, down);
                    let (x, y) = (fixed(x).clamp(0, most_x), fixed(y).clamp(0, most_y));
                    let (left, top) = ((x >> 16) as usize, (y >> 16) as usize);
                    let (share_x, share_y) = (x >> 8 & 255, y >> 8 & 255);
                    let (here, below) = (top * width + left, if top + 1 < height { width } else { 0 });
                    let right = usize::from(left + 1 < width);
                    let at = |place: usize| i32::from(pixels[place]);
                    let above = at(here) * (256 - share_x) + at(here + right) * share_x;
                    let under = at(here + below) * (256 - share_x) + at(here + below + right) * share_x;
                    *sum += (above * (256 - share_y) + under * share_y) >> 8;
                }
            }
        }
        values.iter_mut().zip(sums).for_each(|(value, sum)| *value = sum as f32 / (256 * POINTS * POINTS) as f32);
    }
    values
}

/// The pixels under each cell's tent and their weights, which sum to 1.
struct Tents {
    places: [Tent; SIDE],
    weights: Vec<f32>,
}

/// The first pixel under a tent, and where its weights stand.
#[derive(Clone, Copy, Default)]
struct Tent {
    from: usize,
    start: usize,
    end: usize,
}

impl Tents {
    #[inline(always)]
    fn of(pixels: usize, start: f32, end: f32) -> Tents {
        let length = end - start;
        let half = (length / (2 * SIDE) as f32).max(1.0);
        let mut weights: Vec<f32> = Vec::with_capacity(SIDE * (2.0 * half + 2.0) as usize);
        let places = std::array::from_fn(|cell| {
            let centre = start + (cell as f32 + 0.5) * length / SIDE as f32;
            let from = ((centre - half).max(0.0) as usize).min(pixels - 1);
            let to = ((centre + half) as usize + 1).clamp(from + 1, pixels);
            let weigh = |pixel: usize| (1.0 - (pixel as f32 + 0.5 - centre).abs() / half).max(0.0);
            let start = weights.len();
            weights.extend((from..to).map(weigh));
            let sum: f32 = weights[start..].iter().sum();
            if sum > 1e-6 {
                weights[start..].iter_mut().for_each(|weight| *weight /= sum);
                return Tent { from, start, end: weights.len() };
            }
            weights.truncate(start);
            weights.push(1.0);
            Tent { from: (centre as usize).min(pixels - 1), start, end: weights.len() }
        });
        Tents { places, weights }
    }

    #[inline(always)]
    fn tent(&self, cell: usize) -> (usize, &[f32]) {
        let Tent { from, start, end } = self.places[cell];
        (from, &self.weights[start..end])
    }

    /// Behind the last pixel under any of them.
    #[inline(always)]
    fn end(&self) -> usize {
        self.places.iter().map(|tent| tent.from + tent.end - tent.start).max().unwrap_or(0)
    }
}

/// How much of the rim of 64x64 values is one shade: the most of its 256 values (corners count twice) that lie within 17
/// neighbouring levels, at most 255. A subject on a plain ground has a high share, and little of its code is its own.
pub(super) fn plain_rim(values: &[f32]) -> u8 {
    let mut levels = [0_u16; 256 + 16];
    let mut count = |value: f32| levels[value.clamp(0.0, 255.0) as usize] += 1;
    for n in 0..SIDE {
        count(values[n]);
        count(values[(SIDE - 1) * SIDE + n]);
        count(values[n * SIDE]);
        count(values[n * SIDE + SIDE - 1]);
    }
    let most = levels.windows(17).map(|window| window.iter().sum::<u16>()).max().unwrap_or(0);
    most.min(255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_stays_constant() {
        for (w, h) in [(1, 1), (1, 700), (700, 1), (63, 65), (513, 2), (1024, 300)] {
            let plane = reduced(&Picture::Luma(Luma::new(w, h, vec![77; (w * h) as usize]).unwrap()));
            assert!(plane.width() <= 512 && plane.height() <= 512);
            let whole = Part { left: 0.0, top: 0.0, right: plane.width() as f32, bottom: plane.height() as f32 };
            assert!(values(&plane, whole).iter().all(|value| (value - 77.0).abs() < 1e-3), "{w}x{h}");
        }
    }

    #[test]
    fn shrinking_keeps_the_mean() {
        let pixels: Vec<u8> = (0..1000 * 800).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let mean = |values: &[u8]| values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64;
        let small = reduced(&Picture::Luma(Luma::new(1000, 800, pixels.clone()).unwrap()));
        assert_eq!((small.width(), small.height()), (512, 410));
        assert!((mean(small.pixels()) - mean(&pixels)).abs() < 0.5);
    }

    #[test]
    fn means_are_the_quotients() {
        for count in (1..3000).chain([65_535, 262_144, (1 << 20) - 1]) {
            let mean = Mean::of(count);
            for sum in
                (0..=255).flat_map(|n| [n * count as u32, (n * count as u32).saturating_sub(count as u32 / 2 + 1)])
            {
                let sum = sum.min(255 * count as u32);
                assert_eq!(u32::from(mean.round(sum)), (sum + count as u32 / 2) / count as u32, "{sum} of {count}");
            }
        }
    }

    #[test]
    fn a_plain_rim_is_full_and_a_ramp_is_not() {
        assert_eq!(plain_rim(&[9.0; SIDE * SIDE]), 255);
        let ramp: Vec<f32> = (0..SIDE * SIDE).map(|n| ((n % SIDE) * 4) as f32).collect();
        assert!(plain_rim(&ramp) < 100);
    }
}
