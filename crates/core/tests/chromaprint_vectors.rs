//! Conformance: the vectors that Chromaprint's reference library is tested with, and what `fpcalc` prints.
//!
//! `MINUTIA_VECTORS=folder cargo test -p minutia --test chromaprint_vectors` compares with `chromaprint/expected.json` in that
//! folder; without it the tests say what they skipped.

// What a test needs and does not get fails the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::fs;
use std::path::{Path, PathBuf};

use minutia::fingerprint::{chromaprint, compress, compress_to_text, decompress, decompress_text, simhash};
use minutia::media::Samples;
use serde_json::Value;

#[test]
fn published_recordings_have_the_published_items() {
    let Some((folder, expected)) = vectors("2 recordings and the 5 files of fpcalc") else { return };
    let whole = expected["whole"].as_array().unwrap();
    assert_eq!(whole.len(), 2);
    let recording = samples(44_100, 1, &fs::read(folder.join("test_stereo_44100.raw")).unwrap());
    let silence = Samples { rate_hz: 44_100, channels: 1, interleaved: vec![0.0; 1024] };
    for (row, items) in whole.iter().zip([chromaprint([&recording]), chromaprint(vec![&silence; 130])]) {
        assert_eq!(compress_to_text(&items, 1), row["base64"].as_str().unwrap(), "{}", row["input"]);
        assert_eq!(u64::from(simhash(&items)), row["simhash"].as_u64().unwrap(), "{}", row["input"]);
    }
    let rows = expected["fpcalc_1.5.1"].as_array().unwrap();
    let (mut compared, mut total) = (0, 0);
    for row in rows {
        let wanted = numbers(&row["items"]);
        assert_eq!(decompress_text(row["base64"].as_str().unwrap()), Ok((1, wanted.clone())));
        let name = row["input"].as_str().unwrap();
        // Of the others the decoder is not in this room.
        let Some(samples) = wave(&folder.join(name)) else { continue };
        let found = chromaprint([&samples]);
        assert_eq!(found.len(), wanted.len(), "{name}");
        let bits: u32 = found.iter().zip(&wanted).map(|(found, wanted)| (found ^ wanted).count_ones()).sum();
        println!("{name}: {bits} bits of {} items differ", wanted.len());
        assert!(f64::from(bits) <= 0.1 * wanted.len() as f64, "{name}: {bits} bits of {} items", wanted.len());
        compared += 1;
        total += bits;
    }
    assert_eq!((rows.len(), compared), (5, 4), "{total} bits");
}

#[test]
fn compressed_forms_are_the_published_ones() {
    let Some((_, expected)) = vectors("16 compressed fingerprints") else { return };
    let rows = expected["compress"].as_array().unwrap();
    assert_eq!(rows.len(), 6);
    for row in rows {
        assert_eq!(compress(&numbers(&row["items"]), 0), bytes(&row["bytes"]), "{}", row["name"]);
    }
    let rows = expected["decompress"].as_array().unwrap();
    assert_eq!(rows.len(), 10);
    for row in rows {
        let found = match row["base64"].as_str() {
            Some(text) => decompress_text(text),
            None => decompress(&bytes(&row["bytes"])),
        };
        if row["valid"] == Value::Bool(false) {
            found.expect_err("it is refused");
            continue;
        }
        let (algorithm, items) = found.unwrap();
        if !row["items"].is_null() {
            assert_eq!(items, numbers(&row["items"]), "{}", row["name"]);
        }
        if let Some(text) = row["base64"].as_str() {
            assert_eq!(compress_to_text(&items, algorithm), text, "{}", row["name"]);
        }
    }
}

fn vectors(what: &str) -> Option<(PathBuf, Value)> {
    let Some(folder) = std::env::var_os("MINUTIA_VECTORS").map(PathBuf::from) else {
        println!("skipped: MINUTIA_VECTORS is not set; {what} were not compared");
        return None;
    };
    let folder = folder.join("chromaprint");
    let expected = serde_json::from_slice(&fs::read(folder.join("expected.json")).unwrap()).unwrap();
    Some((folder, expected))
}

fn numbers(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|item| item.as_u64().unwrap().try_into().unwrap()).collect()
}

fn bytes(value: &Value) -> Vec<u8> {
    numbers(value).into_iter().map(|byte| byte.try_into().unwrap()).collect()
}

fn samples(rate_hz: u32, channels: u16, bytes: &[u8]) -> Samples {
    let value = |pair: &[u8]| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0;
    Samples { rate_hz, channels, interleaved: bytes.chunks_exact(2).map(value).collect() }
}

/// A file of 16 bits with nothing but a header of 44 bytes before its samples.
fn wave(path: &Path) -> Option<Samples> {
    let bytes = fs::read(path).unwrap();
    let rate_hz = bytes.get(24..28).filter(|_| bytes.starts_with(b"RIFF"))?;
    Some(samples(u32::from_le_bytes(rate_hz.try_into().unwrap()), u16::from(bytes[22]), &bytes[44..]))
}
