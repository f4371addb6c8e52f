//! An animated picture as a film: its frames by presentation time, beside what its pictures say one by one.

use minutia_media::decode::image::{ANIMATION_DECODER, Frame};
use minutia_media::{Format, Picture};

use super::{FilmCoverage, Request};
use crate::fingerprint::{FilmFingerprint, FilmFingerprinter, FilmViews, Views};

/// An animation that is shorter is no film: a blinking mark, a spinner.
const LEAST_MS: u64 = 1_000;
/// So much of an animation is taken as a film: the views of more would take hundreds of megabytes, and no film was made into
/// such a file.
const MOST_MS: u64 = FilmFingerprint::SECOND_LOOK_MS;

/// The frames of an animated picture as a film's. Holds the frame before and the samples of one shot.
pub(super) struct Animation {
    fingerprinter: FilmFingerprinter,
    frames: u64,
    size: (u32, u32),
    end_ms: u64,
    /// Whether all frames that came were taken.
    whole: bool,
}

impl Animation {
    /// For a picture that `request` is about; `None` where no codes are wanted of it.
    pub(super) fn new(request: &Request) -> Option<Animation> {
        let views = match request.views {
            Views::Reference => FilmViews::Reference,
            Views::Query => FilmViews::BothLooks,
        };
        request.tiers.codes.then(|| Animation {
            fingerprinter: FilmFingerprinter::new(0, views),
            frames: 0,
            size: (0, 0),
            end_ms: 0,
            whole: true,
        })
    }

    /// Takes the next frame.
    pub(super) fn take(&mut self, frame: Frame) {
        let end_ms = frame.time_ms.saturating_add(frame.duration_ms);
        if frame.time_ms >= MOST_MS || !self.whole {
            self.whole = false;
            return;
        }
        let Picture::Luma(luma) = frame.picture else { return };
        self.frames += 1;
        self.size = (luma.width(), luma.height());
        self.whole = end_ms <= MOST_MS;
        self.end_ms = end_ms.min(MOST_MS);
        self.fingerprinter.push(frame.time_ms.saturating_mul(1_000), luma);
    }

    /// What it is as a film; `None` for a still and for what is too short. `cut` is whether frames behind the last one are
    /// missing.
    pub(super) fn finish(self, format: Format, cut: bool) -> Option<(FilmFingerprint, FilmCoverage)> {
        if self.frames < 2 || self.end_ms < LEAST_MS {
            return None;
        }
        let coverage = FilmCoverage {
            decoder: ANIMATION_DECODER.to_owned(),
            codec: format.row().name.to_owned(),
            width: self.size.0,
            height: self.size.1,
            tracks: 1,
            frames_read: self.frames,
            declared_ms: None,
            decoded_ms: self.end_ms,
            to_the_end: self.whole && !cut,
            second_look: self.fingerprinter.has_second_look(),
            key_frames: false,
        };
        Some((self.fingerprinter.finish_at(self.end_ms.saturating_mul(1_000)), coverage))
    }
}
