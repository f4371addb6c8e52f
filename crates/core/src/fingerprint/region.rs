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
    match picture {
        Picture::Luma(luma) => shrunk(luma, LONGEST),
        Picture::Rgb(rgb) => {
            let grey: Vec<u8> = rgb.pixels().as_chunks::<3>().0.iter().map(|&pixel| luma_of(pixel)).collect();
            shrink(&grey, (rgb.width(), rgb.height()), LONGEST)
        }
    }
}

/// The same with another longest side.
pub(super) fn shrunk(luma: &Luma, most: usize) -> Luma {
    shrink(luma.pixels(), (luma.width(), luma.height()), most)
}

/// ITU-R BT.601 luma in 16-bit fixed point, rounded.
fn luma_of([r, g, b]: [u8; 3]) -> u8 {
    ((19_595 * u32::from(r) + 38_470 * u32::from(g) + 7_471 * u32::from(b) + 32_768) >> 16) as u8
}

fn shrink(from: &[u8], (width, height): (u32, u32), most: usize) -> Luma {
    let (width, height) = (width as usize, height as usize);
    let longest = width.max(height);
    let fit = |side: usize| if longest <= most { side } else { ((side * most + longest / 2) / longest).max(1) };
    let (to_width, to_height) = (fit(width), fit(height));
    let work = Shrink { from, width, height, to_width, to_height };
    let pixels = if longest <= most { from.to_vec() } else { wide(Level::best(), work) };
    Luma::new(to_width as u32, to_height as u32, pixels).expect("the sides were just chosen")
}

struct Shrink<'a> {
    from: &'a [u8],
    width: usize,
    height: usize,
    to_width: usize,
    to_height: usize,
}

impl Work for Shrink<'_> {
    type Output = Vec<u8>;

    #[inline(always)]
    fn run(self) -> Vec<u8> {
        match self.width / self.to_width {
            1 => self.by::<1>(),
            2 => self.by::<2>(),
            3 => self.by::<3>(),
            _ => self.by::<0>(),
        }
    }
}

impl Shrink<'_> {
    /// Where columns of the result stand for `NARROW` columns or one more, which 0 leaves open.
    #[inline(always)]
    fn by<const NARROW: usize>(self) -> Vec<u8> {
        let Shrink { from, width, height, to_width, to_height } = self;
        let narrow = if NARROW > 0 { NARROW } else { width / to_width };
        let start = |n: usize, side: usize, of: usize| n * side / of;
        let places: Vec<(usize, usize)> = (0..to_width)
            .map(|x| (start(x, width, to_width), start(x + 1, width, to_width)))
            .map(|(place, end)| (place, end - place - narrow))
            .collect();
        // Sums of 8-bit values of fewer than 2^24 pixels: they wrap in name only, so that the loops can be vectorised. One
        // column more than there are, which is added as nothing.
        let mut sums = vec![0_u32; width + 1];
        let mut out = vec![0_u8; to_width * to_height];
        for (y, out) in out.chunks_exact_mut(to_width).enumerate() {
            let rows = start(y, height, to_height)..start(y + 1, height, to_height);
            sums.fill(0);
            for row in from.chunks_exact(width).take(rows.end).skip(rows.start) {
                sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum = sum.wrapping_add(u32::from(value)));
            }
            let means = [narrow, narrow + 1].map(|columns| Mean::of(columns * rows.len()));
            for (out, &(place, more)) in out.iter_mut().zip(&places) {
                let columns = &sums[place..=place + narrow];
                let mut sum = columns[narrow] * more as u32;
                for &value in &columns[..narrow] {
                    sum = sum.wrapping_add(value);
                }
                *out = means[more].round(sum);
            }
        }
        out
    }
}

/// Rounded means of so many values, without a division each.
#[derive(Clone, Copy)]
struct Mean {
    half: u32,
    reciprocal: u64,
}

impl Mean {
    /// Of `count` values of 8 bits, at least one. The quotient is exact while 256 * count squared is below 2^48, and a
    /// picture that could have a larger block has more pixels than any decoder hands over.
    fn of(count: usize) -> Mean {
        let count = count as u64;
        debug_assert!(count < 1 << 20);
        Mean { half: count as u32 / 2, reciprocal: (1 << 48) / count + 1 }
    }

    fn round(self, sum: u32) -> u8 {
        ((u64::from(sum + self.half) * self.reciprocal) >> 48) as u8
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
