//! Where no decoder of sound is built in.

use std::ops::ControlFlow;

use minutia_media::{Ffmpeg, Format, Limits, Problem, Samples, Source};

use super::SoundCoverage;

/// Refuses all sound.
pub(super) fn read_sound(
    _: &Source,
    format: Format,
    _: &Limits,
    _: Option<&Ffmpeg>,
    _: &mut dyn FnMut(Samples) -> ControlFlow<()>,
) -> Result<(SoundCoverage, Vec<Problem>), Problem> {
    Err(unsupported(format))
}

/// Refuses all further tracks.
pub(super) fn read_track(
    _: &Source,
    format: Format,
    _: u32,
    _: &Limits,
    _: &mut dyn FnMut(Samples) -> ControlFlow<()>,
) -> Result<Vec<Problem>, Problem> {
    Err(unsupported(format))
}

fn unsupported(format: Format) -> Problem {
    let hint = "this build reads images only".to_owned();
    Problem::Unsupported { format: format.row().name.to_owned(), hint }
}
