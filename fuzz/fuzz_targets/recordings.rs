//! Compressed Chromaprint fingerprints and lists of recordings of any bytes: nothing panics, what is read comes back from what
//! is written of it, no more items are made than there are bits for, and what is told is safe to print.
//!
//! `cargo +nightly fuzz run recordings -- -max_total_time=60`
#![no_main]

use libfuzzer_sys::fuzz_target;
use minutia::fingerprint::{compress, decompress, decompress_text};
use minutia::search::align;
use minutia_report::escape;
use minutia_report::lists::recordings::{Read, Reader, line};

fuzz_target!(|data: &[u8]| {
    if let Ok((algorithm, items)) = decompress(data) {
        assert!(items.len() * 3 <= data.len() * 8);
        assert_eq!(decompress(&compress(&items, algorithm)), Ok((algorithm, items)));
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = decompress_text(text);
    }
    for begin in ["", "{\"fingerprint\": [", "[{\"fingerprint\": \"AQAA"] {
        list(&[begin.as_bytes(), data].concat());
    }
    let (query, reference) = data.as_chunks::<4>().0.split_at(data.len() / 12);
    let items = |bytes: &[[u8; 4]]| bytes.iter().map(|&item| u32::from_le_bytes(item)).collect::<Vec<u32>>();
    for found in align(&items(query), &items(reference)) {
        assert!((found.query_start + found.length) as usize <= query.len());
        assert!((found.reference_start + found.length) as usize <= reference.len());
        assert!(found.telling <= found.length && (0.0..=0.35).contains(&found.bit_error_rate));
    }
});

fn list(list: &[u8]) {
    let lines = list.iter().filter(|&&byte| byte == b'\n').count() as u64 + 1;
    for read in Reader::new(list) {
        match read.expect("memory can be read") {
            Read::Recording(recording) => {
                assert!((1..=lines).contains(&recording.line));
                let written = line(&recording);
                let mut again = Reader::new(written.as_bytes());
                let Some(Ok(Read::Recording(found))) = again.next() else { panic!("{written}") };
                assert_eq!((&found.items, found.algorithm), (&recording.items, recording.algorithm), "{written}");
                assert_eq!((&found.id, &found.file), (&recording.id, &recording.file), "{written}");
                assert!(again.next().is_none(), "{written}");
            }
            Read::Wrong(wrong) => {
                assert!((1..=lines).contains(&wrong.line));
                assert!(!wrong.message.chars().any(escape::is_unsafe), "{}", wrong.message);
            }
            Read::Other(_) => {}
        }
    }
}
