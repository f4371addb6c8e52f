//! PDQ against the reference implementation's own hashes: 27 pictures, 8 positions, 2 dialects. The folder of vectors is
//! named by MINUTIA_VECTORS; a clone without it says that it skipped them.

// What a test needs and does not get fails the test; what could not be run is told.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fs;
use std::path::{Path, PathBuf};

use minutia::fingerprint::{Code, DihedralHash, pdq_512_dihedral, pdq_dihedral};
use minutia::media::{Luma, Picture, Rgb};

#[test]
fn agrees_with_the_reference_on_every_picture_position_and_dialect() {
    let Some(folder) = std::env::var_os("MINUTIA_VECTORS").map(PathBuf::from) else {
        println!("skipped: MINUTIA_VECTORS is not set; 27 pictures x 8 positions x 2 dialects were not compared");
        return;
    };
    let expected: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join("pdq/expected.json")).unwrap()).unwrap();
    let rows = expected.as_array().unwrap();
    assert_eq!(rows.len(), 27);
    for row in rows {
        let name = row["image"].as_str().unwrap();
        let picture = read(&folder.join("pdq/images").join(name));
        check(name, &row["full_size"], &pdq_dihedral(&picture));
        check(name, &row["nearest_512"], &pdq_512_dihedral(&picture));
    }
}

fn check(name: &str, expected: &serde_json::Value, found: &DihedralHash) {
    for (position, code) in found.codes.iter().enumerate() {
        let wanted: Code = expected["dihedral"][position].as_str().unwrap().parse().unwrap();
        assert_eq!(*code, wanted, "{name}, position {position}: {} bits differ", code.distance(&wanted));
    }
    assert_eq!(u64::from(found.quality), expected["quality"].as_u64().unwrap(), "{name}, quality");
}

/// Grey pictures stay grey, as the reference reads them.
fn read(path: &Path) -> Picture {
    let image = image::open(path).unwrap();
    let (width, height) = (image.width(), image.height());
    if image.color() == image::ColorType::L8 {
        Picture::Luma(Luma::new(width, height, image.into_luma8().into_raw()).unwrap())
    } else {
        Picture::Rgb(Rgb::new(width, height, image.into_rgb8().into_raw()).unwrap())
    }
}
