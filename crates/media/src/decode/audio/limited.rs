//! Between a decoder and the sink: cuts off what is no part of the recording, and stops at the limits.

use std::ops::ControlFlow;

use super::SampleSink;
use crate::{LimitKind, Limits, Problem, Samples};

/// What of a decoder's output is the recording, in frames of its own rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cut {
    /// Frames to leave out at the start.
    pub(super) start: u64,
    /// Frames to keep behind those; all where `None`.
    pub(super) keep: Option<u64>,
    /// Frames to leave out at the end, where only the end of the file tells where that is.
    pub(super) end: usize,
}

/// A sink within limits.
pub(super) struct Limited<'a> {
    sink: SampleSink<'a>,
    limits: &'a Limits,
    cut: Cut,
    /// What may turn out to be the end.
    held: Vec<f32>,
    rate_hz: u32,
    channels: u16,
    /// Frames handed over at the present rate.
    frames: u64,
    /// Milliseconds handed over at earlier rates.
    earlier_ms: u64,
    /// Whether anything was handed over.
    heard: bool,
}

impl<'a> Limited<'a> {
    pub(super) fn new(sink: SampleSink<'a>, limits: &'a Limits) -> Limited<'a> {
        let cut = Cut::default();
        Limited { sink, limits, cut, held: Vec::new(), rate_hz: 0, channels: 0, frames: 0, earlier_ms: 0, heard: false }
    }

    /// Begins a stream: what comes next is cut so.
    pub(super) fn begin(&mut self, cut: Cut) {
        self.held.clear();
        self.cut = cut;
    }

    pub(super) fn heard(&self) -> bool {
        self.heard
    }

    pub(super) fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    pub(super) fn channels(&self) -> u16 {
        self.channels
    }

    pub(super) fn decoded_ms(&self) -> u64 {
        self.earlier_ms.saturating_add(ms(self.frames, self.rate_hz))
    }

    /// Takes a decoded block. `Break(None)` where the caller has enough, `Break(Some)` where a limit was reached.
    pub(super) fn take(&mut self, mut block: Samples) -> ControlFlow<Option<Problem>> {
        if let Err(problem) = check_shape(block.rate_hz, u64::from(block.channels), self.limits) {
            return ControlFlow::Break(Some(problem));
        }
        if (block.rate_hz, block.channels) != (self.rate_hz, self.channels) {
            self.earlier_ms = self.decoded_ms();
            self.held.clear();
            (self.rate_hz, self.channels, self.frames) = (block.rate_hz, block.channels, 0);
        }
        let width = usize::from(block.channels);
        if self.cut.start > 0 {
            let skipped = self.cut.start.min(block.frames() as u64);
            self.cut.start -= skipped;
            block.interleaved.drain(..skipped as usize * width);
        }
        if self.cut.end > 0 {
            self.held.append(&mut block.interleaved);
            let ready = self.held.len().saturating_sub(self.cut.end.saturating_mul(width));
            block.interleaved = self.held.drain(..ready - ready % width).collect();
        }
        if let Some(keep) = &mut self.cut.keep {
            let kept = (*keep).min(block.frames() as u64);
            *keep -= kept;
            block.interleaved.truncate(kept as usize * width);
        }
        let allowed = u64::from(self.limits.audio_seconds);
        let room_ms = (allowed * 1_000).saturating_sub(self.earlier_ms);
        let most = u64::try_from(u128::from(room_ms) * u128::from(block.rate_hz) / 1_000).unwrap_or(u64::MAX);
        let room = most.saturating_sub(self.frames);
        let full = block.frames() as u64 > room;
        if full {
            block.interleaved.truncate(usize::try_from(room).unwrap_or(usize::MAX).saturating_mul(width));
        }
        self.frames += block.frames() as u64;
        if !block.interleaved.is_empty() {
            self.heard = true;
            if (self.sink)(block).is_break() {
                return ControlFlow::Break(None);
            }
        }
        if full {
            let limit = LimitKind::AudioSeconds;
            return ControlFlow::Break(Some(Problem::Limit { limit, allowed, found: allowed.saturating_add(1) }));
        }
        ControlFlow::Continue(())
    }
}

/// The least frames a second: of what is heard, hardly anything is left below 500 Hz. A header may claim one frame a second, of
/// which a megabyte would be made of thousands.
pub(super) const MIN_RATE_HZ: u32 = 1_000;

/// Refuses rates and channels that no recording has.
pub(super) fn check_shape(rate_hz: u32, channels: u64, limits: &Limits) -> Result<(), Problem> {
    if rate_hz == 0 || channels == 0 {
        return Err(Problem::Damaged { detail: format!("{channels} channels at {rate_hz} Hz") });
    }
    if rate_hz < MIN_RATE_HZ {
        return Err(Problem::Unsupported {
            format: format!("sound of {rate_hz} samples a second"),
            hint: format!(
                "below {MIN_RATE_HZ} it holds nothing of what recordings are compared by; where that rate is wrong, correct it in \
                 a copy and examine that beside it"
            ),
        });
    }
    if rate_hz > limits.sample_rate_hz {
        let (allowed, found) = (u64::from(limits.sample_rate_hz), u64::from(rate_hz));
        return Err(Problem::Limit { limit: LimitKind::SampleRate, allowed, found });
    }
    if channels > u64::from(limits.channels) {
        return Err(Problem::Limit {
            limit: LimitKind::Channels,
            allowed: u64::from(limits.channels),
            found: channels,
        });
    }
    Ok(())
}

/// Frames as milliseconds, rounded down.
pub(super) fn ms(frames: u64, rate_hz: u32) -> u64 {
    u64::try_from(u128::from(frames) * 1_000 / u128::from(rate_hz.max(1))).unwrap_or(u64::MAX)
}
