//! Parts of a frame whose sides are not upright, seen straight: a frame turned by a few degrees, a filmed screen.

use minutia_machine::{Level, Work, wide};
use minutia_media::Luma;

use super::super::pdq::SIDE;
use super::super::region::Part;
use super::plane::Plane;

/// The corners of a part whose sides need not be upright, in pixels: left above, right above, right below, left below.
pub(super) type Corners = [(f32, f32); 4];

/// The 64x64 values of `part` as it stands in the plane turned by so many degrees about the part's centre.
pub(super) fn turned_values(plane: &Plane, part: Part, degrees: f32) -> Vec<f32> {
    let angle = degrees * (std::f32::consts::PI / 180.0);
    let (sin, cos) = (libm::sinf(angle), libm::cosf(angle));
    let (middle_x, middle_y) = ((part.left + part.right) / 2.0, (part.top + part.bottom) / 2.0);
    let (width, height) = (part.right - part.left, part.bottom - part.top);
    sampled(plane, (width, height), |across, down| {
        let dx = across * width + part.left - middle_x;
        let dy = down * height + part.top - middle_y;
        (middle_x + cos * dx - sin * dy, middle_y + sin * dx + cos * dy)
    })
}

/// The same of a square plane into which a picture was squeezed that is `shape` times as wide as high: each value is what is between
/// the pixels at a cell's middle, and what lies beyond is as the edge.
pub(super) fn squeezed_turned_values(plane: &Luma, part: Part, degrees: f32, shape: f32) -> Vec<f32> {
    let angle = degrees * (std::f32::consts::PI / 180.0);
    let (sin, cos) = (libm::sinf(angle), libm::cosf(angle));
    let (middle_x, middle_y) = ((part.left + part.right) / 2.0, (part.top + part.bottom) / 2.0);
    let (side, pixels) = (plane.width() as usize, plane.pixels());
    let most = side.saturating_sub(1);
    let at = |n: usize, from: f32, to: f32| (n as f32 + 0.5) / SIDE as f32 * (to - from) + from;
    let value = |dx: f32, dy: f32| {
        let x = (middle_x + cos * dx - sin * dy / shape - 0.5).clamp(0.0, most as f32);
        let y = (middle_y + sin * dx * shape + cos * dy - 0.5).clamp(0.0, most as f32);
        let (left, top) = (x as usize, y as usize);
        let row = |y: usize| {
            let row = &pixels[y * side..][..side];
            let (here, next) = (f32::from(row[left]), f32::from(row[(left + 1).min(most)]));
            here + (next - here) * (x - left as f32)
        };
        let (above, below) = (row(top), row((top + 1).min(most)));
        above + (below - above) * (y - top as f32)
    };
    let cells = (0..SIDE * SIDE).map(|n| (n % SIDE, n / SIDE));
    cells
        .map(|(column, row)| {
            value(at(column, part.left, part.right) - middle_x, at(row, part.top, part.bottom) - middle_y)
        })
        .collect()
}

/// The 64x64 values of the part of a slanted picture that `crop` says, in shares of its sides (left, top, right, bottom), seen
/// straight.
pub(super) fn slanted_values(plane: &Plane, corners: &Corners, crop: [f32; 4]) -> Vec<f32> {
    let place = projected(corners);
    let (width, height) = size(corners);
    let (across, down) = (crop[2] - crop[0], crop[3] - crop[1]);
    sampled(plane, (width * across, height * down), |u, v| place(crop[0] + u * across, crop[1] + v * down))
}

/// The longer of the two sides across, and of those down, in pixels.
pub(super) fn size([a, b, c, d]: &Corners) -> (f32, f32) {
    let long = |a: &(f32, f32), b: &(f32, f32)| libm::hypotf(a.0 - b.0, a.1 - b.1);
    (long(a, b).max(long(d, c)), long(a, d).max(long(b, c)))
}

/// The same part as a picture of so many pixels: each what is between the pixels where its middle is.
pub(super) fn straightened(plane: &Luma, corners: &Corners, crop: [f32; 4], width: u32, height: u32) -> Luma {
    let size = (width as usize, height as usize);
    let pixels = wide(Level::best(), Straightened { plane, place: projected(corners), crop, size });
    Luma::new(width, height, pixels).expect("a pixel for each place")
}

struct Straightened<'a, P> {
    plane: &'a Luma,
    place: P,
    crop: [f32; 4],
    size: (usize, usize),
}

impl<P: Fn(f32, f32) -> (f32, f32)> Work for Straightened<'_, P> {
    type Output = Vec<u8>;

    #[inline(always)]
    fn run(self) -> Vec<u8> {
        let Straightened { plane, place, crop, size: (width, height) } = self;
        let between = Between::of(plane);
        let centre = |from: f32, to: f32, n: usize, side: usize| from + (to - from) * (n as f32 + 0.5) / side as f32;
        let mut pixels = vec![0_u8; width * height];
        for (row, pixels) in pixels.chunks_exact_mut(width).enumerate() {
            let v = centre(crop[1], crop[3], row, height);
            for (column, pixel) in pixels.iter_mut().enumerate() {
                let (x, y) = place(centre(crop[0], crop[2], column, width), v);
                *pixel = ((between.level(x, y) + 128) >> 8) as u8;
            }
        }
        pixels
    }
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

/// The 64x64 values of a part about so many pixels wide and high; `place` tells where in the plane the point is that lies so far
/// from left to right and from top to bottom, both 0 to 1. A cell's value is what is between the pixels at its middle, or the
/// mean at a few points, in a plane shrunk so far that these pixels are about all that the cell stands for.
fn sampled(plane: &Plane, (width, height): (f32, f32), place: impl Fn(f32, f32) -> (f32, f32)) -> Vec<f32> {
    /// Pixels on a side of a cell for which one point between them is enough.
    const CELL: f32 = 2.0;
    const MOST_POINTS: f32 = 4.0;
    let cell = [width, height].map(|side| (side / SIDE as f32).max(0.25));
    let halved = (libm::log2f(libm::sqrtf(cell[0] * cell[1]) / CELL).max(0.0) as usize).min(Plane::MOST_HALVED);
    let luma = plane.halved(halved);
    let (from, to) = (plane.size(), (luma.width(), luma.height()));
    let scale = (to.0 as f32 / from.0 as f32, to.1 as f32 / from.1 as f32);
    let points = [cell[0] * scale.0, cell[1] * scale.1].map(|cell| libm::roundf(cell / CELL).clamp(1.0, MOST_POINTS));
    let place = |u: f32, v: f32| {
        let (x, y) = place(u, v);
        (x * scale.0, y * scale.1)
    };
    wide(Level::best(), Sampled { luma, place, points: points.map(|points| points as usize) })
}

struct Sampled<'a, P> {
    luma: &'a Luma,
    place: P,
    /// Of each cell, across and down.
    points: [usize; 2],
}

impl<P: Fn(f32, f32) -> (f32, f32)> Work for Sampled<'_, P> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run(self) -> Vec<f32> {
        let Sampled { luma, place, points: [across, down] } = self;
        let between = Between::of(luma);
        let sides = ((SIDE * across) as f32, (SIDE * down) as f32);
        let mut values = vec![0.0_f32; SIDE * SIDE];
        for (row, values) in values.chunks_exact_mut(SIDE).enumerate() {
            let mut sums = [0_i32; SIDE];
            for line in 0..down {
                let v = ((row * down + line) as f32 + 0.5) / sides.1;
                for (column, sum) in sums.iter_mut().enumerate() {
                    for point in 0..across {
                        let (x, y) = place(((column * across + point) as f32 + 0.5) / sides.0, v);
                        *sum += between.level(x, y);
                    }
                }
            }
            values.iter_mut().zip(sums).for_each(|(value, sum)| *value = sum as f32 / (256 * across * down) as f32);
        }
        values
    }
}

/// Levels between the pixels of a plane, those of its rim beyond it. In whole numbers: places in 1/65536 of a pixel, shares of a
/// neighbour in 1/256. With floats this was half of the time that all views of a frame took. Planes have sides of at most
/// 512 pixels.
struct Between<'a> {
    pixels: &'a [u8],
    width: usize,
    height: usize,
}

impl Between<'_> {
    const ONE: i32 = 1 << 16;

    #[inline(always)]
    fn of(plane: &Luma) -> Between<'_> {
        Between { pixels: plane.pixels(), width: plane.width() as usize, height: plane.height() as usize }
    }

    /// In 1/256 of a level.
    #[inline(always)]
    fn level(&self, x: f32, y: f32) -> i32 {
        let fixed = |value: f32| ((value - 0.5) * Self::ONE as f32) as i32;
        let most = |side: usize| (side as i32 - 1) * Self::ONE;
        let (x, y) = (fixed(x).clamp(0, most(self.width)), fixed(y).clamp(0, most(self.height)));
        let (left, top) = ((x >> 16) as usize, (y >> 16) as usize);
        let (share_x, share_y) = (x >> 8 & 255, y >> 8 & 255);
        let (here, below) = (top * self.width + left, if top + 1 < self.height { self.width } else { 0 });
        let right = usize::from(left + 1 < self.width);
        let at = |place: usize| i32::from(self.pixels[place]);
        let above = at(here) * (256 - share_x) + at(here + right) * share_x;
        let under = at(here + below) * (256 - share_x) + at(here + below + right) * share_x;
        (above * (256 - share_y) + under * share_y) >> 8
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::pdq::{code, transform};
    use super::super::super::region::values;
    use super::*;

    /// Something to see at every scale, on a plane of that size.
    fn scene(width: u32, height: u32) -> Plane {
        let pixel = |n: u32| {
            let (x, y) = ((n % width) as f32 / width as f32, (n / width) as f32 / height as f32);
            // Sums of a wave for each of many directions and lengths, the longer the stronger.
            let wave = |n: u32| {
                let (a, b) = ((n * 37 % 61) as f32 - 30.0, (n * 53 % 67) as f32 - 33.0);
                libm::sinf(a * x + b * y + n as f32) * 120.0 / (8.0 + libm::hypotf(a, b))
            };
            (128.0 + (0..40).map(wave).sum::<f32>()).clamp(0.0, 255.0) as u8
        };
        Plane::of(Luma::new(width, height, (0..width * height).map(pixel).collect()).unwrap())
    }

    fn apart(a: &[f32], b: &[f32]) -> u32 {
        code(&transform(a)).distance(&code(&transform(b)))
    }

    #[test]
    fn what_stands_upright_is_what_is_cut_upright() {
        /// Tents and points are not the same filter; chance has 128.
        const BITS: u32 = 24;
        // Planes from which cells of a half to eight pixels are cut.
        for (width, height) in [(512, 288), (512, 512), (200, 400), (64, 64), (40, 30)] {
            let plane = scene(width, height);
            let (width, height) = (width as f32, height as f32);
            for [left, top, right, bottom] in [[0.0, 0.0, 1.0, 1.0], [0.1, 0.2, 0.9, 0.8], [0.45, 0.3, 0.8, 0.9]] {
                let part =
                    Part { left: left * width, top: top * height, right: right * width, bottom: bottom * height };
                let upright = values(&plane.luma, part);
                let corners = [
                    (part.left, part.top),
                    (part.right, part.top),
                    (part.right, part.bottom),
                    (part.left, part.bottom),
                ];
                assert!(apart(&upright, &turned_values(&plane, part, 0.0)) <= BITS, "{part:?}");
                assert!(apart(&upright, &slanted_values(&plane, &corners, [0.0, 0.0, 1.0, 1.0])) <= BITS, "{part:?}");
                let whole = [(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)];
                assert!(
                    apart(&upright, &slanted_values(&plane, &whole, [left, top, right, bottom])) <= BITS,
                    "{part:?}"
                );
            }
        }
    }

    #[test]
    fn what_was_squeezed_into_a_square_is_turned_as_what_it_shows() {
        for (width, height) in [(512, 288), (288, 512), (400, 400)] {
            let plane = scene(width, height);
            let (width, height) = (width as f32, height as f32);
            let levels = values(&plane.luma, Part { left: 0.0, top: 0.0, right: width, bottom: height });
            let squeezed = Luma::new(64, 64, levels.iter().map(|level| level.round() as u8).collect()).unwrap();
            let part = |width, height| Part {
                left: 0.12 * width,
                top: 0.1 * height,
                right: 0.84 * width,
                bottom: 0.88 * height,
            };
            for degrees in [-5.0, -1.0, 2.5, 6.0] {
                let wanted = turned_values(&plane, part(width, height), degrees);
                let got = |degrees| squeezed_turned_values(&squeezed, part(64.0, 64.0), degrees, width / height);
                let [right, wrong] = [degrees, -degrees].map(|degrees| apart(&wanted, &got(degrees)));
                assert!(right <= 32 && wrong > right + 16, "{width} {height} {degrees}: {right}, {wrong}");
            }
        }
    }

    #[test]
    fn a_turned_part_is_not_the_upright_one_and_is_turned_back() {
        let plane = scene(512, 288);
        let part = Part { left: 60.0, top: 30.0, right: 450.0, bottom: 260.0 };
        let (upright, turned) = (values(&plane.luma, part), turned_values(&plane, part, 4.0));
        assert!(apart(&upright, &turned) > 20);
        // The corners of a part that is turned clockwise about its middle.
        let angle = 4.0_f32.to_radians();
        let corner = |x: f32, y: f32| {
            let (dx, dy) = (x - 255.0, y - 145.0);
            (255.0 + dx * angle.cos() - dy * angle.sin(), 145.0 + dx * angle.sin() + dy * angle.cos())
        };
        let corners = [corner(60.0, 30.0), corner(450.0, 30.0), corner(450.0, 260.0), corner(60.0, 260.0)];
        assert!(apart(&turned, &slanted_values(&plane, &corners, [0.0, 0.0, 1.0, 1.0])) <= 4);
    }

    #[test]
    fn a_constant_stays_constant_and_corners_may_lie_outside() {
        for (width, height) in [(1, 1), (1, 500), (63, 65), (512, 300)] {
            let plane = Plane::of(Luma::new(width, height, vec![77; (width * height) as usize]).unwrap());
            let corners = [(-900.0, -40.0), (1e6, 3.0), (700.0, 1e9), (2.0, 2.0)];
            let seen = slanted_values(&plane, &corners, [-0.5, 0.0, 1.0, 2.0]);
            assert!(seen.iter().all(|value| (value - 77.0).abs() < 1e-3), "{width}x{height}");
            assert!(
                straightened(&plane.luma, &corners, [0.0, 0.0, 1.0, 1.0], 32, 48).pixels().iter().all(|&p| p == 77)
            );
        }
    }
}
