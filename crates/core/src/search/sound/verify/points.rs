//! Peaks from a local zero, and what lies near a place.

/// Units of time and steps of pitch within which two peaks coincide.
pub(super) const TIME_TOLERANCE: f32 = 12.8;
pub(super) const PITCH_TOLERANCE: f32 = 5.0;

/// A peak with times and pitches from a local zero, which single precision holds exactly enough; or how far one lies from a
/// place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) time: f32,
    pub(super) pitch: f32,
    /// The peak's own, wherever it lies.
    pub(super) rank: u8,
}

impl Point {
    /// How far a rest lies from none, where a step of pitch counts as much as 1.6 units of time.
    pub(super) fn length(self) -> f32 {
        self.time.abs() + 1.6 * self.pitch.abs()
    }

    /// How much later and higher than `place` it is.
    pub(super) fn from(self, place: Point) -> Point {
        Point { time: self.time - place.time, pitch: self.pitch - place.pitch, ..self }
    }
}

/// Peaks that are looked at side by side.
pub(super) const EIGHT: usize = 8;

/// Reference peaks around an alignment, sorted by time.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) points: Vec<Point>,
    /// Of the same, apart, with [`EIGHT`] more behind them, of a time that never comes.
    pub(super) times: Vec<f32>,
    pub(super) pitches: Vec<f32>,
    pub(super) end: f32,
}

impl Reference {
    /// Of points that are sorted by time, of a recording that ends there.
    pub(super) fn new(points: Vec<Point>, end: f32) -> Reference {
        let never = std::iter::repeat_n((f32::INFINITY, 0.0), EIGHT);
        let (times, pitches) = points.iter().map(|point| (point.time, point.pitch)).chain(never).unzip();
        Reference { points, times, pitches, end }
    }

    /// Those from `from` to `to`, inclusive.
    pub(super) fn between(&self, cursor: &mut Cursor, from: f32, to: f32) -> impl Iterator<Item = &Point> {
        self.points[cursor.first(&self.points, from)..].iter().take_while(move |point| point.time <= to)
    }

    /// Of the peaks that coincide with one at `place` the nearest, as how much later and higher it is.
    #[inline(always)]
    pub(super) fn nearest(&self, cursor: &mut Cursor, place: Point) -> Option<Point> {
        self.nearest_within(cursor, place, (TIME_TOLERANCE, PITCH_TOLERANCE))
    }

    /// The same within other tolerances of time and pitch; of equals the first.
    #[inline(always)]
    pub(super) fn nearest_within(&self, cursor: &mut Cursor, place: Point, tolerances: (f32, f32)) -> Option<Point> {
        let (mut nearest, mut length) = (None, f32::INFINITY);
        for other in self.between(cursor, place.time - tolerances.0, place.time + tolerances.0) {
            let rest = other.from(place);
            if rest.pitch.abs() <= tolerances.1 && rest.length() < length {
                (nearest, length) = (Some(rest), rest.length());
            }
        }
        nearest
    }
}

/// Where in points sorted by time one asked before: places mostly come in order, so that the next is a few points further.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cursor(usize);

impl Cursor {
    /// The place of the first of `points` that is not before `time`.
    #[inline(always)]
    pub(super) fn first(&mut self, points: &[Point], time: f32) -> usize {
        let is_before = |point: &Point| point.time < time;
        let mut first = self.0.min(points.len());
        while points.get(first).is_some_and(is_before) {
            first += 1;
        }
        while first > 0 && !is_before(&points[first - 1]) {
            first -= 1;
        }
        self.0 = first;
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_finds_what_a_search_finds_wherever_it_stood() {
        let point = |n: u32| Point { time: (n * n / 7 % 400) as f32, pitch: (n * 37 % 90) as f32, rank: 0 };
        let mut points: Vec<Point> = (0..300).map(point).collect();
        points.sort_by(|a, b| a.time.total_cmp(&b.time));
        let mut cursor = Cursor::default();
        for time in (0..500_u32).map(|n| (n * n % 450) as f32 - 20.5).chain([f32::NAN, f32::INFINITY, 7.0, f32::NAN]) {
            assert_eq!(cursor.first(&points, time), points.partition_point(|point| point.time < time), "{time}");
        }
        assert_eq!(cursor.first(&[], 3.0), 0);
        let reference = Reference::new(points, 500.0);
        for place in (0..400).map(point).chain((0..400).rev().map(point)) {
            let coinciding = reference
                .points
                .iter()
                .map(|other| other.from(place))
                .filter(|rest| rest.time.abs() <= TIME_TOLERANCE && rest.pitch.abs() <= PITCH_TOLERANCE);
            let nearest = coinciding.min_by(|a, b| a.length().total_cmp(&b.length()));
            let found = reference.nearest(&mut cursor, place);
            assert_eq!(found.map(|rest| (rest.time, rest.pitch)), nearest.map(|rest| (rest.time, rest.pitch)));
        }
    }
}
