//! PDQ's smoothing: two passes of a box filter each way over a picture of any size, sampled to 64x64.
//!
//! A running sum waits for the sum before it, so rows are filtered along themselves several at a time, a lane each, and
//! columns all at once. Nothing larger than a few rows is held: a picture of 100 megapixels needs no plane in `f32`.

use super::pdq::SIDE;

/// Smooths and samples to 64x64. The reference filters the whole plane along rows, columns, rows, columns; here each row
/// goes through all four before the next, and the last filter sees the sampled columns alone. Every sum adds and
/// subtracts the same values in the same order. `read` puts row `y` into what it is given.
pub(super) fn to_64(width: usize, height: usize, read: impl Fn(usize, &mut [f32])) -> Vec<f32> {
    let mut small = Vec::with_capacity(SIDE * SIDE);
    if (width, height) == (SIDE, SIDE) {
        small.resize(SIDE * SIDE, 0.0);
        small.chunks_exact_mut(SIDE).enumerate().for_each(|(y, row)| read(y, row));
        return small;
    }
    let at = |i: usize, of: usize| ((i as f64 + 0.5) * of as f64 / SIDE as f64) as usize;
    let columns: [usize; SIDE] = std::array::from_fn(|j| at(j, width));
    let mut wanted = (0..SIDE).map(|i| at(i, height)).peekable();
    let mut sampled = |y: usize, row: &[f32]| {
        // A row of a low picture is sampled more than once.
        while wanted.next_if_eq(&y).is_some() {
            small.extend_from_slice(row);
        }
    };
    let (mut first, mut second) = (Columns::new(width, height), Columns::new(SIDE, height));
    let (mut before, mut between) = (Abreast::new(width, &[]), Abreast::new(width, &columns));
    let mut late = |row: &[f32]| second.take(row, &mut sampled);
    let mut middle = |row: &[f32]| between.put(|line| line.copy_from_slice(row), &mut late);
    let mut early = |row: &[f32]| first.take(row, &mut |_, row| middle(row));
    for y in 0..height {
        before.put(|line| read(y, line), &mut early);
    }
    before.end(&mut early);
    first.end(&mut |_, row| middle(row));
    between.end(&mut late);
    second.end(&mut sampled);
    small
}

/// How many rows are filtered at once. Each sum of a running-sum filter waits for the one before it; those of several
/// rows do not wait for each other and share a register.
const LANES: usize = 8;

/// Rows to be filtered along themselves together, side by side, a lane each.
struct Abreast {
    window: usize,
    /// The rows that were taken, and those that were filtered, as far as they are wanted.
    lines: [Vec<f32>; LANES],
    taken: usize,
    /// The columns that are wanted of filtered rows, ascending; all where there are none.
    columns: Vec<usize>,
    rows: Vec<[f32; LANES]>,
    smooth: Vec<[f32; LANES]>,
}

impl Abreast {
    /// For rows of this width.
    fn new(width: usize, columns: &[usize]) -> Abreast {
        let wanted = if columns.is_empty() { width } else { columns.len() };
        Abreast {
            window: window(width),
            lines: std::array::from_fn(|_| vec![0.0; width.max(wanted)]),
            taken: 0,
            columns: columns.to_vec(),
            rows: vec![[0.0; LANES]; width],
            smooth: vec![[0.0; LANES]; wanted],
        }
    }

    /// Takes one row, which `write` writes; once there is one for each lane it filters them and gives each to `sink`, in
    /// order.
    fn put(&mut self, write: impl FnOnce(&mut [f32]), sink: &mut impl FnMut(&[f32])) {
        write(&mut self.lines[self.taken][..self.rows.len()]);
        self.taken += 1;
        if self.taken == LANES {
            self.end(sink);
        }
    }

    /// Filters the rows that are left.
    fn end(&mut self, sink: &mut impl FnMut(&[f32])) {
        abreast(&self.lines, &mut self.rows);
        if self.columns.is_empty() {
            boxed(&self.rows, self.window, |place, sums, inside| share(sums, inside, &mut self.smooth[place]));
        } else {
            let mut next = 0;
            boxed(&self.rows, self.window, |place, sums, inside| {
                // A column of a narrow picture is sampled more than once.
                while self.columns.get(next) == Some(&place) {
                    share(sums, inside, &mut self.smooth[next]);
                    next += 1;
                }
            });
        }
        apart(&self.smooth, &mut self.lines);
        for line in &self.lines[..self.taken] {
            sink(&line[..self.smooth.len()]);
        }
        self.taken = 0;
    }
}

/// Sides of the squares in which lines and lanes are transposed: four registers.
const SQUARE: usize = 4;

/// Transposes lines to lanes.
fn abreast(lines: &[Vec<f32>; LANES], lanes: &mut [[f32; LANES]]) {
    for (group, lines) in lines.as_chunks::<SQUARE>().0.iter().enumerate() {
        let starts = lines.each_ref().map(|line| line[..lanes.len()].as_chunks::<SQUARE>());
        let (squares, rest) = lanes.as_chunks_mut::<SQUARE>();
        for (place, square) in squares.iter_mut().enumerate() {
            let turned = transposed(&starts.map(|(line, _)| line[place]));
            for (lanes, values) in square.iter_mut().zip(&turned) {
                lanes.as_chunks_mut::<SQUARE>().0[group] = *values;
            }
        }
        for (place, lanes) in rest.iter_mut().enumerate() {
            lanes.as_chunks_mut::<SQUARE>().0[group] = starts.map(|(_, rest)| rest[place]);
        }
    }
}

/// Transposes lanes to lines.
fn apart(lanes: &[[f32; LANES]], lines: &mut [Vec<f32>; LANES]) {
    for (group, lines) in lines.as_chunks_mut::<SQUARE>().0.iter_mut().enumerate() {
        let (squares, rest) = lanes.as_chunks::<SQUARE>();
        for (place, square) in squares.iter().enumerate() {
            let turned = transposed(&square.each_ref().map(|lanes| lanes.as_chunks::<SQUARE>().0[group]));
            for (line, values) in lines.iter_mut().zip(&turned) {
                line.as_chunks_mut::<SQUARE>().0[place] = *values;
            }
        }
        for (place, lanes) in rest.iter().enumerate() {
            let values = lanes.as_chunks::<SQUARE>().0[group];
            lines.iter_mut().zip(values).for_each(|(line, value)| line[SQUARE * squares.len() + place] = value);
        }
    }
}

fn transposed(square: &[[f32; SQUARE]; SQUARE]) -> [[f32; SQUARE]; SQUARE] {
    std::array::from_fn(|row| std::array::from_fn(|column| square[column][row]))
}

fn window(side: usize) -> usize {
    side.div_ceil(2 * SIDE)
}

/// The running-sum box filter along lines, one a lane: tells `emit` of each place, the sums there and how many values
/// are in them.
fn boxed(from: &[[f32; LANES]], window: usize, mut emit: impl FnMut(usize, &[f32; LANES], f32)) {
    let ahead = window / 2;
    let (mut sums, mut inside) = ([0.0_f32; LANES], 0.0_f32);
    for values in &from[..ahead] {
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        inside += 1.0;
    }
    for place in 0..from.len() {
        if let Some(entered) = from.get(place + ahead) {
            sums.iter_mut().zip(entered).for_each(|(sum, value)| *sum += value);
            inside += 1.0;
        }
        if let Some(left) = (place + ahead).checked_sub(window) {
            sums.iter_mut().zip(&from[left]).for_each(|(sum, value)| *sum -= value);
            inside -= 1.0;
        }
        emit(place, &sums, inside);
    }
}

/// Each of `sums` divided by `inside`. The reciprocal of a power of two is exact, and multiplying by it gives the same bits
/// in a fraction of the time.
#[inline]
fn share(sums: &[f32], inside: f32, to: &mut [f32]) {
    let is_power_of_two = inside.to_bits().trailing_zeros() >= f32::MANTISSA_DIGITS - 1;
    if is_power_of_two {
        let reciprocal = 1.0 / inside;
        to.iter_mut().zip(sums).for_each(|(to, sum)| *to = sum * reciprocal);
    } else {
        to.iter_mut().zip(sums).for_each(|(to, sum)| *to = sum / inside);
    }
}

/// The same filter over all columns at once, a row at a time. Holds as many rows as its window.
struct Columns {
    window: usize,
    sums: Vec<f32>,
    /// Rows in the window.
    inside: f32,
    /// The rows of the window, the oldest at `taken % window`.
    ring: Vec<Vec<f32>>,
    taken: usize,
    given: usize,
    out: Vec<f32>,
}

impl Columns {
    fn new(width: usize, height: usize) -> Columns {
        let window = window(height);
        Columns {
            window,
            sums: vec![0.0; width],
            inside: 0.0,
            ring: Vec::with_capacity(window),
            taken: 0,
            given: 0,
            out: vec![0.0; width],
        }
    }

    /// Takes the next row, and gives the next smoothed one with its number once half of its window is known.
    fn take(&mut self, row: &[f32], sink: &mut impl FnMut(usize, &[f32])) {
        self.sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        if self.taken < self.window {
            self.ring.push(row.to_vec());
            self.inside += 1.0;
        } else {
            let oldest = &mut self.ring[self.taken % self.window];
            self.sums.iter_mut().zip(&*oldest).for_each(|(sum, value)| *sum -= value);
            oldest.copy_from_slice(row);
        }
        self.taken += 1;
        if self.taken >= self.half() {
            self.give(sink);
        }
    }

    /// After the last row: gives the rows whose window reaches beyond it.
    fn end(&mut self, sink: &mut impl FnMut(usize, &[f32])) {
        for n in 0..self.half() - 1 {
            let oldest = &self.ring[(self.taken + n) % self.window];
            self.sums.iter_mut().zip(oldest).for_each(|(sum, value)| *sum -= value);
            self.inside -= 1.0;
            self.give(sink);
        }
    }

    fn half(&self) -> usize {
        (self.window + 2) / 2
    }

    fn give(&mut self, sink: &mut impl FnMut(usize, &[f32])) {
        share(&self.sums, self.inside, &mut self.out);
        sink(self.given, &self.out);
        self.given += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The filter over one line, each value from its window, summed as a running sum is.
    fn line(values: &[f32], window: usize) -> Vec<f32> {
        let after = window / 2;
        let (mut sum, mut from, mut to) = (0.0, 0, 0);
        let mut smooth = Vec::new();
        for place in 0..values.len() {
            let end = (place + after + 1).min(values.len());
            let start = (place + 1 + after).saturating_sub(window);
            while to < end {
                sum += values[to];
                to += 1;
            }
            while from < start {
                sum -= values[from];
                from += 1;
            }
            smooth.push(sum / (end - start) as f32);
        }
        smooth
    }

    /// Plane by plane, as it is defined.
    fn naive(width: usize, height: usize, mut plane: Vec<f32>) -> Vec<f32> {
        for _ in 0..2 {
            plane = plane.chunks_exact(width).flat_map(|row| line(row, window(width))).collect();
            for x in 0..width {
                let column: Vec<f32> = plane[x..].iter().step_by(width).copied().collect();
                line(&column, window(height)).iter().enumerate().for_each(|(y, value)| plane[y * width + x] = *value);
            }
        }
        let at = |i: usize, of: usize| (2 * i + 1) * of / (2 * SIDE);
        (0..SIDE)
            .flat_map(|i| (0..SIDE).map(move |j| (i, j)))
            .map(|(i, j)| plane[at(i, height) * width + at(j, width)])
            .collect()
    }

    #[test]
    fn smooths_as_it_is_defined_bit_for_bit() {
        for (width, height) in [(5, 5), (7, 300), (63, 65), (64, 63), (65, 1000), (129, 127), (200, 150), (1025, 513)] {
            let plane: Vec<f32> = (0..width * height).map(|n| ((n * 7919 + n / 13 * 31) % 251) as f32).collect();
            let found = to_64(width, height, |y, row| row.copy_from_slice(&plane[y * width..][..width]));
            assert_eq!(found, naive(width, height, plane), "{width}x{height}");
        }
    }
}
