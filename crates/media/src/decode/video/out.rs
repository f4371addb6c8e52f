//! Between a decoder and the sink: chooses frames by time, and stops at the limits. The same for every decoder, so that one
//! stream gives the same frames whichever read it.

use std::ops::ControlFlow;

use super::{Decoded, Frame, FrameSink, Selection, Wanted};
use crate::{LimitKind, Limits, Problem};

const SECOND_US: u64 = 1_000_000;

/// What to do with a decoded frame, told by its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// Hand it over.
    Take,
    /// It is not wanted.
    Skip,
    /// Neither it nor any after it: the wanted part is over, or a limit was reached.
    Stop(Option<Problem>),
}

/// A sink within limits that takes what is wanted.
pub(super) struct Out<'a> {
    sink: FrameSink<'a>,
    wanted: &'a Wanted,
    limits: &'a Limits,
    /// The part of a second that the last frame was taken of.
    part: Option<u128>,
    /// The time of the last frame, taken or not.
    last_us: Option<u64>,
    first_us: Option<u64>,
    /// Width and height of the first frame handed over.
    size_px: Option<(u32, u32)>,
    decoded: u64,
    taken: u64,
    /// Frames whose time was not behind that of the one before.
    backwards: u64,
    /// Whether the caller had enough.
    broken_off: bool,
}

impl<'a> Out<'a> {
    pub(super) fn new(sink: FrameSink<'a>, wanted: &'a Wanted, limits: &'a Limits) -> Out<'a> {
        Out {
            sink,
            wanted,
            limits,
            part: None,
            last_us: None,
            first_us: None,
            size_px: None,
            decoded: 0,
            taken: 0,
            backwards: 0,
            broken_off: false,
        }
    }

    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    pub(super) fn broken_off(&self) -> bool {
        self.broken_off
    }

    /// Counts a decoded frame and says whether it is wanted. One whose time is before the film's zero is not, and one that
    /// comes too late for its time is dropped.
    pub(super) fn choose(&mut self, pts_us: i64) -> Choice {
        self.decoded += 1;
        if self.decoded > self.limits.film_frames {
            return stop(LimitKind::FilmFrames, self.limits.film_frames, self.decoded);
        }
        let Ok(pts_us) = u64::try_from(pts_us) else { return Choice::Skip };
        if self.last_us.is_some_and(|last| pts_us <= last) {
            self.backwards += 1;
            return Choice::Skip;
        }
        let allowed = u64::from(self.limits.film_seconds);
        if pts_us > allowed * SECOND_US {
            return stop(LimitKind::FilmSeconds, allowed, pts_us.div_ceil(SECOND_US));
        }
        let span = self.wanted.span_us.clone().unwrap_or(0..u64::MAX);
        if pts_us >= span.end {
            return Choice::Stop(None);
        }
        self.last_us = Some(pts_us);
        if pts_us < span.start {
            return Choice::Skip;
        }
        if let Some(part) = self.part_of(pts_us) {
            if self.part == Some(part) {
                return Choice::Skip;
            }
            self.part = Some(part);
        }
        Choice::Take
    }

    /// False for the time of a frame that [`Out::choose`] would leave out, were it the next.
    pub(super) fn may_take(&self, pts_us: i64) -> bool {
        let part = u64::try_from(pts_us).ok().map(|pts_us| self.part_of(pts_us));
        self.wanted.rate_fps.is_none() || part != Some(self.part)
    }

    /// The part of a second, of those of which one frame is wanted, in which a time lies.
    fn part_of(&self, pts_us: u64) -> Option<u128> {
        let rate = self.wanted.rate_fps?;
        Some(u128::from(pts_us.saturating_add(Wanted::EARLY_US)) * u128::from(rate.max(1)) / u128::from(SECOND_US))
    }

    /// Hands over a frame that was chosen.
    pub(super) fn give(&mut self, frame: Frame) -> ControlFlow<()> {
        self.taken += 1;
        self.first_us.get_or_insert(frame.pts_us);
        self.size_px.get_or_insert((frame.luma.width(), frame.luma.height()));
        let flow = (self.sink)(frame);
        self.broken_off |= flow.is_break();
        flow
    }

    /// Writes down how far it came.
    pub(super) fn finish(self, decoded: &mut Decoded) {
        (decoded.frames, decoded.decoded_frames) = (self.taken, self.decoded);
        (decoded.first_us, decoded.last_us) = (self.first_us, self.last_us);
        // Containers may say what is not so.
        if let Some(size_px) = self.size_px {
            (decoded.film.width, decoded.film.height) = size_px;
        }
        if self.backwards > 0 {
            let detail = format!("{} of {} frames were out of the order of their times", self.backwards, self.decoded);
            decoded.problems.push(Problem::Damaged { detail });
        }
    }
}

fn stop(limit: LimitKind, allowed: u64, found: u64) -> Choice {
    Choice::Stop(Some(Problem::Limit { limit, allowed, found }))
}

/// Refuses pictures that are larger than allowed, before anything is allocated for them.
pub(super) fn check_size(width: u64, height: u64, limits: &Limits) -> Result<(), Problem> {
    if width == 0 || height == 0 {
        return Err(Problem::Damaged { detail: format!("frames of {width} x {height} pixels") });
    }
    let side = width.max(height);
    if side > u64::from(limits.side_px) {
        return Err(Problem::Limit { limit: LimitKind::Side, allowed: limits.side_px.into(), found: side });
    }
    let pixels = width.saturating_mul(height);
    if pixels > limits.film_pixels {
        return Err(Problem::Limit { limit: LimitKind::FilmPixels, allowed: limits.film_pixels, found: pixels });
    }
    Ok(())
}

/// Refuses what a decoder would need more memory for than is allowed, before it takes any.
pub(super) fn check_bytes(bytes: u64, limits: &Limits) -> Result<(), Problem> {
    if bytes > limits.decoder_bytes {
        return Err(Problem::Limit { limit: LimitKind::DecoderBytes, allowed: limits.decoder_bytes, found: bytes });
    }
    Ok(())
}

/// Says so where less came than was declared. Containers round their lengths, those of films may be those of their sound,
/// and the last frame begins before the end: 5 s and a hundredth are nothing.
pub(super) fn check_length(decoded: &mut Decoded, selection: Selection) {
    // The last key frame may stand far before the end.
    if selection == Selection::KeyFrames {
        return;
    }
    let (Some(declared), true) = (decoded.film.declared_ms, decoded.to_the_end) else { return };
    let known =
        decoded.problems.iter().any(|problem| matches!(problem, Problem::Damaged { .. } | Problem::Limit { .. }));
    let reached = decoded.last_us.unwrap_or(0) / 1_000;
    if !known && reached.saturating_add(5_000).saturating_add(declared / 100) < declared {
        let detail = format!("the pictures end after {reached} of {declared} ms");
        decoded.problems.push(Problem::Damaged { detail });
    }
}
