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
    /// Seconds of a film, by presentation time; what was read until then counts. Strict.
    pub film_seconds: u32,
    /// Pixels of one frame of a film (width * height), before any cropping. Strict; ffmpeg is told too.
    pub film_pixels: u64,
    /// Frames of a film that are decoded, whether handed over or not; what was read until then counts. Strict here, best
    /// effort where ffmpeg decodes: only those that it hands over are counted.
    pub film_frames: u64,
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
            film_seconds: 24 * 60 * 60,
            // 8192 x 4352, the largest frame of H.264's level 6.2 (ISO 14496-10, table A-1).
            film_pixels: 36_000_000,
            // A day at 60 frames a second is 5.2 million.
            film_frames: 6_000_000,
        }
    }
}
