//! PDQ: 256 bits of a picture's low frequencies, and a quality (Meta, "The TMK+PDQF Video-Hashing Algorithm and the PDQ
//! Image-Hashing Algorithm", 2019).
//!
//! Luma is smoothed by two passes of a box filter each way (a tent), sampled to 64x64, and transformed to the 16x16 lowest
//! frequencies without the constant; a bit says whether a coefficient lies above the median. All arithmetic is `f32` in the
//! reference's order, so that codes agree bit for bit.

use std::sync::OnceLock;

use minutia_machine::{Level, Work, wide};
use minutia_media::{Luma, Picture};

use super::smooth::to_64;
use super::{Code, Dihedral};

/// A PDQ code and its quality.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hash {
    /// The code.
    pub code: Code,
    /// 0 (nothing to see) to 100; the reference advises to drop codes below 50.
    pub quality: u8,
}

/// The eight codes of one plane, in the order of [`Dihedral::ALL`], and their common quality.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DihedralHash {
    /// The codes.
    pub codes: [Code; 8],
    /// As in [`struct@Hash`].
    pub quality: u8,
}

/// A plane of luma in `f32` that is made row by row: whole and smoothed it would take four times the picture's memory.
struct Plane<'p, W> {
    picture: &'p Picture,
    /// For each column of the plane the picture's column.
    columns: Vec<usize>,
    height: usize,
    weigh: W,
}

/// The side to which `pdq-512` samples larger pictures.
const SAMPLED: usize = 512;
pub(super) const SIDE: usize = 64;
const LOW: usize = 16;
/// The lowest frequencies but the constant, a row a vertical frequency.
pub(super) type Low = [[f32; LOW]; LOW];
/// The reference gives pictures with a shorter side an all-zero code of quality 0.
const SHORTEST: usize = 5;

/// The dialect of python-threatexchange and pip `pdqhash`: the filter runs over the full-size picture.
pub fn pdq(picture: &Picture) -> Hash {
    first(&pdq_dihedral(picture))
}

/// The dialect of the C++ tool: pictures are brought to 512x512 by nearest neighbour first.
pub fn pdq_512(picture: &Picture) -> Hash {
    first(&pdq_512_dihedral(picture))
}

/// All eight codes in the dialect of [`pdq`].
pub fn pdq_dihedral(picture: &Picture) -> DihedralHash {
    // pip pdqhash weighs in f64 and rounds once, the C++ tool weighs in f32: visible where coefficients are nearly zero.
    let weigh = |[r, g, b]: [u8; 3]| (0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b)) as f32;
    dihedral(&Plane::new(picture, picture.width() as usize, picture.height() as usize, weigh))
}

/// All eight codes in the dialect of [`pdq_512`].
pub fn pdq_512_dihedral(picture: &Picture) -> DihedralHash {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let weigh = |[r, g, b]: [u8; 3]| 0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b);
    let (to_width, to_height) = if width > SAMPLED || height > SAMPLED { (SAMPLED, SAMPLED) } else { (width, height) };
    dihedral(&Plane::new(picture, to_width, to_height, weigh))
}

/// The code of a film's frame as it is stored, black at 16 and white at 235, with the quality of what is shown: a code does
/// not depend on the range, a quality does.
pub(super) fn pdq_stored(frame: &Luma) -> Hash {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    if width < SHORTEST || height < SHORTEST {
        return Hash { code: Code([0; 32]), quality: 0 };
    }
    let mut small = to_64(width, height, |y, row| {
        let pixels = &frame.pixels()[y * width..][..width];
        row.iter_mut().zip(pixels).for_each(|(to, &value)| *to = f32::from(value));
    });
    let code = code(&transform(&small));
    small.iter_mut().for_each(|value| *value *= 255.0 / 219.0);
    Hash { code, quality: quality(&small) }
}

fn first(hashes: &DihedralHash) -> Hash {
    Hash { code: hashes.codes[0], quality: hashes.quality }
}

impl<'p, W: Fn([u8; 3]) -> f32> Plane<'p, W> {
    /// Nearest neighbour: column `x` of the plane is column `x * picture's width / width` of the picture.
    fn new(picture: &'p Picture, width: usize, height: usize, weigh: W) -> Plane<'p, W> {
        let columns = (0..width).map(|x| x * picture.width() as usize / width).collect();
        Plane { picture, columns, height, weigh }
    }

    fn width(&self) -> usize {
        self.columns.len()
    }

    /// Row `y` into `to`, which is as wide as the plane.
    fn row(&self, y: usize, to: &mut [f32]) {
        let (width, height) = (self.picture.width() as usize, self.picture.height() as usize);
        let y = y * height / self.height;
        match self.picture {
            Picture::Luma(luma) => {
                let row = &luma.pixels()[y * width..][..width];
                if to.len() == width {
                    to.iter_mut().zip(row).for_each(|(to, &value)| *to = f32::from(value));
                } else {
                    to.iter_mut().zip(&self.columns).for_each(|(to, &x)| *to = f32::from(row[x]));
                }
            }
            Picture::Rgb(rgb) => {
                let (row, _) = rgb.pixels()[3 * y * width..][..3 * width].as_chunks::<3>();
                to.iter_mut().zip(&self.columns).for_each(|(to, &x)| *to = (self.weigh)(row[x]));
            }
        }
    }
}

/// All eight codes of a plane, from one transform.
fn dihedral<W: Fn([u8; 3]) -> f32>(plane: &Plane<'_, W>) -> DihedralHash {
    if plane.width() < SHORTEST || plane.height < SHORTEST {
        return DihedralHash { codes: [Code([0; 32]); 8], quality: 0 };
    }
    let small = to_64(plane.width(), plane.height, |y, row| plane.row(y, row));
    let low = transform(&small);
    DihedralHash { codes: Dihedral::ALL.map(|turn| code(&turned(&low, turn))), quality: quality(&small) }
}

pub(super) fn quality(small: &[f32]) -> u8 {
    // At most 100 each, and 8,064 of them: the sum wraps in name only, so that it can be vectorised.
    let step = |u: f32, v: f32| ((((u - v) * 100.0) / 255.0) as i32).wrapping_abs();
    let steps = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&u, &v)| step(u, v)).fold(0, i32::wrapping_add);
    let down = steps(&small[..SIDE * (SIDE - 1)], &small[SIDE..]);
    let across = small.chunks_exact(SIDE).map(|row| steps(&row[..SIDE - 1], &row[1..])).fold(0, i32::wrapping_add);
    ((down + across) / 90).min(100) as u8
}

fn matrix() -> &'static [[f32; SIDE]; LOW] {
    static MATRIX: OnceLock<[[f32; SIDE]; LOW]> = OnceLock::new();
    MATRIX.get_or_init(|| {
        let scale = (2.0 / SIDE as f64).sqrt() as f32;
        std::array::from_fn(|i| {
            std::array::from_fn(|j| {
                let angle = std::f64::consts::PI / 2.0 / SIDE as f64 * (i + 1) as f64 * (2 * j + 1) as f64;
                // Not the platform's cosine, which may differ in the last bit between C libraries.
                (f64::from(scale) * libm::cos(angle)) as f32
            })
        })
    })
}

pub(super) fn transform(small: &[f32]) -> Low {
    wide(Level::best(), Transform { small, matrix: matrix() })
}

struct Transform<'a> {
    small: &'a [f32],
    matrix: &'static [[f32; SIDE]; LOW],
}

impl Work for Transform<'_> {
    type Output = Low;

    /// Sums stand side by side, each in the reference's order.
    #[inline(always)]
    fn run(self) -> Low {
        let mut half = [[0.0_f32; SIDE]; LOW];
        for (row, weights) in half.iter_mut().zip(self.matrix) {
            for (line, &weight) in self.small.as_chunks::<SIDE>().0.iter().zip(weights) {
                for (sum, &value) in row.iter_mut().zip(line) {
                    *sum += weight * value;
                }
            }
        }
        let mut turned = [[0.0_f32; LOW]; SIDE];
        for (j, weights) in self.matrix.iter().enumerate() {
            turned.iter_mut().zip(weights).for_each(|(lanes, &weight)| lanes[j] = weight);
        }
        let mut low = [[0.0_f32; LOW]; LOW];
        for (sums, row) in low.iter_mut().zip(&half) {
            for (&value, weights) in row.iter().zip(&turned) {
                sums.iter_mut().zip(weights).for_each(|(sum, &weight)| *sum += value * weight);
            }
        }
        low
    }
}

/// Whether coefficient number `n` on an axis changes its sign where that axis is turned round: frequency `n + 1` is odd.
pub(super) fn odd(n: usize) -> bool {
    n.is_multiple_of(2)
}

pub(super) fn turned(low: &Low, turn: Dihedral) -> Low {
    let (swapped, rows, columns) = match turn {
        Dihedral::Identity => (false, false, false),
        Dihedral::Rotate90 => (true, true, false),
        Dihedral::Rotate180 => (false, true, true),
        Dihedral::Rotate270 => (true, false, true),
        Dihedral::FlipX => (false, true, false),
        Dihedral::FlipY => (false, false, true),
        Dihedral::FlipPlus1 => (true, false, false),
        Dihedral::FlipMinus1 => (true, true, true),
    };
    let mut turned = *low;
    if swapped {
        for (i, row) in turned.iter_mut().enumerate() {
            row.iter_mut().zip(low).for_each(|(value, row)| *value = row[i]);
        }
    }
    for (i, row) in turned.iter_mut().enumerate() {
        if rows && odd(i) {
            row.iter_mut().for_each(|value| *value = -*value);
        }
        if columns {
            row.iter_mut().enumerate().filter(|(j, _)| odd(*j)).for_each(|(_, value)| *value = -*value);
        }
    }
    turned
}

pub(super) fn code(low: &Low) -> Code {
    // As whole numbers, which are faster to compare: the order is that of `f32::total_cmp`.
    let key = |bits: i32| bits ^ (((bits >> 31) as u32) >> 1) as i32;
    let mut keys = [0_i32; LOW * LOW];
    keys.iter_mut().zip(low.as_flattened()).for_each(|(to, value)| *to = key(value.to_bits() as i32));
    let (_, &mut middle, _) = keys.select_nth_unstable(LOW * LOW / 2 - 1);
    let median = f32::from_bits(key(middle) as u32);
    let mut bytes = [0; 32];
    for (byte, values) in bytes.iter_mut().rev().zip(low.as_flattened().as_chunks::<8>().0) {
        *byte = values.iter().enumerate().fold(0, |byte, (bit, &value)| byte | u8::from(value > median) << bit);
    }
    Code(bytes)
}
