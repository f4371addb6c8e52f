//! Writes JPEG files to measure whole commands by: `pictures FOLDER COUNT PIXELS`.
//!
//! They are the photographs of `testdata/image/reference` brought to about so many pixels, each file with a cut of its own,
//! so that no two have the same bytes.

use std::error::Error;
use std::fs;
use std::path::Path;

use minutia_benches::pictures::{jpeg, photographs};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, count, pixels] = &arguments[..] else { return Err("expected FOLDER COUNT PIXELS".into()) };
    let (count, pixels): (u32, u32) = (count.parse()?, pixels.parse()?);
    fs::create_dir_all(folder)?;
    let photographs = photographs();
    for number in 0..count {
        let photograph = &photographs[number as usize % photographs.len()];
        let cut = number / photographs.len() as u32;
        let (left, top) = (cut % 32, cut / 32 % 32);
        let (width, height) = (photograph.width() - 31, photograph.height() - 31);
        let picture = image::imageops::crop_imm(photograph, left, top, width, height).to_image();
        fs::write(Path::new(folder).join(format!("{number:05}.jpg")), jpeg(&picture, pixels))?;
    }
    Ok(())
}
