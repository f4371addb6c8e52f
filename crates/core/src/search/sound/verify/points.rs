//! Peaks from a local zero, and what lies near a place.

/// Units of time and steps of pitch within which two peaks coincide.
pub(super) const TIME_TOLERANCE: f32 = 12.8;
pub(super) const PITCH_TOLERANCE: f32 = 5.0;

/// A peak with times and pitches from a local zero, which single precision holds exactly enough.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) time: f32,
    pub(super) pitch: f32,
}

/// Reference peaks around an alignment, sorted by time.
pub(super) struct Reference {
    pub(super) points: Vec<Point>,
    pub(super) end: f32,
}

impl Reference {
    /// Those from `from` to `to`, inclusive.
    pub(super) fn between(&self, from: f32, to: f32) -> impl Iterator<Item = &Point> {
        between(&self.points, from, to)
    }
}

/// Of points sorted by time those from `from` to `to`, inclusive: few, so that their end is not looked for.
pub(super) fn between(points: &[Point], from: f32, to: f32) -> impl Iterator<Item = &Point> {
    let start = points.partition_point(|point| point.time < from);
    points[start..].iter().take_while(move |point| point.time <= to)
}
