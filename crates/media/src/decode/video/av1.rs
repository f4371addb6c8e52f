//! AV1 by `re_rav1d`, a port of dav1d to Rust, one temporal unit at a time. Its assembler is left out, for which building
//! would need `nasm`; all of its kernels give the same bits.
//!
//! **A panic inside it cannot be caught**: its interface for Rust stands on the one for C, and where a panic would leave
//! that, the process ends. In a worker that is one outcome, as any crash is. Some thousand altered streams met none. It has
//! unsafe code too, so the feature is off where the library is built without asking for it.

use re_rav1d::dav1d::{DecodeFrameType, Decoder, Error, Picture, PlanarImageComponent, Settings};

use super::Selection;
use super::codec::{self, Begun, Codec, Failed};
use super::nut::reduced;
use super::out::{check_bytes, check_size};
use super::sequence::{Sequence, sequences};
use crate::{Limits, Luma, Problem};

/// A test compares the version with the manifest that is built.
pub(super) const CODEC: Codec = Codec { name: "AV1", decoder: "re_rav1d 0.1.3", begin };

/// Pictures that are held at once: eight to which others refer, the one being decoded, it with its grain, and luma to be
/// shown.
const HELD: u64 = 11;

struct Av1 {
    selection: Selection,
    limits: Limits,
    /// The sequence that is being decoded, and its decoder: none before the first header.
    sequence: Option<(Sequence, Decoder)>,
}

/// Begins with `av1C` (AV1 Codec ISO Media File Format Binding, 2.3), which may be missing, or hold no header.
fn begin(config: &[u8], selection: Selection, limits: &Limits) -> Begun {
    let mut made = Av1 { selection, limits: *limits, sequence: None };
    if let Some(units) = config.get(4..).filter(|units| !units.is_empty()) {
        match made.feed(units) {
            Err(failed @ (Failed::Fatal(_) | Failed::Unsupported(_))) => return Err(failed),
            Ok(_) | Err(Failed::Sample(_)) => {}
        }
    }
    Ok(Box::new(made))
}

impl codec::Decoder for Av1 {
    fn decode(&mut self, sample: &[u8]) -> (Vec<Luma>, Result<(), Failed>) {
        match self.feed(sample) {
            Ok(Some(luma)) => (vec![luma], Ok(())),
            // It may be one that is left out.
            Ok(None) if self.selection == Selection::Sparse => (Vec::new(), Ok(())),
            Ok(None) => (Vec::new(), Err(Failed::Sample("a unit without a picture".to_owned()))),
            Err(failed) => (Vec::new(), Err(failed)),
        }
    }

    /// Units come in the order in which they are shown.
    fn reordered(&self) -> usize {
        0
    }
}

impl Av1 {
    /// The picture that a temporal unit shows.
    fn feed(&mut self, unit: &[u8]) -> Result<Option<Luma>, Failed> {
        for sequence in sequences(unit) {
            if self.sequence.as_ref().is_none_or(|(known, _)| *known != sequence) {
                self.sequence = Some((sequence, decoder(sequence, self.selection, &self.limits)?));
            }
        }
        let Some((_, decoder)) = &mut self.sequence else {
            return Err(Failed::Sample("a picture before its sequence".to_owned()));
        };
        let (mut shown, mut ended) = (None, decoder.send_data(unit.to_vec(), None, None, None));
        loop {
            match decoder.get_picture() {
                Ok(picture) if shown.is_none() => shown = Some(luma(&picture, &self.limits)?),
                Ok(_) => {
                    // One that shows thousands is no film.
                    decoder.flush();
                    return Err(Failed::Sample("more than one picture in a unit".to_owned()));
                }
                Err(Error::Again) => break,
                Err(error) => ended = Err(error),
            }
        }
        ended.map_err(|error| match error {
            Error::UnsupportedBitstream => Failed::Unsupported("AV1 that its decoder does not know".to_owned()),
            error => Failed::Sample(error.to_string()),
        })?;
        Ok(shown)
    }
}

/// A decoder of one sequence, which refuses pictures that are larger than declared. Refuses by what is declared, before
/// anything takes memory for it.
fn decoder(sequence: Sequence, selection: Selection, limits: &Limits) -> Result<Decoder, Failed> {
    let (width, height) = (u64::from(sequence.size_px.0), u64::from(sequence.size_px.1));
    check_size(width, height, limits).map_err(Failed::Fatal)?;
    // As if of more than 8 bits. Of profile 0 there is half as much colour as luma.
    let sample_bytes = if sequence.profile == 0 { 3 } else { 6 };
    check_bytes((width * height).saturating_mul(sample_bytes * HELD), limits).map_err(Failed::Fatal)?;
    let mut settings = Settings::new();
    // No threads: in a worker none can be started.
    settings.set_n_threads(1);
    settings.set_max_frame_delay(1);
    // Of layers the best alone, as ffmpeg does.
    settings.set_all_layers(false);
    settings.set_frame_size_limit(u32::try_from(width * height).unwrap_or(u32::MAX));
    if selection == Selection::Sparse {
        settings.set_decode_frame_type(DecodeFrameType::Reference);
    }
    let failed = |error: Error| Failed::Fatal(Problem::Crashed { detail: format!("{}: {error}", CODEC.decoder) });
    Decoder::with_settings(&settings).map_err(failed)
}

fn luma(picture: &Picture, limits: &Limits) -> Result<Luma, Failed> {
    let (width, height) = (picture.width(), picture.height());
    check_size(width.into(), height.into(), limits).map_err(Failed::Fatal)?;
    // Whatever its page says, this is what a sample uses: 8, 10 or 12.
    let bits = picture.bit_depth();
    let (row_bytes, stride) = (width as usize * if bits > 8 { 2 } else { 1 }, picture.stride(PlanarImageComponent::Y));
    let plane = picture.plane(PlanarImageComponent::Y);
    let rows = plane.chunks(stride as usize).filter_map(|row| row.get(..row_bytes));
    let pixels = if bits > 8 {
        rows.flat_map(|row| reduced(row, bits as u8)).collect()
    } else {
        rows.collect::<Vec<_>>().concat()
    };
    Luma::new(width, height, pixels).ok_or_else(|| Failed::Sample("a picture of another size than declared".to_owned()))
}
