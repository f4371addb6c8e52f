//! Opus packets, by a decoder in Rust alone: symphonia has none, and libopus needs a C compiler and CMake.
//!
//! `opus-pure` chooses instructions by the processor, as libopus does, so the last bits of its floats depend on that. What
//! it gives is rounded to 16 bits, where next to nothing of that is left.

use opus_pure::{Error, OpusDecoder, OpusMSDecoder};

use crate::{Problem, Samples};

/// The rate that Opus is decoded at, whatever was recorded.
pub(super) const RATE_HZ: u32 = 48_000;

/// The longest packet: 120 ms.
const MAX_FRAMES: usize = 5_760;

/// Streams, and how many of them are stereo, for 1 to 8 channels of mapping family 1 (RFC 7845, 5.1.1.2).
const SURROUND: [(u8, u8); 8] = [(1, 0), (1, 1), (2, 1), (2, 2), (3, 2), (4, 2), (4, 3), (5, 3)];

/// A decoder of one stream.
pub(super) struct Opus {
    streams: Streams,
    channels: u16,
    /// The factor of the header's gain.
    gain: f32,
    space: Vec<f32>,
    /// Frames that the header says to leave out at the start.
    pub(super) pre_skip: u64,
}

enum Streams {
    One(Box<OpusDecoder>),
    Many(OpusMSDecoder),
}

/// Why there is no decoder for a header.
pub(super) enum Refused {
    /// It contradicts itself.
    Damaged(Problem),
    /// A layout of channels that the decoder does not know.
    Layout,
}

impl Opus {
    /// A decoder for what the identification header (RFC 7845, 5.1) says. In MP4 its numbers are `big_endian`.
    pub(super) fn new(header: &[u8], big_endian: bool) -> Result<Opus, Refused> {
        let damaged = || Refused::Damaged(Problem::Damaged { detail: "an impossible Opus header".to_owned() });
        let failed = |error: Error| Refused::Damaged(failed(&error));
        let head = header.strip_prefix(b"OpusHead").and_then(|rest| rest.first_chunk::<11>()).ok_or_else(damaged)?;
        let channels = head[1];
        let short = |at: usize| {
            let bytes = [head[at], head[at + 1]];
            if big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
        };
        let (pre_skip, gain_256) = (u64::from(short(2)), short(8).cast_signed());
        let rate_hz = RATE_HZ.cast_signed();
        let streams = match head[10] {
            0 if matches!(channels, 1 | 2) => {
                Streams::One(Box::new(OpusDecoder::new(rate_hz, channels.into()).map_err(failed)?))
            }
            0 => return Err(damaged()),
            1 => {
                let expected = SURROUND.get(usize::from(channels).wrapping_sub(1)).ok_or_else(damaged)?;
                if header.get(19..21) != Some(&[expected.0, expected.1]) {
                    return Err(Refused::Layout);
                }
                Streams::Many(OpusMSDecoder::new(rate_hz, channels.into(), 1).map_err(failed)?)
            }
            _ => return Err(Refused::Layout),
        };
        let gain = libm::powf(10.0, f32::from(gain_256) / (20.0 * 256.0));
        let space = vec![0.0; MAX_FRAMES * usize::from(channels)];
        Ok(Opus { streams, channels: channels.into(), gain, space, pre_skip })
    }

    /// Decodes one packet.
    ///
    /// # Errors
    /// [`Problem::Damaged`] for a packet that is none.
    pub(super) fn decode(&mut self, packet: &[u8]) -> Result<Samples, Problem> {
        let frames = match &mut self.streams {
            Streams::One(decoder) => decoder.decode(packet, MAX_FRAMES, &mut self.space),
            Streams::Many(decoder) => decoder.decode(packet, MAX_FRAMES, &mut self.space),
        };
        let frames = frames.map_err(|error| failed(&error))?;
        let decoded = self.space.get(..frames * usize::from(self.channels)).unwrap_or(&[]);
        let rounded = |sample: &f32| libm::roundf((sample * self.gain).clamp(-8.0, 8.0) * 32_768.0) / 32_768.0;
        Ok(Samples { rate_hz: RATE_HZ, channels: self.channels, interleaved: decoded.iter().map(rounded).collect() })
    }
}

fn failed(error: &Error) -> Problem {
    Problem::Damaged { detail: format!("Opus: {error}") }
}
