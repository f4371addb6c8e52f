//! Landmarks: pairs of peaks as short keys, so that what two recordings share is found by looking keys up.

use super::Peak;

/// Bits of a landmark's key.
pub const LANDMARK_KEY_BITS: u32 = 22;

/// Peaks that each peak is paired with.
const FAN_OUT: usize = 3;

/// Calls `found(key, anchor)` for each landmark of sorted `peaks`, whose pitches are below [`Peak::PITCHES`]: its key, below 2^[`LANDMARK_KEY_BITS`], and the place of
/// its earlier peak. The order is that of the anchors.
pub fn landmarks(peaks: &[Peak], found: &mut dyn FnMut(u32, u32)) {
    for (anchor, first) in peaks.iter().enumerate() {
        for second in peaks.iter().skip(anchor + 1).take(FAN_OUT) {
            let pitch = u32::from(first.pitch / 8) & 0xff;
            let rise = ((u32::from(second.pitch) + 2_048 - u32::from(first.pitch)) / 16) & 0xff;
            let gap = (second.time.saturating_sub(first.time) / 16).min(63);
            found(pitch << 14 | rise << 6 | gap, anchor as u32);
        }
    }
}
