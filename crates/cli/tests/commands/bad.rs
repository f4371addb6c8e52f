//! The folder of bad files: its ledger names each with what is wrong and what must come of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::evidence::{Folder, minutia, outcomes};

/// What the table's rows say: file, outcome with the code of its first problem, digest.
fn ledger(folder: &Path) -> BTreeMap<String, (String, String)> {
    let text = fs::read_to_string(folder.join("README.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let cells = |row: &str| row.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect::<Vec<_>>();
    rows.map(cells).map(|cells| (cells[1].clone(), (cells[3].clone(), cells[6].clone()))).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/bad")
}

#[test]
fn every_bad_file_has_the_outcome_that_the_ledger_names() {
    let ledger = ledger(&folder());
    assert!(ledger.len() >= 45, "{} files in the ledger", ledger.len());
    let copy = Folder::with_index_of_a_photograph();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if ["README.md", "make.py"].contains(&name.as_str()) {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(ledger.get(&name).map(|row| &row.1), Some(&digest), "{name}: run testdata/bad/make.py");
        copy.write(Path::new("bad").join(name), bytes);
    }
    // In workers, as is the default, and in this process, with the same outcomes.
    for more in [&[][..], &["--in-process"]] {
        let scan = [&["scan", "bad", "--index", "works.idx", "--no-ffmpeg", "--json"], more].concat();
        let ran = minutia(&copy, &scan).ends(2);
        let expected: Vec<(String, String)> =
            ledger.iter().map(|(name, (outcome, _))| (name.clone(), outcome.clone())).collect();
        assert_eq!(outcomes(&ran, "bad"), expected);
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
    }
}

#[test]
fn a_limit_is_named_with_what_was_asked_for() {
    let bombs = folder();
    let folder = Folder::with_index();
    for (name, message) in [
        ("png-bomb.png", "limit pixels reached: 3600000000 asked for, 256000000 allowed"),
        ("jpeg-huge.jpg", "limit pixels reached: 4290250000 asked for, 256000000 allowed"),
        ("qoi-huge.qoi", "limit pixels reached: 3600000000 asked for, 256000000 allowed"),
        ("bmp-huge.bmp", "limit pixels reached: 3600000000 asked for, 256000000 allowed"),
    ] {
        folder.write(name, fs::read(bombs.join(name)).unwrap());
        let records = minutia(&folder, &["scan", name, "--index", "works.idx", "--json"]).ends(2).json();
        assert_eq!(records[0]["outcome"], "failed", "{name}");
        assert_eq!(records[0]["problems"][0]["message"], message, "{name}");
        minutia(&folder, &["fingerprint", name]).ends(2).says(&[message]);
    }
}
