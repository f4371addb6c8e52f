//! Every decoder of sound under small limits: once as the reader in process takes a file, and once as the format that the
//! first byte names, so that no signature has to be guessed; and a program's pipe.
//!
//! `cargo +nightly fuzz run audio_decode -- -max_total_time=60 -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=256`
//!
//! A panic inside a decoder that we did not write is an outcome (it is caught, and a worker confines it); one in this
//! project's own sources is a finding, and so is memory beyond the limits or more than seconds of time.
#![no_main]

use std::ops::ControlFlow;

use libfuzzer_sys::fuzz_target;
use minutia::media::decode::audio::{declared, decode, decode_pipe, is_native};
use minutia::media::{FORMATS, Kind, Limits, Samples, Source, probe};
use minutia::scan::{InProcess, Reader, Request};

/// Counts what comes, and holds it against the limits.
struct Heard {
    blocks: u32,
    limits: Limits,
}

impl Heard {
    fn take(&mut self, block: &Samples) -> ControlFlow<()> {
        assert!(block.rate_hz > 0 && block.rate_hz <= self.limits.sample_rate_hz);
        assert!(block.channels > 0 && block.channels <= self.limits.channels);
        assert!(!block.interleaved.is_empty() && block.interleaved.len() % usize::from(block.channels) == 0);
        self.blocks += 1;
        ControlFlow::Continue(())
    }
}

fuzz_target!(|data: &[u8]| {
    minutia_fuzz::find_own_panics();
    let limits =
        Limits { decoder_bytes: 16 << 20, audio_seconds: 5, channels: 8, sample_rate_hz: 192_000, ..Limits::default() };
    let source = Source::from_bytes(data.to_vec());
    let kind = probe(&source).map(|format| format.row().kind);
    if matches!(kind, Ok(Kind::Audio | Kind::Video)) {
        let request = Request { limits, ..Request::query() };
        let mut items = 0;
        let read = InProcess.read(&source, &request, &mut |item| {
            let sound = item.coverage.sound.expect("sound has its coverage");
            assert!(sound.decoded_ms <= 5_000);
            items += 1;
        });
        assert_eq!(items, u32::from(read.is_ok()));
    }

    let Some((&first, rest)) = data.split_first() else { return };
    let formats: Vec<_> = FORMATS.iter().filter(|row| is_native(row.format)).collect();
    let format = formats[usize::from(first) % formats.len()].format;
    let source = Source::from_bytes(rest.to_vec());
    let mut heard = Heard { blocks: 0, limits };
    let decoded = decode(&source, format, &limits, &mut |block| heard.take(&block));
    assert_eq!(decoded.is_ok(), heard.blocks > 0);
    // Headers of what only a program decodes.
    FORMATS.iter().for_each(|row| drop(declared(&source, row.format)));
    let mut heard = Heard { blocks: 0, limits };
    let mut pipe = rest;
    let piped =
        decode_pipe(&mut pipe, "fuzz", format, declared(&source, format), &limits, &mut |block| heard.take(&block));
    assert_eq!(piped.is_ok(), heard.blocks > 0);
});
