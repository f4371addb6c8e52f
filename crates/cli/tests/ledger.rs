//! The ledger of test media: every file has its row, every row its file, and the digests are right.
// What a test needs and does not get fails the test.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Files that there were when this was last looked at; a ledger that is read to be empty must not pass.
const AT_LEAST: usize = 117;

/// Columns of the ledger: file, how made, licence, SHA-256, used by.
const COLUMNS: usize = 5;

#[test]
fn every_file_of_test_media_has_its_row() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata");
    let ledger = fs::read_to_string(root.join("README.md")).unwrap();
    let mut rows = BTreeMap::new();
    for line in ledger.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        assert_eq!(cells.len(), COLUMNS, "expected file, how made, licence, digest and users in {line}");
        assert!(cells.iter().all(|cell| !cell.is_empty()), "a cell is empty in {line}");
        let [file, digest] = [cells[0], cells[3]].map(|cell| cell.trim_matches('`'));
        assert_eq!(rows.insert(PathBuf::from(file), digest), None, "{file} has two rows");
    }

    let mut met = 0;
    for file in files(&root) {
        let name = file.strip_prefix(&root).unwrap();
        // The bad files have a ledger of their own, with an outcome for each: `commands/bad.rs` holds it.
        if name == Path::new("README.md") || name.starts_with("bad") {
            continue;
        }
        let digest: String =
            Sha256::digest(fs::read(&file).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect();
        let row = rows.remove(name).unwrap_or_else(|| panic!("testdata/README.md: expected a row for {name:?}"));
        assert_eq!(row, digest, "testdata/README.md: the digest of {name:?} is another");
        met += 1;
    }
    assert!(rows.is_empty(), "testdata/README.md: rows without a file: {:?}", rows.keys());
    assert!(met >= AT_LEAST, "expected {AT_LEAST} files or more, met {met}");
}

/// The files below a folder, links as they are.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let of = if entry.file_type().unwrap().is_dir() { &mut folders } else { &mut found };
            of.push(entry.path());
        }
    }
    found
}
