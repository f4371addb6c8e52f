//! Every decoder of film under small limits: as the probe says, as the format that the first byte names, so that no signature
//! has to be guessed, and as a program's pipe. The first byte chooses what is wanted too.
//!
//! `cargo +nightly fuzz run video_decode -- -max_total_time=60 -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=256`
//! after `mkdir -p corpus/video_decode && cp ../testdata/video/formats/* corpus/video_decode`.
//!
//! A panic inside a decoder that we did not write is an outcome (it is caught, and a worker confines it); one in this
//! project's own sources is a finding, and so is memory beyond the limits or more than seconds of time. One in the decoder of
//! AV1 is a finding too: it cannot be caught.
#![no_main]

use std::ops::ControlFlow;

use libfuzzer_sys::fuzz_target;
use minutia_media::decode::video::{DirectoryFirst, Film, Frame, Selection, Wanted, decode, decode_pipe, describe};
use minutia_media::{Format, Limits, Source, probe};

/// Counts what comes, and holds it against the limits.
struct Seen {
    frames: u64,
    last_us: Option<u64>,
    limits: Limits,
}

impl Seen {
    fn take(&mut self, frame: &Frame) -> ControlFlow<()> {
        assert!(self.last_us.is_none_or(|last| frame.pts_us > last));
        assert!(frame.pts_us <= u64::from(self.limits.film_seconds) * 1_000_000);
        assert!(u64::from(frame.luma.width()) * u64::from(frame.luma.height()) <= self.limits.film_pixels);
        (self.frames, self.last_us) = (self.frames + 1, Some(frame.pts_us));
        ControlFlow::Continue(())
    }
}

fuzz_target!(|data: &[u8]| {
    minutia_fuzz::find_own_panics();
    let limits = Limits {
        decoder_bytes: 16 << 20,
        film_seconds: 60,
        film_frames: 100,
        film_pixels: 400_000,
        ..Limits::default()
    };
    let Some((&first, rest)) = data.split_first() else { return };
    let wanted = Wanted {
        selection: [Selection::All, Selection::Sparse, Selection::KeyFrames][usize::from(first >> 1) % 3],
        rate_fps: (first & 8 != 0).then_some(2),
        span_us: (first & 16 != 0).then_some(500_000..1_000_000),
        track: (first & 32 != 0).then_some(1),
    };
    let check = |bytes: &[u8], format: Option<Format>| {
        let source = Source::from_bytes(bytes.to_vec());
        let Some(format) = format.or_else(|| probe(&source).ok()) else { return };
        let film = describe(&source, format, 0).expect("bytes in memory can be read");
        assert!(film.tracks.len() <= 30_000);
        if let Some(film) = DirectoryFirst::of(&source).expect("bytes in memory can be read") {
            film.write(&source, &mut std::io::sink()).expect("nothing refuses them");
        }
        let mut seen = Seen { frames: 0, last_us: None, limits };
        let decoded = decode(&source, format, &wanted, &limits, &mut |frame| seen.take(&frame));
        assert_eq!(decoded.map_or(0, |decoded| decoded.frames), seen.frames);
    };
    check(data, None);
    check(rest, Some(if first & 1 == 0 { Format::Mp4 } else { Format::Matroska }));
    let mut seen = Seen { frames: 0, last_us: None, limits };
    let mut pipe = rest;
    let piped = decode_pipe(&mut pipe, "fuzz", Film::default(), &wanted, &limits, &mut |frame| seen.take(&frame));
    assert_eq!(piped.map_or(0, |decoded| decoded.frames), seen.frames);
});
