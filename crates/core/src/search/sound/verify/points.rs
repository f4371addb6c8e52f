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

/// Reference peaks around an alignment, sorted by time.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) points: Vec<Point>,
    /// Of the same, apart.
    pub(super) times: Vec<f32>,
    pub(super) pitches: Vec<f32>,
    pub(super) end: f32,
}

impl Reference {
    /// Of points that are sorted by time, of a recording that ends there.
    pub(super) fn new(points: Vec<Point>, end: f32) -> Reference {
        let (times, pitches) = points.iter().map(|point| (point.time, point.pitch)).unzip();
        Reference { points, times, pitches, end }
    }

    /// Those from `from` to `to`, inclusive.
    pub(super) fn between(&self, from: f32, to: f32) -> impl Iterator<Item = &Point> {
        between(&self.points, from, to)
    }

    /// Of the peaks that coincide with one at `place` the nearest, as how much later and higher it is.
    pub(super) fn nearest(&self, place: Point) -> Option<Point> {
        let near = self.between(place.time - TIME_TOLERANCE, place.time + TIME_TOLERANCE);
        let rests = near.map(|other| other.from(place));
        rests.filter(|rest| rest.pitch.abs() <= PITCH_TOLERANCE).min_by(|a, b| a.length().total_cmp(&b.length()))
    }
}

/// Of points sorted by time those from `from` to `to`, inclusive: few, so that their end is not looked for.
pub(super) fn between(points: &[Point], from: f32, to: f32) -> impl Iterator<Item = &Point> {
    let start = points.partition_point(|point| point.time < from);
    points[start..].iter().take_while(move |point| point.time <= to)
}
