//! Limits: what one file may cost. All are budgets of work, so that the same file ends the same way on every machine.

/// What one file may cost. Checked before anything is allocated; strict unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Limits {
    /// Bytes of one image file, which is read whole. Strict.
    pub file_bytes: u64,
    /// Pixels of one picture (width * height). Strict.
    pub pixels: u64,
    /// Pixels of the longer side. Strict.
    pub side_px: u32,
    /// Pixels of all frames of an animation together; what was read until then counts. Strict.
    pub animation_pixels: u64,
    /// Frames of an animation; what was read until then counts. Strict.
    pub frames: u32,
    /// Bytes that a decoder may hold beside the file. Best effort: each decoder counts what it can.
    pub decoder_bytes: u64,
    /// Seconds of one recording; what was read until then counts. Strict.
    pub audio_seconds: u32,
    /// Channels of a recording. Strict.
    pub channels: u16,
    /// Frames a second of a recording. Strict.
    pub sample_rate_hz: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            file_bytes: 256 << 20,
            pixels: 256_000_000,
            side_px: 1 << 18,
            animation_pixels: 1_000_000_000,
            frames: 1_000,
            decoder_bytes: 384 << 20,
            audio_seconds: 24 * 60 * 60,
            channels: 64,
            sample_rate_hz: 768_000,
        }
    }
}
