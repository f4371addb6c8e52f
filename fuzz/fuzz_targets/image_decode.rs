//! Every image decoder under small limits: once as the reader in process takes a file, and once as the format that the
//! first byte names, so that no signature has to be guessed.
//!
//! `cargo +nightly fuzz run image_decode -- -max_total_time=60 -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=256`
//!
//! A panic inside a decoder that we did not write is an outcome (the reader catches it, and a worker confines it); one in
//! this project's own sources is a finding, and so is memory beyond the limits or more than seconds of time.
#![no_main]

use std::ops::ControlFlow;
use std::panic::{self, AssertUnwindSafe};

use libfuzzer_sys::fuzz_target;
use minutia::media::decode::image::{Channels, decode};
use minutia::media::{FORMATS, Kind, Limits, Picture, Source};
use minutia::scan::{InProcess, Reader, Request};

fuzz_target!(|data: &[u8]| {
    minutia_fuzz::find_own_panics();
    let limits = Limits {
        file_bytes: 1 << 20,
        pixels: 1 << 20,
        side_px: 1 << 14,
        animation_pixels: 1 << 21,
        frames: 20,
        decoder_bytes: 16 << 20,
        audio_seconds: 1,
        ..Limits::default()
    };
    let request = Request { limits, preview_px: Some(64), ..Request::query() };
    let mut items = 0;
    let read = InProcess.read(&Source::from_bytes(data.to_vec()), &request, &mut |item| {
        assert!((item.coverage.frames_read > 0) != item.coverage.sound.is_some());
        // Beside them stands the film that a long animation is, or the sound of what is no picture.
        let pictures = item.fingerprints.iter().filter(|print| print.image().is_some()).count();
        assert_eq!(item.coverage.frames_kept as usize, pictures);
        items += 1;
    });
    assert_eq!(items, u32::from(read.is_ok()));

    let Some((&first, rest)) = data.split_first() else { return };
    let images: Vec<_> = FORMATS.iter().filter(|row| row.kind == Kind::Image).collect();
    let format = images[usize::from(first) % images.len()].format;
    let channels = if first < 128 { Channels::Luma } else { Channels::Rgb };
    let source = Source::from_bytes(rest.to_vec());
    let mut frames = 0;
    let decoded = panic::catch_unwind(AssertUnwindSafe(|| {
        decode(&source, format, channels, &limits, &mut |frame| {
            assert_eq!(frame.number, frames);
            assert_eq!(matches!(frame.picture, Picture::Luma(_)), channels == Channels::Luma);
            assert!(u64::from(frame.picture.width()) * u64::from(frame.picture.height()) <= limits.pixels);
            frames += 1;
            ControlFlow::Continue(())
        })
    }));
    if let Ok(Ok(decoded)) = decoded {
        assert!(frames > 0 && decoded.frames == frames && frames <= limits.frames);
    }
});
