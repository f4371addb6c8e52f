//! The spectrum of a frame of real samples: a Fourier transform whose bits are the same on every machine.
//!
//! Stockham's order in radix 4, with a last pass in radix 2 where the size asks for it: no bit reversal, every pass reads
//! and writes runs of neighbours. Additions and multiplications stand in a fixed order, four lanes side by side, so that a
//! compiler may use vectors and still gives the same rounding; nothing is fused. Two frames fill wider vectors: each has the
//! bits that it has alone. A real frame of N values is transformed as N/2 complex ones. Twiddle factors are of the `libm` crate
//! in 64-bit, rounded once.

/// Transforms frames of one size, `LANES / 4` at a time.
#[derive(Clone, Debug)]
pub(crate) struct RealFft<const LANES: usize> {
    /// Complex values of the inner transform: half of the frame.
    half: usize,
    /// Of each radix-4 pass the three factors of each of its groups: w, w², w³, real and imaginary.
    passes: Vec<Vec<[f32; 6]>>,
    /// The first pass goes along the groups: its factors in columns of four.
    first: Vec<[[f32; 4]; 6]>,
    /// cos and sin of 2 pi k / N for k in 1..half: what takes the inner transform apart.
    cos: Vec<f32>,
    sin: Vec<f32>,
    now: Planes<LANES>,
    next: Planes<LANES>,
    /// The transform of one frame.
    re: Vec<f32>,
    im: Vec<f32>,
}

/// Complex values, their parts apart, in runs of four of each frame.
#[derive(Clone, Debug)]
struct Planes<const LANES: usize> {
    re: Vec<[f32; LANES]>,
    im: Vec<[f32; LANES]>,
}

impl<const LANES: usize> RealFft<LANES> {
    /// For frames of `size` values, a power of two in 256..=8192.
    ///
    /// # Panics
    ///
    /// Where `size` is another: it is a constant of the program.
    pub(crate) fn new(size: usize) -> RealFft<LANES> {
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
        let plane = vec![[0.0; LANES]; half / 4];
        let planes = Planes { re: plane.clone(), im: plane };
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

    /// The squared magnitudes of bins 0..N/2 of frames of N values; the bin at half the rate is left out.
    ///
    /// # Panics
    ///
    /// Where a frame has not N values or its power not N/2.
    #[inline(always)]
    pub(crate) fn power<const FRAMES: usize>(&mut self, frames: [&[f32]; FRAMES], powers: [&mut [f32]; FRAMES]) {
        const { assert!(4 * FRAMES == LANES, "a frame for every four lanes") };
        self.inner(frames);
        for (number, power) in powers.into_iter().enumerate() {
            assert_eq!(power.len(), self.half, "one value a bin");
            self.take_out(number);
            power[0] = (self.re[0] + self.im[0]) * (self.re[0] + self.im[0]);
            powers_of(&self.re[1..], &self.im[1..], &self.cos, &self.sin, &mut power[1..]);
        }
    }

    /// The transform of the frames read as N/2 complex values each, into `now`.
    #[inline(always)]
    fn inner<const FRAMES: usize>(&mut self, frames: [&[f32]; FRAMES]) {
        let sound = frames.iter().all(|frame| frame.len() == 2 * self.half);
        assert!(sound, "frames of the size that was asked for");
        first_pass(frames, &self.first, &mut self.next);
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

    /// The values of one frame, in order, into `re` and `im`.
    #[inline(always)]
    fn take_out(&mut self, frame: usize) {
        for (plane, values) in [(&self.now.re, &mut self.re), (&self.now.im, &mut self.im)] {
            for (four, lane) in values.as_chunks_mut::<4>().0.iter_mut().zip(plane) {
                four.copy_from_slice(&lane[4 * frame..][..4]);
            }
        }
    }
}

/// exp(-2 pi i k / n), real and imaginary.
fn twiddle(k: usize, n: usize) -> [f32; 2] {
    // Below 3 * 4,096, so both are exact.
    let angle = -2.0 * std::f64::consts::PI * (k as f64 / n as f64);
    [libm::cos(angle) as f32, libm::sin(angle) as f32]
}

/// Radix 4 over values that stand a quarter apart; group by group, four groups at a time, and reads the frames' pairs.
#[inline(always)]
fn first_pass<const FRAMES: usize, const LANES: usize>(
    frames: [&[f32]; FRAMES],
    factors: &[[[f32; 4]; 6]],
    out: &mut Planes<LANES>,
) {
    let count = factors.len();
    let quarters = frames.map(|frame| {
        let (pairs, _) = frame.as_chunks::<8>();
        [&pairs[..count], &pairs[count..][..count], &pairs[2 * count..][..count], &pairs[3 * count..][..count]]
    });
    let (out_re, _) = out.re.as_chunks_mut::<4>();
    let (out_im, _) = out.im.as_chunks_mut::<4>();
    let (out_re, out_im) = (&mut out_re[..count], &mut out_im[..count]);
    for group in 0..count {
        let (mut re, mut im) = ([[0.0; LANES]; 4], [[0.0; LANES]; 4]);
        for (frame, quarters) in quarters.iter().enumerate() {
            for quarter in 0..4 {
                let pairs = &quarters[quarter][group];
                for n in 0..4 {
                    re[quarter][4 * frame + n] = pairs[2 * n];
                    im[quarter][4 * frame + n] = pairs[2 * n + 1];
                }
            }
        }
        let at = |quarter: usize| (re[quarter], im[quarter]);
        let (re, im) = butterfly(at(0), at(1), at(2), at(3), &factors[group].map(spread));
        out_re[group] = turned(&re);
        out_im[group] = turned(&im);
    }
}

/// Radix 4, groups of `run` times four neighbours that share their factors.
#[inline(always)]
fn pass<const LANES: usize>(factors: &[[f32; 6]], run: usize, from: &Planes<LANES>, out: &mut Planes<LANES>) {
    let quarter = factors.len() * run;
    for (group, factors) in factors.iter().enumerate() {
        let factors = factors.map(|factor| [factor; LANES]);
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
fn last_pass<const LANES: usize>(run: usize, from: &Planes<LANES>, out: &mut Planes<LANES>) {
    for (from, out) in [(&from.re, &mut out.re), (&from.im, &mut out.im)] {
        let (a, b) = from.split_at(run);
        let (sums, differences) = out.split_at_mut(run);
        let (b, differences) = (&b[..run], &mut differences[..run]);
        for q in 0..run {
            for n in 0..LANES {
                sums[q][n] = a[q][n] + b[q][n];
                differences[q][n] = a[q][n] - b[q][n];
            }
        }
    }
}

/// Transforms of four values each, a lane each: real and imaginary parts of the outputs in order, times their factors.
#[inline(always)]
fn butterfly<const LANES: usize>(
    a: ([f32; LANES], [f32; LANES]),
    b: ([f32; LANES], [f32; LANES]),
    c: ([f32; LANES], [f32; LANES]),
    d: ([f32; LANES], [f32; LANES]),
    w: &[[f32; LANES]; 6],
) -> ([[f32; LANES]; 4], [[f32; LANES]; 4]) {
    let (mut re, mut im) = ([[0.0; LANES]; 4], [[0.0; LANES]; 4]);
    for n in 0..LANES {
        let (even_re, even_im) = (a.0[n] + c.0[n], a.1[n] + c.1[n]);
        let (odd_re, odd_im) = (a.0[n] - c.0[n], a.1[n] - c.1[n]);
        let (sum_re, sum_im) = (b.0[n] + d.0[n], b.1[n] + d.1[n]);
        // i times the difference.
        let (turn_re, turn_im) = (d.1[n] - b.1[n], b.0[n] - d.0[n]);
        let (one_re, one_im) = (odd_re - turn_re, odd_im - turn_im);
        let (two_re, two_im) = (even_re - sum_re, even_im - sum_im);
        let (three_re, three_im) = (odd_re + turn_re, odd_im + turn_im);
        re[0][n] = even_re + sum_re;
        im[0][n] = even_im + sum_im;
        re[1][n] = one_re * w[0][n] - one_im * w[1][n];
        im[1][n] = one_re * w[1][n] + one_im * w[0][n];
        re[2][n] = two_re * w[2][n] - two_im * w[3][n];
        im[2][n] = two_re * w[3][n] + two_im * w[2][n];
        re[3][n] = three_re * w[4][n] - three_im * w[5][n];
        im[3][n] = three_re * w[5][n] + three_im * w[4][n];
    }
    (re, im)
}

/// Four values again for every frame.
#[inline(always)]
fn spread<const LANES: usize>(four: [f32; 4]) -> [f32; LANES] {
    std::array::from_fn(|n| four[n % 4])
}

/// Rows as columns, frame by frame.
#[inline(always)]
fn turned<const LANES: usize>(rows: &[[f32; LANES]; 4]) -> [[f32; LANES]; 4] {
    let mut columns = [[0.0; LANES]; 4];
    for frame in 0..LANES / 4 {
        for row in 0..4 {
            for column in 0..4 {
                columns[column][4 * frame + row] = rows[row][4 * frame + column];
            }
        }
    }
    columns
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
fn powers_of(re: &[f32], im: &[f32], cos: &[f32], sin: &[f32], power: &mut [f32]) {
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
            let mut power = vec![0.0; size / 2];
            RealFft::<4>::new(size).power([&frame], [&mut power]);
            let bins = if size <= 1024 { size / 2 } else { 200 };
            for bin in (0..bins).chain(size / 2 - 8..size / 2) {
                let wanted = naive(&frame, bin);
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
        RealFft::<4>::new(4096).power([&frame], [&mut power]);
        let digest = power.iter().fold(0_u64, |digest, value| {
            digest.rotate_left(5).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(value.to_bits())
        });
        assert_eq!(digest, 0x8bb4_378b_8208_365e, "{digest:#x}");
    }

    #[test]
    fn two_frames_have_the_bits_of_each_alone() {
        let frame = |seed: u32| -> Vec<f32> {
            (0..1024_u32).map(|n| ((n ^ seed).wrapping_mul(2_654_435_761) >> 16) as f32 - 30_000.0).collect()
        };
        let (one, other) = (frame(0), frame(77));
        let mut both = [vec![0.0; 512], vec![0.0; 512]];
        let [first, second] = &mut both;
        RealFft::<8>::new(1024).power([&one, &other], [first, second]);
        for (frame, together) in [one, other].iter().zip(&both) {
            let mut alone = vec![0.0; 512];
            RealFft::<4>::new(1024).power([frame], [&mut alone]);
            assert!(alone.iter().zip(together).all(|(a, b)| a.to_bits() == b.to_bits()));
        }
    }
}
