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
    let hint = "this build reads images only".to_owned();
    Err(Problem::Unsupported { format: format.row().name.to_owned(), hint })
}
