//! Names that would drive a terminal, forge a line or turn text around, and ones that are no text at all.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use minutia_report::escape::is_unsafe;

use crate::evidence::{Folder, minutia};

const NAMES: &[&[u8]] = &[
    b"caf\xe9.png",
    b"new\nline.png",
    b"match    forged.png\nmatch    other.png",
    b"\x1b[2J\x1b[31mred.png",
    b"bell\x07\x7f.png",
    "\u{202e}gnp.exe".as_bytes(),
    "\u{2066}\u{feff}\u{200b}.png".as_bytes(),
    "\u{9b}31m.png".as_bytes(),
    b"back\\slash.png",
    b"-rf.png",
    b" .png",
];

fn folder() -> Folder {
    let folder = Folder::with_index();
    let work = std::fs::read(folder.at("works/work-0.png")).unwrap();
    for name in NAMES {
        folder.write(std::path::Path::new("evidence").join(OsStr::from_bytes(name)), &work);
    }
    folder
}

#[test]
fn nothing_that_is_printed_drives_a_terminal() {
    let folder = folder();
    // Damaged ones too: their names go to standard error.
    for name in NAMES {
        folder.write(std::path::Path::new("evidence/cut").join(OsStr::from_bytes(name)), b"\x89PNG\r\n\x1a\n");
    }
    for arguments in
        [&["scan", "evidence", "--index", "works.idx"][..], &["scan", "evidence", "--index", "works.idx", "--json"]]
    {
        let ran = minutia(&folder, arguments).ends(2);
        for text in [&ran.out, &ran.err] {
            assert!(!text.chars().any(|c| c != '\n' && is_unsafe(c)), "{text:?}");
        }
    }
    let ran = minutia(&folder, &["scan", "evidence", "--index", "works.idx"]);
    assert_eq!(ran.out.lines().count(), NAMES.len(), "one line a match: {}", ran.out);
    assert_eq!(ran.err.lines().filter(|line| line.starts_with("damaged ")).count(), NAMES.len());
    let errors = [&["scan", "\u{1b}[31mmissing", "--index", "works.idx"][..], &["index", "info", "\u{202e}missing"]];
    for arguments in errors {
        let ran = minutia(&folder, arguments).ends(2);
        assert!(!ran.err.chars().any(|c| c != '\n' && is_unsafe(c)), "{:?}", ran.err);
    }
}

#[test]
fn json_carries_every_name_without_loss() {
    let folder = folder();
    let records = minutia(&folder, &["scan", "evidence", "--index", "works.idx", "--json"]).ends(1).json();
    let mut names: Vec<Vec<u8>> = Vec::new();
    for record in records.iter().filter(|record| record["record"] == "item") {
        let path = match record["path_bytes"].as_str() {
            Some(hex) => hex
                .as_bytes()
                .chunks(2)
                .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
                .collect(),
            None => record["path"].as_str().unwrap().as_bytes().to_vec(),
        };
        names.push(path.strip_prefix(b"evidence/").unwrap().to_vec());
    }
    let mut expected: Vec<Vec<u8>> = NAMES.iter().map(|name| name.to_vec()).collect();
    expected.sort();
    assert_eq!(names, expected);
    assert_eq!(records.iter().filter(|record| record["path_bytes"].is_string()).count(), 1);
}

#[test]
fn works_under_such_names_can_be_registered_and_found() {
    let folder = folder();
    let ran = minutia(&folder, &["index", "add", "hostile.idx", "evidence"]).ends(0);
    assert!(!ran.out.chars().chain(ran.err.chars()).any(|c| c != '\n' && is_unsafe(c)), "{ran:?}");
    let ran = minutia(&folder, &["scan", "works", "--index", "hostile.idx"]).ends(1);
    assert_eq!(ran.out.lines().count(), NAMES.len());
    assert!(!ran.out.chars().any(|c| c != '\n' && is_unsafe(c)), "{:?}", ran.out);
    let ran = minutia(&folder, &["index", "export", "hostile.idx"]).ends(0);
    assert!(!ran.out.chars().any(|c| c != '\n' && is_unsafe(c)));
}
