//! Samples: decoded sound.

/// A run of decoded sound: what decoders hand over block by block, so that no stream is ever held whole.
///
/// ```
/// # use minutia_media::Samples;
/// let stereo = Samples { rate_hz: 48_000, channels: 2, interleaved: vec![0.5, -0.5, 0.25, 0.75] };
/// assert_eq!(stereo.frames(), 2);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    /// Frames a second.
    pub rate_hz: u32,
    /// Channels, at least 1, in the order of the container.
    pub channels: u16,
    /// One value a channel, then the next frame; full scale is -1.0..=1.0. 16-bit sound is the integer over 32,768.
    pub interleaved: Vec<f32>,
}

impl Samples {
    /// Complete frames (one value a channel) in the block.
    pub fn frames(&self) -> usize {
        self.interleaved.len() / usize::from(self.channels.max(1))
    }
}
