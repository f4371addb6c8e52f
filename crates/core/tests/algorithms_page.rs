//! docs/ALGORITHMS.md against the code: a row and a section for each algorithm, and its table of test vectors.
#![cfg(feature = "image")]
// What a test needs and does not get fails the test.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use minutia::fingerprint::{ALGORITHMS, AUDIO_ALGORITHMS, CHROMAPRINT_2, chromaprint, compress_to_text};
use minutia::media::{Picture, Rgb, Samples};

/// The picture that the page defines.
fn picture(width: u32, height: u32) -> Picture {
    let pixel = |x: u32, y: u32| [x * x / 97 + 3 * y, 2 * x + y * y / 61, x * y / 53].map(|value| (value % 256) as u8);
    let pixels = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect();
    Picture::Rgb(Rgb::new(width, height, pixels).unwrap())
}

/// The recording that the page defines.
fn recording(rate_hz: u32, channels: u16, h: u64) -> Samples {
    let sample = |n: u64, h: u64| ((n * n / h + 37 * (n / (8 * h)) * n) % 24_000) as f32 - 12_000.0;
    let frames = 0..u64::from(rate_hz) * 4;
    let interleaved =
        frames.flat_map(|n| (0..u64::from(channels)).map(move |channel| sample(n, h + channel) / 32_768.0));
    Samples { rate_hz, channels, interleaved: interleaved.collect() }
}

#[test]
fn the_page_has_the_algorithms_of_sound_and_their_vectors() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/ALGORITHMS.md");
    let page = std::fs::read_to_string(page).unwrap();
    assert_eq!(AUDIO_ALGORITHMS.len(), 2);
    for row in AUDIO_ALGORITHMS {
        let listed = format!("| {} | `{}` |", row.id.0, row.name);
        assert!(page.contains(&listed), "no row {listed}");
    }
    for row in AUDIO_ALGORITHMS {
        assert!(page.contains(&format!("## {}\n", row.name)), "no section on {}", row.name);
    }
    for (name, recording) in [("S", recording(11_025, 1, 600)), ("T", recording(44_100, 2, 2_400))] {
        let text = compress_to_text(&chromaprint([&recording]), CHROMAPRINT_2);
        let vector = format!("| `chromaprint` | {name} | `{text}` |");
        assert!(page.contains(&vector), "no row {vector}");
    }
}

#[test]
fn the_page_has_every_algorithm_and_its_vectors() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/ALGORITHMS.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut compared = 0;
    for row in ALGORITHMS {
        let listed = format!("| {} | `{}` | {} |", row.id.0, row.name, row.bits);
        assert!(page.contains(&listed), "no row {listed}");
        let heading = format!("## {}\n", row.name);
        assert!(page.contains(&heading), "no section on {}", row.name);
        for (name, width, height) in [("A", 320, 200), ("B", 800, 600)] {
            let (code, quality) = (row.code)(&picture(width, height));
            let hex = &code.to_string()[..row.bits as usize / 4];
            let quality = quality.map_or_else(|| "-".to_owned(), |quality| quality.to_string());
            let vector = format!("| `{}` | {name} | `{hex}` | {quality} |", row.name);
            assert!(page.contains(&vector), "no row {vector}");
            compared += 1;
        }
    }
    assert_eq!(compared, 18);
}
