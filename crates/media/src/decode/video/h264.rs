//! H.264 by `rust_h264`, one access unit at a time.

use rust_h264::decoder::Decoder;
use rust_h264::error::DecodeError;
use rust_h264::nal::{NalUnit, NalUnitType, SpsInfo, parse_avcc, parse_avcc_config, parse_sps_info};

use super::Selection;
use super::codec::{self, Begun, Codec, Failed};
use super::nut::reduced;
use super::out::{check_bytes, check_size};
use crate::{Limits, Luma, Problem};

/// A test compares the version with the manifest that is built.
pub(super) const CODEC: Codec = Codec { name: "H.264", decoder: "rust_h264 0.6.0", begin };

/// The most frames that are decoded before they are shown (ISO 14496-10, A.3.1: the buffer has 16).
const MAX_REORDERED: usize = 16;

/// A decoder with its parameter sets.
struct H264 {
    decoder: Decoder,
    limits: Limits,
    length_size: usize,
    /// Passes over pictures to which no other refers.
    without_unreferenced: bool,
    /// The parameter sets that came last.
    sps: Option<SpsInfo>,
}

/// Begins with `avcC` (ISO 14496-15).
fn begin(config: &[u8], selection: Selection, limits: &Limits) -> Begun {
    let damaged = |detail: &str| Failed::Fatal(Problem::Damaged { detail: detail.to_owned() });
    if config.is_empty() {
        return Err(damaged("the decoder's configuration is missing"));
    }
    let parsed = parse_avcc_config(config).map_err(damaged)?;
    let mut made = H264 {
        decoder: Decoder::new(),
        limits: *limits,
        length_size: parsed.length_size,
        without_unreferenced: selection == Selection::Sparse,
        sps: None,
    };
    for nal in parsed.sps_nals.iter().chain(&parsed.pps_nals) {
        // One that is damaged may not be used, or come again in the stream.
        match made.feed(nal) {
            Err(failed @ (Failed::Fatal(_) | Failed::Unsupported(_))) => return Err(failed),
            Ok(_) | Err(Failed::Sample(_)) => {}
        }
    }
    Ok(Box::new(made))
}

impl codec::Decoder for H264 {
    fn reordered(&self) -> usize {
        let told = self.sps.and_then(|sps| sps.max_reorder_frames);
        told.map_or(MAX_REORDERED, |told| (told as usize).min(MAX_REORDERED))
    }

    fn decode(&mut self, sample: &[u8]) -> (Vec<Luma>, Result<(), Failed>) {
        let (mut pictures, mut ended) = (Vec::new(), Ok(()));
        let mut slices = 0;
        for nal in parse_avcc(sample, self.length_size) {
            let slice = matches!(nal.nal_unit_type, NalUnitType::Slice | NalUnitType::SliceIdr);
            if slice && self.without_unreferenced && nal.nal_ref_idc == 0 {
                continue;
            }
            slices += u32::from(slice);
            match self.feed(&nal) {
                Ok(Some(luma)) => pictures.push(luma),
                Ok(None) => {}
                Err(failed @ Failed::Sample(_)) => ended = Err(failed),
                Err(failed) => return (pictures, Err(failed)),
            }
        }
        if slices > 0 {
            // It is complete: no slice of it comes with another sample.
            match self.decoder.flush().map(|frame| self.luma(frame)) {
                Some(Some(luma)) => pictures.push(luma),
                Some(None) => ended = Err(Failed::Sample("a picture of another size than declared".to_owned())),
                None if ended.is_ok() && pictures.is_empty() => {
                    ended = Err(Failed::Sample("slices without a picture".to_owned()));
                }
                None => {}
            }
        }
        (pictures, ended)
    }
}

impl H264 {
    fn feed(&mut self, nal: &NalUnit<'_>) -> Result<Option<Luma>, Failed> {
        if nal.nal_unit_type == NalUnitType::Sps {
            let sps = parse_sps_info(nal).map_err(failed)?;
            self.check(&sps)?;
            self.sps = Some(sps);
        }
        let frame = self.decoder.decode_nal(nal).map_err(failed)?;
        Ok(frame.and_then(|frame| self.luma(frame)))
    }

    /// Refuses by what is declared, before a decoder takes memory for it.
    fn check(&self, sps: &SpsInfo) -> Result<(), Failed> {
        check_size(sps.coded_width.into(), sps.coded_height.into(), &self.limits).map_err(Failed::Fatal)?;
        if sps.chroma_format > 2 || !matches!(sps.bit_depth_luma, 8 | 10) {
            return Err(Failed::Unsupported(format!(
                "H.264 of {} bits, chroma format {}",
                sps.bit_depth_luma, sps.chroma_format
            )));
        }
        let pixels = u64::from(sps.coded_width) * u64::from(sps.coded_height);
        // Three planes of at most two samples a pixel in all; references, the picture itself and its copy, and luma to be shown.
        let planes = u64::from(sps.reference_frames.min(16) + 3) * 2 * if sps.bit_depth_luma > 8 { 2 } else { 1 };
        check_bytes(pixels.saturating_mul(planes), &self.limits).map_err(Failed::Fatal)
    }

    /// The luma of a decoded frame; `None` for half of one.
    fn luma(&self, frame: rust_h264::decoder::Frame) -> Option<Luma> {
        let whole = self.sps.is_none_or(|sps| (sps.width, sps.height) == (frame.width, frame.height));
        let plane = if frame.bit_depth > 8 { reduced(&frame.y, frame.bit_depth) } else { frame.y };
        whole.then(|| Luma::new(frame.width, frame.height, plane)).flatten()
    }
}

fn failed(error: DecodeError) -> Failed {
    match error {
        DecodeError::Unsupported(what) => Failed::Unsupported(format!("H.264 with {what}")),
        error => Failed::Sample(error.to_string()),
    }
}
