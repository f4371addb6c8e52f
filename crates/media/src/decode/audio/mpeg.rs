//! MPEG audio frames: their layer, and whether the first one is a tag that declares the length (Xing, LAME, VBRI), or sound.

use symphonia::core::codecs::audio::AudioCodecId;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_MP1, CODEC_ID_MP2, CODEC_ID_MP3};

use crate::{Problem, Source};

/// The layer of a frame (ISO 11172-3, 2.4.2.3); `None` for what is no frame.
fn layer(frame: &[u8]) -> Option<AudioCodecId> {
    let &[0xff, second, ..] = frame else { return None };
    match (second >> 5, second >> 1 & 3) {
        (7, 1) => Some(CODEC_ID_MP3),
        (7, 2) => Some(CODEC_ID_MP2),
        (7, 3) => Some(CODEC_ID_MP1),
        _ => None,
    }
}

/// What a decoder of MPEG audio is made for: the layer, the rate and whether there is one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) layer: AudioCodecId,
    rate: (u8, u8),
    mono: bool,
}

impl Shape {
    /// Of a frame (ISO 11172-3, 2.4.2.3, and 13818-3); `None` for what is no frame.
    pub(super) fn of(frame: &[u8]) -> Option<Shape> {
        let &[_, second, third, fourth, ..] = frame else { return None };
        let rate = (second >> 3 & 3, third >> 2 & 3);
        layer(frame).map(|layer| Shape { layer, rate, mono: fourth >> 6 == 3 })
    }
}

/// Whether the frame at `start` carries the length: without that, a demuxer's length is a guess by the bit rate.
pub(super) fn declares_length(source: &Source, start: u64) -> Result<bool, Problem> {
    let mut head = [0; 64];
    let read = source.read_at(start, &mut head)?;
    // Behind the header and the side information (Xing), or 32 bytes behind the header (VBRI).
    let tags: [(&[usize], &[u8]); 3] =
        [(&[13, 15, 21, 23, 36, 38], b"Xing"), (&[13, 15, 21, 23, 36, 38], b"Info"), (&[36, 38], b"VBRI")];
    let found = |(places, tag): &(&[usize], &[u8])| {
        places.iter().any(|&place| head[..read].get(place..).is_some_and(|rest| rest.starts_with(tag)))
    };
    Ok(tags.iter().any(found))
}
