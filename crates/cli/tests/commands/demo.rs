//! `minutia demo`: what the README shows first.

use std::fs;
use std::path::{Path, PathBuf};

use crate::evidence::{Folder, minutia};

/// Files of the seized folders, of pictures, of sound and of films.
const SEIZED: [usize; 3] = [38, 7, 2];
/// Copies among them, and those that are found.
const COPIES: [(usize, usize); 3] = [(25, 22), (4, 4), (1, 1)];

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").canonicalize().unwrap()
}

#[test]
fn the_demonstration_finds_what_is_true() {
    let folder = Folder::new();
    let ran = minutia(&folder, &["demo", "--testdata", testdata().to_str().unwrap()]).ends(0);
    let rows: Vec<&str> = ran.out.lines().filter(|line| line.starts_with("ok ") || line.starts_with("NO ")).collect();
    let all = SEIZED.iter().sum();
    assert_eq!((rows.len(), rows.iter().filter(|row| row.starts_with("ok ")).count()), (all, all), "{}", ran.out);
    for (seized, (copies, found)) in SEIZED.into_iter().zip(COPIES) {
        let score = format!(
            "{seized} of {seized} files are as they should be (ok). {found} of {copies} copies found, {} misses that are \
             known, 0 false matches",
            copies - found
        );
        assert!(ran.out.contains(&score), "expected {score:?} in {}", ran.out);
    }
    assert!(rows.iter().all(|row| row.chars().count() <= 150), "{}", ran.out);
}

#[test]
fn the_demonstration_tells_where_truth_and_findings_differ() {
    let folder = Folder::new();
    let images = folder.at("media/image");
    for part in ["reference", "seized"] {
        fs::create_dir_all(images.join(part)).unwrap();
    }
    let from = testdata().join("image/reference");
    fs::copy(from.join("cat.jpg"), images.join("reference/cat.jpg")).unwrap();
    fs::copy(from.join("cat.jpg"), images.join("seized/a.jpg")).unwrap();
    fs::copy(from.join("coffee.jpg"), images.join("seized/b.jpg")).unwrap();
    fs::copy(from.join("coffee.jpg"), images.join("seized/unlisted.jpg")).unwrap();
    fs::write(images.join("reference/works.csv"), "file,work_id\ncat.jpg,W-1\n").unwrap();
    let truth =
        "path,work_id,alteration,expected\na.jpg,W-1,same,match\nb.jpg,W-1,another,match\ngone.jpg,,gone,no-match\n";
    fs::write(images.join("seized.truth.csv"), truth).unwrap();
    let out = minutia(&folder, &["demo", "--testdata", "media"]).ends(2).out;
    let check = |start: &str, part: &str| {
        let row = out.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no {start} in {out}"));
        assert!(row.contains(part), "expected {part:?} in {row}");
    };
    check("ok  a.jpg", "byte for byte cat.jpg");
    check("NO  b.jpg", "no-match, expected match");
    check("NO  unlisted.jpg", "not listed");
    check("NO  gone.jpg", "gone, expected no-match");
    check("1 of 4 files", "1 of 2 copies found");
    minutia(&folder, &["demo"]).ends(2).says(&["--testdata"]);
}
