//! Logarithms of normal positive numbers, to the bit those of `libm`, without its branches for all others: several are taken at once.
//!
//! The algorithm is that of FreeBSD's `e_logf.c` and `e_log2f.c`, by which `libm` was made. Operations stand in its order, which
//! decides the bits.

/// A polynomial for (ln(1 + s) - ln(1 - s)) / s.
const TERMS: [f32; 4] = [0.666_666_6, 0.400_009_72, 0.284_987_87, 0.242_790_79];
const LN2: (f32, f32) = (0.693_138_1, 9.058_001e-6);
const LOG2_E: (f32, f32) = (1.442_871_1, -1.760_528_5e-4);
/// The root of a half, and 1.
const ROOT_OF_HALF: u32 = 0x3f35_04f3;
const ONE: u32 = 0x3f80_0000;

/// The natural logarithm.
#[inline(always)]
pub(super) fn ln(value: f32) -> f32 {
    let Parts { exponent, beyond, half_square, rest } = Parts::of(value);
    rest + exponent * LN2.1 - half_square + beyond + exponent * LN2.0
}

/// The logarithm to base 2.
#[inline(always)]
pub(super) fn log2(value: f32) -> f32 {
    let Parts { exponent, beyond, half_square, rest } = Parts::of(value);
    let high = f32::from_bits((beyond - half_square).to_bits() & 0xffff_f000);
    let low = beyond - high - half_square + rest;
    (low + high) * LOG2_E.1 + low * LOG2_E.0 + high * LOG2_E.0 + exponent
}

/// A number as 2 to the power of `exponent`, times 1 + `beyond`, and what both logarithms make of that.
struct Parts {
    exponent: f32,
    beyond: f32,
    half_square: f32,
    rest: f32,
}

impl Parts {
    #[inline(always)]
    fn of(value: f32) -> Parts {
        // Between the roots of a half and of 2.
        let bits = value.to_bits().wrapping_add(ONE - ROOT_OF_HALF);
        let exponent = ((bits >> 23) as i32).wrapping_sub(0x7f) as f32;
        let beyond = f32::from_bits((bits & 0x007f_ffff).wrapping_add(ROOT_OF_HALF)) - 1.0;
        let s = beyond / (2.0 + beyond);
        let (z, half_square) = (s * s, 0.5 * beyond * beyond);
        let w = z * z;
        let [first, second, third, fourth] = TERMS;
        let even = w * (second + w * fourth);
        let odd = z * (first + w * third);
        Parts { exponent, beyond, half_square, rest: s * (half_square + (odd + even)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_those_of_libm() {
        let of_bits = (f32::MIN_POSITIVE.to_bits()..f32::INFINITY.to_bits()).step_by(1_021).map(f32::from_bits);
        let near_one = (0..40_000).map(|n| f32::from_bits(ONE - 20_000 + n));
        for value in of_bits.chain(near_one) {
            assert_eq!(ln(value).to_bits(), libm::logf(value).to_bits(), "{value:e}");
            assert_eq!(log2(value).to_bits(), libm::log2f(value).to_bits(), "{value:e}");
        }
    }
}
