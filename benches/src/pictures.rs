//! Real photographs for benches, brought to the sizes that are measured.

use std::io::Cursor;
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, RgbImage};
use minutia_media::Source;

/// The photographs of `testdata/image/reference`, in the order of their names.
///
/// # Panics
/// Where there are none: benches are run in the repository.
pub fn photographs() -> Vec<RgbImage> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/image/reference");
    let entries = folder.read_dir().expect("the repository has test media");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    paths.sort();
    let photographs: Vec<_> =
        paths.iter().filter_map(|path| image::open(path).ok()).map(DynamicImage::into_rgb8).collect();
    assert!(photographs.len() >= 6, "only {} pictures in {}", photographs.len(), folder.display());
    photographs
}

/// A baseline JPEG of quality 85 and about so many pixels. Where a photograph has fewer it is enlarged, and grain as that
/// of a sensor is added, so that decoding it costs what a camera's picture costs.
pub fn jpeg(photograph: &RgbImage, pixels: u32) -> Vec<u8> {
    let have = photograph.width() * photograph.height();
    let scale = (f64::from(pixels) / f64::from(have)).sqrt();
    let side = |length: u32| (f64::from(length) * scale).round() as u32;
    let (width, height) = (side(photograph.width()), side(photograph.height()));
    let mut picture = image::imageops::resize(photograph, width, height, FilterType::CatmullRom);
    if scale > 1.0 {
        let mut state = 1_u32;
        for value in picture.iter_mut() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *value = value.saturating_add((state >> 28) as u8).saturating_sub(8);
        }
    }
    let mut bytes = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut bytes, 85).encode_image(&picture).expect("a picture can be encoded");
    bytes.into_inner()
}

/// The same as a source in memory.
pub fn source(photograph: &RgbImage, pixels: u32) -> Source {
    Source::from_bytes(jpeg(photograph, pixels))
}
