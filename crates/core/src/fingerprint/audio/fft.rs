//! The spectrum of a frame of real samples: a Fourier transform whose bits are the same on every machine.
//!
//! Stockham's order in radix 4, with a last pass in radix 2 where the size asks for it: no bit reversal, every pass reads
//! and writes runs of neighbours. Additions and multiplications stand in a fixed order, four lanes side by side, so that a
//! compiler may use vectors and still gives the same rounding; nothing is fused. A real frame of N values is transformed as
//! N/2 complex ones. Twiddle factors are of the `libm` crate in 64-bit, rounded once.

/// Transforms frames of one size.
#[derive(Clone, Debug)]
pub(crate) struct RealFft {
    /// Complex values of the inner transform: half of the frame.
    half: usize,
    /// Of each radix-4 pass the three factors of each of its groups: w, w², w³, real and imaginary.
    passes: Vec<Vec<[f32; 6]>>,
    /// The first pass goes along the groups: its factors in columns of four.
    first: Vec<[Lane; 6]>,
    /// cos and sin of 2 pi k / N for k in 1..half: what takes the inner transform apart.
    cos: Vec<f32>,
    sin: Vec<f32>,
    now: Planes,
    next: Planes,
    /// The spectrum, for those who ask for more than its power.
    re: Vec<f32>,
    im: Vec<f32>,
}

/// Complex values, their parts apart, in runs of four.
#[derive(Clone, Debug)]
struct Planes {
    re: Vec<[f32; 4]>,
    im: Vec<[f32; 4]>,
}

/// Four values that are treated alike.
type Lane = [f32; 4];

impl RealFft {
    /// For frames of `size` values, a power of two in 256..=8192.
    ///
    /// # Panics
    ///
    /// Where `size` is another: it is a constant of the program.
    pub(crate) fn new(size: usize) -> RealFft {
        assert!(size.is_power_of_two() && (256..=8192).contains(&size), "{size} is no size of a frame");
        let half = size / 2;
        let mut passes = Vec::new();
        let mut length = half;
        while length >= 4 {
            let factors = |group| {
                let [w1, w2, w3] = [1, 2, 3].map(|power| twiddle(power * group, length));
                [w1[0], w1[1], w2[0], w2[1], w3[0], w3[1]]
            };
            passes.push((0..length / 4).map(factors).collect::<Vec<_>>());
            length /= 4;
        }
        let first = passes.remove(0);
        let first = first
            .as_chunks::<4>()
            .0
            .iter()
            .map(|four| std::array::from_fn(|factor| std::array::from_fn(|lane| four[lane][factor])));
        let first = first.collect();
        let turn = |k: usize| twiddle(k, size);
        let planes = Planes { re: vec![[0.0; 4]; half / 4], im: vec![[0.0; 4]; half / 4] };
        RealFft {
            half,
            passes,
            first,
            cos: (1..half).map(|k| turn(k)[0]).collect(),
            sin: (1..half).map(|k| -turn(k)[1]).collect(),
            next: planes.clone(),
            now: planes,
            re: vec![0.0; half],
            im: vec![0.0; half],
        }
    }

    /// The squared magnitudes of bins 0..N/2 of a frame of N values; the bin at half the rate is left out.
    ///
    /// # Panics
    ///
    /// Where `frame` has not N values or `power` not N/2.
    #[inline(always)]
    pub(crate) fn power(&mut self, frame: &[f32], power: &mut [f32]) {
        assert_eq!(power.len(), self.half, "one value a bin");
        self.inner(frame);
        let (re, im) = (self.now.re.as_flattened(), self.now.im.as_flattened());
        power[0] = (re[0] + im[0]) * (re[0] + im[0]);
        powers(&re[1..], &im[1..], &self.cos, &self.sin, &mut power[1..]);
    }

    /// Real and imaginary parts of bins 0..N/2 of a frame of N values; the bin at half the rate is left out.
    ///
    /// # Panics
    ///
    /// Where `frame` has not N values.
    #[allow(dead_code, reason = "the phase is for sub-bin frequencies")]
    pub(crate) fn transform(&mut self, frame: &[f32]) -> (&[f32], &[f32]) {
        self.inner(frame);
        let (re, im) = (self.now.re.as_flattened(), self.now.im.as_flattened());
        (self.re[0], self.im[0]) = (re[0] + im[0], 0.0);
        for k in 1..self.half {
            let back = self.half - k;
            let (real, imaginary) = part(re[k], im[k], re[back], im[back], self.cos[k - 1], self.sin[k - 1]);
            (self.re[k], self.im[k]) = (real, imaginary);
        }
        (&self.re, &self.im)
    }

    /// The transform of the frame read as N/2 complex values, into `now`.
    #[inline(always)]
    fn inner(&mut self, frame: &[f32]) {
        assert_eq!(frame.len(), 2 * self.half, "a frame of the size that was asked for");
        first_pass(frame, &self.first, &mut self.next);
        std::mem::swap(&mut self.now, &mut self.next);
        // Neighbours that share their factors, in runs of four.
        let mut run = 1;
        for factors in &self.passes {
            pass(factors, run, &self.now, &mut self.next);
            std::mem::swap(&mut self.now, &mut self.next);
            run *= 4;
        }
        if run * 4 < self.half {
            last_pass(run, &self.now, &mut self.next);
            std::mem::swap(&mut self.now, &mut self.next);
        }
    }
}

/// exp(-2 pi i k / n), real and imaginary.
fn twiddle(k: usize, n: usize) -> [f32; 2] {
    // Below 3 * 4,096, so both are exact.
    let angle = -2.0 * std::f64::consts::PI * (k as f64 / n as f64);
    [libm::cos(angle) as f32, libm::sin(angle) as f32]
}

/// Radix 4 over values that stand a quarter apart; group by group, four groups at a time, and reads the frame's pairs.
#[inline(always)]
fn first_pass(frame: &[f32], factors: &[[Lane; 6]], out: &mut Planes) {
    let quarter = frame.len() / 4;
    let (pairs, _) = frame.as_chunks::<8>();
    let count = quarter / 8;
    let (a, b) = (&pairs[..count], &pairs[count..][..count]);
    let (c, d) = (&pairs[2 * count..][..count], &pairs[3 * count..][..count]);
    let (out_re, _) = out.re.as_chunks_mut::<4>();
    let (out_im, _) = out.im.as_chunks_mut::<4>();
    let (out_re, out_im, factors) = (&mut out_re[..count], &mut out_im[..count], &factors[..count]);
    for group in 0..count {
        let [a, b, c, d] = [a, b, c, d].map(|quarter| apart(&quarter[group]));
        let (re, im) = butterfly(a, b, c, d, &factors[group]);
        out_re[group] = turned(re);
        out_im[group] = turned(im);
    }
}

/// Radix 4, groups of `run` times four neighbours that share their factors.
#[inline(always)]
fn pass(factors: &[[f32; 6]], run: usize, from: &Planes, out: &mut Planes) {
    let quarter = factors.len() * run;
    for (group, factors) in factors.iter().enumerate() {
        let factors = factors.map(|factor| [factor; 4]);
        let start = group * run;
        let part = |plane: usize| start + plane * quarter;
        let (ar, ai) = (&from.re[part(0)..][..run], &from.im[part(0)..][..run]);
        let (br, bi) = (&from.re[part(1)..][..run], &from.im[part(1)..][..run]);
        let (cr, ci) = (&from.re[part(2)..][..run], &from.im[part(2)..][..run]);
        let (dr, di) = (&from.re[part(3)..][..run], &from.im[part(3)..][..run]);
        let (re0, rest) = out.re[4 * start..][..4 * run].split_at_mut(run);
        let (re1, rest) = rest.split_at_mut(run);
        let (re2, re3) = rest.split_at_mut(run);
        let (im0, rest) = out.im[4 * start..][..4 * run].split_at_mut(run);
        let (im1, rest) = rest.split_at_mut(run);
        let (im2, im3) = rest.split_at_mut(run);
        let (re3, im3) = (&mut re3[..run], &mut im3[..run]);
        for q in 0..run {
            let (re, im) = butterfly((ar[q], ai[q]), (br[q], bi[q]), (cr[q], ci[q]), (dr[q], di[q]), &factors);
            [re0[q], re1[q], re2[q], re3[q]] = re;
            [im0[q], im1[q], im2[q], im3[q]] = im;
        }
    }
}

/// Radix 2 over the two halves: all factors are one.
#[inline(always)]
fn last_pass(run: usize, from: &Planes, out: &mut Planes) {
    for (from, out) in [(&from.re, &mut out.re), (&from.im, &mut out.im)] {
        let (a, b) = from.split_at(run);
        let (sums, differences) = out.split_at_mut(run);
        let (b, differences) = (&b[..run], &mut differences[..run]);
        for q in 0..run {
            sums[q] = add(a[q], b[q]);
            differences[q] = sub(a[q], b[q]);
        }
    }
}

/// Four transforms of four values each: real and imaginary parts of the outputs in order, times their factors.
#[inline(always)]
fn butterfly(
    a: (Lane, Lane),
    b: (Lane, Lane),
    c: (Lane, Lane),
    d: (Lane, Lane),
    w: &[Lane; 6],
) -> ([Lane; 4], [Lane; 4]) {
    let (even_re, even_im) = (add(a.0, c.0), add(a.1, c.1));
    let (odd_re, odd_im) = (sub(a.0, c.0), sub(a.1, c.1));
    let (sum_re, sum_im) = (add(b.0, d.0), add(b.1, d.1));
    // i times the difference.
    let (turn_re, turn_im) = (sub(d.1, b.1), sub(b.0, d.0));
    let one = times(sub(odd_re, turn_re), sub(odd_im, turn_im), w[0], w[1]);
    let two = times(sub(even_re, sum_re), sub(even_im, sum_im), w[2], w[3]);
    let three = times(add(odd_re, turn_re), add(odd_im, turn_im), w[4], w[5]);
    ([add(even_re, sum_re), one.0, two.0, three.0], [add(even_im, sum_im), one.1, two.1, three.1])
}

/// The product of complex values.
#[inline(always)]
fn times(re: Lane, im: Lane, w_re: Lane, w_im: Lane) -> (Lane, Lane) {
    (sub(mul(re, w_re), mul(im, w_im)), add(mul(re, w_im), mul(im, w_re)))
}

#[inline(always)]
fn add(a: Lane, b: Lane) -> Lane {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]]
}

#[inline(always)]
fn sub(a: Lane, b: Lane) -> Lane {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2], a[3] - b[3]]
}

#[inline(always)]
fn mul(a: Lane, b: Lane) -> Lane {
    [a[0] * b[0], a[1] * b[1], a[2] * b[2], a[3] * b[3]]
}

/// Four pairs, as four first and four second values.
#[inline(always)]
fn apart(pairs: &[f32; 8]) -> (Lane, Lane) {
    ([pairs[0], pairs[2], pairs[4], pairs[6]], [pairs[1], pairs[3], pairs[5], pairs[7]])
}

/// Rows as columns.
#[inline(always)]
fn turned(rows: [Lane; 4]) -> [Lane; 4] {
    std::array::from_fn(|column| [rows[0][column], rows[1][column], rows[2][column], rows[3][column]])
}

/// Bin k of a frame from values k and N/2 - k of the transform of its pairs.
#[inline(always)]
fn part(re: f32, im: f32, back_re: f32, back_im: f32, cos: f32, sin: f32) -> (f32, f32) {
    let (even_re, even_im) = (0.5 * (re + back_re), 0.5 * (im - back_im));
    let (odd_re, odd_im) = (0.5 * (im + back_im), 0.5 * (back_re - re));
    (even_re + (cos * odd_re + sin * odd_im), even_im + (cos * odd_im - sin * odd_re))
}

/// Squared magnitudes of bins 1..N/2.
#[inline(always)]
fn powers(re: &[f32], im: &[f32], cos: &[f32], sin: &[f32], power: &mut [f32]) {
    let count = power.len();
    let (re, im, cos, sin) = (&re[..count], &im[..count], &cos[..count], &sin[..count]);
    for k in 0..count {
        let back = count - 1 - k;
        let (real, imaginary) = part(re[k], im[k], re[back], im[back], cos[k], sin[k]);
        power[k] = real * real + imaginary * imaginary;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, in 64-bit.
    fn naive(frame: &[f32], bin: usize) -> (f64, f64) {
        let turn = |n: usize| -std::f64::consts::TAU * ((bin * n) % frame.len()) as f64 / frame.len() as f64;
        frame.iter().enumerate().fold((0.0, 0.0), |(re, im), (n, &value)| {
            (re + f64::from(value) * libm::cos(turn(n)), im + f64::from(value) * libm::sin(turn(n)))
        })
    }

    #[test]
    fn it_is_the_discrete_fourier_transform() {
        let mut sizes = 0;
        for size in (8..=13).map(|power| 1 << power) {
            let noise = |n: usize| ((n as u32).wrapping_mul(2_654_435_761) >> 16) as f32 / 32_768.0 - 1.0;
            let frame: Vec<f32> = (0..size).map(noise).collect();
            let mut fft = RealFft::new(size);
            let mut power = vec![0.0; size / 2];
            fft.power(&frame, &mut power);
            let (re, im) = fft.transform(&frame);
            let bins = if size <= 1024 { size / 2 } else { 200 };
            for bin in (0..bins).chain(size / 2 - 8..size / 2) {
                let wanted = naive(&frame, bin);
                let scale = (size as f64).sqrt();
                let error = (f64::from(re[bin]) - wanted.0).hypot(f64::from(im[bin]) - wanted.1) / scale;
                assert!(error < 1e-5, "{size}, bin {bin}: {error}");
                let wanted = wanted.0 * wanted.0 + wanted.1 * wanted.1;
                let error = (f64::from(power[bin]) - wanted).abs() / size as f64;
                assert!(error < 1e-4, "{size}, bin {bin}: power {} against {wanted}", power[bin]);
            }
            sizes += 1;
        }
        assert_eq!(sizes, 6);
    }

    #[test]
    fn its_bits_are_the_same_everywhere() {
        let frame: Vec<f32> = (0..4096_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 16) as f32).collect();
        let mut power = vec![0.0; 2048];
        RealFft::new(4096).power(&frame, &mut power);
        let digest = power.iter().fold(0_u64, |digest, value| {
            digest.rotate_left(5).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(value.to_bits())
        });
        assert_eq!(digest, 0x8bb4_378b_8208_365e, "{digest:#x}");
    }
}
