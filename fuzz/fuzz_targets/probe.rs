//! The probe over any bytes: one answer, the same again, and only the head decides but where the page says otherwise.
//!
//! `cargo +nightly fuzz run probe -- -max_total_time=60`
#![no_main]

use libfuzzer_sys::fuzz_target;
use minutia::media::{Problem, Source, probe};

fuzz_target!(|data: &[u8]| {
    let source = Source::from_bytes(data.to_vec());
    let found = probe(&source);
    match &found {
        Ok(format) => assert!(!format.row().name.is_empty()),
        Err(Problem::NotMedia { found }) => assert!(!found.is_empty()),
        Err(other) => panic!("bytes in memory can be read: {other}"),
    }
    assert_eq!(probe(&source), found);
});
