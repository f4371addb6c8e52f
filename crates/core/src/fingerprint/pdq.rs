//! PDQ: 256 bits of a picture's low frequencies, and a quality (Meta, "The TMK+PDQF Video-Hashing Algorithm and the PDQ
//! Image-Hashing Algorithm", 2019).
//!
//! Luma is smoothed by two passes of a box filter each way (a tent), sampled to 64x64, and transformed to the 16x16 lowest
//! frequencies without the constant; a bit says whether a coefficient lies above the median. All arithmetic is `f32` in the
//! reference's order, so that codes agree bit for bit.

use std::sync::OnceLock;

use minutia_media::Picture;

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
    /// As in [`Hash`].
    pub quality: u8,
}

/// A plane of luma in `f32`, row-major.
#[derive(Clone, Debug)]
struct Plane {
    width: usize,
    height: usize,
    values: Vec<f32>,
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
    first(&dihedral(&plane(picture)))
}

/// The dialect of the C++ tool: pictures are brought to 512x512 by nearest neighbour first.
pub fn pdq_512(picture: &Picture) -> Hash {
    first(&dihedral(&sampled(picture)))
}

/// All eight codes in the dialect of [`pdq`].
pub fn pdq_dihedral(picture: &Picture) -> DihedralHash {
    dihedral(&plane(picture))
}

/// All eight codes in the dialect of [`pdq_512`].
pub fn pdq_512_dihedral(picture: &Picture) -> DihedralHash {
    dihedral(&sampled(picture))
}

fn first(hashes: &DihedralHash) -> Hash {
    Hash { code: hashes.codes[0], quality: hashes.quality }
}

/// The picture's luma at full size.
fn plane(picture: &Picture) -> Plane {
    // pip pdqhash weighs in f64 and rounds once, the C++ tool weighs in f32: visible where coefficients are nearly zero.
    let weigh = |[r, g, b]: [u8; 3]| (0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b)) as f32;
    sample(picture, picture.width() as usize, picture.height() as usize, weigh)
}

/// The picture's luma, brought to 512x512 where a side is longer than that.
fn sampled(picture: &Picture) -> Plane {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let weigh = |[r, g, b]: [u8; 3]| 0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b);
    let (to_width, to_height) = if width > SAMPLED || height > SAMPLED { (SAMPLED, SAMPLED) } else { (width, height) };
    sample(picture, to_width, to_height, weigh)
}

/// Nearest neighbour: column `x` of the result is column `x * width / to_width` of the picture.
fn sample(picture: &Picture, to_width: usize, to_height: usize, weigh: impl Fn([u8; 3]) -> f32) -> Plane {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let columns: Vec<usize> = (0..to_width).map(|x| x * width / to_width).collect();
    let mut values = Vec::with_capacity(to_width * to_height);
    for y in (0..to_height).map(|y| y * height / to_height) {
        match picture {
            Picture::Luma(luma) => {
                let row = &luma.pixels()[y * width..][..width];
                values.extend(columns.iter().map(|&x| f32::from(row[x])));
            }
            Picture::Rgb(rgb) => {
                let (row, _) = rgb.pixels()[3 * y * width..][..3 * width].as_chunks::<3>();
                values.extend(columns.iter().map(|&x| weigh(row[x])));
            }
        }
    }
    Plane { width: to_width, height: to_height, values }
}

/// All eight codes of a plane, from one transform.
fn dihedral(plane: &Plane) -> DihedralHash {
    if plane.width < SHORTEST || plane.height < SHORTEST {
        return DihedralHash { codes: [Code([0; 32]); 8], quality: 0 };
    }
    let small = to_64(plane);
    let low = transform(&small);
    DihedralHash { codes: Dihedral::ALL.map(|turn| code(&turned(&low, turn))), quality: quality(&small) }
}

fn to_64(plane: &Plane) -> Vec<f32> {
    let Plane { width, height, .. } = *plane;
    let mut a = plane.values.clone();
    if (width, height) != (SIDE, SIDE) {
        let mut b = vec![0.0; a.len()];
        let (along_rows, along_columns) = (window(width), window(height));
        for _ in 0..2 {
            for y in 0..height {
                boxed(&a[y * width..], &mut b[y * width..], width, 1, along_rows);
            }
            for x in 0..width {
                boxed(&b[x..], &mut a[x..], height, width, along_columns);
            }
        }
    }
    let at = |i: usize, of: usize| ((i as f64 + 0.5) * of as f64 / SIDE as f64) as usize;
    let mut small = Vec::with_capacity(SIDE * SIDE);
    for i in 0..SIDE {
        let row = at(i, height) * width;
        small.extend((0..SIDE).map(|j| a[row + at(j, width)]));
    }
    small
}

fn window(side: usize) -> usize {
    side.div_ceil(2 * SIDE)
}

/// One line of the running-sum box filter: `length` values `stride` apart.
fn boxed(from: &[f32], to: &mut [f32], length: usize, stride: usize, window: usize) {
    let half = (window + 2) / 2;
    let (mut left, mut right, mut out) = (0, 0, 0);
    let (mut sum, mut inside) = (0.0_f32, 0.0_f32);
    for _ in 0..half - 1 {
        sum += from[right];
        inside += 1.0;
        right += stride;
    }
    for _ in 0..window + 1 - half {
        sum += from[right];
        inside += 1.0;
        to[out] = sum / inside;
        right += stride;
        out += stride;
    }
    for _ in window..length {
        sum += from[right];
        sum -= from[left];
        to[out] = sum / inside;
        left += stride;
        right += stride;
        out += stride;
    }
    for _ in 0..half - 1 {
        sum -= from[left];
        inside -= 1.0;
        to[out] = sum / inside;
        left += stride;
        out += stride;
    }
}

pub(super) fn quality(small: &[f32]) -> u8 {
    let step = |u: f32, v: f32| (((u - v) * 100.0) / 255.0) as i32;
    let mut sum = 0;
    for i in 0..SIDE {
        for j in 0..SIDE {
            let u = small[i * SIDE + j];
            if i + 1 < SIDE {
                sum += step(u, small[(i + 1) * SIDE + j]).abs();
            }
            if j + 1 < SIDE {
                sum += step(u, small[i * SIDE + j + 1]).abs();
            }
        }
    }
    (sum / 90).min(100) as u8
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
    let matrix = matrix();
    let mut half = [[0.0_f32; SIDE]; LOW];
    for (row, weights) in half.iter_mut().zip(matrix) {
        for (k, &weight) in weights.iter().enumerate() {
            for (sum, &value) in row.iter_mut().zip(&small[k * SIDE..][..SIDE]) {
                *sum += weight * value;
            }
        }
    }
    std::array::from_fn(|i| {
        std::array::from_fn(|j| {
            let mut sum = 0.0;
            for k in 0..SIDE {
                sum += half[i][k] * matrix[j][k];
            }
            sum
        })
    })
}

pub(super) fn turned(low: &Low, turn: Dihedral) -> Low {
    let odd = |n: usize| n.is_multiple_of(2); // frequency n + 1 is odd in space
    let sign = |flip: bool, value: f32| if flip { -value } else { value };
    std::array::from_fn(|i| {
        std::array::from_fn(|j| match turn {
            Dihedral::Identity => low[i][j],
            Dihedral::Rotate90 => sign(odd(i), low[j][i]),
            Dihedral::Rotate180 => sign(odd(i) != odd(j), low[i][j]),
            Dihedral::Rotate270 => sign(odd(j), low[j][i]),
            Dihedral::FlipX => sign(odd(i), low[i][j]),
            Dihedral::FlipY => sign(odd(j), low[i][j]),
            Dihedral::FlipPlus1 => low[j][i],
            Dihedral::FlipMinus1 => sign(odd(i) != odd(j), low[j][i]),
        })
    })
}

pub(super) fn code(low: &Low) -> Code {
    let mut sorted: Vec<f32> = low.iter().flatten().copied().collect();
    let middle = LOW * LOW / 2 - 1;
    let (_, &mut median, _) = sorted.select_nth_unstable_by(middle, f32::total_cmp);
    let mut bytes = [0; 32];
    for (bit, &value) in low.iter().flatten().enumerate() {
        if value > median {
            bytes[31 - bit / 8] |= 1 << (bit % 8);
        }
    }
    Code(bytes)
}
