//! docs/ALGORITHMS.md against the code: a row and a section for each algorithm, and its table of test vectors.
#![cfg(feature = "image")]
// What a test needs and does not get fails the test.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use minutia::fingerprint::ALGORITHMS;
use minutia::media::{Picture, Rgb};

/// The picture that the page defines.
fn picture(width: u32, height: u32) -> Picture {
    let pixel = |x: u32, y: u32| [x * x / 97 + 3 * y, 2 * x + y * y / 61, x * y / 53].map(|value| (value % 256) as u8);
    let pixels = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect();
    Picture::Rgb(Rgb::new(width, height, pixels).unwrap())
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
